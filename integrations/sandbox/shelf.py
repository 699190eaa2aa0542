"""Any number of records that exist by number only, and change while time passes."""

import hashlib
import random
import threading
from datetime import datetime, timedelta


class Shelf:
    """`size` records that exist by number only, with the moment each was last changed and how often.

    They begin spread evenly over `span` before `epoch`. While time passes, every `change_every` one of them, chosen by
    `seed`, is changed (None: nothing moves). Every `grow_after`-th change is a new record instead.
    """

    def __init__(
        self,
        *,
        size: int,
        seed: int,
        epoch: datetime,
        span: timedelta = timedelta(days=90),
        change_every: timedelta | None = None,
        grow_after: int = 10,
    ) -> None:
        self.seed, self.epoch, self.span = seed, epoch, span
        self._every, self._grow_after, self._ticks = change_every, grow_after, 0
        self._lock = threading.RLock()
        start = epoch - span
        step = span / max(size, 1)
        self.modified: list[datetime] = [(start + step * n).replace(microsecond=0) for n in range(size)]
        self.created: list[datetime] = list(self.modified)
        self.version: list[int] = [0] * size

    def __len__(self) -> int:
        return len(self.modified)

    def dice(self, number: int, *salt: object) -> random.Random:
        """A random source that always rolls the same for this record and salt."""
        digest = hashlib.blake2b(f"{self.seed}/{number}/{salt}".encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest))

    def touch(self, number: int, at: datetime) -> None:
        """Change one record now."""
        with self._lock:
            self.version[number] += 1
            self.modified[number] = at.replace(microsecond=0)

    def add(self, at: datetime) -> int:
        """One more record; its number."""
        with self._lock:
            at = at.replace(microsecond=0)
            self.created.append(at)
            self.modified.append(at)
            self.version.append(0)
            return len(self.modified) - 1

    def catch_up(self, now: datetime) -> None:
        """Carry out every change that is due by `now`."""
        if self._every is None:
            return
        with self._lock:
            due = int((now - self.epoch) / self._every)
            while self._ticks < due:
                self._ticks += 1
                at = self.epoch + self._every * self._ticks
                if self._ticks % self._grow_after == 0:
                    self.add(at)
                else:
                    self.touch(self.dice(self._ticks, "change").randrange(len(self)), at)
