"""The embedded pair, PostgreSQL and Valkey, of one state directory.

One process owns the servers for as long as it lives: it holds `servers.lock` and they are its children. Others attach:
they hold `guests.lock` together, and an owner that is done waits for them before it stops the servers.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from portal.launcher import accounts, binaries, state
from portal.launcher.ports import Ports
from portal.launcher.postgres import Postgres
from portal.launcher.problems import InUse, LaunchError
from portal.launcher.processes import wait_until
from portal.launcher.state import Lock
from portal.launcher.valkey import Valkey

available = binaries.available

_NOTE = "servers.json"

Progress = Callable[[str], AbstractContextManager[object]]


def _silent(_label: str) -> AbstractContextManager[object]:
    return contextlib.nullcontext()


class Servers:
    """The running pair and its addresses; stops it at the end when this process owns it."""

    def __init__(self, database_url: str, redis_url: str, *, guest: Lock) -> None:
        self.database_url = database_url
        self.redis_url = redis_url
        self._guest = guest

    def close(self) -> None:
        """Leaves the servers as they are: they are another process's."""
        self._guest.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class OwnServers(Servers):
    """The pair as this process's children."""

    def __init__(self, state_dir: Path, lock: Lock, postgres: Postgres, valkey: Valkey) -> None:
        super().__init__(postgres.url, valkey.url, guest=Lock(state_dir / "guests.lock"))
        self.home = postgres.home
        self._note = state_dir / _NOTE
        self._lock = lock
        self._postgres = postgres
        self._valkey = valkey
        self._tell()

    def close(self) -> None:
        """Stops both, in any state they are in."""
        self._note.unlink(missing_ok=True)
        self._valkey.stop()
        self._postgres.stop()
        self._guest.release()
        self._lock.release()

    def wait_for_guests(self) -> None:
        """Returns when no other process uses the servers any more, and none can begin to."""
        if self._guest.take():
            return
        print("Other commands still use the embedded database; waiting for them to end.", file=sys.stderr)
        while not self._guest.take():
            time.sleep(0.2)

    def kill_postgres(self) -> None:
        """Kills PostgreSQL outright; `restart_postgres` or `revive` bring it back."""
        self._postgres.kill()

    def kill_redis(self) -> None:
        """Kills Valkey outright; `revive` brings it back."""
        self._valkey.kill()

    @property
    def postgres_pid(self) -> int:
        """The process that started the others of PostgreSQL; 0 before the first start."""
        return self._postgres.process.pid if self._postgres.process else 0

    @property
    def redis_pid(self) -> int:
        """The process of Valkey; 0 before the first start."""
        return self._valkey.process.pid if self._valkey.process else 0

    def restart_postgres(self) -> None:
        """Stops PostgreSQL if it runs, and starts it at the same address."""
        self._postgres.stop()
        self._postgres.start()

    def wipe_redis(self) -> None:
        """Takes everything from Valkey and starts it anew, as after the loss of a broker."""
        if self._valkey.is_running():
            self._valkey.flush()
            self._valkey.stop()
        self._start_valkey()

    def revive(self) -> list[str]:
        """Starts again what has ended by itself; returns the names."""
        revived = []
        if not self._postgres.is_running():
            self._postgres.start()
            revived.append("PostgreSQL")
        if not self._valkey.is_running():
            self._start_valkey()
            revived.append("Valkey")
        return revived

    def _start_valkey(self) -> None:
        self._valkey.start()
        if self._valkey.url != self.redis_url:
            raise LaunchError("The port of Valkey was taken while it was down: start again.")

    def _tell(self) -> None:
        urls = {"database_url": self.database_url, "redis_url": self.redis_url}
        state.write_private(self._note, json.dumps(urls | {"pid": os.getpid()}))


def start(state_dir: Path, *, fast: bool = False, patience: float = 0.0, progress: Progress = _silent) -> OwnServers:
    """Starts the pair as children of this process; raises InUse when it has another owner after `patience` seconds.

    `fast` gives up what a test does not need: the data outlives the process, not the machine.
    """
    state_dir = state.prepare(state_dir).resolve()
    lock = Lock(state_dir / "servers.lock")
    if not wait_until(lock.take, patience):
        raise InUse(f"Another command uses the embedded database in {state_dir}: let it end first.")
    try:
        (state_dir / _NOTE).unlink(missing_ok=True)  # of an owner that was killed
        home = accounts.home(state_dir)
        programs = binaries.usable(home)
        postgres = Postgres(home, programs, state_dir / "logs" / "postgres.log", fast)
        valkey = Valkey(home, programs, Ports(state_dir / "ports.json"), state_dir / "logs" / "valkey.log", fast)
        try:
            with progress("Starting PostgreSQL"):
                postgres.start()
            with progress("Starting Valkey"):
                valkey.start()
            return OwnServers(state_dir, lock, postgres, valkey)
        except BaseException:
            valkey.stop()
            postgres.stop()
            raise
    except BaseException:
        lock.release()
        raise


def attach_or_start(state_dir: Path, *, patience: float = 60.0) -> Servers:
    """The pair another process of this state directory runs, or one of our own."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return start(state_dir)
        except InUse:
            if attached := _attach(state_dir):
                return attached
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _attach(state_dir: Path) -> Servers | None:
    guest = Lock(state_dir / "guests.lock")
    # As a guest first, only then the look at the note: an owner about to stop shuts the door before it goes.
    if guest.take(shared=True):
        with contextlib.suppress(OSError, ValueError, KeyError):
            note = json.loads((state_dir / _NOTE).read_text())
            servers = Servers(note["database_url"], note["redis_url"], guest=guest)
            if _owner_lives(state_dir):
                return servers
    guest.release()
    return None


def _owner_lives(state_dir: Path) -> bool:
    lock = Lock(state_dir / "servers.lock")
    free = lock.take()
    lock.release()
    return not free
