"""What the vendors told us: each thing raw with its history, and the three kinds that have typed columns."""

from datetime import date
from typing import ClassVar

import msgspec
from django.db import models
from django.utils import timezone

from integrations.connections.models import OfConnection
from integrations.values import BillingStatus, BookingKind, BookingStatus, Priority, WorkOrderStatus
from portal.tenancy.models import Tenant


def _implied_tenant() -> "models.ForeignKey[Tenant, Tenant]":
    """Of rows whose other key carries the tenant: that one proves it, and each key costs a check per row."""
    return models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)


class Record(OfConnection):
    """One vendor thing. `payload` is the vendor's own JSON text, compared by `digest` (blake2b-16 with the context).

    `changed_run_id` and `changed_request_id` are the run and the request (`VendorRequest.request_id`) that brought it
    as it is; no request is known of what was stored before these were kept.

    `facets` are the values that its stream's lists can be narrowed by, as text, under their column's path. `misses`
    counts the sweeps in a row that did not see it; `missing_since` is set once it counts as gone.
    """

    tenant = _implied_tenant()
    stream = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    parent_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=300, blank=True)
    payload = models.TextField()
    context = models.JSONField(default=dict)
    digest = models.BinaryField()
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    first_run_id = models.BigIntegerField()
    changed_run_id = models.BigIntegerField()
    changed_request_id = models.UUIDField(null=True)
    position = models.CharField(max_length=40, blank=True)  # where a sweep must have looked for it
    facets = models.JSONField(default=dict)
    misses = models.PositiveSmallIntegerField(default=0)
    missing_since = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection", "stream", "external_id"], name="record_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "stream", "-changed_at", "-id"], name="record_latest"),
            models.Index(
                fields=["tenant", "connection", "stream", "parent_id"],
                condition=~models.Q(parent_id=""),
                name="record_children",
            ),
            models.Index(fields=["tenant", "id"], condition=models.Q(missing_since__isnull=False), name="record_gone"),
            models.Index(
                fields=["tenant", "stream", "-changed_at", "-id"],
                condition=models.Q(missing_since__isnull=False),
                name="record_gone_latest",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.external_id

    @property
    def fields(self) -> dict[str, object]:
        """The payload decoded; its keys in the vendor's order."""
        return msgspec.json.decode(self.payload, type=dict[str, object])


class RecordVersion(models.Model):
    """An earlier payload of a record, from `seen_at` until `replaced_at`; `run_id` and `request_id` brought it."""

    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(
        Record, on_delete=models.CASCADE, related_name="versions", db_index=False, db_constraint=False
    )
    payload = models.TextField()
    context = models.JSONField(default=dict)
    seen_at = models.DateTimeField()
    replaced_at = models.DateTimeField()
    run_id = models.BigIntegerField()
    request_id = models.UUIDField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["tenant", "record", "-replaced_at"], name="version_latest")]

    def __str__(self) -> str:
        return f"until {self.replaced_at}"


class RejectedRecord(OfConnection):
    """What could not be read and why. `key` is its external id, or a digest where not even that could be read.

    `origin` is what came beside the payload (context, parent_id, position), with which it can be tried again; None
    where it could not be told apart.
    """

    stream = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    payload = models.TextField()
    origin = models.JSONField(null=True)
    reason = models.CharField(max_length=500)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    run_id = models.BigIntegerField()
    request_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection", "stream", "key"], name="rejected_once"),
        ]

    def __str__(self) -> str:
        return self.reason


class KnownField(OfConnection):
    """A field of a stream's payloads, one level deep (`dueDate`, `Customer.Name`), as `records.drift` notes it.

    `types` are the JSON types it came with, sorted, with commas between them. `is_new`: it appeared after the first
    copy, and since then in so many new or changed `records`. `types_before`: those it had until `types_changed_at`.
    `lost_at`: when no record had it any more.
    """

    stream = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    types = models.CharField(max_length=60, blank=True)
    is_new = models.BooleanField(default=False)
    records = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField(default=timezone.now)
    run_id = models.BigIntegerField()
    types_before = models.CharField(max_length=60, blank=True)
    types_changed_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection", "stream", "name"], name="known_field_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Difference(models.TextChoices):
    """What using a new copy does, or did, to one record."""

    SAME = "same", "Unchanged"
    NEW = "new", "New"
    CHANGED = "changed", "Changed"
    BACK = "back", "There again"
    GONE = "gone", "No longer there"
    KEPT = "kept", "Changed since"  # by the regular syncs, which know better
    ASIDE = "aside", "Set aside"


class ShadowRecord(OfConnection):
    """A record of a new copy, beside the one that pages show. `payload` None: nothing in it differs from the record.

    `typed` holds the columns of its typed row; the three `…before` the rows that it took the place of, for the way
    back. A row that is set aside has a reason, one that is gone nothing of its own.
    """

    pk = models.CompositePrimaryKey("tenant_id", "connection_id", "stream", "external_id", "run_id")
    stream = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    run_id = models.BigIntegerField()
    difference = models.CharField(max_length=10, choices=Difference.choices)
    parent_id = models.CharField(max_length=200, blank=True)
    position = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=300, blank=True)
    payload = models.TextField(null=True)  # noqa: DJ001 - an empty payload is something else than none
    context = models.JSONField(null=True)
    facets = models.JSONField(null=True)
    digest = models.BinaryField(null=True)
    typed = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.UUIDField(null=True)
    before = models.JSONField(null=True)
    typed_before = models.JSONField(null=True)
    aside_before = models.JSONField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "run_id", "difference"],
                condition=~models.Q(difference="same"),
                name="shadow_differences",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.external_id


class Typed(OfConnection):
    """Base of the three kinds: one row per record, under the record's id. `search` is what the search box looks in."""

    tenant = _implied_tenant()
    record = models.OneToOneField(
        Record, on_delete=models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    search = models.TextField()
    vendor_status = models.CharField(max_length=500)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def save(self, *args: object, **options: object) -> None:
        raise TypeError("typed rows are written by integrations.records.store only")


def _choices(words: type) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]  # type: ignore[attr-defined]


# For indexes, so with each status by its name: a list uses one only where it names them as well.
_OPEN = models.Q(status__in=("new", "accepted", "in_progress", "on_hold", "unknown"))
_UNPAID = models.Q(status__in=("billed", "partially_paid", "scheduled"))


class WorkOrder(Typed):
    CLOSED: ClassVar = (
        WorkOrderStatus.COMPLETED,
        WorkOrderStatus.VERIFIED,
        WorkOrderStatus.REJECTED,
        WorkOrderStatus.CANCELLED,
    )

    number = models.CharField(max_length=500)
    title = models.CharField(max_length=500)
    description = models.TextField()
    status = models.CharField(max_length=20, choices=_choices(WorkOrderStatus))
    priority = models.CharField(max_length=20, choices=_choices(Priority))
    vendor_priority = models.CharField(max_length=500)
    customer = models.CharField(max_length=500)
    location = models.CharField(max_length=500)
    assignee = models.CharField(max_length=500)
    category = models.CharField(max_length=500)
    currency = models.CharField(max_length=3)
    limit_amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    opened_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    scheduled_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "due_at", "record"], name="workorder_due"),
            models.Index(fields=["tenant", "opened_at", "record"], name="workorder_opened"),
            models.Index(fields=["tenant", "status", "due_at", "record"], name="workorder_status"),
            models.Index(fields=["tenant", "customer", "due_at", "record"], name="workorder_customer"),
            models.Index(  # without most of the past, which is dense in every order
                fields=["tenant", "status", "opened_at", "record"],
                condition=~models.Q(status__in=("completed", "verified")),
                name="workorder_status_opened",
            ),
            # What is open is little of what ever was, and it is what most lists begin with.
            models.Index(fields=["tenant", "due_at", "record"], condition=_OPEN, name="workorder_open_due"),
            models.Index(fields=["tenant", "opened_at", "record"], condition=_OPEN, name="workorder_open_opened"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.status not in self.CLOSED

    @property
    def is_past_due(self) -> bool:
        return self.is_open and self.due_at is not None and self.due_at < timezone.now()


class Booking(Typed):
    kind = models.CharField(max_length=20, choices=_choices(BookingKind))
    title = models.CharField(max_length=500)
    status = models.CharField(max_length=20, choices=_choices(BookingStatus))
    resource = models.CharField(max_length=500)
    location = models.CharField(max_length=500)
    organiser = models.CharField(max_length=500)
    organiser_email = models.CharField(max_length=500)
    is_private = models.BooleanField()
    zone = models.CharField(max_length=50)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "starts_at", "record"], name="booking_start"),
            models.Index(fields=["tenant", "starts_at"], condition=models.Q(ends_at=None), name="booking_endless"),
            models.Index(fields=["tenant", "status", "starts_at", "record"], name="booking_status"),
            models.Index(fields=["tenant", "kind", "starts_at", "record"], name="booking_kind"),
        ]

    def __str__(self) -> str:
        return self.title


class Billing(Typed):
    number = models.CharField(max_length=500)
    title = models.CharField(max_length=500)
    account = models.CharField(max_length=500)
    deal_id = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=_choices(BillingStatus))
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    tax_amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    balance = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    billed_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    paid_date = models.DateField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tenant", "due_date", "record"], name="billing_due"),
            models.Index(fields=["tenant", "billed_date", "record"], name="billing_billed"),
            models.Index(fields=["tenant", "status", "due_date", "record"], name="billing_status"),
            models.Index(  # with the status: what of an account is in some state is counted without a look at its rows
                fields=["tenant", "account", "due_date", "record"], include=["status"], name="billing_account_status"
            ),
            models.Index(  # without most of the past, which is dense in every order
                fields=["tenant", "status", "billed_date", "record"],
                condition=~models.Q(status="paid"),
                name="billing_status_billed",
            ),
            models.Index(fields=["tenant", "due_date", "record"], condition=_UNPAID, name="billing_unpaid_due"),
            models.Index(fields=["tenant", "billed_date", "record"], condition=_UNPAID, name="billing_unpaid_billed"),
            models.Index(
                fields=["tenant", "account", "due_date", "record"],
                include=["status"],
                condition=_UNPAID,
                name="billing_unpaid_account",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_overdue_on(self, day: date) -> bool:
        """Judged on the tenant's own day: money is still owed and the due date has passed."""
        owed = self.status in {BillingStatus.BILLED, BillingStatus.PARTIALLY_PAID, BillingStatus.SCHEDULED}
        return owed and self.due_date is not None and self.due_date < day
