"""The live test: what the entered keys open, stream by stream, in as few calls as possible."""

from collections.abc import Callable
from datetime import UTC, datetime

from integrations.contract import Access, Capability
from integrations.errors import NotBought, NotPermitted
from integrations.vendors.condeco.bookings import RoomBookings, read_bookings
from integrations.vendors.condeco.client import Collection, key_of
from integrations.vendors.condeco.desk_bookings import DeskBookings, read_desk_bookings, require_switch
from integrations.vendors.condeco.structure import (
    Countries,
    Desks,
    Groups,
    Locations,
    Regions,
    Rooms,
    floors,
    read_floor,
)
from integrations.vendors.condeco.visitors import Visitors, read_visitors, visit_days
from integrations.vendors.condeco.walk import Level, Step, children, chosen_places

_HIERARCHY = tuple(stream.key for stream in (Countries, Regions, Locations, Groups, Rooms))
_ALL = (*_HIERARCHY, *(stream.key for stream in (Desks, RoomBookings, DeskBookings, Visitors)))
_MOST_CALLS = 12  # we give up looking for a room then


def check(access: Access) -> tuple[Capability, ...]:
    """Down to the first room, then one call for each other thing: eight calls where every branch is filled.

    A key that is not accepted is told for its streams; every other failure is raised.
    """
    try:
        location, room = _first(access)
    except NotPermitted as refusal:
        # Nothing else can be asked for without the places that it is in. A key that was not entered needs no asking.
        refused = (_refused(key, refusal) for key in _ALL if key != Visitors.key)
        visitors = _try(Visitors.key, lambda: key_of(access, Collection.VISITORS), state="unknown", note=refusal.words)
        return (*refused, visitors)
    known = tuple(Capability(stream=key, state="available") for key in _HIERARCHY)
    return (*known, *(_ask(access, key, location, room) for key in _ALL if key not in _HIERARCHY))


def _ask(access: Access, stream: str, location: Step | None, room: Step | None) -> Capability:
    now = datetime.now(UTC) + access.http.clock_offset  # Condeco refuses visit dates that are not to come by its clock
    today = now.date()
    if stream == RoomBookings.key:
        if room is None:
            return Capability(stream=stream, state="unknown", note=_nothing_found(access, "meeting room"))
        return _try(stream, lambda: read_bookings(access, room.id, today, today))
    if stream == DeskBookings.key:
        try:
            require_switch(access)
        except NotBought as refusal:
            return _refused(stream, refusal)
    if location is None:
        return Capability(stream=stream, state="unknown", note=_nothing_found(access, "location"))
    calls: dict[str, Callable[[], object]] = {
        Desks.key: lambda: read_floor(access, floors(location)[-1]),
        DeskBookings.key: lambda: read_desk_bookings(access, location.id, str(today), str(today)),
        Visitors.key: lambda: read_visitors(access, visit_days(location, now)[0]),
    }
    return _try(stream, calls[stream])


def _try(stream: str, call: Callable[[], object], state: str = "available", note: str = "") -> Capability:
    try:
        call()
    except NotPermitted as refusal:
        return _refused(stream, refusal)
    return Capability(stream=stream, state=state, note=note)


def _refused(stream: str, refusal: NotPermitted) -> Capability:
    state = "not_bought" if isinstance(refusal, NotBought) else "not_permitted"
    return Capability(stream=stream, state=state, note=refusal.words, code=refusal.code)


def _nothing_found(access: Access, what: str) -> str:
    if chosen_places(access):
        return f"Condeco showed us no {what} in the places to copy. Compare their names with those at Condeco."
    return f"Condeco showed us no {what} to ask about."


def _first(access: Access) -> tuple[Step | None, Step | None]:
    """Some location and some room, each None when none is found in a few calls."""
    todo, location = [Step(Level.WORLD)], None
    for _ in range(_MOST_CALLS):
        if not todo:
            break
        step = todo.pop(0)
        if step.level is Level.ROOM:
            return location, step
        location = step if step.level is Level.LOCATION else location
        todo = [*children(access, step), *todo]
    return location, None
