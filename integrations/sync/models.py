"""Where each stream stands, and every attempt to catch up. The database is the queue of record."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from integrations.connections.models import OfConnection
from integrations.contract import Stream


class StreamState(OfConnection):
    """`cursor` is the checkpoint: everything up to it is stored. `due_at` None: not scheduled.

    `braked_at`: the last sweep missed so much that it marked nothing and asks a person; `is_brake_lifted`: the next one
    may mark as much as it misses.
    """

    stream = models.CharField(max_length=60)
    cursor = models.TextField(blank=True)
    interval = models.DurationField(default=timedelta(minutes=15))
    due_at = models.DateTimeField(null=True, default=timezone.now)
    last_good_at = models.DateTimeField(null=True)  # start of the last run that reached the end
    last_attempt_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    sweep_due_at = models.DateTimeField(null=True)  # when to look for what is gone; None: never
    braked_at = models.DateTimeField(null=True)
    brake_words = models.CharField(max_length=500, blank=True)
    is_brake_lifted = models.BooleanField(default=False)
    records = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "id"], name="streamstate_of_tenant"),
            models.UniqueConstraint(fields=["tenant", "connection", "stream"], name="streamstate_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="streamstate_due"),
        ]

    def __str__(self) -> str:
        return self.stream

    @property
    def definition(self) -> Stream:
        return self.connection.connector.stream(self.stream)

    @property
    def label(self) -> str:
        return self.definition.label


class RunKind(models.TextChoices):
    INCREMENTAL = "incremental", "Catching up"
    BACKFILL = "backfill", "First copy"
    SWEEP = "sweep", "Looking for deletions"
    REBUILD = "rebuild", "Reading everything anew"


class RunState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"  # for the vendor's limit or recovery; resumes by itself
    DONE = "done", "Complete"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class SyncRuns(models.QuerySet["SyncRun"]):
    def regular(self) -> Self:
        """Those that keep up what the pages show; rebuilds go on beside them."""
        return self.exclude(kind=RunKind.REBUILD)


class SyncRun(OfConnection):
    """One attempt to catch up one stream. `fence` grows each time a worker takes the run: only its holder may write."""

    objects = SyncRuns.as_manager()

    stream_state = models.ForeignKey(
        StreamState, on_delete=models.CASCADE, related_name="runs", db_index=False, db_constraint=False
    )
    stream = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=RunKind.choices)
    trigger = models.CharField(max_length=20, default="schedule")  # schedule, person, connect
    requested_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    code = models.CharField(max_length=60, blank=True)
    words = models.CharField(max_length=1000, blank=True)
    detail = models.CharField(max_length=500, blank=True)

    read = models.PositiveBigIntegerField(default=0)
    new = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    missing = models.PositiveBigIntegerField(default=0)  # records that turned out to be gone
    pages = models.PositiveBigIntegerField(default=0)
    calls = models.PositiveBigIntegerField(default=0)  # requests to the vendor
    expected = models.PositiveBigIntegerField(null=True)

    cursor = models.TextField(blank=True)  # a sweep's or a rebuild's own checkpoint
    covered = models.JSONField(default=list)  # [since, until] of the spans a sweep has gone through
    read_at = models.DateTimeField(null=True)  # when the reading reached its end; what is left is looking up
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    next_slice_at = models.DateTimeField(default=timezone.now)
    woken_at = models.DateTimeField(null=True)  # when a worker was given it; None once that has the lease
    attempts = models.PositiveIntegerField(default=0)  # slices in a row that ended in trouble
    lapses = models.PositiveIntegerField(db_default=0)  # slices in a row that brought nothing and never ended
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "stream_state"],
                condition=models.Q(finished_at=None) & ~models.Q(kind="rebuild"),
                name="one_open_run_per_stream",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "connection", "-queued_at"], name="run_latest"),
            models.Index(fields=["tenant", "stream_state", "-queued_at"], name="run_of_stream"),
            models.Index(fields=["tenant", "-queued_at", "-id"], name="run_of_tenant"),
            models.Index(fields=["tenant", "next_slice_at"], condition=models.Q(finished_at=None), name="run_waiting"),
            models.Index(
                fields=["tenant", "connection"],
                condition=models.Q(finished_at=None)
                & (models.Q(state="running") | models.Q(woken_at__isnull=False) | ~models.Q(code="")),
                name="run_in_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.get_kind_display()}"

    @property
    def unchanged(self) -> int:
        return max(self.read - self.new - self.changed - self.rejected, 0)

    @property
    def is_open(self) -> bool:
        return self.finished_at is None

    @property
    def is_rebuild(self) -> bool:
        return self.kind == RunKind.REBUILD

    @property
    def is_waiting(self) -> bool:
        return self.state == RunState.WAITING

    @property
    def is_limited(self) -> bool:
        """Waits by agreement: the vendor said when to come back."""
        return self.is_waiting and self.code == "rate_limited"

    @property
    def took(self) -> timedelta | None:
        """From first to last moment of work; up to now while it runs."""
        if self.started_at is None:
            return None
        end: datetime = self.finished_at or timezone.now()
        return end - self.started_at

    @property
    def percent(self) -> int | None:
        """How far it is, where the vendor lets us guess; never 100 before the end."""
        return min(99, round(100 * self.read / self.expected)) if self.expected else None


class Sighting(models.Model):
    """A sweep has seen this id. Kept while the sweep goes on; a stray one is tidied away with its run."""

    pk = models.CompositePrimaryKey("tenant_id", "run_id", "external_id")
    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.CASCADE, related_name="+", db_index=False)
    run_id = models.BigIntegerField()
    external_id = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.external_id


class LookUpReason(models.TextChoices):
    MISSED = "missed", "Sweeps did not find it"
    STIRRED = "stirred", "Something that belongs to it changed"


class LookUp(OfConnection):
    """A thing to be read again by its id, by the next run of its stream. One row a thing, however often it is asked."""

    stream = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    reason = models.CharField(max_length=10, choices=LookUpReason.choices)
    attempts = models.PositiveSmallIntegerField(default=0)  # that brought no answer
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection", "stream", "external_id"], name="look_up_once"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.external_id}"


class RebuildState(models.TextChoices):
    READING = "reading", "Reading"
    READY = "ready", "Ready to look at"
    APPLIED = "applied", "In use"
    UNDONE = "undone", "Undone"
    DISCARDED = "discarded", "Discarded"
    FAILED = "failed", "Not completed"


class Rebuild(OfConnection):
    """A stream read anew from nothing into a copy beside what the pages show, and what became of it.

    `cursor` and `cursor_before` are the stream's own checkpoints when it was asked for and when it was put to use:
    regular reading goes on from there after the switch and after its undoing. `counts` are records by `Difference`,
    and `outside`: those that lie outside of what was read.
    """

    OPEN: ClassVar = (RebuildState.READING, RebuildState.READY)
    KEPT_FOR: ClassVar = timedelta(days=7)  # a copy that waits to be used, and what one in use took the place of
    TOLD_FOR: ClassVar = timedelta(days=90)

    stream_state = models.ForeignKey(
        StreamState, on_delete=models.CASCADE, related_name="rebuilds", db_index=False, db_constraint=False
    )
    stream = models.CharField(max_length=60)
    run_id = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=RebuildState.choices, default=RebuildState.READING)
    words = models.CharField(max_length=500, blank=True)
    counts = models.JSONField(default=dict)
    cursor = models.TextField(blank=True)
    cursor_before = models.TextField(blank=True)
    asked_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    decided_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "stream_state"],
                condition=models.Q(state__in=["reading", "ready"]),
                name="one_open_rebuild_per_stream",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "stream_state", "-asked_at"], name="rebuild_of_stream"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} read anew"

    @property
    def is_reading(self) -> bool:
        return self.state == RebuildState.READING

    @property
    def is_ready(self) -> bool:
        return self.state == RebuildState.READY

    @property
    def is_applied(self) -> bool:
        return self.state == RebuildState.APPLIED

    @property
    def has_failed(self) -> bool:
        return self.state == RebuildState.FAILED

    @property
    def can_be_undone(self) -> bool:
        return self.is_applied and self.ended_at is None and not self.is_over

    @property
    def is_over(self) -> bool:
        """Its time is up, dropped already or not."""
        return self.kept_until is not None and self.kept_until < timezone.now()

    @property
    def kept_until(self) -> datetime | None:
        """When the copy is dropped: nobody decided, or nobody wants the former state back."""
        began = self.applied_at or self.ready_at
        return began + self.KEPT_FOR if began else None
