"""Small tenants beside a large first copy: how long they wait, against an idle system; and claiming what is due.

`python -m tests.benchmarks fairness [--records 500000] [--backfills 1] [--tenants 49] [--seconds 30] [--due 20000]`
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from portal.launcher.state import CHECKOUT
from tests.benchmarks import depot
from tests.benchmarks.sync import _connect, _use_depot

Place = tuple[int, uuid.UUID]  # tenant, connection
SMALL = 500  # records of a small tenant


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="fairness")
    parser.add_argument("--records", type=int, default=500_000, help="of each first copy")
    parser.add_argument("--backfills", type=int, default=1, help="first copies of the large tenant, all at once")
    parser.add_argument("--tenants", type=int, default=49, help="small ones")
    parser.add_argument("--seconds", type=float, default=30, help="over which they become due, one after the other")
    parser.add_argument("--due", type=int, default=20_000, help="streams for beat to claim; 0: leave that out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    os.environ.setdefault("SYNC_TICK_SECONDS", "5")
    _empty()
    with depot.serving(options.records, editions=1) as large, depot.serving(SMALL, editions=1) as small:
        big = [_connect(large, 0)]
        big += [_another(big[0]) for _ in range(options.backfills - 1)]
        others = [_connect(small, 0) for _ in range(options.tenants)]
        os.environ["SANDBOX_URLS"] = f"depot={large},small={small}"
        states = [_stream(place) for place in others]
        with _crew():
            print(f"{'':22} {'median s':>9} {'worst s':>9}")
            _round(others, states, 2, options.seed)  # the workers are warm now
            idle = _round(others, states, options.seconds, options.seed)
            _print("idle", idle)
            copies = [_begin(place) for place in big]
            _wait(lambda: all(_look(copy)[0] for copy in copies))
            beside = _round(others, states, options.seconds, options.seed)
            ended = [_look(copy)[1] for copy in copies]
            _print(f"beside {options.backfills} x {options.records:,}", beside)
            print(f"ratio of the medians {statistics.median(beside) / statistics.median(idle):.2f}")
            if any(ended):
                print("The first copy ended before the small tenants did: ask for more records.")
    if options.due:
        _claim(others, options.due)


def _claim(places: list[Place], count: int) -> None:
    """Two beats at once; then what it costs to find whose turn it is."""
    from django.db import connection, connections

    from integrations.sync import beat, turns
    from integrations.sync.models import StreamState
    from portal.tenancy.scope import ops_scope

    mark = uuid.uuid4().hex[:8]
    rows = [
        StreamState(tenant_id=tenant_id, connection_id=connection_id, stream=f"{mark}-{n}")
        for n in range(-(-count // len(places)))
        for tenant_id, connection_id in places
    ][:count]
    with ops_scope():
        StreamState.objects.bulk_create(rows, batch_size=1000)

    def look(_: int) -> None:
        try:
            while beat._claim():
                pass
        finally:
            connections.close_all()

    started = time.perf_counter()
    with ThreadPoolExecutor(2) as beats:
        list(beats.map(look, range(2)))
    took = time.perf_counter() - started
    found, different = _ask(
        "select count(*), count(distinct stream_state_id) from sync_syncrun where stream like %s", f"{mark}-%"
    )
    print(f"\n{len(rows):,} due streams claimed by two beats in {took:.2f} s: {found:,} runs of {different:,} streams")
    spans = []
    for _ in range(200):
        started = time.perf_counter()
        turn = turns.take_turn()
        spans.append((time.perf_counter() - started) * 1000)
        assert turn is not None
        with ops_scope(), connection.cursor() as cursor:  # its slice is over, and it goes on
            cursor.execute(
                "update sync_syncrun set woken_at = null, next_slice_at = now(), state = 'running' where id = %s",
                [turn[1]],
            )
    print(f"whose turn it is among them: median {statistics.median(spans):.1f} ms, worst {max(spans):.1f} ms")
    _empty()


def _round(places: list[Place], states: list[int], seconds: float, seed: int) -> list[float]:
    """Each becomes due once within the time; from that moment until it was up to date, in seconds."""
    moments = random.Random(seed).sample([n * seconds / len(places) for n in range(len(places))], len(places))
    for state, moment in zip(states, moments, strict=True):
        _ask(
            "update sync_streamstate set cursor = '', last_good_at = now() - interval '1 day', interval = '1 day', "
            "due_at = now() + make_interval(secs => %s) where id = %s returning id",
            moment,
            state,
        )
    (begun,) = _ask("select now()")
    _wait(lambda: _ask("select count(*) from sync_syncrun where queued_at > %s and finished_at is not null "
                       "and stream_state_id = any(%s)", begun, states)[0] == len(states))  # fmt: skip
    found = []
    for state, moment in zip(states, moments, strict=True):
        span, outcome = _ask(
            "select extract(epoch from finished_at - %s)::float, state from sync_syncrun where stream_state_id = %s "
            "order by id desc limit 1",
            begun,
            state,
        )
        assert outcome == "done", outcome
        found.append(span - moment)
    return found


def _stream(place: Place) -> int:
    from integrations.sync.models import StreamState
    from portal.tenancy.scope import tenant_scope

    with tenant_scope(place[0]):
        return StreamState.objects.create(tenant_id=place[0], connection_id=place[1], stream="billings", due_at=None).pk


def _another(place: Place) -> Place:
    """One more connection of the same tenant."""
    from integrations.connections.models import Connection
    from portal.tenancy.scope import tenant_scope

    with tenant_scope(place[0]):
        one = Connection.objects.get(pk=place[1])
        one.pk, one.account, one._state.adding = uuid.uuid4(), uuid.uuid4().hex, True
        one.settings = {**one.settings, "account": one.account}
        one.save()
    return place[0], one.pk


def _begin(place: Place) -> int:
    from integrations.connections.models import Connection
    from integrations.sync.models import StreamState
    from integrations.sync.services import start_sync
    from portal.tenancy.scope import tenant_scope

    with tenant_scope(place[0]):
        StreamState.objects.create(tenant_id=place[0], connection_id=place[1], stream="billings", due_at=None)
        return start_sync(Connection.objects.get(pk=place[1]), by=None)[0].pk


def _look(run_id: int) -> tuple[bool, bool]:
    """Whether the run has begun to read, and whether it has ended."""
    return _ask("select read > 0, finished_at is not null from sync_syncrun where id = %s", run_id)


def _empty() -> None:
    """What an earlier benchmark left is no work for this one; nor are its messages."""
    import redis
    from django.conf import settings

    _ask("with a as (update sync_syncrun set finished_at = now(), state = 'stopped' where finished_at is null), "
         "b as (update sync_streamstate set due_at = null where due_at is not null) select 1")  # fmt: skip
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()


def _ask(statement: str, *values: object) -> tuple:
    from django.db import connection

    from portal.tenancy.scope import ops_scope

    with ops_scope(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def _wait(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.1)


def _print(name: str, waits: list[float]) -> None:
    print(f"{name:22} {statistics.median(waits):9.2f} {max(waits):9.2f}")


@contextmanager
def _crew() -> Iterator[None]:
    """A worker of two processes, and beat, as in production."""
    worker = get_context("spawn").Process(target=_work)
    worker.start()
    with tempfile.TemporaryDirectory() as directory:
        command = (
            "-m",
            "celery",
            "-A",
            "portal",
            "beat",
            "-s",
            str(Path(directory) / "beat"),
            "--pidfile=",
            "-l",
            "ERROR",
        )
        beat = subprocess.Popen([sys.executable, *command], cwd=CHECKOUT, env={**os.environ, "LOG_LEVEL": "ERROR"})
        try:
            yield
        finally:
            for one in (beat, worker):
                one.terminate()
            beat.wait()
            worker.join()


def _work() -> None:
    os.environ.update(LOG_LEVEL="ERROR", PYTHONWARNINGS="ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the banner
    from portal.celery import app

    app.set_default()
    import django

    django.setup()
    _use_depot()
    app.worker_main(["worker", "--pool", "prefork", "-c", "2", "-l", "ERROR", "--without-gossip", "--without-mingle"])
