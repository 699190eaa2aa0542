"""Who is expected on the next days."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from integrations.contract import Access, Column, Page, Record, Span
from integrations.vendors.condeco import assumptions
from integrations.vendors.condeco.client import Collection, Listing, key_of, read_list
from integrations.vendors.condeco.walk import HierarchyWalk, Level, Step, Walk, children
from integrations.vendors.condeco.wire import Identifier, identifier, in_any_case, known_zone


class _Visitor(msgspec.Struct, frozen=True):
    visitorid: Identifier = None


class Visitors(HierarchyWalk):
    """Visitors of today and the 13 days after it, location by location and day by day: Condeco shows no others."""

    key = "visitors"
    label = "Visitors"
    parent = "locations"
    level = Level.DAYS
    interval = timedelta(days=1)  # the vendor's advice
    sweep_interval = timedelta(days=1)
    keep_for = timedelta(days=30)  # after the visit nobody needs the names of strangers any more
    calls_a_week = assumptions.VISITOR_CALLS_A_WEEK
    columns = (
        Column(label="Visitor", path="lastName"),
        Column(label="First name", path="firstName"),
        Column(label="Company", path="visitorCompany"),
        Column(label="Expected", path="arrivalDate", kind="wall"),
        Column(label="Arrived", path="arrivedOn", kind="wall"),
        Column(label="Left", path="departedOn", kind="wall"),
        Column(label="Host", path="hostName"),
        Column(label="Meeting", path="meetingName"),
        Column(label="Status number", path="status", is_filter=True),
    )

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now

    def begin(self, access: Access, last: Walk) -> Walk:
        key_of(access, Collection.VISITORS)  # without it the way down to the locations would be for nothing
        return Walk(todo=(Step(Level.WORLD),), at=self.now().replace(microsecond=0))

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        walk = Walk.resume(cursor) if cursor else self.begin(access, Walk())
        if walk.todo:
            yield from self.go(access, walk, _covered)
        else:
            yield Page(records=(), cursor=cursor)

    def descend(self, access: Access, walk: Walk, step: Step) -> tuple[Step, ...]:
        return visit_days(step, walk.at or self.now()) if step.level is Level.LOCATION else children(access, step)

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        # A walk that was interrupted may go on when a day of it is over: Condeco would refuse that day.
        return Listing() if step.first < _today(walk.place, self.now()) else read_visitors(access, step)

    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record:
        number = identifier(in_any_case(raw, _Visitor).visitorid, "visitorId")
        context = {"location": walk.place.name} if walk.place else {}
        return Record(external_id=number, payload=bytes(raw), context=context, parent_id=step.id, position=step.first)


def visit_days(location: Step, at: datetime) -> tuple[Step, ...]:
    """Every day that Condeco takes, counted from today at the location."""
    today = date.fromisoformat(_today(location, at))
    days = ((today + timedelta(days=ahead)).isoformat() for ahead in range(assumptions.VISIT_DAYS))
    return tuple(Step(Level.DAYS, location.id, first=day, last=day) for day in days)


def _today(location: Step | None, at: datetime) -> str:
    return at.astimezone(known_zone(location.zone if location else "") or UTC).date().isoformat()


def read_visitors(access: Access, step: Step) -> Listing:
    """The visitors of one location on one day."""
    query = [("visitDate", step.first), ("locationId", step.id), *assumptions.ALL_AT_ONCE]
    return read_list(access, Collection.VISITORS, "visitor", query)


def _covered(walk: Walk) -> Span | None:
    """The days that were asked for everywhere: today is not the same day at every location."""
    assert walk.at
    first = walk.at.date() + timedelta(days=1)
    return Span(since=first.isoformat(), until=(first + timedelta(days=assumptions.VISIT_DAYS - 2)).isoformat())
