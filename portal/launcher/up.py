"""`manage.py up`: the whole demo under one supervisor, for as long as it runs.

After the line that says it is ready nothing more is printed unless a child dies; the children write to log files.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from portal.launcher import embedded, environment, programs
from portal.launcher.children import Child, Family
from portal.launcher.embedded import OwnServers
from portal.launcher.freshness import StaticFiles
from portal.launcher.ports import Ports
from portal.launcher.problems import InUse, LaunchError
from portal.launcher.programs import Argv, Programs
from portal.launcher.state import Lock, prepare, state_directory
from portal.launcher.steps import Step, progress, say, sign_in, wait_for_health, wait_for_ports

_TICK = 0.25  # seconds


class Stopped(BaseException):
    """The person or the system asked for the end."""


def main(plan: Programs | None = None) -> int:
    """Runs the demo until it is told to stop; returns the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_once)
    try:
        state_dir = prepare(state_directory(os.environ)).resolve()
        with _only_one(state_dir) as lock:
            _Demo(state_dir, plan or programs.demo(state_dir)).run(lock)
    except Stopped:
        return 0
    except LaunchError as error:
        print(error, file=sys.stderr)
        return error.status
    return 0


class _Demo:
    def __init__(self, state_dir: Path, plan: Programs) -> None:
        self.state_dir = state_dir
        self.logs = state_dir / "logs"
        self.plan = plan
        self.family = Family()
        self.servers: OwnServers | None = None

    def run(self, lock: Lock) -> None:
        """Starts everything, watches over it, and leaves nothing behind."""
        ports = Ports(self.state_dir / "ports.json")
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(ports.listen(_port_asked_for()))
            address = f"http://localhost:{ports.web()}"
            lock.write(address)
            stack.callback(self._stop)
            env = self._environment()
            email, password = self._start(env, listener, ports.web())
            say(f"Logs are in {self.logs}; Ctrl-C stops everything.")
            say(f"Switchboard is ready: {address} (sign in as {email} / {password})")
            self._watch()

    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_ROLE"}
        if not environment.has_servers(env):
            self.servers = embedded.start(self.state_dir, patience=5, progress=progress)
            env.update(DATABASE_URL=self.servers.database_url, REDIS_URL=self.servers.redis_url)
        ours = environment.keys(self.state_dir) | environment.site(self.state_dir, running=False)
        env.update({name: value for name, value in ours.items() if not env.get(name)})
        # Another checkout's directory, or a demo that is off, would make no sense of the rest.
        return env | {"DEMO": "on", "PYTHONUNBUFFERED": "1", "STATE_DIR": str(self.state_dir)}

    def _start(self, env: dict[str, str], listener: socket.socket, port: int) -> tuple[str, str]:
        def child(name: str, argv: Argv, **options: object) -> None:
            log = self.logs / f"{name}.log"
            pause = self.plan.first_pause
            self.family.add(Child(name, argv, env, log, self.plan.cwd, first_pause=pause, **options))  # type: ignore[arg-type]

        def step(argv: Argv, log: str) -> Step:
            return Step(argv, env, self.logs / log, self.plan.cwd, self._look)

        child("sandbox", self.plan.sandbox)
        static = StaticFiles(self.state_dir)
        with contextlib.ExitStack() as stack:
            collecting = None if static.are_fresh() else stack.enter_context(step(self.plan.collect, "collect.log"))
            for label, argv in self.plan.setup:
                with progress(label), step(argv, "setup.log") as setting_up:
                    setting_up.finish()
            if collecting:
                with progress("Collecting the stylesheets"):
                    collecting.finish()
                static.note()
        with progress("Opening the vendor sandboxes"):
            wait_for_ports(env["SANDBOX_URLS"], self._look)
        # The web takes its time to load and asks nothing of the data: it comes up while the data is filled in.
        child("web", self.plan.web(listener.fileno()), pass_fds=(listener.fileno(),))
        with progress("Filling in the demo company"), step(self.plan.seed, "seed.log") as seeding:
            account = sign_in(seeding.finish())
        with progress("Starting the web, the worker and the clock"):
            # A second signal ends a worker at once; killed outright, we can send only one.
            child("worker", self.plan.worker, death_signal=signal.SIGQUIT, grace=20.0)
            child("beat", self.plan.beat)
            wait_for_health(port, self._look)
        return account

    def _look(self) -> None:
        if self.servers is not None:
            for name in self.servers.revive():
                say(f"{name} had stopped; it runs again.")
        self.family.watch(say)

    def _watch(self) -> None:
        while True:
            self._look()
            time.sleep(_TICK)

    def _stop(self) -> None:
        # The order of the picture: who asks goes before who answers.
        self.family.stop()
        if self.servers is not None:
            self.servers.close()


@contextlib.contextmanager
def _only_one(state_dir: Path) -> Iterator[Lock]:
    lock = Lock(state_dir / "up.lock")
    if not lock.take():
        raise InUse(f"Switchboard runs already in this checkout: {lock.note() or 'it is just starting.'}")
    try:
        yield lock
    finally:
        lock.write("")
        lock.release()


def _port_asked_for() -> int | None:
    word = os.environ.get("PORT", "").strip()
    if not word:
        return None
    if not word.isdecimal() or not 0 < int(word) < 65536:
        raise LaunchError(f"PORT must be a number from 1 to 65535, not {word[:20]!r}.", status=2)
    return int(word)


def _stop_once(_number: int, _frame: FrameType | None) -> None:
    # Once: an exception in the middle of stopping would leave the rest running.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped
