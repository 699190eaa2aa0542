"""What a broker may lose, and what another release may have put into it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings

from integrations.connections.models import Connection
from integrations.sync import beat
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.services import start_sync
from portal.celery import app
from portal.tenancy.scope import tenant_scope
from tests.chaos.crew import Crew, environment
from tests.factories import a_tenant
from tests.integrations.conftest import Connect, Serve

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
_TASK = "integrations.sync.tasks.advance_run"


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def connections(broker: redis.Redis, serve: Serve, connect: Connect) -> list[Connection]:
    """Of two tenants, each with one run under way."""
    sandbox = serve("kore", sizes=(20, 10))
    found = [connect(sandbox, tenant=a_tenant(), start=False) for _ in range(2)]
    for connection in found:
        with tenant_scope(connection.tenant_id):
            StreamState.objects.create(tenant_id=connection.tenant_id, connection=connection, stream="deals")
            start_sync(connection, by=None)
    return found


def run_of(connection: Connection) -> SyncRun:
    with tenant_scope(connection.tenant_id):
        return SyncRun.objects.get(connection=connection)


def test_the_next_tick_finds_everything_that_an_emptied_broker_lost(
    broker: redis.Redis, connections: list[Connection]
) -> None:
    broker.flushall()
    assert beat.tick() == len(connections)
    assert waiting(broker) == len(connections)


def test_what_waits_at_the_broker_is_not_called_again(broker: redis.Redis, connections: list[Connection]) -> None:
    assert beat.tick() == 0


def test_a_worker_outlasts_the_messages_of_another_release(
    broker: redis.Redis, connections: list[Connection], tmp_path: Path
) -> None:
    broker.flushall()
    app.send_task("integrations.sync.tasks.of_an_older_release", kwargs={"run": 1})
    app.send_task(_TASK, args=[1, 2, 3])
    for run in map(run_of, connections):
        facts = {"tenant_id": run.tenant_id, "sync_run_id": run.pk, "said_by_a_newer_release": 7}
        app.send_task(_TASK, kwargs=facts)
    crew = Crew(environment(settings.SANDBOX_URLS), tmp_path, workers=1)
    (worker,) = crew.workers
    worker.start()
    try:
        wait_for(lambda: all(run_of(connection).finished_at for connection in connections), crew)
        wait_for(lambda: not waiting(broker) and not broker.hlen("unacked"), crew)
        assert not worker.has_ended
    finally:
        crew.stop()

    assert {run_of(connection).state for connection in connections} == {RunState.DONE}
    assert "of_an_older_release" in crew.log


def waiting(broker: redis.Redis) -> int:
    """How many messages wait for a worker."""
    return sum(int(broker.llen(queue)) for queue in app.amqp.queues)


def wait_for(condition: Callable[[], bool], crew: Crew) -> None:
    for _ in range(2400):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError(crew.log[-3000:])
