"""One slice of a run: take the lease, read pages while the last ones are stored, commit each batch with its checkpoint.

Killed at any line, nothing is lost or doubled: a batch and its checkpoint are one transaction, the lease lapses, and
the next slice reads on from the checkpoint. A worker that comes back late finds the fence moved and writes nothing.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from integrations.connections.access import open_connection
from integrations.connections.health import proved
from integrations.connections.models import Connection, ConnectionState
from integrations.contract import Page, Stream
from integrations.errors import IntegrationError
from integrations.records.store import Place, store
from integrations.sync import outcomes
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.reader import Reader
from integrations.sync.wake import wake
from portal.tenancy.scope import tenant_scope

_logger = logging.getLogger(__name__)
PROVE_SECONDS = 30.0
BATCH_PAGES = 10  # per commit at most; a slow vendor commits page by page


class LeaseLost(Exception):
    """Another worker has this run now, or a person ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write for a run until it lapses; `fence` tells it from every earlier one."""

    tenant_id: int
    run_id: int
    fence: int
    connection_id: UUID
    state_id: int
    stream: Stream
    cursor: str


_TAKE = """
update sync_syncrun set fence = fence + 1, lease_until = now() + make_interval(secs => %(lease)s), state = 'running',
    woken_at = null, started_at = coalesce(started_at, now())
where tenant_id = %(tenant)s and id = %(run)s and finished_at is null and next_slice_at <= now()
    and (lease_until is null or lease_until < now())
returning fence
"""


def carry_out_slice(tenant_id: int, run_id: int) -> None:
    """Carry out one slice. Harmless when the run is done, stopped, waiting, or in another worker's hands."""
    lease = _take(tenant_id, run_id)
    if lease is None:
        return
    try:
        try:
            with open_connection(tenant_id, lease.connection_id) as access:
                is_finished = _work(lease, Reader(lease.stream, access, lease.cursor))
        except IntegrationError as error:
            with _ending(lease):
                outcomes.failed(run_id, error)
            return
        with _ending(lease):
            if is_finished:
                outcomes.finished(run_id)
            else:
                _give_back(run_id)
                wake(tenant_id, run_id)
    except LeaseLost:
        _logger.info("lease lost", extra={"run": run_id, "tenant": tenant_id})
    except Exception:
        _logger.exception("a slice failed", extra={"run": run_id, "tenant": tenant_id})
        with tenant_scope(tenant_id):
            outcomes.broke(run_id, lease.fence)


@contextmanager
def _ending(lease: Lease) -> Iterator[None]:
    """The last word of a slice. It may change the connection, whose row is locked ahead of the run's: people's deeds
    lock them in that order too."""
    with tenant_scope(lease.tenant_id):
        list(Connection.objects.select_for_update(no_key=True).filter(pk=lease.connection_id).values_list("pk"))
        _hold(lease)
        yield


def _take(tenant_id: int, run_id: int) -> Lease | None:
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(_TAKE, {"tenant": tenant_id, "run": run_id, "lease": settings.SYNC_LEASE_SECONDS})
        row = cursor.fetchone()
        if row is None:
            return None
        run = SyncRun.objects.select_related("stream_state", "connection").get(tenant_id=tenant_id, pk=run_id)
        if run.connection.state != ConnectionState.ACTIVE:
            outcomes.stopped(run)
            return None
        stream = _stream_of(run)
        if stream is None:
            outcomes.stopped(run, "Switchboard no longer reads this.")
            StreamState.objects.filter(pk=run.stream_state_id).update(due_at=None)
            return None
        return Lease(
            tenant_id=tenant_id,
            run_id=run_id,
            fence=row[0],
            connection_id=run.connection_id,
            state_id=run.stream_state_id,
            stream=stream,
            cursor=run.stream_state.cursor,
        )


def _stream_of(run: SyncRun) -> Stream | None:
    """None when a release took the vendor or the stream away while the run was open."""
    try:
        return run.connection.connector.stream(run.stream)
    except KeyError:
        return None


def _keep(lease: Lease) -> None:
    """Keep the lease while a slow vendor brings nothing to commit."""
    with tenant_scope(lease.tenant_id):
        _hold(lease)


def _hold(lease: Lease) -> None:
    """Prove that the lease is still ours and lengthen it. Raises LeaseLost; the transaction then writes nothing."""
    mine = SyncRun.objects.filter(
        tenant_id=lease.tenant_id, pk=lease.run_id, fence=lease.fence, finished_at=None
    ).update(lease_until=timezone.now() + timedelta(seconds=settings.SYNC_LEASE_SECONDS))
    if not mine:
        raise LeaseLost


def _give_back(run_id: int) -> None:
    """To the back of the queue, so that tenants take turns."""
    now = timezone.now()
    SyncRun.objects.filter(pk=run_id).update(lease_until=None, next_slice_at=now, woken_at=now)


def _work(lease: Lease, reader: Reader) -> bool:
    """Store what the reader brings until it ends (True) or the slice's time is up (False)."""
    deadline = time.monotonic() + settings.SYNC_SLICE_SECONDS
    is_last_call = False
    proof_due_at = 0.0
    with reader:
        while pages := reader.take(BATCH_PAGES, every=settings.SYNC_LEASE_SECONDS / 3, meanwhile=lambda: _keep(lease)):
            _commit(lease, pages)
            if time.monotonic() >= proof_due_at:
                _prove(lease)
                proof_due_at = time.monotonic() + PROVE_SECONDS
            if is_last_call:
                return False
            # One batch more than the time allows: a vendor so slow that one page fills a slice would otherwise never
            # be seen to end, for only the next look tells that the last page was the last.
            is_last_call = time.monotonic() >= deadline
    return True


def _commit(lease: Lease, pages: list[Page]) -> None:
    place = Place(
        tenant_id=lease.tenant_id, connection_id=lease.connection_id, stream=lease.stream.key, run_id=lease.run_id
    )
    with tenant_scope(lease.tenant_id):
        _hold(lease)
        stored = store(
            place,
            lease.stream,
            (record for page in pages for record in page.records),
            (item for page in pages for item in page.rejected),
        )
        read = sum(len(page.records) + len(page.rejected) for page in pages)
        expected = next((page.expected for page in reversed(pages) if page.expected is not None), None)
        StreamState.objects.filter(pk=lease.state_id).update(cursor=pages[-1].cursor, records=F("records") + stored.new)
        SyncRun.objects.filter(pk=lease.run_id).update(
            read=F("read") + read,
            new=F("new") + stored.new,
            changed=F("changed") + stored.changed,
            rejected=F("rejected") + stored.rejected,
            pages=F("pages") + len(pages),
            attempts=0,
            state=RunState.RUNNING,
            code="",
            words="",
            **({} if expected is None else {"expected": expected}),
        )


def _prove(lease: Lease) -> None:
    """The vendor gave what was asked. Said in a transaction of its own, for it changes the connection's row."""
    with tenant_scope(lease.tenant_id):
        proved(Connection.objects.get(tenant_id=lease.tenant_id, pk=lease.connection_id), stream=lease.stream.key)
