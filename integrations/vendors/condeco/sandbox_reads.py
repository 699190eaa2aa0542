"""What the emulator answers to questions."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.condeco.sandbox_diary import Account
from integrations.vendors.condeco.sandbox_gateway import Gateway, envelope, invalid
from integrations.vendors.condeco.sandbox_places import PEOPLE, utc_wall, wall

VISIT_DAYS = 14
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Reads(Gateway):
    # Hierarchy

    @route("GET", "/{suffix}/api/V1/countries")
    def countries(self, request: Request, suffix: str) -> Reply:
        return envelope(self.named(suffix).nodes["countries"])

    @route("GET", "/{suffix}/api/V1/regions")
    def regions(self, request: Request, suffix: str) -> Reply:
        return _children(self.named(suffix).nodes["regions"], request.get("countryId"))

    @route("GET", "/{suffix}/api/V1/regionsByParent/{country}")
    def regions_by_parent(self, request: Request, suffix: str, country: str) -> Reply:
        return _children(self.named(suffix).nodes["regions"], country)

    @route("GET", "/{suffix}/api/V1/groups")
    def groups(self, request: Request, suffix: str) -> Reply:
        return _children(self.named(suffix).nodes["groups"], request.get("countryId"))

    @route("GET", "/{suffix}/api/V1/locations")
    def locations(self, request: Request, suffix: str) -> Reply:
        return _children(self.named(suffix).nodes["locations"], request.get("regionId"))

    @route("GET", "/{suffix}/api/V1/rooms")
    def rooms(self, request: Request, suffix: str) -> Reply:
        location = request.get("locationId")
        return envelope(self.named(suffix).room_nodes(int(location))) if location.isdecimal() else invalid()

    @route("GET", "/{suffix}/api/V1/floorPlan")
    def floor_plan(self, request: Request, suffix: str) -> Reply:
        location, floor, group = (request.get(name) for name in ("locationId", "floorNumber", "groupId"))
        if not location.isdecimal() or not floor.lstrip("-").isdecimal():
            return invalid()
        desks = self.named(suffix).desk_nodes(int(location), int(floor), int(group) if group.isdecimal() else None)
        return envelope(desks if request.get("resourceTypeId") == "128" else [])

    @route("GET", "/{suffix}/api/V1/users")
    def users(self, request: Request, suffix: str) -> Reply:
        account, wanted = self.named(suffix), request.get("emailId").lower()
        people = (account.person(number) for number in range(PEOPLE))
        return envelope([_user(person) for person in people if person[2] == wanted][:1])

    # Room bookings

    @route("GET", "/{suffix}/api/V1/bookings")
    def bookings(self, request: Request, suffix: str) -> Reply:
        account, room_id, days = self.named(suffix), request.get("roomId"), _days(request)
        if days is None:
            return invalid("Start date or end date is not valid.")
        if not room_id.isdecimal():
            return invalid()
        room = account.room_of(room_id)
        if room is None:
            return invalid("Room Id does not exist.")
        zone = UTC if _is_utc(request) else account.site(room).zone
        begin, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (days[0], days[1] + timedelta(1)))
        return Reply(body=account.bookings_json(room, begin, end), headers=_JSON)

    @route("GET", "/{suffix}/api/V1/bookings/{number}")
    def booking(self, request: Request, suffix: str, number: str) -> Reply:
        account = self.named(suffix)
        if number.lower() == "freeslots":
            return self._free_slots(request, account)
        if number.lower() == "availablerooms":
            return self._available_rooms(request, account)
        found = account.number_of(number)
        if found is None:
            return invalid("Booking Id does not exist.")
        return Reply(body=account.booking_json(found), headers=_JSON)

    def _free_slots(self, request: Request, account: Account) -> Reply:
        times = span_of(request.get("startDateTime"), request.get("endDateTime"), request, account, 0)
        site = account.site_of(request.get("locationId"))
        if times is None or site is None:
            return invalid()
        periods = []
        for room in (room for room in account.open_rooms if account.site_number(room) == site):
            zone, at, slots = account.site(room).zone, times[0], []
            for number in account.numbers_between(room, *times):
                starts_at, ends_at = account.times_of(number)
                if starts_at > at and not account.is_deleted(number):
                    slots.append((at, starts_at))
                at = max(at, ends_at) if not account.is_deleted(number) else at
            slots += [(at, times[1])] if at < times[1] else []
            periods.append(
                {
                    "locationID": account.location_id(site),
                    "floorNumber": account.room_floor(room),
                    "resourceID": account.room_id(room),
                    "workspaceTypeId": 1,
                    "freePeriodSlots": [
                        {
                            "startDateTime": wall(start, zone),
                            "endDateTime": wall(end, zone),
                            "startDateTimeUTC": utc_wall(start),
                            "endDateTimeUTC": utc_wall(end),
                        }
                        for start, end in slots
                    ],
                }
            )
        return Reply.json({"freePeriod": periods})

    def _available_rooms(self, request: Request, account: Account) -> Reply:
        site = account.site_of(request.get("locationID"))
        times = span_of(request.get("startDateTime"), request.get("endDateTime"), request, account, site or 0)
        if times is None or site is None:
            return invalid()
        free = (room for room in account.open_rooms if account.site_number(room) == site)
        rooms = [
            {"roomName": account.room_name(room), "roomId": account.room_id(room), "maxCapacity": 4 + room % 5 * 2}
            for room in free
            if not account.is_taken(room, *times)
        ]
        return Reply.json({"availableRooms": rooms})

    # Desk bookings

    @route("GET", "/{suffix}/api/V1/deskBookings")
    def desk_bookings(self, request: Request, suffix: str) -> Reply:
        account, days = self.named(suffix), _days(request)
        site = account.site_of(request.get("locationId"))
        if days is None or site is None:
            return invalid("Location or dates are not valid.")
        book = self.desks[account.index]
        return Reply.json({"deskBookings": _page(request, [book.fields(n) for n in book.numbers_at(site, *days)])})

    @route("GET", "/{suffix}/api/V1/deskBookings/{number}")
    def desk_booking(self, request: Request, suffix: str, number: str) -> Reply:
        book = self.desks[self.named(suffix).index]
        found = book.number_of(number)
        return invalid("Booking Id does not exist.") if found is None else Reply.json(book.fields(found))

    # Visitors

    @route("GET", "/{suffix}/api/V1/visitor")
    def visitor_list(self, request: Request, suffix: str) -> Reply:
        account = self.named(suffix)
        site = account.site_of(request.get("locationId"))
        day = _day(request.get("visitDate"))
        if site is None or day is None:
            return invalid("Visit date or location is not valid.")
        today = self.clock.now().astimezone(account.customer.sites[site].zone).date()
        if not today <= day < today + timedelta(days=VISIT_DAYS):
            return invalid("Visit date must lie within the next 14 days.")
        book, now = self.visitors[account.index], self.clock.now()
        found = [book.fields(number, now) for number in book.numbers_on(site, day)]
        return Reply.json({"visitors": _page(request, found), "totalRecords": len(found)})


def sent_in(request: Request) -> dict[str, Any]:
    """The body as JSON or as a form, with its names in small letters."""
    return in_small_letters(
        request.form if "form-urlencoded" in request.headers.get("content-type", "") else request.json
    )


def in_small_letters(told: object) -> dict[str, Any]:
    """An object with its names in small letters; empty for what is none."""
    return {name.lower(): value for name, value in told.items()} if isinstance(told, dict) else {}


def moment_of(text: object) -> datetime | None:
    """`2026-03-16 13:30`, with or without seconds and `T`, as people send it; without a zone."""
    try:
        return datetime.fromisoformat(str(text).strip()).replace(tzinfo=None)
    except ValueError:
        return None


def span_of(
    start: object, end: object, request: Request, account: Account, thing: int
) -> tuple[datetime, datetime] | None:
    """Two moments in UTC, sent in UTC or in the zone of that room's location; None when they are not that."""
    starts, ends = moment_of(start), moment_of(end)
    zone = UTC if _is_utc(request) else account.site(thing).zone
    if starts is None or ends is None or starts >= ends:
        return None
    return starts.replace(tzinfo=zone).astimezone(UTC), ends.replace(tzinfo=zone).astimezone(UTC)


def _is_utc(request: Request) -> bool:
    return request.get("isUTCDateTime").lower() == "true"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days(request: Request) -> tuple[date, date] | None:
    since, until = _day(request.get("startDate")), _day(request.get("endDate"))
    return (since, until) if since and until else None


def _page(request: Request, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pages count from 1; a size of 0 is all."""
    size, number = request.get("pageSize", "0"), request.get("pageNumber", "1")
    if not size.isdecimal() or int(size) == 0:
        return found
    first = (max(int(number) if number.isdecimal() else 1, 1) - 1) * int(size)
    return found[first : first + int(size)]


def _children(nodes: list[dict[str, Any]], parent: str) -> Reply:
    if not parent.isdecimal():
        return invalid()
    return envelope([node for node in nodes if node["InternalParentId"] == int(parent)])


def _user(person: tuple[int, str, str]) -> dict[str, Any]:
    first, _, last = person[1].partition(" ")
    return {"InternalId": person[0], "Email": person[2], "FirstName": first, "LastName": last}
