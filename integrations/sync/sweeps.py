"""What a sweep did not see: counted, looked up or marked as gone; or, when it is too much, put before a person.

Call in the run's tenant, with its lease held.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils import timezone

from integrations.contract import Span, Stream
from integrations.problems.services import close_problem, open_problem
from integrations.records.arrivals import is_usable_id
from integrations.sync import lookups
from integrations.sync.models import LookUpReason, SyncRun

BRAKE_SHARE = 0.3  # more than this share …
BRAKE_NUMBER = 10  # … and more than this number missing at once is no everyday deletion
BRAKE_CODE = "mass_deletion"
_NOTE = """
insert into sync_sighting (tenant_id, run_id, external_id) select %(tenant)s, %(run)s, unnest(%(ids)s::text[])
on conflict do nothing
"""
_SEEN = """
exists (
    select from sync_sighting s
    where s.tenant_id = r.tenant_id and s.run_id = %(run)s and s.external_id = r.external_id
)
"""
_PLACE = "r.tenant_id = %(tenant)s and r.connection_id = %(connection)s and r.stream = %(stream)s"
_BACK_AGAIN = f"""
update records_record r set misses = 0, missing_since = null
where {_PLACE} and (r.misses > 0 or r.missing_since is not null) and {_SEEN}
"""  # noqa: S608 - only constants are put together
_COUNT = f"""
select count(*), count(*) filter (where r.first_seen_at < %(began)s and not {_SEEN})
from records_record r where {_PLACE} and r.missing_since is null and
"""  # noqa: S608 - only constants are put together
_MISS = f"""
update records_record r set misses = least(r.misses + 1, 100)
where {_PLACE} and r.missing_since is null and r.first_seen_at < %(began)s and not {_SEEN} and
"""  # noqa: S608 - only constants are put together
_RETURN_MISSES = " returning r.external_id, r.misses"
_GONE = f"update records_record r set missing_since = now() where {_PLACE} and r.external_id = any(%(ids)s)"  # noqa: S608
_FORGET = "delete from sync_sighting where tenant_id = %(tenant)s and run_id = %(run)s"


def note(run_id: int, tenant_id: int, ids: Iterable[str]) -> None:
    """These are there."""
    with connection.cursor() as cursor:
        usable = [one for one in ids if is_usable_id(one)]
        facts: dict[str, Any] = {"tenant": tenant_id, "run": run_id, "ids": usable}
        cursor.execute(_NOTE, facts)


def judge(run: SyncRun, stream: Stream) -> None:
    """The sweep has gone through everything it covers: what it did not see was missed once more."""
    spans = [Span()] if stream.reads_whole else [Span(since=since, until=until) for since, until in run.covered]
    facts: dict[str, Any] = {
        "tenant": run.tenant_id,
        "connection": run.connection_id,
        "stream": run.stream,
        "run": run.pk,
        "began": run.started_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BACK_AGAIN, facts)
        if spans:
            _judge_absent(run, stream, facts, spans)
        cursor.execute(_FORGET, facts)


def _judge_absent(run: SyncRun, stream: Stream, facts: dict[str, Any], spans: list[Span]) -> None:
    within, bounds = _within(spans)
    facts = facts | bounds
    state = run.stream_state
    with connection.cursor() as cursor:
        cursor.execute(_COUNT + within, facts)
        total, absent = cursor.fetchone()
        if absent > BRAKE_NUMBER and absent > total * BRAKE_SHARE and not state.is_brake_lifted:
            _brake(run, stream, absent, total)
            return
        cursor.execute(_MISS + within + _RETURN_MISSES, facts)
        needed = 1 if state.is_brake_lifted else stream.misses
        gone = [external_id for external_id, misses in cursor.fetchall() if misses >= needed]
        if stream.can_look_up:
            lookups.ask(run.tenant_id, run.connection_id, run.stream, gone, LookUpReason.MISSED)
        else:
            cursor.execute(_GONE, {**facts, "ids": gone})
            run.missing += len(gone)
            run.save(update_fields=["missing"])
    _release(run)


def _within(spans: list[Span]) -> tuple[str, dict[str, str]]:
    """The condition that a record lies in one of them. Positions are compared byte by byte, as ISO dates sort."""
    parts, bounds = [], {}
    for number, span in enumerate(spans):
        if not span.since and not span.until:
            return "true", {}
        part = ["r.position <> ''"]
        if span.since:
            part.append(f'r.position collate "C" >= %(since{number})s')
            bounds[f"since{number}"] = span.since
        if span.until:
            part.append(f'r.position collate "C" < %(until{number})s')
            bounds[f"until{number}"] = span.until
        parts.append(f"({' and '.join(part)})")
    return f"({' or '.join(parts)})", bounds


def _brake(run: SyncRun, stream: Stream, absent: int, total: int) -> None:
    label = run.connection.connector.label
    words = (
        f"{absent:,} of {total:,} {stream.label.lower()} are no longer listed at {label}. That is more than usual, so "
        "nothing was marked: it may be a permission that was taken away. Have a look, and decide."
    )
    state = run.stream_state
    state.braked_at, state.brake_words = timezone.now(), words
    state.save(update_fields=["braked_at", "brake_words"])
    open_problem(run.connection_id, code=BRAKE_CODE, words=words, stream=run.stream, is_lasting=True)


def _release(run: SyncRun) -> None:
    state = run.stream_state
    if state.braked_at or state.is_brake_lifted:
        state.braked_at, state.brake_words, state.is_brake_lifted = None, "", False
        state.save(update_fields=["braked_at", "brake_words", "is_brake_lifted"])
    close_problem(run.connection_id, code=BRAKE_CODE, stream=run.stream)
