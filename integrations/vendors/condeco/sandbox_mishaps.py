"""What people at the vendor do without our knowing. Only bookings to come change, as at the vendor."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, ClassVar

from integrations.vendors.condeco.sandbox_diary import Account
from integrations.vendors.condeco.sandbox_writes import Writes


class Mishaps(Writes):
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("book_room", "Someone books a room"),
        ("move_booking", "A booking moves to another room"),
        ("cancel_booking", "A booking is cancelled"),
        ("erase_booking", "A booking vanishes without a trace"),
        ("book_a_desk", "Someone books a desk"),
        ("expect_visitor", "A visitor is announced"),
    )
    mishaps: ClassVar[tuple[str, ...]] = (
        "book_room",
        "reword_booking",
        "shift_booking",
        "move_booking",
        "hide_booking",
        "cancel_booking",
        "erase_booking",
        "tie_bookings",
        "rename_room",
        "book_a_desk",
        "give_back_desk",
        "erase_desk_booking",
        "expect_visitor",
        "disinvite_visitor",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._mishaps = 0

    def book_room(self, account: int = 0) -> None:
        self.accounts[account].diary.add(self.clock.now())

    def reword_booking(self, account: int = 0) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "title", "Moved to Thursday?"))

    def shift_booking(self, account: int = 0) -> None:
        """To another time in the same room."""
        self._on_booking(account, lambda one, number: one.settle(number, self.clock.now(), one.place_of(number)[0]))

    def move_booking(self, account: int = 0) -> None:
        """To another room at some time."""

        def move(one: Account, number: int) -> None:
            one.settle(number, self.clock.now(), (one.place_of(number)[0] + 1 + number % 3) % one.rooms)

        self._on_booking(account, move)

    def hide_booking(self, account: int = 0) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "is_private", True))

    def cancel_booking(self, account: int = 0) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "is_deleted", True))

    def erase_booking(self, account: int = 0) -> None:
        """Released because nobody came, say: it is simply no longer there."""
        self._on_booking(account, lambda one, number: one.erased.add(number))

    def tie_bookings(self, account: int = 0) -> None:
        """Three changes at one moment."""
        now = self.clock.now()
        for number in self._ahead(account)[:3]:
            self.edit(self.accounts[account], number).title = "All hands"
            self.accounts[account].diary.mark(number, now)

    def rename_room(self, account: int = 0) -> None:
        one, dice = self.accounts[account], self._dice()
        one.renamed[dice.randrange(one.rooms)] = f"Room of {dice.randrange(1900, 2000)}"

    def book_a_desk(self, account: int = 0) -> None:
        self.desks[account].add(self.clock.now())

    def give_back_desk(self, account: int = 0) -> None:
        number = self._desk_ahead(account)
        if number is not None:
            self.desks[account].edit(number, self.clock.now(), is_deleted=True)

    def erase_desk_booking(self, account: int = 0) -> None:
        number = self._desk_ahead(account)
        if number is not None:
            self.desks[account].erased.add(number)

    def expect_visitor(self, account: int = 0) -> None:
        self.visitors[account].add(self.clock.now())

    def disinvite_visitor(self, account: int = 0) -> None:
        book, now = self.visitors[account], self.clock.now()
        tomorrow = now.date() + timedelta(days=2)  # everywhere still to come
        numbers = [number for number in range(len(book)) if book.visit(number).arrives.date() >= tomorrow]
        if numbers:
            book.edit(self._dice().choice(numbers), now, is_withdrawn=True)

    def _dice(self) -> Random:
        self._mishaps += 1
        return self.accounts[0].diary.dice(self._mishaps, "mishap")

    def _ahead(self, account: int) -> list[int]:
        one, now = self.accounts[account], self.clock.now()
        numbers = (number for room in range(one.rooms) for number in one.numbers_in(room))
        return [n for n in numbers if now < one.times_of(n)[0] < now + timedelta(days=12) and not one.is_deleted(n)]

    def _on_booking(self, account: int, change: Callable[[Account, int], object]) -> None:
        one, numbers = self.accounts[account], self._ahead(account)
        if numbers:
            number = self._dice().choice(numbers)
            change(one, number)
            one.diary.mark(number, self.clock.now())

    def _desk_ahead(self, account: int) -> int | None:
        book, today = self.desks[account], self.clock.now().date()
        numbers = [
            number
            for number in range(len(book))
            if number not in book.erased and today < book.booking(number).day < today + timedelta(days=12)
        ]
        return self._dice().choice(numbers) if numbers else None
