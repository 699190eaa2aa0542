"""Writes what was read: in bulk, and only what changed. An unchanged record costs no write at all."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet

from integrations.connections.models import Connection
from integrations.contract import Record, Rejected, Stream
from integrations.records import drift, models
from integrations.records.arrivals import Aside, aside_facts, typed_table
from integrations.records.batches import BY_KEY, KEY, OTHERS, TEXTS, UNSORTED, Batch, Place, prepare
from integrations.records.copying import copy_rows
from integrations.values import Kind

_PLACE = "tenant_id = %(tenant)s and connection_id = %(connection)s and stream = %(stream)s"
_ARRIVING = """
create temp table if not exists {arriving} as
select r.external_id, r.parent_id, r.position, r.title, r.payload, r.context, r.facets, r.digest, false as is_known,
    null::uuid as request {typed_columns}
from records_record r {typed_rows} with no data
"""
_KEEP_VERSION = f"""
insert into records_recordversion (tenant_id, record_id, payload, context, seen_at, replaced_at, run_id, request_id)
select r.tenant_id, r.id, r.payload, r.context, r.changed_at, now(), r.changed_run_id, r.changed_request_id
from {{arriving}} a
cross join lateral (select r.* {BY_KEY.format(id="a.external_id")}) r
where a.is_known and (r.payload <> a.payload or r.context <> a.context)
"""  # noqa: S608 - only constants are put together
_ADD = """
with merged as (
    insert into records_record (tenant_id, connection_id, stream, external_id, parent_id, position, title, payload,
        context, facets, digest, first_seen_at, changed_at, first_run_id, changed_run_id, changed_request_id, misses)
    select %(tenant)s, %(connection)s, %(stream)s, external_id, parent_id, position, title, payload,
        context, facets, digest, now(), now(), %(run)s, %(run)s, request, 0
    from {arriving} {replacing}
    returning external_id, id, xmax = 0 as is_new
), taken_back as (
    delete from records_rejectedrecord r using {arriving} a where {KEY} and r.key = a.external_id
) {typed}
select count(*) filter (where is_new) from merged
"""
_REPLACING = """on conflict (tenant_id, connection_id, stream, external_id) do update set
        parent_id = excluded.parent_id, position = excluded.position, title = excluded.title,
        payload = excluded.payload, context = excluded.context, facets = excluded.facets, digest = excluded.digest,
        misses = 0, missing_since = null,
        (changed_at, changed_run_id, changed_request_id) = (
            select case when is_same then records_record.changed_at else excluded.changed_at end,
                case when is_same then records_record.changed_run_id else excluded.changed_run_id end,
                case when is_same then records_record.changed_request_id else excluded.changed_request_id end
            from (
                select records_record.payload = excluded.payload and records_record.context = excluded.context
            ) s(is_same)
        )"""
_ADD_TYPED = """, typed as (
    insert into {table} (record_id, tenant_id, connection_id, {columns})
    select m.id, %(tenant)s, %(connection)s, {arrived} from merged m join {arriving} a using (external_id)
    {replacing}
)"""
_REPLACING_TYPED = "on conflict (record_id) do update set {updates}"
_SET_ASIDE = """
insert into records_rejectedrecord (tenant_id, connection_id, stream, key, payload, origin, reason, first_seen_at,
    last_seen_at, run_id, request_id)
values (%(tenant)s, %(connection)s, %(stream)s, %(key)s, %(payload)s, %(origin)s, %(reason)s, now(), now(), %(run)s,
    %(request)s)
on conflict (tenant_id, connection_id, stream, key) do update set payload = excluded.payload, origin = excluded.origin,
    reason = excluded.reason, last_seen_at = now(), run_id = excluded.run_id, request_id = excluded.request_id
"""
_MOST_ASIDE = 1000  # of a stream are kept: more of them tell a developer no more
_DROP_OLDEST = f"""
delete from records_rejectedrecord where id in (
    select id from records_rejectedrecord where {_PLACE} order by last_seen_at desc, id desc offset %(most)s
)
"""  # noqa: S608 - only constants are put together
_OF_PRIVATE = f"{KEY} and r.external_id = any(%(private)s)"
_FORGET_VERSIONS = f"""
delete from records_recordversion v using records_record r
where {_OF_PRIVATE} and v.tenant_id = r.tenant_id and v.record_id = r.id
"""  # noqa: S608 - only constants are put together
_FORGET_COPIES = f"delete from records_shadowrecord r where {_OF_PRIVATE}"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What came of a batch. What is in none of these counts was unchanged. `parents` are the ids of the things that
    its new and changed records belong to."""

    new: int = 0
    changed: int = 0
    rejected: int = 0
    parents: frozenset[str] = frozenset()


def store(place: Place, stream: Stream, records: Iterable[Record], rejected: Iterable[Rejected] = ()) -> Stored:
    """Compare a batch with what is stored, and write it."""
    return write(place, stream, prepare(place, stream, records, rejected))


def write(place: Place, stream: Stream, batch: Batch) -> Stored:
    """Write a batch in the current transaction and tenant scope. Raises VendorChanged when the records have lost what
    they are known by (`Stream.keys`)."""
    drift.require_keys(place.facts, stream, batch.shapes)
    new = _merge(place, stream.kind, batch) if batch.count else 0
    _forget_what_was_public(place, batch.private)
    _set_aside(place, batch.aside)
    drift.note(place.facts, batch.shapes, is_first_copy=place.is_first_copy)
    return Stored(new=new, changed=batch.count - new, rejected=len(batch.aside), parents=batch.parents)


def forget(connection_id: UUID, tenant_id: int, stream: str) -> None:
    """Delete what is kept of a stream, with every earlier version, every copy and what was set aside."""
    of_stream = {"tenant_id": tenant_id, "connection_id": connection_id, "stream": stream}
    _delete(models.Record.objects.filter(**of_stream))
    _delete(models.ShadowRecord.objects.filter(**of_stream))
    models.RejectedRecord.objects.filter(**of_stream).delete()
    models.KnownField.objects.filter(**of_stream).delete()


def forget_old(tenant_id: int, vendor: str, stream: Stream, before: datetime) -> None:
    """Delete the records of that stream that lie before then, in every connection of the tenant to that vendor, and
    what was set aside by then."""
    of_stream = {"tenant_id": tenant_id, "connection__vendor": vendor, "stream": stream.key}
    records = models.Record.objects.filter(**of_stream)
    is_old = Q(position__gt="", position__lt=before.date().isoformat())
    if stream.kind == Kind.BOOKING:
        bookings = models.Booking.objects.filter(tenant_id=tenant_id, starts_at__lt=before)
        is_old |= Q(pk__in=bookings.values("record"))
    _delete(models.Record.objects.filter(tenant_id=tenant_id, pk__in=records.filter(is_old).values("pk")))
    copies = models.ShadowRecord.objects.filter(tenant_id=tenant_id, stream=stream.key)
    of_vendor = Connection.objects.filter(tenant_id=tenant_id, vendor=vendor).values("pk")
    _delete(copies.filter(connection__in=of_vendor, position__gt="", position__lt=before.date().isoformat()))
    models.RejectedRecord.objects.filter(**of_stream, last_seen_at__lt=before).delete()


def _delete(records: QuerySet[models.Record] | QuerySet[models.ShadowRecord]) -> None:
    """The database follows its keys: versions and typed rows go too, and nothing is read for it."""
    records._raw_delete(records.db)


def _merge(place: Place, kind: Kind | None, batch: Batch) -> int:
    """How many of them were new. A batch is of one kind only."""
    statements = _statements(kind)
    with connection.cursor() as cursor:
        cursor.execute(statements.arriving)
        copy_rows(cursor, statements.table, statements.columns, batch.rows)
        if batch.has_known:
            cursor.execute(f"{UNSORTED}; {statements.keep_version}", place.facts)
        else:
            with suppress(IntegrityError), transaction.atomic():  # a person let one of them be stored since
                return _count(cursor, f"{statements.add}; truncate {statements.table}", place)
        return _count(cursor, f"{statements.merge}; truncate {statements.table}", place)


def _count(cursor: CursorWrapper, statement: str, place: Place) -> int:
    cursor.execute(statement, place.facts)
    return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    """Those that bring in records of one kind, by way of the temporary table `table`: `add` for a batch
    that is all new, `merge` for any."""

    table: str
    columns: tuple[str, ...]
    arriving: str
    keep_version: str
    add: str
    merge: str


@cache
def _statements(kind: Kind | None) -> _Statements:
    words = {"arriving": "arriving", "KEY": KEY, "typed_columns": "", "typed_rows": ""}
    typed = typed_replacing = ""
    columns: tuple[str, ...] = (*TEXTS, *OTHERS)
    if kind:
        table = typed_table(kind)
        words |= {
            "arriving": f"arriving_{kind}",
            "table": table.name,
            "columns": ", ".join(table.columns),
            "arrived": ", ".join(f"a.typed_{name}" for name in table.columns),
            "updates": ", ".join(f"{name} = excluded.{name}" for name in table.columns),
            "typed_columns": "".join(f", t.{name} as typed_{name}" for name in table.columns),
            "typed_rows": f"join {table.name} t on false",
        }
        typed_texts, typed_others = (tuple(f"typed_{name}" for name in part) for part in (table.texts, table.others))
        columns = (*TEXTS, *typed_texts, *OTHERS, *typed_others)
        typed = _ADD_TYPED.format(**words, replacing="")
        typed_replacing = _ADD_TYPED.format(**words, replacing=_REPLACING_TYPED.format(**words))
    return _Statements(
        table=words["arriving"],
        columns=columns,
        arriving=_ARRIVING.format(**words),
        keep_version=_KEEP_VERSION.format(**words),
        add=_ADD.format(**words, replacing="", typed=typed),
        merge=_ADD.format(**words, replacing=_REPLACING, typed=typed_replacing),
    )


def _forget_what_was_public(place: Place, private: Sequence[str]) -> None:
    """What a booking said before it became private is kept no longer."""
    if private:
        facts = {**place.facts, "private": list(private)}
        with connection.cursor() as cursor:
            cursor.execute(_FORGET_VERSIONS, facts)
            cursor.execute(_FORGET_COPIES, facts)


def _set_aside(place: Place, aside: Aside) -> None:
    if not aside:
        return
    latest = {item.key: item for item in aside[-_MOST_ASIDE:]}
    with connection.cursor() as cursor:
        cursor.executemany(_SET_ASIDE, [{**place.facts, **aside_facts(item)} for item in latest.values()])
        cursor.execute(_DROP_OLDEST, {**place.facts, "most": _MOST_ASIDE})
