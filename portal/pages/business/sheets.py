"""What an export holds: the columns of each list, wider than the page's, and how a row becomes cells.

Rows are named tuples of the columns alone, for an export has hundreds of thousands: a model takes ten times as long.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records.models import Billing, Booking, Record, WorkOrder
from integrations.records.queries import BookingQuerySet, InUtc, aware, billings, bookings, records_of, work_orders
from portal.pages.business.columns import Value, decoded, value_at
from portal.pages.business.common import Desk, connector_of
from portal.pages.business.listings import billing_listing, booking_listing, record_listing, work_order_listing
from portal.pages.lists import Bound, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list on its way into a file. `queryset` gives named tuples, `read` what the file has of a chunk of them, in the
    tenant's scope."""

    name: str  # in the file's name and in the audit trail
    title: str
    heads: tuple[str, ...]
    read: Callable[[Sequence[Any]], Sequence[Sequence[Value]]]
    bound: Bound[Any]
    queryset: QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of the file: its head, the columns of the database it needs, and its value of a row that has them."""

    label: str
    needs: tuple[str, ...]
    value: Callable[[Any], Value]
    instant: str = ""  # the column, where the value is one: it then needs none

    def head(self, desk: Desk) -> str:
        """An instant's head names the clock it is shown on."""
        return f"{self.label} ({desk.zone.key})" if self.instant else self.label


def _as_is(label: str, name: str) -> _Field:
    return _Field(label, (name,), attrgetter(name))


def _word(label: str, model: type[Model], name: str) -> _Field:
    """Our word for a stored value. Looked up once: Django's own way builds the table anew for every cell."""
    words: dict[str, str] = dict(model._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
    return _Field(label, (name,), lambda row: words.get(getattr(row, name), getattr(row, name)))


def _instant(label: str, name: str) -> _Field:
    found = attrgetter(f"utc_{name}")
    return _Field(label, (), lambda row: aware(found(row)), instant=name)


def work_order_sheet(desk: Desk) -> Sheet:
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
    return _typed_sheet(desk, "work-orders", "Work orders", fields, bound, work_orders(desk.tenant.pk))


def booking_sheet(desk: Desk) -> Sheet:
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
    return _typed_sheet(desk, "bookings", "Bookings", fields, bound, bookings(desk.tenant.pk))


def billing_sheet(desk: Desk) -> Sheet:
    today = desk.tenant_today
    fields = (
        _as_is("Number", "number"),
        _as_is("Title", "title"),
        _as_is("Account", "account"),
        _as_is("Deal", "deal_id"),
        _word("Status", Billing, "status"),
        _as_is("Vendor's status", "vendor_status"),
        _Field(
            "Overdue",
            ("status", "due_date"),
            lambda bill: Billing.is_overdue_on(bill, today) and bill.utc_missing_since is None,
        ),
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
    return _typed_sheet(desk, "billings", "Billings", fields, bound, billings(desk.tenant.pk))


def record_sheet(desk: Desk, connections: Sequence[Connection], stream: Stream) -> Sheet:
    """For streams without a typed kind: the columns they declare, then where each record is from."""
    columns = stream.columns
    fields = (
        _Field("Name", ("title", "external_id"), lambda record: record.title or record.external_id),
        *_source(desk),
        _as_is("Vendor's number", "external_id"),
        _instant("Changed here", "changed_at"),
        _instant("No longer at the vendor since", "missing_since"),
    )
    own = fields[1:] if columns else fields
    heads = [f"{one.label} ({desk.zone.key})" if one.kind == "instant" else one.label for one in columns]

    def cells(record: Any) -> list[Value]:
        payload = decoded(record.payload)
        return [*(value_at(payload, column) for column in columns), *(field.value(record) for field in own)]

    def read(rows: Sequence[Any]) -> list[list[Value]]:
        return [cells(record) for record in rows]

    bound = record_listing(desk, connections, stream).bind(desk.request.GET)
    found = records_of(desk.tenant.pk, connections, stream.key)
    return Sheet(
        name=f"{connections[0].vendor}-{stream.key}",
        title=stream.label,
        heads=(*heads, *(field.head(desk) for field in own)),
        read=read,
        bound=bound,
        queryset=_with_instants(found, own).values_list(*_needed(own, bound), "payload", named=True),
    )


def _typed_sheet(
    desk: Desk, name: str, title: str, fields: Sequence[_Field], bound: Bound[Any], found: QuerySet[Any]
) -> Sheet:
    of_record = (_as_is("Vendor's number", "external_id"), _instant("No longer at the vendor since", "missing_since"))
    own = (*fields, _instant("Changed at the vendor", "changed_at"), *_source(desk))
    together = (*own, *of_record)
    found, needed = _with_instants(found, own), _needed(own, bound)
    whole = namedtuple("whole", (*needed, "external_id", "utc_missing_since"))  # type: ignore[misc]  # fields vary

    def read(rows: Sequence[Any]) -> list[list[Value]]:
        # A statement of its own, by key: to join them the planner starts workers for every chunk.
        records = Record.objects.filter(tenant_id=desk.tenant.pk, pk__in=[row.record_id for row in rows])
        by_id = {pk: facts for pk, *facts in records.values_list("pk", "external_id", InUtc("missing_since"))}
        wholes = (whole(*row, *by_id.get(row.record_id, ("", None))) for row in rows)
        return [[field.value(row) for field in together] for row in wholes]

    return Sheet(
        name=name,
        title=title,
        heads=tuple(field.head(desk) for field in together),
        read=read,
        bound=bound,
        queryset=found.tuples(*needed)
        if isinstance(found, BookingQuerySet)
        else found.values_list(*needed, named=True),
    )


def _with_instants(found: Rows, fields: Sequence[_Field]) -> Rows:
    return found.annotate(**{f"utc_{field.instant}": InUtc(field.instant) for field in fields if field.instant})


def _needed(fields: Sequence[_Field], bound: Bound[Any]) -> list[str]:
    """Each column once, those of the list's order among them."""
    instants = (f"utc_{field.instant}" for field in fields if field.instant)
    needed = (name for field in fields for name in field.needs)
    return list(dict.fromkeys((bound.order.column, bound.order.tie, *needed, *instants)))


def _source(desk: Desk) -> tuple[_Field, _Field]:
    """Which connection and vendor brought it, looked up once."""
    names: dict[UUID, str] = {one.pk: one.name for one in desk.connections}
    vendors = {one.pk: connector.label if (connector := connector_of(one)) else one.vendor for one in desk.connections}
    return (
        _Field("Connection", ("connection_id",), lambda row: names.get(row.connection_id, "")),
        _Field("Vendor", ("connection_id",), lambda row: vendors.get(row.connection_id, "")),
    )
