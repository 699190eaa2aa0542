"""What the engine promises, against real emulators and the real database."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from msgspec.structs import replace
from pytest_django import Settings as SettingsWrapper

from integrations.connections.models import Connection, ConnectionState
from integrations.connections.vault import Keyring
from integrations.contract import Page
from integrations.problems.models import Problem
from integrations.records.models import Billing, Record, RecordVersion, RejectedRecord
from integrations.records.store import Stored
from integrations.registry import connectors
from integrations.sandbox.kit import Fault
from integrations.sync import batches, engine, lease
from integrations.sync.doubts import Doubts
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.services import start_sync, stop_all
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import reload, runs_of, state_of, stored, sync, work_off

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def test_a_first_run_stores_every_record_once_with_its_typed_row(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(130, 20)))

    runs = work_off(connection)

    billings = next(run for run in runs if run.stream == "billings")
    assert (billings.state, billings.read, billings.new, billings.changed) == (RunState.DONE, 130, 130, 0)
    assert len(stored(connection, "billings")) == 130
    with tenant_scope(connection.tenant_id):
        assert Billing.objects.filter(connection=connection).count() == 130
    assert state_of(connection, "billings").last_good_at is not None


def test_an_unchanged_record_is_not_written_again(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(120, 20)), streams=["billings"])
    work_off(connection)
    before = stored_rows(connection)

    (run,) = sync(connection, "billings")

    assert run.state == RunState.DONE
    assert (run.new, run.changed) == (0, 0)
    assert stored_rows(connection) == before


def test_a_changed_record_keeps_what_it_was_before(serve: Serve, connect: Connect) -> None:
    now = timezone.now()
    sandbox = serve("kore", sizes=(60, 20), change_every=timedelta(seconds=1), epoch=now)
    sandbox.clock.freeze(now)
    connection = connect(sandbox, streams=["billings"])
    work_off(connection)
    first = kept_of(connection)

    sandbox.clock.advance(timedelta(minutes=1))
    (run,) = sync(connection, "billings")

    second = kept_of(connection)
    changed = {key for key in first if second[key] != first[key]}
    assert run.changed == len(changed) > 0
    with tenant_scope(connection.tenant_id):
        versions = RecordVersion.objects.filter(record__connection=connection, record__stream="billings")
        assert {v.record.external_id: (v.payload, v.context) for v in versions.select_related("record")} == {
            key: first[key] for key in changed
        }


def kept_of(connection: Connection) -> dict[str, tuple[str, dict[str, str]]]:
    with tenant_scope(connection.tenant_id):
        rows = Record.objects.filter(connection=connection, stream="billings")
        return {row.external_id: (row.payload, row.context) for row in rows}


def test_a_run_goes_on_from_its_checkpoint_in_the_next_slice(
    serve: Serve, connect: Connect, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SYNC_SLICE_SECONDS = 0.000001
    monkeypatch.setattr(batches, "BATCH_PAGES", 1)
    connection = connect(serve("kore", sizes=(350, 20)), streams=["billings"])

    runs = work_off(connection)

    billings = next(run for run in runs if run.stream == "billings")
    assert billings.fence > 1
    assert billings.new == len(stored(connection, "billings")) == 350


def test_a_broken_page_takes_nothing_with_it_and_the_rest_comes_later(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(150, 20))
    connection = connect(sandbox, streams=["billings"])
    sandbox.weather.add(Fault(path="entities/billings", status=500, times=1))
    work_off(connection)
    waiting = next(run for run in runs_of(connection) if run.stream == "billings")
    assert waiting.state == RunState.WAITING

    sync(connection, "billings")

    assert len(stored(connection, "billings")) == 150


def test_the_vendors_limit_is_waited_for_and_is_no_failure(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(50, 20))
    connection = connect(sandbox, streams=["billings"])
    sandbox.weather.add(Fault(path="entities/billings$", status=429, headers={"Retry-After": "600"}))

    run = next(run for run in work_off(connection) if run.stream == "billings")

    assert (run.state, run.code) == (RunState.WAITING, "rate_limited")
    assert timedelta(minutes=9) < run.next_slice_at - timezone.now() <= timedelta(minutes=10)
    assert reload(connection).state == ConnectionState.ACTIVE
    with tenant_scope(connection.tenant_id):
        assert not Problem.objects.filter(connection=connection).exists()


def test_refused_credentials_stop_the_connection_and_say_so_once(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(50, 20))
    connection = connect(sandbox)
    sandbox.revoke()

    work_off(connection)

    stopped = reload(connection)
    assert stopped.state == ConnectionState.NEEDS_RECONNECT
    assert stopped.reason
    with tenant_scope(connection.tenant_id):
        assert Problem.objects.filter(connection=connection, closed_at=None).count() == 1


def test_one_unreadable_record_is_set_aside_and_the_rest_goes_on(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(serve("kore", sizes=(40, 20)), streams=["billings"])
    stream = connectors()["kore"].stream("billings")
    reading = type(stream).read

    def with_one_broken(self, access, cursor):  # type: ignore[no-untyped-def]
        for number, page in enumerate(reading(self, access, cursor)):
            if number:
                yield page
                continue
            broken = type(page.records[0])(external_id="broken", payload=b'{"id": "broken", "amount": "a lot"}')
            yield Page(records=(broken, *page.records), cursor=page.cursor)

    monkeypatch.setattr(type(stream), "read", with_one_broken)
    run = next(run for run in work_off(connection) if run.stream == "billings")

    assert (run.state, run.new, run.rejected) == (RunState.DONE, 40, 1)
    with tenant_scope(connection.tenant_id):
        aside = RejectedRecord.objects.get(connection=connection, key="broken")
    assert aside.reason
    assert "a lot" in aside.payload


def test_an_amount_no_column_holds_is_set_aside_alone(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(serve("kore", sizes=(40, 20)), streams=["billings"])
    stream = connectors()["kore"].stream("billings")
    reading = type(stream).interpret

    def one_is_rich(self, payload, context):  # type: ignore[no-untyped-def]
        value = reading(self, payload, context)
        return replace(value, amount=Decimal(10) ** 14) if b'"B-100003"' in payload else value

    monkeypatch.setattr(type(stream), "interpret", one_is_rich)
    run = next(run for run in work_off(connection) if run.stream == "billings")

    assert (run.state, run.new, run.rejected) == (RunState.DONE, 39, 1)


def test_a_stream_a_release_took_away_ends_its_run(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(10, 10)), start=False)
    with tenant_scope(connection.tenant_id):
        state = StreamState.objects.create(tenant_id=connection.tenant_id, connection=connection, stream="gone")
        SyncRun.objects.create(
            tenant_id=connection.tenant_id, connection=connection, stream_state=state, stream="gone", kind="backfill"
        )

    (run,) = work_off(connection)

    assert run.state == RunState.STOPPED
    assert state_of(connection, "gone").due_at is None


def test_a_page_slower_than_the_lease_keeps_it(serve: Serve, connect: Connect, settings: SettingsWrapper) -> None:
    settings.SYNC_LEASE_SECONDS = 0.6
    sandbox = serve("kore", sizes=(150, 20))
    connection = connect(sandbox, streams=["billings"])
    sandbox.weather.add(Fault(path="entities/billings$", delay=timedelta(seconds=1.5)))
    run = next(run for run in runs_of(connection) if run.stream == "billings")

    engine.carry_out_slice(connection.tenant_id, run.pk)

    assert len(stored(connection, "billings")) == 150


def test_lost_keys_ask_for_the_credentials_again(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(serve("kore", sizes=(10, 10)), streams=["billings"])
    monkeypatch.setattr("integrations.connections.access.keyring", lambda: Keyring({9: bytes(32)}))

    work_off(connection)

    assert reload(connection).state == ConnectionState.NEEDS_RECONNECT
    assert "enter them again" in reload(connection).reason


def test_a_limit_of_unknown_length_is_waited_for_a_minute(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(50, 20))
    connection = connect(sandbox, streams=["billings"])
    sandbox.weather.add(Fault(path="entities/billings$", status=429))

    run = next(run for run in work_off(connection) if run.stream == "billings")

    assert timedelta(seconds=50) < run.next_slice_at - timezone.now() < timedelta(seconds=70)


def test_a_zombie_cannot_write(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(150, 20)), streams=["billings"])
    run = next(run for run in runs_of(connection) if run.stream == "billings")
    held = lease.take(connection.tenant_id, run.pk)
    assert held is not None
    let_lapse(run)
    assert lease.take(connection.tenant_id, run.pk) is not None

    late = batches.Batch(pages=[Page(records=(), cursor="moved by a zombie")], ids=frozenset(), write=pytest.fail)
    with pytest.raises(lease.LeaseLost):
        engine._commit(held, late, calls=0, doubts=Doubts(""))

    assert state_of(connection, "billings").cursor == ""


def let_lapse(run: SyncRun) -> None:
    with tenant_scope(run.tenant_id):
        SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_run_that_ends_its_worker_again_and_again_is_ended(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(40, 20))
    connection = connect(sandbox, streams=["billings"])
    other = connect(sandbox, tenant=a_tenant("Other"), streams=["billings"])
    run, its = (next(run for run in runs_of(one) if run.stream == "billings") for one in (connection, other))
    for _ in range(lease.MOST_LAPSES + 1):
        assert lease.take(connection.tenant_id, run.pk) is not None
        let_lapse(run)

    assert lease.take(connection.tenant_id, run.pk) is None
    ended = next(one for one in runs_of(connection) if one.pk == run.pk)
    assert (ended.state, ended.code) == (RunState.FAILED, "bug")
    assert lease.take(other.tenant_id, its.pk) is not None


def test_what_a_lapsed_slice_has_brought_counts_for_it(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(40, 20)), streams=["billings"])
    run = next(run for run in runs_of(connection) if run.stream == "billings")
    for _ in range(lease.MOST_LAPSES + 1):
        held = lease.take(connection.tenant_id, run.pk)
        assert held is not None
        page = Page(records=(), cursor="")
        engine._commit(held, batches.Batch(pages=[page], ids=frozenset(), write=Stored), calls=0, doubts=Doubts(""))
        let_lapse(run)

    assert lease.take(connection.tenant_id, run.pk) is not None


def test_a_run_in_other_hands_is_left_alone(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(150, 20)), streams=["billings"])
    run = next(run for run in runs_of(connection) if run.stream == "billings")
    lease.take(connection.tenant_id, run.pk)

    engine.carry_out_slice(connection.tenant_id, run.pk)

    assert stored(connection, "billings") == {}


def test_pausing_ends_open_runs_and_keeps_the_checkpoint(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(150, 20)))
    with tenant_scope(connection.tenant_id):
        Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.PAUSED)
        stop_all(connection, words="Paused.")

    assert {run.state for run in work_off(connection)} == {RunState.STOPPED}
    assert stored(connection, "billings") == {}


def test_sync_now_twice_is_one_run(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(20, 20)), start=False)
    with tenant_scope(connection.tenant_id):
        from integrations.sync.services import begin

        first = {run.pk for run in begin(connection, by=None)}
        second = {run.pk for run in start_sync(connection, by=None)}

    assert first == second


def test_two_tenants_with_the_same_vendor_keep_their_own(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(70, 30))
    ours = connect(sandbox, account=0, streams=["billings"])
    theirs = connect(sandbox, account=1, tenant=a_tenant(), streams=["billings"])

    work_off(ours)
    work_off(theirs)

    assert len(stored(ours, "billings")) == 70
    assert len(stored(theirs, "billings")) == 30
    assert not set(stored(ours, "billings")) & set(stored(theirs, "billings"))
    with tenant_scope(ours.tenant_id):
        assert not Record.objects.filter(connection_id=theirs.pk).exists()


def stored_rows(connection: Connection) -> list[tuple[object, ...]]:
    """Every stored row with its physical version: a rewrite would show."""
    with tenant_scope(connection.tenant_id):
        return list(
            Record.objects.filter(connection=connection, stream="billings")
            .extra(select={"written_by": "xmin::text"})
            .values_list("external_id", "digest", "changed_at", "written_by")
            .order_by("external_id")
        )
