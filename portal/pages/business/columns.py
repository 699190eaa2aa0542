"""The generic columns of a stream: what a `Column` finds in one payload, ready to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from django.utils import timezone

from integrations.contract import Column
from integrations.records.models import Record

_MAX_TEXT = 300

Value = str | bool | Decimal | date | datetime | None
"""An aware datetime is an instant, a naive one a wall-clock time at a place, a date is bare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value as a page shows it: `kind` says how; `value` is None where there is nothing."""

    label: str
    kind: str
    value: Any

    @property
    def is_at_end(self) -> bool:
        return self.kind in {"number", "money"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record of a generic list: what its first column calls it, and the other columns."""

    record: Record
    title: str
    cells: tuple[Cell, ...]


def row_of(record: Record, columns: Sequence[Column]) -> Row:
    """Decodes the payload once. What is not there or of another shape is shown as it is, or as nothing."""
    fields = decoded(record.payload)
    cells = tuple(cell_of(fields, column) for column in columns)
    named = cells[0].value if cells else None
    return Row(record=record, title=str(named or record), cells=cells[1:])


def cell_of(fields: object, column: Column) -> Cell:
    value = value_at(fields, column)
    if isinstance(value, bool):
        return Cell(label=column.label, kind="text", value="Yes" if value else "No")
    if isinstance(value, str):
        return Cell(label=column.label, kind="text", value=_short(value))
    if isinstance(value, datetime):
        return Cell(label=column.label, kind="instant" if timezone.is_aware(value) else "wall", value=value)
    return Cell(label=column.label, kind="date" if isinstance(value, date) else column.kind, value=value)


def value_at(fields: object, column: Column) -> Value:
    """What the payload has there, in the column's kind; where it cannot be read that way, as text."""
    found = _at(fields, column.path)
    if found is None or found == "":
        return None
    try:
        read = _read(found, column.kind)
    except (ValueError, OverflowError, InvalidOperation):
        read = None
    if read is not None:
        return read
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def decoded(payload: str) -> object:
    """The payload's JSON; None when it is none."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return None


def _at(fields: object, path: str) -> object:
    """The value at a dotted path; a key that itself contains dots is found too."""
    if isinstance(fields, dict) and path in fields:
        return fields[path]
    for step in path.split("."):
        if not isinstance(fields, dict):
            return None
        fields = fields.get(step)
    return fields


def _read(found: object, kind: str) -> Value:
    """None where it is not of that kind. Raises ValueError, OverflowError or InvalidOperation where it nearly is."""
    if kind == "flag" and isinstance(found, bool | int):
        return bool(found)
    if kind in {"number", "money"} and isinstance(found, int | float | str) and not isinstance(found, bool):
        number = Decimal(str(found))
        return number if number.is_finite() and abs(number) < Decimal(10) ** 15 else None
    if kind == "date" and isinstance(found, str):
        return date.fromisoformat(found[:10])
    if kind in {"instant", "wall"} and isinstance(found, str):
        moment = datetime.fromisoformat(found)
        if len(found) <= len("2026-11-24"):
            return moment.date()  # it names a day and no time: there is nothing to shift
        if kind == "wall":
            return moment.replace(tzinfo=None)
        return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
    return None


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
