"""What appointments only point at: locations with their zones, types, practitioners. Read anew by every run."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec

from integrations.contract import Access
from integrations.errors import NotPermitted, RecordRejected, VendorChanged
from integrations.vendors.coreplus import assumptions, records
from integrations.vendors.coreplus.client import LOCATIONS, PRACTITIONERS, TYPES, Listing, fetch_list
from integrations.vendors.coreplus.zones import parse_zones, zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    id: str
    name: str
    zone_id: str  # coreplus's GUID, lower-case
    zone: str  # IANA, "" where nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentType:
    row: records.Row
    id: str
    name: str
    specialty: str


@dataclass(frozen=True, kw_only=True)
class References:
    """Each by id; empty where we may not read it, for appointments go on without names."""

    access: Access
    locations: Mapping[str, Location]
    types: Mapping[str, str]

    @cached_property
    def practitioners(self) -> Mapping[str, str]:
        """Asked for only when an appointment comes without its practitioner's name (CP-A14)."""
        try:
            return dict(_named_people(fetch_list(self.access, PRACTITIONERS).rows))
        except NotPermitted:
            return {}

    @property
    def zone_ids(self) -> tuple[str, ...]:
        """The zones in which to ask, each once; the published one when no location tells any."""
        found = dict.fromkeys(place.zone_id for place in self.locations.values() if place.zone_id)
        return tuple(found) or (assumptions.MELBOURNE,)

    def zone_id_of(self, row: records.Row) -> str:
        """coreplus's number of the zone an appointment is in, "" where we do not know its location."""
        place = self._location_of(row)
        return place.zone_id if place else ""

    def zone_of(self, row: records.Row) -> str:
        """The IANA zone an appointment is in, or ""."""
        place = self._location_of(row)
        return place.zone if place else ""

    def _location_of(self, row: records.Row) -> Location | None:
        return self.locations.get(records.text_of(row, "locationId").lower())

    def context_of(self, row: records.Row) -> dict[str, str]:
        """The names behind the ids of an appointment."""
        place = self._location_of(row)
        practitioner = records.nested(row, "practitioner")
        names = {
            "type": self.types.get(records.text_of(row, "appointmentTypeId").lower(), ""),
            "location": place.name if place else "",
            "zone": place.zone if place else "",
        }
        if not records.person_name(practitioner):
            names["practitioner"] = self.practitioners.get(records.text_of(practitioner, "practitionerId").lower(), "")
        return {name: value for name, value in names.items() if value}


def read_references(access: Access) -> References:
    """Two calls. A list that we may not read is taken as empty."""
    try:
        places = locations_of(fetch_list(access, LOCATIONS), access)
    except NotPermitted:
        places = []
    try:
        specialties = fetch_list(access, TYPES).rows
    except (NotPermitted, VendorChanged):  # path and shape are assumed (CP-A19)
        specialties = []
    return References(
        access=access,
        locations={place.id: place for place in places},
        types=dict(_named_types(specialties)),
    )


def locations_of(listing: Listing, access: Access) -> list[Location]:
    """Those that have an id."""
    named = parse_zones(str(access.settings.get("zones") or ""))
    found = []
    for raw in listing.rows:
        try:
            row = records.row_of(raw)
            name, zone_id = records.text_of(row, "name"), records.text_of(row, "timezoneId").lower()
            zone = zone_of(zone_id, name, named)
            found.append(Location(id=records.id_of(row, "locationId"), name=name, zone_id=zone_id, zone=zone))
        except RecordRejected:  # the stream of locations sets it aside and says why
            continue
    return found


def types_in(raw: msgspec.Raw) -> list[AppointmentType]:
    """The types of one specialty. Raises RecordRejected when it is of another shape than we assume."""
    try:
        specialty = msgspec.json.decode(raw, type=_Specialty)
    except msgspec.DecodeError as mistake:
        raise RecordRejected("It is not a specialty with its appointment types.") from mistake
    return [
        AppointmentType(
            row=row,
            id=records.id_of(row, "appointmentTypeId"),
            name=records.text_of(row, "description"),
            specialty=specialty.name,
        )
        for row in specialty.types
    ]


class _Specialty(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    types: list[records.Row] = msgspec.field(name="appointmentTypes")


def _named_types(rows: list[msgspec.Raw]) -> list[tuple[str, str]]:
    found = []
    for raw in rows:
        try:
            found += [(one.id, one.name) for one in types_in(raw)]
        except RecordRejected:
            continue
    return found


def _named_people(rows: list[msgspec.Raw]) -> list[tuple[str, str]]:
    found = []
    for raw in rows:
        try:
            row = records.row_of(raw)
            found.append((records.id_of(row, "practitionerId"), records.person_name(row)))
        except RecordRejected:
            continue
    return found
