"""What people do with a stream that is read anew: ask for it, use the new copy, discard it, undo.

Each is one transaction: all of it or nothing. Call in the tenant's scope with the connection's row locked. What cannot
be done raises ValidationError with words for the person.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.db.models import F

from integrations.records import shadow, swap
from integrations.records.models import Difference, ShadowRecord
from integrations.sync import lookups
from integrations.sync.models import LookUp, LookUpReason, Rebuild, RebuildState, RunKind, StreamState, SyncRun
from integrations.sync.rebuild import end, place_of
from integrations.sync.services import start_sync, stop_run
from integrations.sync.sweeps import BRAKE_NUMBER, BRAKE_SHARE
from integrations.sync.wake import wake
from portal.accounts.models import User
from portal.tenancy.audit import note

_OUTDATED = "Switchboard was updated since, and keeps more of these records now."


def start(state: StreamState, *, by: User) -> Rebuild:
    """Begin to read the stream from nothing into a copy of its own. Regular syncs go on beside it."""
    if not state.connection.is_active:
        raise ValidationError(f"{state.connection} is not active, so nothing can be read.")
    state = _locked(state)
    if state.last_good_at is None:
        raise ValidationError(f"The first copy of {state.label.lower()} is not complete yet.")
    if Rebuild.objects.filter(tenant_id=state.tenant_id, stream_state=state, state__in=Rebuild.OPEN).exists():
        raise ValidationError(f"{state.label} were read anew already. Decide about that copy first.")
    of_stream = {"tenant_id": state.tenant_id, "connection_id": state.connection_id, "stream": state.stream}
    run = SyncRun.objects.create(
        **of_stream,
        stream_state=state,
        kind=RunKind.REBUILD,
        trigger="person",
        requested_by=by,
    )
    wake()
    note("sync.rebuild_started", state.connection, by=by, stream=state.stream)
    return Rebuild.objects.create(
        **of_stream, stream_state=state, run_id=run.pk, cursor=state.cursor, asked_by=by, asked_at=_now()
    )


def use(one: Rebuild, *, by: User) -> Rebuild:
    """Put the copy in the place of the records that the pages show.

    Regular reading goes on from where it stood when the rebuild was asked for: what changed since is read once more, so
    that nothing is older than it was.
    """
    state = _hold_still(one)
    one = _current(one)
    if not one.is_ready or one.is_over:
        raise ValidationError("There is no new copy to use. Read everything anew.")
    stream, place, now = state.definition, place_of(one), _now()
    one.counts = shadow.compare(place, stream, one.asked_at)
    try:
        applied = swap.apply(place, stream, began=one.asked_at, now=now)
    except swap.Outdated:
        raise ValidationError(f"{_OUTDATED} Discard the copy and read everything anew.") from None
    if stream.can_look_up:  # asked for once more, one by one: a list may lose what moves while it is read
        lookups.ask(one.tenant_id, one.connection_id, one.stream, applied.gone, LookUpReason.MISSED)
    for former in Rebuild.objects.filter(
        tenant_id=one.tenant_id, stream_state=state, state=RebuildState.APPLIED, ended_at=None
    ):
        end(former, RebuildState.APPLIED, words="Another new copy took its place.")
    one.state, one.applied_at, one.decided_by, one.cursor_before = RebuildState.APPLIED, now, by, state.cursor
    one.save()
    _go_on(state, cursor=one.cursor, more=applied.new, by=by)
    note("sync.rebuild_used", one.connection, by=by, stream=one.stream, **told(one.counts))
    return one


def undo(one: Rebuild, *, by: User) -> Rebuild:
    """Put back what the copy took the place of. What has changed since is newer than both and stays; regular reading
    goes on from where it stood at the switch, so that nothing it brought since is missed."""
    state = _hold_still(one)
    one = _current(one)
    if not one.can_be_undone:
        raise ValidationError(one.words or "It can no longer be undone: what was before is kept for 7 days only.")
    assert one.applied_at
    place = place_of(one)
    gone = ShadowRecord.objects.filter(
        tenant_id=one.tenant_id,
        connection=one.connection_id,
        stream=one.stream,
        run_id=one.run_id,
        difference=Difference.GONE,
    )
    LookUp.objects.filter(
        tenant_id=one.tenant_id,
        connection=one.connection_id,
        stream=one.stream,
        reason=LookUpReason.MISSED,
        external_id__in=gone.values("external_id"),
    ).delete()
    try:
        undone = swap.undo(place, state.definition, applied=one.applied_at)
    except swap.Outdated:
        raise ValidationError(f"{_OUTDATED} It can no longer be undone.") from None
    one.decided_by = by
    end(one, RebuildState.UNDONE, words=f"{undone.left:,} had changed since and stayed." if undone.left else "")
    _go_on(state, cursor=one.cursor_before, more=-undone.removed, by=by)
    note("sync.rebuild_undone", one.connection, by=by, stream=one.stream, left=undone.left)
    return one


def discard(one: Rebuild, *, by: User) -> Rebuild:
    """Drop the copy; while it is still read, end that."""
    words = f"Discarded by {by}."
    if one.is_reading:
        for run in SyncRun.objects.filter(tenant_id=one.tenant_id, pk=one.run_id):
            stop_run(run, words=words)
        one.refresh_from_db()
    else:
        one = _current(one)
        if not one.is_ready:
            raise ValidationError("There is nothing to discard.")
        one.decided_by = by
        end(one, RebuildState.DISCARDED, words=words)
    note("sync.rebuild_discarded", one.connection, by=by, stream=one.stream)
    return one


def told(counts: dict[str, int]) -> dict[str, int]:
    """The counts worth a line in the audit trail."""
    return {name: counts[name] for name in ("new", "changed", "back", "gone", "aside") if counts.get(name)}


def is_much(part: int, whole: int) -> bool:
    """Whether so many of so many are more than an everyday change, as sweeps judge it."""
    return part > BRAKE_NUMBER and part > whole * BRAKE_SHARE


def _hold_still(one: Rebuild) -> StreamState:
    """Let nobody write to the stream until this transaction ends: whoever reads it now finds the fence moved, and the
    run goes on from the checkpoint that we leave. Runs are locked ahead of the stream, as the engine locks them."""
    runs = SyncRun.objects.regular().filter(tenant_id=one.tenant_id, stream_state=one.stream_state_id, finished_at=None)
    list(runs.select_for_update())
    state = _locked(one.stream_state)
    try:
        with transaction.atomic():
            running = list(runs.select_for_update(nowait=True))  # one that began between the two locks
    except OperationalError:
        raise ValidationError("A sync has just begun. Try once more.") from None
    runs.filter(lease_until__isnull=False).update(fence=F("fence") + 1, lease_until=None)
    if running:
        wake()
    return state


def _go_on(state: StreamState, *, cursor: str, more: int, by: User) -> None:
    StreamState.objects.filter(pk=state.pk).update(cursor=cursor, records=F("records") + more)
    start_sync(state.connection, by=by, stream=state.stream)


def _locked(state: StreamState) -> StreamState:
    rows = StreamState.objects.select_related("connection").select_for_update(of=("self",), no_key=True)
    return rows.get(tenant_id=state.tenant_id, pk=state.pk)


def _current(one: Rebuild) -> Rebuild:
    rows = Rebuild.objects.select_related("connection").select_for_update(of=("self",))
    return rows.get(tenant_id=one.tenant_id, pk=one.pk)


def _now() -> datetime:
    """This transaction's moment by the database's clock, which also dates what is stored."""
    with connection.cursor() as cursor:
        cursor.execute("select now()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]
