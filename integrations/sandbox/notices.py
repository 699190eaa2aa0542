"""Telling listeners what happens at the vendor: notices queued, tried again as the vendor does, and their weather."""

import ssl
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from integrations.sandbox.kit import Clock

KEPT = 1000  # delivered notices remembered
_GLANCE = 0.1  # seconds between looks at a clock that may be moved while something waits
_FAREWELL = 2.0  # seconds a post under way is given when the server stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing a listener is told. `event` is the vendor's name of what happened; a repeated post keeps its `id`."""

    account: int
    event: str
    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


Rewrite = Callable[[Notice], Notice]


@dataclass(slots=True, kw_only=True)
class Spell:
    """Bad weather for the next `times` notices, of `account` or (None) of all: lost for ever, posted more than once,
    late by `delay`, made into something else by `rewrite` on every try, or held back until `times` have gathered and
    then posted last first."""

    account: int | None = None
    times: int = 1
    is_dropped: bool = False
    is_reversed: bool = False
    copies: int = 1
    delay: timedelta = timedelta()
    rewrite: Rewrite | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Sending:
    """A notice on its way. `status` is the last answer's; None: nobody answered, or not tried yet."""

    notice: Notice
    due_at: datetime
    rewrite: Rewrite | None = None
    tries: int = 0
    status: int | None = None


class Sender:
    """Posts notices over HTTP by the emulator's clock, in the order of sending. 2xx is delivered; else the notice waits
    for the next of `delays` (the last one again and again; divided by `speed`), and after `most_tries` it is dead until
    `reprocess`.

    `dress` is asked before every post for what must be worked out anew each time: tokens, signatures. It runs in the
    sender's thread where there is one (`running`); without, nothing is posted but by `deliver`.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        delays: tuple[timedelta, ...],
        most_tries: int,
        timeout: timedelta = timedelta(seconds=30),
        dress: Rewrite | None = None,
    ) -> None:
        self._clock, self._delays, self._most_tries, self._timeout = clock, delays, most_tries, timeout
        self._dress = dress
        self.speed = 1.0
        self._spells: list[Spell] = []
        self._held: list[tuple[Spell, Sending]] = []
        self._waiting: list[Sending] = []
        self._dead: list[Sending] = []
        self._delivered: deque[Sending] = deque(maxlen=KEPT)
        self._lock = threading.Lock()  # over the lists; never held while posting
        self._posting = threading.Lock()  # one post at a time: the order is kept
        self._news = threading.Event()

    @property
    def delivered(self) -> list[Sending]:
        """The latest ones, oldest first."""
        with self._lock:
            return list(self._delivered)

    @property
    def waiting(self) -> list[Sending]:
        with self._lock:
            return [*self._waiting, *(sending for _, sending in self._held)]

    @property
    def dead(self) -> list[Sending]:
        with self._lock:
            return list(self._dead)

    def send(self, notice: Notice) -> None:
        """Queue it; returns at once."""
        with self._lock:
            sending = Sending(notice=notice, due_at=self._clock.now())
            spell = next((one for one in self._spells if one.account in (None, notice.account)), None)
            if spell is None:
                self._waiting.append(sending)
            else:
                self._weather(spell, sending)
        self._news.set()

    def add(self, spell: Spell) -> None:
        """From now on; spells are used up in the order they were put in."""
        with self._lock:
            self._spells.append(spell)

    def clear(self) -> None:
        """Fair weather; what was held back goes out in the order it was sent."""
        with self._lock:
            self._spells.clear()
            self._release([sending for _, sending in self._held])
        self._news.set()

    def reprocess(self, account: int | None = None) -> int:
        """Queue the dead again, as new; how many."""
        with self._lock:
            risen = [one for one in self._dead if account in (None, one.notice.account)]
            self._dead = [one for one in self._dead if one not in risen]
            self._waiting += [replace(one, tries=0, due_at=self._clock.now()) for one in risen]
        self._news.set()
        return len(risen)

    def deliver(self) -> int:
        """Post everything due now; how many posts were made. Returns when all of it has been answered."""
        with self._posting:
            due = self._due()
            for sending in due:
                self._try(sending)
            return len(due)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Post from a thread of its own until the block ends. What then still waits is kept."""
        with meanwhile(self._work) as is_over:
            try:
                yield
            finally:
                is_over.set()
                self._news.set()

    def _work(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            self._news.wait(_GLANCE if self._waiting else None)
            self._news.clear()
            with self._posting:
                for sending in self._due():
                    if is_over.is_set():
                        return
                    self._try(sending)

    def _weather(self, spell: Spell, sending: Sending) -> None:
        spell.times -= 1
        if spell.times <= 0:
            self._spells.remove(spell)
        if spell.is_reversed:
            self._held.append((spell, sending))
            if spell.times <= 0:
                self._release([one for own, one in reversed(self._held) if own is spell])
        elif not spell.is_dropped:
            late = replace(sending, due_at=sending.due_at + spell.delay, rewrite=spell.rewrite)
            self._waiting += [replace(late) for _ in range(spell.copies)]

    def _release(self, sendings: list[Sending]) -> None:
        """What was held back is due now, in this order."""
        now = self._clock.now()
        self._held = [entry for entry in self._held if entry[1] not in sendings]
        self._waiting += [replace(sending, due_at=now) for sending in sendings]

    def _due(self) -> list[Sending]:
        now = self._clock.now()
        with self._lock:
            return sorted((one for one in self._waiting if one.due_at <= now), key=lambda one: one.due_at)

    def _try(self, sending: Sending) -> None:
        sending.status = self._post(sending)
        sending.tries += 1
        with self._lock:
            self._waiting.remove(sending)
            if sending.status is not None and 200 <= sending.status < 300:
                self._delivered.append(sending)
            elif sending.tries >= self._most_tries:
                self._dead.append(sending)
            else:
                delay = self._delays[min(sending.tries, len(self._delays)) - 1]
                sending.due_at = self._clock.now() + delay / self.speed
                self._waiting.append(sending)

    def _post(self, sending: Sending) -> int | None:
        notice = self._dress(sending.notice) if self._dress else sending.notice
        if sending.rewrite:
            notice = sending.rewrite(notice)
        try:
            return _posted(notice, self._timeout.total_seconds())
        except (OSError, HTTPException, ValueError):
            return None


def _posted(notice: Notice, timeout: float) -> int:
    """The answer's status. Raises OSError, HTTPException or, for an address that is none, ValueError.

    The vendor's side of the wire: none of the site's guards belong here, so its client is not used.
    """
    parts = urlsplit(notice.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(notice.url)
    if parts.scheme == "https":
        connection: HTTPConnection = HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=_trust())
    else:
        connection = HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    with closing(connection):
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, notice.body, dict(notice.headers))
        return connection.getresponse().status


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[threading.Event]:
    """Runs `work` in a thread of its own until the event it is given, which is set when the block ends."""
    is_over = threading.Event()
    thread = threading.Thread(target=work, args=(is_over,), daemon=True, name="notices")
    thread.start()
    try:
        yield is_over
    finally:
        is_over.set()
        thread.join(_FAREWELL)


@cache
def _trust() -> ssl.SSLContext:
    """One for all posts: making it reads every root certificate."""
    return ssl.create_default_context()
