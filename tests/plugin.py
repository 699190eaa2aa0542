"""Gives the tests their servers and their environment before Django's settings load.

With DATABASE_URL and REDIS_URL set, the tests run against those. Otherwise this starts a pair of their own, apart from
the demo's data; `servers` below, also found in `config.stash[SERVERS]`, lets a test kill and restart them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from portal.launcher import embedded, environment
from portal.launcher.accounts import roaming_path
from portal.launcher.embedded import OwnServers
from portal.launcher.problems import InUse, LaunchError
from portal.launcher.state import CHECKOUT, prepare, state_directory

SERVERS = pytest.StashKey[OwnServers | None]()
servers: OwnServers | None = None

_MUST_RUN = ("browser", "server")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Runs around pytest-django's own hook, which loads the settings."""
    global servers
    early_config.add_cleanup(_stop)
    os.environ.pop("DEMO", None)
    os.environ.update(
        STATE_DIR=str(state_directory(os.environ) / "test"),  # apart from the demo's mail and files
        ALLOWED_HOSTS="*",
        DATABASE_ROLE="portal_owner",
        EMAIL_URL="memorymail://",
        SITE_URL="http://localhost:8000",
        STATIC_STORAGE="django.contrib.staticfiles.storage.StaticFilesStorage",
        **environment.throwaway_keys(),
    )
    try:
        if not environment.has_servers(os.environ):
            servers = _start()
            os.environ.update(DATABASE_URL=servers.database_url, REDIS_URL=servers.redis_url)
        # WhiteNoise warns of a missing directory at every test client.
        (prepare(state_directory(os.environ)) / "static").mkdir(exist_ok=True)
        _prepare_roles()
    except (LaunchError, psycopg.OperationalError) as error:
        raise pytest.UsageError(str(error)) from error
    early_config.stash[SERVERS] = servers
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where REQUIRE_BROWSER is set, a test that needs a browser or a server may not be skipped quietly."""
    report = yield
    must_run = any(item.get_closest_marker(name) for name in _MUST_RUN)
    if must_run and _required() and report.skipped and not hasattr(report, "wasxfail"):
        _redden(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module skipped as a whole does not show its marks: there, any skip counts."""
    report = yield
    if _required() and report.skipped:
        _redden(report)
    return report


def _redden(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"This run requires the test, but it was skipped: {reason}"


def _required() -> bool:
    return os.environ.get("REQUIRE_BROWSER") == "1"


def _start() -> OwnServers:
    usual = state_directory(os.environ)
    _remove_abandoned(usual)
    try:
        return embedded.start(usual, fast=True)
    except InUse:
        # Another run of this checkout is under way: a pair for this run alone.
        os.environ["STATE_DIR"] = f"{usual}-{os.getpid()}"
        return embedded.start(state_directory(os.environ), fast=True)


def _prepare_roles() -> None:
    """Sets up the template that test databases are copied from, so that they have a deployment's roles and rights."""
    command = CHECKOUT / "portal/tenancy/management/commands/setup_database.py"
    version = f"tests: {hashlib.sha256(command.read_bytes()).hexdigest()}"
    given = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(given.geturl(), autocommit=True) as connection:
        note = "SELECT shobj_description(to_regrole('portal_owner')::oid, 'pg_authid')"
        if connection.execute(note).fetchone() == (version,):
            return
        set_up = subprocess.run(
            [sys.executable, CHECKOUT / "manage.py", "setup_database"],
            env=os.environ | {"DATABASE_URL": given._replace(path="/template1").geturl()},
            capture_output=True,
            text=True,
            check=False,
        )
        if set_up.returncode != 0:
            raise LaunchError(f"`manage.py setup_database` failed:\n{set_up.stderr}")
        connection.execute(sql.SQL("COMMENT ON ROLE portal_owner IS {}").format(version))


def _stop() -> None:
    global servers
    if servers is not None:
        servers.close()
        servers = None
    own = state_directory(os.environ)
    if own.name.endswith(f"-{os.getpid()}"):
        _remove(own)


def _remove_abandoned(usual: Path) -> None:
    for path in usual.parent.glob(f"{usual.name}-*"):
        if not _is_alive(path.name.removeprefix(f"{usual.name}-")):
            _remove(path)


def _remove(path: Path) -> None:
    shutil.rmtree(roaming_path(path), ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def _is_alive(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
