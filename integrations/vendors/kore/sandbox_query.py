"""KORE's query language as its guide describes it ("Filtering", "Sorting"): parsed, then judged row by row.

    filter  = and-list { "or" and-list }        and-list = term { "and" term }
    term    = "(" filter ")" | field operator value        operator = eq ne lt gt le ge

A row is a mapping of the fields as they are rendered; every comparison is made on `comparable` forms of both sides.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Types = Mapping[str, str]  # field -> guid, text, number, flag, date, datetime, system, picklist
Row = Mapping[str, Any]

_TOKEN = re.compile(r"""\s*(?:(?P<paren>[()])|'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<word>[^\s()'"]+))""")
_EXTENDED = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "gt": lambda left, right: left > right,
    "le": lambda left, right: left <= right,
    "ge": lambda left, right: left >= right,
}


class BadQuery(Exception):
    """A query KORE would answer with 400, in words."""


@dataclass(frozen=True, slots=True)
class Comparison:
    field: str
    part: str  # of a picklist: code or value
    operator: str
    literal: Any  # comparable; None for null

    @property
    def fields(self) -> frozenset[str]:
        return frozenset({self.field})

    def holds(self, row: Row, types: Types) -> bool:
        value = comparable(row.get(self.field), types[self.field], self.part)
        if self.literal is None:
            return (value is None) == (self.operator == "eq")
        return value is not None and _OPERATORS[self.operator](value, self.literal)


@dataclass(frozen=True, slots=True)
class Junction:
    is_or: bool
    parts: tuple["Filter", ...]

    @property
    def fields(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.fields for part in self.parts))

    def holds(self, row: Row, types: Types) -> bool:
        return (any if self.is_or else all)(part.holds(row, types) for part in self.parts)


Filter = Comparison | Junction


def guid_key(guid: str) -> bytes:
    """A GUID in the order of a SQL Server column, which is not that of its text."""
    raw = UUID(guid).bytes_le
    return raw[10:] + raw[8:10] + raw[6:8] + raw[4:6] + raw[:4]


def comparable(value: Any, kind: str, part: str = "") -> Any:
    """A rendered value in a form that compares; None stays None."""
    if value is None:
        return None
    if kind == "picklist":
        chosen = value[part or "code"]
        return chosen.casefold() if isinstance(chosen, str) else chosen
    if kind == "guid":
        return guid_key(value)
    return value.casefold() if kind == "text" else value


def parse_filter(text: str, types: Types) -> Filter:
    """Raises BadQuery on bad syntax, unknown fields and values that do not fit their field."""
    tokens = _tokens(text)
    found, rest = _junction(tokens, types)
    if rest:
        raise BadQuery(f"Unexpected '{rest[0][1]}' in filter.")
    return found


def parse_order(text: str, types: Types) -> list[tuple[str, str, bool]]:
    """(field, part, is_descending) in order of weight."""
    keys = []
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _, direction = item.partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise BadQuery(f"Unknown sort direction '{direction.strip()}'.")
        keys.append((*_field(name, types), direction.strip().lower() == "desc"))
    return keys


def parse_select(text: str, types: Types) -> tuple[frozenset[str], bool]:
    """The fields asked for (none: all) and whether null fields are wanted."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    fields = frozenset(_field(name, types)[0] for name in names if name.lower() != "null")
    return (fields | {"id"} if fields else fields), any(name.lower() == "null" for name in names)


def lowest(node: Filter | None, field: str) -> Any:
    """A value below which nothing of `field` can pass, or None when the filter sets no such bound."""
    if isinstance(node, Comparison):
        return node.literal if node.field == field and node.operator in ("ge", "gt", "eq") else None
    if isinstance(node, Junction) and not node.is_or:
        return max((bound for part in node.parts if (bound := lowest(part, field)) is not None), default=None)
    return None


def named(node: Filter, field: str) -> set[Any]:
    """The values of `field` one of which a row must have, where the filter is nothing but such a list."""
    if isinstance(node, Comparison):
        return {node.literal} if node.field == field and node.operator == "eq" and node.literal is not None else set()
    found = [named(part, field) for part in node.parts]
    return set().union(*found) if node.is_or and all(found) else set()


Token = tuple[str, str]  # kind (paren, text, word), value


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise BadQuery("The filter has a quote that is not closed.")
        kind = match.lastgroup or ""
        tokens.append(("text" if kind in ("single", "double") else kind, match[kind]))
        position = match.end()
    return tokens


def _junction(tokens: Sequence[Token], types: Types, *, is_or: bool = True) -> tuple[Filter, Sequence[Token]]:
    parts = []
    while True:
        part, tokens = _junction(tokens, types, is_or=False) if is_or else _term(tokens, types)
        parts.append(part)
        if not tokens or tokens[0][0] != "word" or tokens[0][1].lower() != ("or" if is_or else "and"):
            return (parts[0] if len(parts) == 1 else Junction(is_or, tuple(parts))), tokens
        tokens = tokens[1:]


def _term(tokens: Sequence[Token], types: Types) -> tuple[Filter, Sequence[Token]]:
    if tokens and tokens[0] == ("paren", "("):
        inner, tokens = _junction(tokens[1:], types)
        if not tokens or tokens[0] != ("paren", ")"):
            raise BadQuery("A parenthesis is not closed.")
        return inner, tokens[1:]
    if len(tokens) < 3 or tokens[0][0] != "word" or tokens[1][0] != "word" or tokens[2][0] == "paren":
        raise BadQuery("The filter is not complete: field, operator and value are expected.")
    field, part = _field(tokens[0][1], types)
    operator = tokens[1][1].lower()
    if operator not in _OPERATORS:
        raise BadQuery(f"Unknown operator '{tokens[1][1]}'.")
    literal = None if tokens[2] == ("word", "null") else _literal(tokens[2][1], types[field], part)
    if literal is None and operator not in ("eq", "ne"):
        raise BadQuery("null can only be compared with eq and ne.")
    return Comparison(field, part, operator, literal), tokens[3:]


def _field(name: str, types: Types) -> tuple[str, str]:
    field, _, part = name.strip().lower().partition(".")
    if field not in types or (part and (types[field] != "picklist" or part not in ("code", "value"))):
        raise BadQuery(f"Unknown field '{name}'.")
    return field, part


def _literal(text: str, kind: str, part: str) -> Any:
    try:
        if kind == "picklist":
            return text.casefold() if part == "value" else int(text)
        if kind == "number":
            return float(text)
        if kind == "guid":
            return guid_key(text)
        if kind == "flag":
            return {"true": True, "false": False}[text.lower()]
        if kind == "text":
            return text.casefold()
        return _time(text, kind)
    except (ValueError, KeyError) as mistake:
        raise BadQuery(f"'{text}' is not a value for this field.") from mistake


def _time(text: str, kind: str) -> str:
    """Only extended ISO 8601. Zones count for system times alone, milliseconds never (guide: "Dates")."""
    if not _EXTENDED.fullmatch(text):
        raise ValueError(text)
    if kind == "date":
        return text[:10]
    moment = datetime.fromisoformat(text.replace(",", "."))
    if kind == "datetime":
        return moment.strftime("%Y-%m-%dT%H:%M:%S")
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
