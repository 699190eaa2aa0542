"""A practice's diary: appointments worked out from their numbers whenever asked for, and what people did to them.

Only the emulator relies on CP-A33: practitioners work every day from OPENS_AT to CLOSES_AT, by their location's clock.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from integrations.sandbox.shelf import Shelf

DAYS_BACK, DAYS_AHEAD = 29, 60  # around the epoch's day
DAYS = DAYS_BACK + DAYS_AHEAD
HALF_HOUR = timedelta(minutes=30)
OPENS_AT, CLOSES_AT = time(9), time(18)
BUSY_DAY, BUSY_SIZE = 3, 110  # a vaccination day: more than one page of 100
HOT_DAYS = 13  # mishaps and new bookings fall into what is looked at often

Stretch = tuple[datetime, datetime]  # local wall-clock time at the practitioner's location


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who comes to whom and for what, by number. `subject` "": coreplus writes one."""

    practitioner: int
    client: int
    appointment_type: int | None = None
    length: timedelta = HALF_HOUR
    subject: str = ""
    notes: str = ""
    notifies_practitioner: bool = False


class Diary(Shelf):
    """Appointments by number, with what people did to them since: moved, cancelled, deleted, edited. Those made
    through the API are kept as they were sent."""

    def __init__(self, *, practitioners: int, today: date, **options: Any) -> None:
        super().__init__(**options)
        self.size, self.practitioners, self.first_day = len(self), practitioners, today - timedelta(days=DAYS_BACK)
        self.moved: dict[int, datetime] = {}
        self.cancelled: dict[int, str] = {}
        self.deleted: set[int] = set()
        self.visits: dict[int, Visit] = {}  # those made through the API
        self._busy = min(BUSY_SIZE, self.size // 4)

    def start(self, number: int) -> datetime:
        """Local wall-clock time at the appointment's location."""
        return self.moved.get(number) or self._planned(number)

    def end(self, number: int) -> datetime:
        return self.start(number) + self._length(number)

    def holder(self, number: int) -> int:
        """Which practitioner has it: two at the same time are with different ones."""
        visit = self.visits.get(number)
        return visit.practitioner if visit else number % self.practitioners

    def between(self, since: date, until: date) -> Iterator[int]:
        """Numbers on days from `since` to `until`, both included, that are neither cancelled nor deleted."""
        absent = self.cancelled.keys() | self.deleted
        for number in self._planned_between(since, until):
            if number not in absent and number not in self.moved:
                yield number
        for number, start in list(self.moved.items()):
            if number not in absent and since <= start.date() <= until:
                yield number

    def touch(self, number: int, at: datetime) -> None:
        """Time does something to an appointment of the next days, for only those are looked at often."""
        with self._lock:
            today, dice = at.date(), self.dice(number, at)
            near = list(self.between(today, today + timedelta(days=HOT_DAYS)))
            if not near:
                return
            chosen = dice.choice(near)
            match dice.randrange(10):
                case 0:
                    self.cancelled[chosen] = "Client was unwell"
                case 1 | 2:
                    self.move(chosen, today + timedelta(days=dice.randrange(HOT_DAYS)))
                case _:
                    pass
            super().touch(chosen, at)

    def add(self, at: datetime, day: date | None = None) -> int:
        """A new booking on that day, or on one of the next."""
        with self._lock:
            number = super().add(at)
            self.move(number, day or at.date() + timedelta(days=1 + self.dice(number, "day").randrange(HOT_DAYS - 1)))
            return number

    def enter(self, at: datetime, start: datetime, visit: Visit) -> int:
        """A booking made through the API."""
        with self._lock:
            number = super().add(at)
            self.moved[number], self.visits[number] = start, visit
            return number

    def move(self, number: int, day: date) -> None:
        """To the first time on that day when its practitioner is free for it."""
        taken = self.taken(day).get(self.holder(number), [])
        start, length = datetime.combine(day, OPENS_AT), self._length(number)
        while any(_overlap((start, start + length), other) for other in taken):
            start += HALF_HOUR
        self.moved[number] = start

    def taken(self, day: date) -> dict[int, list[Stretch]]:
        """When each practitioner has somebody on that day, in order; whoever has nobody is missing."""
        found = defaultdict(list)
        for number in self.between(day, day):
            found[self.holder(number)].append((self.start(number), self.end(number)))
        return {holder: sorted(stretches) for holder, stretches in found.items()}

    def is_free(self, holder: int, start: datetime, end: datetime) -> bool:
        """Whether that practitioner works then and has nobody."""
        taken = self.taken(start.date()).get(holder, [])
        return is_open(start, end) and not any(_overlap((start, end), other) for other in taken)

    def _length(self, number: int) -> timedelta:
        visit = self.visits.get(number)
        return visit.length if visit else HALF_HOUR

    def _planned(self, number: int) -> datetime:
        if number < self._busy:
            day, place = DAYS_BACK + BUSY_DAY, number
        else:
            day = (number - self._busy) * DAYS // (self.size - self._busy)
            place = number - self._first_on(day)
            if day == DAYS_BACK + BUSY_DAY:
                place += self._busy + self.practitioners
        # Numbers that follow one another go round the practitioners, so a full round takes the next half hour.
        start = datetime.combine(self.first_day + timedelta(days=day), OPENS_AT)
        return start + HALF_HOUR * (place // self.practitioners)

    def _planned_between(self, since: date, until: date) -> Iterator[int]:
        first = max((since - self.first_day).days, 0)
        last = min((until - self.first_day).days, DAYS - 1)
        if first <= DAYS_BACK + BUSY_DAY <= last:
            yield from range(self._busy)
        if first <= last:
            yield from range(self._first_on(first), self._first_on(last + 1))

    def _first_on(self, day: int) -> int:
        """The number with which that day begins: those beyond the busy day's are spread evenly."""
        return self._busy + -(-day * (self.size - self._busy) // DAYS)


def is_open(start: datetime, end: datetime) -> bool:
    """Whether all of it lies in the working hours of one day."""
    day = start.date()
    return datetime.combine(day, OPENS_AT) <= start and end <= datetime.combine(day, CLOSES_AT)


def gaps(day: date, taken: Iterable[Stretch]) -> Iterator[Stretch]:
    """What is left of that day's working hours; `taken` is in order."""
    start, closes_at = datetime.combine(day, OPENS_AT), datetime.combine(day, CLOSES_AT)
    for begins_at, ends_at in taken:
        if start < min(begins_at, closes_at):
            yield start, min(begins_at, closes_at)
        start = max(start, ends_at)
    if start < closes_at:
        yield start, closes_at


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one[0] < other[1] and other[0] < one[1]
