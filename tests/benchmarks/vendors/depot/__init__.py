"""A vendor that costs as little as a vendor can: numbered pages of billings, their main fields typed on the way in.

What a benchmark with it measures is the engine, not a vendor's peculiarities. `latency` and `set` in the settings are
for the server (see `tests.benchmarks.depot`).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from integrations.contract import Access, Capability, Column, Connector, Limit, Page, Record, Settings, Stream
from integrations.errors import RecordRejected
from integrations.forms import ConnectionForm
from integrations.values import Billing, BillingStatus, Kind, TypedValue


class _Sheet(msgspec.Struct):
    items: list[msgspec.Raw]
    pages: int
    request_id: str = ""


class _Id(msgspec.Struct):
    id: str


class _Party(msgspec.Struct):
    name: str


class Bill(msgspec.Struct):
    id: str
    number: str
    title: str
    status: str
    account: _Party
    deal: str
    currency: str
    amount: Decimal
    tax: Decimal
    paid: Decimal
    balance: Decimal
    billed: date
    due: date
    settled: date | None
    created: datetime
    modified: datetime


_IDS = msgspec.json.Decoder(_Id)
_BILLS = msgspec.json.Decoder(Bill)


class Billings(Stream):
    key, label, kind = "billings", "Billings", Kind.BILLING
    columns = (Column(label="Bill", path="title"), Column(label="Status", path="status", is_filter=True))
    reads_whole = True

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        start = int(cursor or 1)
        first = self._sheet(access, start)
        yield self._page(start, first)
        rest = range(start + 1, first.pages + 1)
        for number, sheet in zip(rest, access.http.each(lambda n: self._sheet(access, n), rest), strict=True):
            yield self._page(number, sheet)

    def _sheet(self, access: Access, number: int) -> _Sheet:
        where = f"{access.settings['url']}/{access.settings['set']}/{access.settings['latency']}/{number}"
        answer = access.http.send("GET", where)
        return replace(answer.decode(_Sheet), request_id=answer.request_id)

    def _page(self, number: int, sheet: _Sheet) -> Page:
        rows = [bytes(item) for item in sheet.items]
        records = tuple(Record(external_id=_IDS.decode(row).id, payload=row) for row in rows)
        cursor = str(number + 1) if number < sheet.pages else ""
        return Page(records=records, cursor=cursor, request_id=sheet.request_id)

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> TypedValue:
        try:
            bill = _BILLS.decode(payload)
        except msgspec.ValidationError as mistake:
            raise RecordRejected(str(mistake)) from mistake
        return Billing(
            number=bill.number,
            title=bill.title,
            status=BillingStatus(bill.status),
            vendor_status=bill.status,
            account=bill.account.name,
            deal_id=bill.deal,
            currency=bill.currency,
            amount=bill.amount,
            tax_amount=bill.tax,
            paid_amount=bill.paid,
            balance=bill.balance,
            billed_date=bill.billed,
            due_date=bill.due,
            paid_date=bill.settled,
            opened_at=bill.created.astimezone(UTC),
            changed_at=bill.modified.astimezone(UTC),
        )


class Depot(Connector):
    key, label, initials, colour = "depot", "Depot", "De", "#334155"
    summary = "Brings billings as fast as they are taken."
    form = ConnectionForm
    limit: ClassVar[Limit] = Limit(calls=1_000_000, per=timedelta(seconds=1), burst=1_000_000, parallel=8)
    streams = (Billings(),)

    def identity(self, settings: Settings) -> str:
        return str(settings["account"])

    def check(self, access: Access) -> tuple[Capability, ...]:
        return (Capability(stream="billings", state="available"),)


connector = Depot()
