"""Who has booked which room or desk when."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import msgspec

from integrations.contract import Access, Page, Record, Span, brought_by
from integrations.errors import RecordRejected
from integrations.sources import Sources
from integrations.values import Booking, Kind
from integrations.vendors.condeco import assumptions, records
from integrations.vendors.condeco.atlas import atlas_of
from integrations.vendors.condeco.client import Collection, Listing, read_list, read_one
from integrations.vendors.condeco.walk import HierarchyWalk, Level, Step, Walk

DEFAULT_HISTORY_DAYS = 60
DAY = timedelta(days=1)
_IN_UTC = ("isUTCDateTime", "true")


class Bookings(HierarchyWalk):
    """A window of days, read place by place; a page is lost for nobody when a booking moves during a walk, because the
    next walk sees it, and what a sweep missed is asked for by its number.

    The first walk goes back by the setting `history_days`, the next ones one day before the last complete walk.
    """

    kind = Kind.BOOKING
    interval = timedelta(minutes=30)
    sweep_interval = DAY
    calls_a_week = assumptions.RECONCILE_CALLS_A_WEEK
    misses = 1  # every one that is missed is looked up

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now

    def begin(self, access: Access, last: Walk) -> Walk:
        now = self.now().replace(microsecond=0)
        today = now.date()
        if last.at is None:
            since = today - timedelta(days=access.settings.get("history_days", DEFAULT_HISTORY_DAYS))
        else:
            # After a pause the window reaches back over it: bookings may have been moved or ended meanwhile.
            since = min(today, last.at.date()) - timedelta(days=assumptions.DAYS_BACK)
        until = today + timedelta(days=assumptions.DAYS_AHEAD)
        return Walk(todo=(Step(Level.WORLD),), at=now, since=since, until=until)

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        """The window of a usual run, all places of it, before anything is judged to be gone. See `Stream.sweep`."""
        walk = Walk.resume(cursor) if cursor else self.begin(access, Walk(at=self.now()))
        if walk.todo:
            yield from self.go(access, walk, self.covered)
        else:
            yield Page(records=(), cursor=cursor)

    def covered(self, walk: Walk) -> Span | None:
        """What a finished walk has seen everything of."""
        raise NotImplementedError


class RoomBookings(Bookings):
    """Bookings room by room: Condeco has no call for all rooms at once."""

    key = "room-bookings"
    label = "Room bookings"
    parent = "rooms"
    level = Level.ROOM

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        return read_bookings(access, step.id, walk.since, walk.until)

    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        head = records.booking_head(raw)
        if head.room_id is not None and str(head.room_id) != step.id:
            raise RecordRejected(f"Room {step.id} was asked for, but the booking names room {head.room_id}.")
        return _room_booking(head, raw, step.id, step.name, walk.place or step, walk.at)

    def veil(self, raw: msgspec.Raw) -> bytes:
        return records.veiled(raw)

    def covered(self, walk: Walk) -> Span | None:
        assert walk.since
        assert walk.until
        return Span(since=f"{walk.since}T00:00:00Z", until=f"{walk.until + DAY}T00:00:00Z")

    def look_up(self, access: Access, external_id: str) -> Record | None:
        """None also when it was moved to a place that is not copied."""
        single = read_one(access, Collection.BOOKINGS, f"bookings/{quote(external_id, safe='')}", [_IN_UTC])
        if single is None:
            return None
        raw = single.payload
        try:
            head, atlas = records.booking_head(raw), atlas_of(access)
        except RecordRejected:  # set aside when it is interpreted
            return Record(external_id=external_id, payload=records.veiled(raw), request_id=single.request_id)
        if head.location_id is None:
            raise RecordRejected("The booking does not say where it is.")
        place = atlas.location(access, str(head.location_id))
        if place is None:
            return None
        room = str(head.room_id)
        name = atlas.rooms(access, place).get(room, "")
        return brought_by(single.request_id, _room_booking(head, raw, room, name, place, self.now()))

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Booking:
        return records.booking(payload, context)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return records.SOURCES


def _room_booking(
    head: records.BookingHead, raw: msgspec.Raw | bytes, room_id: str, room: str, place: Step, at: datetime | None
) -> Record:
    context = {"room": room, "location": place.name, "zone": place.zone}
    # Told here because `interpret` knows no clock. The moment is the walk's, so that a resumed walk says the same.
    if at and head.has_ended(at):
        context[records.ENDED] = "yes"
    return Record(
        external_id=head.id,
        payload=records.without_what_is_private(raw) if head.is_private else bytes(raw),
        context=context,
        parent_id=room_id,
        position=head.position,
    )


def read_bookings(access: Access, room_id: str, since: date | None, until: date | None) -> Listing:
    """The bookings of one room from `since` to `until`, both included."""
    dates = [(name, day.isoformat()) for name, day in (("startDate", since), ("endDate", until)) if day]
    return read_list(access, Collection.BOOKINGS, "bookings", [("roomId", room_id), *dates, _IN_UTC])
