"""A stream read anew from nothing: seen first, switched at once, undone for a week."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils import timezone

from integrations.connections.access import open_connection
from integrations.connections.models import Connection, ConnectionState
from integrations.connections.services import erase
from integrations.records.models import Billing, Record, RecordVersion, RejectedRecord, ShadowRecord
from integrations.registry import connectors
from integrations.sandbox.kit import Fault
from integrations.sync import batches, beat, engine, lease, switch
from integrations.sync.models import Rebuild, RebuildState, RunKind, RunState, StreamState, SyncRun
from integrations.sync.services import forget_streams, start_sync, stop_all
from portal.tenancy.models import Event
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import runs_of, state_of, stored, sync, work_off
from tests.integrations.sync.vendors.stockroom import Emulator

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shelves(stockroom: Emulator, connect: Connect) -> Connection:
    """A stockroom whose twelve shelves were copied; then one came, one went, two changed, and one became unreadable."""
    for number in range(12):
        stockroom.put("shelves", f"{number:03}", kind="Steel")
    connection = connect(stockroom)
    work_off(connection)
    return connection


def change(stockroom: Emulator) -> None:
    stockroom.put("shelves", "100", kind="Wood")
    stockroom.put("shelves", "001", kind="Wood")
    stockroom.put("shelves", "002", kind="Glass")
    del stockroom.things["shelves"]["003"]


def ask(connection: Connection, stream: str = "shelves") -> Rebuild:
    with tenant_scope(connection.tenant_id):
        return switch.start(StreamState.objects.get(connection=connection, stream=stream), by=a_user())


def rebuilt(connection: Connection, stream: str = "shelves") -> Rebuild:
    """Read anew to the end, with nothing decided yet."""
    one = ask(connection, stream)
    work_off(connection, stream=stream)
    return current(one)


def current(one: Rebuild) -> Rebuild:
    with tenant_scope(one.tenant_id):
        return Rebuild.objects.select_related("connection", "stream_state__connection").get(pk=one.pk)


def decide(deed: Callable[..., Rebuild], one: Rebuild) -> Rebuild:
    with tenant_scope(one.tenant_id):
        return deed(current(one), by=a_user())


def rows(connection: Connection, stream: str = "shelves", *, but: tuple[str, ...] = ("id",)) -> list[dict[str, Any]]:
    """Everything that is kept of a stream's records, but for those columns."""
    with tenant_scope(connection.tenant_id):
        found = Record.objects.filter(connection=connection, stream=stream).order_by("external_id").values()
        return [{name: value for name, value in row.items() if name not in but} for row in found]


OF_A_COPY = (
    "id",
    "connection_id",
    "tenant_id",
    "first_seen_at",
    "changed_at",
    "first_run_id",
    "changed_run_id",
    "changed_request_id",
)


def there(connection: Connection, stream: str = "shelves") -> list[dict[str, Any]]:
    """What a first copy made now would hold as well."""
    return [row for row in rows(connection, stream, but=OF_A_COPY) if row["missing_since"] is None]


def versions(connection: Connection) -> int:
    with tenant_scope(connection.tenant_id):
        return RecordVersion.objects.filter(record__connection=connection).count()


def copied(connection: Connection) -> int:
    with tenant_scope(connection.tenant_id):
        return ShadowRecord.objects.filter(connection=connection).count()


def test_reading_anew_changes_nothing_that_is_shown_and_says_what_it_would(
    stockroom: Emulator, shelves: Connection
) -> None:
    before, state = rows(shelves), state_of(shelves, "shelves")
    change(stockroom)

    one = rebuilt(shelves)

    assert rows(shelves) == before
    assert one.state == RebuildState.READY
    assert {name: number for name, number in one.counts.items() if number} == {
        "new": 1,
        "changed": 2,
        "gone": 1,
        "same": 9,
    }
    after = state_of(shelves, "shelves")
    assert (after.cursor, after.records, after.last_good_at, after.due_at) == (
        state.cursor,
        state.records,
        state.last_good_at,
        state.due_at,
    )


def test_after_the_switch_the_records_equal_a_fresh_first_copy(
    stockroom: Emulator, shelves: Connection, connect: Connect
) -> None:
    change(stockroom)
    decide(switch.use, rebuilt(shelves))

    fresh = connect(stockroom, tenant=a_tenant())
    work_off(fresh)

    assert there(shelves) == there(fresh)
    assert [row["external_id"] for row in rows(shelves) if row["missing_since"]] == ["003"]
    assert versions(shelves) == 2
    assert state_of(shelves, "shelves").records == 13


def test_undoing_gives_exactly_what_was_before(stockroom: Emulator, shelves: Connection) -> None:
    before = rows(shelves, but=())
    change(stockroom)
    one = decide(switch.use, rebuilt(shelves))
    assert rows(shelves, but=()) != before

    one = decide(switch.undo, one)

    assert rows(shelves, but=()) == before
    assert (one.state, one.words, versions(shelves)) == (RebuildState.UNDONE, "", 0)
    assert state_of(shelves, "shelves").records == 12


def test_what_a_sync_changed_meanwhile_is_newer_than_the_copy(stockroom: Emulator, shelves: Connection) -> None:
    change(stockroom)
    one = rebuilt(shelves)
    stockroom.put("shelves", "002", kind="Stone")
    stockroom.put("shelves", "200", kind="Stone")
    sync(shelves, "shelves")

    one = decide(switch.use, one)

    # The sync brought the rest of the changes as well: only what is gone was left to do.
    assert {name: number for name, number in one.counts.items() if number} == {"gone": 1, "same": 11, "kept": 1}
    assert '"Stone"' in stored(shelves, "shelves")["002"]
    assert "200" in stored(shelves, "shelves")


def test_undoing_leaves_what_changed_since_the_switch(stockroom: Emulator, shelves: Connection) -> None:
    before = stored(shelves, "shelves")
    change(stockroom)
    one = decide(switch.use, rebuilt(shelves))
    stockroom.put("shelves", "002", kind="Stone")
    stockroom.put("shelves", "100", kind="Stone")
    sync(shelves, "shelves")

    one = decide(switch.undo, one)

    assert one.words == "2 had changed since and stayed."
    after = stored(shelves, "shelves")
    assert after["001"] == before["001"]
    assert '"Stone"' in after["002"]
    assert '"Stone"' in after["100"]


def test_the_next_sync_brings_what_an_undoing_took_away(stockroom: Emulator, shelves: Connection) -> None:
    """The place from which regular reading goes on is the one of the switch."""
    change(stockroom)
    with tenant_scope(shelves.tenant_id):
        StreamState.objects.filter(connection=shelves, stream="shelves").update(cursor="5")
    one = rebuilt(shelves)
    with tenant_scope(shelves.tenant_id):
        StreamState.objects.filter(connection=shelves, stream="shelves").update(cursor="10")

    one = decide(switch.use, one)
    assert state_of(shelves, "shelves").cursor == "5"

    decide(switch.undo, one)
    assert state_of(shelves, "shelves").cursor == "10"


def test_what_reappeared_is_shown_again_and_hidden_by_undoing(stockroom: Emulator, shelves: Connection) -> None:
    with tenant_scope(shelves.tenant_id):
        long_ago = timezone.now() - timedelta(days=3)
        Record.objects.filter(external_id="004").update(missing_since=long_ago, misses=2)
    before = rows(shelves, but=())

    one = rebuilt(shelves)
    assert one.counts["back"] == 1
    one = decide(switch.use, one)
    assert not any(row["missing_since"] for row in rows(shelves))

    decide(switch.undo, one)
    assert rows(shelves, but=()) == before


def test_a_rebuild_takes_up_where_it_was_after_any_interruption(
    stockroom: Emulator, shelves: Connection, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SYNC_SLICE_SECONDS = 0.000001
    monkeypatch.setattr(batches, "BATCH_PAGES", 1)
    change(stockroom)
    one = ask(shelves)
    stockroom.weather.add(Fault(path="^/shelves$", status=500, times=1))

    work_off(shelves)
    with tenant_scope(shelves.tenant_id):
        SyncRun.objects.filter(pk=one.run_id).update(next_slice_at=timezone.now())
    work_off(shelves)

    one = current(one)
    run = next(run for run in runs_of(shelves) if run.pk == one.run_id)
    assert run.fence > 2
    assert (run.state, one.state, one.counts["same"]) == (RunState.DONE, RebuildState.READY, 9)


def test_a_worker_that_lost_its_rebuild_writes_nothing(stockroom: Emulator, shelves: Connection) -> None:
    one = ask(shelves)
    held = lease.take(shelves.tenant_id, one.run_id)
    assert held is not None
    with tenant_scope(shelves.tenant_id):
        SyncRun.objects.filter(pk=one.run_id).update(fence=held.fence + 1)

    with open_connection(shelves.tenant_id, shelves.pk) as access, pytest.raises(lease.LeaseLost):
        engine._work(held, access)

    assert copied(shelves) == 0


def test_a_switch_that_breaks_changes_nothing(
    stockroom: Emulator, shelves: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(stockroom)
    one = rebuilt(shelves)
    before = rows(shelves, but=())
    monkeypatch.setattr("integrations.records.swap._SET_ASIDE", "select 1 / 0")

    with pytest.raises(Exception, match="division by zero"):
        decide(switch.use, one)

    assert (rows(shelves, but=()), versions(shelves), current(one).state) == (before, 0, RebuildState.READY)


def test_a_sync_at_work_during_the_switch_writes_no_more_and_goes_on_from_there(
    stockroom: Emulator, shelves: Connection
) -> None:
    one = rebuilt(shelves)
    with tenant_scope(shelves.tenant_id):
        (run,) = start_sync(shelves, by=None, stream="shelves")
    held = lease.take(shelves.tenant_id, run.pk)
    assert held is not None

    decide(switch.use, one)

    with tenant_scope(shelves.tenant_id), pytest.raises(lease.LeaseLost):
        lease.hold(held)
    work_off(shelves)
    assert next(one for one in runs_of(shelves) if one.pk == run.pk).state == RunState.DONE


def test_regular_syncs_and_a_rebuild_of_one_stream_go_on_beside_each_other(
    stockroom: Emulator, shelves: Connection
) -> None:
    one = ask(shelves)
    (run,) = sync(shelves, "shelves")

    assert (run.kind, run.state, current(one).state) == (RunKind.INCREMENTAL, RunState.DONE, RebuildState.READY)
    beat.tick()


def test_what_cannot_be_read_is_set_aside_at_the_switch_and_no_sooner(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.errors import RecordRejected

    connection = connect(serve("kore", sizes=(40, 20)))
    work_off(connection, stream="billings")
    before = stored(connection, "billings")
    billings = connectors()["kore"].stream("billings")
    reading = type(billings).interpret

    def picky(self: Any, payload: bytes, context: Any) -> Any:
        if payload.decode() == before[min(before)]:
            raise RecordRejected("Its date makes no sense.")
        return reading(self, payload, context)

    monkeypatch.setattr(type(billings), "interpret", picky)
    one = rebuilt(connection, "billings")

    def aside() -> list[str]:
        with tenant_scope(connection.tenant_id):
            return list(RejectedRecord.objects.filter(connection=connection).values_list("reason", flat=True))

    assert (one.counts["aside"], one.counts["gone"], aside()) == (1, 0, [])
    one = decide(switch.use, one)
    assert aside() == ["Its date makes no sense."]
    decide(switch.undo, one)
    assert aside() == []


def test_what_a_release_reads_differently_is_written_anew_although_the_vendor_says_the_same(
    serve: Serve, connect: Connect
) -> None:
    connection = connect(serve("kore", sizes=(40, 20)))
    work_off(connection, stream="billings")
    with tenant_scope(connection.tenant_id):
        typed = list(Billing.objects.order_by("pk").values())
        misread = Billing.objects.order_by("pk")[:1].get()
        Billing.objects.filter(pk=misread.pk).update(amount=1, due_date=None)
    kept = rows(connection, "billings", but=())

    one = rebuilt(connection, "billings")
    assert (one.counts["changed"], one.counts["same"]) == (1, 39)
    one = decide(switch.use, one)

    with tenant_scope(connection.tenant_id):
        assert list(Billing.objects.order_by("pk").values()) == typed
    assert rows(connection, "billings", but=()) == kept
    assert versions(connection) == 0
    decide(switch.undo, one)
    with tenant_scope(connection.tenant_id):
        assert (Billing.objects.get(pk=misread.pk).amount, Billing.objects.get(pk=misread.pk).due_date) == (1, None)


def test_a_whole_stream_lost_here_comes_back_with_its_typed_rows(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(130, 20)))
    work_off(connection, stream="billings")
    with tenant_scope(connection.tenant_id):
        whole = list(Billing.objects.order_by("number").values("number", "amount", "due_date", "status", "search"))
        Record.objects.filter(stream="billings").delete()

    one = decide(switch.use, rebuilt(connection, "billings"))

    assert one.counts["new"] == 130
    with tenant_scope(connection.tenant_id):
        again = list(Billing.objects.order_by("number").values("number", "amount", "due_date", "status", "search"))
    assert again == whole


def test_what_lies_outside_of_what_was_read_is_not_gone(stockroom: Emulator, connect: Connect) -> None:
    for number in range(10, 20):
        stockroom.put("counts", str(number), day=f"2026-05-{number}")
    connection = connect(stockroom)
    work_off(connection)
    for number in (10, 11, 15, 19):
        del stockroom.things["counts"][str(number)]

    one = rebuilt(connection, "counts")

    assert (one.counts["gone"], one.counts["outside"], one.counts["same"]) == (1, 3, 6)


def test_what_is_gone_is_asked_for_once_more_where_that_is_possible(stockroom: Emulator, connect: Connect) -> None:
    for number in range(8):
        stockroom.put("parts", f"{number:03}")
    connection = connect(stockroom)
    work_off(connection)
    stockroom.weather.add(Fault(path="^/parts$", times=99, rewrite=lambda body: body.replace(b'"003"', b'"x03"')))
    del stockroom.things["parts"]["005"]

    decide(switch.use, rebuilt(connection, "parts"))
    work_off(connection)

    assert [row["external_id"] for row in rows(connection, "parts") if row["missing_since"]] == ["005"]


def test_what_became_private_is_kept_nowhere(serve: Serve, connect: Connect) -> None:
    sandbox = serve("condeco", sizes=(30, 10))
    connection = connect(sandbox)
    work_off(connection, stream="room-bookings")
    sandbox.hide_booking(account=0)  # type: ignore[attr-defined]

    one = decide(switch.use, rebuilt(connection, "room-bookings"))

    assert one.counts["changed"] == 1
    with tenant_scope(connection.tenant_id):
        assert not RecordVersion.objects.filter(record__stream="room-bookings").exists()
        assert not ShadowRecord.objects.exclude(before=None).exists()
    assert decide(switch.undo, one).words == "1 had changed since and stayed."


def test_one_rebuild_at_a_time_and_none_before_the_first_copy_is_complete(
    stockroom: Emulator, shelves: Connection
) -> None:
    rebuilt(shelves)
    with pytest.raises(ValidationError, match="read anew already"):
        ask(shelves)
    with tenant_scope(shelves.tenant_id):
        StreamState.objects.filter(stream="parts").update(last_good_at=None)
    with pytest.raises(ValidationError, match="first copy of parts is not complete"):
        ask(shelves, "parts")


def test_nothing_is_read_anew_where_the_connection_is_not_active(stockroom: Emulator, shelves: Connection) -> None:
    with tenant_scope(shelves.tenant_id):
        Connection.objects.update(state=ConnectionState.PAUSED)

    with pytest.raises(ValidationError, match="not active"):
        ask(shelves)


@pytest.mark.parametrize("is_read", [False, True])
def test_a_discarded_copy_is_gone_and_changes_nothing(stockroom: Emulator, shelves: Connection, is_read: bool) -> None:
    before = rows(shelves)
    change(stockroom)
    one = rebuilt(shelves) if is_read else ask(shelves)

    one = decide(switch.discard, one)
    beat.tidy()

    assert (one.state, copied(shelves), rows(shelves)) == (RebuildState.DISCARDED, 0, before)
    with pytest.raises(ValidationError, match="no new copy"):
        decide(switch.use, one)
    assert ask(shelves).is_reading


def test_a_pause_ends_a_rebuild_and_says_so(stockroom: Emulator, shelves: Connection) -> None:
    one = ask(shelves)
    with tenant_scope(shelves.tenant_id):
        stop_all(shelves, words="Stopped: Mara paused the connection.")

    one = current(one)
    assert (one.state, one.words) == (RebuildState.DISCARDED, "Stopped: Mara paused the connection.")


def test_a_rebuild_that_fails_leaves_the_regular_reading_alone(stockroom: Emulator, shelves: Connection) -> None:
    one = ask(shelves)
    due_at = state_of(shelves, "shelves").due_at
    stockroom.weather.add(Fault(path="^/shelves$", times=99, status=500))
    for _ in range(6):
        with tenant_scope(shelves.tenant_id):
            SyncRun.objects.filter(pk=one.run_id).update(next_slice_at=timezone.now())
        work_off(shelves)

    one = current(one)
    assert one.state == RebuildState.FAILED
    assert one.words
    state = state_of(shelves, "shelves")
    assert (state.due_at, state.failures) == (due_at, 0)


def test_after_seven_days_copies_are_dropped(stockroom: Emulator, shelves: Connection) -> None:
    change(stockroom)
    used = decide(switch.use, rebuilt(shelves))
    waiting = rebuilt(shelves)

    beat.tidy()
    assert copied(shelves) > 0
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        with pytest.raises(ValidationError, match="kept for 7 days"):
            decide(switch.undo, used)
        beat.tidy()

    assert copied(shelves) == 0
    assert (current(used).state, current(waiting).state) == (RebuildState.APPLIED, RebuildState.DISCARDED)
    assert current(waiting).words == "Nobody decided within 7 days, so the new copy was dropped."


def test_only_the_last_switch_can_be_undone(stockroom: Emulator, shelves: Connection) -> None:
    first = decide(switch.use, rebuilt(shelves))
    second = decide(switch.use, rebuilt(shelves))

    with pytest.raises(ValidationError, match="Another new copy took its place"):
        decide(switch.undo, first)
    assert decide(switch.undo, second).state == RebuildState.UNDONE


def test_a_copy_from_before_a_release_that_keeps_more_is_refused(serve: Serve, connect: Connect) -> None:
    connection = connect(serve("kore", sizes=(20, 20)))
    work_off(connection, stream="billings")
    with tenant_scope(connection.tenant_id):
        Billing.objects.update(number="misread")
    one = rebuilt(connection, "billings")
    with tenant_scope(connection.tenant_id):
        for row in ShadowRecord.objects.exclude(typed=None):
            ShadowRecord.objects.filter(pk=row.pk).update(typed={"number": "1"})

    with pytest.raises(ValidationError, match="Switchboard was updated since"):
        decide(switch.use, one)


def test_deleted_records_leave_no_copy_behind(stockroom: Emulator, shelves: Connection) -> None:
    change(stockroom)
    one = rebuilt(shelves)

    with tenant_scope(shelves.tenant_id):
        forget_streams(shelves, ["shelves"])

    assert (copied(shelves), current(one).state) == (0, RebuildState.DISCARDED)


def test_erasing_a_connection_takes_its_copies_along(stockroom: Emulator, shelves: Connection) -> None:
    rebuilt(shelves)

    with tenant_scope(shelves.tenant_id):
        erase(shelves, by=a_user())

        assert not ShadowRecord.objects.exists()
        assert not Rebuild.objects.exists()


def test_each_deed_is_in_the_audit_trail(stockroom: Emulator, shelves: Connection) -> None:
    change(stockroom)
    one = decide(switch.use, rebuilt(shelves))
    decide(switch.undo, one)
    decide(switch.discard, rebuilt(shelves))

    with tenant_scope(shelves.tenant_id):
        found = list(Event.objects.filter(action__startswith="sync.rebuild").order_by("pk").values("action", "details"))
    assert [row["action"].removeprefix("sync.rebuild_") for row in found] == [
        "started",
        "used",
        "undone",
        "started",
        "discarded",
    ]
    assert found[1]["details"] == {"stream": "shelves", "new": 1, "changed": 2, "gone": 1}


def test_another_tenants_records_are_neither_read_nor_written(
    stockroom: Emulator, shelves: Connection, connect: Connect
) -> None:
    theirs = connect(stockroom, tenant=a_tenant())
    work_off(theirs)
    before = rows(theirs, but=())
    change(stockroom)

    one = decide(switch.use, rebuilt(shelves))

    assert rows(theirs, but=()) == before
    with tenant_scope(theirs.tenant_id):
        assert not Rebuild.objects.exists()
        assert not ShadowRecord.objects.exists()
        with pytest.raises(ObjectDoesNotExist):
            switch.undo(one, by=a_user())
