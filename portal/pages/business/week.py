"""A week of bookings as a grid: days side by side, quarters of an hour downwards, in the reader's wall-clock time.

Pure: rows in, blocks out. Desks of one place are one block ("18 booked"), so are crowded places; where more than three
blocks would stand side by side the rest becomes "+12 more", which leads to the day's list.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from integrations.records.queries import Span
from integrations.values import BookingKind

QUARTERS = 96
LANES = 3
CROWD = 12  # so many of one kind at one place in a day, and they are one block
DESKS = 3
LONG = 20  # quarters
_NO_END = timedelta(minutes=30)  # how long a booking without an end is drawn
_QUARTER = timedelta(minutes=15)
_MOMENT = timedelta(microseconds=1)


@dataclass(slots=True, kw_only=True)
class Block:
    """What stands in the grid: one booking, or `number` of them. `starts` and `ends` are wall-clock words. Its lane is
    found once it stands among the others."""

    at: int
    lasts: int
    kind: str
    starts: str
    ends: str
    location: str
    booking: Span | None = None
    number: int = 1
    is_endless: bool = False
    is_overflow: bool = False
    lane: int = 1
    lanes: int = 1  # how many stand side by side here

    @property
    def until(self) -> int:
        return self.at + self.lasts

    @property
    def css(self) -> str:
        """Its place in the grid, in one word for the page: a week has hundreds of them."""
        return f"at-{self.at} for-{self.lasts} lane-{self.lane}-{self.lanes}"

    @property
    def when(self) -> str:
        return "until further notice" if self.is_endless else f"{self.starts}–{self.ends}"

    @property
    def is_all_day(self) -> bool:
        """Stands above the hours: what fills the day, and many together that would only cover what is beneath."""
        is_background = self.number > 1 or self.kind == BookingKind.DESK
        return self.lasts == QUARTERS or (is_background and self.lasts >= LONG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    date: date
    is_today: bool
    blocks: tuple[Block, ...]
    all_day: tuple[Block, ...]
    number: int  # bookings of the day, however they are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    days: tuple[Day, ...]
    from_hour: int
    until_hour: int

    @property
    def first(self) -> date:
        return self.days[0].date

    @property
    def last(self) -> date:
        return self.days[-1].date

    @property
    def hours(self) -> list[str]:
        return [f"{hour:02}:00" for hour in range(24)]

    @property
    def has_all_day(self) -> bool:
        return any(day.all_day for day in self.days)

    @property
    def is_empty(self) -> bool:
        return not any(day.number for day in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Bookings counted by the database, where there are too many to draw: one kind at one place on one day."""

    day: date
    kind: str
    location: str
    number: int
    starts_at: datetime
    ends_at: datetime


class _Part(NamedTuple):
    """What a booking, or a group of them, takes of one day, by the clock on the wall."""

    at: int
    lasts: int
    start: datetime
    end: datetime
    kind: str
    location: str
    booking: Span | None
    number: int
    is_endless: bool


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def bounds(monday: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last instant of the week in the zone; 167 or 169 hours apart when the clocks change."""
    return midnight(monday, zone), midnight(monday + timedelta(days=7), zone)


def week_of(monday: date, bookings: Iterable[Span], zone: ZoneInfo, *, today: date) -> Week:
    parts: dict[date, list[_Part]] = {}
    for booking in bookings:
        for day, part in _parts(booking, zone, monday):
            parts.setdefault(day, []).append(part)
    return _week(monday, parts, today)


def crowded_week(monday: date, groups: Iterable[Group], zone: ZoneInfo, *, today: date) -> Week:
    """The week drawn from counts alone."""
    parts: dict[date, list[_Part]] = {}
    for group in groups:
        start, end = midnight(group.day, zone), midnight(group.day + timedelta(days=1), zone)
        first, last = max(group.starts_at, start), min(group.ends_at, end)
        local = (first.astimezone(zone), last.astimezone(zone))
        part = _part(*local, group.kind, group.location, None, group.number, False)
        parts.setdefault(group.day, []).append(part)
    return _week(monday, parts, today)


def _week(monday: date, parts: dict[date, list[_Part]], today: date) -> Week:
    days = [monday + timedelta(days=number) for number in range(7)]
    if all(part.is_endless for day in days[5:] for part in parts.get(day, ())):
        days = days[:5]
    made = tuple(_day(day, parts.get(day, []), today) for day in days)
    drawn = [block for day in made for block in day.blocks]
    first, last = min((block.at for block in drawn), default=32), max((block.until for block in drawn), default=72)
    return Week(
        days=made,
        from_hour=next((hour for hour in (8, 7, 6) if first >= hour * 4), 0),
        until_hour=next((hour for hour in (18, 20, 22) if last <= hour * 4), 24),
    )


def _day(day: date, parts: Sequence[_Part], today: date) -> Day:
    gathered = _gathered(parts)
    return Day(
        date=day,
        is_today=day == today,
        blocks=tuple(_in_lanes([block for block in gathered if not block.is_all_day])),
        all_day=tuple(block for block in gathered if block.is_all_day),
        number=sum(part.number for part in parts),
    )


def _gathered(parts: Iterable[_Part]) -> list[Block]:
    """Desks of one place, and whatever is many at one place, as one block."""
    groups: dict[tuple[str, str], list[_Part]] = {}
    for part in parts:
        groups.setdefault((part.kind, part.location), []).append(part)
    blocks: list[Block] = []
    for (kind, _location), together in sorted(groups.items()):
        limit = DESKS if kind == BookingKind.DESK else CROWD
        blocks.extend([_merged(together)] if len(together) >= limit else map(_block, together))
    return sorted(blocks, key=lambda block: (block.at, -block.lasts, block.location))


def _in_lanes(blocks: Iterable[Block]) -> Iterator[Block]:
    for cluster in _clusters(blocks):
        shown, hidden = _fit(cluster, LANES)
        if hidden:
            shown, hidden = _fit(cluster, LANES - 1)
            shown.append(_overflow(hidden))
        lanes = max(block.lane for block in shown)
        for block in shown:
            block.lanes = lanes
        yield from sorted(shown, key=lambda one: (one.at, one.lane))


def _clusters(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks that touch each other, directly or through others."""
    cluster: list[Block] = []
    until = 0
    for block in blocks:
        if cluster and block.at >= until:
            yield cluster
            cluster = []
        cluster.append(block)
        until = max(until, block.until)
    if cluster:
        yield cluster


def _fit(cluster: Iterable[Block], lanes: int) -> tuple[list[Block], list[Block]]:
    """Those that fit side by side, each in its lane, and those that do not."""
    free_at = [0] * lanes
    shown, hidden = [], []
    for block in cluster:
        lane = next((number for number, free in enumerate(free_at) if free <= block.at), None)
        if lane is None:
            hidden.append(block)
        else:
            free_at[lane] = block.until
            block.lane = lane + 1
            shown.append(block)
    return shown, hidden


def _merged(parts: Sequence[_Part]) -> Block:
    first, last = min(parts, key=lambda one: one.at), max(parts, key=lambda one: one.at + one.lasts)
    return Block(
        at=first.at,
        lasts=last.at + last.lasts - first.at,
        kind=first.kind,
        starts=_words(first)[0],
        ends=_words(last)[1],
        location=first.location,
        number=sum(part.number for part in parts),
        is_endless=all(part.is_endless for part in parts),
    )


def _overflow(blocks: Sequence[Block]) -> Block:
    """What is left of a cluster, in its last lane."""
    first, last = min(blocks, key=lambda one: one.at), max(blocks, key=lambda one: one.until)
    return Block(
        at=first.at,
        lasts=last.until - first.at,
        kind="more",
        starts=first.starts,
        ends=last.ends,
        location="",
        number=sum(block.number for block in blocks),
        is_overflow=True,
        lane=LANES,
    )


def _block(part: _Part) -> Block:
    starts, ends = _words(part)
    return Block(
        at=part.at,
        lasts=part.lasts,
        kind=part.kind,
        starts=starts,
        ends=ends,
        location=part.location,
        booking=part.booking,
        number=part.number,
        is_endless=part.is_endless,
    )


def _parts(booking: Span, zone: ZoneInfo, monday: date) -> Iterator[tuple[date, _Part]]:
    """One a day the booking touches, cut at midnight. A desk without an end touches every day from its first."""
    is_endless = booking.ends_at is None and booking.kind == BookingKind.DESK
    start, local = booking.starts_at, booking.starts_at.astimezone(zone)
    day = local.date()
    if is_endless:
        day, end = max(day, monday), midnight(monday + timedelta(days=7), zone)
        start = max(start, midnight(day, zone))
    else:
        end = max(booking.ends_at or start + _NO_END, start)
        local_end = end.astimezone(zone)
        if local_end.date() == day:  # most by far, and a week has hundreds
            yield day, _part(local, local_end, booking.kind, booking.location, booking, 1, is_endless)
            return

    def part(start: datetime, end: datetime) -> _Part:
        local = (start.astimezone(zone), end.astimezone(zone))
        return _part(*local, booking.kind, booking.location, booking, 1, is_endless)

    last = (end - _MOMENT).astimezone(zone).date()
    while day < last:
        midnight_after = midnight(day + timedelta(days=1), zone)
        yield day, part(start, midnight_after)
        start, day = midnight_after, day + timedelta(days=1)
    yield day, part(start, end)


def _part(
    start: datetime, end: datetime, kind: str, location: str, booking: Span | None, number: int, is_endless: bool
) -> _Part:
    """Placed by the clock on the wall, on which both instants are given. In the night the clocks go back the end may be
    "before" the start: then it is as long as it really lasts, and the words name the zone's two halves."""
    at = start.hour * 4 + start.minute // 15
    until = QUARTERS if end.date() > start.date() else -(-(end.hour * 60 + end.minute) // 15)
    lasts = until - at if until > at else -(-(end.astimezone(UTC) - start.astimezone(UTC)) // _QUARTER)
    lasts = max(1, min(lasts, QUARTERS - at))
    return _Part(at, lasts, start, end, kind, location, booking, number, is_endless)


def _words(part: _Part) -> tuple[str, str]:
    is_odd = part.start.utcoffset() != part.end.utcoffset()
    return _clock(part.start, is_odd=is_odd), _clock(part.end, is_odd=is_odd)


def _clock(moment: datetime, *, is_odd: bool) -> str:
    words = f"{moment.hour:02}:{moment.minute:02}"
    return f"{words} {moment.tzname()}" if is_odd else words


@lru_cache
def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant the day begins in the zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
