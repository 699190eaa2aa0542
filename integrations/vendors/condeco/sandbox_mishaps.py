"""What people at the vendor do without our knowing. Only bookings to come change, as at the vendor."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from random import Random
from typing import Any, ClassVar

from integrations.vendors.condeco.sandbox_diary import Account
from integrations.vendors.condeco.sandbox_messages import room_changed
from integrations.vendors.condeco.sandbox_writes import Writes


def at_each(mishap: Callable[[Any, int], None]) -> Callable[..., None]:
    """Let it happen to the account named (the first, unless told otherwise), or to every one (None)."""

    @wraps(mishap)
    def happen(self: "Mishaps", account: int | None = 0) -> None:
        for number in self.numbers(account):
            mishap(self, number)

    return happen


class Mishaps(Writes):
    switches: ClassVar[tuple[tuple[str, str], ...]] = (
        ("book_room", "Someone books a room"),
        ("reword_booking", "A booking gets another title"),
        ("shift_booking", "A booking moves to another time"),
        ("move_booking", "A booking moves to another room"),
        ("hide_booking", "A booking becomes private"),
        ("cancel_booking", "A booking is cancelled"),
        ("erase_booking", "A booking vanishes without a trace"),
        ("tie_bookings", "Three bookings change at one moment"),
        ("rename_room", "A room gets another name"),
        ("book_a_desk", "Someone books a desk"),
        ("give_back_desk", "Someone gives a desk back"),
        ("erase_desk_booking", "A desk booking vanishes without a trace"),
        ("expect_visitor", "A visitor is announced"),
        ("disinvite_visitor", "A visitor is taken off the list"),
    )
    mishaps: ClassVar[tuple[str, ...]] = tuple(method for method, _ in switches)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._mishaps = 0

    @at_each
    def book_room(self, account: int) -> None:
        self.accounts[account].diary.add(self.clock.now())

    @at_each
    def reword_booking(self, account: int) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "title", "Moved to Thursday?"))

    @at_each
    def shift_booking(self, account: int) -> None:
        """To another time in the same room."""
        self._on_booking(account, lambda one, number: one.settle(number, self.clock.now(), one.place_of(number)[0]))

    @at_each
    def move_booking(self, account: int) -> None:
        """To another room at some time."""

        def move(one: Account, number: int) -> None:
            rooms = one.open_rooms
            other = (rooms.index(one.place_of(number)[0]) + 1 + number % 3) % len(rooms)
            one.settle(number, self.clock.now(), rooms[other])

        self._on_booking(account, move)

    @at_each
    def hide_booking(self, account: int) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "is_private", True))

    @at_each
    def cancel_booking(self, account: int) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "is_deleted", True))

    @at_each
    def erase_booking(self, account: int) -> None:
        """Released because nobody came, say: it is simply no longer there."""
        self._on_booking(account, lambda one, number: one.erased.add(number))

    @at_each
    def tie_bookings(self, account: int) -> None:
        """Three changes at one moment."""
        now = self.clock.now()
        for number in self._ahead(account)[:3]:
            self.edit(self.accounts[account], number).title = "All hands"
            self.accounts[account].diary.mark(number, now)

    @at_each
    def rename_room(self, account: int) -> None:
        one, dice = self.accounts[account], self._dice()
        room = dice.choice(one.open_rooms)
        one.renamed[room] = f"Room of {dice.randrange(1900, 2000)}"
        self.notify(account, room_changed(one.room_id(room)))

    @at_each
    def book_a_desk(self, account: int) -> None:
        self.desks[account].add(self.clock.now())

    @at_each
    def give_back_desk(self, account: int) -> None:
        number = self._desk_ahead(account)
        if number is not None:
            self.desks[account].edit(number, self.clock.now(), is_deleted=True)

    @at_each
    def erase_desk_booking(self, account: int) -> None:
        number = self._desk_ahead(account)
        if number is not None:
            self.desks[account].erased.add(number)
            self.desks[account].touch(number, self.clock.now())

    @at_each
    def expect_visitor(self, account: int) -> None:
        self.visitors[account].add(self.clock.now())

    @at_each
    def disinvite_visitor(self, account: int) -> None:
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
        numbers = (number for room in one.open_rooms for number in one.numbers_in(room))
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
