"""Desk bookings and visitors of a made-up customer, by number like the room bookings."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from integrations.vendors.condeco.sandbox_data import COMPANIES, FIRST_NAMES, LAST_NAMES
from integrations.vendors.condeco.sandbox_places import PEOPLE, Places, wall
from integrations.vendors.condeco.sandbox_shelf import Book

_ROUND = 28  # days over which they are spread, half of them before the epoch
_WHOLE_DAY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskBooking:
    desk: int
    day: date
    part: int  # 0 morning, 1 afternoon, 2 whole day
    is_open: bool  # until further notice
    person: int
    is_deleted: bool


class DeskBook(Book):
    """Desk bookings: most of a whole day, some of half a day, a few until further notice."""

    def __init__(
        self, places: Places, *, size: int, seed: int, epoch: datetime, change_every: timedelta | None
    ) -> None:
        super().__init__(size=size, seed=seed, epoch=epoch, span=timedelta(days=30), change_every=change_every)
        self._places, self._size = places, size
        self.edits: dict[int, DeskBooking] = {}
        self.erased: set[int] = set()

    def id_of(self, number: int) -> int:
        return (52_003, 71_009)[self._places.index] + number * 3

    def number_of(self, booking_id: object) -> int | None:
        text = str(booking_id)
        number, rest = divmod(int(text) - self.id_of(0), 3) if text.isdecimal() else (-1, 0)
        return number if not rest and 0 <= number < len(self) and number not in self.erased else None

    def booking(self, number: int) -> DeskBooking:
        if number in self.edits:
            return self.edits[number]
        dice, desks = self.dice(number, "desk"), self._places.desks
        start = self.epoch.date() - timedelta(days=_ROUND // 2)
        day = start + timedelta(days=(number // desks * 11 + number * 5) % _ROUND)
        if number >= self._size:
            day = self.created[number].date() + timedelta(days=1 + dice.randrange(11))
        return DeskBooking(
            desk=number % desks,
            day=day,
            part=dice.choice((_WHOLE_DAY, _WHOLE_DAY, _WHOLE_DAY, 0, 1)),
            is_open=dice.random() < 0.05,
            person=dice.randrange(PEOPLE),
            is_deleted=dice.random() < 0.04 or self.version[number] % 4 == 3,
        )

    def numbers_at(self, site: int, since: date, until: date) -> Iterator[int]:
        """Those of a site that touch the days from `since` to `until`, both included."""
        for number in range(len(self)):
            found = self.booking(number)
            begins_in_time = found.day <= until and (found.is_open or found.day >= since)
            if begins_in_time and self._places.site_number(found.desk) == site and number not in self.erased:
                yield number

    def fields(self, number: int) -> dict[str, Any]:
        found = self.booking(number)
        zone, person = self._places.site(found.desk).zone, self._places.person(found.person)
        return {
            "bookingID": self.id_of(number),
            "deskID": self._places.desk_id(found.desk),
            "locationId": self._places.location_id(self._places.site_number(found.desk)),
            "userId": person[0],
            "userName": person[1],
            "userEmail": person[2],
            "date": f"{found.day}T00:00:00",
            "bookingType": found.part,
            "untilFurtherNotice": found.is_open,
            "deleted": int(found.is_deleted),
            "lastModifiedOn": wall(self.modified[number], zone),
        }

    def enter(self, booking: DeskBooking, at: datetime) -> int:
        with self._lock:
            number = self.grow(at)
            self.edits[number] = booking
            self.tell(number, True)
            return number

    def edit(self, number: int, at: datetime, **changes: Any) -> None:
        self.edits[number] = replace(self.booking(number), **changes)
        self.touch(number, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    site: int
    arrives: datetime  # at the location, without a zone
    first_name: str
    last_name: str
    company: str
    host: int
    is_withdrawn: bool = False
    seen: tuple[datetime | None, datetime | None] | None = None  # arriving and leaving; else they are on time


class VisitorBook(Book):
    """Visitors announced for two weeks around the epoch, and new ones while time passes."""

    def __init__(
        self, places: Places, *, size: int, seed: int, epoch: datetime, change_every: timedelta | None
    ) -> None:
        super().__init__(
            size=size, seed=seed, epoch=epoch, span=timedelta(days=20), change_every=change_every, grow_after=3
        )
        self._places, self._size = places, size
        self.edits: dict[int, Visit] = {}

    def id_of(self, number: int) -> int:
        return (4_001, 8_002)[self._places.index] + number * 2

    def visit(self, number: int) -> Visit:
        if number in self.edits:
            return self.edits[number]
        dice = self.dice(number, "visit")
        day = self.epoch.date() + timedelta(days=number * 5 % 18 - 2)
        if number >= self._size:
            day = self.created[number].date() + timedelta(days=1 + dice.randrange(10))
        return Visit(
            site=number % len(self._places.customer.sites),
            arrives=datetime.combine(day, time(8 + dice.randrange(9), dice.choice((0, 15, 30)))),
            first_name=dice.choice(FIRST_NAMES),
            last_name=dice.choice(LAST_NAMES),
            company=COMPANIES[(number + self.version[number]) % len(COMPANIES)],
            host=dice.randrange(PEOPLE),
        )

    def numbers_on(self, site: int, day: date) -> Iterator[int]:
        for number in range(len(self)):
            found = self.visit(number)
            if found.site == site and found.arrives.date() == day and not found.is_withdrawn:
                yield number

    def fields(self, number: int, now: datetime) -> dict[str, Any]:
        found = self.visit(number)
        zone, host = self._places.customer.sites[found.site].zone, self._places.person(found.host)
        arrived, left = found.seen or self._on_time(found, now)
        return {
            "visitorId": self.id_of(number),
            "firstName": found.first_name,
            "lastName": found.last_name,
            "visitorCompany": found.company,
            "hostName": host[1],
            "hostEmail": host[2],
            "locationId": self._places.location_id(found.site),
            "floorNumber": 0,
            "bookingId": None,
            "meetingName": "Meeting",
            "arrivalDate": f"{found.arrives:%Y-%m-%d %H:%M}",
            "arrivedOn": wall(arrived, zone),
            "departedOn": wall(left, zone),
            "status": 2 if left else 1 if arrived else 0,
        }

    def _on_time(self, visit: Visit, now: datetime) -> tuple[datetime | None, datetime | None]:
        arrives = visit.arrives.replace(tzinfo=self._places.customer.sites[visit.site].zone).astimezone(UTC)
        leaves = arrives + timedelta(hours=1)
        return arrives if arrives <= now else None, leaves if leaves <= now else None

    def enter(self, visit: Visit, at: datetime) -> int:
        with self._lock:
            number = self.grow(at)
            self.edits[number] = visit
            self.tell(number, True)
            return number

    def edit(self, number: int, at: datetime, **changes: Any) -> None:
        self.edits[number] = replace(self.visit(number), **changes)
        self.touch(number, at)

    def see(self, number: int, at: datetime, *, arrived: bool, left: bool) -> None:
        """Someone at the reception notes that they are there or gone, or takes that back."""
        visit = self.visit(number)
        came, _ = visit.seen or self._on_time(visit, at)
        self.edits[number] = replace(visit, seen=((came or at) if arrived else None, at if left else None))
        self.stamp(number, at)
