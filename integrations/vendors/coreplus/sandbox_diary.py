"""A practice's diary: appointments worked out from their numbers whenever asked for, and what people did to them."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from integrations.sandbox.shelf import Shelf

DAYS_BACK, DAYS_AHEAD = 29, 60  # around the epoch's day
DAYS = DAYS_BACK + DAYS_AHEAD
HALF_HOUR = timedelta(minutes=30)
OPENS_AT = time(9)
BUSY_DAY, BUSY_SIZE = 3, 110  # a vaccination day: more than one page of 100
HOT_DAYS = 13  # mishaps and new bookings fall into what is looked at often


class Diary(Shelf):
    """Appointments by number, with what people did to them since: moved, cancelled, deleted, edited."""

    def __init__(self, *, practitioners: int, today: date, **options: Any) -> None:
        super().__init__(**options)
        self.size, self.practitioners, self.first_day = len(self), practitioners, today - timedelta(days=DAYS_BACK)
        self.moved: dict[int, datetime] = {}
        self.cancelled: dict[int, str] = {}
        self.deleted: set[int] = set()
        self._busy = min(BUSY_SIZE, self.size // 4)

    def start(self, number: int) -> datetime:
        """Local wall-clock time at the appointment's location."""
        return self.moved.get(number) or self._planned(number)

    def holder(self, number: int) -> int:
        """Which practitioner has it: two at the same time are with different ones."""
        return number % self.practitioners

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

    def add(self, at: datetime) -> int:
        """A new booking within the next days."""
        with self._lock:
            number = super().add(at)
            self.move(number, at.date() + timedelta(days=1 + self.dice(number, "day").randrange(HOT_DAYS - 1)))
            return number

    def move(self, number: int, day: date) -> None:
        """To the first free half hour of its practitioner on that day."""
        holder = self.holder(number)
        taken = {self.start(other) for other in self.between(day, day) if self.holder(other) == holder}
        start = datetime.combine(day, OPENS_AT)
        while start in taken:
            start += HALF_HOUR
        self.moved[number] = start

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
