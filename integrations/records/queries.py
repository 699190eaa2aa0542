"""The questions the pages ask of the stored records, each within one tenant and along an index."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection as database
from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.db.models.query import ModelIterable, NamedValuesListIterable

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records.models import Billing, Booking, Record, WorkOrder
from integrations.values import BillingStatus, BookingKind, BookingStatus, WorkOrderStatus

OPEN_STATUSES = tuple(status for status in WorkOrderStatus if status not in WorkOrder.CLOSED)
OWED_STATUSES = (BillingStatus.BILLED, BillingStatus.PARTIALLY_PAID)
UNPAID_STATUSES = (*OWED_STATUSES, BillingStatus.SCHEDULED)  # a scheduled one is owed once its due date has passed
# Drafts may never be billed and void ones are not owed: neither belongs in a sum, nor does what is gone at the vendor.
UNCOUNTED_STATUSES = (BillingStatus.DRAFT, BillingStatus.VOID)
PRIVATE = "Private booking"
# The index knows when a booking starts, not when it ends: what began up to a week before may still be going on.
LONGEST_BOOKING = timedelta(days=7)
_FACET_SAMPLE = 1_000


@cache
def is_gone() -> Exists:
    """Of a typed row: the vendor no longer has it. It stays readable, but is not open, not owed and not going on."""
    return Exists(
        Record.objects.filter(tenant_id=OuterRef("tenant_id"), pk=OuterRef("pk"), missing_since__isnull=False)
    )


def is_here() -> Func:
    """The opposite, looked up row by row: for a list, which wants a few rows of many. Of `~is_gone()` the planner makes
    a join that reads everything that is gone; of "is null" it believes that hardly any row is left, and sorts them."""
    return _LookUp("true", ending=" IS NOT TRUE", output_field=BooleanField())


def gone_since() -> Func:
    """Of a typed row: since when the vendor has it no more, none while it has it; looked up row by row as well."""
    return _LookUp("missing_since", ending="", output_field=DateTimeField())


class _LookUp(Func):
    """What is known of a typed row's record while it is gone. Written out: each list asks three times, and a subquery
    of the ORM's takes longer to put together than to answer."""

    template = (
        "(SELECT %(known)s FROM records_record gone WHERE gone.missing_since IS NOT NULL"
        " AND (gone.tenant_id, gone.id) = (%(expressions)s))%(ending)s"
    )

    def __init__(self, known: str, **options: Any) -> None:
        super().__init__("tenant_id", "pk", known=known, **options)


def among(ids: Iterable[int]) -> Q:
    """Of a row: its id is one of these. They go as one value: of thousands, each a parameter of its own, the writing
    takes longer than the looking up."""
    return _is_any_of(Value(f"{{{','.join(map(str, ids))}}}"))


def _is_any_of(ids: Value | ArraySubquery) -> Q:
    within = "%(expressions)s::bigint[])"
    return Q(Func(F("pk"), ids, template=within, arg_joiner=" = any(", output_field=BooleanField()))


def is_one_of(rows: QuerySet[Record]) -> Q:
    """Of a typed row: its record is among them, for a list of so many that it is walked in its own order. All their ids
    are gathered once. Kept from being a join: the planner thinks that so few match that it would read every row."""
    within = "(%(expressions)s) IS TRUE"
    return Q(
        Func(F("pk"), Subquery(rows.values("pk")), template=within, arg_joiner=" IN ", output_field=BooleanField())
    )


class Span(NamedTuple):
    """A booking as a calendar draws it: a few columns, for a week has hundreds. Of a private one no title."""

    pk: int
    kind: str
    title: str
    resource: str
    location: str
    zone: str
    starts_at: datetime
    ends_at: datetime | None


class InUtc(Func):
    """An instant as its naive UTC time: the driver reads an aware one fifty times slower."""

    template = "%(expressions)s AT TIME ZONE 'UTC'"
    output_field = DateTimeField()


# What takes the place of a private booking's own words.
_VEIL = {"title": PRIVATE, "organiser": "", "organiser_email": "", "search": "", "vendor_status": ""}


def aware(utc: datetime | None) -> datetime | None:
    """What was read with InUtc, as the instant that it is."""
    return utc and utc.replace(tzinfo=UTC)


class _Veiled(ModelIterable):  # type: ignore[type-arg]  # generic for the type checker only
    """Bookings as anybody in the tenant may see them: of a private one when and where, not what or whose."""

    def __iter__(self) -> Iterator[Booking]:
        for booking in super().__iter__():
            if booking.is_private:
                for name, words in _VEIL.items():
                    setattr(booking, name, words)
            yield booking


class _VeiledTuples(NamedValuesListIterable):
    """The same of named tuples."""

    def __iter__(self) -> Iterator[Any]:
        rows: Iterator[Any] = super().__iter__()
        for row in rows:
            if row.is_private:
                yield row._replace(**{name: words for name, words in _VEIL.items() if name in row._fields})
            else:
                yield row


class BookingQuerySet(QuerySet[Booking]):
    """Veils what is private as it reads the rows."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._iterable_class = _Veiled

    def going_on(self, start: datetime, end: datetime) -> "BookingQuerySet":
        """Those that touch the span, without what is cancelled or gone at the vendor. A desk without an end is booked
        until further notice; anything else without one counts by its start."""
        over = (BookingStatus.COMPLETED, BookingStatus.NO_SHOW)
        endless = Q(kind=BookingKind.DESK, ends_at=None) & ~Q(status__in=over)
        return (
            self.filter(starts_at__lt=end)
            .filter(Q(starts_at__gte=start - LONGEST_BOOKING) | endless)
            .filter(Q(ends_at__gt=start) | Q(starts_at__gte=start) | endless)
            .exclude(status=BookingStatus.CANCELLED)
            .filter(is_here())
        )

    def tuples(self, *names: str) -> QuerySet[Booking, Any]:
        """Named tuples of these columns instead of models; `is_private` must be among them."""
        found = self.values_list(*names, named=True)
        found._iterable_class = _VeiledTuples
        return found

    def spans(self, *, most: int) -> list[Span]:
        """The first of them by their start."""
        names = ("is_private", "pk", "kind", "title", "resource", "location", "zone", "utc_starts", "utc_ends")
        rows = self.annotate(utc_starts=InUtc("starts_at"), utc_ends=InUtc("ends_at")).tuples(*names)
        return [
            Span._make((*facts, aware(starts), aware(ends)))
            for _, *facts, starts, ends in rows.order_by("starts_at", "record_id")[:most]
        ]


class BillingQuerySet(QuerySet[Billing]):
    def owed(self) -> "BillingQuerySet":
        return self.countable().filter(status__in=OWED_STATUSES)

    def overdue_on(self, day: date) -> "BillingQuerySet":
        return self.countable().filter(status__in=UNPAID_STATUSES, due_date__lt=day)

    def countable(self) -> "BillingQuerySet":
        return self.exclude(status__in=UNCOUNTED_STATUSES).exclude(is_gone())


def work_orders(tenant_id: int) -> QuerySet[WorkOrder]:
    return WorkOrder.objects.filter(tenant_id=tenant_id)


def bookings(tenant_id: int) -> BookingQuerySet:
    return BookingQuerySet(Booking).filter(tenant_id=tenant_id)


def billings(tenant_id: int) -> BillingQuerySet:
    return BillingQuerySet(Billing).filter(tenant_id=tenant_id)


def records(tenant_id: int) -> QuerySet[Record]:
    return Record.objects.filter(tenant_id=tenant_id)


def records_of(tenant_id: int, connections: Iterable[Connection], stream: str) -> QuerySet[Record]:
    return records(tenant_id).filter(stream=stream, connection__in=[connection.pk for connection in connections])


def records_gone(tenant_id: int, streams: Collection[str] = ()) -> QuerySet[Record]:
    """What the vendors no longer have, of these streams or of all."""
    gone = records(tenant_id).filter(missing_since__isnull=False)
    return gone.filter(stream__in=streams) if streams else gone


def few(rows: QuerySet[Any], *, most: int) -> list[int] | None:
    """Their ids, where there are no more than that; one statement."""
    ids = list(rows.values_list("pk", flat=True)[: most + 1])
    return ids if len(ids) <= most else None


def few_of(connection: Connection, streams: Iterable[str], *, most: int) -> list[int] | None:
    """The ids of the records of these streams, where there are no more than that; one statement."""
    found = records(connection.tenant_id).filter(connection=connection, stream__in=list(streams))
    # In the order of the key that has them side by side, or the planner reads the table until it has found so many.
    return few(found.order_by("stream", "external_id"), most=most)


# Whose records they are is asked in a way of which the planner guesses nothing: it would guess that next to none of the
# stream's are of these connections, and gather and sort them all instead of taking the latest thousand.
_FACETS = """
select key, value from (
    select facet.key, facet.value,
        row_number() over (partition by facet.key order by count(*) desc, facet.value) as rank
    from (
        select facets from records_record
        where tenant_id = %(tenant)s and stream = %(stream)s
            and case when connection_id = any(%(connections)s) then true else false end
        order by changed_at desc, id desc limit %(sample)s
    ) latest, jsonb_each_text(latest.facets) facet
    group by facet.key, facet.value
) counted
where rank <= %(most)s order by key, lower(value), value
"""


def facet_values(tenant_id: int, connections: Iterable[Connection], stream: str, *, most: int) -> dict[str, list[str]]:
    """The values that occur in each filter column among the latest thousand records: of each column's at most
    `most`, the commonest, in the order of the alphabet."""
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "stream": stream,
        "connections": [connection.pk for connection in connections],
        "sample": _FACET_SAMPLE,
        "most": most,
    }
    found: dict[str, list[str]] = {}
    with database.cursor() as cursor:
        cursor.execute(_FACETS, values)
        for key, value in cursor.fetchall():
            found.setdefault(key, []).append(value)
    return found


def children_of(record: Record, streams: Iterable[Stream]) -> QuerySet[Record]:
    """The records that name this one as their parent, in the streams that point here."""
    keys = [stream.key for stream in streams if stream.parent == record.stream]
    return records(record.tenant_id).filter(
        connection_id=record.connection_id, stream__in=keys, parent_id=record.external_id
    )


def outstanding_amount() -> Coalesce:
    """What is still owed of a billing: the vendor's own balance, else the amount less what was paid."""
    return Coalesce("balance", F("amount") - Coalesce("paid_amount", Decimal(0)), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencySum:
    """What some billings of one currency come to. Currencies are never added together."""

    currency: str
    number: int
    amount: Decimal
    outstanding: Decimal


def sums_by_currency(queryset: BillingQuerySet) -> list[CurrencySum]:
    """Each currency's sums, the largest first; of those that count."""
    return _sums(queryset.countable())


def sums_of(queryset: BillingQuerySet, narrowed: BillingQuerySet) -> list[CurrencySum]:
    """The same of what is `narrowed` down of the queryset, to what is still at the vendor. The ids of that are found
    first: for those an index may do without the rows."""
    named = _is_any_of(ArraySubquery(narrowed.order_by().values("pk")))
    return _sums(queryset.filter(named).exclude(status__in=UNCOUNTED_STATUSES))


def _sums(countable: BillingQuerySet) -> list[CurrencySum]:
    found = (
        countable.order_by()
        .values("currency")
        .annotate(
            number=Count("record_id"),
            billed=Coalesce(Sum("amount"), Decimal(0)),
            outstanding=Coalesce(Sum(outstanding_amount(), filter=Q(status__in=OWED_STATUSES)), Decimal(0)),
        )
        .order_by("-billed", "currency")
    )
    return [
        CurrencySum(
            currency=row["currency"], number=row["number"], amount=row["billed"], outstanding=row["outstanding"]
        )
        for row in found
    ]


def neighbour(record: Record, stream: str, external_id: str) -> Record | None:
    """Another record of the same connection by the vendor's id; None when there is none."""
    if not stream or not external_id:
        return None
    found = records(record.tenant_id).filter(connection_id=record.connection_id, stream=stream, external_id=external_id)
    return found.first()
