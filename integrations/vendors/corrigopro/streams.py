"""The two streams: customers, read whole each time, and work orders, searched by windows and fetched by ids."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from integrations.contract import Access, Column, Page, Record, Rejected, Stream
from integrations.errors import RecordRejected, VendorChanged
from integrations.values import Kind, WorkOrder
from integrations.vendors.corrigopro import assumptions, records
from integrations.vendors.corrigopro.client import Client, RequestRefused
from integrations.vendors.corrigopro.windows import Cursor, Key, Walk, fallback_walk, first_walk, next_walk

Row = tuple[Key, bytes]  # a search row with its place in the order


class CustomerCursor(msgspec.Struct, frozen=True):
    after: int = 0  # the last id handed on; 0 between readings


class Customers(Stream):
    """The organisations that raise work orders. One call gives all of them; there is no way to ask for changes."""

    key = "customers"
    label = "Customers"
    interval = assumptions.CUSTOMERS_INTERVAL
    columns = (Column(label="Customer", path="Name"), Column(label="Id", path="Id"))

    def __init__(self, batch: int = 200) -> None:
        self._batch = batch

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        after = msgspec.json.decode(cursor, type=CustomerCursor).after if cursor else 0
        found, rejected = _by_id(Client(access).customers(), records.customer_id)
        rest = [(number, raw) for number, raw in sorted(found.items()) if number > after]
        batches = _batches(rest, self._batch)
        for index, batch in enumerate(batches):
            is_last = index == len(batches) - 1
            yield Page(
                records=tuple(Record(external_id=str(number), payload=raw) for number, raw in batch),
                rejected=tuple(rejected) if index == 0 and not after else (),
                cursor=msgspec.json.encode(CustomerCursor(0 if is_last else batch[-1][0])).decode(),
                expected=len(found),
            )


class WorkOrders(Stream):
    """Work orders with all their details.

    The first reading takes what was created within `history_days`, week by week; later ones what was changed since.
    A page is one call for the details of up to 50 orders, in the order of the windows (see `windows`). An order that
    changes between its search row and its detail comes in its newer form now and once more with its change.
    """

    key = "work-orders"
    label = "Work orders"
    kind = Kind.WORK_ORDER
    interval = assumptions.WORK_ORDERS_INTERVAL

    def __init__(
        self, *, suspicious_rows: int = assumptions.SUSPICIOUS_ROWS, batch: int = assumptions.DETAILS_PER_CALL
    ) -> None:
        self._suspicious, self._batch = suspicious_rows, batch

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        client, place, now = Client(access), Cursor.parse(cursor), datetime.now(UTC)
        history = timedelta(days=int(access.settings.get("history_days") or assumptions.HISTORY_DAYS))
        walk: Walk | None = place.walk or (next_walk(place.next, now) if place.next else first_walk(now, history))
        while walk:
            walk, rows, rejected = self._open_window(client, walk, history)
            rejected = [] if walk.after else rejected  # those went out with the window's first page
            remaining = len(rows)
            batches = _batches(rows, self._batch)
            for index, batch in enumerate(batches):
                expected = walk.expected(remaining)
                remaining -= len(batch)
                found, set_aside = _details(client, batch)
                walk = walk.past([key for key, _ in batch])
                onward = walk if index < len(batches) - 1 else walk.next_window()
                yield Page(
                    records=tuple(found),
                    rejected=(*rejected, *set_aside),
                    cursor=(Cursor(walk=onward) if onward else Cursor(next=walk.next_reading())).text(),
                    expected=expected,
                )
                rejected = []
            walk = onward

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> WorkOrder:
        return records.work_order(payload)

    def _open_window(self, client: Client, walk: Walk, history: timedelta) -> tuple[Walk, list[Row], list[Rejected]]:
        """Search the window at hand, halved until it comes back whole: its rows in order, from the place on.

        Where `LastUpdate` leads no further, the walk returned goes by `Created`.
        """
        while True:
            try:
                raws = client.search(walk.by, walk.asks_from - assumptions.EDGE, walk.closes + assumptions.EDGE)
            except RequestRefused:
                if walk.by == "Created":
                    raise
                walk = fallback_walk(walk, history)
                continue
            rows, rejected, outside = _rows(raws, walk)
            if len(raws) < self._suspicious or (walk.by == "Created" and not walk.can_halve):
                return walk.accepted(len(raws), self._suspicious), rows, rejected
            if outside * 2 > len(raws):
                # Halving would never end: it is not the span that decides what comes back.
                raise VendorChanged(
                    "CorrigoPro's search gives work orders from outside the time we asked for. Our developers must "
                    "look into it.",
                    detail=f"{outside} of {len(raws)} rows outside the {walk.by} window",
                )
            walk = walk.halved() if walk.can_halve else fallback_walk(walk, history)


def _rows(raws: list[msgspec.Raw], walk: Walk) -> tuple[list[Row], list[Rejected], int]:
    """What of a search's answer belongs to the window and is still to come, ordered; how many lay outside."""
    rows: dict[int, Row] = {}
    rejected: list[Rejected] = []
    outside = 0
    for payload in map(bytes, raws):
        try:
            row = records.listed(payload)
        except RecordRejected as refusal:
            rejected.append(Rejected(payload=payload, reason=refusal.words))
            continue
        updated = _readable(row.last_update)
        # A row without its moment cannot be placed: it goes first, and its detail decides.
        moment = (_readable(row.created) if walk.by == "Created" else updated) or walk.opens
        key = (moment, row.work_order_id)
        if not walk.opens - assumptions.EDGE <= moment <= walk.closes + assumptions.EDGE:
            outside += 1
        elif (
            walk.opens <= moment < walk.closes
            and not (walk.after and key <= walk.after)
            and not (walk.changed_since and updated and updated < walk.changed_since)
        ):
            rows[row.work_order_id] = (key, payload)
    return sorted(rows.values()), rejected, outside


def _details(client: Client, batch: list[Row]) -> tuple[list[Record], list[Rejected]]:
    """The details of one batch in its order. What cannot be read is set aside, as is what was listed but not given."""
    if not batch:
        return [], []
    found, rejected = _by_id(
        client.details([number for (_, number), _ in batch]), lambda raw: records.listed(raw).work_order_id
    )
    given = [Record(external_id=str(key[1]), payload=found[key[1]]) for key, _ in batch if key[1] in found]
    missing = [row for key, row in batch if key[1] not in found]
    if len(missing) * 2 > len(batch) >= 10:
        # One order may vanish between the two calls; most of them cannot: then our way of asking is not understood.
        raise VendorChanged(
            "CorrigoPro keeps back the details of most work orders it lists. Our developers must look into it.",
            detail=f"{len(missing)} of {len(batch)} ids left out",
        )
    if not rejected:
        reason = "CorrigoPro lists this work order but gave no details of it."
        rejected = [Rejected(payload=row, reason=reason) for row in missing]
    return given, rejected


def _by_id(raws: list[msgspec.Raw], read_id: Callable[[bytes], int]) -> tuple[dict[int, bytes], list[Rejected]]:
    """Each thing's own bytes by its id (the last one wins), and what has no readable id."""
    found: dict[int, bytes] = {}
    rejected = []
    for raw in raws:
        payload = bytes(raw)
        try:
            found[read_id(payload)] = payload
        except RecordRejected as refusal:
            rejected.append(Rejected(payload=payload, reason=refusal.words))
    return found, rejected


def _batches(rows: list, size: int) -> list[list]:  # type: ignore[type-arg]
    """At least one, perhaps empty: an empty window is a checkpoint too."""
    return [rows[start : start + size] for start in range(0, len(rows), size)] or [[]]


def _readable(value: object) -> datetime | None:
    try:
        return records.instant(value)
    except ValueError:
        return None
