"""The steps of a start: shown while they run, explained when they fail."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from portal.launcher.ports import answers
from portal.launcher.problems import LaunchError, failure
from portal.launcher.processes import spawn, stop, tail
from portal.launcher.state import open_log

_HEALTH_TIMEOUT = 120.0  # seconds
_SANDBOX_TIMEOUT = 60.0
_POLL = 0.05


def say(line: str) -> None:
    """Prints a line at once, whoever reads."""
    print(line, flush=True)


@contextlib.contextmanager
def progress(label: str) -> Iterator[None]:
    """Shows what is going on and, at its end, how long it took."""
    print(f"{label} … ", end="", flush=True)
    started_at = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    say(f"{time.monotonic() - started_at:.1f} s")


class Step:
    """A command that has to succeed before the start goes on."""

    def __init__(
        self, argv: Sequence[str | Path], env: Mapping[str, str], log: Path, cwd: Path, look: Callable[[], None]
    ) -> None:
        self.argv, self.env, self.log, self.cwd, self.look = argv, env, log, cwd, look
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._output = tempfile.TemporaryFile()
        with open_log(self.log) as log:
            self._since = log.seek(0, 2)
            self._process = spawn(self.argv, env=self.env, log=log, stdout=self._output.fileno(), cwd=self.cwd)
        return self

    def finish(self) -> str:
        """Looks after the others until the end and returns what it printed; raises LaunchError with its last words."""
        assert self._process is not None
        assert self._output is not None
        while (status := self._process.poll()) is None:
            self.look()
            time.sleep(_POLL)
        self._output.seek(0)
        printed = self._output.read().decode(errors="replace")
        if status != 0:
            name = " ".join(Path(part).name for part in self.argv[1:])
            said = tail(self.log, 400, since=self._since) or printed
            raise failure(f"`{name}` failed (status {status}):", said, self.log.parent.parent)
        return printed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            stop(self._process)
        if self._output is not None:
            self._output.close()


def sign_in(printed: str) -> tuple[str, str]:
    """The demo's e-mail and password, from the last line the seeding printed."""
    lines = printed.strip().splitlines()
    try:
        account = json.loads(lines[-1])
        return str(account["email"]), str(account["password"])
    except (IndexError, ValueError, KeyError, TypeError):
        raise LaunchError("`seed_demo` did not end with its sign-in as JSON.") from None


def wait_for_ports(addresses: str, look: Callable[[], None]) -> None:
    """Returns when every address of `name=http://host:port,…` accepts connections."""
    missing = {entry: urlsplit(entry.partition("=")[2]).port or 0 for entry in addresses.split(",") if entry}
    deadline = time.monotonic() + _SANDBOX_TIMEOUT
    while missing := {entry: port for entry, port in missing.items() if not answers(port)}:
        if time.monotonic() > deadline:
            raise LaunchError(f"Nothing answers at {', '.join(missing)}.")
        look()
        time.sleep(_POLL)


def wait_for_health(port: int, look: Callable[[], None]) -> None:
    """Returns when the site says that all it needs is there."""
    deadline = time.monotonic() + _HEALTH_TIMEOUT
    while True:
        answer = _health(port)
        if answer == "":
            return
        if time.monotonic() > deadline:
            raise LaunchError(f"The site does not become ready. It says: {answer}")
        look()
        time.sleep(_POLL)


def _health(port: int) -> str:
    """Empty when the site is ready, else its answer or why there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health/ready", headers={"Host": f"localhost:{port}"})
        response = connection.getresponse()
        body = response.read(2000).decode(errors="replace")
        return "" if response.status == 200 else f"{response.status} {body}"
    except (OSError, http.client.HTTPException) as error:
        return f"nothing ({error})"
    finally:
        connection.close()
