"""Condeco's way of writing ids, marks and times, whatever the letter case of its names; pure functions."""

from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from integrations.errors import RecordRejected
from integrations.zones import instant_of

T = TypeVar("T")
LONGEST = 499  # characters of a typed text field
_NO_YEAR = 1  # 0001-01-01 is Condeco's "no value"; turning it into another zone overflows

Identifier = int | str | None
Flag = bool | int | str | None


def position_of(moment: datetime) -> str:
    """A moment as text that sorts: `2026-03-16T13:30:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def is_set(flag: Flag) -> bool:
    """Whether a mark is there; Condeco uses numbers and booleans for marks."""
    return flag.strip().lower() not in ("", "0", "false") if isinstance(flag, str) else bool(flag)


def clean(text: str | None) -> str:
    """Without NUL characters (PostgreSQL keeps none) and outer blanks, and not too long."""
    return (text or "").replace("\x00", "").strip()[:LONGEST]


def identifier(value: Identifier, name: str) -> str:
    text = clean(str(value)) if value is not None else ""
    if text in ("", "0"):
        raise RecordRejected(f"There is no {name}.")
    return text


def in_any_case(payload: bytes | msgspec.Raw, shape: type[T]) -> T:
    try:
        fields: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
        return msgspec.convert({name.lower(): value for name, value in fields.items()}, shape)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise RecordRejected(f"The record cannot be read: {mistake}") from mistake


def instant(text: str | None, zone: tzinfo, name: str) -> datetime | None:
    """The moment in UTC; None for no value. Raises RecordRejected when there is text that is no time."""
    if not text or not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.year == _NO_YEAR:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else _in_zone(moment, zone)
    except (ValueError, OverflowError) as mistake:
        raise RecordRejected(f"The {name} time cannot be read: {clean(text)[:40]}") from mistake


def _in_zone(wall: datetime, zone: tzinfo) -> datetime:
    return instant_of(wall, zone) if isinstance(zone, ZoneInfo) else wall.replace(tzinfo=zone).astimezone(UTC)


def instant_or_none(text: str | None, zone: tzinfo) -> datetime | None:
    try:
        return instant(text, zone, "")
    except RecordRejected:
        return None


def known_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, KeyError, OSError):
        return None
