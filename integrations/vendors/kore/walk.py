"""Goes through an entity by change date, from wherever a place stands, losing nothing while rows move.

Plain paging by `skip` loses rows: a row edited during the reading jumps to the end and every later one slips one place
past the reader. So each page is asked anew from the newest change date already held ("re-anchored"), with skip = 0.
Only inside one second that fills a whole page does `skip` count, and there each page begins with the last row of the
one before: is it not the same row any more, that second has shrunk and is read again from its start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from integrations.contract import Access
from integrations.errors import VendorChanged
from integrations.vendors.kore import assumptions, records
from integrations.vendors.kore.client import fetch_newest, fetch_page

MAX_ID = 100
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # an empty date often travels as the year 1, from which nothing is taken


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a walk has come. Times are UTC, whole seconds, `…Z`: text that sorts as time does.

    `since` filters the next page ("" = all); `floor` is where the walk began, below which its end never falls; `given`
    are digests of the rows of that second which were already handed out (with `skip`: of the row we expect first);
    `present` is when the walk came within the overlap of its own time ("" = not yet).
    """

    since: str = ""
    floor: str = ""
    skip: int = 0
    restarts: int = 0
    given: tuple[str, ...] = ()
    present: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it came. Without an id there is a reason; `changed` is "" where the row does not tell."""

    payload: bytes
    digest: str
    id: str = ""
    changed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One page: its rows that were not handed out before, the place after it, and the request that brought it."""

    rows: tuple[Row, ...]
    place: Place
    is_last: bool
    request_id: str = ""


def walk(access: Access, entity: str, place: Place, *, where: str = "") -> Iterator[Step]:
    """Step by step to the end; the last step's place is where the next walk begins."""
    while True:
        asked_at = now()
        raws, request_id = fetch_page(access, entity, since=place.since, skip=place.skip, where=where)
        rows = [read_row(bytes(raw)) for raw in raws]
        if place.skip and (not rows or rows[0].digest not in place.given):
            place = _start_second_again(place)
            continue
        _require_order(rows, place)
        is_full = len(rows) >= assumptions.PAGE_SIZE
        given = frozenset(place.given)
        place = _onward(place, rows, asked_at) if is_full else _end(place, rows, asked_at)
        new = tuple(row for row in rows if row.digest not in given)
        yield Step(new, place, is_last=not is_full, request_id=request_id)
        if not is_full:
            return


def newest(access: Access, entity: str) -> Step:
    """The row that changed last, as if a walk had just come to its end with it: its place is where a walk begins
    that is to meet only what changes from now on."""
    asked_at = now()
    rows = [read_row(bytes(raw)) for raw in fetch_newest(access, entity)]
    return Step(tuple(rows), _end(Place(), rows, asked_at), is_last=True)


def read_row(payload: bytes) -> Row:
    digest = blake2b(payload, digest_size=8).hexdigest()
    try:
        payload.decode()
        head = msgspec.json.decode(payload, type=_Head)
        if not (0 < len(head.id) <= MAX_ID and head.id.isprintable()):
            raise ValueError("its id is empty or no id")
        changed = records.parse_system_time(head.modified_date) if head.modified_date else None
    except (msgspec.DecodeError, RecursionError, ValueError) as mistake:
        return Row(payload, digest, reason=f"This record has no id or no change date we can read: {mistake}"[:300])
    return Row(payload, digest, head.id.lower(), _text(changed) if changed else "")


class _Head(msgspec.Struct):
    id: str
    modified_date: str | None = None


def _require_order(rows: list[Row], place: Place) -> None:
    """Everything here rests on KORE's filter and order; were either ignored, rows would be lost in silence."""
    times = [row.changed for row in rows if row.changed]
    if not times and (len(rows) >= assumptions.PAGE_SIZE or any(row.id for row in rows)):
        raise VendorChanged(
            "KORE's records no longer tell when they were changed, so we cannot follow them.", code="no_change_date"
        )
    if times and (times != sorted(times) or times[0] < place.since):
        raise VendorChanged(
            "KORE did not send its records in the order we asked for, so some could be missed.",
            code="order",
            detail=f"asked from {place.since or 'the start'}, got {times[0]} to {times[-1]}",
        )


def _onward(place: Place, rows: list[Row], asked_at: datetime) -> Place:
    newest = next(row.changed for row in reversed(rows) if row.changed)
    present = place.present or (_text(asked_at) if newest > _text(asked_at - assumptions.OVERLAP) else "")
    place = msgspec.structs.replace(place, present=present)
    if newest == place.since:
        return msgspec.structs.replace(place, skip=place.skip + len(rows) - 1, given=(rows[-1].digest,))
    place = msgspec.structs.replace(place, since=newest, restarts=0)
    if all(row.changed == newest for row in rows):
        return msgspec.structs.replace(place, skip=len(rows) - 1, given=(rows[-1].digest,))
    # Rows without a readable date may belong to that second as well.
    given = tuple(row.digest for row in rows if row.changed in (newest, ""))
    return msgspec.structs.replace(place, skip=0, given=given)


def _end(place: Place, rows: list[Row], asked_at: datetime) -> Place:
    newest = next((row.changed for row in reversed(rows) if row.changed), place.since)
    if not newest:
        return Place()
    # From the moment the reading reached the present, a row could still change in a second we had already passed: the
    # next run begins before it, however long this one went on. So a date in the future cannot carry us away either.
    until = min(newest, place.present or _text(asked_at))
    since = max(_text(max(records.parse_system_time(until), EARLIEST) - assumptions.OVERLAP), place.floor)
    return Place(since=since, floor=since)


def _start_second_again(place: Place) -> Place:
    if place.restarts >= assumptions.MAX_RESTARTS:
        raise VendorChanged(
            "KORE lists the records of one moment in another order each time, so some could be missed.",
            code="order",
            detail=f"skip {place.skip} from {place.since}",
        )
    return msgspec.structs.replace(place, skip=0, given=(), restarts=place.restarts + 1)


def now() -> datetime:
    return datetime.now(UTC)


def _text(moment: datetime) -> str:
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"
