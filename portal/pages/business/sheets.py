"""What an export holds: the columns of each list, wider than the page's, and how a row becomes cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records.models import Billing, Booking, Record, Typed, WorkOrder
from integrations.records.queries import billings, bookings, records_of, work_orders
from portal.pages.business.columns import Value, decoded, value_at
from portal.pages.business.common import Desk, connector_of
from portal.pages.business.listings import billing_listing, booking_listing, record_listing, work_order_listing
from portal.pages.lists import Bound

M = TypeVar("M", bound=Model)
T = TypeVar("T", bound=Typed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet(Generic[M]):
    """A list on its way into a file. `prepare` fetches what a chunk's rows need besides, in the tenant's scope."""

    name: str  # in the file's name and in the audit trail
    title: str
    heads: tuple[str, ...]
    cells: Callable[[M], Sequence[Value]]
    bound: Bound[M]
    queryset: QuerySet[M]
    prepare: Callable[[Sequence[M]], None] = lambda rows: None


@dataclass(frozen=True, slots=True)
class _Field:
    label: str
    value: Callable[[Any], Value]
    is_instant: bool = False

    def head(self, desk: Desk) -> str:
        """An instant's head names the clock it is shown on."""
        return f"{self.label} ({desk.zone.key})" if self.is_instant else self.label


def _as_is(label: str, name: str) -> _Field:
    return _Field(label, attrgetter(name))


def _word(label: str, model: type[Model], name: str) -> _Field:
    """Our word for a stored value. Looked up once: Django's own way builds the table anew for every cell."""
    words: dict[str, str] = dict(model._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
    return _Field(label, lambda row: words.get(getattr(row, name), getattr(row, name)))


def _instant(label: str, name: str) -> _Field:
    return _Field(label, attrgetter(name), is_instant=True)


def work_order_sheet(desk: Desk) -> Sheet[WorkOrder]:
    fields = (
        _as_is("Number", "number"),
        _as_is("Title", "title"),
        _word("Status", WorkOrder, "status"),
        _as_is("Vendor's status", "vendor_status"),
        _word("Priority", WorkOrder, "priority"),
        _as_is("Vendor's priority", "vendor_priority"),
        _as_is("Customer", "customer"),
        _as_is("Location", "location"),
        _as_is("Assigned to", "assignee"),
        _as_is("Category", "category"),
        _as_is("Not to exceed", "limit_amount"),
        _as_is("Currency", "currency"),
        _instant("Opened", "opened_at"),
        _instant("Due", "due_at"),
        _instant("Scheduled", "scheduled_at"),
        _instant("Completed", "completed_at"),
    )
    bound = work_order_listing(desk).bind(desk.request.GET)
    found = work_orders(desk.tenant.pk).defer("description", "search")
    return _typed_sheet(desk, "work-orders", "Work orders", fields, bound, found)


def booking_sheet(desk: Desk) -> Sheet[Booking]:
    fields = (
        _instant("Starts", "starts_at"),
        _instant("Ends", "ends_at"),
        _as_is("Time zone of the site", "zone"),
        _word("Kind", Booking, "kind"),
        _as_is("Title", "title"),
        _as_is("Room, desk or person", "resource"),
        _as_is("Location", "location"),
        _as_is("Booked by", "organiser"),
        _as_is("E-mail", "organiser_email"),
        _as_is("Private", "is_private"),
        _word("Status", Booking, "status"),
        _as_is("Vendor's status", "vendor_status"),
    )
    bound = booking_listing(desk).bind(desk.request.GET)
    return _typed_sheet(desk, "bookings", "Bookings", fields, bound, bookings(desk.tenant.pk).defer("search"))


def billing_sheet(desk: Desk) -> Sheet[Billing]:
    today = desk.tenant_today
    fields = (
        _as_is("Number", "number"),
        _as_is("Title", "title"),
        _as_is("Account", "account"),
        _as_is("Deal", "deal_id"),
        _word("Status", Billing, "status"),
        _as_is("Vendor's status", "vendor_status"),
        _Field("Overdue", lambda bill: bill.is_overdue_on(today) and bill.record.missing_since is None),
        _as_is("Currency", "currency"),
        _as_is("Amount", "amount"),
        _as_is("Tax", "tax_amount"),
        _as_is("Paid", "paid_amount"),
        _as_is("Balance", "balance"),
        _as_is("Billed on", "billed_date"),
        _as_is("Due on", "due_date"),
        _as_is("Paid on", "paid_date"),
        _instant("Opened", "opened_at"),
    )
    bound = billing_listing(desk).bind(desk.request.GET)
    return _typed_sheet(desk, "billings", "Billings", fields, bound, billings(desk.tenant.pk).defer("search"))


def record_sheet(desk: Desk, connections: Sequence[Connection], stream: Stream) -> Sheet[Record]:
    """For streams without a typed kind: the columns they declare, then where each record is from."""
    columns = stream.columns
    fields = (
        _as_is("Name", "title"),
        *_source(desk),
        _as_is("Vendor's number", "external_id"),
        _instant("Changed here", "changed_at"),
        _instant("No longer at the vendor since", "missing_since"),
    )
    own = fields[1:] if columns else fields
    heads = [f"{one.label} ({desk.zone.key})" if one.kind == "instant" else one.label for one in columns]

    def cells(record: Record) -> list[Value]:
        payload = decoded(record.payload)
        return [*(value_at(payload, column) for column in columns), *(field.value(record) for field in own)]

    return Sheet(
        name=f"{connections[0].vendor}-{stream.key}",
        title=stream.label,
        heads=(*heads, *(field.head(desk) for field in own)),
        cells=cells,
        bound=record_listing(desk, connections, stream).bind(desk.request.GET),
        queryset=records_of(desk.tenant.pk, connections, stream.key),
    )


def _typed_sheet(
    desk: Desk, name: str, title: str, fields: Sequence[_Field], bound: Bound[T], found: QuerySet[T]
) -> Sheet[T]:
    together = (
        *fields,
        _instant("Changed at the vendor", "changed_at"),
        *_source(desk),
        _as_is("Vendor's number", "record.external_id"),
        _instant("No longer at the vendor since", "record.missing_since"),
    )
    return Sheet(
        name=name,
        title=title,
        heads=tuple(field.head(desk) for field in together),
        cells=lambda row: [field.value(row) for field in together],
        bound=bound,
        queryset=found,
        prepare=desk.attach_records,
    )


def _source(desk: Desk) -> tuple[_Field, _Field]:
    """Which connection and vendor brought it, looked up once: the rows are written outside the tenant's scope."""
    names: dict[UUID, str] = {one.pk: one.name for one in desk.connections}
    vendors = {one.pk: connector.label if (connector := connector_of(one)) else one.vendor for one in desk.connections}
    return (
        _Field("Connection", lambda row: names.get(row.connection_id, "")),
        _Field("Vendor", lambda row: vendors.get(row.connection_id, "")),
    )
