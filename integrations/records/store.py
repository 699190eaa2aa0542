"""Writes what was read: in bulk, and only what changed.

The digests of a batch travel to PostgreSQL first; it answers which are new or different. Only those are interpreted
and sent whole. An unchanged record costs no write at all.
"""

import dataclasses
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Q, QuerySet

from integrations.connections.models import Connection
from integrations.contract import Record, Rejected, Stream
from integrations.errors import RecordRejected
from integrations.records import drift, models
from integrations.records.drift import Shapes
from integrations.values import Billing, Booking, Kind, TypedValue, WorkOrder

_logger = logging.getLogger(__name__)
_TOO_MUCH = Decimal(10) ** 14 - 1  # numeric(18, 4), whatever it is rounded to
_SEEN = "create temp table if not exists seen (ord int, external_id text, digest bytea) on commit delete rows"
_ARRIVING = """
create temp table if not exists arriving
    (external_id text, parent_id text, position text, title text, payload text, context jsonb, facets jsonb,
    digest bytea) on commit delete rows
"""
# A batch is small beside the table: look each key up. Without statistics on the staging table the planner would
# otherwise hash the whole table for every batch.
BY_KEY = "set local enable_hashjoin = off; set local enable_mergejoin = off"
_PLACE = "tenant_id = %(tenant)s and connection_id = %(connection)s and stream = %(stream)s"
_DIFFERENT = f"""
select s.ord from seen s
left join lateral (
    select digest, missing_since from records_record where {_PLACE} and external_id = s.external_id
) r on true
where r.digest is distinct from s.digest or r.missing_since is not null order by s.ord
"""  # noqa: S608 - only constants are put together
_KEEP_VERSION = f"""
insert into records_recordversion (tenant_id, record_id, payload, context, seen_at, replaced_at, run_id)
select r.tenant_id, r.id, r.payload, r.context, r.changed_at, now(), r.changed_run_id
from arriving a
cross join lateral (select * from records_record where {_PLACE} and external_id = a.external_id) r
where r.payload <> a.payload or r.context <> a.context
"""  # noqa: S608 - only constants are put together
_MERGE = """
insert into records_record (tenant_id, connection_id, stream, external_id, parent_id, position, title, payload, context,
    facets, digest, first_seen_at, changed_at, first_run_id, changed_run_id, misses)
select %(tenant)s, %(connection)s, %(stream)s, external_id, parent_id, position, title, payload, context,
    facets, digest, now(), now(), %(run)s, %(run)s, 0
from arriving
on conflict (tenant_id, connection_id, stream, external_id) do update set
    parent_id = excluded.parent_id, position = excluded.position, title = excluded.title, payload = excluded.payload,
    context = excluded.context, facets = excluded.facets, digest = excluded.digest, misses = 0, missing_since = null,
    (changed_at, changed_run_id) = (
        select case when is_same then records_record.changed_at else excluded.changed_at end,
            case when is_same then records_record.changed_run_id else excluded.changed_run_id end
        from (select records_record.payload = excluded.payload and records_record.context = excluded.context) s(is_same)
    )
returning external_id, id, xmax = 0
"""
_SET_ASIDE = """
insert into records_rejectedrecord (tenant_id, connection_id, stream, key, payload, origin, reason, first_seen_at,
    last_seen_at, run_id)
values (%(tenant)s, %(connection)s, %(stream)s, %(key)s, %(payload)s, %(origin)s, %(reason)s, now(), now(), %(run)s)
on conflict (tenant_id, connection_id, stream, key) do update set payload = excluded.payload, origin = excluded.origin,
    reason = excluded.reason, last_seen_at = now(), run_id = excluded.run_id
"""
_MOST_ASIDE = 1000  # of a stream are kept: more of them tell a developer no more
_MOST_OF_IT = 100_000  # bytes of its payload
_DROP_OLDEST = f"""
delete from records_rejectedrecord where id in (
    select id from records_rejectedrecord where {_PLACE} order by last_seen_at desc, id desc offset %(most)s
)
"""  # noqa: S608 - only constants are put together
_FORGET_COPIES = """
delete from records_shadowrecord s using records_record r
where r.id = any(%s) and s.tenant_id = r.tenant_id and s.connection_id = r.connection_id and s.stream = r.stream
    and s.external_id = r.external_id
"""
_TAKE_BACK = f"delete from records_rejectedrecord where {_PLACE} and key = any(%(keys)s)"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where records go: whose, from where, brought by which run, in a first copy or later."""

    tenant_id: int
    connection_id: UUID
    stream: str
    run_id: int
    is_first_copy: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant_id,
            "connection": self.connection_id,
            "stream": self.stream,
            "run": self.run_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What came of a batch. What is in none of these counts was unchanged. `parents` are the ids of the things that
    its new and changed records belong to."""

    new: int = 0
    changed: int = 0
    rejected: int = 0
    parents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record as it is kept."""

    record: Record
    digest: bytes
    text: str
    title: str
    facets: dict[str, str]
    value: TypedValue | None


class SetAside(NamedTuple):
    """What is set aside; `record` where it could be told apart."""

    key: str
    payload: bytes
    reason: str
    record: Record | None = None


Candidate = tuple[Record, bytes]  # with its digest
Aside = list[SetAside]


def store(place: Place, stream: Stream, records: Iterable[Record], rejected: Iterable[Rejected] = ()) -> Stored:
    """Store a batch in the current transaction and tenant scope; the same id twice means the later one. Raises
    VendorChanged when the records have lost what they are known by (`Stream.keys`)."""
    candidates, aside = sort_out(stream, records, rejected)
    shapes = Shapes()
    arrivals = read_all(stream, _different(place, candidates), aside, shapes)
    drift.require_keys(place.facts, stream, shapes)
    new = _merge(place, arrivals) if arrivals else 0
    _set_aside(place, aside)
    drift.note(place.facts, shapes, is_first_copy=place.is_first_copy)
    return Stored(
        new=new,
        changed=len(arrivals) - new,
        rejected=len(aside),
        parents=frozenset(arrival.record.parent_id for arrival in arrivals if arrival.record.parent_id),
    )


def sort_out(stream: Stream, records: Iterable[Record], rejected: Iterable[Rejected]) -> tuple[list[Candidate], Aside]:
    """The records with their digests, and what cannot even be told apart; the same id twice means the later one."""
    latest = {record.external_id: record for record in records}
    shape = _shape_of(stream)
    candidates = [(record, digest_of(record, shape)) for record in latest.values() if is_usable_id(record.external_id)]
    aside = [SetAside(_digest(item.payload).hex(), item.payload, item.reason) for item in rejected]
    aside += [
        SetAside(
            _digest(record.payload).hex(), record.payload, "Its id is too long or holds characters that no id has."
        )
        for record in latest.values()
        if not is_usable_id(record.external_id)
    ]
    return candidates, aside


def read_all(stream: Stream, candidates: Iterable[Candidate], aside: Aside, shapes: Shapes) -> list[Arrival]:
    """The candidates as they are kept; what cannot be read is added to `aside`, the fields of all to `shapes`."""
    arrivals = []
    for record, digest in candidates:
        try:
            arrivals.append(_read(stream, record, digest, shapes))
        except RecordRejected as refusal:
            aside.append(SetAside(record.external_id, record.payload, refusal.words, record))
    return arrivals


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


def is_usable_id(external_id: str) -> bool:
    """Whether PostgreSQL and our columns take it."""
    return 0 < len(external_id) <= 200 and "\0" not in external_id


def digest_of(record: Record, shape: bytes = b"") -> bytes:
    """blake2b-16 of the vendor's bytes, what was known beside them, and what is kept of them (`shape`): a release that
    keeps more finds its records different and writes them anew."""
    if not (record.context or record.parent_id or record.position or shape):
        return _digest(record.payload)
    beside = [sorted(record.context.items()), record.parent_id, record.position]
    return _digest(record.payload + b"\0" + msgspec.json.encode(beside) + shape)


def _shape_of(stream: Stream) -> bytes:
    return "\0".join(column.path for column in stream.columns if column.is_filter).encode()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _different(place: Place, candidates: Sequence[Candidate]) -> list[Candidate]:
    if not candidates:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SEEN)
        with cursor.copy("copy seen from stdin") as copy:
            for number, (record, digest) in enumerate(candidates):
                copy.write_row((number, record.external_id, digest))
        cursor.execute(BY_KEY)
        cursor.execute(_DIFFERENT, place.facts)
        return [candidates[row[0]] for row in cursor.fetchall()]


def _read(stream: Stream, record: Record, digest: bytes, shapes: Shapes) -> Arrival:
    """Raises RecordRejected for what PostgreSQL or the stream's own reading cannot take."""
    try:
        text = record.payload.decode()
        fields = msgspec.json.decode(record.payload)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as mistake:
        raise RecordRejected(f"It is not readable JSON ({mistake}).") from mistake
    shapes.add(fields)
    record = _storable(record)
    value = _sensible(_interpret(stream, record)) if stream.kind else None
    title = _title(stream, fields, value)
    return Arrival(record, digest, text, title, _facets(stream, fields), value)


def _storable(record: Record) -> Record:
    """The record without what the database does not take beside its payload."""
    is_child = not record.parent_id or is_usable_id(record.parent_id)
    if is_child and "\0" not in record.position and not any("\0" in text for text in record.context.values()):
        return record
    return dataclasses.replace(
        record,
        parent_id=record.parent_id if is_child else "",
        position=_clean(record.position, 40),
        context={name: text.replace("\0", "") for name, text in record.context.items()},
    )


def _interpret(stream: Stream, record: Record) -> TypedValue:
    try:
        return stream.interpret(record.payload, record.context)
    except RecordRejected:
        raise
    except Exception as mistake:  # of ours: it may cost this one record, not all that come with it
        _logger.error("a record of %s was not understood: %s", stream.key, type(mistake).__name__)
        raise RecordRejected("It is written in a way that our reading of it did not expect.") from mistake


def _sensible(value: TypedValue) -> TypedValue:
    """The value without days at the ends of the calendar, which are written where there is none and in some zones are
    no day at all. Raises RecordRejected for what cannot be kept: it would otherwise take the whole batch with it."""
    absent: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        part = getattr(value, field.name)
        if isinstance(part, Decimal) and not (part.is_finite() and abs(part) < _TOO_MUCH):
            raise RecordRejected(f"Its {field.name.replace('_', ' ')} is not an amount anyone owes.")
        if isinstance(part, date) and not 1 < part.year < 9999:
            absent[field.name] = None
    if "starts_at" in absent:
        raise RecordRejected("Its start is not a day anyone means.")
    return dataclasses.replace(value, **absent) if absent else value


def _title(stream: Stream, fields: Any, value: TypedValue | None) -> str:
    if value is not None:
        return value.title.replace("\0", "")[:300]
    return _text_at(fields, stream.columns[0].path)[:300] if stream.columns else ""


def _facets(stream: Stream, fields: Any) -> dict[str, str]:
    found = {column.path: _text_at(fields, column.path)[:100] for column in stream.columns if column.is_filter}
    return {path: text for path, text in found.items() if text}


def _text_at(fields: Any, path: str) -> str:
    """What stands there, as text; "" for nothing and for what is no single value. Yes and No for a mark."""
    for part in path.split("."):
        fields = fields.get(part) if isinstance(fields, dict) else None
    if fields is None or isinstance(fields, dict | list):
        return ""
    if isinstance(fields, bool):
        return "Yes" if fields else "No"
    return _clean(str(fields).strip(), 1000)


def _merge(place: Place, arrivals: Sequence[Arrival]) -> int:
    """How many of them were new."""
    facts = place.facts
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVING)
        with cursor.copy("copy arriving from stdin") as copy:
            for arrival in arrivals:
                record = arrival.record
                context = msgspec.json.encode(dict(record.context)).decode()
                facets = msgspec.json.encode(arrival.facets).decode()
                place_in_it = (record.external_id, record.parent_id[:200], record.position[:40])
                copy.write_row((*place_in_it, arrival.title, arrival.text, context, facets, arrival.digest))
        cursor.execute(_KEEP_VERSION, facts)
        cursor.execute(_MERGE, facts)
        merged = {external_id: (record_id, is_new) for external_id, record_id, is_new in cursor.fetchall()}
        cursor.execute("truncate arriving")
        cursor.execute(_TAKE_BACK, {**facts, "keys": list(merged)})
    typed = [
        (merged[arrival.record.external_id][0], arrival.value) for arrival in arrivals if arrival.value is not None
    ]
    if typed:
        _merge_typed(place, typed)
    _forget_what_was_public(
        [record_id for record_id, value in typed if isinstance(value, Booking) and value.is_private]
    )
    return sum(is_new for _, is_new in merged.values())


def _forget_what_was_public(record_ids: Sequence[int]) -> None:
    """What a booking said before it became private is kept no longer."""
    if record_ids:
        models.RecordVersion.objects.filter(record_id__in=record_ids).delete()
        with connection.cursor() as cursor:
            cursor.execute(_FORGET_COPIES, [list(record_ids)])


def _set_aside(place: Place, aside: Aside) -> None:
    if not aside:
        return
    latest = {item.key: item for item in aside[-_MOST_ASIDE:]}
    with connection.cursor() as cursor:
        cursor.executemany(_SET_ASIDE, [{**place.facts, **aside_facts(item)} for item in latest.values()])
        cursor.execute(_DROP_OLDEST, {**place.facts, "most": _MOST_ASIDE})


def aside_facts(item: SetAside) -> dict[str, str | None]:
    """What is kept of something that is set aside; what came beside it only with the payload as it was."""
    text = item.payload[:_MOST_OF_IT].decode(errors="backslashreplace").replace("\0", "\\0")
    origin = _origin_of(item.record) if item.record and text.encode() == item.payload else None
    return {"key": _clean(item.key, 200), "payload": text, "origin": origin, "reason": _clean(item.reason, 500)}


def _origin_of(record: Record) -> str:
    record = _storable(record)
    beside = {"context": dict(record.context), "parent_id": record.parent_id, "position": record.position}
    return msgspec.json.encode(beside).decode()


TABLES: dict[type, tuple[type[models.Typed], tuple[str, ...]]] = {
    WorkOrder: (models.WorkOrder, ("number", "title", "customer", "location", "assignee")),
    Booking: (models.Booking, ("title", "resource", "location", "organiser")),
    Billing: (models.Billing, ("number", "title", "account")),
}
_LIMITS = {"description": 10_000, "currency": 3, "zone": 50, "deal_id": 200}


def _merge_typed(place: Place, typed: Sequence[tuple[int, TypedValue]]) -> None:
    """Write the typed rows beside their records; a stream brings one kind only."""
    model, searched = TABLES[type(typed[0][1])]
    names = tuple(field.name for field in dataclasses.fields(typed[0][1]))
    table, staging = model._meta.db_table, f"arriving_{model._meta.model_name}"
    columns = ("record_id", "tenant_id", "connection_id", "search", *names)
    listed = ", ".join(columns)
    updates = ", ".join(f"{name} = excluded.{name}" for name in ("search", *names))
    with connection.cursor() as cursor:
        cursor.execute(
            f"create temp table if not exists {staging} (like {table} including defaults) on commit delete rows"
        )
        with cursor.copy(f"copy {staging} ({listed}) from stdin") as copy:
            for record_id, value in typed:
                cells = typed_cells(value, names, searched)
                copy.write_row((record_id, place.tenant_id, place.connection_id, *cells))
        cursor.execute(
            f"insert into {table} ({listed}) select {listed} from {staging} "  # noqa: S608 - names of our own tables
            f"on conflict (record_id) do update set {updates}"
        )
        cursor.execute(f"truncate {staging}")


def typed_cells(value: TypedValue, names: Sequence[str], searched: Sequence[str]) -> list[Any]:
    """What the search box looks in, then the named columns."""
    search = " ".join(filter(None, (getattr(value, name) for name in searched))).lower()
    return [_clean(search, 2000), *(_cell(name, getattr(value, name)) for name in names)]


def _cell(name: str, value: Any) -> Any:
    return _clean(str(value), _LIMITS.get(name, 500)) if isinstance(value, str) else value


def _clean(text: str, length: int) -> str:
    return text.replace("\0", "")[:length]
