"""What a list can be narrowed by. Each filter reads its own parameters of the address and answers with a condition.

A value that does not exist is no error: it is left out and said so, in words the page shows.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import Exact
from django.http import QueryDict
from django.utils import dateformat

MAX_VALUE = 200
ANY = "all"  # says "not filtered" where a filter is on by default
_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`pairs` are the parameters that choose it."""

    label: str
    pairs: tuple[tuple[str, str], ...]
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A field of a filter's small form."""

    name: str
    label: str
    value: str
    type: str = "text"
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a row must meet: `where`, to which an index may lead, and what is asked of each row there `also`.

    With `is_walk` that is not met by most: as no index leads there, a list of few hits reads all that is left.
    """

    where: Q | None = None
    also: Q | None = None
    is_walk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Condition):
    """What a filter found in the address."""

    words: str = ""  # what it is set to; "" while it is off
    is_plain: bool = False  # the words say enough without the filter's label
    value: str = ""
    kept: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    facet: tuple[str, str] | None = None  # the path and the value, for a search that looks both up
    is_costly: bool = False  # no index leads there: counting would read every row of the tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundFilter:
    """A filter as the page shows it: a chip that can be taken away, or a menu to add it from."""

    key: str
    label: str
    words: str  # what it is set to; "" while it is not
    chip: str  # the same as its chip says it: "Priority: High"
    remove_url: str
    options: tuple[Link, ...]
    inputs: tuple[Input, ...]
    kept: tuple[tuple[str, str], ...]  # what its small form must carry along

    @property
    def is_on(self) -> bool:
        return bool(self.words)


class Filter(ABC):
    key: str
    label: str

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters it reads."""
        return (self.key,)

    @property
    def removed(self) -> tuple[tuple[str, str], ...]:
        """The parameters that stand for its absence; none unless it is on by default."""
        return ()

    @abstractmethod
    def read(self, params: QueryDict) -> Reading: ...

    def options(self, reading: Reading) -> Iterable[Option]:
        return ()

    def inputs(self, reading: Reading) -> Iterable[Input]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Condition):
    """One choice: its word in the address, its label, and the condition it stands for. One that depends on what there
    is in the database is looked up when the choice is made, in the tenant's scope."""

    value: str
    label: str
    look_up: Callable[[], Condition] | None = None


@dataclass(frozen=True, kw_only=True)
class Choice(Filter):
    """One of a few words. `default` is chosen when the address says nothing; `all` then lifts it."""

    key: str
    label: str
    words: Sequence[Word]
    default: str = ""
    any_label: str = ""
    is_plain: bool = False  # the chip says the word alone: "Open", not "Status: Open"
    is_costly: bool = False

    @property
    def removed(self) -> tuple[tuple[str, str], ...]:
        return ((self.key, ANY),) if self.default else ()

    def read(self, params: QueryDict) -> Reading:
        asked = first(params, self.key)
        if asked == ANY:
            return Reading(kept=self.removed)
        problem = ""
        found = self._word(asked)
        if asked and found is None:
            problem = f"“{_short(asked)}” is not a choice for {self.label.lower()}, so it was left out."
        found = found or self._word(self.default)
        if found is None:
            return Reading(problem=problem)
        condition = found.look_up() if found.look_up else found
        return Reading(
            where=condition.where,
            also=condition.also,
            is_walk=condition.is_walk,
            words=found.label,
            is_plain=self.is_plain,
            value=found.value,
            is_costly=self.is_costly,
            kept=() if found.value == self.default else ((self.key, found.value),),
            problem=problem,
        )

    def options(self, reading: Reading) -> Iterable[Option]:
        for word in self.words:
            pairs = () if word.value == self.default else ((self.key, word.value),)
            yield Option(label=word.label, pairs=pairs, is_current=word.value == reading.value)
        if self.any_label:
            yield Option(label=self.any_label, pairs=self.removed, is_current=not reading.words)

    def _word(self, value: str) -> Word | None:
        return next((word for word in self.words if value and word.value == value), None)


@dataclass(frozen=True, kw_only=True)
class Text(Filter):
    """Exactly this text in a column."""

    key: str
    label: str
    column: str

    def read(self, params: QueryDict) -> Reading:
        asked = first(params, self.key)[:MAX_VALUE]
        if not asked:
            return Reading()
        return Reading(
            where=Q(**{self.column: asked}),
            words=_short(asked),
            is_costly=True,
            kept=((self.key, asked),),
        )

    def inputs(self, reading: Reading) -> Iterable[Input]:
        asked = dict(reading.kept).get(self.key, "")
        yield Input(name=self.key, label=self.label, value=asked)


@dataclass(frozen=True, kw_only=True)
class Facet(Filter):
    """One of the values found under a key of a JSON column. Those on offer are a sample: others are taken as well."""

    key: str
    label: str
    column: str
    path: str
    values: Sequence[str]
    has_more: bool = False

    def read(self, params: QueryDict) -> Reading:
        asked = first(params, self.key)[:MAX_VALUE]
        if not asked:
            return Reading()
        # Said so that the planner guesses nothing: it would guess that next to nothing has the value, and gather and
        # sort all there is instead of walking the list until the page is full.
        has_it = When(Q(Exact(KeyTextTransform(self.path, self.column), Value(asked))), then=True)
        where = Q(Case(has_it, default=False, output_field=BooleanField()))
        return Reading(
            where=where,
            words=_short(asked),
            value=asked,
            facet=(self.path, asked),
            is_costly=True,
            kept=((self.key, asked),),
        )

    def options(self, reading: Reading) -> Iterable[Option]:
        for value in self.values:
            yield Option(label=_short(value), pairs=((self.key, value),), is_current=value == reading.value)

    def inputs(self, reading: Reading) -> Iterable[Input]:
        if self.has_more:
            yield Input(name=self.key, label=f"Another {self.label.lower()}", value="")


@dataclass(frozen=True, kw_only=True)
class Days(Filter):
    """From one day to another, both included. With a `zone` the column is an instant, without one a bare date.

    With `is_from_today` the list begins today when the address says nothing; `all` then lifts it.
    """

    key: str
    label: str
    column: str
    zone: ZoneInfo | None
    today: date
    is_from_today: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.key}_from", f"{self.key}_to")

    @property
    def removed(self) -> tuple[tuple[str, str], ...]:
        return ((self.names[0], ANY),) if self.is_from_today else ()

    def read(self, params: QueryDict) -> Reading:
        asked = [first(params, name) for name in self.names]
        if self.is_from_today and asked[0] == ANY and not asked[1]:
            return Reading(kept=self.removed)
        since, until = (_day(text) for text in asked)
        bad = next((text for text, day in zip(asked, (since, until), strict=True) if text and day is None), "")
        problem = f"“{_short(bad)}” is not a day, so it was left out." if bad else ""
        if since and until and since > until:
            problem, since, until = f"{self.label}: the days were in the wrong order and left out.", None, None
        is_default = self.is_from_today and since is None and until is None
        if is_default:
            since = self.today
        if since is None and until is None:
            return Reading(problem=problem)
        where = Q()
        if since:
            where &= Q(**{f"{self.column}__gte": self._start(since)})
        if until:
            where &= Q(**{f"{self.column}__lt": self._start(until + timedelta(days=1))})
        kept = () if is_default else self._pairs(since, until)
        return Reading(where=where, words=self._words(since, until), kept=kept, problem=problem)

    def options(self, reading: Reading) -> Iterable[Option]:
        monday = self.today - timedelta(days=self.today.weekday())
        spans = (
            ("Before today", None, self.today - timedelta(days=1)),
            ("Today", self.today, self.today),
            ("This week", monday, monday + timedelta(days=6)),
            ("Next 7 days", self.today, self.today + timedelta(days=6)),
        )
        for label, since, until in spans:
            pairs = self._pairs(since, until)
            yield Option(label=label, pairs=pairs, is_current=pairs == reading.kept)

    def inputs(self, reading: Reading) -> Iterable[Input]:
        kept = dict(reading.kept)
        for name, label in zip(self.names, ("From", "To"), strict=True):
            yield Input(name=name, label=label, value=kept.get(name, ""), type="date")

    def _pairs(self, since: date | None, until: date | None) -> tuple[tuple[str, str], ...]:
        days = zip(self.names, (since, until), strict=True)
        return tuple((name, day.isoformat()) for name, day in days if day)

    def _start(self, day: date) -> date | datetime:
        """Midnight at the start of the day: an instant in the zone, or the bare date."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC) if self.zone else day

    def _words(self, since: date | None, until: date | None) -> str:
        if since == until and since:
            return dateformat.format(since, "j M Y")
        if since and until:
            return f"{dateformat.format(since, 'j M')} – {dateformat.format(until, 'j M Y')}"
        return f"from {dateformat.format(since, 'j M Y')}" if since else f"until {dateformat.format(until, 'j M Y')}"  # type: ignore[arg-type]


def first(params: QueryDict, name: str) -> str:
    """A parameter's first value, without what PostgreSQL cannot keep in a text."""
    values = params.getlist(name)
    return values[0].replace("\0", "").strip() if values else ""


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(1900, 1, 1) <= day <= date(2200, 1, 1) else None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
