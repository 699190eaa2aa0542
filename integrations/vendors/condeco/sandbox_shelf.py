"""A shelf that says when something on it is made or changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from integrations.sandbox.shelf import Shelf


class Book(Shelf):
    """`tell` is called with the number of a record and whether it is new."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tell: Callable[[int, bool], object] = lambda number, is_new: None

    def touch(self, number: int, at: datetime) -> None:
        self.stamp(number, at)
        self.tell(number, False)

    def add(self, at: datetime) -> int:
        with self._lock:
            number = self.grow(at)
            self.tell(number, True)
            return number

    def stamp(self, number: int, at: datetime) -> None:
        """Changed now, in a way that is told elsewhere."""
        super().touch(number, at)

    def grow(self, at: datetime) -> int:
        """One more record, of which nothing is told yet; its number."""
        return super().add(at)
