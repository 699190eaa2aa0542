"""The lists we copy. Each is one walk down Condeco's hierarchy: countries, regions, locations, rooms, bookings.

Condeco has no paging and no changed-since filter: a page is the answer to one call, the cursor is what is still to be
asked, and the next run asks everything again. A walk is finite, because every call leads one level down.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

import msgspec

from integrations.contract import Access, Column, Page, Record, Rejected, Stream
from integrations.errors import RecordRejected, VendorChanged
from integrations.values import Booking, Kind
from integrations.vendors.condeco import assumptions, records
from integrations.vendors.condeco.client import Collection, read_list

DEFAULT_HISTORY_DAYS = 60
_MOST_TEST_CALLS = 12  # the live test gives up looking for a room then


class Level(StrEnum):
    """Whose children are asked for."""

    WORLD = "world"
    COUNTRY = "country"
    REGION = "region"
    LOCATION = "location"
    ROOM = "room"


_DOWN = {
    Level.WORLD: Level.COUNTRY,
    Level.COUNTRY: Level.REGION,
    Level.REGION: Level.LOCATION,
    Level.LOCATION: Level.ROOM,
}
_LISTS = {
    Level.WORLD: ("countries", ""),
    Level.COUNTRY: ("regions", "countryId"),
    Level.REGION: ("locations", "regionId"),
    Level.LOCATION: ("rooms", "locationId"),
}


class Step(msgspec.Struct, array_like=True, frozen=True):
    """Something whose children are still to be asked for."""

    level: Level
    id: str = ""
    name: str = ""
    zone: str = ""  # IANA; of a location


class Walk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor. `todo` is in the order of asking; empty: the walk is done."""

    todo: tuple[Step, ...] = ()
    place: Step | None = None  # the location whose rooms are being asked
    at: datetime | None = None  # when the walk began; bookings only, as are the dates
    since: date | None = None
    until: date | None = None

    @classmethod
    def resume(cls, cursor: str) -> "Walk":
        return msgspec.json.decode(cursor, type=cls) if cursor else cls()

    def down(self, step: Step, children: list[Step]) -> "Walk":
        """The same walk with `children` in place of the first step, which is `step`."""
        place = step if step.level is Level.LOCATION else self.place
        return msgspec.structs.replace(self, todo=(*children, *self.todo[1:]), place=place)

    @property
    def cursor(self) -> str:
        return msgspec.json.encode(self).decode()


class HierarchyWalk(Stream):
    """Reads the children of every thing at `level`."""

    level: ClassVar[Level]

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        """One page a call, in the order of ids; pages above `level` carry no records. See `Stream.read`."""
        walk = Walk.resume(cursor)
        if not walk.todo:
            walk = self.begin(access, walk)
        while walk.todo:
            step, *rest = walk.todo
            if step.level is self.level:
                found, rejected = _sort_out(self.ask(access, walk, step), self.file, walk, step)
                walk = msgspec.structs.replace(walk, todo=tuple(rest))
            else:
                found, rejected = (), ()
                walk = walk.down(step, _children(read_hierarchy(access, step), step.level))
            if not walk.todo:
                walk = Walk(at=walk.at)
            yield Page(records=found, rejected=rejected, cursor=walk.cursor)

    def begin(self, access: Access, last: Walk) -> Walk:
        """A new walk after the `last` one, which is empty at the very first."""
        return Walk(todo=(Step(Level.WORLD),))

    def ask(self, access: Access, walk: Walk, step: Step) -> list[msgspec.Raw]:
        return read_hierarchy(access, step)

    @abstractmethod
    def file(self, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        """One child of `step` as a record. Raises RecordRejected."""


class Locations(HierarchyWalk):
    key = "locations"
    label = "Locations"
    interval = timedelta(days=1)  # buildings change rarely and every call counts against the week
    level = Level.REGION
    columns = (
        Column(label="Location", path="ResourceName"),
        Column(label="City", path="LocationCity"),
        Column(label="Country", path="LocationCountry"),
        Column(label="Address", path="LocationAddress"),
        Column(label="Post code", path="PostCode"),
        Column(label="Time zone", path="TimeZone"),
        Column(label="Floors", path="NumberOfFloorsAboveGround", kind="number"),
    )

    def file(self, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        return Record(external_id=records.node(raw).id, payload=bytes(raw))


class Rooms(HierarchyWalk):
    key = "rooms"
    label = "Rooms"
    parent = "locations"
    interval = timedelta(days=1)
    level = Level.LOCATION
    columns = (
        Column(label="Room", path="ResourceName"),
        Column(label="Floor", path="FloorName"),
        Column(label="Type", path="WorkspaceTypeName"),
    )

    def file(self, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        return Record(
            external_id=records.node(raw).id,
            payload=bytes(raw),
            context={"location": step.name, "zone": step.zone},
            parent_id=step.id,
        )


class RoomBookings(HierarchyWalk):
    """Bookings room by room: Condeco has no call for all rooms at once.

    The first walk goes back by the setting `history_days`, the next ones one day before the last complete walk.
    """

    key = "room-bookings"
    label = "Room bookings"
    kind = Kind.BOOKING
    parent = "rooms"
    interval = timedelta(minutes=30)
    level = Level.ROOM

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now

    def begin(self, access: Access, last: Walk) -> Walk:
        now = self._now().replace(microsecond=0)
        today = now.date()
        if last.at is None:
            since = today - timedelta(days=access.settings.get("history_days", DEFAULT_HISTORY_DAYS))
        else:
            # After a pause the window reaches back over it: bookings may have been moved or ended meanwhile.
            since = min(today, last.at.date()) - timedelta(days=assumptions.DAYS_BACK)
        until = today + timedelta(days=assumptions.DAYS_AHEAD)
        return Walk(todo=(Step(Level.WORLD),), at=now, since=since, until=until)

    def ask(self, access: Access, walk: Walk, step: Step) -> list[msgspec.Raw]:
        return read_bookings(access, step.id, walk.since, walk.until)

    def file(self, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        head = records.booking_head(raw)
        if head.room_id is not None and str(head.room_id) != step.id:
            raise RecordRejected(f"Room {step.id} was asked for, but the booking names room {head.room_id}.")
        place = walk.place or Step(Level.LOCATION)
        context = {"room": step.name, "location": place.name, "zone": place.zone}
        # Told here because `interpret` knows no clock. The moment is the walk's, so that a resumed walk says the same.
        if walk.at and records.has_ended(head, walk.at):
            context[records.ENDED] = "yes"
        return Record(external_id=head.id, payload=bytes(raw), context=context, parent_id=step.id)

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Booking:
        return records.booking(payload, context)


def read_hierarchy(access: Access, step: Step) -> list[msgspec.Raw]:
    """The children of a country, region or location, or all countries, as they came."""
    path, name = _LISTS[step.level]
    query = [(name, step.id)] if name else []
    if step.level is Level.LOCATION:
        query.append(("extendedDetails", "true"))
    return read_list(access, Collection.HIERARCHY, path, query)


def read_bookings(access: Access, room_id: str, since: date | None, until: date | None) -> list[msgspec.Raw]:
    """The bookings of one room from `since` to `until`, both included, as they came."""
    dates = [(name, day.isoformat()) for name, day in (("startDate", since), ("endDate", until)) if day]
    return read_list(access, Collection.BOOKINGS, "bookings", [("roomId", room_id), *dates, ("isUTCDateTime", "true")])


def first_room(access: Access) -> str:
    """The id of some room, or "" when none is found in a few calls: for the live test."""
    todo = [Step(Level.WORLD)]
    for _ in range(_MOST_TEST_CALLS):
        if not todo:
            break
        step = todo.pop(0)
        if step.level is Level.ROOM:
            return step.id
        todo = [*_children(read_hierarchy(access, step), step.level), *todo]
    return ""


def _children(found: list[msgspec.Raw], level: Level) -> list[Step]:
    """What to ask next, ordered by id. Desks are left out; what has no id is set aside by the stream that lists it."""
    steps = []
    for raw in found:
        try:
            child = records.node(raw)
        except RecordRejected as mistake:
            if level in (Level.WORLD, Level.COUNTRY):  # no stream lists these, so nobody would hear of it
                raise VendorChanged("Condeco sent a country or region without an id.", detail=mistake.words) from None
            continue
        if str(child.workspacetypeid) != str(assumptions.DESK_WORKSPACE_TYPE):
            steps.append(Step(_DOWN[level], child.id, child.name, child.zone))
    return sorted(steps, key=lambda step: (len(step.id), step.id))


def _sort_out(
    found: list[msgspec.Raw], file: Callable[[msgspec.Raw, Walk, Step], Record], walk: Walk, step: Step
) -> tuple[tuple[Record, ...], tuple[Rejected, ...]]:
    good, bad = [], []
    for raw in found:
        try:
            good.append(file(raw, walk, step))
        except RecordRejected as mistake:
            bad.append(Rejected(payload=bytes(raw), reason=mistake.words))
    return tuple(good), tuple(bad)
