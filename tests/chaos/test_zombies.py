"""A worker that freezes, or whose database does, and wakes up when another has taken over."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import close_old_connections
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.sandbox.kit import Reply, Request, Sandbox
from integrations.sync import beat
from integrations.sync.engine import carry_out_slice
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.services import start_sync
from portal.tenancy.scope import tenant_scope
from tests.chaos.crew import CHECKOUT, environment
from tests.chaos.ledger import Ledger, differences, ledger
from tests.factories import a_tenant
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import work_off

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
_LONG_AGO = timedelta(days=1)
_LEASE = "3"


class Vendor:
    """KORE, which lets something happen ahead of an answer in the middle of the bills."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._answer = sandbox.handle
        self._left = 0
        self._deed: Callable[[], object] | None = None
        sandbox.handle = self._handle  # type: ignore[method-assign]

    def before_answer(self, number: int, deed: Callable[[], object]) -> None:
        self._left, self._deed = number, deed

    def _handle(self, request: Request) -> Reply:
        reply = self._answer(request)
        if self._deed and request.path.lower().rstrip("/").endswith("billings"):
            self._left -= 1
            if self._left == 0:
                deed, self._deed = self._deed, None
                deed()
        return reply


@pytest.fixture
def vendor(serve: Serve) -> Vendor:
    return Vendor(serve("kore", sizes=(400, 10)))


@pytest.fixture
def stormy(vendor: Vendor, connect: Connect) -> Connection:
    """The run of its bills has begun, and no worker has been there yet."""
    return started(connect(vendor.sandbox, start=False))


@pytest.fixture
def undisturbed(stormy: Connection, vendor: Vendor, connect: Connect) -> Ledger:
    """What a second tenant has of the same account."""
    calm = started(connect(vendor.sandbox, tenant=a_tenant(), start=False))
    work_off(calm)
    return kept(calm)


def started(connection: Connection) -> Connection:
    with tenant_scope(connection.tenant_id):
        StreamState.objects.create(tenant_id=connection.tenant_id, connection=connection, stream="billings")
        start_sync(connection, by=None, stream="billings")
    return connection


def test_a_worker_frozen_past_its_lease_writes_nothing_when_it_wakes(
    vendor: Vendor, undisturbed: Ledger, stormy: Connection
) -> None:
    with worker(vendor, stormy) as zombie:
        is_frozen = threading.Event()
        vendor.before_answer(4, lambda: (zombie.send_signal(signal.SIGSTOP), is_frozen.set()))
        release(zombie)
        assert is_frozen.wait(60)

        let_leases_lapse(stormy)
        work_off(stormy)
        before = (rows(stormy), kept(stormy))
        zombie.send_signal(signal.SIGCONT)

        assert zombie.wait(60) == 0
        assert (rows(stormy), kept(stormy)) == before
    assert differences(undisturbed, kept(stormy)) == []


def test_a_worker_frozen_in_the_middle_of_a_commit_holds_nobody_up(
    vendor: Vendor, undisturbed: Ledger, stormy: Connection
) -> None:
    with worker(vendor, stormy) as zombie:
        with tenant_scope(stormy.tenant_id):
            # The commit comes as far as the stream's row and waits there, the run's row in its hands.
            StreamState.objects.select_for_update().get(connection=stormy, stream="billings")
            release(zombie)
            wait_for_a_lock()
            zombie.send_signal(signal.SIGSTOP)

        let_leases_lapse(stormy)
        work_off(stormy)
        before = (rows(stormy), kept(stormy))
        zombie.send_signal(signal.SIGCONT)

        assert zombie.wait(60) == 0
        assert (rows(stormy), kept(stormy)) == before
    assert differences(undisturbed, kept(stormy)) == []


def test_a_commit_that_the_database_held_up_finds_that_another_took_over(
    vendor: Vendor, undisturbed: Ledger, stormy: Connection
) -> None:
    with worker(vendor, stormy) as late:
        is_locked, is_asked = threading.Event(), threading.Event()
        vendor.before_answer(1, lambda: (is_asked.set(), is_locked.wait(60)))
        release(late)
        assert is_asked.wait(60)
        with tenant_scope(stormy.tenant_id):
            run = SyncRun.objects.select_for_update().get(connection=stormy, stream="billings")
            is_locked.set()
            wait_for_a_lock()
            SyncRun.objects.filter(pk=run.pk).update(fence=run.fence + 1)

        assert late.wait(60) == 0
        assert kept(stormy)["records"] == {}
    let_leases_lapse(stormy)
    work_off(stormy)
    assert differences(undisturbed, kept(stormy)) == []


def test_a_database_that_cuts_its_sessions_makes_a_run_wait_and_loses_nothing(
    vendor: Vendor, undisturbed: Ledger, stormy: Connection
) -> None:
    run = run_of(stormy)
    vendor.before_answer(4, cut_sessions)

    carry_out_slice(stormy.tenant_id, run.pk)

    close_old_connections()
    run = run_of(stormy)
    assert (run.state, run.code, run.lease_until) == (RunState.WAITING, "database", None)
    with tenant_scope(stormy.tenant_id):
        SyncRun.objects.filter(pk=run.pk).update(next_slice_at=timezone.now() - _LONG_AGO)
    work_off(stormy)
    assert differences(undisturbed, kept(stormy)) == []


def test_trouble_after_the_last_page_is_forgotten_when_the_run_is_done(stormy: Connection) -> None:
    run = run_of(stormy)
    with tenant_scope(stormy.tenant_id):
        facts = {"read_at": timezone.now(), "state": RunState.WAITING, "code": "database", "words": "We try again."}
        SyncRun.objects.filter(pk=run.pk).update(**facts)

    carry_out_slice(stormy.tenant_id, run.pk)

    run = run_of(stormy)
    assert (run.state, run.code, run.words, run.detail) == (RunState.DONE, "", "", "")


@pytest.mark.parametrize("what", [{"kind": "reindex"}, {"state": "parked"}])
def test_a_run_of_a_newer_release_is_left_alone_and_says_so(stormy: Connection, what: dict[str, str]) -> None:
    run = run_of(stormy)
    with tenant_scope(stormy.tenant_id):
        SyncRun.objects.filter(pk=run.pk).update(**what)

    beat.tick()
    carry_out_slice(stormy.tenant_id, run.pk)

    after = run_of(stormy)
    assert after.words == "Begun by another release of Switchboard; it goes on when that release works again."
    assert (after.fence, after.lease_until, after.finished_at) == (run.fence, None, None)
    assert {name: getattr(after, name) for name in what} == what


@contextmanager
def worker(vendor: Vendor, connection: Connection) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for the run of the bills; `release` lets it begin."""
    surroundings = environment({"kore": vendor.sandbox.url}) | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SYNC_LEASE_SECONDS": _LEASE,
    }
    command = [sys.executable, "-m", "tests.chaos.slicer", str(connection.tenant_id), str(run_of(connection).pk)]
    process = subprocess.Popen(command, cwd=CHECKOUT, env=surroundings, stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def release(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()


def run_of(connection: Connection) -> SyncRun:
    with tenant_scope(connection.tenant_id):
        return SyncRun.objects.get(connection=connection, stream="billings")


def rows(connection: Connection) -> list[dict[str, object]]:
    """Every run and every stream's state, column by column."""
    with tenant_scope(connection.tenant_id):
        return [
            *SyncRun.objects.filter(connection=connection).order_by("pk").values(),
            *StreamState.objects.filter(connection=connection).order_by("pk").values(),
        ]


def kept(connection: Connection) -> Ledger:
    return ledger(connection, timezone.now() - _LONG_AGO)


def let_leases_lapse(connection: Connection) -> None:
    with tenant_scope(connection.tenant_id):
        SyncRun.objects.filter(connection=connection).exclude(lease_until=None).update(
            lease_until=timezone.now() - _LONG_AGO
        )


def wait_for_a_lock() -> None:
    """Until some session of the test's database waits for a row."""
    waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with psycopg.connect(environment({})["DATABASE_URL"], autocommit=True) as observer:
        for _ in range(1200):
            if observer.execute(waiting).fetchone() is not None:
                return
            threading.Event().wait(0.05)
    raise AssertionError("nobody waits")


def cut_sessions() -> None:
    """As a database does that is stopped: every session ends."""
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> %s"
    with psycopg.connect(environment({})["DATABASE_URL"], autocommit=True) as observer:
        observer.execute(cut, [observer.info.backend_pid])
