"""A made-up customer's diary of room bookings, worked out from numbers whenever they are asked for."""

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from integrations.sandbox.kit import Clock
from integrations.vendors.condeco.sandbox_booking import booking_fields
from integrations.vendors.condeco.sandbox_data import CUSTOMERS
from integrations.vendors.condeco.sandbox_places import Places
from integrations.vendors.condeco.sandbox_shelf import Book

WORK_DAYS = 20  # four weeks around the epoch
SLOTS = 5  # a day: two hours each from 08:00 at the location
_PLACES = WORK_DAYS * SLOTS
_STRIDE = 37  # has no divisor in common with _PLACES, so that stepping by it visits every place once
_UNSTRIDE = pow(_STRIDE, -1, _PLACES)
_MOST_PER_ROOM = 60
_KEPT = 20_000  # rendered bookings, about 1.5 kB each
_STEP = 7  # between two booking ids
Place = tuple[int, date, int]  # room, day, slot


@dataclass(slots=True)
class Edit:
    """What people made of one booking; what is None is as the numbers have it."""

    times: tuple[datetime, datetime] | None = None
    title: str | None = None
    host: tuple[int, str, str] | None = None
    is_private: bool | None = None
    is_deleted: bool | None = None
    began: datetime | None = None
    ended: datetime | None = None


class Account(Places):
    """A customer's hierarchy and diary. Booking numbers count from 0; ids are what the API shows."""

    def __init__(
        self, index: int, size: int, *, seed: int, epoch: datetime, change_every: timedelta | None, clock: Clock
    ) -> None:
        customer = CUSTOMERS[index]
        wanted = min(customer.rooms, math.ceil(size / 8))  # small data needs few rooms
        super().__init__(customer, index, max(len(customer.sites), wanted, math.ceil(size / _MOST_PER_ROOM)))
        self.clock = clock
        first = epoch.date() - timedelta(days=14)
        days = (first + timedelta(days=n) for n in count())
        self._days = [day for day in (next(days) for _ in range(28)) if day.weekday() < 5]
        self._size = size
        self._settled: dict[int, Place] = {}  # bookings that are not where their number has them
        self._settled_in: dict[int, list[int]] = defaultdict(list)
        self._taken: set[Place] = set()
        self._rendered: dict[tuple[int, int, str], bytes] = {}
        self.edits: dict[int, Edit] = {}
        self.erased: set[int] = set()  # that vanished without a trace
        self.spoilt: set[int] = set()  # numbers of bookings that are sent without an id
        self.diary = Diary(self, size=size, seed=seed * 10 + index, epoch=epoch, change_every=change_every)

    def booking_id(self, number: int) -> int:
        return (310_007, 90_011)[self.index] + number * _STEP

    def number_of(self, booking_id: object) -> int | None:
        """None for ids that no booking has, or has any more."""
        text = str(booking_id)
        number, rest = divmod(int(text) - self.booking_id(0), _STEP) if text.isdecimal() else (-1, 0)
        return number if not rest and 0 <= number < len(self.diary) and number not in self.erased else None

    def numbers_in(self, room: int) -> list[int]:
        """The bookings of a room."""
        native = (number for number in range(room, self._size, self.rooms) if number not in self._settled)
        return [number for number in (*native, *self._settled_in[room]) if number not in self.erased]

    def place_of(self, number: int) -> Place:
        if number in self._settled:
            return self._settled[number]
        room = number % self.rooms
        place = (number // self.rooms * _STRIDE + self._offset(room)) % _PLACES
        return room, self._days[place // SLOTS], place % SLOTS

    def settle(self, number: int, at: datetime, room: int | None = None) -> None:
        """Give a booking the next free slot of a room after `at`: of that one, or of some."""
        if edit := self.edits.get(number):
            edit.times = None  # those of the slot
        dice = self.diary.dice(number, "room", self.diary.version[number])
        some, skip = dice.choice(self.open_rooms), dice.randrange(30)
        room = some if room is None else room
        for ahead in count(1):
            day = at.date() + timedelta(days=ahead)
            for slot in range(SLOTS) if day.weekday() < 5 else ():
                if self._is_free(room, day, slot):
                    if skip == 0 or ahead >= 11:
                        self.put(number, (room, day, slot))
                        return
                    skip -= 1

    def put(self, number: int, place: Place) -> None:
        """Take a booking from where it is to that place."""
        if number in self._settled:
            self._settled_in[self._settled[number][0]].remove(number)
        self._settled[number] = place
        self._settled_in[place[0]].append(number)
        self._taken.add(place)

    def times_of(self, number: int) -> tuple[datetime, datetime]:
        """Start and end in UTC, within the booking's slot whatever its version, unless people chose others."""
        if (edit := self.edits.get(number)) and edit.times:
            return edit.times
        room, day, slot = self.place_of(number)
        dice = self.diary.dice(number, "time", self.diary.version[number])
        start = 8 * 60 + slot * 120 + dice.choice((15, 15, 30, 30, 45))
        length = dice.choice((15, 30, 30, 45, 60))
        zone = self.site(room).zone
        local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=start)
        starts_at = local.astimezone(UTC)
        return starts_at, starts_at + timedelta(minutes=length)

    def is_deleted(self, number: int) -> bool:
        if (edit := self.edits.get(number)) and edit.is_deleted is not None:
            return edit.is_deleted
        versions = range(1, self.diary.version[number] + 1)
        is_born_deleted = number < self._size and self.diary.dice(number, "booking").random() < 0.03
        return is_born_deleted or any(self.diary.dice(number, "end", v).random() < 0.12 for v in versions)

    def is_taken(self, room: int, starts_at: datetime, ends_at: datetime, but: int | None = None) -> bool:
        """Whether another booking has the room in that time."""
        return any(
            number != but and times[0] < ends_at and starts_at < times[1] and not self.is_deleted(number)
            for number in self.numbers_in(room)
            for times in (self.times_of(number),)
        )

    def numbers_between(self, room: int, since: datetime, until: datetime) -> list[int]:
        """The bookings of a room that touch the time from `since` until before `until`, in order of their start."""
        times = {number: self.times_of(number) for number in self.numbers_in(room)}
        found = [number for number, (starts, ends) in times.items() if starts < until and ends > since]
        return sorted(found, key=lambda number: times[number])

    def bookings_json(self, room: int, since: datetime, until: datetime) -> bytes:
        """`{"bookings": [...]}` of one room."""
        found = (self.booking_json(number) for number in self.numbers_between(room, since, until))
        return b'{"bookings":[' + b",".join(found) + b"]}"

    def booking_json(self, number: int) -> bytes:
        phase = self._phase(number)
        key = (number, self.diary.version[number], phase)
        if key not in self._rendered:
            if len(self._rendered) >= _KEPT:
                self._rendered.clear()
            fields = json.dumps(self.fields_of(number), separators=(",", ":"), ensure_ascii=False)
            self._rendered[key] = fields.encode()
        if number in self.spoilt:
            return self._rendered[key].replace(b'"bookingID"', b'"bookingNo"')
        return self._rendered[key]

    def fields_of(self, number: int) -> dict[str, Any]:
        """The booking as the API shows it."""
        return booking_fields(self, number, self._phase(number), is_new=number in self._settled)

    def _phase(self, number: int) -> str:
        starts_at, ends_at = self.times_of(number)
        now = self.clock.now()
        return "over" if ends_at <= now else "running" if starts_at <= now else "ahead"

    def _offset(self, room: int) -> int:
        return (room * 13 + self.index * 29) % _PLACES

    def _is_free(self, room: int, day: date, slot: int) -> bool:
        if (room, day, slot) in self._taken or self._has_guest(room, day, slot):
            return False
        if day not in self._days:
            return True
        place = self._days.index(day) * SLOTS + slot
        turn = (place - self._offset(room)) * _UNSTRIDE % _PLACES
        return turn * self.rooms + room >= self._size

    def _has_guest(self, room: int, day: date, slot: int) -> bool:
        """Whether people put a booking of theirs, which keeps to no slots, into that one."""
        begins = datetime(day.year, day.month, day.day, 8 + 2 * slot, tzinfo=self.site(room).zone).astimezone(UTC)
        edits = (self.edits.get(number) for number in self._settled_in[room])
        times = (edit.times for edit in edits if edit and edit.times)
        return any(one[0] < begins + timedelta(hours=2) and begins < one[1] for one in times)


class Diary(Book):
    """Bookings change until they are over; new ones are made for the days to come."""

    def __init__(
        self, account: Account, *, size: int, seed: int, epoch: datetime, change_every: timedelta | None
    ) -> None:
        super().__init__(
            size=size, seed=seed, epoch=epoch, span=timedelta(days=30), change_every=change_every, grow_after=6
        )
        self._account = account

    def touch(self, number: int, at: datetime) -> None:
        if self._account.times_of(number)[1] > at:
            super().touch(number, at)

    def grow(self, at: datetime) -> int:
        number = super().grow(at)
        self._account.settle(number, at)
        return number

    def enter(self, at: datetime, place: Place, edit: Edit) -> int:
        """One more booking, as a person made it; its number."""
        with self._lock:
            number = super().grow(at)
            self._account.edits[number] = edit
            self._account.put(number, place)
            self.tell(number, True)
            return number

    def mark(self, number: int, at: datetime) -> None:
        """Changed by a person just now, over or not."""
        super().touch(number, at)
