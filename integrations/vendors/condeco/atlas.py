"""Where things are and what they are called: Condeco's bookings come with numbers only."""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from integrations.contract import Access
from integrations.errors import RecordRejected
from integrations.http import Http
from integrations.vendors.condeco import records
from integrations.vendors.condeco.structure import floors, read_floor
from integrations.vendors.condeco.walk import Level, Step, children


class Atlas:
    """One customer's places, each asked for when it is first needed."""

    def __init__(self) -> None:
        self._locations: dict[str, Step] | None = None
        self._rooms: dict[str, dict[str, str]] = {}
        self._desks: dict[str, dict[str, str]] = {}

    def location(self, access: Access, number: str) -> Step | None:
        """The location of that number; None where it is unknown or not among the places to copy."""
        if self._locations is None:
            self._locations = _all_locations(access)
        return self._locations.get(number)

    def rooms(self, access: Access, location: Step) -> Mapping[str, str]:
        """Names of the rooms of a location, by number."""
        if location.id not in self._rooms:
            self._rooms[location.id] = {step.id: step.name for step in children(access, location)}
        return self._rooms[location.id]

    def desks(self, access: Access, location: Step) -> Mapping[str, str]:
        """Names of the desks of a location, by number."""
        if location.id not in self._desks:
            self._desks[location.id] = _desk_names(access, location)
        return self._desks[location.id]


# As long as the connection is open: many are looked up in a row, and each would ask for the same.
_atlases: WeakKeyDictionary[Http, Atlas] = WeakKeyDictionary()


def atlas_of(access: Access) -> Atlas:
    return _atlases.setdefault(access.http, Atlas())


def _all_locations(access: Access) -> dict[str, Step]:
    found, todo = {}, [Step(Level.WORLD)]
    while todo:
        step = todo.pop()
        if step.level is Level.LOCATION:
            found[step.id] = step
        else:
            todo += children(access, step)
    return found


def _desk_names(access: Access, location: Step) -> dict[str, str]:
    names = {}
    for floor in floors(location):
        for raw in read_floor(access, floor).rows:
            try:
                desk = records.node(raw)
            except RecordRejected:
                continue  # set aside by the stream of desks
            names[desk.id] = desk.name
    return names
