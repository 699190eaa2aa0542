"""Where each stream stands, and every attempt to catch up. The database is the queue of record."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from integrations.connections.models import OfConnection
from integrations.contract import Stream


class StreamState(OfConnection):
    """`cursor` is the checkpoint: everything up to it is stored. `due_at` None: not scheduled."""

    stream = models.CharField(max_length=60)
    cursor = models.TextField(blank=True)
    interval = models.DurationField(default=timedelta(minutes=15))
    due_at = models.DateTimeField(null=True, default=timezone.now)
    last_good_at = models.DateTimeField(null=True)  # start of the last run that reached the end
    last_attempt_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
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


class RunState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"  # for the vendor's limit or recovery; resumes by itself
    DONE = "done", "Complete"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class SyncRun(OfConnection):
    """One attempt to catch up one stream. `fence` grows each time a worker takes the run: only its holder may write."""

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
    pages = models.PositiveBigIntegerField(default=0)
    expected = models.PositiveBigIntegerField(null=True)

    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    next_slice_at = models.DateTimeField(default=timezone.now)
    woken_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)  # slices in a row that ended in trouble
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "stream_state"], condition=models.Q(finished_at=None), name="one_open_run_per_stream"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "connection", "-queued_at"], name="run_latest"),
            models.Index(fields=["tenant", "stream_state", "-queued_at"], name="run_of_stream"),
            models.Index(fields=["tenant", "-queued_at", "-id"], name="run_of_tenant"),
            models.Index(fields=["next_slice_at"], condition=models.Q(finished_at=None), name="run_open"),
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
