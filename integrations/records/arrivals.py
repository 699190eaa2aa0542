"""Reads what arrived, before anything is written: told apart, given a digest, interpreted. Pure.

What cannot be told apart or read is set aside with its reason; the rest of the batch goes on.
"""

import hashlib
import logging
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter, gt
from typing import Any, NamedTuple

import msgspec

from integrations.contract import Record, Rejected, Stream
from integrations.errors import RecordRejected
from integrations.records import models
from integrations.records.drift import Shapes
from integrations.values import Billing, Booking, Kind, TypedValue, WorkOrder

_logger = logging.getLogger(__name__)
_TOO_MUCH = Decimal(10) ** 14 - 1  # numeric(18, 4), whatever it is rounded to
_LENGTHS = {"search": 2000, "description": 10_000, "currency": 3, "zone": 50, "deal_id": 200}
_LENGTH = 500
_NOTHING_BESIDE = b'[[],"",""]'
_MOST_OF_IT = 100_000  # bytes that are kept of a payload set aside
_MODELS: dict[Kind, tuple[type, type[models.Typed], tuple[str, ...]]] = {
    Kind.WORK_ORDER: (WorkOrder, models.WorkOrder, ("number", "title", "customer", "location", "assignee")),
    Kind.BOOKING: (Booking, models.Booking, ("title", "resource", "location", "organiser")),
    Kind.BILLING: (Billing, models.Billing, ("number", "title", "account")),
}


class Arrival(NamedTuple):
    """A record as it is kept. `texts` and `others` are the cells of its typed row, in the order of
    `TypedTable.columns`; empty where its stream has none."""

    record: Record
    digest: bytes
    text: str
    title: str
    facets: dict[str, str]
    texts: tuple[str, ...] = ()
    others: tuple[Any, ...] = ()
    is_private: bool = False


class SetAside(NamedTuple):
    """What is set aside; `record` where it could be told apart."""

    key: str
    payload: bytes
    reason: str
    record: Record | None = None


Candidate = tuple[Record, bytes]  # with its digest
Aside = list[SetAside]


class TypedTable:
    """The table of one kind, and how a value becomes a row of it. `columns` are what is read from a record: the
    `texts`, first of them what the search box looks in, then the `others`."""

    def __init__(self, kind: Kind) -> None:
        value, model, searched = _MODELS[kind]
        hints = typing.get_type_hints(value)
        texts = [name for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, str)]
        others = [name for name in hints if name not in texts]
        self.name = model._meta.db_table
        self.texts, self.others = ("search", *texts), tuple(others)
        self.columns = (*self.texts, *self.others)
        self._texts_of: Callable[[Any], tuple[str, ...]] = attrgetter(*texts)
        self._others_of: Callable[[Any], tuple[Any, ...]] = attrgetter(*others)
        self._searched_of: Callable[[Any], tuple[str, ...]] = attrgetter(*searched)
        self._lengths = [_LENGTHS.get(name, _LENGTH) for name in self.texts]
        self._amounts = [(n, name) for n, name in enumerate(others) if Decimal in typing.get_args(hints[name])]
        is_day = {name: {date, datetime} & {hints[name], *typing.get_args(hints[name])} for name in others}
        self._days = [(n, name) for n, name in enumerate(others) if is_day[name]]

    def listed(self, alias: str) -> str:
        """The columns in SQL."""
        return ", ".join(f"{alias}.{name}" for name in self.columns)

    def populated(self, cells: str) -> str:
        """A set-returning expression in SQL: the row that the JSON in `cells` stands for."""
        return f"jsonb_populate_record(null::{self.name}, {cells})"

    def row(self, value: TypedValue) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """The texts, as short as their columns, and the others. Days at the ends of the calendar are written where
        there is none, and in some zones are no day at all. Raises RecordRejected for what cannot be kept: it would
        otherwise take the whole batch with it."""
        others = self._others_of(value)
        for place, name in self._amounts:
            amount = others[place]
            if amount is not None and not (amount.is_finite() and -_TOO_MUCH < amount < _TOO_MUCH):
                raise RecordRejected(f"Its {name.replace('_', ' ')} is not an amount anyone owes.")
        absent = [n for n, _ in self._days if others[n] is not None and not 1 < others[n].year < 9999]
        if absent:
            if any(name == "starts_at" for n, name in self._days if n in absent):
                raise RecordRejected("Its start is not a day anyone means.")
            others = tuple(None if n in absent else cell for n, cell in enumerate(others))
        search = " ".join(filter(None, self._searched_of(value))).lower()
        texts = search, *self._texts_of(value)
        if any(map(gt, map(len, texts), self._lengths)):
            texts = tuple([text[:length] for text, length in zip(texts, self._lengths, strict=True)])
        if "\0" in "".join(texts):
            texts = tuple(text.replace("\0", "") for text in texts)
        return texts, others


@cache
def typed_table(kind: Kind) -> TypedTable:
    """One for each kind."""
    return TypedTable(kind)


def table_of(stream: Stream) -> TypedTable | None:
    """The table that the stream feeds; None for the generic ones."""
    return typed_table(stream.kind) if stream.kind else None


def sort_out(stream: Stream, records: Iterable[Record], rejected: Iterable[Rejected]) -> tuple[list[Candidate], Aside]:
    """The records with their digests, and what cannot even be told apart; the same id twice means the later one."""
    latest = {record.external_id: record for record in records}
    shape = _shape_of(stream)
    candidates: list[Candidate] = []
    aside = [SetAside(_digest(item.payload).hex(), item.payload, item.reason) for item in rejected]
    for record in latest.values():
        if is_usable_id(record.external_id):
            candidates.append((record, digest_of(record, shape)))
        else:
            words = "Its id is too long or holds characters that no id has."
            aside.append(SetAside(_digest(record.payload).hex(), record.payload, words))
    return candidates, aside


def read_all(stream: Stream, candidates: Iterable[Candidate], aside: Aside, shapes: Shapes) -> Iterator[Arrival]:
    """The candidates as they are kept; what cannot be read is added to `aside`, the fields of all to `shapes`."""
    reading = _Reading(stream, shapes)
    for record, digest in candidates:
        try:
            arrival = reading.read(record, digest)
        except RecordRejected as refusal:
            aside.append(SetAside(record.external_id, record.payload, refusal.words, record))
        else:
            yield arrival


def aside_facts(item: SetAside) -> dict[str, str | None]:
    """What is kept of something that is set aside; what came beside it only with the payload as it was."""
    text = item.payload[:_MOST_OF_IT].decode(errors="backslashreplace").replace("\0", "\\0")
    origin = _origin_of(item.record) if item.record and text.encode() == item.payload else None
    return {
        "key": _clean(item.key, 200),
        "payload": text,
        "origin": origin,
        "reason": _clean(item.reason, 500),
        "request": item.record.request_id or None if item.record else None,
    }


def is_usable_id(external_id: str) -> bool:
    """Whether PostgreSQL and our columns take it."""
    return 0 < len(external_id) <= 200 and "\0" not in external_id


def digest_of(record: Record, shape: bytes = b"") -> bytes:
    """blake2b-16 of the vendor's bytes, what was known beside them, and what is kept of them (`shape`): a release that
    keeps more finds its records different and writes them anew."""
    if record.context or record.parent_id or record.position:
        beside = msgspec.json.encode([sorted(record.context.items()), record.parent_id, record.position])
    elif shape:
        beside = _NOTHING_BESIDE
    else:
        return _digest(record.payload)
    return _digest(b"".join((record.payload, b"\0", beside, shape)))


def _shape_of(stream: Stream) -> bytes:
    return "\0".join(column.path for column in stream.columns if column.is_filter).encode()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _origin_of(record: Record) -> str:
    record = _storable(record)
    beside = {"context": dict(record.context), "parent_id": record.parent_id, "position": record.position}
    return msgspec.json.encode(beside).decode()


class _Reading:
    """How the records of one stream are read: what is the same for all of them is worked out once."""

    def __init__(self, stream: Stream, shapes: Shapes) -> None:
        self._stream, self._shapes, self._table = stream, shapes, table_of(stream)
        self._filters = [(column.path, column.path.split(".")) for column in stream.columns if column.is_filter]
        self._name = stream.columns[0].path.split(".") if stream.columns else None

    def read(self, record: Record, digest: bytes) -> Arrival:
        """Raises RecordRejected for what PostgreSQL or the stream's own reading cannot take."""
        try:
            text = record.payload.decode()
            fields = msgspec.json.decode(record.payload)
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as mistake:
            raise RecordRejected(f"It is not readable JSON ({mistake}).") from mistake
        self._shapes.add(fields)
        record = _storable(record)
        facets = {path: facet for path, parts in self._filters if (facet := _text_at(fields, parts)[:100])}
        if self._table is None:
            return Arrival(record, digest, text, _text_at(fields, self._name)[:300] if self._name else "", facets)
        value = _interpret(self._stream, record)
        texts, others = self._table.row(value)
        is_private = isinstance(value, Booking) and value.is_private
        return Arrival(record, digest, text, _clean(value.title, 300), facets, texts, others, is_private)


def _storable(record: Record) -> Record:
    """The record without what the database does not take beside its payload."""
    is_child = not record.parent_id or is_usable_id(record.parent_id)
    if is_child and "\0" not in record.position and not any("\0" in text for text in record.context.values()):
        return record
    return msgspec.structs.replace(
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


def _text_at(fields: Any, parts: Sequence[str]) -> str:
    """What stands there, as text; "" for nothing and for what is no single value. Yes and No for a mark."""
    for part in parts:
        fields = fields.get(part) if isinstance(fields, dict) else None
    if fields is None or isinstance(fields, dict | list):
        return ""
    if isinstance(fields, bool):
        return "Yes" if fields else "No"
    return _clean(str(fields).strip(), 1000)


def _clean(text: str, length: int) -> str:
    return text.replace("\0", "")[:length]
