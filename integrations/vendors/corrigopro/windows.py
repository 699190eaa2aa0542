"""Where a reading of work orders stands: a walk through windows of time, kept whole in the cursor.

CorrigoPro's search has neither pages nor order, only a span of time. The walk cuts the wanted span into windows that
each come back uncut, orders a window's rows by moment and id, and hands them on in batches. A place inside a window is
the moment and id of the last row handed on: asked again from there, the vendor gives the rest, whatever has changed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace

from integrations.contract import Span
from integrations.vendors.corrigopro import assumptions, wire

Criterion = Literal["Created", "LastUpdate"]
Key = tuple[datetime, int]  # a row's moment by the walk's criterion, and its id


class Walk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reading under way. All moments are UTC.

    A first reading walks by `Created`, which never changes: no row can slip out of a window that is still to come.
    Later ones walk by `LastUpdate`: an order that changes meanwhile moves to later windows or to the next reading.
    """

    by: Criterion
    started: datetime  # our clock when the reading began
    begins: datetime  # of the whole span
    until: datetime
    opens: datetime  # of the window at hand: opens <= moment < closes
    closes: datetime
    width: timedelta  # of the next window
    after: Key | None = None  # the last row handed on in this window
    done: int = 0  # rows handed on in all windows
    since: datetime | None = None  # where this reading was told to begin; the next never begins earlier
    seen: datetime | None = None  # the newest `LastUpdate` handed on
    changed_since: datetime | None = None  # by `Created` only: rows older than this are not wanted

    @property
    def asks_from(self) -> datetime:
        return self.after[0] if self.after else self.opens

    @property
    def can_halve(self) -> bool:
        return self.closes - self.asks_from > assumptions.SHORTEST_WINDOW

    def halved(self) -> "Walk":
        half = (self.closes - self.asks_from) / 2
        return replace(self, closes=self.asks_from + half, width=half)

    def accepted(self, rows: int, suspicious: int) -> "Walk":
        """The window at hand came back whole with that many rows: settle how wide the next one is."""
        if self.after:
            return self
        span = self.closes - self.opens
        widest = assumptions.HISTORY_WINDOW if self.by == "Created" else self.until - self.begins
        return replace(self, width=min(span * 2 if rows * 2 < suspicious else span, widest))

    @property
    def covers(self) -> Span | None:
        """What a sweep has seen when it has gone through this window: what is too young may have come meanwhile."""
        since, until = (
            wire.position(self.opens),
            wire.position(min(self.closes, self.started - assumptions.CLOCK_TRUST)),
        )
        return Span(since=since, until=until) if since < until else None

    def past(self, keys: Sequence[Key]) -> "Walk":
        """The rows of these keys are handed on."""
        if not keys:
            return self
        seen = max(keys[-1][0], self.seen or keys[-1][0]) if self.by == "LastUpdate" else None
        return replace(self, after=keys[-1], done=self.done + len(keys), seen=seen)

    def next_window(self) -> "Walk | None":
        """The window after this one; None when this was the last."""
        if self.closes >= self.until:
            return None
        return replace(self, opens=self.closes, closes=min(self.closes + self.width, self.until), after=None)

    def next_reading(self) -> datetime:
        """Where the next reading begins (before its overlap).

        At the newest change seen, as long as that is not ahead of our clock: one order dated in the future must not
        hide the others. A quiet vendor moves on too, by our own clock less what we trust it.
        """
        certain = self.started - assumptions.CLOCK_TRUST
        newest = min(self.seen or certain, self.started)
        return max(certain, newest, self.since or certain)

    def expected(self, remaining: int) -> int:
        """How many rows the whole reading will probably hand on, from what the windows so far held."""
        whole = min(self.until, max(self.started, self.begins + timedelta(seconds=1))) - self.begins
        covered = min((self.closes - self.begins) / whole, 1.0)
        return round((self.done + remaining) / covered)


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Between readings `next` says where the next begins; during one, `walk` says where it stands.

    For what hangs on orders: `rounded` is when the open ones were last gone round, `is_round` whether the walk does
    that.
    """

    next: datetime | None = None
    walk: Walk | None = None
    rounded: datetime | None = None
    is_round: bool = False

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        return msgspec.json.decode(text, type=cls) if text else cls()

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def first_walk(now: datetime, history: timedelta) -> Walk:
    """Everything created within `history`, in windows of a week."""
    begins, until = now - history, now + assumptions.LOOK_AHEAD
    return Walk(
        by="Created",
        started=now,
        begins=begins,
        until=until,
        opens=begins,
        closes=min(begins + assumptions.HISTORY_WINDOW, until),
        width=assumptions.HISTORY_WINDOW,
    )


def next_walk(since: datetime, now: datetime) -> Walk:
    """Everything changed since then, overlap included, in one window as long as it comes back whole."""
    begins, until = since - assumptions.OVERLAP, max(since, now) + assumptions.LOOK_AHEAD
    return Walk(
        by="LastUpdate",
        started=now,
        begins=begins,
        until=until,
        opens=begins,
        closes=until,
        width=until - begins,
        since=since,
    )


def fallback_walk(stuck: Walk, history: timedelta) -> Walk:
    """What is left of a walk by `LastUpdate`, found by `Created` instead: for a server that refuses that criterion, and
    for more changes in one second than a search gives."""
    walk = first_walk(stuck.started, max(history, assumptions.FALLBACK_SPAN))
    return replace(walk, since=stuck.since, changed_since=stuck.asks_from)
