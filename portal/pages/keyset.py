"""Pages of a long list by key, never by OFFSET: page 2,000 costs what page 1 costs.

Rows are ordered by one column and, where that is equal, by their id in the same direction; rows without a value come
last in both directions. So a list is two parts, the rows with a value and the rows without, and each is read along the
index (tenant, column, id).
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

import msgspec
from django.db import models
from django.db.models import F, Func, IntegerField, Q, QuerySet, Subquery, Value
from django.db.models.lookups import GreaterThan, LessThan

PAGE_SIZE = 50
COUNT_CAP = 1_000
MAX_ID = 2**63 - 1

M = TypeVar("M", bound=models.Model)


class BadCursor(Exception):
    """The text is no cursor of this order: made by hand, cut off, or left from another sorting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By `column`, then by id. `tie` names the id column the index ends with."""

    column: str
    is_descending: bool = False
    tie: str = "record_id"

    @property
    def name(self) -> str:
        return f"-{self.column}" if self.is_descending else self.column


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A row's place in an order. `position` counts the rows before it, as far as the reader has walked."""

    value: object
    id: int
    position: int

    def encode(self, order: Order) -> str:
        value = self.value
        if isinstance(value, datetime | date):
            value = value.isoformat()
        text = None if value is None else str(value)
        packed = msgspec.json.encode((order.name, text, self.id, self.position))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, order: Order, field: "models.Field[Any, Any]") -> "Cursor":
        """Raises BadCursor for whatever `encode` did not write for this very order."""
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            name, value, row_id, position = msgspec.json.decode(packed, type=tuple[str, str | None, int, int])
            if name != order.name or not 0 < row_id <= MAX_ID or not 0 <= position <= MAX_ID:
                raise BadCursor
            if value is None and not field.null:
                raise BadCursor
            return cls(value=None if value is None else _read(value, field), id=row_id, position=position)
        except (binascii.Error, msgspec.DecodeError, ValueError, InvalidOperation) as mistake:
            raise BadCursor from mistake


def _read(text: str, field: "models.Field[Any, Any]") -> object:
    """The text as a value of the column; raises ValueError or InvalidOperation when it is none."""
    if isinstance(field, models.DateTimeField):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("an instant needs its zone")
        return moment
    if isinstance(field, models.DateField):
        return date.fromisoformat(text)
    if isinstance(field, models.DecimalField):
        number = Decimal(text)
        if not number.is_finite() or abs(number) >= Decimal(10) ** 18:
            raise ValueError("out of range")
        return number
    if "\0" in text or len(text) > 1_000:
        raise ValueError("not a text we keep")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[M]):
    """The rows of one page and the cursors of its neighbours ("" where there is none)."""

    rows: list[M]
    first: int  # how many rows lie before, as far as the reader has walked
    previous: str
    next: str
    total: int | None  # of all pages, no further than one above COUNT_CAP; None where nobody counted

    @property
    def last(self) -> int:
        return self.first + len(self.rows)


class _Row(Func):
    """A row constructor: PostgreSQL compares it as one key, so the index takes us straight to the place."""

    function = "ROW"
    output_field = models.BooleanField()  # never read; a lookup asks for some type


class _Number(Subquery):
    """How many rows a query finds. It names no row of the query around it, so PostgreSQL counts once."""

    template = "(SELECT count(*) FROM (%(subquery)s) found)"
    output_field = IntegerField()


class Keyset(Generic[M]):
    """One ordered list. Where `is_counted`, its rows are counted in the statement that reads a page of them."""

    def __init__(self, queryset: QuerySet[M], order: Order, *, size: int = PAGE_SIZE, is_counted: bool = False) -> None:
        self.queryset: QuerySet[Any, M] = queryset
        self.order = order
        self.size = size
        if is_counted:
            some = queryset.order_by().values(order.tie)[: COUNT_CAP + 1]
            self.queryset = queryset.annotate(all_pages=_Number(some))
        self.field: models.Field[Any, Any] = queryset.model._meta.get_field(order.column)  # type: ignore[assignment]

    def page(self, *, after: str = "", before: str = "") -> Slice[M]:
        """The page behind or ahead of a cursor; the first one without. Raises BadCursor."""
        if before:
            cursor = Cursor.decode(before, self.order, self.field)
            rows = self._take(cursor, self.size + 1, backwards=True)
            if len(rows) < self.size:
                return self.page()  # the beginning: a full first page rather than what is left of one
            nearest = rows[: self.size][::-1]
            first = max(cursor.position - self.size, 0)
            return self._slice(nearest, first, has_previous=len(rows) > self.size, has_next=True)
        start = Cursor.decode(after, self.order, self.field) if after else None
        rows = self._take(start, self.size + 1)
        return self._slice(
            rows[: self.size],
            start.position + 1 if start else 0,
            has_previous=start is not None,
            has_next=len(rows) > self.size,
        )

    def _slice(self, rows: list[M], first: int, *, has_previous: bool, has_next: bool) -> Slice[M]:
        return Slice(
            rows=rows,
            first=first,
            previous=self._cursor(rows[0], first).encode(self.order) if rows and has_previous else "",
            next=self._cursor(rows[-1], first + len(rows) - 1).encode(self.order) if rows and has_next else "",
            total=getattr(rows[0], "all_pages", None) if rows else 0,
        )

    def _cursor(self, row: M, position: int) -> Cursor:
        return Cursor(value=getattr(row, self.order.column), id=getattr(row, self.order.tie), position=position)

    def _take(self, start: Cursor | None, limit: int, *, backwards: bool = False) -> list[M]:
        """Up to `limit` rows beyond `start`, nearest first; a second statement only at the border of the two parts."""
        rows: list[M] = []
        for condition in self._parts(start, backwards=backwards):
            if len(rows) < limit:
                rows.extend(self._read(condition, limit - len(rows), backwards=backwards))
        return rows

    def _parts(self, start: Cursor | None, *, backwards: bool) -> Iterator[Q | GreaterThan | LessThan]:
        if not self.field.null:
            yield self._beyond(start, backwards=backwards) if start else Q()
            return
        parts = (False, True) if backwards else (True, False)
        for with_value in parts:
            has_value = Q(**{f"{self.order.column}__isnull": not with_value})
            if start is None:
                yield has_value
            elif (start.value is not None) == with_value:
                yield has_value & Q(self._beyond(start, backwards=backwards))
            elif with_value == backwards:
                yield has_value

    def _beyond(self, start: Cursor, *, backwards: bool) -> GreaterThan | LessThan:
        compare = LessThan if self.order.is_descending != backwards else GreaterThan
        tie = Value(start.id, output_field=models.BigIntegerField())
        if start.value is None:
            return compare(F(self.order.tie), tie)
        value = Value(start.value, output_field=self.field.clone())
        return compare(_Row(F(self.order.column), F(self.order.tie)), _Row(value, tie))

    def _read(self, condition: Q | GreaterThan | LessThan, limit: int, *, backwards: bool) -> list[M]:
        sign = "-" if self.order.is_descending != backwards else ""
        by = (f"{sign}{self.order.column}", f"{sign}{self.order.tie}")
        return list(self.queryset.filter(condition).order_by(*by)[:limit])
