"""Where the servers keep their data and as whom they run.

A normal user's servers are their own processes with their data in the state directory. PostgreSQL refuses to run as
root; there, the servers run as an account that exists already. No account is created and no parent directory's mode is
changed: what the account cannot reach is put in a directory of its own below /var/tmp.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.launcher.problems import LaunchError, plain_errors
from portal.launcher.state import remembered, write_private

ROAMING = Path("/var/tmp")  # noqa: S108 - survives a reboot, and own_directory refuses a planted one
SOCKETS = Path("/tmp")  # noqa: S108 - a socket's path may have 107 bytes; a checkout's may be longer


@dataclass(frozen=True, slots=True)
class Account:
    """The account a root-started server runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Home:
    """A place the servers can write, and the account they do it as (None: our own)."""

    base: Path
    account: Account | None

    def directory(self, name: str) -> Path:
        """A directory below the base that only the servers' account can enter."""
        return own_directory(self.base / name, self.account)

    @property
    def sockets(self) -> Path:
        """A short path for a Unix socket, the same at every start."""
        return SOCKETS / f"switchboard-{os.geteuid()}-{_short_hash(self.base)}"

    def reachable(self, parent: Path, names: Sequence[str], *, version: str) -> Path:
        """The directory the named trees lie in: `parent`, or a copy the account can reach, made once a version."""
        if all(can_reach(self.account, parent / name) for name in names):
            return parent
        copy = self.base / f"{names[0]}-{version}"
        if not copy.exists():
            with plain_errors(copy):
                draft = copy.with_name(copy.name + ".new")
                shutil.rmtree(draft, ignore_errors=True)
                for name in names:
                    shutil.copytree(parent / name, draft / name)
                for path in (draft, *draft.rglob("*")):
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
                draft.rename(copy)
        return copy


def home(state_dir: Path) -> Home:
    """The servers' home for this state directory."""
    account = _account(state_dir / "postgres")
    if can_reach(account, state_dir):
        return Home(state_dir, account)
    return Home(_roaming_base(state_dir), account)


def roaming_path(state_dir: Path) -> Path:
    """Where the servers of a state directory live that their account cannot reach."""
    return ROAMING / f"switchboard-{os.geteuid()}-{_short_hash(state_dir)}"


def can_reach(account: Account | None, path: Path) -> bool:
    """Asks the system, as that account: modes alone do not tell (access lists, mounts)."""
    if account is None:
        return True
    test = subprocess.run(
        ["test", "-r", path, "-a", "-x", path],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        check=False,
        stderr=subprocess.DEVNULL,
    )
    return test.returncode == 0


def own_directory(path: Path, account: Account | None, *, mode: int = 0o700) -> Path:
    """Creates the directory for the account, or refuses one that somebody else put there."""
    uid = account.uid if account else os.geteuid()
    with plain_errors(path):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=mode)
            if account:
                os.chown(path, account.uid, account.gid)
        found = path.lstat()
        # A parent killed between the two calls above left the directory to us: as good as new.
        if account and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            os.chown(path, account.uid, account.gid)
            found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
            raise LaunchError(f"{path} belongs to somebody else: remove it, or set STATE_DIR to another directory.")
        path.chmod(mode)
    return path


def _account(data: Path) -> Account | None:
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(FileNotFoundError, KeyError):
        # Data a normal user made here stays that user's.
        if owner := data.stat().st_uid:
            return _known(pwd.getpwuid(owner))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _known(pwd.getpwnam(name))
    raise LaunchError("Root may not run PostgreSQL and there is no account `postgres` or `nobody`: use a normal user.")


def _known(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _roaming_base(state_dir: Path) -> Path:
    base = own_directory(roaming_path(state_dir), None, mode=0o755)
    # Data whose state directory was removed has lost its keys too: it goes the same way.
    mark = remembered(state_dir / "state-id")
    with plain_errors(base):
        kept = base / "state-id"
        if not kept.exists() or kept.read_text() != mark:
            for leftover in base.iterdir():
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            write_private(kept, mark)
    return base


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
