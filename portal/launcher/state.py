"""The state directory: everything a checkout makes for itself and could lose without losing work."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from portal.launcher.problems import plain_errors

_LARGE_LOG = 10_000_000  # bytes
CHECKOUT = Path(__file__).resolve().parents[2]


def state_directory(environ: Mapping[str, str]) -> Path:
    """Where `STATE_DIR` points; a relative path is meant from the checkout."""
    return CHECKOUT / (environ.get("STATE_DIR") or ".local")


def prepare(state_dir: Path) -> Path:
    """Creates the directory. Others may pass through it (the servers' account must), not read what is in it."""
    with plain_errors(state_dir):
        state_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in ("logs", "mail"):
            (state_dir / name).mkdir(mode=0o700, exist_ok=True)
    return state_dir


def write_private(path: Path, text: str) -> None:
    """Writes a file only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with plain_errors(path):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        draft.replace(path)


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[IO[bytes]]:
    """The log, to append to. One that has grown large makes way, so that it cannot grow for ever."""
    with plain_errors(path):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > _LARGE_LOG:
                path.replace(path.with_name(path.name + ".1"))
        with path.open("ab") as log:
            yield log


def remembered(path: Path, length: int = 32) -> str:
    """A random word kept in a private file: made once, read from then on."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(length))
    with plain_errors(path):
        return path.read_text()


class Lock:
    """A lock the system frees when its holder ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, *, shared: bool = False) -> bool:
        """Tries once. A process may hold its lock already; then this changes between shared and exclusive."""
        with plain_errors(self.path):
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def write(self, text: str) -> None:
        """Leaves a note for those who find the lock taken."""
        assert self._descriptor is not None
        with plain_errors(self.path):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)

    def note(self) -> str:
        """The holder's note, perhaps empty."""
        with plain_errors(self.path):
            return self.path.read_text()

    def release(self) -> None:
        """Frees the lock for the next one; harmless when it is not held."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None
