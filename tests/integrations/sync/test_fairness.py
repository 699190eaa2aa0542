"""Whose turn it is: tenants share the workers, whatever they have queued, and nobody has more than their places."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from integrations.connections.models import Connection, ConnectionState
from integrations.sync import tasks
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.turns import ready, take_turn
from portal.tenancy.models import Tenant
from portal.tenancy.scope import ops_scope, tenant_scope
from tests.factories import a_tenant

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
PLENTY = 1000


@pytest.fixture(autouse=True)
def room(settings: Settings) -> Settings:
    """Places for all, but where a test says otherwise."""
    settings.SYNC_TENANT_SLICES = settings.SYNC_CONNECTION_SLICES = PLENTY
    return settings


def a_connection(tenant: Tenant) -> Connection:
    with tenant_scope(tenant.pk):
        return Connection.objects.create(
            tenant=tenant, vendor="kore", name="KORE", account=uuid4().hex, state=ConnectionState.ACTIVE
        )


def queue(tenant: Tenant, count: int = 1, *, of: Connection | None = None, **facts: object) -> list[int]:
    """Runs that could go on at once, the first of them having waited longest."""
    with tenant_scope(tenant.pk):
        place = of or Connection.objects.first() or a_connection(tenant)
        begin = StreamState.objects.count()
        states = [
            StreamState(tenant=tenant, connection=place, stream=f"stream-{begin + n}", due_at=None)
            for n in range(count)
        ]
        StreamState.objects.bulk_create(states)
        return [
            SyncRun.objects.create(
                tenant=tenant,
                connection=place,
                stream_state=state,
                stream=state.stream,
                kind="incremental",
                **{"next_slice_at": Now() - timedelta(hours=1), **facts},
            ).pk
            for state in states
        ]


def begin(run: tuple[int, int]) -> None:
    """As the engine takes a lease."""
    _put(run, woken_at=None, lease_until=Now() + timedelta(minutes=1), state=RunState.RUNNING)


def put_back(run: tuple[int, int]) -> None:
    """As the engine gives a run back that goes on."""
    _put(run, woken_at=None, lease_until=None, next_slice_at=Now(), state=RunState.RUNNING)


def end(run: tuple[int, int]) -> None:
    _put(run, woken_at=None, lease_until=None, finished_at=Now(), state=RunState.DONE)


def _put(run: tuple[int, int], **facts: object) -> None:
    with tenant_scope(run[0]):
        SyncRun.objects.filter(pk=run[1]).update(**facts)


def turns(count: int) -> list[int]:
    """Whose turn it was, one slice after the other, each of which comes to its run's end."""
    found = []
    for _ in range(count):
        run = take_turn()
        assert run is not None
        end(run)
        found.append(run[0])
    return found


def taken(count: int) -> list[tuple[int, int]]:
    """What so many workers get, all at once."""
    runs = [take_turn() for _ in range(count)]
    return [run for run in runs if run is not None]


def weigh(tenant: Tenant, weight: int) -> None:
    with ops_scope():
        Tenant.objects.filter(pk=tenant.pk).update(weight=weight)


def by_tenant(runs: Iterable[tuple[int, int]]) -> Counter[int]:
    return Counter(tenant_id for tenant_id, _ in runs)


def test_a_tenant_that_queues_a_lot_at_once_puts_nobody_back_by_more_than_a_turn() -> None:
    busy, small, other = a_tenant(), a_tenant(), a_tenant()
    queue(busy, 20)
    queue(small)
    queue(other)

    assert set(turns(3)) == {busy.pk, small.pk, other.pk}


def test_who_comes_late_joins_the_round_that_is_going_on() -> None:
    early, late = a_tenant(), a_tenant()
    queue(early, 30)
    assert turns(10) == [early.pk] * 10
    queue(late, 10)

    found = turns(8)

    assert Counter(found) == {early.pk: 4, late.pk: 4}
    assert late.pk in found[:2]


def test_a_run_that_goes_on_waits_behind_the_others_of_its_tenant() -> None:
    tenant = a_tenant()
    runs = queue(tenant, 3)

    found = []
    for _ in range(6):
        run = take_turn()
        assert run is not None
        found.append(run[1])
        begin(run)
        put_back(run)

    assert sorted(found[:3]) == runs
    assert found[3:] == found[:3]


def test_workers_are_shared_before_anyone_has_two() -> None:
    busy, small = a_tenant(), a_tenant()
    queue(busy, 10)
    for run in taken(3):
        begin(run)
    queue(small, 2)

    assert by_tenant(taken(2)) == {small.pk: 2}


def test_a_tenant_of_twice_the_weight_has_twice_the_turns() -> None:
    heavy, light = a_tenant(), a_tenant()
    weigh(heavy, 2)
    queue(heavy, 20)
    queue(light, 20)

    assert Counter(turns(15)) == {heavy.pk: 10, light.pk: 5}


def test_a_tenant_of_twice_the_weight_has_twice_the_workers() -> None:
    heavy, light = a_tenant(), a_tenant()
    weigh(heavy, 2)
    queue(heavy, 20)
    queue(light, 20)

    assert by_tenant(taken(9)) == {heavy.pk: 6, light.pk: 3}


def test_nobody_starves_beside_others_that_never_stop() -> None:
    greedy, patient = [a_tenant() for _ in range(3)], a_tenant()
    for tenant in greedy:
        weigh(tenant, 3)
        queue(tenant, 20)
    mine = set(queue(patient, 3, next_slice_at=Now()))

    for _ in range(len(mine) * (3 * len(greedy) + 1)):
        run = take_turn()
        assert run is not None
        if run[0] == patient.pk:
            end(run)
            mine.discard(run[1])
        else:
            begin(run)
            put_back(run)

    assert not mine


def test_a_tenant_has_no_more_slices_under_way_than_its_places(room: Settings) -> None:
    room.SYNC_TENANT_SLICES = 3
    busy, small = a_tenant(), a_tenant()
    queue(busy, 10)
    queue(small, 1)

    runs = taken(10)
    assert by_tenant(runs) == {busy.pk: 3, small.pk: 1}

    end(next(run for run in runs if run[0] == busy.pk))
    assert by_tenant(taken(10)) == {busy.pk: 1}


def test_a_connection_has_no_more_slices_under_way_than_its_places(room: Settings) -> None:
    room.SYNC_CONNECTION_SLICES = 2
    tenant = a_tenant()
    first, second = queue(tenant, 5, of=a_connection(tenant)), queue(tenant, 1, of=a_connection(tenant))

    runs = {run_id for _, run_id in taken(10)}

    assert len(runs & set(first)) == 2
    assert runs >= set(second)


@pytest.mark.parametrize("code", ["rate_limited", "unreachable"])
def test_a_connection_in_trouble_has_one_place_to_be_tried_with(code: str) -> None:
    ill, well = a_tenant(), a_tenant()
    queue(ill, 5)
    queue(ill, 1, state=RunState.WAITING, code=code, next_slice_at=Now() + timedelta(minutes=5))
    queue(well, 3)

    assert by_tenant(taken(10)) == {ill.pk: 1, well.pk: 3}


def test_what_waits_for_its_time_gets_no_turn() -> None:
    queue(a_tenant(), next_slice_at=Now() + timedelta(minutes=5))
    assert take_turn() is None
    assert ready(PLENTY) == 0


def test_what_a_dead_worker_held_is_given_to_another_and_takes_no_place(room: Settings) -> None:
    room.SYNC_TENANT_SLICES = 1
    tenant = a_tenant()
    gone = Now() - timedelta(hours=1)
    (leased,) = queue(tenant, lease_until=gone, state=RunState.RUNNING)
    assert taken(2) == [(tenant.pk, leased)]
    end((tenant.pk, leased))

    (given,) = queue(tenant, woken_at=gone)
    assert taken(2) == [(tenant.pk, given)]


def test_many_workers_at_once_never_get_the_same_run_nor_a_place_too_many(room: Settings) -> None:
    room.SYNC_TENANT_SLICES = 4
    tenants = [a_tenant() for _ in range(4)]
    for tenant in tenants:
        queue(tenant, 8)

    def work(_: int) -> list[tuple[int, int]]:
        try:
            return taken(8)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as crew:
        runs = [run for found in crew.map(work, range(6)) for run in found]

    assert len(runs) == len(set(runs))
    assert by_tenant([*runs, *taken(40)]) == {tenant.pk: 4 for tenant in tenants}


def test_a_run_that_somebody_has_locked_is_passed_over() -> None:
    tenant = a_tenant()
    locked, free = queue(tenant, 2)

    def take() -> tuple[int, int] | None:
        try:
            return take_turn()
        finally:
            connections.close_all()

    with tenant_scope(tenant.pk), transaction.atomic(), ThreadPoolExecutor(1) as worker:
        SyncRun.objects.select_for_update().get(pk=locked)
        assert worker.submit(take).result() == (tenant.pk, free)


def test_a_message_of_a_former_release_that_names_a_run_is_a_call_like_any_other() -> None:
    tenant, other = a_tenant(), a_tenant()
    (run_id,) = queue(tenant)

    tasks.advance_run(tenant_id=other.pk, sync_run_id=0)

    with tenant_scope(tenant.pk):
        assert SyncRun.objects.get(pk=run_id).fence > 0
