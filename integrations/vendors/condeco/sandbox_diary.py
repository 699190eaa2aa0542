"""A made-up customer's hierarchy and diary of room bookings, worked out from numbers whenever they are asked for."""

import json
import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

from integrations.sandbox.kit import Clock
from integrations.sandbox.shelf import Shelf
from integrations.vendors.condeco.sandbox_data import (
    CUSTOMERS,
    FIRST_NAMES,
    LAST_NAMES,
    ROOM_NAMES,
    SETUP_STYLES,
    TITLES,
)

NO_VALUE = "0001-01-01T00:00:00"
WORK_DAYS = 20  # four weeks around the epoch
SLOTS = 5  # a day: two hours each from 08:00 at the location
_PLACES = WORK_DAYS * SLOTS
_STRIDE = 37  # has no divisor in common with _PLACES, so that stepping by it visits every place once
_UNSTRIDE = pow(_STRIDE, -1, _PLACES)
_MOST_PER_ROOM = 60
_KEPT = 20_000  # rendered bookings, about 1.5 kB each


class Account:
    """A customer's hierarchy and diary. Booking numbers count from 0; ids are what the API shows."""

    def __init__(
        self, index: int, size: int, *, seed: int, epoch: datetime, change_every: timedelta | None, clock: Clock
    ) -> None:
        self.index, self.customer, self.clock = index, CUSTOMERS[index], clock
        wanted = min(self.customer.rooms, math.ceil(size / 8))  # small data needs few rooms
        self.rooms = max(len(self.customer.sites), wanted, math.ceil(size / _MOST_PER_ROOM))
        first = epoch.date() - timedelta(days=14)
        days = (first + timedelta(days=n) for n in count())
        self._days = [day for day in (next(days) for _ in range(28)) if day.weekday() < 5]
        self._size = size
        self._grown: dict[int, tuple[int, date, int]] = {}
        self._grown_in: dict[int, list[int]] = defaultdict(list)
        self._taken: set[tuple[int, date, int]] = set()
        self._rendered: dict[tuple[int, int, str], bytes] = {}
        self.spoilt: set[int] = set()  # numbers of bookings that are sent without an id
        self.diary = Diary(self, size=size, seed=seed * 10 + index, epoch=epoch, change_every=change_every)

    # Hierarchy

    @cached_property
    def nodes(self) -> dict[str, list[dict[str, Any]]]:
        """Countries, regions and locations as the API shows them."""
        countries: dict[str, int] = {}
        regions: dict[tuple[str, str], int] = {}
        locations = []
        for number, site in enumerate(self.customer.sites):
            country = countries.setdefault(site.country, len(countries) + 1)
            region = regions.setdefault((site.country, site.region), len(regions) + 11)
            locations.append(
                {
                    **_node(site.name, self.location_id(number), region),
                    "LocationAddress": site.address,
                    "LocationCity": site.city,
                    "LocationCountry": site.country,
                    "PostCode": site.post_code,
                    "TimeZone": site.windows_zone,
                    "NumberOfFloorsAboveGround": 4 + 3 * number,
                    "NumberOfFloorsBelowGround": number % 2,
                    "IsCostCentreMandatory": False,
                    "IsCCPaymentCostCodeEnabled": False,
                    "LocationGroupMappings": [{"GroupId": country, "GroupIdExternal": None}],
                }
            )
        return {
            "countries": [_node(name, number, 0) for name, number in countries.items()],
            "regions": [_node(name, number, countries[country]) for (country, name), number in regions.items()],
            "locations": locations,
        }

    def location_id(self, number: int) -> int:
        return 101 + number

    def room_id(self, room: int) -> int:
        return 501 + room

    def site_number(self, room: int) -> int:
        return room % len(self.customer.sites)

    def room_name(self, room: int) -> str:
        floor, door = divmod(room // len(self.customer.sites), 8)
        return f"{ROOM_NAMES[(room * 7 + self.index * 5) % len(ROOM_NAMES)]} {floor + 1}.{door + 1:02}"

    def room_nodes(self, location_id: int) -> list[dict[str, Any]]:
        return [
            {
                **_node(self.room_name(room), self.room_id(room), location_id),
                "FloorNumber": str(room // len(self.customer.sites) // 8 + 1),  # text here, a number elsewhere
                "FloorName": f"Floor {room // len(self.customer.sites) // 8 + 1}",
                "WorkspaceTypeId": 1,
                "WorkspaceTypeName": "Meeting Room",
            }
            for room in range(self.rooms)
            if self.location_id(self.site_number(room)) == location_id
        ]

    # Diary

    def booking_id(self, number: int) -> int:
        return (310_007, 90_011)[self.index] + number * 7

    def numbers_in(self, room: int) -> list[int]:
        return [*range(room, self._size, self.rooms), *self._grown_in[room]]

    def place_of(self, number: int) -> tuple[int, date, int]:
        """Room, day and slot of a booking."""
        if number in self._grown:
            return self._grown[number]
        room = number % self.rooms
        place = (number // self.rooms * _STRIDE + self._offset(room)) % _PLACES
        return room, self._days[place // SLOTS], place % SLOTS

    def settle(self, number: int, at: datetime) -> None:
        """Give a new booking the next free slot of a room after `at`."""
        dice = self.diary.dice(number, "room")
        room, skip = dice.randrange(self.rooms), dice.randrange(30)
        for ahead in count(1):
            day = at.date() + timedelta(days=ahead)
            for slot in range(SLOTS) if day.weekday() < 5 else ():
                if self._is_free(room, day, slot):
                    if skip == 0 or ahead >= 12:
                        self._taken.add((room, day, slot))
                        self._grown[number] = (room, day, slot)
                        self._grown_in[room].append(number)
                        return
                    skip -= 1

    def times_of(self, number: int) -> tuple[datetime, datetime]:
        """Start and end in UTC, within the booking's slot whatever its version."""
        room, day, slot = self.place_of(number)
        dice = self.diary.dice(number, "time", self.diary.version[number])
        start = 8 * 60 + slot * 120 + dice.choice((15, 15, 30, 30, 45))
        length = dice.choice((15, 30, 30, 45, 60))
        zone = self.customer.sites[self.site_number(room)].zone
        local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=start)
        starts_at = local.astimezone(UTC)
        return starts_at, starts_at + timedelta(minutes=length)

    def bookings_json(self, room: int, since: datetime, until: datetime) -> bytes:
        """`{"bookings": [...]}` of one room: those that touch the time from `since` until before `until`."""
        found = []
        for number in self.numbers_in(room):
            starts_at, ends_at = self.times_of(number)
            if starts_at < until and ends_at > since:
                found.append((starts_at, self._booking_json(number, starts_at, ends_at)))
        found.sort()
        return b'{"bookings":[' + b",".join(text for _, text in found) + b"]}"

    def _offset(self, room: int) -> int:
        return (room * 13 + self.index * 29) % _PLACES

    def _is_free(self, room: int, day: date, slot: int) -> bool:
        if (room, day, slot) in self._taken:
            return False
        if day not in self._days:
            return True
        place = self._days.index(day) * SLOTS + slot
        turn = (place - self._offset(room)) * _UNSTRIDE % _PLACES
        return turn * self.rooms + room >= self._size

    def _booking_json(self, number: int, starts_at: datetime, ends_at: datetime) -> bytes:
        now = self.clock.now()
        phase = "over" if ends_at <= now else "running" if starts_at <= now else "ahead"
        if number in self.spoilt:
            phase += " spoilt"
        key = (number, self.diary.version[number], phase)
        if key not in self._rendered:
            if len(self._rendered) >= _KEPT:
                self._rendered.clear()
            booking = self._booking(number, starts_at, ends_at, phase)
            self._rendered[key] = json.dumps(booking, separators=(",", ":"), ensure_ascii=False).encode()
        return self._rendered[key]

    def _booking(self, number: int, starts_at: datetime, ends_at: datetime, phase: str) -> dict[str, Any]:
        diary, version = self.diary, self.diary.version[number]
        room, _, _ = self.place_of(number)
        site = self.customer.sites[self.site_number(room)]
        zone, dice = site.zone, diary.dice(number, "booking")
        kind = dice.random()
        is_deleted = kind < 0.03 or any(diary.dice(number, "end", v).random() < 0.12 for v in range(1, version + 1))
        is_waiting, is_pending = 0.03 <= kind < 0.05, 0.05 <= kind < 0.08
        has_setup, is_private, is_no_show = (dice.random() < chance for chance in (0.15, 0.08, 0.1))
        is_met = not (is_deleted or is_waiting or is_pending or is_no_show)
        began = starts_at + timedelta(minutes=dice.randrange(5)) if is_met and not phase.startswith("ahead") else None
        ended = ends_at - timedelta(minutes=dice.randrange(5)) if began and phase.startswith("over") else None
        host = self._person(dice.randrange(600))
        booker = host if dice.random() < 0.7 else self._person(dice.randrange(600))
        title = TITLES[diary.dice(number, "title", version // 2).randrange(len(TITLES))]
        created = min(diary.created[number], starts_at - timedelta(days=1 + dice.randrange(9)))
        if version or number in self._grown:
            created = min(created, diary.modified[number])
        changed = max(diary.modified[number] if version else created, began or created, ended or created)
        booking = {
            "bookingID": self.booking_id(number),
            "recurranceId": 7_000 + dice.randrange(400) if dice.random() < 0.2 else 0,
            "roomID": self.room_id(room),
            "locationId": self.location_id(self.site_number(room)),
            "groupId": 1,
            "meetingTitle": title,
            "notes": "",
            "meetingType": dice.choice(("Internal", "Internal", "External")),
            "setupStyle": dice.choice(SETUP_STYLES) if has_setup else "",
            "timeFrom": _local(starts_at, zone),
            "timeTo": _local(ends_at, zone),
            "dateFrom": f"{starts_at.astimezone(zone):%Y-%m-%d}T00:00:00",
            "bookingStart": _local(starts_at, zone),
            "bookingEnd": _local(ends_at, zone),
            "locationTimeZone": site.windows_zone,
            "timeFromUTC": _local(starts_at, UTC),
            "timeToUTC": _local(ends_at, UTC),
            "utcWithSetupTime": _local(starts_at - timedelta(minutes=15 if has_setup else 0), UTC),
            "utcWithCleanDownTime": _local(ends_at + timedelta(minutes=15 if has_setup else 0), UTC),
            "actualTimeFrom": _local(began, zone),
            "actualTimeTo": _local(ended, zone),
            "bookingRealStartTime": _local(began, zone),
            "bookingRealEndTime": _local(ended, zone),
            "prepUnit": 1,
            "prepPeriod": 15 if has_setup else 0,
            "cleanDownUnit": 1,
            "cleanDownPeriod": 15 if has_setup else 0,
            "roomClear": False,
            "hostId": host[0],
            "hostName": host[1],
            "hostEmail": host[2],
            "requestorId": booker[0],
            "requestorName": booker[1],
            "requestorEmail": booker[2],
            "creatorName": booker[1],
            "creatorEmail": booker[2],
            "userRole": dice.randint(1, 3),
            "meetingProgress": 2 if ended else 1 if began else 0,
            "status": dice.choice((0, 0, 0, 0, 1, 4)),
            "deleted": int(is_deleted),
            "waitList": int(is_waiting),
            "pendingOnGrid": is_pending,
            "instantMeeting": False,
            "privateMeeting": is_private,
            "createdOn": _local(created, zone),
            "createdBy": booker[0],
            "lastModifiedOn": _local(changed, zone),
            "modifiedBy": booker[0],
            "bookingSource": dice.choice((1, 1, 3)),
        }
        if phase.endswith("spoilt"):
            del booking["bookingID"]
        return booking

    def _person(self, number: int) -> tuple[int, str, str]:
        last = LAST_NAMES[(number * 5 + self.index * 3) % len(LAST_NAMES)]
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {last}"
        return 2_000 + number, name, f"{name.lower().replace(' ', '.')}@{self.customer.domain}"


class Diary(Shelf):
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

    def add(self, at: datetime) -> int:
        with self._lock:
            number = super().add(at)
            self._account.settle(number, at)
            return number


def _node(name: str, number: int, parent: int) -> dict[str, Any]:
    return {"ResourceName": name, "InternalId": number, "InternalParentId": parent}


def _local(moment: datetime | None, zone: Any) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}" if moment else NO_VALUE
