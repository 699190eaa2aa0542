"""One walk down Condeco's hierarchy: countries, regions, locations, and what is in them.

Condeco has no paging and no changed-since filter: a page is the answer to one call, the cursor is what is still to be
asked, and the next run asks everything again. A walk is finite, because every call leads one level down.

Neighbours at the level that is read (the rooms of a location, the days at one) are asked for side by side. The way down
to them goes step by step: answers for places far ahead would be asked for again whenever a walk is interrupted.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import takewhile
from typing import ClassVar

import msgspec

from integrations.contract import Access, Page, Record, Rejected, Span, Stream
from integrations.errors import RecordRejected, VendorChanged
from integrations.vendors.condeco import records
from integrations.vendors.condeco.client import Collection, Listing, read_list

Sorted = tuple[tuple[Record, ...], tuple[Rejected, ...]]
_WEEK = timedelta(weeks=1)


class Level(StrEnum):
    """Whose children are asked for."""

    WORLD = "world"
    COUNTRY = "country"
    REGION = "region"
    LOCATION = "location"
    ROOM = "room"
    FLOOR = "floor"  # of a location, one group's part
    DAYS = "days"  # of a location


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
    """Something whose children are still to be asked for. `first` and `last`, both included, are the floors of a
    location or floor, or the days."""

    level: Level
    id: str = ""
    name: str = ""
    zone: str = ""  # IANA; of a location
    is_chosen: bool = False  # its country is among the places to copy
    first: str = ""
    last: str = ""
    groups: tuple[str, ...] = ()


class Walk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor. `todo` is in the order of asking; empty: the walk is done."""

    todo: tuple[Step, ...] = ()
    place: Step | None = None  # the location in which the walk is
    at: datetime | None = None  # when the walk began; only where it asks for dates, as are the dates
    since: date | None = None
    until: date | None = None

    @classmethod
    def resume(cls, cursor: str) -> "Walk":
        return msgspec.json.decode(cursor, type=cls) if cursor else cls()

    def down(self, step: Step, children: tuple[Step, ...] = ()) -> "Walk":
        """The same walk with `children` in place of the first step, which is `step`."""
        place = step if step.level is Level.LOCATION else self.place
        return msgspec.structs.replace(self, todo=(*children, *self.todo[1:]), place=place)

    @property
    def cursor(self) -> str:
        return msgspec.json.encode(self).decode()


Covers = Callable[[Walk], Span | None]


class HierarchyWalk(Stream):
    """Reads the children of every thing at `level`."""

    level: ClassVar[Level]
    calls_a_week: ClassVar[int | None] = None  # what its daily sweeps and its runs may take together; None: no matter

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        """At most one call a page, in the order of ids; pages above `level` carry no records. See `Stream.read`."""
        walk = Walk.resume(cursor)
        yield from self.go(access, walk if walk.todo else self.begin(access, walk))

    def go(self, access: Access, walk: Walk, covers: Covers = lambda walk: None) -> Iterator[Page]:
        """The pages of the rest of a walk; the last one covers what `covers` makes of it."""
        while walk.todo:
            step = walk.todo[0]
            if step.level is not self.level:
                walk = walk.down(step, self.descend(access, walk, step))
                yield self._page(walk, covers)
                continue
            neighbours = tuple(takewhile(lambda one: one.level is self.level, walk.todo))
            answers = access.http.each(partial(self.ask, access, walk), neighbours)
            for step, listing in zip(neighbours, answers, strict=True):
                found = self._sort_out(access, listing.rows, walk, step)
                walk = walk.down(step)
                yield self._page(walk, covers, found, listing.request_id)

    def _page(self, walk: Walk, covers: Covers, found: Sorted = ((), ()), request_id: str = "") -> Page:
        """What was found, with what is still to be asked behind it."""
        behind, span = (walk, None) if walk.todo else (Walk(at=walk.at), covers(walk))
        return Page(records=found[0], rejected=found[1], cursor=behind.cursor, request_id=request_id, covers=span)

    def begin(self, access: Access, last: Walk) -> Walk:
        """A new walk after the `last` one, which is empty at the very first."""
        return Walk(todo=(Step(Level.WORLD),))

    def descend(self, access: Access, walk: Walk, step: Step) -> tuple[Step, ...]:
        """What a step above `level` leads to."""
        return children(access, step)

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        return read_hierarchy(access, step)

    @abstractmethod
    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record | None:
        """One child of `step` as a record; None where it belongs to another stream. Raises RecordRejected."""

    def veil(self, raw: msgspec.Raw) -> bytes:
        """What may be kept of something that could not be filed."""
        return bytes(raw)

    def interval_after(self, calls: int) -> timedelta:
        """The week's calls, shared out: after those of the daily sweeps the rest is for usual runs. Where that is
        nothing the sweeps keep things up to date, for they store what they see, and once a week is read."""
        if self.calls_a_week is None:
            return self.interval
        runs_a_week = self.calls_a_week / max(calls, 1) - 7
        return max(self.interval, _WEEK / runs_a_week) if runs_a_week > 1 else _WEEK

    def _sort_out(self, access: Access, raws: list[msgspec.Raw], walk: Walk, step: Step) -> Sorted:
        """The records of one answer, and what could not be read."""
        good, bad = [], []
        for raw in raws:
            try:
                record = self.file(access, raw, walk, step)
            except RecordRejected as mistake:
                bad.append(Rejected(payload=self.veil(raw), reason=mistake.words))
            else:
                good += [record] if record else []
        return tuple(good), tuple(bad)


def read_hierarchy(access: Access, step: Step) -> Listing:
    """The children of a country, region or location, or all countries."""
    path, name = _LISTS[step.level]
    query = [(name, step.id)] if name else []
    if step.level is Level.LOCATION:
        query.append(("extendedDetails", "true"))
    return read_list(access, Collection.HIERARCHY, path, query)


def children(access: Access, step: Step) -> tuple[Step, ...]:
    """What to ask next, ordered by id. Desks and places that were not chosen are left out; what has no id is set aside
    by the stream that lists it."""
    places, steps = chosen_places(access), []
    for raw in read_hierarchy(access, step).rows:
        try:
            child = records.node(raw)
        except RecordRejected as mistake:
            if step.level in (Level.WORLD, Level.COUNTRY):  # a walk without it would miss all that is in it
                raise VendorChanged("Condeco sent a country or region without an id.", detail=mistake.words) from None
            continue
        is_chosen = step.is_chosen or is_named(child, places)
        if child.is_desk or (step.level is Level.REGION and places and not is_chosen):
            continue
        # Below the locations it is settled, and rooms are many: they carry as little as possible.
        is_chosen = is_chosen and _DOWN[step.level] in (Level.COUNTRY, Level.REGION)
        low, high = child.floors if step.level is Level.REGION else ("", "")
        steps.append(
            Step(_DOWN[step.level], child.id, child.name, child.zone, is_chosen, str(low), str(high), child.groups)
        )
    return tuple(sorted(steps, key=lambda one: (len(one.id), one.id)))


def chosen_places(access: Access) -> frozenset[str]:
    """Names and numbers of the countries and locations to copy, in small letters; none chosen: all."""
    lines = str(access.settings.get("places") or "").splitlines()
    return frozenset(line.strip().casefold() for line in lines if line.strip())


def is_named(node: records.Node, places: frozenset[str]) -> bool:
    return node.id in places or node.name.casefold() in places
