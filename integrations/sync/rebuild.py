"""A stream read anew from nothing: the engine's side. What people decide about it is in `switch`.

Call in the tenant's scope, with the run's lease held.
"""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records import shadow
from integrations.records.batches import Place
from integrations.records.models import ShadowRecord
from integrations.sync.models import Rebuild, RebuildState, RunState, SyncRun

_UNDECIDED = "Nobody decided within 7 days, so the new copy was dropped."


def place_of(one: Rebuild) -> Place:
    """Where its copy lies."""
    return Place(tenant_id=one.tenant_id, connection_id=one.connection_id, stream=one.stream, run_id=one.run_id)


def compare(run: SyncRun, stream: Stream) -> None:
    """The reading has reached its end: say what using the copy would change, and wait for a person."""
    one = Rebuild.objects.get(tenant_id=run.tenant_id, run_id=run.pk)
    one.counts = shadow.compare(place_of(one), stream, one.asked_at)
    one.state, one.ready_at = RebuildState.READY, timezone.now()
    one.save(update_fields=["counts", "state", "ready_at"])


def give_up(run: SyncRun) -> None:
    """The run ended before its time: what it read is of no use."""
    one = Rebuild.objects.filter(tenant_id=run.tenant_id, run_id=run.pk).first()
    if one is not None:
        is_failure = run.state == RunState.FAILED
        end(one, RebuildState.FAILED if is_failure else RebuildState.DISCARDED, words=run.words)


def end(one: Rebuild, state: RebuildState, *, words: str = "") -> None:
    """Its copy is of no use any more; housekeeping drops it."""
    one.state, one.words, one.ended_at = state, words[:500], timezone.now()
    one.save(update_fields=["state", "words", "ended_at", "decided_by"])


def forget(connection: Connection, streams: Iterable[str]) -> None:
    """What is kept of these streams is deleted: no copy of it may be used, none brought back."""
    of_streams = Rebuild.objects.filter(tenant_id=connection.tenant_id, connection=connection, stream__in=streams)
    for one in of_streams.filter(ended_at=None):
        end(one, RebuildState.DISCARDED, words="Its records were deleted since.")


def tidy(tenant_id: int) -> None:
    """Copies that nobody decided about, and what those in use took the place of, after 7 days; those of rebuilds that
    have ended at once, and what is told of these after 90 days."""
    ours = Rebuild.objects.filter(tenant_id=tenant_id)
    began = timezone.now() - Rebuild.KEPT_FOR
    for one in ours.filter(ended_at=None).filter(Q(applied_at__lt=began) | Q(applied_at=None, ready_at__lt=began)):
        if one.is_applied:
            end(one, RebuildState.APPLIED, words=one.words)
        else:
            end(one, RebuildState.DISCARDED, words=_UNDECIDED)
    in_use = ours.filter(ended_at=None).values("run_id")
    ShadowRecord.objects.filter(tenant_id=tenant_id).exclude(run_id__in=in_use).delete()
    ours.filter(ended_at__lt=timezone.now() - Rebuild.TOLD_FOR).delete()
