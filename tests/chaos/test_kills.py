"""Kill anything at any moment: what is stored in the end equals an undisturbed run, with no manual step.

`pytest tests/chaos --kills 200 --records 20000` is the long version.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import InterfaceError, OperationalError, connections

from integrations.connections.models import Connection
from integrations.records.models import Billing, Record
from integrations.sync.models import RunState, SyncRun
from integrations.sync.services import begin
from portal.tenancy.scope import tenant_scope
from tests import plugin
from tests.chaos.crew import Crew
from tests.factories import a_tenant
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import work_off

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
_PATIENCE = 120.0


@pytest.fixture
def crew(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Crew]]:
    crews: list[Crew] = []

    def hire(sandbox_urls: dict[str, str]) -> Crew:
        crews.append(Crew(sandbox_urls, tmp_path))
        return crews[-1]

    yield hire
    for each in crews:
        each.stop()


def test_kills_at_random_moments_lose_and_double_nothing(
    request: pytest.FixtureRequest, serve: Serve, connect: Connect, crew: Callable[..., Crew]
) -> None:
    kills, size = request.config.getoption("--kills"), request.config.getoption("--records")
    seed = request.config.getoption("--kill-seed") or random.randrange(1_000_000)
    dice = random.Random(seed)
    sandbox = serve("kore", sizes=(size, 10))
    calm = connect(sandbox)
    work_off(calm)
    stormy = connect(sandbox, tenant=a_tenant(), start=False)
    # The work must last as long as the killing.
    sandbox.weather.latency = timedelta(milliseconds=request.config.getoption("--page-delay"))
    workers = crew({"kore": sandbox.url})
    workers.start()
    with tenant_scope(stormy.tenant_id):
        begin(stormy, by=None)

    done = 0
    while done < kills and not is_finished(stormy):
        wait_for(lambda: is_finished(stormy) or is_being_worked_on(stormy), workers)
        threading.Event().wait(dice.uniform(0, 0.3))  # the random moment itself, not a wait for something
        workers.kill(dice)
        done += 1
        if done == kills // 3:
            wipe_the_broker()
        if done == 2 * kills // 3:
            restart_the_database()
    wait_for(lambda: is_finished(stormy), workers)

    print(f"{done} kills, seed {seed}, {size} billings")
    assert done == kills, "the work was over before the killing: raise --records"
    assert {run.state for run in runs(stormy)} == {RunState.DONE}
    assert contents(stormy) == contents(calm)
    assert typed(stormy) == typed(calm)
    assert len(typed(calm)) == size


def runs(connection: Connection) -> list[SyncRun]:
    with tenant_scope(connection.tenant_id):
        return list(SyncRun.objects.filter(connection=connection, trigger="connect"))


def is_finished(connection: Connection) -> bool:
    return survived(lambda: all(run.finished_at for run in runs(connection)))


def is_being_worked_on(connection: Connection) -> bool:
    return survived(lambda: any(run.state == RunState.RUNNING and run.lease_until for run in runs(connection)))


def survived(question: Callable[[], bool]) -> bool:
    """The answer, or False while the database is being restarted."""
    try:
        return question()
    except (OperationalError, InterfaceError):
        connections.close_all()
        return False


def wait_for(condition: Callable[[], bool], workers: Crew) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing moved for {_PATIENCE} s:\n{workers.log[-3000:]}"
        threading.Event().wait(0.02)


def wipe_the_broker() -> None:
    """Everything the broker knows is gone, the rate budgets too."""
    if plugin.servers is not None:
        plugin.servers.wipe_redis()
        return
    import redis
    from django.conf import settings

    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushall()


def restart_the_database() -> None:
    """Only where it is ours to restart."""
    if plugin.servers is not None:
        with suppress(OperationalError, InterfaceError):
            connections.close_all()
        plugin.servers.restart_postgres()


def contents(connection: Connection) -> dict[tuple[str, str], str]:
    with tenant_scope(connection.tenant_id):
        rows = Record.objects.filter(connection=connection).values_list("stream", "external_id", "payload")
        found = {(stream, external_id): payload for stream, external_id, payload in rows}
        assert len(found) == rows.count()
        return found


def typed(connection: Connection) -> dict[str, tuple[object, ...]]:
    with tenant_scope(connection.tenant_id):
        rows = Billing.objects.filter(connection=connection).values_list(
            "record__external_id", "number", "status", "amount", "balance", "due_date", "search"
        )
        return {row[0]: row[1:] for row in rows}
