"""What is late shows even when nothing runs that could say so: here there is no beat and no worker."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState
from integrations.sync.models import StreamState, SyncRun
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def a_stream(*, state: ConnectionState = ConnectionState.ACTIVE, **facts: object) -> StreamState:
    """Of a tenant of its own; in time, but for what is given."""
    tenant, now = a_tenant(), timezone.now()
    with tenant_scope(tenant.pk):
        connection = Connection.objects.create(tenant=tenant, vendor="kore", name="KORE", state=state)
        in_time = {"due_at": now + HOUR, "last_good_at": now, "interval": HOUR}
        return StreamState.objects.create(
            tenant=tenant, connection=connection, stream="billings", **{**in_time, **facts}
        )


def a_run(of: StreamState, **facts: object) -> None:
    with tenant_scope(of.tenant_id):
        SyncRun.objects.create(
            tenant_id=of.tenant_id,
            connection_id=of.connection_id,
            stream_state=of,
            stream=of.stream,
            kind="incremental",
            **facts,
        )


def another(of: StreamState, **facts: object) -> StreamState:
    """One more stream of that tenant; of a connection of its own unless one is given."""
    with tenant_scope(of.tenant_id):
        if "connection" not in facts:
            facts["connection"] = Connection.objects.create(
                tenant_id=of.tenant_id, vendor="kore", name="Another", state=ConnectionState.ACTIVE
            )
        in_time = {"due_at": timezone.now() + HOUR, "last_good_at": timezone.now(), "interval": HOUR}
        return StreamState.objects.create(tenant_id=of.tenant_id, **{"stream": "billings", **in_time, **facts})


def waits_at_cap() -> int:
    return int(Client().get("/health/freshness").json()["at_cap"])


def answer() -> tuple[int, str, int, int]:
    found = Client().get("/health/freshness")
    told = found.json()
    return found.status_code, told["status"], told["overdue"], told["behind"]


def test_all_is_well_where_nothing_is_due():
    a_stream()
    assert answer() == (200, "ok", 0, 0)


def test_streams_that_nobody_began_are_late_since_they_were_due():
    due_at = timezone.now() - 3 * HOUR
    a_stream(due_at=timezone.now() - HOUR)
    a_stream(due_at=due_at)
    a_stream()
    assert answer() == (503, "late", 2, 0)
    assert Client().get("/health/freshness").json()["overdue_since"][:19] == due_at.isoformat()[:19]


def test_a_few_minutes_are_not_late():
    a_stream(due_at=timezone.now() - timedelta(minutes=2))
    assert answer() == (200, "ok", 0, 0)


def test_a_run_that_nobody_goes_on_with_is_late():
    a_run(a_stream(), next_slice_at=timezone.now() - HOUR)
    assert answer() == (503, "late", 1, 0)


def test_a_run_whose_worker_died_is_late_once_its_lease_is_over_for_long():
    a_run(a_stream(), next_slice_at=timezone.now() - HOUR, lease_until=timezone.now() - HOUR / 2)
    assert answer() == (503, "late", 1, 0)


@pytest.mark.parametrize("in_hand", [{"lease_until": HOUR / 60}, {"woken_at": timedelta()}], ids=["leased", "woken"])
def test_a_run_that_waits_while_its_connection_has_all_it_may_have_is_told_apart(in_hand):
    now, waiting = timezone.now(), a_stream()
    a_run(waiting, next_slice_at=now - HOUR)
    worked_on = another(waiting, connection=waiting.connection, stream="deals")
    a_run(worked_on, state="running", next_slice_at=now, **{name: now + span for name, span in in_hand.items()})
    assert answer() == (200, "ok", 0, 0)
    assert waits_at_cap() == 1


def test_a_run_that_waits_while_its_tenant_has_all_it_may_have_is_told_apart(settings):
    settings.SYNC_TENANT_SLICES = 2
    now, waiting = timezone.now(), a_stream()
    a_run(waiting, next_slice_at=now - HOUR)
    a_run(another(waiting), state="running", lease_until=now + HOUR / 60)
    assert answer() == (503, "late", 1, 0)
    a_run(another(waiting), state="running", lease_until=now + HOUR / 60)
    assert answer() == (200, "ok", 0, 0)
    assert waits_at_cap() == 1


def test_what_one_tenant_has_under_way_excuses_nothing_of_another(settings):
    settings.SYNC_TENANT_SLICES = 1
    now = timezone.now()
    a_run(a_stream(), state="running", lease_until=now + HOUR / 60)
    a_run(a_stream(), next_slice_at=now - HOUR)
    assert answer() == (503, "late", 1, 0)
    assert waits_at_cap() == 0


def test_workers_that_died_hold_no_place(settings):
    settings.SYNC_TENANT_SLICES = 1
    now, waiting = timezone.now(), a_stream()
    a_run(waiting, next_slice_at=now - HOUR)
    a_run(another(waiting), state="running", next_slice_at=now - HOUR, lease_until=now - HOUR / 60)
    a_run(another(waiting), woken_at=now - HOUR / 6)
    assert answer() == (503, "late", 1, 0)
    assert waits_at_cap() == 0


def test_a_stream_that_nobody_began_is_never_excused_by_a_cap(settings):
    settings.SYNC_TENANT_SLICES = 1
    late = a_stream(due_at=timezone.now() - HOUR)
    a_run(another(late), state="running", lease_until=timezone.now() + HOUR / 60)
    assert answer() == (503, "late", 1, 0)


@pytest.mark.parametrize("facts", [{"lease_until": HOUR}, {"next_slice_at": HOUR}, {"finished_at": -HOUR}])
def test_a_run_in_good_hands_that_waits_or_is_over_is_not_late(facts):
    now = timezone.now()
    a_run(a_stream(), **{"next_slice_at": now - HOUR, **{name: now + span for name, span in facts.items()}})
    assert answer() == (200, "ok", 0, 0)


def test_what_is_older_than_promised_is_counted_whoever_is_at_fault():
    a_run(a_stream(last_good_at=timezone.now() - 3 * HOUR), state="waiting", next_slice_at=timezone.now() + HOUR)
    assert answer() == (200, "ok", 0, 1)


@pytest.mark.parametrize("state", [ConnectionState.PAUSED, ConnectionState.NEEDS_RECONNECT])
def test_what_waits_for_a_person_is_not_late(state):
    a_stream(state=state, due_at=timezone.now() - HOUR, last_good_at=timezone.now() - 9 * HOUR)
    assert answer() == (200, "ok", 0, 0)
