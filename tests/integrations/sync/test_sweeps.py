"""What is gone at the vendor is found out, asked for once more, and told; never dropped."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper

from integrations.connections.models import Connection
from integrations.contract import Column
from integrations.problems.models import Problem
from integrations.records.models import Record, RecordVersion
from integrations.sandbox.kit import Fault
from integrations.sync import batches, beat, lookups, outcomes
from integrations.sync.models import LookUp, LookUpReason, RunKind, RunState, Sighting, StreamState, SyncRun
from integrations.sync.services import lift_brake, start_sweep, start_sync
from integrations.sync.tasks import take_on_streams
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Connect
from tests.integrations.sync.runs import runs_of, state_of, sync, work_off
from tests.integrations.sync.vendors.stockroom import Emulator

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def filled(sandbox: Emulator, stream: str, number: int = 20, **fields: object) -> None:
    for n in range(number):
        sandbox.put(stream, f"{n:03}", **fields)


def sweep(connection: Connection, stream: str) -> SyncRun:
    """Sweep now, to the end."""
    with tenant_scope(connection.tenant_id):
        started = start_sweep(StreamState.objects.get(connection=connection, stream=stream), by=None)
    assert started is not None
    work_off(connection)
    return next(run for run in runs_of(connection) if run.pk == started.pk)


def gone(connection: Connection, stream: str) -> set[str]:
    with tenant_scope(connection.tenant_id):
        rows = Record.objects.filter(connection=connection, stream=stream, missing_since__isnull=False)
        return set(rows.values_list("external_id", flat=True))


def open_problems(connection: Connection) -> list[str]:
    with tenant_scope(connection.tenant_id):
        return list(Problem.objects.filter(connection=connection, closed_at=None).values_list("code", flat=True))


def test_what_two_sweeps_in_a_row_do_not_see_is_gone_and_kept(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves")
    connection = connect(stockroom)
    work_off(connection)
    del stockroom.things["shelves"]["007"]

    assert sweep(connection, "shelves").missing == 0
    assert gone(connection, "shelves") == set()
    run = sweep(connection, "shelves")

    assert (run.kind, run.state, run.missing) == (RunKind.SWEEP, RunState.DONE, 1)
    assert gone(connection, "shelves") == {"007"}
    with tenant_scope(connection.tenant_id):
        assert Record.objects.get(connection=connection, stream="shelves", external_id="007").payload


def test_a_thing_seen_in_between_was_not_missed_twice_in_a_row(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves")
    connection = connect(stockroom)
    work_off(connection)
    away = stockroom.things["shelves"].pop("007")
    sweep(connection, "shelves")
    stockroom.things["shelves"]["007"] = away
    sweep(connection, "shelves")
    del stockroom.things["shelves"]["007"]

    sweep(connection, "shelves")

    assert gone(connection, "shelves") == set()


def test_what_comes_back_is_no_longer_gone_even_when_it_did_not_change(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves")
    connection = connect(stockroom)
    work_off(connection)
    away = stockroom.things["shelves"].pop("007")
    sweep(connection, "shelves")
    sweep(connection, "shelves")
    assert gone(connection, "shelves") == {"007"}
    stockroom.things["shelves"]["007"] = away

    sync(connection, "shelves")

    assert gone(connection, "shelves") == set()


def test_what_can_be_asked_for_is_asked_for_before_it_counts_as_gone(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts")
    connection = connect(stockroom)
    work_off(connection)
    hidden = stockroom.things["parts"]
    stockroom.weather.add(Fault(path="^/parts$", times=99, rewrite=lambda body: body.replace(b"003", b"x03")))
    del hidden["005"]

    sweep(connection, "parts")
    sweep(connection, "parts")

    assert gone(connection, "parts") == {"005"}
    with tenant_scope(connection.tenant_id):
        assert Record.objects.get(connection=connection, stream="parts", external_id="003").misses == 0
        assert not LookUp.objects.exists()


def test_what_cannot_be_read_when_asked_for_is_still_there(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts")
    connection = connect(stockroom)
    work_off(connection)
    stockroom.weather.add(Fault(path="^/parts$", times=99, rewrite=lambda body: body.replace(b"003", b"x03")))
    stockroom.things["parts"]["003"] = {"id": "003"}

    sweep(connection, "parts")
    run = sweep(connection, "parts")

    assert (run.state, gone(connection, "parts")) == (RunState.DONE, set())


def test_a_sweep_of_a_part_says_nothing_of_the_rest(stockroom: Emulator, connect: Connect) -> None:
    for number, day in enumerate(("2026-04-30", "2026-05-01", "2026-05-31", "2026-06-01")):
        stockroom.put("counts", str(number), day=day)
    connection = connect(stockroom)
    work_off(connection)
    stockroom.things["counts"].clear()

    sweep(connection, "counts")

    assert gone(connection, "counts") == {"1", "2"}


def test_too_much_at_once_marks_nothing_and_asks_a_person(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves", 40)
    connection = connect(stockroom)
    work_off(connection)
    for number in range(15):
        del stockroom.things["shelves"][f"{number:03}"]

    for _ in range(3):
        assert sweep(connection, "shelves").missing == 0

    state = state_of(connection, "shelves")
    assert gone(connection, "shelves") == set()
    assert state.braked_at is not None
    assert "15 of 40 shelves" in state.brake_words
    sync(connection, "shelves")
    assert open_problems(connection) == ["mass_deletion"]  # a reading that works does not decide it


def test_a_person_who_confirms_lets_one_sweep_mark_it_all(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves", 40)
    connection = connect(stockroom)
    work_off(connection)
    for number in range(15):
        del stockroom.things["shelves"][f"{number:03}"]
    sweep(connection, "shelves")

    with tenant_scope(connection.tenant_id):
        lift_brake(StreamState.objects.get(connection=connection, stream="shelves"), by=a_user())
    work_off(connection)

    assert len(gone(connection, "shelves")) == 15
    assert open_problems(connection) == []
    state = state_of(connection, "shelves")
    assert (state.braked_at, state.is_brake_lifted) == (None, False)


def test_what_is_not_braked_cannot_be_lifted(stockroom: Emulator, connect: Connect) -> None:
    connection = connect(stockroom)
    work_off(connection)
    with tenant_scope(connection.tenant_id), pytest.raises(ValidationError):
        lift_brake(StreamState.objects.get(connection=connection, stream="shelves"), by=a_user())


def test_a_sweep_goes_on_in_the_next_slice_from_where_it_was(
    stockroom: Emulator, connect: Connect, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(stockroom, "parts", 60)
    connection = connect(stockroom)
    work_off(connection)
    settings.SYNC_SLICE_SECONDS = 0.000001
    monkeypatch.setattr(batches, "BATCH_PAGES", 1)
    del stockroom.things["parts"]["030"]

    runs = [sweep(connection, "parts"), sweep(connection, "parts")]

    assert all(run.fence > 1 for run in runs)
    assert gone(connection, "parts") == {"030"}
    with tenant_scope(connection.tenant_id):
        assert not Sighting.objects.exists()


def test_the_clock_sweeps_when_that_is_due_and_a_whole_reading_counts_as_catching_up(
    stockroom: Emulator, connect: Connect
) -> None:
    filled(stockroom, "shelves", 3)
    connection = connect(stockroom)
    work_off(connection)
    before = state_of(connection, "shelves")
    with tenant_scope(connection.tenant_id):
        now = timezone.now()
        StreamState.objects.filter(connection=connection).update(due_at=now + timedelta(hours=1), sweep_due_at=now)
        StreamState.objects.filter(connection=connection, stream="shelves").update(due_at=now)

    beat.tick()
    work_off(connection)

    run, state = runs_of(connection)[-1], state_of(connection, "shelves")
    assert (run.stream, run.kind, run.trigger) == ("shelves", RunKind.SWEEP, "schedule")
    assert before.last_good_at is not None
    assert state.last_good_at is not None
    assert state.last_good_at > before.last_good_at
    assert state.sweep_due_at is not None
    assert state.sweep_due_at > timezone.now() + timedelta(hours=20)


def test_a_sweep_that_only_counts_ids_is_followed_by_the_regular_reading(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts", 3)
    connection = connect(stockroom)
    work_off(connection)
    before = state_of(connection, "parts")

    sweep(connection, "parts")

    state = state_of(connection, "parts")
    assert state.last_good_at == before.last_good_at
    assert state.due_at is not None
    assert state.due_at <= timezone.now()


def test_a_sweep_asked_for_while_another_run_is_open_follows_it_at_once(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves")
    connection = connect(stockroom)
    with tenant_scope(connection.tenant_id):
        start_sweep(StreamState.objects.get(connection=connection, stream="shelves"), by=None)
    beat.tick()  # the clock comes by while the first copy is still being made

    work_off(connection)
    beat.tick()

    kinds = [run.kind for run in runs_of(connection) if run.stream == "shelves"]
    assert kinds == [RunKind.BACKFILL, RunKind.SWEEP]


def test_a_thing_asked_for_while_its_run_was_ending_is_not_kept_waiting(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts")
    connection = connect(stockroom)
    work_off(connection)
    with tenant_scope(connection.tenant_id):
        (run,) = start_sync(connection, by=None, stream="parts")
        SyncRun.objects.filter(pk=run.pk).update(read_at=timezone.now())
        lookups.ask(connection.tenant_id, connection.pk, "parts", ["part-1"], LookUpReason.STIRRED)
        outcomes.finished(run.pk)

    beat.tick()

    assert [run.state for run in runs_of(connection) if run.stream == "parts"] == ["done", "done", "queued"]


def test_a_change_below_a_thing_has_the_thing_read_anew(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts", 3, left=9)
    connection = connect(stockroom)
    work_off(connection)
    stockroom.put("parts", "001", left=8)
    stockroom.put("moves", "1", part="001")

    sync(connection, "moves")
    state = state_of(connection, "parts")
    assert state.due_at is not None
    assert state.due_at <= timezone.now()  # its next run is not waited for
    stockroom.things["parts"]["001"]["left"] = 7
    stockroom.weather.add(Fault(path="^/parts$", rewrite=lambda body: b"[]"))  # the list does not tell it
    sync(connection, "parts")

    with tenant_scope(connection.tenant_id):
        assert '"left":7' in Record.objects.get(connection=connection, stream="parts", external_id="001").payload


def test_one_tenants_sweep_marks_nothing_of_its_neighbours(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves")
    connection, neighbour = connect(stockroom), connect(stockroom, tenant=a_tenant())
    work_off(connection)
    work_off(neighbour)
    del stockroom.things["shelves"]["007"]

    sweep(connection, "shelves")
    sweep(connection, "shelves")

    assert gone(connection, "shelves") == {"007"}
    assert gone(neighbour, "shelves") == set()


def test_the_values_of_filter_columns_are_kept_beside_the_record(stockroom: Emulator, connect: Connect) -> None:
    stockroom.put("shelves", "1", kind="Steel")
    stockroom.put("shelves", "2")
    connection = connect(stockroom)
    work_off(connection)

    with tenant_scope(connection.tenant_id):
        rows = Record.objects.filter(connection=connection, stream="shelves")
        assert dict(rows.values_list("external_id", "facets")) == {"1": {"kind": "Steel"}, "2": {}}


def test_a_sweep_that_fails_does_not_keep_the_regular_reading_away(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts", 3)
    connection = connect(stockroom)
    work_off(connection)
    with tenant_scope(connection.tenant_id):
        now = timezone.now()
        StreamState.objects.filter(connection=connection).update(due_at=now + timedelta(hours=1))
        StreamState.objects.filter(connection=connection, stream="parts").update(due_at=now, sweep_due_at=now)
    beat.tick()
    stockroom.weather.add(Fault(path="^/parts$", times=4, status=403))
    work_off(connection)
    stockroom.weather.clear()
    with tenant_scope(connection.tenant_id):
        Connection.objects.filter(pk=connection.pk).update(state="active")

    beat.tick()
    work_off(connection)

    failed, following = [run for run in runs_of(connection) if run.stream == "parts"][-2:]
    assert (failed.kind, failed.state) == (RunKind.SWEEP, RunState.FAILED)
    assert (following.kind, following.state) == (RunKind.INCREMENTAL, RunState.DONE)


def test_a_thing_that_cannot_be_asked_for_holds_nothing_up_and_is_given_up(
    stockroom: Emulator, connect: Connect
) -> None:
    filled(stockroom, "parts")
    connection = connect(stockroom)
    work_off(connection)
    del stockroom.things["parts"]["005"], stockroom.things["parts"]["006"]
    stockroom.weather.add(Fault(path="^/parts/005$", times=99, status=200, body=b'["another shape"]'))
    sweep(connection, "parts")

    runs = [sweep(connection, "parts")] + [sync(connection, "parts")[0] for _ in range(5)]

    assert {run.state for run in runs} == {RunState.DONE}
    assert gone(connection, "parts") == {"006"}
    with tenant_scope(connection.tenant_id):
        assert not LookUp.objects.exists()


def test_a_slow_vendor_does_not_lose_the_lease_while_things_are_looked_up(
    stockroom: Emulator, connect: Connect, settings: SettingsWrapper
) -> None:
    filled(stockroom, "parts", 3)
    connection = connect(stockroom)
    work_off(connection)
    del stockroom.things["parts"]["001"]
    sweep(connection, "parts")
    settings.SYNC_LEASE_SECONDS = 0.6
    stockroom.weather.add(Fault(path="^/parts/", delay=timedelta(seconds=1.5)))

    run = sweep(connection, "parts")

    assert (run.state, run.fence) == (RunState.DONE, 1)
    assert gone(connection, "parts") == {"001"}


def test_what_was_only_stirred_is_not_gone_by_one_answer(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "parts", 3)
    connection = connect(stockroom)
    work_off(connection)
    stockroom.put("moves", "1", part="001")
    sync(connection, "moves")
    stockroom.weather.add(Fault(path="^/parts/001$", status=404, body=b"{}"))

    sync(connection, "parts")

    assert gone(connection, "parts") == set()


def test_an_id_that_no_column_takes_is_set_aside_alone(stockroom: Emulator, connect: Connect) -> None:
    filled(stockroom, "shelves", 3)
    stockroom.put("shelves", "0\0", name="odd")
    connection = connect(stockroom)

    work_off(connection)
    run = sweep(connection, "shelves")

    assert (run.state, run.rejected) == (RunState.DONE, 1)
    with tenant_scope(connection.tenant_id):
        assert Record.objects.filter(connection=connection, stream="shelves").count() == 3


def test_a_new_release_is_taken_on_by_the_connections_there_are(stockroom: Emulator, connect: Connect) -> None:
    connection = connect(stockroom)
    work_off(connection)
    with tenant_scope(connection.tenant_id):
        StreamState.objects.filter(connection=connection, stream="moves").delete()
        StreamState.objects.filter(connection=connection).update(sweep_due_at=None)

    take_on_streams()
    take_on_streams()

    with tenant_scope(connection.tenant_id):
        states = {state.stream: state for state in StreamState.objects.filter(connection=connection)}
    assert set(states) == {stream.key for stream in connection.connector.streams}
    assert {key for key, state in states.items() if state.sweep_due_at} == {"shelves", "parts", "counts"}


def test_a_list_that_can_be_narrowed_by_more_than_before_has_its_records_written_anew(
    stockroom: Emulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    stockroom.put("shelves", "1", kind="Steel", colour="red")
    connection = connect(stockroom)
    work_off(connection)
    stream = connection.connector.stream("shelves")
    with tenant_scope(connection.tenant_id):
        before = Record.objects.get(connection=connection, stream="shelves").changed_at
    monkeypatch.setattr(
        type(stream), "columns", (*stream.columns, Column(label="Colour", path="colour", is_filter=True))
    )

    sync(connection, "shelves")

    with tenant_scope(connection.tenant_id):
        record = Record.objects.get(connection=connection, stream="shelves")
        assert record.facets == {"kind": "Steel", "colour": "red"}
        assert record.changed_at == before  # nothing changed at the vendor
        assert not RecordVersion.objects.exists()
