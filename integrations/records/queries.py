"""The questions the pages ask of the stored records, each within one tenant and along an index."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records.models import Billing, Booking, Record, WorkOrder
from integrations.values import BillingStatus, BookingStatus, WorkOrderStatus

OPEN_STATUSES = tuple(status for status in WorkOrderStatus if status not in WorkOrder.CLOSED)
OWED_STATUSES = (BillingStatus.BILLED, BillingStatus.PARTIALLY_PAID, BillingStatus.SCHEDULED)
# Drafts may never be billed and void ones are not owed: neither belongs in a sum.
UNCOUNTED_STATUSES = (BillingStatus.DRAFT, BillingStatus.VOID)
# The index knows when a booking starts, not when it ends: what began up to a week before may still be going on.
LONGEST_BOOKING = timedelta(days=7)


class WorkOrderQuerySet(QuerySet[WorkOrder]):
    def open(self) -> "WorkOrderQuerySet":
        return self.filter(status__in=OPEN_STATUSES)

    def past_due(self, now: datetime) -> "WorkOrderQuerySet":
        return self.open().filter(due_at__lt=now)


class BookingQuerySet(QuerySet[Booking]):
    def going_on(self, start: datetime, end: datetime) -> "BookingQuerySet":
        """Those that touch the span, without the cancelled; a booking without an end counts by its start."""
        return (
            self.filter(starts_at__gte=start - LONGEST_BOOKING, starts_at__lt=end)
            .filter(Q(ends_at__gt=start) | Q(starts_at__gte=start))
            .exclude(status=BookingStatus.CANCELLED)
        )


class BillingQuerySet(QuerySet[Billing]):
    def owed(self) -> "BillingQuerySet":
        return self.filter(status__in=OWED_STATUSES)

    def overdue_on(self, day: date) -> "BillingQuerySet":
        return self.owed().filter(due_date__lt=day)

    def countable(self) -> "BillingQuerySet":
        return self.exclude(status__in=UNCOUNTED_STATUSES)


def work_orders(tenant_id: int) -> WorkOrderQuerySet:
    return WorkOrderQuerySet(WorkOrder).filter(tenant_id=tenant_id)


def bookings(tenant_id: int) -> BookingQuerySet:
    return BookingQuerySet(Booking).filter(tenant_id=tenant_id)


def billings(tenant_id: int) -> BillingQuerySet:
    return BillingQuerySet(Billing).filter(tenant_id=tenant_id)


def records(tenant_id: int) -> QuerySet[Record]:
    return Record.objects.filter(tenant_id=tenant_id)


def records_of(tenant_id: int, connections: Iterable[Connection], stream: str) -> QuerySet[Record]:
    return records(tenant_id).filter(stream=stream, connection__in=[connection.pk for connection in connections])


def children_of(record: Record, streams: Iterable[Stream]) -> QuerySet[Record]:
    """The records that name this one as their parent, in the streams that point here."""
    keys = [stream.key for stream in streams if stream.parent == record.stream]
    return records(record.tenant_id).filter(
        connection_id=record.connection_id, stream__in=keys, parent_id=record.external_id
    )


def neighbour(record: Record, stream: str, external_id: str) -> Record | None:
    """Another record of the same connection by the vendor's id; None when there is none."""
    if not stream or not external_id:
        return None
    found = records(record.tenant_id).filter(connection_id=record.connection_id, stream=stream, external_id=external_id)
    return found.first()
