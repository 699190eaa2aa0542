"""What one of the sandbox's builders has on its books: rows that exist by number only, and what happened to them."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache

from integrations.sandbox.shelf import Shelf
from integrations.vendors.corecon.records import vendor_date
from integrations.vendors.corecon.sandbox_rows import ROWS
from integrations.vendors.corecon.sandbox_words import ENDINGS, FIRST, LAST, PEOPLE, TRADES

ENTRY_SPAN = timedelta(days=390)  # a little less than 13 months, so that a first reading finds the oldest too
EDIT_WINDOW = timedelta(days=28)  # an older week is closed
DATED = {"LaborTime": "Date", "EquipmentTime": "Date", "EmployeeMiscExpenses": "ExpenseDate"}


class EntryShelf(Shelf):
    """Entries by date. A change that would hit a closed week hits an open one instead."""

    def touch(self, number: int, at: datetime) -> None:
        open_from = bisect_left(self.created, at - EDIT_WINDOW)
        if number < open_from < len(self):
            number = open_from + number % (len(self) - open_from)
        if number >= open_from:
            super().touch(number, at)


def workday(created: datetime) -> date:
    """The day worked: what falls on a weekend was worked on the Friday before."""
    day = created.date()
    return day - timedelta(days=max(day.weekday() - 4, 0))


@dataclass
class Books:
    """One account's rows by resource and number. `sizes` are the numbers of rows to begin with; `removed` names rows
    that were deleted, `moved` entries whose day was corrected."""

    seed: int
    epoch: datetime
    prefix: str  # of project numbers
    sizes: Mapping[str, int]
    first_id: int
    change_every: timedelta | None = None
    removed: set[tuple[str, int]] = field(default_factory=set)
    moved: dict[tuple[str, int], date] = field(default_factory=dict)
    with_ids: bool = True

    def __post_init__(self) -> None:
        # Seldom: a firm or a job changes a few times a day, while hours are written all day long.
        slow = self.change_every * 20 if self.change_every else None
        self.shelves: dict[str, Shelf] = {}
        for number, resource in enumerate(("Company", "Contact", "Project", *DATED), start=1):
            is_entry = resource in DATED
            self.shelves[resource] = (EntryShelf if is_entry else Shelf)(
                size=self.sizes[resource] if self.sizes["Project"] or not is_entry else 0,
                seed=self.seed * 10 + number,
                epoch=self.epoch,
                span=ENTRY_SPAN if is_entry else timedelta(days=90),
                change_every=self.change_every if is_entry else slow,
            )
        self.posted: dict[int, int] = {}  # how often something was posted to a project
        self._row = lru_cache(maxsize=20_000)(self._made)

    def catch_up(self, now: datetime) -> None:
        for shelf in self.shelves.values():
            if len(shelf):
                shelf.catch_up(now)

    def numbers(self, resource: str, since: date | None = None, until: date | None = None) -> Sequence[int]:
        """The numbers of the rows that are there, in order; of entries those of the days from `since` to `until`."""
        shelf = self.shelves[resource]
        first, last = 0, len(shelf)
        if resource in DATED and since and until:
            first = bisect_left(shelf.created, since, key=workday)
            last = bisect_right(shelf.created, until, key=workday)
        if not self.removed and not self.moved:
            return range(first, last)
        away = self.removed | self.moved.keys()
        here = [number for number in range(first, last) if (resource, number) not in away]
        here += [
            number
            for (kind, number), day in self.moved.items()
            if kind == resource
            and (kind, number) not in self.removed
            and (not since or not until or since <= day <= until)
        ]
        return sorted(here)

    def day(self, resource: str, number: int) -> date:
        """The day an entry is for."""
        return self.moved.get((resource, number)) or workday(self.shelves[resource].created[number])

    def page(self, resource: str, numbers: Iterable[int]) -> bytes:
        """Those rows as a JSON array."""
        return b"[" + b",".join(self.row(resource, number) for number in numbers) + b"]"

    def row(self, resource: str, number: int) -> bytes:
        """The vendor's bytes of one row."""
        day = self.day(resource, number) if resource in DATED else None
        return self._row(resource, number, self.shelves[resource].version[number], day, self.with_ids)

    def _made(self, resource: str, number: int, version: int, day: date | None, with_id: bool) -> bytes:
        row = ROWS[resource](self, number, version)
        if day:
            row[DATED[resource]] = vendor_date(day)
        if not with_id:
            row.pop(next(iter(row)))
        return json.dumps(row, separators=(",", ":")).encode()

    @cached_property
    def people(self) -> list[str]:
        dice = self.shelves["Project"].dice(0, "people")
        return [
            f"{first} {last}" for first, last in zip(dice.sample(FIRST, PEOPLE), dice.sample(LAST, PEOPLE), strict=True)
        ]

    def company_name(self, number: int) -> str:
        """One of 3,600 names, each once; beyond them a number is added."""
        kinds = len(LAST) * len(TRADES) * len(ENDINGS)
        around, place = divmod(number, kinds)
        place = (place * 1009 + self.seed * 37) % kinds  # 1009 is prime: every name comes once
        place, last = divmod(place, len(LAST))
        ending, trade = divmod(place, len(TRADES))
        return f"{LAST[last]} {TRADES[trade]} {ENDINGS[ending]}{f' {around + 1}' if around else ''}"

    def project_number(self, number: int) -> str:
        return f"{self.prefix}-{number + 1:03}"

    def project_days(self, number: int) -> tuple[date, date]:
        """When a project starts and finishes, as first planned. The first one and every new one are at work."""
        dice = self.shelves["Project"].dice(number, "days")
        is_new = number >= self.sizes["Project"]
        start = (self.epoch - timedelta(days=dice.randrange(-30, 500) if number and not is_new else 90)).date()
        return start, start + timedelta(days=dice.randrange(200, 620))

    def is_closed(self, number: int) -> bool:
        return self.project_days(number)[1] < self.epoch.date()

    def going_on(self) -> list[int]:
        """The projects that have not come to an end."""
        return [number for number in self.numbers("Project") if not self.is_closed(number)]
