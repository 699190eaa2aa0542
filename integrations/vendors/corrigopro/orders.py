"""Work orders: searched by windows of time, fetched by ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.contract import Access, Page, Record, Rejected, Stream, brought_by
from integrations.errors import RecordRejected, VendorChanged
from integrations.sources import Sources
from integrations.values import Kind, WorkOrder
from integrations.vendors.corrigopro import assumptions, records
from integrations.vendors.corrigopro.client import Client, NotThere
from integrations.vendors.corrigopro.search import Row, batches, history_of, open_window
from integrations.vendors.corrigopro.windows import Cursor, Walk, first_walk, next_walk


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeOrders:
    """What a call for details brought, by id; `rejected` came without a readable one."""

    payloads: dict[int, bytes]
    rejected: list[Rejected]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeOrder:
    """One order's details, and the request that brought them."""

    payload: bytes
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    records: list[Record]
    rejected: list[Rejected]
    request_id: str  # of the call for the details, which brought the records


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Rows of a search whose details make a page. `rejected` are those beside them, `cursor` is the place behind it."""

    rows: list[Row]
    rejected: list[Rejected]
    cursor: str
    expected: int


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
    sweep_interval = assumptions.SWEEP
    misses = assumptions.ORDER_MISSES

    def __init__(
        self, *, suspicious_rows: int = assumptions.SUSPICIOUS_ROWS, batch: int = assumptions.DETAILS_PER_CALL
    ) -> None:
        self._suspicious, self._batch = suspicious_rows, batch

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        client, place, now = Client(access), Cursor.parse(cursor), datetime.now(UTC)
        history = history_of(access)
        walk = place.walk or (next_walk(place.next, now) if place.next else first_walk(now, history))

        def detailed(batch: _Batch) -> tuple[_Batch, _Found]:
            return batch, _details(client, batch.rows)

        # Which windows follow is known from the searches alone, so these run ahead of the details.
        for batch, found in access.http.each(detailed, self._batches(client, walk, history)):
            yield Page(
                records=tuple(found.records),
                rejected=(*batch.rejected, *found.rejected),
                cursor=batch.cursor,
                expected=batch.expected,
                request_id=found.request_id,
            )

    def _batches(self, client: Client, walk: Walk | None, history: timedelta) -> Iterator[_Batch]:
        """What is to be asked for in detail, window by window: how wide the next one is depends on the one before."""
        while walk:
            window = open_window(client, walk, history, self._suspicious)
            walk, rejected = window.walk, window.rejected
            remaining = len(window.rows)
            parts = batches(window.rows, self._batch)
            for index, rows in enumerate(parts):
                expected = walk.expected(remaining)
                remaining -= len(rows)
                walk = walk.past([row.key for row in rows])
                onward = walk if index < len(parts) - 1 else walk.next_window()
                cursor = Cursor(walk=onward) if onward else Cursor(next=walk.next_reading())
                yield _Batch(rows=rows, rejected=rejected, cursor=cursor.text(), expected=expected)
                rejected = []
            walk = onward

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        """The ids of what was created within the history: searched, no details asked for."""
        client, history = Client(access), history_of(access)
        walk: Walk | None = Cursor.parse(cursor).walk or first_walk(datetime.now(UTC), history)
        while walk:
            window = open_window(client, walk, history, self._suspicious)
            walk = window.walk.next_window()
            yield Page(
                records=(),
                seen=tuple(str(row.listed.work_order_id) for row in window.rows),
                covers=window.covers,
                cursor=Cursor(walk=walk).text(),
            )

    def look_up(self, access: Access, external_id: str) -> Record | None:
        found = whole_order(Client(access), int(external_id))
        return brought_by(found.request_id, _record(int(external_id), found.payload)) if found else None

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> WorkOrder:
        return records.work_order(payload)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return records.SOURCES


def whole_orders(client: Client, ids: list[int]) -> WholeOrders:
    """The details of at most 50 orders; unknown ids are left out."""
    found: dict[int, bytes] = {}
    rejected = []
    listing = client.details(ids)
    for payload in listing.items:
        try:
            found[records.listed(payload).work_order_id] = payload
        except RecordRejected as refusal:
            rejected.append(Rejected(payload=payload, reason=refusal.words))
    return WholeOrders(payloads=found, rejected=rejected, request_id=listing.request_id)


def whole_order(client: Client, number: int) -> WholeOrder | None:
    """One order's detail; None when CorrigoPro does not know it (any more). Raises VendorChanged when it cannot be told
    which order came."""
    try:
        found = whole_orders(client, [number])
    except NotThere:
        return None
    if found.rejected:
        raise VendorChanged(found.rejected[0].reason)
    payload = found.payloads.get(number)
    return WholeOrder(payload=payload, request_id=found.request_id) if payload else None


def _record(number: int, payload: bytes) -> Record:
    return Record(external_id=str(number), payload=payload, position=records.listed(payload).position)


def _details(client: Client, batch: list[Row]) -> _Found:
    """The details of one batch in its order. What cannot be read is set aside, as is what was listed but not given."""
    if not batch:
        return _Found(records=[], rejected=[], request_id="")
    ids = [row.listed.work_order_id for row in batch]
    orders = whole_orders(client, ids)
    found, rejected = orders.payloads, orders.rejected
    given = [_record(number, found[number]) for number in ids if number in found]
    missing = [row.payload for row in batch if row.listed.work_order_id not in found]
    if len(missing) * 2 > len(batch) >= 10:
        # One order may vanish between the two calls; most of them cannot: then our way of asking is not understood.
        raise VendorChanged(
            "CorrigoPro keeps back the details of most work orders it lists. Our developers must look into it.",
            detail=f"{len(missing)} of {len(batch)} ids left out",
        )
    if not rejected:
        reason = "CorrigoPro lists this work order but gave no details of it."
        rejected = [Rejected(payload=payload, reason=reason) for payload in missing]
    return _Found(records=given, rejected=rejected, request_id=orders.request_id)
