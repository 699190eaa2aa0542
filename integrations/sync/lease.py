"""The right to write for a run: taken by one worker at a time, kept while it works, lost when it comes back late."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, connections
from django.db.models.functions import Now

from integrations.connections.models import Connection, ConnectionState
from integrations.contract import Stream
from integrations.records.batches import Place
from integrations.sync import outcomes
from integrations.sync.models import RunKind, RunState, StreamState, SyncRun
from integrations.sync.reader import has_gone_round
from portal.tenancy.scope import tenant_scope

T = TypeVar("T")
_logger = logging.getLogger(__name__)
_WITH_OWN_CURSOR = (RunKind.SWEEP, RunKind.REBUILD)


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
    kind: RunKind
    cursor: str
    read_at: datetime | None
    has_gone_round: bool = False

    @property
    def is_sweep(self) -> bool:
        return self.kind == RunKind.SWEEP

    @property
    def is_rebuild(self) -> bool:
        return self.kind == RunKind.REBUILD

    @property
    def has_own_cursor(self) -> bool:
        return self.kind in _WITH_OWN_CURSOR

    @property
    def place(self) -> Place:
        return Place(
            tenant_id=self.tenant_id,
            connection_id=self.connection_id,
            stream=self.stream.key,
            run_id=self.run_id,
            is_first_copy=self.kind == RunKind.BACKFILL,
        )


_TAKE = """
update sync_syncrun set fence = fence + 1, lease_until = now() + make_interval(secs => %(lease)s), state = 'running',
    woken_at = null, started_at = coalesce(started_at, now()),
    lapses = case when lease_until is null then 0 else lapses + 1 end
where tenant_id = %(tenant)s and id = %(run)s and finished_at is null and next_slice_at <= now()
    and (lease_until is null or lease_until not between now() and now() + 10 * make_interval(secs => %(lease)s))
    and kind = any(%(kinds)s) and state = any(%(states)s)
returning fence
"""
_HOLD = """
update sync_syncrun set lease_until = now() + make_interval(secs => %(lease)s)
where tenant_id = %(tenant)s and id = %(run)s and fence = %(fence)s and finished_at is null
"""
MOST_LAPSES = 10  # then what comes is taken for what ends the worker: no other tenant is to suffer from it for ever
_LEFT_ALONE = "Begun by another release of Switchboard; it goes on when that release works again."


def take(tenant_id: int, run_id: int) -> Lease | None:
    """The lease of a run that is due; None where it is in other hands, over, or not to go on."""
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        facts = {"tenant": tenant_id, "run": run_id, "lease": settings.SYNC_LEASE_SECONDS}
        cursor.execute(_TAKE, {**facts, "kinds": RunKind.values, "states": RunState.values})
        row = cursor.fetchone()
        if row is None:
            _leave_to_another_release(run_id)
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
        if run.lapses > MOST_LAPSES:
            _logger.error("a run ended its worker again and again", extra={"run": run_id, "tenant": tenant_id})
            outcomes.broke(run_id, row[0])
            return None
        return Lease(
            tenant_id=tenant_id,
            run_id=run_id,
            fence=row[0],
            connection_id=run.connection_id,
            state_id=run.stream_state_id,
            stream=stream,
            kind=RunKind(run.kind),
            cursor=run.cursor if run.kind in _WITH_OWN_CURSOR else run.stream_state.cursor,
            read_at=run.read_at,
            has_gone_round=has_gone_round(
                read=run.read, pages=run.pages, known=run.stream_state.records + run.rejected
            ),
        )


def _leave_to_another_release(run_id: int) -> None:
    """Of a kind or in a state that came after this release: said where people look, touched no further."""
    unknown = SyncRun.objects.filter(pk=run_id, finished_at=None).exclude(
        kind__in=RunKind.values, state__in=RunState.values
    )
    if unknown.update(words=_LEFT_ALONE):
        _logger.warning("a run of another release is left alone", extra={"run": run_id})


def _stream_of(run: SyncRun) -> Stream | None:
    """None when a release took the vendor or the stream away while the run was open."""
    try:
        return run.connection.connector.stream(run.stream)
    except KeyError:
        return None


def keep(lease: Lease) -> None:
    """Keep the lease while a slow vendor brings nothing to commit."""
    with tenant_scope(lease.tenant_id):
        hold(lease)


def hold(lease: Lease, *, is_durable: bool = True) -> None:
    """Prove that the lease is still ours and lengthen it. Raises LeaseLost; the transaction then writes nothing.

    A transaction that is not `is_durable` does not wait until it is on the disk. A server that crashes forgets the
    latest of them, in order and with the checkpoints in them, so what they held is read again."""
    facts = {"tenant": lease.tenant_id, "run": lease.run_id, "fence": lease.fence}
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLD if is_durable else f"{_HOLD}; set local synchronous_commit = off",
            {**facts, "lease": settings.SYNC_LEASE_SECONDS},
        )
        if not cursor.rowcount:
            raise LeaseLost


def give_back(run_id: int) -> None:
    """To the back of the queue, so that tenants take turns."""
    SyncRun.objects.filter(pk=run_id).update(lease_until=None, next_slice_at=Now())


@contextmanager
def ending(lease: Lease) -> Iterator[None]:
    """The last word of a slice. It may change the connection, whose row is locked ahead of the run's: people's deeds
    lock them in that order too."""
    with tenant_scope(lease.tenant_id):
        list(Connection.objects.select_for_update(no_key=True).filter(pk=lease.connection_id).values_list("pk"))
        hold(lease)
        yield


def meanwhile(lease: Lease, call: Callable[[], T]) -> T:
    """What `call` gives, made in a thread of its own while the lease is kept: it may take as long as the vendor."""

    def made() -> T:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(made)
        while True:
            try:
                return future.result(settings.SYNC_LEASE_SECONDS / 3)
            except FutureTimeout:
                if future.done():
                    raise
                keep(lease)
