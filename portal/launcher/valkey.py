"""Valkey as a child process: the broker, the cache, the limits and the locks of a checkout."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from portal.launcher.accounts import Home
from portal.launcher.binaries import Binaries
from portal.launcher.ports import Ports
from portal.launcher.problems import LaunchError, failure
from portal.launcher.processes import evict, spawn, stop, tail, wait_until
from portal.launcher.state import open_log, remembered, write_private

_HOST = "127.0.0.1"
_START_TIMEOUT = 60.0  # seconds; a long append-only file is read first
_SHUT_DOWN = ((signal.SIGTERM, 10.0),)


@dataclass
class Valkey:
    """The server of this state directory. The caller holds the directory's lock."""

    home: Home
    binaries: Binaries
    ports: Ports
    log: Path
    fast: bool = False
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    @cached_property
    def password(self) -> str:
        """Kept between starts, so that what runs beside a restart keeps its way in."""
        return remembered(self.home.base / "valkey.password")

    @property
    def url(self) -> str:
        """The address of the first database, password included."""
        return f"redis://:{self.password}@{_HOST}:{self.port}/0"

    def start(self) -> None:
        """Returns once the server answers and has read what it kept."""
        data = self.home.directory("valkey")
        pid_file = self.home.base / "valkey.pid"
        with contextlib.suppress(FileNotFoundError, ValueError):
            evict(int(pid_file.read_text()), data, *_SHUT_DOWN)
        self._dismiss_leftover()
        for _attempt in range(5):
            self.port = self.ports.choose("valkey")
            if self._answers(data):
                write_private(pid_file, str(self.process.pid if self.process else 0))
                return
        raise LaunchError(f"Valkey found no free port; see {self.log}.")

    def is_running(self) -> bool:
        """Whether our child lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ends the server; what it was told is on disk, but for the tests' flavour."""
        if self.process is not None:
            stop(self.process, *_SHUT_DOWN)

    def kill(self) -> None:
        """As if the power had failed, for tests of what follows."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def flush(self) -> None:
        """Forgets everything."""
        self._ask("FLUSHALL")

    def _dismiss_leftover(self) -> None:
        # Where processes cannot be looked at: who opens to our password at our port is ours.
        self.port = self.ports.choose("valkey", running=True)
        if self._ping():
            self._ask("SHUTDOWN")
            wait_until(lambda: not self._ping(), 10)

    def _answers(self, data: Path) -> bool:
        """Starts the server; False when its port was taken meanwhile."""
        settings = {
            "bind": _HOST,
            "port": self.port,
            "requirepass": self.password,
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
            "save": '""',
            "appendonly": "no" if self.fast else "yes",
            "appendfsync": "everysec",
        }
        # Through a pipe: on the command line the password would be everybody's to read.
        reading, writing = os.pipe()
        os.write(writing, "".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        os.close(writing)
        with open_log(self.log) as log:
            since = log.seek(0, os.SEEK_END)
            process = self.process = spawn(
                [self.binaries.valkey, "-"],
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                log=log,
                cwd=data,
                stdin=reading,
                account=self.home.account,
            )
        os.close(reading)
        ready = wait_until(lambda: process.poll() is not None or self._ping(), _START_TIMEOUT)
        if ready and process.poll() is None:
            return True
        stop(process, *_SHUT_DOWN)
        said = tail(self.log, 40, since=since)
        if "Address already in use" in said:
            return False
        raise failure("Valkey did not start.", said, data)

    def _ping(self) -> bool:
        with contextlib.suppress(OSError):
            return self._ask("PING") == b"+PONG"
        return False

    def _ask(self, command: str) -> bytes:
        """The first line of the answer. The client library takes longer to import than the server to start."""
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection((_HOST, self.port), timeout=5))
            stream = stack.enter_context(connection.makefile("rwb"))
            stream.write(f"AUTH {self.password}\r\n{command}\r\n".encode())
            stream.flush()
            stream.readline()
            return stream.readline().strip()
