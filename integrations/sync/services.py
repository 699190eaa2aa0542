"""What people ask of the engine: begin, sync now, stop."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.utils import timezone

from integrations.connections.models import Capability, Connection, ConnectionState
from integrations.problems.services import close_problem
from integrations.records.store import forget
from integrations.registry import connectors
from integrations.sync import rebuild
from integrations.sync.models import LookUp, RunKind, RunState, StreamState, SyncRun
from integrations.sync.outcomes import AFTER_A_REFUSAL, stopped
from integrations.sync.sweeps import BRAKE_CODE
from integrations.sync.wake import wake
from portal.accounts.models import User
from portal.tenancy.audit import note


def take_on_streams() -> int:
    """Give every active connection what this release reads and the former did not: new streams, and sweeps of old ones.
    Harmless to repeat; call in the operators' scope. How many were new."""
    now, new = timezone.now(), []
    for connector in connectors().values():
        active = Connection.objects.filter(vendor=connector.key, state=ConnectionState.ACTIVE)
        for stream in connector.streams:
            states = StreamState.objects.filter(connection__vendor=connector.key, stream=stream.key)
            without = active.exclude(pk__in=states.values("connection"))
            new += [
                StreamState(
                    tenant_id=one.tenant_id,
                    connection=one,
                    stream=stream.key,
                    interval=stream.interval,
                    sweep_due_at=now + stream.sweep_interval if stream.sweep_interval else None,
                )
                for one in without
            ]
            if stream.sweep_interval is not None:
                states.filter(sweep_due_at=None).update(sweep_due_at=now + stream.sweep_interval)
    StreamState.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def begin(connection: Connection, *, by: User | None) -> list[SyncRun]:
    """A connection became active: every stream it may read is scheduled and starts at once; the others are tried again
    day by day. A run still going on with what opened the door before is ended, so that its refusal says nothing about
    what opens it now."""
    stop_all(connection, words="Stopped: the connection was connected anew.")
    now, refused = timezone.now(), _refused(connection)
    for stream in connection.connector.streams:
        StreamState.objects.get_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            stream=stream.key,
            defaults={
                "interval": stream.interval,
                "due_at": now + AFTER_A_REFUSAL if stream.key in refused else now,
                "sweep_due_at": now + stream.sweep_interval if stream.sweep_interval else None,
            },
        )
    return start_sync(connection, by=by, trigger="connect")


def start_sync(connection: Connection, *, by: User | None, stream: str = "", trigger: str = "person") -> list[SyncRun]:
    """Queue a run for the stream, or for every stream the vendor allows. An open run is used, not doubled, and what
    only waits for its next try goes on at once. Nothing begins on a connection that is not active."""
    if not connection.is_active:
        return []
    states = StreamState.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    states = states.filter(stream=stream) if stream else states.exclude(stream__in=_refused(connection))
    return [_open_run(state, by=by, trigger=trigger) for state in states]


def start_sweep(state: StreamState, *, by: User | None) -> SyncRun | None:
    """Look for what is gone, now. None where that stream is not swept, or its connection not active. When another run
    is open, it goes on and the sweep follows it."""
    if not state.connection.is_active or state.definition.sweep_interval is None:
        return None
    now = timezone.now()
    StreamState.objects.filter(pk=state.pk).update(sweep_due_at=now)
    run = _open_run(state, by=by, trigger="person", kind=RunKind.SWEEP)
    if run.kind != RunKind.SWEEP:
        StreamState.objects.filter(pk=state.pk).update(due_at=now)
    return run


def forget_streams(connection: Connection, streams: Iterable[str]) -> None:
    """Delete what is kept of these streams; what may still be read of them is read anew from the start."""
    streams = tuple(streams)
    if not streams:
        return
    stop_all(connection, words="Stopped: the connection's details were changed.")
    rebuild.forget(connection, streams)
    for stream in streams:
        forget(connection.pk, connection.tenant_id, stream)
        close_problem(connection.pk, code=BRAKE_CODE, stream=stream)
    LookUp.objects.filter(tenant_id=connection.tenant_id, connection=connection, stream__in=streams).delete()
    StreamState.objects.filter(tenant_id=connection.tenant_id, connection=connection, stream__in=streams).update(
        cursor="", last_good_at=None, records=0, braked_at=None, brake_words="", is_brake_lifted=False
    )


def lift_brake(state: StreamState, *, by: User) -> SyncRun | None:
    """A person says that what was missed is really gone: the next sweep, which begins now, marks it. Raises
    ValidationError when nothing was braked."""
    if not state.braked_at:
        raise ValidationError("Nothing waits for a decision here.")
    StreamState.objects.filter(pk=state.pk).update(is_brake_lifted=True)
    note("sync.deletions_confirmed", state.connection, by=by, stream=state.stream)
    return start_sweep(state, by=by)


def _refused(connection: Connection) -> set[str]:
    found = Capability.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    return set(found.exclude(state__in=["available", "unknown"]).values_list("stream", flat=True))


def _open_run(state: StreamState, *, by: User | None, trigger: str, kind: RunKind | None = None) -> SyncRun:
    now = Now()  # by the clock that finds it due
    # Locked before the run is made: beat takes them in that order too.
    state = StreamState.objects.select_for_update(no_key=True).get(tenant_id=state.tenant_id, pk=state.pk)
    run, is_new = SyncRun.objects.regular().get_or_create(
        tenant_id=state.tenant_id,
        stream_state=state,
        finished_at=None,
        defaults={
            "connection_id": state.connection_id,
            "stream": state.stream,
            "kind": (kind or RunKind.INCREMENTAL) if state.last_good_at else RunKind.BACKFILL,
            "trigger": trigger,
            "requested_by": by,
            "next_slice_at": now,
        },
    )
    if is_new:
        run.refresh_from_db(fields=["next_slice_at"])
    elif run.state == RunState.WAITING and run.code != "rate_limited":
        SyncRun.objects.filter(pk=run.pk).update(next_slice_at=now, state=RunState.QUEUED)
    StreamState.objects.filter(pk=state.pk).update(due_at=now + state.interval)
    wake()
    return run


def stop_run(run: SyncRun, *, words: str = "Stopped by a person.") -> None:
    """End an open run; the worker that has it finds the fence moved and writes no more."""
    locked = SyncRun.objects.select_for_update().get(pk=run.pk)
    if locked.is_open:
        stopped(locked, words)


def stop_all(connection: Connection, *, words: str) -> None:
    """End every open run of a connection that is paused or disconnected."""
    for run in SyncRun.objects.filter(tenant_id=connection.tenant_id, connection=connection, finished_at=None):
        stop_run(run, words=words)


def open_runs(tenant_id: int, connection_id: UUID | None = None) -> list[SyncRun]:
    """What is going on right now."""
    runs = SyncRun.objects.filter(tenant_id=tenant_id, finished_at=None).select_related("connection")
    if connection_id:
        runs = runs.filter(connection_id=connection_id)
    return list(runs.order_by("queued_at"))
