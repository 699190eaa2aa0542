"""One slice of a run: take the lease, read pages while the last ones are stored, commit each batch with its checkpoint.

A run first reads its stream, or sweeps it, to the end; then it looks up by id what is waiting for that.

Killed at any line, nothing is lost or doubled: a batch and its checkpoint are one transaction, the lease lapses, and
the next slice reads on from the checkpoint. A worker that comes back late finds the fence moved and writes nothing.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models import F
from django.utils import timezone

from integrations.connections.access import OpenConnection, open_connection
from integrations.connections.health import WORTH_DIAGNOSING, proved
from integrations.connections.models import Connection
from integrations.contract import Page
from integrations.diagnosis import diagnose
from integrations.errors import IntegrationError, RetryLater
from integrations.records import drift
from integrations.records.store import Stored
from integrations.sync import lookups, outcomes, rebuild, sweeps
from integrations.sync.batches import Batch, Batches
from integrations.sync.doubts import Doubts, objection
from integrations.sync.lease import Lease, LeaseLost, ending, give_back, hold, meanwhile, take
from integrations.sync.models import LookUpReason, RunKind, RunState, StreamState, SyncRun
from integrations.sync.reader import Reader, endless
from portal.tenancy.scope import tenant_scope

_OUTAGES = (OperationalError, InterfaceError, InternalError)  # the last: PostgreSQL ended a session that stood idle
_logger = logging.getLogger(__name__)
PROVE_SECONDS = 30.0


def carry_out_slice(tenant_id: int, run_id: int) -> None:
    """Carry out one slice. Harmless when the run is done, stopped, waiting, or in another worker's hands."""
    lease = take(tenant_id, run_id)
    if lease is None:
        return
    diagnosis = None
    try:
        try:
            with open_connection(tenant_id, lease.connection_id) as access:
                try:
                    is_finished = _work(lease, access)
                except WORTH_DIAGNOSING as error:
                    diagnosis = meanwhile(lease, partial(diagnose, access.connector, access, error))
                    raise
        except IntegrationError as error:
            with ending(lease):
                outcomes.failed(run_id, error, diagnosis)
            return
        with ending(lease):
            if is_finished:
                outcomes.finished(run_id)
            else:
                give_back(run_id)
    except LeaseLost:
        _logger.info("lease lost", extra={"run": run_id, "tenant": tenant_id})
    except _OUTAGES:
        _logger.warning("the database failed a slice", exc_info=True, extra={"run": run_id, "tenant": tenant_id})
        _wait_for_the_database(lease)
    except Exception:
        _logger.exception("a slice failed", extra={"run": run_id, "tenant": tenant_id})
        with tenant_scope(tenant_id):
            outcomes.broke(run_id, lease.fence)


def _wait_for_the_database(lease: Lease) -> None:
    """Where it answers again already, the run waits for its next try; where it does not, the lease lapses and beat
    finds the run."""
    connection.close()
    error = RetryLater("Our own database failed for a moment. We try again by ourselves.", code="database")
    with suppress(*_OUTAGES, LeaseLost), ending(lease):
        outcomes.failed(lease.run_id, error)


def _work(lease: Lease, access: OpenConnection) -> bool:
    """Whether the run is done (True) or the slice's time was up before (False)."""
    deadline = time.monotonic() + settings.SYNC_SLICE_SECONDS
    if lease.read_at is None:
        if not _read(lease, access, deadline):
            return False
        with ending(lease):
            _note_the_end(lease)
    return lease.is_rebuild or _look_up(lease, access, deadline)


def _read(lease: Lease, access: OpenConnection, deadline: float) -> bool:
    """Store what the reading brings until it ends (True) or the time is up (False)."""
    if lease.has_gone_round:
        raise endless()
    method = lease.stream.sweep if lease.is_sweep else lease.stream.read
    is_last = False
    proof_due_at = 0.0
    calls = access.http.calls
    doubts = Doubts(lease.cursor)
    with Reader(method(access, lease.cursor), lease.stream.key) as reader, Batches(lease, reader, access) as batches:
        while batch := batches.take():
            if not is_last:
                batches.begin_next()
            made, calls = access.http.calls - calls, access.http.calls
            _commit(lease, batch, made, doubts)
            if time.monotonic() >= proof_due_at:
                _prove(lease)
                proof_due_at = time.monotonic() + PROVE_SECONDS
            if is_last:
                return reader.is_at_end()  # begun anew, a list that is read whole might always stop right here
            # One batch more than the time allows: a vendor so slow that one page fills a slice would otherwise never
            # be seen to end, for only the next look tells that the last page was the last.
            is_last = time.monotonic() >= deadline
    return True


def _note_the_end(lease: Lease) -> None:
    run = SyncRun.objects.select_related("stream_state", "connection").get(tenant_id=lease.tenant_id, pk=lease.run_id)
    run.read_at = timezone.now()
    run.save(update_fields=["read_at"])
    if lease.is_sweep:
        sweeps.judge(run, lease.stream)
    elif lease.is_rebuild:
        rebuild.compare(run, lease.stream)
        return
    if lease.is_sweep or run.changed >= drift.MANY:
        drift.look_for_lost(lease.place.facts)


def _look_up(lease: Lease, access: OpenConnection, deadline: float) -> bool:
    """Read by id what waits for it, one by one, until none is left (True) or the time is up after one (False)."""
    has_looked = False
    while lease.stream.can_look_up:
        with tenant_scope(lease.tenant_id):
            hold(lease)
            wanted = lookups.next_wanted(lease.place)
        if wanted is None:
            break
        if has_looked and time.monotonic() >= deadline:
            return False
        has_looked = True
        before = access.http.calls
        answered = meanwhile(lease, partial(lookups.look_up, lease.stream, access, wanted))
        access.log_calls()
        with tenant_scope(lease.tenant_id):
            hold(lease)
            settled = lookups.settle(lease.place, lease.stream, answered)
            _count(lease, settled.stored, read=settled.found, missing=settled.gone, calls=access.http.calls - before)
    return True


def _commit(lease: Lease, batch: Batch, calls: int, doubts: Doubts) -> None:
    """The pages of a batch, and the checkpoint behind the last of them: of the stream, of the sweep, or of the rebuild,
    whose records go into a copy of their own. Raises VendorChanged once nearly nothing can be read: what came is kept,
    but the checkpoint goes back behind the last that could be."""
    pages = batch.pages
    with tenant_scope(lease.tenant_id):
        hold(lease, is_durable=False)
        stored = batch.write()
        read = sum(len(page.records) + len(page.rejected) + len(page.seen) for page in pages)
        expected = next((page.expected for page in reversed(pages) if page.expected is not None), None)
        facts: dict[str, Any] = {} if expected is None else {"expected": expected}
        came = sum(len(page.records) + len(page.rejected) for page in pages)
        is_strange = doubts.are_right(came=came, rejected=stored.rejected, cursor=pages[-1].cursor)
        cursor = doubts.safe if is_strange else pages[-1].cursor
        if lease.is_sweep:
            facts |= _note_the_sweep(lease, pages)
        if is_strange:
            facts["attempts"] = F("attempts")
        _count(lease, stored, read=read, calls=calls, pages=len(pages), checkpoint=cursor, **facts)
        _stir(lease, stored.parents)
        change = objection(lease.place, lease.stream) if is_strange else None
    if change:
        raise change


def _note_the_sweep(lease: Lease, pages: Sequence[Page]) -> dict[str, Any]:
    """Remember what was seen and covered; what of it belongs into the run's row."""
    ids = [record.external_id for page in pages for record in page.records]
    ids += [external_id for page in pages for external_id in page.seen]
    sweeps.note(lease.run_id, lease.tenant_id, ids)
    covered = [[page.covers.since, page.covers.until] for page in pages if page.covers is not None]
    if not covered:
        return {}
    return {"covered": [*SyncRun.objects.values_list("covered", flat=True).get(pk=lease.run_id), *covered]}


def _count(
    lease: Lease,
    stored: Stored,
    *,
    read: int,
    calls: int,
    missing: int = 0,
    pages: int = 0,
    checkpoint: str | None = None,
    **facts: Any,
) -> None:
    """Add to the counts, and move the checkpoint of whatever is being read: of the run itself, or of its stream."""
    state: dict[str, Any] = {}
    if checkpoint is not None:
        (facts if lease.has_own_cursor else state)["cursor"] = checkpoint
    if stored.new and not lease.is_rebuild:
        state["records"] = F("records") + stored.new
    if state:
        StreamState.objects.filter(pk=lease.state_id).update(**state)
    SyncRun.objects.filter(pk=lease.run_id).update(
        read=F("read") + read,
        new=F("new") + stored.new,
        changed=F("changed") + stored.changed,
        rejected=F("rejected") + stored.rejected,
        missing=F("missing") + missing,
        pages=F("pages") + pages,
        calls=F("calls") + calls,
        state=RunState.RUNNING,
        code="",
        words="",
        lapses=0,
        **{"attempts": 0, **facts},
    )


def _stir(lease: Lease, parents: frozenset[str]) -> None:
    """What changed may have changed what it belongs to. Not in a first copy: there the parents are as new."""
    stream = lease.stream
    if not (stream.stirs_parent and parents) or lease.kind == RunKind.BACKFILL:
        return
    lookups.ask(lease.tenant_id, lease.connection_id, stream.parent, parents, LookUpReason.STIRRED)
    lookups.hurry(lease.tenant_id, lease.connection_id, stream.parent)


def _prove(lease: Lease) -> None:
    """The vendor gave what was asked. Said in a transaction of its own, for it changes the connection's row."""
    with tenant_scope(lease.tenant_id):
        proved(Connection.objects.get(tenant_id=lease.tenant_id, pk=lease.connection_id), stream=lease.stream.key)
