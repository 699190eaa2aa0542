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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value: `kind` says how the template shows it; `value` is None where there is nothing."""

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
    found = _at(fields, column.path)
    value, kind = _read(found, column.kind)
    return Cell(label=column.label, kind=kind, value=value)


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


def _read(found: object, kind: str) -> tuple[Any, str]:
    """The value in the column's kind; where it cannot be read that way, as text."""
    if found is None or found == "":
        return None, kind
    if kind == "flag" and isinstance(found, bool | int):
        return ("Yes" if found else "No"), "text"
    try:
        if kind in {"number", "money"} and isinstance(found, int | float | str) and not isinstance(found, bool):
            number = Decimal(str(found))
            if number.is_finite() and abs(number) < Decimal(10) ** 15:
                return number, kind
        if kind == "date" and isinstance(found, str):
            return date.fromisoformat(found[:10]), kind
        if kind in {"instant", "wall"} and isinstance(found, str):
            moment = datetime.fromisoformat(found)
            if kind == "wall":
                return moment.strftime("%d %b %Y, %H:%M"), "text"
            return (moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)), kind
    except (ValueError, OverflowError, InvalidOperation):
        pass
    text = found if isinstance(found, str) else msgspec.json.encode(found).decode()
    return (text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"), "text"
