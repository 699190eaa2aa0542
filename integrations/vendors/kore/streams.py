"""What KORE lists: deals, billings, billing payments; each read by change date, from wherever the cursor stands.

Plain paging by `skip` loses rows: a row edited during the reading jumps to the end and every later one slips one place
past the reader. So each page is asked anew from the newest change date already held ("re-anchored"), with skip = 0.
Only inside one second that fills a whole page does `skip` count, and there each page begins with the last row of the
one before: is it not the same row any more, that second has shrunk and is read again from its start.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import ClassVar

import msgspec

from integrations.contract import Access, Column, Page, Record, Rejected, Stream
from integrations.errors import VendorChanged
from integrations.values import Billing, Kind
from integrations.vendors.kore import assumptions, records
from integrations.vendors.kore.client import fetch_page

MAX_ID = 100
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # an empty date often travels as the year 1, from which nothing is taken
EMPTY = (b"null", b'""')


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cursor. Times are UTC, whole seconds, `…Z`: text that sorts as time does.

    `since` filters the next page ("" = all); `floor` is where the run began, below which its end never falls; `given`
    are digests of the rows of that second which were already handed out (with `skip`: of the row we expect first);
    `present` is when the reading came within the overlap of its own time ("" = not yet).
    """

    since: str = ""
    floor: str = ""
    skip: int = 0
    restarts: int = 0
    given: tuple[str, ...] = ()
    present: str = ""


class _Head(msgspec.Struct):
    """What reading needs to know of a row; everything else is for `records`."""

    id: str
    modified_date: str | None = None
    billing_id: str | None = None
    currency: msgspec.Raw = msgspec.Raw(b"null")


class _Row(msgspec.Struct, frozen=True):
    payload: bytes
    digest: str
    head: _Head | None
    reason: str = ""
    changed: str = ""  # "" where the row does not tell


class KoreStream(Stream):
    """An entity of KORE, oldest change first."""

    interval = assumptions.INTERVAL
    fields: ClassVar[Mapping[str, tuple[str, ...]]]  # the names we look for, for the live test

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        place = msgspec.json.decode(cursor, type=Place) if cursor else Place()
        default_currency = str(access.settings.get("currency") or "")
        while True:
            asked_at = now()
            raws = fetch_page(access, self.key, since=place.since, skip=place.skip)
            rows = [_read_row(bytes(raw)) for raw in raws]
            if place.skip and (not rows or rows[0].digest not in place.given):
                place = _start_second_again(place)
                continue
            _require_order(rows, place)
            is_full = len(rows) >= assumptions.PAGE_SIZE
            given = frozenset(place.given)
            place = _onward(place, rows, asked_at) if is_full else _end(place, rows, asked_at)
            fresh = [row for row in rows if row.digest not in given]
            yield Page(
                records=tuple(self._record(row.payload, row.head, default_currency) for row in fresh if row.head),
                rejected=tuple(Rejected(payload=row.payload, reason=row.reason) for row in fresh if not row.head),
                cursor=msgspec.json.encode(place).decode(),
            )
            if not is_full:
                return

    def parent_of(self, head: _Head) -> str:
        """The external id of the record this one belongs to."""
        return ""

    def _record(self, payload: bytes, head: _Head, default_currency: str) -> Record:
        has_currency = bytes(head.currency) not in EMPTY
        return Record(
            external_id=head.id.lower(),
            payload=payload,
            context={} if has_currency or not default_currency else {"currency": default_currency},
            parent_id=self.parent_of(head),
        )


class Deals(KoreStream):
    key = "deals"
    label = "Deals"
    fields = assumptions.DEAL_FIELDS
    columns = (
        Column(label="Deal", path="name"),
        Column(label="Number", path="deal_number"),
        Column(label="Account", path="account_name"),
        Column(label="Status", path="status.value"),
        Column(label="Starts", path="start_date", kind="date"),
        Column(label="Ends", path="end_date", kind="date"),
        Column(label="Total", path="total_amount", kind="money"),
        Column(label="Changed", path="modified_date", kind="instant"),
    )


class Billings(KoreStream):
    key = "billings"
    label = "Billings"
    kind = Kind.BILLING
    fields = assumptions.BILLING_FIELDS

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Billing:
        return records.interpret_billing(payload, context)


class BillingPayments(KoreStream):
    key = "billing-payments"
    label = "Billing payments"
    parent = "billings"
    fields = assumptions.PAYMENT_FIELDS
    columns = (
        Column(label="Reference", path="reference_number"),
        Column(label="Paid on", path="payment_date", kind="date"),
        Column(label="Amount", path="amount", kind="money"),
        Column(label="Method", path="payment_method.value"),
        Column(label="Changed", path="modified_date", kind="instant"),
    )

    def parent_of(self, head: _Head) -> str:
        return (head.billing_id or "").lower()


def _read_row(payload: bytes) -> _Row:
    digest = blake2b(payload, digest_size=8).hexdigest()
    try:
        payload.decode()
        head = msgspec.json.decode(payload, type=_Head)
        if not (0 < len(head.id) <= MAX_ID and head.id.isprintable()):
            raise ValueError("its id is empty or no id")
        changed = records.parse_system_time(head.modified_date) if head.modified_date else None
    except (msgspec.DecodeError, RecursionError, ValueError) as mistake:
        return _Row(payload, digest, None, f"This record has no id or no change date we can read: {mistake}"[:300])
    return _Row(payload, digest, head, changed=_text(changed) if changed else "")


def _require_order(rows: list[_Row], place: Place) -> None:
    """Everything here rests on KORE's filter and order; were either ignored, rows would be lost in silence."""
    times = [row.changed for row in rows if row.changed]
    if not times and (len(rows) >= assumptions.PAGE_SIZE or any(row.head for row in rows)):
        raise VendorChanged(
            "KORE's records no longer tell when they were changed, so we cannot follow them.", code="no_change_date"
        )
    if times and (times != sorted(times) or times[0] < place.since):
        raise VendorChanged(
            "KORE did not send its records in the order we asked for, so some could be missed.",
            code="order",
            detail=f"asked from {place.since or 'the start'}, got {times[0]} to {times[-1]}",
        )


def _onward(place: Place, rows: list[_Row], asked_at: datetime) -> Place:
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


def _end(place: Place, rows: list[_Row], asked_at: datetime) -> Place:
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
