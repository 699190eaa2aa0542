"""The clock: what is due is found once, and workers are called while there is something to do."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState, VendorRequest
from integrations.sync import beat
from integrations.sync.models import StreamState, SyncRun
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def broker() -> Iterator[redis.Redis]:
    """The real one, with no call waiting."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete(settings.SYNC_QUEUE)
        yield client
        client.delete(settings.SYNC_QUEUE)


def a_due_stream(tenant: Tenant, stream: str = "billings", **facts: object) -> StreamState:
    with tenant_scope(tenant.pk):
        connection = Connection.objects.filter(vendor="kore").first() or Connection.objects.create(
            tenant=tenant, vendor="kore", name="KORE", state=ConnectionState.ACTIVE
        )
        return StreamState.objects.create(tenant=tenant, connection=connection, stream=stream, **facts)


def runs(tenant: Tenant) -> list[SyncRun]:
    with tenant_scope(tenant.pk):
        return list(SyncRun.objects.order_by("pk"))


def test_a_due_stream_becomes_one_run_and_is_called_once() -> None:
    tenant = a_tenant()
    a_due_stream(tenant)

    assert [beat.tick(), beat.tick()] == [1, 0]

    (run,) = runs(tenant)
    assert (run.stream, run.kind, run.trigger) == ("billings", "backfill", "schedule")


def test_a_stream_that_caught_up_before_is_read_incrementally() -> None:
    tenant = a_tenant()
    a_due_stream(tenant, last_good_at=timezone.now())
    beat.tick()
    assert runs(tenant)[0].kind == "incremental"


@pytest.mark.parametrize("facts", [{"due_at": None}, {"due_at": timezone.now() + timedelta(hours=1)}])
def test_what_is_not_due_is_left_alone(facts: dict[str, object]) -> None:
    tenant = a_tenant()
    a_due_stream(tenant, **facts)
    beat.tick()
    assert runs(tenant) == []


@pytest.mark.parametrize("state", [state for state in ConnectionState if state != ConnectionState.ACTIVE])
def test_only_an_active_connection_is_synced(state: ConnectionState) -> None:
    tenant = a_tenant()
    a_due_stream(tenant)
    with tenant_scope(tenant.pk):
        Connection.objects.update(state=state)
    beat.tick()
    assert runs(tenant) == []


def test_a_run_whose_worker_died_is_called_again(broker: redis.Redis) -> None:
    tenant = a_tenant()
    a_due_stream(tenant)
    beat.tick()
    past = timezone.now() - timedelta(minutes=5)
    with tenant_scope(tenant.pk):
        SyncRun.objects.update(lease_until=past, woken_at=past, state="running")
    broker.delete(settings.SYNC_QUEUE)

    assert beat.tick() == 1


def test_a_run_that_is_being_worked_on_or_waits_is_not_called(broker: redis.Redis) -> None:
    tenant = a_tenant()
    a_due_stream(tenant, "billings")
    a_due_stream(tenant, "deals")
    beat.tick()
    soon, past = timezone.now() + timedelta(minutes=1), timezone.now() - timedelta(minutes=5)
    with tenant_scope(tenant.pk):
        SyncRun.objects.filter(stream="billings").update(lease_until=soon, woken_at=past)
        SyncRun.objects.filter(stream="deals").update(next_slice_at=soon, woken_at=past)
    broker.delete(settings.SYNC_QUEUE)

    assert beat.tick() == 0


def test_calls_are_as_many_as_there_is_work_for_up_to_a_number(broker: redis.Redis) -> None:
    for _ in range(2):
        tenant = a_tenant()
        for n in range(beat.CALLS):
            a_due_stream(tenant, f"stream-{n}")

    assert beat.tick() == beat.CALLS
    broker.lpop(settings.SYNC_QUEUE)
    assert beat.tick() == 1


def test_one_tick_claims_all_that_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "CLAIM", 2)
    tenants = [a_tenant(), a_tenant()]
    for tenant in tenants:
        for n in range(3):
            a_due_stream(tenant, f"stream-{n}")

    beat.tick()

    assert [len(runs(tenant)) for tenant in tenants] == [3, 3]


def test_old_requests_and_runs_are_dropped_for_every_tenant() -> None:
    for tenant in (a_tenant(), a_tenant()):
        state = a_due_stream(tenant, due_at=None)
        long_ago = timezone.now() - timedelta(days=100)
        with tenant_scope(tenant.pk):
            for at in (long_ago, timezone.now()):
                VendorRequest.objects.create(
                    tenant=tenant, connection_id=state.connection_id, at=at, duration_ms=1, received_bytes=1
                )
                SyncRun.objects.create(
                    tenant=tenant,
                    connection_id=state.connection_id,
                    stream_state=state,
                    stream="billings",
                    kind="backfill",
                    finished_at=at,
                )

        beat.tidy()

        with tenant_scope(tenant.pk):
            assert (VendorRequest.objects.count(), SyncRun.objects.count()) == (1, 1)


def test_a_tick_outlives_the_slices_that_may_hold_every_place() -> None:
    assert settings.CELERY_BEAT_SCHEDULE["tick"]["options"]["expires"] > 2 * settings.SYNC_SLICE_SECONDS
