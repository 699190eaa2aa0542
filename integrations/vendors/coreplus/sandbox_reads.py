"""What the emulator lists: locations, practitioners, appointment types, clients, appointments."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.coreplus.sandbox_data import ADELAIDE, MELBOURNE
from integrations.vendors.coreplus.sandbox_door import API, Door, Refusal

MAX_PAGE, CLIENTS_PAGE = 100, 50
ZONES = {zone_id.lower(): ZoneInfo(name) for zone_id, name in (MELBOURNE, ADELAIDE)}


class Reads(Door):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.has_paging = True  # CP-A15: appointments may come without `paging`
        self.has_types = True  # CP-A19: the path may not exist

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
        zone = ZONES.get(request.get("timezoneId").lower())
        if zone is None:
            raise Refusal(400, "The time zone is not known")
        found = world.in_window(_day(request, "startDate"), _day(request, "endDate"), zone)
        numbers, paging = _page(request, found, MAX_PAGE, MAX_PAGE)
        has_profiles, now = request.get("getPractitionerProfiles").lower() == "true", self.clock.now()
        rows = [world.appointment(n, zone=zone, has_profiles=has_profiles, now=now) for n in numbers]
        return Reply.json({"appointments": rows, **({"paging": paging} if self.has_paging else {})})

    @route("GET", f"{API}/Appointment/{{appointment_id}}")
    def show_appointment(self, request: Request, appointment_id: str) -> Reply:
        world = self.allowed(request, "appointments")
        number = world.ids["appointment"].number(appointment_id)
        if number is None or number >= len(world.diary) or number in world.diary.deleted:
            raise Refusal(404, "Appointment not found")
        has_profiles = request.get("getPractitionerProfiles").lower() == "true"
        zone = ZoneInfo(world.practice.rooms[0][1][1])
        row = world.appointment(number, zone=zone, has_profiles=has_profiles, now=self.clock.now())
        row |= {"notes": "Bring the last X-ray.", "notifyPractitioner": False}
        if request.get("cancellationId").lower() == "true" and number in world.diary.cancelled:
            notes = world.diary.cancelled[number]
            row |= {"cancellationReasonId": world.ids["type"].of(900), "cancellationNotes": notes}
        return Reply.json({"appointment": row})


def _page(request: Request, found: list[int], size: int, most: int) -> tuple[list[int], dict[str, int]]:
    try:
        page, size = int(request.get("pageNumber", "1")), int(request.get("pageSize", str(size)))
    except ValueError as mistake:
        raise Refusal(400, "pageNumber and pageSize must be numbers") from mistake
    if page < 1 or not 1 <= size <= most:
        raise Refusal(400, f"pageNumber begins at 1, pageSize is at most {most}")
    paging = {"totalRows": len(found), "pageNumber": page, "pageSize": size}
    return found[(page - 1) * size : page * size], paging


def _day(request: Request, name: str) -> date:
    try:
        return datetime.strptime(request.get(name), "%Y-%m-%d").date()  # noqa: DTZ007 - a bare date
    except ValueError as mistake:
        raise Refusal(400, f"{name} must be a date, yyyy-mm-dd") from mistake
