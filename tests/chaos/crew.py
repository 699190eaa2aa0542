"""A real worker and a real beat as child processes, to be killed and started again."""

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

CHECKOUT = Path(__file__).resolve().parents[2]


def environment(sandbox_urls: dict[str, str]) -> dict[str, str]:
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


class Crew:
    """Two worker processes under one Celery main process, and a beat. Times are short so that recovery shows soon."""

    def __init__(self, sandbox_urls: dict[str, str], directory: Path, *, lease: float = 1.5, tick: float = 0.5) -> None:
        self._environment = environment(sandbox_urls) | {
            "SYNC_LEASE_SECONDS": str(lease),
            "SYNC_TICK_SECONDS": str(tick),
        }
        self._directory = directory
        self._worker: subprocess.Popen[bytes] | None = None
        self._beat: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        self._worker = self._run("worker", "--pool", "prefork", "-c", "2", *quiet)
        if self._beat is None or self._beat.poll() is not None:
            self._beat = self._run("beat", "--schedule", str(self._directory / "beat"), "--pidfile=")

    def kill(self, dice: random.Random) -> str:
        """Kill -9 one worker process, or now and then the whole crew, which is then started again."""
        children = self._children()
        if children and dice.random() < 0.75:
            with suppress(ProcessLookupError):
                os.kill(dice.choice(children), signal.SIGKILL)
            return "one process"
        self.stop(signal.SIGKILL)
        self.start()
        return "all"

    def stop(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        for process in (self._worker, self._beat):
            if process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, with_signal)
                process.wait()
        self._worker = self._beat = None

    @property
    def log(self) -> str:
        return (self._directory / "crew.log").read_text(errors="replace")

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._directory / "crew.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "portal", *command],
                cwd=CHECKOUT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _children(self) -> list[int]:
        if self._worker is None:
            return []
        path = Path(f"/proc/{self._worker.pid}/task/{self._worker.pid}/children")
        with suppress(OSError):
            return [int(word) for word in path.read_text().split()]
        return []
