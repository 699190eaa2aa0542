"""What people do at the vendor while nobody tells us: rows are entered, corrected, moved and deleted."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import ClassVar

from integrations.vendors.corecon.sandbox_data import DATED, Books, workday
from integrations.vendors.corecon.sandbox_signin import SignIn

RESOURCES = ("Company", "Contact", "Project", *DATED)
NEW_PROJECTS = 3  # a builder takes on only so many
OPEN_DAYS = 20  # entries of this many days are still corrected


class Mishaps(SignIn):
    """Each changes one account's data, the same way each time it is asked in the same order."""

    mishaps = (
        "enter_rows",
        "enter_twins",
        "enter_late",
        "correct_rows",
        "move_entries",
        "delete_rows",
        "delete_project",
        "post_figures",
    )
    labels: ClassVar[tuple[tuple[str, str], ...]] = (
        ("enter_rows", "Enter a row of every kind"),
        ("enter_late", "Enter a timecard for two weeks ago"),
        ("correct_rows", "Correct a row of every kind"),
        ("move_entries", "Correct the day of an entry"),
        ("delete_rows", "Delete a row of every kind"),
        ("delete_project", "Delete a project with its figures"),
        ("post_figures", "Post an invoice to a project"),
    )
    books: list[Books]
    _deeds = 0

    def enter_rows(self, account: int = 0) -> None:
        books, _ = self._begin(account)
        for resource in self._used(books):
            if resource != "Project" or len(books.shelves[resource]) < books.sizes[resource] + NEW_PROJECTS:
                books.shelves[resource].add(self.clock.now())

    def enter_twins(self, account: int = 0) -> None:
        """Two timecards at the same moment."""
        for _ in range(2):
            self.enter_rows(account)

    def enter_late(self, account: int = 0) -> None:
        books, _ = self._begin(account)
        for resource in self._used(books, DATED):
            number = books.shelves[resource].add(self.clock.now())
            books.moved[resource, number] = workday(self.clock.now() - timedelta(days=14))

    def correct_rows(self, account: int = 0) -> None:
        books, dice = self._begin(account)
        for resource in self._used(books):
            books.shelves[resource].touch(dice.randrange(len(books.shelves[resource])), self.clock.now())

    def move_entries(self, account: int = 0) -> None:
        """An entry of these weeks was for another day."""
        books, dice = self._begin(account)
        for resource in self._used(books, DATED):
            numbers = self._open(books, resource)
            if numbers:
                day = self.clock.now() - timedelta(days=dice.randrange(1, OPEN_DAYS))
                books.moved[resource, dice.choice(numbers)] = workday(day)

    def delete_rows(self, account: int = 0) -> None:
        """One of each kind is gone; of the entries one of an open week."""
        books, dice = self._begin(account)
        for resource in self._used(books):
            if resource != "Project":
                numbers = self._open(books, resource)
                if len(numbers) > 1:
                    books.removed.add((resource, dice.choice(numbers)))

    def delete_project(self, account: int = 0) -> None:
        books, dice = self._begin(account)
        numbers = books.numbers("Project")
        if len(numbers) > 2:
            books.removed.add(("Project", dice.choice(numbers)))

    def post_figures(self, account: int = 0) -> None:
        """An invoice to a project that has not come to an end."""
        books, dice = self._begin(account)
        going_on = books.going_on()
        if going_on:
            number = dice.choice(going_on)
            books.posted[number] = books.posted.get(number, 0) + 1

    def _begin(self, account: int) -> tuple[Books, Random]:
        self._deeds += 1
        books = self.books[account]
        books.catch_up(self.clock.now())
        return books, Random(f"{self.seed}/{account}/{self._deeds}")

    def _used(self, books: Books, resources: Iterable[str] = RESOURCES) -> list[str]:
        """Those of which there are any."""
        return [resource for resource in resources if len(books.shelves[resource])]

    def _open(self, books: Books, resource: str) -> list[int]:
        """The rows that may still be changed: of entries those of the last weeks."""
        today = self.clock.now().date()
        if resource not in DATED:
            return list(books.numbers(resource))
        return list(books.numbers(resource, today - timedelta(days=OPEN_DAYS), today))
