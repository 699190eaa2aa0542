"""A second copy of a stream: filled beside the one that the pages show, and compared with it.

A record that is the same in both costs one small row. Every statement works on the whole copy at once, so memory does
not grow with it. Call in the tenant's scope; `Place.run_id` names the copy.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from integrations.contract import Record, Rejected, Stream
from integrations.records.arrivals import Arrival, Aside, TypedTable, aside_facts, read_all, sort_out, table_of
from integrations.records.batches import BY_KEY, UNSORTED, Place
from integrations.records.drift import Shapes
from integrations.records.models import Difference
from integrations.records.store import Stored

RECORD = "r.tenant_id = %(tenant)s and r.connection_id = %(connection)s and r.stream = %(stream)s"
COPY = "s.tenant_id = %(tenant)s and s.connection_id = %(connection)s and s.stream = %(stream)s and s.run_id = %(run)s"
# The copy is too young to have statistics: taken for small, it would be gone through once for every record.
WHOLE = "set local enable_nestloop = off"
# A batch is small beside the tables: look each key up.
_EACH_BY_KEY = f"set local enable_hashjoin = off; set local enable_mergejoin = off; {UNSORTED}"
_SHADOWING = """
create temp table if not exists shadowing (external_id text, parent_id text, position text, title text, payload text,
    context jsonb, facets jsonb, digest bytea, typed jsonb, reason text, request uuid)
"""
_FILL = """
insert into records_shadowrecord (tenant_id, connection_id, stream, external_id, run_id, difference, parent_id,
    position, title, payload, context, facets, digest, typed, reason, request_id)
select %(tenant)s, %(connection)s, %(stream)s, s.external_id, %(run)s,
    case when s.reason <> '' then 'aside' when is_same then 'same' when r.id is null then 'new' else 'changed' end,
    s.parent_id, s.position, s.title, case when not is_same then s.payload end,
    case when not is_same then s.context end, case when not is_same then s.facets end, s.digest,
    case when not is_same then s.typed end, s.reason, s.request
from shadowing s
left join lateral (select r.* {FOUND}) r on true {typed}
cross join lateral (select r.id is not null and s.reason = '' and {same} as is_same) found
on conflict (tenant_id, connection_id, stream, external_id, run_id) do update set
    difference = excluded.difference, parent_id = excluded.parent_id, position = excluded.position,
    title = excluded.title, payload = excluded.payload, context = excluded.context, facets = excluded.facets,
    digest = excluded.digest, typed = excluded.typed, reason = excluded.reason,
    request_id = excluded.request_id
returning difference
"""
_COMPARE = """
update records_shadowrecord s set difference = found.difference
from (
    select s.external_id, case
        when s.reason <> '' then 'aside'
        when r.id is null and s.payload is not null then 'new'
        when r.missing_since >= %(began)s then 'kept'
        when s.payload is null or {same} then case when r.missing_since is null then 'same' else 'back' end
        when r.digest <> s.digest and r.changed_at >= %(began)s then 'kept'
        else 'changed'
    end as difference
    from records_shadowrecord s left join records_record r on {RECORD} and r.external_id = s.external_id {typed}
    where {COPY}
) found
where {COPY} and s.external_id = found.external_id and s.difference <> found.difference
"""
_DROP_GONE = f"delete from records_shadowrecord s where {COPY} and s.difference = 'gone'"  # noqa: S608
_SPAN = f"""
select min(s.position collate "C"), max(s.position collate "C") from records_shadowrecord s
where {COPY} and s.position <> ''
"""  # noqa: S608 - only constants are put together
_UNSEEN = f"""
from records_record r
where {RECORD} and r.missing_since is null and r.changed_at < %(began)s
    and not exists (select from records_shadowrecord s where {COPY} and s.external_id = r.external_id)
"""
_IS_COVERED = """
case when %(first)s::text is null then r.position = ''
    else r.position collate "C" between %(first)s::text and %(last)s::text end
"""
_GONE = f"""
insert into records_shadowrecord (tenant_id, connection_id, stream, external_id, run_id, difference, parent_id,
    position, title, reason)
select r.tenant_id, r.connection_id, r.stream, r.external_id, %(run)s, 'gone', r.parent_id, r.position, r.title, ''
{_UNSEEN} and {_IS_COVERED}
"""
_OUTSIDE = f"select count(*) {_UNSEEN} and not {_IS_COVERED}"
_COUNT = f"select s.difference, count(*) from records_shadowrecord s where {COPY} group by 1"  # noqa: S608


_READINGS = """
select s.external_id, (to_jsonb(t) - %(hidden)s::text[])::text, (to_jsonb(p) - %(hidden)s::text[])::text
from records_shadowrecord s join records_record r on {RECORD} and r.external_id = s.external_id {typed}
where {COPY} and s.external_id = any(%(ids)s) and s.typed is not null and t.record_id is not null
"""


def fill(place: Place, stream: Stream, records: Iterable[Record], rejected: Iterable[Rejected] = ()) -> Stored:
    """Put a batch into the copy; what is counted as new or changed differs from what the pages show now."""
    candidates, aside = sort_out(stream, records, rejected)
    table = table_of(stream)
    arrivals = list(read_all(stream, candidates, aside, Shapes()))
    rows = {row[0]: row for row in (*_rows(arrivals, table), *_aside_rows(aside))}
    with connection.cursor() as cursor:
        cursor.execute(_SHADOWING)
        with connection.wrap_database_errors, cursor.copy("copy shadowing from stdin") as copy:
            for row in rows.values():
                copy.write_row(row)
        cursor.execute(_EACH_BY_KEY)
        cursor.execute(with_typed(_FILL, table), place.facts)
        found = Counter(difference for (difference,) in cursor.fetchall())
        cursor.execute("truncate shadowing")
    return Stored(new=found["new"], changed=found["changed"], rejected=found["aside"])


def compare(place: Place, stream: Stream, began: datetime) -> dict[str, int]:
    """Say of every record of the copy what using it would do, with the records as they are now; how many of each.

    What the regular syncs changed since `began` they know better. A record that the copy has not is gone, unless it
    lies outside of what the reading covered: before the first or after the last position it met.
    """
    facts: dict[str, Any] = {**place.facts, "began": began}
    with connection.cursor() as cursor:
        cursor.execute(WHOLE)
        cursor.execute(_DROP_GONE, facts)
        cursor.execute(with_typed(_COMPARE, table_of(stream)), facts)
        cursor.execute(_SPAN, facts)
        facts["first"], facts["last"] = cursor.fetchone()
        cursor.execute(_GONE, facts)
        cursor.execute(_OUTSIDE, facts)
        counts = {"outside": cursor.fetchone()[0]}
        cursor.execute(_COUNT, facts)
        return counts | dict.fromkeys(Difference.values, 0) | dict(cursor.fetchall())


def readings(place: Place, stream: Stream, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The typed rows of these records as JSON: as they are, and as the copy has them. None where nothing differs."""
    table = table_of(stream)
    if table is None:
        return {}
    hidden = ["record_id", "tenant_id", "connection_id", "search"]
    with connection.cursor() as cursor:
        cursor.execute(with_typed(_READINGS, table), {**place.facts, "ids": list(ids), "hidden": hidden})
        return {external_id: (before, after) for external_id, before, after in cursor.fetchall()}


def _rows(arrivals: Iterable[Arrival], table: TypedTable | None) -> Iterator[tuple[Any, ...]]:
    for arrival in arrivals:
        record = arrival.record
        typed = None
        if table is not None:
            typed = _json(dict(zip(table.columns, (*arrival.texts, *arrival.others), strict=True)))
        yield (
            record.external_id,
            record.parent_id[:200],
            record.position[:40],
            arrival.title,
            arrival.text,
            _json(dict(record.context)),
            _json(arrival.facets),
            arrival.digest,
            typed,
            "",
            record.request_id or None,
        )


def _aside_rows(aside: Aside) -> Iterator[tuple[Any, ...]]:
    for item in aside:
        facts = aside_facts(item)
        yield (facts["key"], "", "", "", facts["payload"], None, None, None, None, facts["reason"], facts["request"])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def with_typed(statement: str, table: TypedTable | None) -> str:
    """The statement with the typed rows joined: t as it is, p as the copy has it."""
    same = "r.digest = s.digest and r.title = s.title and r.facets = s.facets"
    typed = ""
    if table is not None:
        typed = (
            f" left join {table.name} t on t.record_id = r.id left join lateral {table.populated('s.typed')} p on true"
        )
        same += f" and row({table.listed('t')}) is not distinct from row({table.listed('p')})"
    return statement.format(RECORD=RECORD, COPY=COPY, FOUND=BY_KEY.format(id="s.external_id"), typed=typed, same=same)
