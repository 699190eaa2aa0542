"""No clock is trusted further than it goes: the vendor's may be off, ours may be put right, some nights are longer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper

from integrations import limits
from integrations.contract import Limit
from integrations.http import Http
from integrations.limits import Budget
from integrations.sync import beat, engine, outcomes
from integrations.sync.models import RunKind, RunState, StreamState, SyncRun
from integrations.sync.turns import take_turn
from portal.tenancy.scope import tenant_scope
from tests.integrations.sync.conftest import Stage, well_behaved
from tests.integrations.sync.runs import stored
from tests.integrations.sync.scoundrel import Asked, answer, page
from tests.integrations.sync.vendors.gullible import Things

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HOURS = [timedelta(hours=-5), timedelta(hours=5)]
SOON = timedelta(minutes=2)


def dated(date: str) -> bytes:
    return answer(page({"id": "1"}), Date=date)


@pytest.mark.parametrize("off", HOURS)
def test_a_vendor_whose_clock_is_off_is_read_by_ours(stage: Stage, off: timedelta) -> None:
    run = stage.suffer(lambda asked: [dated(format_datetime(datetime.now(UTC) + off, usegmt=True))])

    assert run.state == RunState.DONE
    state = run.stream_state
    assert state.last_good_at is not None
    assert abs(timezone.now() - state.last_good_at) < SOON
    assert state.due_at is not None
    assert timedelta() < state.due_at - timezone.now() < Things.interval * 1.1 + SOON


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 01 Jan 99999999999 00:00:00"]
)
def test_a_vendors_date_that_is_none_tells_nothing(stage: Stage, settings: SettingsWrapper, date: str) -> None:
    url = stage.serve(lambda asked: [dated(date)])
    http = Http(allowed=settings.SANDBOX_ADDRESSES)
    http.send("GET", url)
    http.close()
    assert http.clock_offset == timedelta()


@pytest.mark.parametrize("off", HOURS)
def test_a_worker_whose_clock_is_off_keeps_its_lease_and_gives_it_back(
    stage: Stage, settings: SettingsWrapper, off: timedelta
) -> None:
    settings.SYNC_SLICE_SECONDS = 0
    leases: list[timedelta] = []

    def play(asked: Asked) -> Iterator[bytes]:
        leases.append(lease_of(run))
        number = int(asked.cursor or 0)
        yield answer(page({"id": str(number)}, then=str(number + 1) if number < 30 else None))

    run = stage.run(play)
    while run.is_open:
        with time_machine.travel(timezone.now() + off):
            engine.carry_out_slice(run.tenant_id, run.pk)
        run = stage.look(run)  # nothing else is done: what gives the run back must leave it ready at once

    assert (run.state, len(stored(run.connection, "things"))) == (RunState.DONE, 31)
    assert run.fence > 1
    assert all(timedelta() < left <= timedelta(seconds=settings.SYNC_LEASE_SECONDS) for left in leases)
    assert run.stream_state.due_at is not None
    assert timedelta() < run.stream_state.due_at - timezone.now() < Things.interval * 1.1 + SOON


def lease_of(run: SyncRun) -> timedelta:
    """How long the lease holds yet, by the database's clock."""
    with tenant_scope(run.tenant_id), connection.cursor() as cursor:
        cursor.execute("select lease_until - clock_timestamp() from sync_syncrun where id = %s", [run.pk])
        left: timedelta = cursor.fetchone()[0]
    connection.close()
    return left


@pytest.mark.parametrize("off", HOURS)
def test_a_worker_whose_clock_is_off_waits_no_longer_than_it_should(stage: Stage, off: timedelta) -> None:
    run = stage.run(lambda asked: [b"junk"])
    with time_machine.travel(timezone.now() + off):
        engine.carry_out_slice(run.tenant_id, run.pk)

    run = stage.look(run)
    assert run.state == RunState.WAITING
    assert timedelta() < run.next_slice_at - timezone.now() < timedelta(seconds=6)


@pytest.mark.parametrize("off", HOURS)
def test_a_site_whose_clock_is_off_begins_at_once(stage: Stage, off: timedelta) -> None:
    with time_machine.travel(timezone.now() + off):
        run = stage.run(well_behaved)

    engine.carry_out_slice(run.tenant_id, run.pk)

    assert stage.look(run).state == RunState.DONE


def test_a_lease_from_before_the_clock_was_put_back_holds_nobody(stage: Stage) -> None:
    run = stage.run(well_behaved)
    with tenant_scope(run.tenant_id):
        long = timezone.now() + timedelta(hours=3)
        SyncRun.objects.update(lease_until=long, woken_at=None, state=RunState.RUNNING)

    assert take_turn() == (run.tenant_id, run.pk)
    engine.carry_out_slice(run.tenant_id, run.pk)

    assert stage.look(run).state == RunState.DONE


def test_what_is_due_later_than_it_can_be_is_due_now(stage: Stage) -> None:
    run = stage.go_on(stage.run(well_behaved))
    other = stage.go_on(stage.run(well_behaved))
    with tenant_scope(run.tenant_id):
        StreamState.objects.update(due_at=timezone.now() + timedelta(days=3))

    beat.tidy()

    assert stage.look(run).stream_state.due_at <= timezone.now()  # type: ignore[operator]
    assert stage.look(other).stream_state.due_at > timezone.now()  # type: ignore[operator]


def test_a_budget_from_before_the_clock_was_put_back_is_forgotten() -> None:
    budget = Budget(Limit(calls=10, per=timedelta(seconds=1), burst=2), "gullible", "put back")
    seconds, _ = limits._server().time()  # type: ignore[misc]
    limits._server().set(budget._keys[0], (seconds + 7200) * 1_000_000, ex=60)

    budget.take()  # would raise RateLimited


@pytest.mark.parametrize("zone", ["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("is_longer", [True, False])
def test_a_night_on_which_clocks_change_makes_no_interval_longer_or_shorter(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, zone: str, is_longer: bool
) -> None:
    interval = until_the_change(ZoneInfo(zone), is_longer=is_longer)
    monkeypatch.setattr(Things, "interval", interval)
    monkeypatch.setattr(Things, "sweep_interval", interval * 2)
    monkeypatch.setattr(Things, "reads_whole", True)
    monkeypatch.setattr(outcomes, "_with_jitter", lambda span: span)
    run = stage.run(well_behaved)
    with tenant_scope(run.tenant_id):
        StreamState.objects.update(interval=interval, due_at=timezone.now())
        SyncRun.objects.update(kind=RunKind.SWEEP)

    with timezone.override(zone):
        beat.tick()
        claimed = stage.look(run).stream_state.due_at
        began = timezone.now()
        state = stage.go_on(run).stream_state

    assert claimed is not None
    assert state.due_at is not None
    assert state.sweep_due_at is not None
    assert abs(claimed - began - interval) < SOON
    assert abs(state.due_at - began - interval) < SOON
    assert abs(state.sweep_due_at - began - interval * 1.5) < SOON


def until_the_change(zone: ZoneInfo, *, is_longer: bool) -> timedelta:
    """To just after the next night on which the clocks there are put back (the longer one), or on."""
    at = datetime.now(UTC)
    while True:
        then = at + timedelta(days=1)
        gained = at.astimezone(zone).utcoffset() - then.astimezone(zone).utcoffset()  # type: ignore[operator]
        if (gained > timedelta()) if is_longer else (gained < timedelta()):
            return then - datetime.now(UTC)
        at = then
