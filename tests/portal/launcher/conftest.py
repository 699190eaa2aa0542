"""State directories as a checkout has them, and processes whose end is certain."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.launcher import accounts
from portal.launcher.processes import wait_until
from portal.launcher.state import CHECKOUT

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A directory the servers' account can reach, with a space in its path."""
    above = Path(tempfile.mkdtemp(prefix="switch board "))
    above.chmod(0o755)
    yield above / "state"
    for base in (above / "state", roaming := accounts.roaming_path(above / "state")):
        shutil.rmtree(accounts.Home(base, None).sockets, ignore_errors=True)
    shutil.rmtree(roaming, ignore_errors=True)
    # A server whose owner was killed may still be putting its files away.
    assert wait_until(lambda: not shutil.rmtree(above, ignore_errors=True) and not above.exists(), 20)


@pytest.fixture
def environ(state_dir: Path) -> dict[str, str]:
    """The environment of a person who has set nothing but the state directory."""
    ours = {"DATABASE_ROLE", "DATABASE_URL", "DEMO", "PORT", "REDIS_URL", "SANDBOX_URLS", "SECRET_KEY", "VAULT_KEYS"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"STATE_DIR": str(state_dir), "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def start_python(environ: dict[str, str]) -> Iterator[Start]:
    """Starts Python on a piece of code or a script; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=environ | more,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
