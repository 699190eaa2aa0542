"""Carrying out runs in the test's own process, as a worker would: slice after slice."""

from django.utils import timezone

from integrations.connections.models import Connection
from integrations.records.models import Record
from integrations.sync.engine import carry_out_slice
from integrations.sync.models import StreamState, SyncRun
from integrations.sync.services import start_sync
from portal.tenancy.scope import tenant_scope


def work_off(connection: Connection, *, stream: str = "", patience: int = 60) -> list[SyncRun]:
    """Carry out every open run of the connection, or of one stream, until none can go on; all its runs."""
    of_it = {"connection": connection, **({"stream": stream} if stream else {})}
    for _ in range(patience):
        with tenant_scope(connection.tenant_id):
            ready = list(
                SyncRun.objects.filter(**of_it, finished_at=None, next_slice_at__lte=timezone.now()).values_list(
                    "pk", flat=True
                )
            )
        if not ready:
            return runs_of(connection)
        for run_id in ready:
            carry_out_slice(connection.tenant_id, run_id)
    raise AssertionError(f"not at an end after {patience} rounds")


def sync(connection: Connection, stream: str = "") -> list[SyncRun]:
    """Sync now, to the end; the runs this brought."""
    with tenant_scope(connection.tenant_id):
        started = [run.pk for run in start_sync(connection, by=None, stream=stream)]
    return [run for run in work_off(connection) if run.pk in started]


def start_only(connection: Connection, *streams: str) -> None:
    """Begin these streams of a connection that was not begun, and no others. Call in its tenant's scope."""
    for stream in streams:
        StreamState.objects.create(tenant_id=connection.tenant_id, connection=connection, stream=stream)
    start_sync(connection, by=None)


def copy_only(connection: Connection, stream: str) -> list[SyncRun]:
    """The first copy of this stream of a connection that was not begun, and of no other."""
    with tenant_scope(connection.tenant_id):
        start_only(connection, stream)
    return work_off(connection)


def runs_of(connection: Connection) -> list[SyncRun]:
    with tenant_scope(connection.tenant_id):
        return list(SyncRun.objects.filter(connection=connection).select_related("stream_state").order_by("pk"))


def state_of(connection: Connection, stream: str) -> StreamState:
    with tenant_scope(connection.tenant_id):
        return StreamState.objects.get(connection=connection, stream=stream)


def stored(connection: Connection, stream: str) -> dict[str, str]:
    """What is kept: payload by external id."""
    with tenant_scope(connection.tenant_id):
        return dict(Record.objects.filter(connection=connection, stream=stream).values_list("external_id", "payload"))


def reload(connection: Connection) -> Connection:
    with tenant_scope(connection.tenant_id):
        return Connection.objects.get(pk=connection.pk)
