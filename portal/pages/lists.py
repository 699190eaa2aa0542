"""The one list engine: search, filters as chips, sorting and paging, all of it in the address.

A view declares a `Listing` and binds it to the request's parameters and a queryset; the template draws the result. What
an address asks for that does not exist is left out, and said so. Works without script; htmx only swaps less.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db import models
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.formats import number_format

from integrations.records.search import Found
from portal.pages.filters import BoundFilter, Filter, Link, Reading, first
from portal.pages.keyset import COUNT_CAP, PAGE_SIZE, BadCursor, Keyset, Order, Slice

MAX_SEARCH = 100
MOST_WALKED = 5_000
Search = Callable[[str, Mapping[str, str]], Found]
"""Of the words asked for, "" for none, and the values that facets ask for, by their paths."""

M = TypeVar("M", bound=models.Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """An order on offer. Only columns with an index (tenant, column, id) belong here."""

    key: str  # its name in the address; with a minus: the other way round
    column: str
    ascending: str = "Oldest first"  # how people call it: "Due soonest first"
    descending: str = "Latest first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's head. `sort` is the database column behind it and `key` its name in the address."""

    label: str
    sort: str = ""
    key: str = ""
    is_at_end: bool = False  # numbers and moments stand at the end of the cell

    @property
    def css(self) -> str:
        return "end" if self.is_at_end else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's head as the page shows it."""

    label: str
    css: str
    url: str  # "" where the column does not sort
    direction: str  # "ascending", "descending" or "": the words of aria-sort


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[M]):
    """A list as declared. `default_sort` is a sort's key, with a minus for descending.

    `sorts` gives the orders their words, and adds those no column offers.
    """

    columns: Sequence[Column] = ()
    sorts: Sequence[Sort] = ()
    filters: Sequence[Filter] = ()
    default_sort: str
    search: Search | None = None
    search_label: str = "Search"
    tie: str = "record_id"
    extra: Sequence[str] = ()  # other parameters the links must keep, such as `view`

    @property
    def orders(self) -> dict[str, Sort]:
        """Every order on offer, by its key."""
        of_columns = {one.key: Sort(key=one.key, column=one.sort) for one in self.columns if one.sort}
        return of_columns | {sort.key: sort for sort in self.sorts}

    def bind(self, params: QueryDict, path: str = "") -> "Bound[M]":
        """`path` is the list's own address; without one the links are relative."""
        return Bound(self, params, path)


@dataclass
class Bound(Generic[M]):
    """A list and what the address asks of it."""

    listing: Listing[M]
    params: QueryDict
    path: str = ""
    problems: list[str] = field(default_factory=list, init=False)
    query: str = field(default="", init=False)
    sort: str = field(default="", init=False)
    readings: dict[str, Reading] = field(default_factory=dict, init=False)
    suggestions: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    _found: Found | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.listing.search:
            self.query = first(self.params, "q")[:MAX_SEARCH].strip()
        self.sort = self._read_sort()
        for one in self.listing.filters:
            reading = one.read(self.params)
            self.readings[one.key] = reading
            if reading.problem:
                self.problems.append(reading.problem)

    @property
    def order(self) -> Order:
        key = self.sort.removeprefix("-")
        return Order(
            column=self.listing.orders[key].column, is_descending=self.sort.startswith("-"), tie=self.listing.tie
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether the reader asked for less than the page shows by itself."""
        return bool(self.query) or any(reading.kept for reading in self.readings.values())

    @cached_property
    def heads(self) -> list[Head]:
        return [self._head(column) for column in self.listing.columns]

    @cached_property
    def sort_links(self) -> list[Link]:
        """Each order with its words, for where there are no heads to click."""
        both = [
            (f"{sign}{sort.key}", words)
            for sort in self.listing.orders.values()
            for sign, words in (("", sort.ascending), ("-", sort.descending))
        ]
        return [Link(label=words, url=self._sort_url(key), is_current=key == self.sort) for key, words in both]

    def suggest(self, key: str, values: Iterable[str]) -> None:
        """Offer these for a text filter: what the page shows, for a list of all would read the whole table."""
        self.suggestions[key] = tuple(sorted({value for value in values if value}))

    @property
    def filters(self) -> list[BoundFilter]:
        return [self._bound(one) for one in self.listing.filters]

    @property
    def search_label(self) -> str:
        return self.listing.search_label if self.listing.search else ""

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """What the search form must carry along."""
        return tuple((name, value) for name, value in self._pairs if name != "q")

    @property
    def clear_url(self) -> str:
        return self._address([(name, value) for name, value in self._pairs if name in self.listing.extra])

    def url(self, **changes: str) -> str:
        """This list's address with some parameters changed ("" takes one away); always its first page."""
        pairs = [(name, value) for name, value in self._pairs if name not in changes]
        return self._address(pairs + [(name, value) for name, value in changes.items() if value])

    def beside(self, name: str) -> str:
        """The address of what stands below this list's own and takes the same questions, such as its export."""
        pairs = self._pairs
        return f"{self.path}{name}?{urlencode(pairs)}" if pairs else f"{self.path}{name}"

    def keyset(self, queryset: QuerySet[M], *, size: int = PAGE_SIZE, is_counted: bool = False) -> Keyset[M]:
        """What the address asks for, in its order. In the tenant's scope, for a search is looked up here."""
        return Keyset(self.narrow(queryset), self.order, size=size, is_counted=is_counted)

    def narrow(self, queryset: Rows) -> Rows:
        """Search and filters, without order."""
        found = self._search()
        for reading in self.readings.values():
            for condition in (reading.where, reading.also):
                if condition is not None:
                    queryset = queryset.filter(condition)
        return queryset if found is None else queryset.filter(found.where)

    def _is_long_walk(self, queryset: QuerySet[M]) -> bool:
        """Whether there is something to which no index leads, and the rest leaves so much that not all of it can be
        asked for that."""
        found = self._search()
        is_walk = (found is not None and found.is_walk) or any(one.is_walk for one in self.readings.values())
        return is_walk and self._leaves_much(queryset)

    def _leaves_much(self, queryset: QuerySet[Any]) -> bool:
        for reading in self.readings.values():
            if reading.where is not None:
                queryset = queryset.filter(reading.where)
        return bool(queryset.order_by().values_list("pk")[MOST_WALKED : MOST_WALKED + 1])

    def page(self, queryset: QuerySet[M], *, is_summed: bool = False) -> "Page[M]":
        """The page the address names. A cursor that is none gives the first page. What is to be summed up is counted
        even where the number alone is not worth what it costs."""
        is_counted = (is_summed or not self._is_costly) and not self._is_long_walk(queryset)
        keyset = self.keyset(queryset, is_counted=is_counted)
        after, before = first(self.params, "after"), first(self.params, "before")
        try:
            part = keyset.page(after=after, before="" if after else before)
        except BadCursor:
            self.problems.append("That place in the list is no longer known, so this is its beginning.")
            part = keyset.page()
        return Page(bound=self, part=part, total=part.total if part.next else part.last)

    @property
    def _is_costly(self) -> bool:
        """Whether counting may read every row of the tenant."""
        return bool(self.query) or any(reading.is_costly for reading in self.readings.values())

    def _search(self) -> Found | None:
        """Looked up once, however often the list is narrowed."""
        facets = dict(reading.facet for reading in self.readings.values() if reading.facet)
        if self._found is None and self.listing.search and (self.query or facets):
            self._found = self.listing.search(self.query, facets)
        return self._found

    def _read_sort(self) -> str:
        asked = first(self.params, "sort")
        if not asked:
            return self.listing.default_sort
        if asked.removeprefix("-") in self.listing.orders:
            return asked
        self.problems.append("This list cannot be sorted that way, so it has its usual order.")
        return self.listing.default_sort

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        """The address as we would write it: only what differs from the page's own defaults."""
        pairs = [(name, first(self.params, name)) for name in self.listing.extra]
        pairs.append(("q", self.query))
        for reading in self.readings.values():
            pairs.extend(reading.kept)
        if self.sort != self.listing.default_sort:
            pairs.append(("sort", self.sort))
        return [(name, value) for name, value in pairs if value]

    def _address(self, pairs: Sequence[tuple[str, str]]) -> str:
        return f"{self.path}?{urlencode(pairs)}" if pairs or not self.path else self.path

    def _head(self, column: Column) -> Head:
        if not column.sort:
            return Head(label=column.label, css=column.css, url="", direction="")
        is_current, is_descending = self.sort.removeprefix("-") == column.key, self.sort.startswith("-")
        target = f"-{column.key}" if is_current and not is_descending else column.key
        return Head(
            label=column.label,
            css=column.css,
            url=self._sort_url(target),
            direction=("descending" if is_descending else "ascending") if is_current else "",
        )

    def _sort_url(self, target: str) -> str:
        return self.url(sort="" if target == self.listing.default_sort else target)

    def _bound(self, one: Filter) -> BoundFilter:
        reading = self.readings[one.key]
        bare = dict.fromkeys(one.names, "")
        return BoundFilter(
            key=one.key,
            label=one.label,
            words=reading.words,
            chip=reading.words if reading.is_plain else f"{one.label}: {reading.words}",
            remove_url=self.url(**{**bare, **dict(one.removed)}),
            options=tuple(
                Link(label=option.label, url=self.url(**{**bare, **dict(option.pairs)}), is_current=option.is_current)
                for option in one.options(reading)
            ),
            inputs=tuple(
                replace(field, suggestions=self.suggestions.get(one.key, ())) for field in one.inputs(reading)
            ),
            kept=tuple((name, value) for name, value in self._pairs if name not in one.names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[M]):
    """One page of a bound list. `total` stops one above the cap; None where counting would read the whole table."""

    bound: Bound[M]
    part: Slice[M]
    total: int | None

    @property
    def rows(self) -> list[M]:
        return self.part.rows

    @property
    def is_capped(self) -> bool:
        return self.total is not None and self.total > COUNT_CAP

    @property
    def are_few(self) -> bool:
        """Whether the rows of all pages were counted and are no more than the cap; a cursor's word is not taken."""
        return self.part.total is not None and self.part.total <= COUNT_CAP

    @property
    def words(self) -> str:
        """Which rows these are, of how many."""
        if not self.rows:
            return "Nothing"
        span = f"{number_format(self.part.first + 1)}–{number_format(self.part.last)}"
        if self.total is None:
            return f"{span}, more follow"
        if self.is_capped:
            return f"{span} of more than {number_format(COUNT_CAP)}"
        return f"{span} of {number_format(max(self.total, self.part.last))}"

    @property
    def previous_url(self) -> str:
        return self.bound.url(before=self.part.previous) if self.part.previous else ""

    @property
    def next_url(self) -> str:
        return self.bound.url(after=self.part.next) if self.part.next else ""
