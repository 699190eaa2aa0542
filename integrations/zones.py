"""Zones and wall clocks: the names that Windows uses, and what a clock on the wall means as a moment."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

ZONES = frozenset(tz_win)  # every IANA name that Windows has a name for
_IANA: dict[str, str] = {windows.lower(): iana for windows, iana in win_tz.items()}


def iana_of(windows_name: str) -> str:
    """The IANA name of a Windows zone (Unicode CLDR, territory 001), or "". Case and outer blanks do not matter."""
    return _IANA.get(windows_name.strip().lower(), "")


def windows_of(iana_name: str) -> str:
    """The Windows name of an IANA zone, or ""."""
    name: str = tz_win.get(iana_name, "")
    return name


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a clock in that zone shows `wall` (naive).

    In the hour that comes twice in autumn the first one is meant; an hour that spring leaves out is read on as if the
    clock had not been put forward, so that 02:30 is half an hour after 02:00, which that night is called 03:30.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
