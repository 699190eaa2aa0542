"""The lists of business records as declared: their columns, sorts, filters and search."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import partial

from django.db.models import Q

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records.models import Billing, Booking, Record, Typed, WorkOrder
from integrations.records.queries import (
    OPEN_STATUSES,
    OWED_STATUSES,
    UNPAID_STATUSES,
    facet_values,
    is_here,
)
from integrations.records.search import find, find_records
from integrations.values import (
    BillingStatus,
    BookingKind,
    BookingStatus,
    Kind,
    Priority,
    WorkOrderStatus,
)
from portal.pages.business.common import Desk, connection_choice, word_of
from portal.pages.filters import Choice, Days, Facet, Filter, Text, Word
from portal.pages.lists import Column, Listing, Search, Sort

GONE = "gone"
_FACET_VALUES = 50


def _still(value: str, label: str, wanted: Iterable[StrEnum], **also: object) -> Word:
    """Several statuses at once, without what the vendor no longer has: that is neither open nor owed."""
    return Word(value=value, label=label, where=Q(status__in=wanted, **also), also=Q(is_here()))


def _gone(desk: Desk, kind: Kind) -> Word:
    return Word(value=GONE, label="Gone at the vendor", look_up=partial(desk.gone, kind))


def _words(words: Iterable[StrEnum], column: str) -> list[Word]:
    return [Word(value=word.value, label=word_of(word), where=Q(**{column: word.value})) for word in words]


def _words_in(model: type[Typed]) -> Search:
    """Their lists have no facets."""
    return lambda words, _facets: find(model, words)


def work_order_listing(desk: Desk) -> Listing[WorkOrder]:
    statuses = [
        _still("open", "Open", OPEN_STATUSES),
        _still("past-due", "Past due", OPEN_STATUSES, due_at__lt=desk.now),
        _still("closed", "Closed", WorkOrder.CLOSED),
        *_words(WorkOrderStatus, "status"),
        _gone(desk, Kind.WORK_ORDER),
    ]
    return Listing(
        columns=(
            Column(label="Work order"),
            Column(label="Status"),
            Column(label="Priority"),
            Column(label="Customer"),
            Column(label="Location"),
            Column(label="Assigned to"),
            Column(label="Due", key="due", sort="due_at", is_at_end=True),
        ),
        sorts=(
            Sort(key="due", column="due_at", ascending="Due soonest first", descending="Due latest first"),
            Sort(key="opened", column="opened_at", ascending="Opened longest ago first", descending="Newest first"),
        ),
        filters=(
            Choice(
                key="status",
                label="Status",
                words=statuses,
                default="open",
                any_label="All work orders",
                is_plain=True,
            ),
            Choice(key="priority", label="Priority", words=_words(Priority, "priority")),
            Text(key="customer", label="Customer", column="customer"),
            Days(key="due", label="Due", column="due_at", zone=desk.zone, today=desk.today),
            desk.connection_filter(Kind.WORK_ORDER),
        ),
        default_sort="due",
        search=_words_in(WorkOrder),
        search_label="Search number, title, customer, location",
    )


def billing_listing(desk: Desk) -> Listing[Billing]:
    statuses = [
        _still("outstanding", "Outstanding", OWED_STATUSES),
        _still("overdue", "Overdue", UNPAID_STATUSES, due_date__lt=desk.tenant_today),
        *_words(BillingStatus, "status"),
        _gone(desk, Kind.BILLING),
    ]
    return Listing(
        columns=(
            Column(label="Billing"),
            Column(label="Account"),
            Column(label="Status"),
            Column(label="Amount", is_at_end=True),
            Column(label="Balance", is_at_end=True),
            Column(label="Due", key="due", sort="due_date", is_at_end=True),
            Column(label="Billed", key="billed", sort="billed_date", is_at_end=True),
        ),
        sorts=(
            Sort(key="billed", column="billed_date", ascending="Billed longest ago first", descending="Newest first"),
            Sort(key="due", column="due_date", ascending="Due soonest first", descending="Due latest first"),
        ),
        filters=(
            Choice(
                key="status",
                label="Status",
                words=statuses,
                default="outstanding",
                any_label="All billings, drafts too",
                is_plain=True,
            ),
            Text(key="account", label="Account", column="account"),
            Days(key="due", label="Due", column="due_date", zone=None, today=desk.tenant_today),
            desk.connection_filter(Kind.BILLING),
        ),
        default_sort="due",
        search=_words_in(Billing),
        search_label="Search number, title, account",
    )


def booking_filters(desk: Desk) -> tuple[Filter, ...]:
    kinds = [Word(value=kind.value, label=f"{word_of(kind)}s", where=Q(kind=kind.value)) for kind in BookingKind]
    return (
        Choice(key="kind", label="Kind", words=kinds, is_plain=True, any_label="All kinds"),
        Text(key="location", label="Location", column="location"),
        Text(key="resource", label="Room, desk or person", column="resource"),
        desk.connection_filter(Kind.BOOKING),
    )


def booking_listing(desk: Desk) -> Listing[Booking]:
    days = Days(key="day", label="Days", column="starts_at", zone=desk.zone, today=desk.today, is_from_today=True)
    kind, *others = booking_filters(desk)
    statuses = [*_words(BookingStatus, "status"), _gone(desk, Kind.BOOKING)]
    return Listing(
        columns=(
            Column(label="When", key="start", sort="starts_at"),
            Column(label="Booking"),
            Column(label="Kind"),
            Column(label="Room, desk or person"),
            Column(label="Booked by"),
            Column(label="Status"),
        ),
        sorts=(Sort(key="start", column="starts_at", ascending="Earliest first", descending="Latest first"),),
        filters=(
            days,
            kind,
            Choice(key="status", label="Status", words=statuses, is_costly=True),
            *others,
        ),
        default_sort="start",
        search=_words_in(Booking),
        search_label="Search title, room, location, person",
        extra=("view",),
    )


def record_listing(desk: Desk, connections: Sequence[Connection], stream: Stream) -> Listing[Record]:
    heads = [Column(label=one.label, is_at_end=one.kind in {"number", "money"}) for one in stream.columns]
    return Listing(
        columns=(
            *(heads or [Column(label="Name")]),
            Column(label="Changed here", key="changed", sort="changed_at", is_at_end=True),
        ),
        sorts=(
            Sort(
                key="changed",
                column="changed_at",
                ascending="Unchanged longest first",
                descending="Latest changes first",
            ),
        ),
        filters=(
            *_facets(desk, connections, stream),
            Choice(
                key="gone",
                label="Gone at the vendor",
                words=[
                    Word(value="yes", label="Gone at the vendor", where=Q(missing_since__isnull=False)),
                    Word(value="no", label="Still at the vendor", where=Q(missing_since=None)),
                ],
                is_plain=True,
                is_costly=True,
            ),
            *([connection_choice(connections)] if len(connections) > 1 else []),
        ),
        default_sort="-changed",
        search=partial(find_records, stream.key),
        search_label="Search by name or the vendor's number",
        tie="id",
    )


def _facets(desk: Desk, connections: Sequence[Connection], stream: Stream) -> Iterator[Facet]:
    columns = [column for column in stream.columns if column.is_filter]
    if not columns:
        return
    values = facet_values(desk.tenant.pk, connections, stream.key, most=_FACET_VALUES + 1)
    for column in columns:
        found = values.get(column.path, [])
        yield Facet(
            key=f"in.{column.path}",
            label=column.label,
            column="facets",
            path=column.path,
            values=found[:_FACET_VALUES],
            has_more=len(found) > _FACET_VALUES,
        )
