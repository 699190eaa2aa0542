"""How a slice ends: the one place that turns an error into run state, stream backoff, connection state and problem.

Call in the run's tenant, with its lease held. When something is due is told by the database's clock, by which it will
be found due: workers' clocks differ, and may be put right.
"""

import random
from datetime import timedelta

from django.db.models import Exists, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from integrations.connections.access import budget_of
from integrations.connections.health import problem_words, trouble
from integrations.contract import Diagnosis, Stream
from integrations.errors import IntegrationError, NotPermitted, RateLimited, RetryLater, VendorChanged
from integrations.problems.services import close_problems
from integrations.sync import rebuild
from integrations.sync.models import LookUp, RunKind, RunState, StreamState, SyncRun
from integrations.sync.reader import ENDLESS

_PAUSES = tuple(timedelta(seconds=n) for n in (5, 60, 300, 900, 3600))  # between tries; then the next regular run
_UNTOLD_LIMIT = timedelta(minutes=1)  # where the vendor does not say how long its limit lasts
_AFTER_A_CHANGE = timedelta(hours=6)
AFTER_A_REFUSAL = timedelta(days=1)
_AFTER_A_LOST_SWEEP = timedelta(hours=6)
_BUG_WORDS = "Something went wrong on our side. We have been told, and will try again."


def finished(run_id: int) -> None:
    """The stream's end was reached: it is as fresh as the moment the run began. A sweep that only counts ids brings
    nothing up to date, so the regular reading follows it at once."""
    run = _get(run_id)
    run.code = run.words = run.detail = ""  # trouble after the last page, which is over
    _close(run, RunState.DONE)
    if run.kind == RunKind.REBUILD:
        return  # nothing of it shows until a person says so
    state, stream = run.stream_state, run.stream_state.definition
    is_fresh = run.kind != RunKind.SWEEP or stream.reads_whole
    if is_fresh:
        state.interval = stream.interval_after(run.calls)
        state.last_good_at = run.started_at
    state.failures = 0
    state.due_at = Now() + (_with_jitter(state.interval) if is_fresh else timedelta())
    state.save(update_fields=["interval", "last_good_at", "failures", "due_at"])
    if run.kind == RunKind.SWEEP or stream.sweep_interval is None:
        state.sweep_due_at = _next_sweep(stream)
        state.save(update_fields=["sweep_due_at"])
    _let_follow_what_was_asked_for(state)
    close_problems(run.connection_id, stream=run.stream)


def _let_follow_what_was_asked_for(state: StreamState) -> None:
    """A sweep, or a thing to be read again, that somebody asked for while this run went on has its run at once."""
    waiting = LookUp.objects.filter(connection_id=state.connection_id, stream=state.stream, attempts=0)
    asked_for = Q(sweep_due_at__lte=Now())
    if state.definition.can_look_up:
        asked_for |= Q(Exists(waiting))
    StreamState.objects.filter(asked_for, pk=state.pk).update(due_at=Now())


def _next_sweep(stream: Stream) -> Combinable | None:
    """Half an interval early, so that the run that would be due just before it is the sweep."""
    if stream.sweep_interval is None:
        return None
    return Now() + (stream.sweep_interval - min(stream.interval, stream.sweep_interval) / 2)


def failed(run_id: int, error: IntegrationError, diagnosis: Diagnosis | None = None) -> None:
    """What only needs time waits within the run; the rest ends it and says who acts next."""
    run = _get(run_id)
    words = diagnosis.words if diagnosis else error.words
    run.code, run.words, run.detail = error.code[:60], words[:1000], error.detail[:500]
    if isinstance(error, RateLimited):
        span = error.retry_after or _with_jitter(_UNTOLD_LIMIT)
        budget_of(run.connection).hold(span)
        _wait(run, span, count=False)
    elif run.attempts < _tries(error):
        asked = error.retry_after if isinstance(error, RetryLater) else None
        _wait(run, max(asked or timedelta(), _with_jitter(_PAUSES[run.attempts])), count=True)
        if run.attempts > 1:
            problem_words(run.connection_id, error, run.stream)
    else:
        _end_in_failure(run, error, diagnosis)


def _tries(error: IntegrationError) -> int:
    """How often it may mend itself. An unknown shape gets two more looks: an answer may have been cut on its way. What
    goes in circles gets none: each look brings something, so that they would never be counted."""
    if isinstance(error, RetryLater):
        return len(_PAUSES)
    return 2 if isinstance(error, VendorChanged) and error.code != ENDLESS else 0


def broke(run_id: int, fence: int) -> None:
    """Our own mistake. The run ends; the stream is tried again within the hour."""
    run = SyncRun.objects.select_related("stream_state").filter(pk=run_id, fence=fence, finished_at=None).first()
    if run is None:
        return
    error = IntegrationError(_BUG_WORDS, code="bug")
    run.code, run.words = error.code, error.words
    _postpone(run, max(run.stream_state.interval, timedelta(minutes=15)))
    _close(run, RunState.FAILED)
    problem_words(run.connection_id, error, run.stream)


def stopped(run: SyncRun, words: str = "") -> None:
    """Ended by a person, or since the connection is not active; what is stored stays, the checkpoint too."""
    run.words = words
    run.fence += 1
    _close(run, RunState.STOPPED)


def _end_in_failure(run: SyncRun, error: IntegrationError, diagnosis: Diagnosis | None) -> None:
    if isinstance(error, NotPermitted):
        _postpone(run, AFTER_A_REFUSAL)
    elif isinstance(error, VendorChanged):
        _postpone(run, _AFTER_A_CHANGE)
    else:
        _postpone(run, run.stream_state.interval)
    _close(run, RunState.FAILED)
    trouble(run.connection, error, stream=run.stream, diagnosis=diagnosis)
    if isinstance(error, RetryLater) and run.connection.is_active:
        problem_words(run.connection_id, error, run.stream)


def _wait(run: SyncRun, span: timedelta, *, count: bool) -> None:
    run.state = RunState.WAITING
    run.lease_until = None
    run.next_slice_at = Now() + span
    run.attempts += count
    run.save()
    _note_attempt(run)


def _note_attempt(run: SyncRun) -> None:
    if run.kind != RunKind.REBUILD:
        run.stream_state.last_attempt_at = timezone.now()
        run.stream_state.save(update_fields=["last_attempt_at"])


def _postpone(run: SyncRun, span: timedelta) -> None:
    """When its stream is tried again. The regular reading goes on whatever becomes of a rebuild."""
    if run.kind == RunKind.REBUILD:
        return
    state = run.stream_state
    state.failures += 1
    state.due_at = Now() + _with_jitter(span)
    state.save(update_fields=["failures", "due_at"])


def _close(run: SyncRun, state: RunState) -> None:
    run.state, run.lease_until, run.finished_at = state, None, timezone.now()
    run.save()
    _note_attempt(run)
    if run.kind == RunKind.SWEEP and state != RunState.DONE:
        _put_off_sweep(run)
    elif run.kind == RunKind.REBUILD and state != RunState.DONE:
        rebuild.give_up(run)


def _put_off_sweep(run: SyncRun) -> None:
    """A sweep that does not get through must not keep the regular reading away: that comes next."""
    state = run.stream_state
    if state.sweep_due_at is not None:
        state.sweep_due_at = Now() + _AFTER_A_LOST_SWEEP
        state.due_at = Now()
        state.save(update_fields=["sweep_due_at", "due_at"])


def _get(run_id: int) -> SyncRun:
    return SyncRun.objects.select_related("stream_state", "connection").get(pk=run_id)


def _with_jitter(span: timedelta) -> timedelta:
    """Up to a tenth more, so that what began together does not stay together."""
    return span * random.uniform(1, 1.1)  # noqa: S311
