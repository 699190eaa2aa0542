"""The supervisor's children: started, watched, started again, and stopped in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portal.launcher.problems import LaunchError
from portal.launcher.processes import spawn, stop, tail
from portal.launcher.state import open_log

_PATIENCE = 5  # deaths in a row before the supervisor gives up
_SETTLED = 60.0  # seconds after which a child counts as having come up well
_LONGEST_PAUSE = 15.0


@dataclass
class Child:
    """A process that should run for as long as the supervisor does."""

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    pass_fds: Sequence[int] = ()
    # What ends it when the supervisor is killed outright, so that nobody is left to insist.
    death_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    first_pause: float = 1.0
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    due_at: float = 0.0

    def start(self) -> None:
        """Starts it with its output appended to its log."""
        with open_log(self.log) as log:
            self.started_at = time.monotonic()
            self.process = spawn(
                self.argv,
                env=self.env,
                log=log,
                cwd=self.cwd,
                pass_fds=self.pass_fds,
                death_signal=self.death_signal,
            )

    def watch(self, say: Callable[[str], None]) -> None:
        """Notices its end and starts it again after a pause that grows; raises LaunchError when that is no use."""
        if self.process is None:
            if time.monotonic() >= self.due_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        stop(self.process)  # what it left of its session
        self.process = None
        now = time.monotonic()
        self.deaths = self.deaths + 1 if now - self.started_at < _SETTLED else 1
        end = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if self.deaths >= _PATIENCE:
            raise LaunchError(f"{self.name} {end}, for the {self.deaths}th time. Its last words:\n{tail(self.log)}")
        pause = min(self.first_pause * 2.0 ** (self.deaths - 1), _LONGEST_PAUSE)
        self.due_at = now + pause
        say(f"{self.name} {end}; it starts again in {pause:.0f} s. See {self.log}")


@dataclass
class Family:
    """All children of the supervisor."""

    children: list[Child] = field(default_factory=list)

    def add(self, child: Child) -> None:
        """Starts one more."""
        self.children.append(child)
        child.start()

    def watch(self, say: Callable[[str], None]) -> None:
        """One look at each."""
        for child in self.children:
            child.watch(say)

    def stop(self) -> None:
        """Asks all at once, waits for each within its grace, then insists."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            if child.process and child.process.poll() is None:
                child.process.terminate()
        asked_at = time.monotonic()
        for child in running:
            if child.process:
                left = max(0.0, asked_at + child.grace - time.monotonic())
                try:
                    child.process.wait(left)
                except subprocess.TimeoutExpired:
                    pass
                finally:
                    stop(child.process)
