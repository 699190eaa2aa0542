"""Puts a copy in the place of what the pages show, and takes that back: each within the caller's transaction.

Call in the tenant's scope, with nobody else writing to the stream, after `shadow.compare`: what is written is what that
found. Every statement works on the whole copy at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from integrations.contract import Stream
from integrations.records.arrivals import table_of
from integrations.records.batches import Place
from integrations.records.shadow import COPY, RECORD, WHOLE
from integrations.values import Kind

_COLUMNS = ("parent_id", "position", "title", "payload", "context", "facets", "digest")
_WORDS = {
    "COPY": COPY,
    "RECORD": RECORD,
    "BOTH": f"{COPY} and {RECORD} and r.external_id = s.external_id",
    "COLUMNS": ", ".join(_COLUMNS),
    "OF_COPY": ", ".join(f"s.{name}" for name in _COLUMNS),
    "OF_BEFORE": ", ".join(f"b.{name}" for name in _COLUMNS),
    "IS_SAME": "r.payload = s.payload and r.context = s.context",
    "ASIDE": "j.tenant_id = %(tenant)s and j.connection_id = %(connection)s and j.stream = %(stream)s",
}

_IS_OUTDATED = """
select exists (
    select from records_shadowrecord s
    where {COPY} and s.difference in ('new', 'changed') and s.{WHICH} is not null
        and not s.{WHICH} ?& %(columns)s::text[]
)
"""
_KEEP = """
update records_shadowrecord s set
    before = case when s.difference = 'changed' then to_jsonb(r)
        else jsonb_build_object('missing_since', r.missing_since, 'misses', r.misses) end
from records_record r where {BOTH} and s.difference in ('changed', 'back', 'gone')
"""
_KEEP_TYPED = """
update records_shadowrecord s set typed_before = to_jsonb(t)
from records_record r join {TABLE} t on t.record_id = r.id where {BOTH} and s.difference = 'changed'
"""
_KEEP_VERSIONS = """
insert into records_recordversion (tenant_id, record_id, payload, context, seen_at, replaced_at, run_id, request_id)
select r.tenant_id, r.id, r.payload, r.context, r.changed_at, %(now)s, r.changed_run_id, r.changed_request_id
from records_shadowrecord s join records_record r on {BOTH} where s.difference = 'changed' and not ({IS_SAME})
"""
_CHANGE = """
update records_record r set ({COLUMNS}) = row({OF_COPY}), misses = 0, missing_since = null,
    changed_at = case when {IS_SAME} then r.changed_at else %(now)s end,
    changed_run_id = case when {IS_SAME} then r.changed_run_id else %(run)s end,
    changed_request_id = case when {IS_SAME} then r.changed_request_id else s.request_id end
from records_shadowrecord s where {BOTH} and s.difference = 'changed'
"""
_ADD = """
insert into records_record (tenant_id, connection_id, stream, external_id, {COLUMNS}, first_seen_at, changed_at,
    first_run_id, changed_run_id, changed_request_id, misses)
select s.tenant_id, s.connection_id, s.stream, s.external_id, {OF_COPY}, %(now)s, %(now)s, %(run)s, %(run)s,
    s.request_id, 0
from records_shadowrecord s where {COPY} and s.difference = 'new'
"""
_SHOW_AGAIN = """
update records_record r set missing_since = null, misses = 0
from records_shadowrecord s where {BOTH} and s.difference = 'back'
"""
_MARK_GONE = """
update records_record r set missing_since = %(now)s
from records_shadowrecord s where {BOTH} and s.difference = 'gone' returning r.external_id
"""
_WRITE_TYPED = """
insert into {TABLE} (record_id, tenant_id, connection_id, {NAMES})
select r.id, r.tenant_id, r.connection_id, {CELLS}
from records_shadowrecord s join records_record r on {BOTH}
cross join lateral jsonb_populate_record(null::{TABLE}, s.typed) p
where s.difference in ('new', 'changed') and s.typed is not null
on conflict (record_id) do update set ({NAMES}) = row({EXCLUDED})
"""
_FORGET_PUBLIC_VERSIONS = """
delete from records_recordversion v using records_shadowrecord s, records_record r
where {BOTH} and v.tenant_id = r.tenant_id and v.record_id = r.id and (s.typed ->> 'is_private')::boolean
"""
_FORGET_PUBLIC = """
update records_shadowrecord s set before = null, typed_before = null
where {COPY} and s.difference = 'changed' and (s.typed ->> 'is_private')::boolean
"""

_KEEP_ASIDE = """
update records_shadowrecord s set aside_before = to_jsonb(j)
from records_rejectedrecord j
where {COPY} and {ASIDE} and j.key = s.external_id and j.last_seen_at < %(began)s and s.difference <> 'gone'
"""
_TAKE_BACK = """
delete from records_rejectedrecord j using records_shadowrecord s
where {COPY} and {ASIDE} and j.key = s.external_id and s.aside_before is not null and s.reason = ''
"""
_SET_ASIDE = """
insert into records_rejectedrecord as j (tenant_id, connection_id, stream, key, payload, reason, first_seen_at,
    last_seen_at, run_id, request_id)
select s.tenant_id, s.connection_id, s.stream, s.external_id, s.payload, s.reason, %(now)s, %(now)s, %(run)s,
    s.request_id
from records_shadowrecord s where {COPY} and s.reason <> ''
on conflict (tenant_id, connection_id, stream, key) do update set
    payload = excluded.payload, reason = excluded.reason, last_seen_at = excluded.last_seen_at,
    run_id = excluded.run_id, request_id = excluded.request_id
where j.last_seen_at < %(began)s
"""

_LEAVE_ALONE = """
update records_shadowrecord s set difference = 'kept'
where {COPY} and s.difference in ('new', 'changed', 'back', 'gone') and not coalesce((
    select case s.difference
        when 'new' then r.digest = s.digest and r.changed_at = %(applied)s
        when 'changed' then
            r.digest = s.digest and r.changed_at <= %(applied)s and r.missing_since is null and s.before is not null
        when 'back' then r.changed_at <= %(applied)s and r.missing_since is null
        else r.missing_since = %(applied)s end
    from records_record r where {RECORD} and r.external_id = s.external_id
), false)
"""
_DROP_VERSIONS = """
delete from records_recordversion v using records_shadowrecord s, records_record r
where {BOTH} and s.difference = 'changed' and v.tenant_id = r.tenant_id and v.record_id = r.id
    and v.replaced_at = %(applied)s
"""
_PUT_BACK = """
update records_record r set
    ({COLUMNS}, misses, missing_since, changed_at, changed_run_id, changed_request_id)
    = row({OF_BEFORE}, b.misses, b.missing_since, b.changed_at, b.changed_run_id, b.changed_request_id)
from records_shadowrecord s cross join lateral jsonb_populate_record(null::records_record, s.before) b
where {BOTH} and s.difference = 'changed'
"""
_PUT_BACK_TYPED = """
update {TABLE} t set ({NAMES}) = row({CELLS})
from records_shadowrecord s join records_record r on {BOTH}
cross join lateral jsonb_populate_record(null::{TABLE}, s.typed_before) p
where t.record_id = r.id and s.difference = 'changed' and s.typed_before is not null
"""
_TAKE_AWAY = """
delete from records_record r using records_shadowrecord s where {BOTH} and s.difference = 'new'
"""
_MARK_AS_BEFORE = """
update records_record r set missing_since = (s.before ->> 'missing_since')::timestamptz,
    misses = (s.before ->> 'misses')::smallint
from records_shadowrecord s where {BOTH} and s.difference in ('back', 'gone')
"""
_NO_LONGER_ASIDE = """
delete from records_rejectedrecord j using records_shadowrecord s
where {COPY} and {ASIDE} and j.key = s.external_id and j.run_id = %(run)s and s.reason <> ''
"""
_ASIDE_AGAIN = """
insert into records_rejectedrecord (tenant_id, connection_id, stream, key, payload, reason, first_seen_at, last_seen_at,
    run_id, request_id)
select b.tenant_id, b.connection_id, b.stream, b.key, b.payload, b.reason, b.first_seen_at, b.last_seen_at, b.run_id,
    b.request_id
from records_shadowrecord s
cross join lateral jsonb_populate_record(null::records_rejectedrecord, s.aside_before) b
where {COPY} and s.aside_before is not null and s.difference <> 'kept'
on conflict (tenant_id, connection_id, stream, key) do nothing
"""


class Outdated(Exception):
    """A release since has changed what is kept of these records, so the copy no longer fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    new: int
    gone: list[str]  # external ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """`removed` of the records that had been new; `left`: changed since and so left as they are."""

    removed: int
    left: int


class _Swap:
    """The statements over one copy, with the names of the typed table that its stream feeds."""

    def __init__(self, place: Place, stream: Stream, **moments: datetime) -> None:
        table = table_of(stream)
        self.has_typed = table is not None
        self._facts: dict[str, Any] = {**place.facts, **moments, "columns": list(table.columns) if table else []}
        self._words = dict(_WORDS)
        if table is not None:
            self._words |= {
                "TABLE": table.name,
                "NAMES": ", ".join(table.columns),
                "CELLS": table.listed("p"),
                "EXCLUDED": table.listed("excluded"),
            }

    def run(self, *statements: str) -> int:
        """How many rows the last one wrote."""
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.format(**self._words), self._facts)
            return int(cursor.rowcount)

    def rows(self, statement: str, **words: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(**self._words, **words), self._facts)
            return list(cursor.fetchall())

    def refuse_outdated(self, which: str) -> None:
        if self.rows(_IS_OUTDATED, WHICH=which) == [(True,)]:
            raise Outdated


def apply(place: Place, stream: Stream, *, began: datetime, now: datetime) -> Applied:
    """Make the records what the copy says; what they were goes into the copy. `began`: as `shadow.compare` was told.
    Raises Outdated."""
    swap = _Swap(place, stream, began=began, now=now)
    swap.refuse_outdated("typed")
    swap.run(WHOLE, _KEEP)
    if swap.has_typed:
        swap.run(_KEEP_TYPED)
    swap.run(_KEEP_VERSIONS, _CHANGE)
    new = swap.run(_ADD)
    swap.run(_SHOW_AGAIN)
    gone = [external_id for (external_id,) in swap.rows(_MARK_GONE)]
    if swap.has_typed:
        swap.run(_WRITE_TYPED)
    if stream.kind == Kind.BOOKING:
        swap.run(_FORGET_PUBLIC_VERSIONS, _FORGET_PUBLIC)
    swap.run(_KEEP_ASIDE, _TAKE_BACK, _SET_ASIDE)
    return Applied(new=new, gone=gone)


def undo(place: Place, stream: Stream, *, applied: datetime) -> Undone:
    """Make the records what they were before `apply`, but for those that have changed since. Raises Outdated."""
    swap = _Swap(place, stream, applied=applied)
    swap.refuse_outdated("typed_before")
    left = swap.run(WHOLE, _LEAVE_ALONE)
    swap.run(_DROP_VERSIONS, _PUT_BACK)
    if swap.has_typed:
        swap.run(_PUT_BACK_TYPED)
    removed = swap.run(_TAKE_AWAY)
    swap.run(_MARK_AS_BEFORE, _NO_LONGER_ASIDE, _ASIDE_AGAIN)
    return Undone(removed=removed, left=left)
