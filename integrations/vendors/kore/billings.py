"""Bills, each told beside what its deal says: its name, whether it is still a draft, its account and currency.

A bill on a draft deal is not money owed (Billing Manager page), and signing the deal does not touch the bill. So every
run first walks the deals that have changed since the last one and reads their bills anew, then the bills that have
changed themselves.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from integrations.contract import Access, Column, Page, Settings
from integrations.errors import NotPermitted, RecordRejected
from integrations.sources import Sources
from integrations.values import Billing, Kind
from integrations.vendors.kore import assumptions, fieldmap, records
from integrations.vendors.kore.client import any_of
from integrations.vendors.kore.deals import Deal, DealBook, is_guid
from integrations.vendors.kore.streams import KoreStream, has_terms, mark_of
from integrations.vendors.kore.walk import Place, Row, Step, newest, walk

MAX_WALKED = 200


class Course(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cursor. `is_at_bills`: the deals have been walked, now come the bills; the end of that is where the next run
    begins.

    `deals` is None where KORE does not let us read them; `names_deals` whether any bill named one. `pending` are deals
    whose bills are still to be read anew, `theirs` how far that has come with the first ones. `walked` are digests of
    the deals walked last: they come again in the overlap, and unchanged they are no reason to read their bills.
    """

    is_at_bills: bool = False
    bills: Place = Place()
    deals: Place | None = None
    names_deals: bool = False
    pending: tuple[str, ...] = ()
    theirs: Place = Place()
    walked: tuple[str, ...] = ()
    terms: str = ""


class Billings(KoreStream):
    key = "billings"
    label = "Billings"
    kind = Kind.BILLING
    parent = "deals"
    parent_field = "deal"
    columns = (  # where a deal lists its bills
        Column(label="Bill", path="name"),
        Column(label="Number", path="bill_number"),
        Column(label="Due", path="due_date", kind="date"),
        Column(label="Amount", path="total_amount", kind="money"),
        Column(label="Balance", path="balance", kind="money"),
        Column(label="Payment", path="payment_status.value"),
    )

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        terms = self.terms(access.settings)
        is_known = bool(cursor) and has_terms(cursor, terms)
        course = msgspec.json.decode(cursor, type=Course) if is_known else Course(terms=terms)
        return _Reading(self, access, course).pages()

    def contexts(self, access: Access, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str]]:
        return contexts_of(rows, DealBook(access), access.settings)

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Billing:
        return records.interpret_billing(payload, context)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return records.sources(context)

    def terms(self, settings: Settings) -> str:
        return mark_of(settings.get("currency"), *(fieldmap.overrides(settings, one) for one in ("billings", "deals")))


class _Reading:
    """One reading on its course; every page carries the course that goes on from there."""

    def __init__(self, stream: Billings, access: Access, course: Course) -> None:
        self._stream, self._access, self._course = stream, access, course
        self._book = DealBook(access)
        self._deal_field = fieldmap.names(access.settings, stream.key)["deal"][0]

    def pages(self) -> Iterator[Page]:
        yield from self._bills_of_deals()
        if not self._course.is_at_bills:
            yield from self._changed_deals()
        if self._course.deals is None:
            self._book.is_closed = True
        for step in walk(self._access, "billings", self._course.bills):
            yield self._page(step, bills=step.place, is_at_bills=not step.is_last)

    def _changed_deals(self) -> Iterator[Page]:
        """Walks the deals that have changed. Where there was no such walk yet, the next one begins now, and all bills
        are read: none of those we hold knows its deal."""
        try:
            if self._course.deals is None:
                step = newest(self._access, "deals")
                walked = tuple(row.digest for row in step.rows)
                self._course = Course(deals=step.place, walked=walked, terms=self._course.terms)
            elif self._course.names_deals:
                for step in walk(self._access, "deals", self._course.deals):
                    self._note(step)
                    if not (step.is_last or self._course.pending):
                        yield Page(records=(), cursor=self._cursor())
                    yield from self._bills_of_deals()
        except NotPermitted:
            self._go_on(deals=None)
        self._go_on(is_at_bills=True)

    def _note(self, step: Step) -> None:
        self._book.keep(step.rows)
        changed = [row for row in step.rows if row.digest not in self._course.walked]
        self._go_on(
            deals=step.place,
            walked=(*self._course.walked, *(row.digest for row in changed))[-MAX_WALKED:],
            pending=tuple(row.id for row in changed if is_guid(row.id)),
            is_at_bills=step.is_last,
        )

    def _bills_of_deals(self) -> Iterator[Page]:
        while ids := self._course.pending[: assumptions.IDS_PER_FILTER]:
            for step in walk(self._access, "billings", self._course.theirs, where=any_of(self._deal_field, ids)):
                if step.is_last:
                    yield self._page(step, pending=self._course.pending[len(ids) :], theirs=Place())
                else:
                    yield self._page(step, theirs=step.place)

    def _page(self, step: Step, **onward: object) -> Page:
        settings = self._access.settings
        contexts = contexts_of(step.rows, self._book, settings)
        page = self._stream.page(settings, step.rows, contexts, request_id=step.request_id)
        names_deals = self._course.names_deals or any(record.parent_id for record in page.records)
        self._go_on(names_deals=names_deals, **onward)
        return dataclasses.replace(page, cursor=self._cursor())

    def _go_on(self, **onward: object) -> None:
        self._course = msgspec.structs.replace(self._course, **onward)

    def _cursor(self) -> str:
        return msgspec.json.encode(self._course).decode()


def contexts_of(rows: Sequence[Row], book: DealBook, settings: Settings) -> dict[str, dict[str, str]]:
    """What is told beside each bill, by its id; see `records.interpret_billing`."""
    names = fieldmap.names(settings, "billings")
    named = fieldmap.to_context(fieldmap.overrides(settings, "billings"))
    bills: dict[str, records.Fields] = {}
    for row in rows:
        with suppress(RecordRejected):
            bills[row.id] = records.Fields(row.payload, names)
    deals = book.of(bill.text("deal").lower() for bill in bills.values())
    default = str(settings.get("currency") or "")
    return {
        key: named | _context(bill, deals.get(bill.text("deal").lower(), Deal()), default)
        for key, bill in bills.items()
    }


def _context(bill: records.Fields, deal: Deal, default_currency: str) -> dict[str, str]:
    told = {"deal": deal.name, "deal_status": deal.status}
    if not bill.text("account"):
        told["account"] = deal.account
    if not bill.text("currency"):
        told["currency"] = deal.currency or default_currency
        told["currency_from"] = "deal" if deal.currency else "default" if default_currency else ""
    return {name: value for name, value in told.items() if value}
