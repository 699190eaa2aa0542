"""Child processes that never outlive their parent, and leftovers of parents that were killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from portal.launcher.accounts import Account

HAS_PROC = Path("/proc/self").exists()
_PR_SET_PDEATHSIG = 1
# Loaded here, not in the child: between fork and exec as little as possible may happen.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: IO[bytes],
    cwd: Path | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a child in a session of its own, so that a Ctrl-C reaches only the parent, which stops the children
    in order.

    Linux sends the child `death_signal` when the *thread* that started it ends: call this from the main thread.
    Elsewhere a killed parent leaves the child behind; of the servers, the next start gets rid.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        # A shell's background job is told to ignore some of these, and would pass that on.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        # Runs after the change of account, which would have cleared the wish.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(
        [os.fspath(part) for part in argv],
        env=dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=log if stdout is None else stdout,
        stderr=log,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def wait_until(met: Callable[[], bool], timeout: float) -> bool:
    """Polls until the condition holds; False when the time (seconds) is up."""
    deadline = time.monotonic() + timeout
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop(process: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> None:
    """Sends each signal in turn and waits its seconds; at last kills the whole session."""
    for number, grace in signals:
        if process.poll() is not None:
            break
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def runs_in(pid: int, directory: Path) -> bool:
    """Whether the process lives and has this working directory.

    A number in a file proves nothing: it may be a zombie, or by now somebody else's. Without HAS_PROC no process is
    recognised.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" and Path(f"/proc/{pid}/cwd").samefile(directory)
    except OSError:
        return False


def evict(pid: int, directory: Path, *signals: tuple[signal.Signals, float]) -> None:
    """Ends a server whose parent was killed, waiting its seconds after each signal."""
    for number, grace in (*signals, (signal.SIGKILL, 5.0)):
        if not runs_in(pid, directory):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: not runs_in(pid, directory), grace):
            return


def tail(path: Path, lines: int = 15, *, since: int = 0) -> str:
    """The last lines of a log, at most from the byte `since` on."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since, size - 20_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    return ""
