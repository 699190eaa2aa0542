"""What the emulator lists: locations, practitioners, appointment types, clients, appointments, free time.

What only the emulator relies on: CP-A11 a slot names its practitioner in an object. CP-A12 several values of a filter
are a repeated key. CP-A36 slots come in pages of at most 100, as appointments do.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.coreplus.sandbox_data import ADELAIDE, MELBOURNE, written
from integrations.vendors.coreplus.sandbox_door import API, Door, Refusal
from integrations.vendors.coreplus.sandbox_world import World

MAX_PAGE, CLIENTS_PAGE = 100, 50
ZONES = {zone_id.lower(): ZoneInfo(name) for zone_id, name in (MELBOURNE, ADELAIDE)}
FIRST_YEAR, LAST_YEAR = 1900, 2199
T = TypeVar("T")


class Reads(Door):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.has_paging = True  # CP-A15: appointments and slots may come without `paging`
        self.has_types = True  # CP-A19: the path may not exist
        self.slipping: set[int] = set()  # practices in which one is booked after the next page that is not the last

    @route("GET", f"{API}/Location")
    def list_locations(self, request: Request) -> Reply:
        return Reply.json({"locations": self.allowed(request, "locations").locations()})

    @route("GET", f"{API}/Practitioner")
    def list_practitioners(self, request: Request) -> Reply:
        return Reply.json({"practitioners": self.allowed(request, "practitioners").practitioners()})

    @route("GET", f"{API}/SpecialtyType")
    def list_types(self, request: Request) -> Reply:
        if not self.has_types:
            return self.not_found(request)
        return Reply.json({"specialtyTypes": self.allowed(request, "appointment-types").specialties()})

    @route("GET", f"{API}/Client")
    def list_clients(self, request: Request) -> Reply:
        world = self.allowed(request, "clients")
        numbers, paging = _page(request, world.client_numbers(), CLIENTS_PAGE, MAX_PAGE)
        rows = [world.client(number) for number in numbers]
        return Reply.json({"clients": rows, "paging": paging, "statusMessages": []})

    @route("GET", f"{API}/Appointment")
    def list_appointments(self, request: Request) -> Reply:
        world = self.allowed(request, "appointments")
        zone, since, until = _window(request)
        found = world.in_window(since, until, zone)
        numbers, paging = _page(request, found, MAX_PAGE, MAX_PAGE)
        has_profiles, now = request.get("getPractitionerProfiles").lower() == "true", self.clock.now()
        rows = [world.appointment(n, zone=zone, has_profiles=has_profiles, now=now) for n in numbers]
        if world.practice.number in self.slipping and paging["pageNumber"] * paging["pageSize"] < paging["totalRows"]:
            self.slipping.discard(world.practice.number)
            world.diary.add(now, since)
        return self._paged("appointments", rows, paging)

    @route("GET", f"{API}/Appointment/{{appointment_id}}")
    def show_appointment(self, request: Request, appointment_id: str) -> Reply:
        world = self.allowed(request, "appointments")
        number = world.find("appointment", appointment_id)
        if number is None:
            raise Refusal(404, "Appointment not found")
        has_profiles = request.get("getPractitionerProfiles").lower() == "true"
        row = self.details(world, number, has_profiles=has_profiles)
        if request.get("cancellationId").lower() == "true" and number in world.diary.cancelled:
            notes = world.diary.cancelled[number]
            row |= {"cancellationReasonId": world.ids["reason"].of(0), "cancellationNotes": notes}
        return Reply.json({"appointment": row})

    def details(self, world: World, number: int, *, has_profiles: bool = False) -> dict[str, Any]:
        """An appointment as it is shown alone: no zone is asked for, so it is told in that of the first location."""
        zone, visit = ZoneInfo(world.practice.rooms[0][1][1]), world.visit(number)
        row = world.appointment(number, zone=zone, has_profiles=has_profiles, now=self.clock.now())
        return row | {"notes": visit.notes, "notifyPractitioner": visit.notifies_practitioner}

    @route("GET", f"{API}/AvailabilitySlot")
    def list_slots(self, request: Request) -> Reply:
        world = self.allowed(request, "availability")
        (zone, since, until), piece = _window(request), None
        if request.get("appointmentTypeId"):
            number = world.find("type", request.get("appointmentTypeId"))
            if number is None:
                raise Refusal(400, "The appointment type is not known")
            piece = world.types[number].length
        free = world.free(since, until, zone, _practitioners(request, world))
        found = sorted((*span, one) for starts_at, ends_at, one in free for span in _pieces(starts_at, ends_at, piece))
        slots, paging = _page(request, found, MAX_PAGE, MAX_PAGE)
        rows = [
            {
                "startDateTime": written(starts_at.astimezone(zone)),
                "endDateTime": written(ends_at.astimezone(zone)),
                "locationId": world.ids["location"].of(world.room_of(one)),
                "practitioner": world.practitioner(one),
            }
            for starts_at, ends_at, one in slots
        ]
        return self._paged("timeslots", rows, paging)

    def _paged(self, key: str, rows: list[dict[str, Any]], paging: dict[str, int]) -> Reply:
        return Reply.json({key: rows, **({"paging": paging} if self.has_paging else {})})


def _practitioners(request: Request, world: World) -> list[int]:
    """The numbers of those whom the filters leave."""

    def is_asked_for(name: str, guid: str) -> bool:
        wanted = {value.lower() for key, value in request.query if key.lower() == name.lower() and value}
        return not wanted or guid in wanted

    return [
        number
        for number, row in enumerate(world.practitioners())
        if is_asked_for("practitionerId", row["practitionerId"])
        and is_asked_for("locationId", world.ids["location"].of(world.room_of(number)))
        and is_asked_for("specialtyId", world.specialty_of(number))
    ]


def _pieces(start: datetime, end: datetime, length: timedelta | None) -> Iterator[tuple[datetime, datetime]]:
    """Free time cut into pieces of that length, or uncut."""
    if length is None:
        yield start, end
        return
    while start + length <= end:
        yield start, start + length
        start += length


def _page(request: Request, found: Sequence[T], size: int, most: int) -> tuple[Sequence[T], dict[str, int]]:
    try:
        page, size = int(request.get("pageNumber", "1")), int(request.get("pageSize", str(size)))
    except ValueError as mistake:
        raise Refusal(400, "pageNumber and pageSize must be numbers") from mistake
    if page < 1 or not 1 <= size <= most:
        raise Refusal(400, f"pageNumber begins at 1, pageSize is at most {most}")
    paging = {"totalRows": len(found), "pageNumber": page, "pageSize": size}
    return found[(page - 1) * size : page * size], paging


def _window(request: Request) -> tuple[ZoneInfo, date, date]:
    """The zone in which is asked and answered, and its first and last day."""
    zone = ZONES.get(request.get("timezoneId").lower())
    if zone is None:
        raise Refusal(400, "The time zone is not known")
    return zone, day_of("startDate", request.get("startDate")), day_of("endDate", request.get("endDate"))


def day_of(name: str, text: str) -> date:
    """Raises Refusal."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a bare date
    except ValueError as mistake:
        raise Refusal(400, f"{name} must be a date, yyyy-mm-dd") from mistake
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refusal(400, f"{name} is out of range")
    return day
