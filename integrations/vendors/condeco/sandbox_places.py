"""A made-up customer's countries, regions, groups, locations, rooms and desks, and the people who work there."""

from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any

from integrations.vendors.condeco.sandbox_data import FIRST_NAMES, LAST_NAMES, ROOM_NAMES, Customer, Site

NO_VALUE = "0001-01-01T00:00:00"
PEOPLE = 600
_FIRST_PERSON = 2_000
_FIRST_THING = 501  # of rooms and of desks alike: their numbers overlap
_ROOMS_A_FLOOR, _DESKS_A_FLOOR = 8, 10


class Places:
    """Rooms and desks count from 0; ids are what the API shows."""

    def __init__(self, customer: Customer, index: int, rooms: int) -> None:
        self.customer, self.index, self.rooms, self.desks = customer, index, rooms, customer.desks
        self.renamed: dict[int, str] = {}  # rooms that were given another name
        self.renamed_desks: dict[int, str] = {}
        self.closed: set[int] = set()  # rooms that are no longer there

    @cached_property
    def nodes(self) -> dict[str, list[dict[str, Any]]]:
        """Countries, regions, groups and locations as the API shows them."""
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
                    "NumberOfFloorsAboveGround": self._floors,
                    "NumberOfFloorsBelowGround": 0,
                    "IsCostCentreMandatory": False,
                    "IsCCPaymentCostCodeEnabled": False,
                    "LocationGroupMappings": [{"GroupId": country * 10 + 21, "GroupIdExternal": None}],
                }
            )
        return {
            "countries": [_node(name, number, 0) for name, number in countries.items()],
            "regions": [_node(name, number, countries[country]) for (country, name), number in regions.items()],
            "groups": [
                _node(f"{kind}, {name}", number * 10 + 20 + at, number)
                for name, number in countries.items()
                for at, kind in enumerate(("Client suites", "Offices"))
            ],
            "locations": locations,
        }

    @property
    def _floors(self) -> int:
        sites = len(self.customer.sites)
        most = ((self.rooms - 1) // sites // _ROOMS_A_FLOOR, (self.desks - 1) // sites // _DESKS_A_FLOOR)
        return max(most) + 1

    def location_id(self, number: int) -> int:
        return 101 + number

    def room_id(self, room: int) -> int:
        return _FIRST_THING + room

    def room_of(self, room_id: str) -> int | None:
        room = int(room_id) - _FIRST_THING if room_id.isdecimal() else -1
        return room if 0 <= room < self.rooms and room not in self.closed else None

    @property
    def open_rooms(self) -> list[int]:
        return [room for room in range(self.rooms) if room not in self.closed]

    def desk_id(self, desk: int) -> int:
        return _FIRST_THING + desk

    def desk_of(self, desk_id: str) -> int | None:
        desk = int(desk_id) - _FIRST_THING if desk_id.isdecimal() else -1
        return desk if 0 <= desk < self.desks else None

    def site_number(self, thing: int) -> int:
        """Of a room or a desk."""
        return thing % len(self.customer.sites)

    def site_of(self, location_id: str) -> int | None:
        site = int(location_id) - self.location_id(0) if location_id.isdecimal() else -1
        return site if 0 <= site < len(self.customer.sites) else None

    def site(self, thing: int) -> Site:
        return self.customer.sites[self.site_number(thing)]

    def group_id(self, thing: int) -> int:
        group: int = self.nodes["locations"][self.site_number(thing)]["LocationGroupMappings"][0]["GroupId"]
        return group

    def room_floor(self, room: int) -> int:
        return room // len(self.customer.sites) // _ROOMS_A_FLOOR + 1

    def desk_floor(self, desk: int) -> int:
        return desk // len(self.customer.sites) // _DESKS_A_FLOOR + 1

    def room_name(self, room: int) -> str:
        door = room // len(self.customer.sites) % _ROOMS_A_FLOOR + 1
        name = f"{ROOM_NAMES[(room * 7 + self.index * 5) % len(ROOM_NAMES)]} {self.room_floor(room)}.{door:02}"
        return self.renamed.get(room, name)

    def desk_name(self, desk: int) -> str:
        name = f"Desk {self.desk_floor(desk)}-{desk // len(self.customer.sites) % _DESKS_A_FLOOR + 1:02}"
        return self.renamed_desks.get(desk, name)

    def room_nodes(self, location_id: int) -> list[dict[str, Any]]:
        return [
            {
                **_node(self.room_name(room), self.room_id(room), location_id),
                "FloorNumber": str(self.room_floor(room)),  # text here, a number elsewhere
                "FloorName": f"Floor {self.room_floor(room)}",
                "WorkspaceTypeId": 1,
                "WorkspaceTypeName": "Meeting Room",
            }
            for room in self.open_rooms
            if self.location_id(self.site_number(room)) == location_id
        ]

    def desk_nodes(self, location_id: int, floor: int, group_id: int | None) -> list[dict[str, Any]]:
        return [
            {
                **_node(self.desk_name(desk), self.desk_id(desk), location_id),
                "FloorNumber": floor,
                "WorkspaceTypeId": 2,
            }
            for desk in range(self.desks)
            if self.location_id(self.site_number(desk)) == location_id
            and self.desk_floor(desk) == floor
            and group_id in (None, self.group_id(desk))
        ]

    def person(self, number: int) -> tuple[int, str, str]:
        """Id, name and e-mail address of one of `PEOPLE`."""
        last = LAST_NAMES[(number * 5 + self.index * 3) % len(LAST_NAMES)]
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {last}"
        return _FIRST_PERSON + number, name, f"{name.lower().replace(' ', '.')}@{self.customer.domain}"

    def person_of(self, user_id: object) -> tuple[int, str, str] | None:
        text = str(user_id)
        number = int(text) - _FIRST_PERSON if text.isdecimal() else -1
        return self.person(number) if 0 <= number < PEOPLE else None


def wall(moment: datetime | None, zone: tzinfo) -> str:
    """A moment on the clocks of a zone, without any mark of the zone: Condeco's way."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}" if moment else NO_VALUE


def utc_wall(moment: datetime | None) -> str:
    return wall(moment, UTC)


def _node(name: str, number: int, parent: int) -> dict[str, Any]:
    return {"ResourceName": name, "InternalId": number, "InternalParentId": parent}
