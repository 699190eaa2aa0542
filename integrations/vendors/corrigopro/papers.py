"""What hangs on a work order and is asked for order by order: invoice, attachments, messages, procedures."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

from integrations.contract import Access, Column, Page, Record, Rejected, Stream
from integrations.errors import RecordRejected
from integrations.sources import Sources
from integrations.values import Billing, Kind
from integrations.vendors.corrigopro import assumptions, invoices, records, wire
from integrations.vendors.corrigopro.client import Client, Listing, NotThere
from integrations.vendors.corrigopro.orders import whole_order, whole_orders
from integrations.vendors.corrigopro.records import Listed
from integrations.vendors.corrigopro.search import Row, batches, history_of, open_window
from integrations.vendors.corrigopro.windows import Cursor, Walk, first_walk, next_walk


class Papers(Stream):
    """One call an order, those of a page side by side, so only for orders that changed: at first those of the last
    `papers_days`, then those changed since. Every `round_every` the orders that are not at rest are gone round as well,
    and sweeps go through those created within `papers_days`. After about `calls` calls a reading ends early; the next
    goes on where it stood.
    """

    parent = "work-orders"
    interval = assumptions.PAPERS_INTERVAL
    sweep_interval = assumptions.SLOW_SWEEP
    round_every: ClassVar[timedelta] = assumptions.OPEN_ROUND
    at_rest: ClassVar[frozenset[str]] = assumptions.FINAL_STATUSES  # orders in these are left out of the rounds
    id_names: ClassVar[tuple[str, ...]] = ()  # the members that may hold a thing's own id

    def __init__(
        self,
        *,
        suspicious_rows: int = assumptions.SUSPICIOUS_ROWS,
        batch: int = 10,
        calls: int = assumptions.CALLS_PER_RUN,
    ) -> None:
        self._suspicious, self._batch, self._calls = suspicious_rows, batch, calls

    @abstractmethod
    def payloads(self, client: Client, order: int) -> Listing:
        """Each thing on the order. Raises NotThere for an order that is gone."""

    def id_of(self, order: int, payload: bytes) -> str:
        """The external id: within the order, for nothing says that these ids are unique beyond it. Raises
        RecordRejected."""
        return f"{order}/{wire.own_id(payload, self.id_names)}"

    def worth_asking(self, client: Client, rows: list[Row]) -> list[Row]:
        """Those of a batch that may have something."""
        return rows

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        client, place, now = Client(access), Cursor.parse(cursor), datetime.now(UTC)
        if place.walk is None:
            since = place.next or now - _span(access)
            place = Cursor(walk=next_walk(since, now), rounded=place.rounded or now)
        walk = place.walk
        while walk:
            for page, behind in self._window(client, access, place, walk):
                yield page
                place, walk = behind, behind.walk
                if client.calls >= self._calls:
                    return

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        """Everything on the orders created within `papers_days`, read anew."""
        client, span = Client(access), _span(access)
        walk: Walk | None = Cursor.parse(cursor).walk or first_walk(datetime.now(UTC), span)
        while walk:
            window = open_window(client, walk, span, self._suspicious)
            walk, rejected = window.walk, window.rejected
            parts = batches(window.rows, self._batch)
            for index, batch in enumerate(parts):
                found, set_aside = self._of(access, client, batch)
                walk = walk.past([row.key for row in batch])
                is_through = index == len(parts) - 1
                onward = walk.next_window() if is_through else walk
                yield Page(
                    records=tuple(found),
                    rejected=(*rejected, *set_aside),
                    covers=window.covers if is_through else None,
                    cursor=Cursor(walk=onward).text(),
                )
                rejected = []
            walk = onward

    def look_up(self, access: Access, external_id: str) -> Record | None:
        client = Client(access)
        order = whole_order(client, int(external_id.partition("/")[0]))
        if order is None:
            return None
        found, _ = self._of_order(client, records.listed(order.payload))
        return next((record for record in found if record.external_id == external_id), None)

    def interval_after(self, calls: int) -> timedelta:
        return timedelta(minutes=1) if calls >= self._calls else self.interval

    def _window(self, client: Client, access: Access, place: Cursor, walk: Walk) -> Iterator[tuple[Page, Cursor]]:
        """The pages of the window at hand, each with the place behind it."""
        window = open_window(client, walk, history_of(access), self._suspicious)
        walk, rejected = window.walk, window.rejected
        rows = [row for row in window.rows if not place.is_round or row.listed.status_word not in self.at_rest]
        parts = batches(rows, self._batch)
        for index, batch in enumerate(parts):
            found, set_aside = self._of(access, client, batch)
            walk = walk.past([row.key for row in batch])
            onward = walk if index < len(parts) - 1 else walk.next_window()
            place = self._behind(place, walk, onward, history_of(access))
            yield Page(records=tuple(found), rejected=(*rejected, *set_aside), cursor=place.text()), place
            rejected = []

    def _behind(self, place: Cursor, walk: Walk, onward: Walk | None, history: timedelta) -> Cursor:
        """Where the reading stands behind a page: in its walk, in the round that follows when it is time, or at its
        end. The cursor alone decides, not the clock: a reading that is resumed goes the same way."""
        if onward:
            return Cursor(next=place.next, walk=onward, rounded=place.rounded, is_round=place.is_round)
        if place.is_round:
            return Cursor(next=place.next, rounded=walk.started)
        following = walk.next_reading()
        if place.rounded and walk.started - place.rounded >= self.round_every:
            return Cursor(next=following, walk=first_walk(walk.started, history), rounded=place.rounded, is_round=True)
        return Cursor(next=following, rounded=place.rounded)

    def _of(self, access: Access, client: Client, batch: list[Row]) -> tuple[list[Record], list[Rejected]]:
        found: list[Record] = []
        rejected: list[Rejected] = []
        orders = [row.listed for row in self.worth_asking(client, batch)]
        for given, set_aside in access.http.each(partial(self._of_order, client), orders):
            found += given
            rejected += set_aside
        return found, rejected

    def _of_order(self, client: Client, order: Listed) -> tuple[list[Record], list[Rejected]]:
        found: dict[str, Record] = {}
        rejected = []
        try:
            listing = self.payloads(client, order.work_order_id)
        except NotThere:
            return [], []  # recalled, or gone between the two calls
        for payload in listing.items:
            try:
                external_id = self.id_of(order.work_order_id, payload)
            except RecordRejected as refusal:
                rejected.append(Rejected(payload=payload, reason=refusal.words))
                continue
            found[external_id] = Record(
                external_id=external_id,
                payload=payload,
                context=order.context,
                parent_id=str(order.work_order_id),
                position=order.position,
                request_id=listing.request_id,
            )
        return list(found.values()), rejected


class Invoices(Papers):
    """The invoice of each order, once it has a number, an amount or lines: every order has an empty draft from the
    start."""

    key = "invoices"
    label = "Invoices"
    kind = Kind.BILLING
    round_every = assumptions.INVOICE_ROUND
    at_rest = assumptions.UNBILLED_STATUSES

    def payloads(self, client: Client, order: int) -> Listing:
        invoice = client.invoice(order)
        return replace(invoice, items=list(filter(_is_begun, invoice.items)))

    def id_of(self, order: int, payload: bytes) -> str:
        return str(order)  # an order has one, and no member of it is its id

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Billing:
        return invoices.billing(payload, context)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return invoices.SOURCES


class Attachments(Papers):
    """Names and sizes of files; the files stay at CorrigoPro."""

    key = "attachments"
    label = "Attachments"
    sweep_interval = assumptions.SWEEP
    columns = (
        Column(label="Name", path="Name"),
        Column(label="Kind", path="Subtype", is_filter=True),
        Column(label="File type", path="MimeType", is_filter=True),
        Column(label="Bytes", path="Size", kind="number"),
    )
    id_names = assumptions.ATTACHMENT_IDS

    def payloads(self, client: Client, order: int) -> Listing:
        return client.of_order("attachments", assumptions.ATTACHMENTS_NAME, order)


class Messages(Papers):
    """What customers and our people wrote to each other on an order."""

    key = "messages"
    label = "Messages"
    columns = (
        Column(label="Message", path="Text"),
        Column(label="From", path="Sender.Name"),
        Column(label="Side", path="Sender.Type", is_filter=True),
        Column(label="Sent", path="Created", kind="instant"),
    )
    id_names = assumptions.MESSAGE_IDS

    @property
    def keys(self) -> Mapping[str, str]:
        return dict.fromkeys(self.id_names, "Text")

    def payloads(self, client: Client, order: int) -> Listing:
        return client.of_order("messages", assumptions.MESSAGES_NAME, order)

    def id_of(self, order: int, payload: bytes) -> str:
        """A message without an id is known by its content: what was sent is never changed."""
        try:
            return super().id_of(order, payload)
        except RecordRejected:
            if not wire.folded(payload).get("text"):
                raise
            return f"{order}/{wire.digest(payload)}"


class Procedures(Papers):
    """The procedures that a customer wants to be followed. Orders whose details say that there are none are not asked
    for them."""

    key = "procedures"
    label = "Procedures"
    columns: ClassVar[tuple[Column, ...]] = (
        Column(label="Procedure", path="Name"),
        Column(label="Not applicable", path="IsMarkedNa", kind="flag", is_filter=True),
    )
    id_names: ClassVar[tuple[str, ...]] = assumptions.PROCEDURE_IDS

    def __init__(self, *, batch: int = assumptions.DETAILS_PER_CALL, **options: int) -> None:
        super().__init__(batch=batch, **options)

    def worth_asking(self, client: Client, rows: list[Row]) -> list[Row]:
        if not rows:
            return []
        found = whole_orders(client, [row.listed.work_order_id for row in rows]).payloads
        return [row for row in rows if records.may_have_procedures(found.get(row.listed.work_order_id, b"{}"))]

    def payloads(self, client: Client, order: int) -> Listing:
        return client.of_order("procedure", assumptions.PROCEDURES_NAME, order)


class ProcedureSteps(Procedures):
    """The steps of those procedures, and what was answered."""

    key = "procedure-steps"
    label = "Procedure steps"
    columns = (
        Column(label="Step", path="Description"),
        Column(label="Done", path="IsDone", kind="flag", is_filter=True),
        Column(label="Comment", path="Comment"),
        Column(label="Procedure id", path="ProcedureId"),
    )
    id_names = assumptions.STEP_IDS

    def payloads(self, client: Client, order: int) -> Listing:
        return client.of_order("procedure/step", assumptions.STEPS_NAME, order)


def _span(access: Access) -> timedelta:
    return timedelta(days=int(access.settings.get("papers_days") or assumptions.PAPERS_DAYS))


def _is_begun(payload: bytes) -> bool:
    try:
        return invoices.is_begun(payload)
    except RecordRejected:
        return True  # it is stored, and set aside with the reason when it is read
