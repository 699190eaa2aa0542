"""Makes a batch ready to be written, while another is being written: compared with what is stored, interpreted, and put
into the form in which it travels. Reads the database only.

The digests of a batch travel to PostgreSQL first; it answers which are new or different. Only those are interpreted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from integrations.contract import Record, Rejected, Stream
from integrations.records.arrivals import Arrival, Aside, Candidate, read_all, sort_out
from integrations.records.copying import written
from integrations.records.drift import Shapes

# A batch is small beside the table, and each of its keys is to be looked up. Left to itself the planner would now and
# then hash the whole table, or go through all of a tenant's rows: a young table has no statistics, and a new tenant is
# in none of them. The limit within keeps the look-up a look-up; conditions that are worked out only when the statement
# runs, and an order that must not be made by sorting, keep it on the one key that has them all.
KEY = """r.tenant_id = (select %(tenant)s::bigint) and r.connection_id = (select %(connection)s::uuid)
    and r.stream = (select %(stream)s::text)"""
BY_KEY = f"""from records_record r where {KEY} and r.external_id between {{id}} and {{id}}
    order by r.external_id limit 1"""
UNSORTED = "set local enable_sort = off"  # ahead of a statement with BY_KEY
_DIFFERENT = f"""
select s.ord, r.digest is not null
from unnest(%(ids)s::text[]) with ordinality s(external_id, ord)
left join lateral (select r.digest, r.missing_since {BY_KEY.format(id="s.external_id")}) r on true
where r.digest is distinct from substr(%(digests)s::bytea, 16 * s.ord::int - 15, 16) or r.missing_since is not null
order by s.ord
"""  # noqa: S608 - only constants are put together
# The columns of a row, in its order; between the two stand its typed texts, behind them its other typed cells.
TEXTS = ("external_id", "parent_id", "position", "title", "payload", "context", "facets")
OTHERS = ("digest", "is_known", "request")
_encode = msgspec.json.Encoder().encode


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
class Batch:
    """Records ready to be written. `rows` are those of them that are new or changed, in COPY's text format."""

    ids: frozenset[str]  # of all that came
    rows: bytearray
    count: int  # of rows
    has_known: bool  # some of them are stored already
    parents: frozenset[str]  # that they belong to
    private: list[str]  # the ids of those that nobody may know more of
    aside: Aside
    shapes: Shapes

    @property
    def brings_something(self) -> bool:
        return bool(self.count or self.aside)


def prepare(place: Place, stream: Stream, records: Iterable[Record], rejected: Iterable[Rejected] = ()) -> Batch:
    """Make a batch ready, in the tenant's scope; the same id twice means the later one. What is stored under its ids
    must not be changed before it is written."""
    candidates, aside = sort_out(stream, records, rejected)
    shapes = Shapes()
    different, known = _different(place, candidates)
    rows, count, parents, private = bytearray(), 0, set(), []
    for arrival in read_all(stream, different, aside, shapes):  # one by one: thousands weigh more than their rows
        record = arrival.record
        rows += _row(arrival, known).encode()
        count += 1
        if record.parent_id:
            parents.add(record.parent_id)
        if arrival.is_private:
            private.append(record.external_id)
    return Batch(
        ids=frozenset([record.external_id for record, _ in candidates]),
        rows=rows,
        count=count,
        has_known=bool(known),
        parents=frozenset(parents),
        private=private,
        aside=aside,
        shapes=shapes,
    )


def _different(place: Place, candidates: Sequence[Candidate]) -> tuple[list[Candidate], set[str]]:
    """Those that are new or not as they are stored; and the ids of those of them that are stored."""
    if not candidates:
        return [], set()
    ids = [record.external_id for record, _ in candidates]
    digests = b"".join([digest for _, digest in candidates])
    with connection.cursor() as cursor:
        cursor.execute(f"{UNSORTED}; {_DIFFERENT}", {**place.facts, "ids": ids, "digests": digests})
        cursor.nextset()
        found = cursor.fetchall()
    return [candidates[number - 1] for number, _ in found], {ids[number - 1] for number, is_known in found if is_known}


def _row(arrival: Arrival, known: set[str]) -> str:
    record = arrival.record
    texts = (
        record.external_id,
        record.parent_id[:200],
        record.position[:40],
        arrival.title,
        arrival.text,
        _json(record.context),
        _json(arrival.facets),
        *arrival.texts,
    )
    others = record.external_id in known, record.request_id or None, *arrival.others
    return written(texts, arrival.digest, others) + "\n"


def _json(value: Mapping[str, str]) -> str:
    return _encode(dict(value)).decode() if value else "{}"
