"""Who has booked which desk when. Nobody has seen these calls work (CD-A13): the settings must switch them on."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from urllib.parse import quote

import msgspec

from integrations.contract import Access, Record, Span, brought_by
from integrations.errors import NotBought, RecordRejected
from integrations.sources import Sources
from integrations.values import Booking
from integrations.vendors.condeco import assumptions, desk_records
from integrations.vendors.condeco.atlas import atlas_of
from integrations.vendors.condeco.bookings import DAY, Bookings
from integrations.vendors.condeco.client import Collection, Listing, read_list, read_one
from integrations.vendors.condeco.records import ENDED
from integrations.vendors.condeco.walk import Level, Step, Walk, children


class DeskBookings(Bookings):
    """Bookings of desks, location by location."""

    key = "desk-bookings"
    label = "Desk bookings"
    parent = "desks"
    level = Level.DAYS
    interval = timedelta(hours=1)
    calls_a_week = assumptions.DESK_CALLS_A_WEEK

    def begin(self, access: Access, last: Walk) -> Walk:
        require_switch(access)
        return super().begin(access, last)

    def descend(self, access: Access, walk: Walk, step: Step) -> tuple[Step, ...]:
        return _days(step, walk) if step.level is Level.LOCATION else children(access, step)

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        return read_desk_bookings(access, step.id, step.first, step.last)

    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        return _record(access, desk_records.desk_booking(raw), bytes(raw), walk.place or step, walk.at)

    def covered(self, walk: Walk) -> Span | None:
        """Without an end, so that bookings until further notice are covered too."""
        assert walk.since
        return Span(since=walk.since.isoformat())

    def look_up(self, access: Access, external_id: str) -> Record | None:
        require_switch(access)
        single = read_one(
            access, Collection.BOOKINGS, f"deskBookings/{quote(external_id, safe='')}", [("isUTCDateTime", "true")]
        )
        if single is None:
            return None
        raw = single.payload
        try:
            found = desk_records.desk_booking(raw)
        except RecordRejected:  # set aside when it is interpreted
            return Record(external_id=external_id, payload=raw, request_id=single.request_id)
        if found.locationid is None:
            raise RecordRejected("The booking does not say where it is.")
        place = atlas_of(access).location(access, str(found.locationid))
        return brought_by(single.request_id, _record(access, found, raw, place, self.now())) if place else None

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Booking:
        return desk_records.booking(payload, context)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return desk_records.SOURCES


def require_switch(access: Access) -> None:
    """Raises NotBought where the settings do not allow the calls of desk bookings."""
    if not access.settings.get("reads_desk_bookings", assumptions.READS_DESK_BOOKINGS):
        raise NotBought("Copying desk bookings is switched off in the settings of this connection.", code="desks_off")


def read_desk_bookings(access: Access, location_id: str, since: str, until: str) -> Listing:
    """The desk bookings of one location from `since` to `until`, both included."""
    query = [("locationId", location_id), ("startDate", since), ("endDate", until), *assumptions.ALL_AT_ONCE]
    return read_list(access, Collection.BOOKINGS, "deskBookings", query)


def _days(location: Step, walk: Walk) -> tuple[Step, ...]:
    """The walk's days in handy pieces."""
    assert walk.since
    assert walk.until
    pieces: list[tuple[date, date]] = []
    first = walk.since
    while first <= walk.until:
        last = min(first + timedelta(days=assumptions.DESK_DAYS_AT_ONCE - 1), walk.until)
        pieces.append((first, last))
        first = last + DAY
    return tuple(Step(Level.DAYS, location.id, first=str(one), last=str(other)) for one, other in pieces)


def _record(
    access: Access, found: desk_records.DeskBooking, payload: bytes, place: Step, at: datetime | None
) -> Record:
    desk_id = str(found.deskid or "")
    desk = atlas_of(access).desks(access, place).get(desk_id, "")
    context = {"desk": desk, "location": place.name, "zone": place.zone}
    if at and found.has_ended(place.zone, at):
        context[ENDED] = "yes"
    return Record(external_id=found.id, payload=payload, context=context, parent_id=desk_id, position=found.position)
