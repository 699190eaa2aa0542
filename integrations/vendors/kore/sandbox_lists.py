"""How the emulated KORE answers a query: which rows, in which order, and what of them."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from integrations.sandbox.kit import Request
from integrations.vendors.kore.sandbox_data import Row, Table
from integrations.vendors.kore.sandbox_query import (
    BadQuery,
    Filter,
    comparable,
    guid_key,
    lowest,
    named,
    parse_filter,
    parse_order,
    parse_select,
)

MAX_TOP = 100
CACHED_ROWS = 20_000


class Lists:
    """Mixed into the emulator."""

    has_bare_state = False  # the guide's samples print `"state": 0`
    has_naive_times = False  # … and system times without their Z
    renamed: dict[str, str]  # our field names -> what this KORE calls them
    rendered: OrderedDict[tuple[Any, ...], bytes]

    def types_of(self, table: Table) -> dict[str, str]:
        return {self.renamed.get(name, name): kind for name, kind in table.types.items()}

    def list_of(self, request: Request, table: Table) -> bytes:
        """The page asked for; raises BadQuery."""
        types = self.types_of(table)
        top, skip = _number(request, "top", MAX_TOP, 1, MAX_TOP), _number(request, "skip", 0, 0, 10**9)
        wanted = parse_filter(text, types) if (text := request.get("filter").strip()) else None
        order = parse_order(request.get("orderby"), types)
        chosen = parse_select(request.get("select"), types)
        numbers = list(
            islice(
                (
                    number
                    for number in self._candidates(table, wanted, order, types)
                    if wanted is None or wanted.holds(self._row(table, number, wanted), types)
                ),
                skip,
                skip + top,
            )
        )
        return b"[%s]" % b",".join(self.render(table, number, *chosen) for number in numbers)

    def _candidates(
        self, table: Table, wanted: Filter | None, order: list[tuple[str, str, bool]], types: dict[str, str]
    ) -> Iterator[int]:
        """Row numbers in order, those left out that the filter rules out anyway: by its bound on the change date, or
        because it names ids."""
        if wanted and wanted.fields == {"id"} and not order and (ids := named(wanted, "id")):
            return iter(sorted(number for guid, number in table.number_of.items() if guid_key(guid) in ids))
        start = 0
        if bound := lowest(wanted, self.renamed.get("modified_date", "modified_date")):
            start = table.first_since(bound)
        if order[:2] == [("modified_date", "", False), ("id", "", False)]:
            return (number for _, _, number in table.by_change[start:])
        if start == 0 and order in ([], [("id", "", False)]):
            return (number for _, number in table.by_id)
        numbers = [number for _, _, number in table.by_change[start:]]
        rows = {number: self._named(table.row(number)) for number in numbers}
        for field, part, is_descending in reversed(order or [("id", "", False)]):
            # Null comes first, as SQL Server has it.
            def weight(number: int, field: str = field, part: str = part) -> tuple[bool, Any]:
                value = comparable(rows[number][field], types[field], part)
                return value is not None, 0 if value is None else value

            numbers.sort(key=weight, reverse=is_descending)
        return iter(numbers)

    def _row(self, table: Table, number: int, wanted: Filter) -> Row:
        if not self.renamed and wanted.fields <= {"modified_date", "id", *(link := table.link(number))}:
            return {"modified_date": table.stamp(number), "id": table.ids[number], **link}
        return self._named(table.row(number))

    def _named(self, row: Row) -> Row:
        return {self.renamed.get(name, name): value for name, value in row.items()} if self.renamed else row

    def render(self, table: Table, number: int, fields: frozenset[str], has_nulls: bool) -> bytes:
        style = (self.has_bare_state, self.has_naive_times, *self.renamed.items())
        key = (id(table), number, table.version[number], fields, has_nulls, style)
        if body := self.rendered.get(key):
            return body
        row = table.row(number)
        if self.has_bare_state:
            row["state"] = row["state"]["code"]
        if self.has_naive_times:
            row |= {name: row[name].removesuffix("Z") for name, kind in table.types.items() if kind == "system"}
        kept = {
            name: value
            for name, value in self._named(row).items()
            if (not fields or name in fields) and (has_nulls or value is not None)
        }
        body = self.rendered[key] = msgspec.json.encode(kept)
        if len(self.rendered) > CACHED_ROWS:
            self.rendered.popitem(last=False)
        return body


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.get(name)
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BadQuery(f"'{name}' must be a number from {least} to {most}.")
    return int(text)
