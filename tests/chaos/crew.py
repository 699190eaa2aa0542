"""The site's processes and the vendors' as children, to be killed, paused and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

from tests.chaos.vendors import Journal

CHECKOUT = Path(__file__).resolve().parents[2]


def environment(sandbox_urls: Mapping[str, str]) -> dict[str, str]:
    """What a child process needs to work on the test database as the app role."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        **os.environ,
        "DATABASE_URL": address.geturl(),
        "DATABASE_ROLE": "portal_app",
        "DEMO": "on",
        "SANDBOX_URLS": ",".join(f"{vendor}={url}" for vendor, url in sandbox_urls.items()),
        "LOG_LEVEL": "WARNING",
    }


def children_of(pid: int) -> list[int]:
    """The processes it started that still live."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def age_of(pid: int) -> float:
    """Seconds since the process began; 0 when it is gone."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


class Member:
    """One process, with those it starts itself."""

    def __init__(self, name: str, command: Sequence[str], log: Path, surroundings: Mapping[str, str]) -> None:
        self.name = name
        self._command, self._log, self._environment = command, log, surroundings
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[int] = []  # a killed process may leave children behind

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._groups.append(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def has_ended(self) -> bool:
        """Started, and gone by itself or by our hand."""
        return self._process is not None and self._process.poll() is not None

    @property
    def children(self) -> list[int]:
        return children_of(self.pid)

    def kill(self) -> None:
        """The process alone: its children see their parent die."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def kill_all(self) -> None:
        """The process with all it ever started."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self._groups.clear()
        self.kill()

    def send(self, what: signal.Signals) -> None:
        """To the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, what)


class Crew:
    """Workers with two processes each, and a beat. Times are short so that recovery shows soon."""

    def __init__(
        self, surroundings: Mapping[str, str], directory: Path, *, workers: int, lease: float = 2, tick: float = 0.5
    ) -> None:
        surroundings = {**surroundings, "SYNC_LEASE_SECONDS": str(lease), "SYNC_TICK_SECONDS": str(tick)}
        self.log_path = directory / "crew.log"
        self.lease = lease
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        work = ("celery", "-A", "portal", "worker", "--pool", "prefork", "-c", "2", *quiet)
        beat = ("celery", "-A", "portal", "beat", "--schedule", str(directory / "beat"), "--pidfile=")
        self.workers = [
            Member(f"worker {n}", (*work, "-n", f"{n}@chaos"), self.log_path, surroundings) for n in range(workers)
        ]
        self.beat = Member("beat", beat, self.log_path, surroundings)

    def start(self) -> None:
        for member in (*self.workers, self.beat):
            member.start()

    def stop(self) -> None:
        for member in (*self.workers, self.beat):
            member.kill_all()

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")


def vendor_member(vendor: str, port: int, journal: Journal, options: Mapping[str, Any], directory: Path) -> Member:
    """A vendor as a process; not started."""
    command = ("tests.chaos.vendors", str(journal.path), vendor, str(port), json.dumps(options))
    return Member(vendor, command, directory / "vendors.log", os.environ)
