"""A seeded plan of blows: every kind has its share, and what was struck comes back after a while."""

import heapq
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import redis
from django.conf import settings
from django.db import connections
from django.utils import timezone

from portal.launcher.embedded import OwnServers
from tests.chaos.crew import Crew, Member, age_of, children_of

# What must be started anew afterwards is hit less often: starting takes seconds.
SHARES: Final[Mapping[str, int]] = {
    "process killed": 38,
    "process paused": 21,
    "worker killed": 3,
    "worker paused": 5,
    "beat killed": 3,
    "beat paused": 5,
    "broker killed": 4,
    "broker wiped": 5,
    "broker paused": 3,
    "database killed": 3,
    "database paused": 3,
    "vendor killed": 3,
    "reply lost": 6,
    "everything killed": 1,
}
_NEEDS_OWN_SERVERS = {"broker killed", "broker paused", "database killed", "database paused", "everything killed"}
_UP_AFTER = 4.0  # seconds
_WEATHER = ("lose", "truncate", "error", "slow")


def planned(blows: int, dice: random.Random, *, has_own_servers: bool) -> list[str]:
    """The kinds of so many blows, in their order."""
    shares = {kind: share for kind, share in SHARES.items() if has_own_servers or kind not in _NEEDS_OWN_SERVERS}
    kinds = [kind for kind, share in shares.items() for _ in range(round(blows * share / sum(shares.values())))]
    kinds += dice.choices(list(shares), list(shares.values()), k=max(0, blows - len(kinds)))
    dice.shuffle(kinds)
    return kinds[:blows]


@dataclass(order=True, slots=True)
class _Return:
    """Something struck down comes back."""

    at: float
    number: int
    name: str
    how: Callable[[], object]


class Storm:
    """Deals the blows. `calm_down` brings everything back."""

    def __init__(
        self, crew: Crew, vendors: Mapping[str, Member], urls: Mapping[str, str], servers: OwnServers | None, seed: int
    ) -> None:
        self.crew, self._vendors, self._urls, self._servers = crew, vendors, urls, servers
        self.dice = random.Random(seed)
        self.dealt: Counter[str] = Counter()
        self._down: set[str] = set()
        self._returns: list[_Return] = []
        self._numbers = count()

    @property
    def blows(self) -> int:
        return self.dealt.total()

    def strike(self, kind: str) -> bool:
        """Deal a blow of that kind; False when what it would hit is down already, or not up yet."""
        is_dealt: bool = getattr(self, "_" + kind.replace(" ", "_"))()
        if is_dealt:
            self.dealt[kind] += 1
            self._note(kind)
        return is_dealt

    def tend(self) -> None:
        """Bring back what has been down for long enough, and what ended by itself, as a supervisor does: Celery's main
        process ends when a child dies while it is being started."""
        while self._returns and self._returns[0].at <= time.monotonic():
            self._bring_back(heapq.heappop(self._returns))
        for member in (*self.crew.workers, self.crew.beat):
            if member.has_ended and member.name not in self._down:
                self._note(f"{member.name} has ended by itself")
                member.kill_all()
                member.start()

    def calm_down(self) -> None:
        while self._down:
            while self._returns:
                self._bring_back(heapq.heappop(self._returns))
            threading.Event().wait(0.05)  # what is paused wakes by a timer

    # Each returns whether there was something to hit.

    def _process_killed(self) -> bool:
        children = self._children()
        if children:
            with suppress(ProcessLookupError):
                os.kill(self.dice.choice(children), signal.SIGKILL)
        return bool(children)

    def _process_paused(self) -> bool:
        """Past the lease mostly: another takes over, and the zombie wakes up."""
        children = self._children()
        if children:
            pid = self.dice.choice(children)
            self._pause(f"process {pid}", lambda what: os.kill(pid, what))
        return bool(children)

    def _worker_killed(self) -> bool:
        member = self._one_of(self.crew.workers)
        if member:
            # Its children may be in the middle of something.
            (member.kill if self.dice.random() < 0.5 else member.kill_all)()
            self._later(member.name, member.start)
        return member is not None

    def _worker_paused(self) -> bool:
        member = self._one_of(self.crew.workers)
        if member:
            self._pause(member.name, member.send)
        return member is not None

    def _beat_killed(self) -> bool:
        if "beat" in self._down:
            return False
        self.crew.beat.kill_all()
        self._later("beat", self.crew.beat.start)
        return True

    def _beat_paused(self) -> bool:
        if "beat" in self._down:
            return False
        self._pause("beat", self.crew.beat.send)
        return True

    def _broker_killed(self) -> bool:
        if self._servers is None or "broker" in self._down:
            return False
        self._servers.kill_redis()
        self._later("broker", self._servers.revive)
        return True

    def _broker_wiped(self) -> bool:
        """Everything the broker knows is gone, the rate budgets too."""
        if "broker" in self._down:
            return False
        redis.Redis.from_url(settings.CELERY_BROKER_URL).flushall()
        return True

    def _broker_paused(self) -> bool:
        if self._servers is None or "broker" in self._down:
            return False
        pid = self._servers.redis_pid
        self._pause("broker", lambda what: os.kill(pid, what))
        return True

    def _database_killed(self) -> bool:
        if self._servers is None or "database" in self._down:
            return False
        self._servers.kill_postgres()
        connections.close_all()
        self._later("database", self._servers.restart_postgres)
        return True

    def _database_paused(self) -> bool:
        """Every process of it: whoever asked gets no answer, and no word either that none will come."""
        if self._servers is None or "database" in self._down:
            return False
        first = self._servers.postgres_pid
        pids = [first, *children_of(first)]

        def send(what: signal.Signals) -> None:
            for pid in pids:
                with suppress(ProcessLookupError):  # a session that has ended
                    os.kill(pid, what)

        self._pause("database", send)
        return True

    def _vendor_killed(self) -> bool:
        member = self._one_of(list(self._vendors.values()))
        if member:
            member.kill_all()
            self._later(member.name, member.start)
        return member is not None

    def _reply_lost(self) -> bool:
        member = self._one_of(list(self._vendors.values()))
        if member:
            # A vendor that has just been started may not listen yet: then that is the blow.
            with suppress(URLError, OSError):
                urlopen(f"{self._urls[member.name]}/_control/{self.dice.choice(_WEATHER)}", b"", timeout=5).close()
        return member is not None

    def _everything_killed(self) -> bool:
        if self._servers is None or self._down:
            return False
        for worker in self.crew.workers:
            worker.kill_all()
            self._later(worker.name, worker.start)
        self.crew.beat.kill_all()
        self._later("beat", self.crew.beat.start)
        for vendor in self._vendors.values():
            vendor.kill_all()
            self._later(vendor.name, vendor.start)
        return self._broker_killed() and self._database_killed()

    def _children(self) -> list[int]:
        """Those that are at work. A child that dies while it starts takes its main process with it; were that done
        again and again, there would be nobody to be killed at work."""
        up = [worker for worker in self.crew.workers if worker.name not in self._down]
        pids = [pid for worker in up for pid in worker.children if f"process {pid}" not in self._down]
        return [pid for pid in pids if age_of(pid) > _UP_AFTER]

    def _one_of(self, members: list[Member]) -> Member | None:
        up = [member for member in members if member.name not in self._down]
        return self.dice.choice(up) if up else None

    def _later(self, name: str, how: Callable[[], object]) -> None:
        self._down.add(name)
        at = time.monotonic() + self.dice.uniform(0, self.crew.lease)
        heapq.heappush(self._returns, _Return(at, next(self._numbers), name, how))

    def _pause(self, name: str, send: Callable[[signal.Signals], object]) -> None:
        """A timer wakes it: this thread may be waiting for the very thing that is paused."""

        def wake() -> None:
            with suppress(ProcessLookupError):
                send(signal.SIGCONT)
            self._down.discard(name)

        self._down.add(name)
        with suppress(ProcessLookupError):
            send(signal.SIGSTOP)
        timer = threading.Timer(self.dice.uniform(0.5, 3) * self.crew.lease, wake)
        timer.daemon = True
        timer.start()

    def _note(self, what: str) -> None:
        with self.crew.log_path.open("a") as log:
            log.write(f"{timezone.now():%H:%M:%S.%f} {what}\n")

    def _bring_back(self, one: _Return) -> None:
        self._note(f"back: {one.name}")
        one.how()
        self._down.discard(one.name)
