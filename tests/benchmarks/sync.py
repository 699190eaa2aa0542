"""Reading billings into the database: first copy, one in a hundred changed, nothing changed; against the bare baseline.

`python -m tests.benchmarks sync [--records 100000] [--rounds 3] [--profile first|changed|idle]`
"""

import argparse
import cProfile
import os
import pstats
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks import depot, raw

ALL = {"first": 0, "changed": 1, "idle": 1}  # what is measured, and the edition of the billings it reads


@dataclass(frozen=True, slots=True)
class Cost:
    rate: float  # records a second
    cpu: float  # seconds of our own per 100,000 records
    wal: float  # MB per 100,000 records
    rows: float  # inserted, updated or deleted, per 100,000 records


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="sync")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 50], help="milliseconds")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--profile", choices=ALL)
    options = parser.parse_args(arguments)
    with depot.serving(options.records) as address:
        if options.profile:
            _profile(address, options.profile)
            return
        for latency in options.latency:
            _compare(address, options.records, latency, options.rounds)
        if options.workers:
            _side_by_side(address, options.records, options.workers)


def _compare(address: str, records: int, latency: int, rounds: int) -> None:
    found: dict[tuple[str, str], list[Cost]] = {}
    _point_at(address)
    with _workers(1) as (worker,):
        for _ in range(rounds):
            raw.prepare(_database())
            place = _connect(address, latency)
            for case, edition in ALL.items():
                for side in ("bare", "here"):
                    rows, wal = _rows(), _wal()
                    if side == "bare":
                        cpu = _cpu()
                        _, seconds = raw.load(_database(), address, edition, latency, at_once=8)
                        cpu = _cpu() - cpu
                    else:
                        worker.send((place, edition))
                        seconds, cpu, memory = worker.recv()
                    part = 100_000 / records
                    cost = Cost(records / seconds, cpu * part, (_wal() - wal) / 2**20 * part, (_rows() - rows) * part)
                    found.setdefault((case, side), []).append(cost)
    print(f"\n{records:,} billings, {latency} ms latency, one worker, median of {rounds}")
    heads = ("bare /s", "here /s", "ratio", "bare CPU", "here CPU", "WAL MB", "rows")
    print(f"{'':10}" + "".join(f"{head:>10}" for head in heads))
    for case in ALL:
        bare, here = (_median(found[case, side]) for side in ("bare", "here"))
        print(
            f"{case:10}{bare.rate:10,.0f}{here.rate:10,.0f}{here.rate / bare.rate:10.2f}"
            f"{bare.cpu:10.2f}{here.cpu:10.2f}{here.wal:10.1f}{here.rows:10,.0f}"
        )
    print(f"highest memory of the worker: {memory:.0f} MB")


def _side_by_side(address: str, records: int, workers: list[int]) -> None:
    """That many worker processes, each with a connection of its own, all at once."""
    print(f"\nfirst copies side by side, {records:,} billings each")
    alone = 0.0
    for count in workers:
        places = [_connect(address, 0) for _ in range(count)]
        with _workers(count) as crew:
            started = time.perf_counter()
            for worker, place in zip(crew, places, strict=True):
                worker.send((place, 0))
            highest = max(worker.recv()[2] for worker in crew)
            rate = count * records / (time.perf_counter() - started)
        alone = alone or rate
        print(
            f"{count} workers: {rate:9,.0f} /s in all, {rate / alone:.2f} x the first; {highest:.0f} MB at most in one"
        )


@contextmanager
def _workers(count: int) -> Iterator[list[Any]]:
    """Pipes to so many processes, which read what they are sent: a place and an edition. Each answers with seconds,
    seconds of its own processor time, and its highest memory in MB."""
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(count)]
    processes = [context.Process(target=_work, args=(theirs,)) for _, theirs in pipes]
    for process in processes:
        process.start()
    crew = [ours for ours, _ in pipes]
    for worker in crew:
        worker.recv()  # ready
    yield crew
    for worker, process in zip(crew, processes, strict=True):
        worker.send(None)
        process.join()


def _work(pipe: Any) -> None:
    import django

    django.setup()
    _use_depot()
    pipe.send("ready")
    while task := pipe.recv():
        started, cpu = time.perf_counter(), _cpu()
        _run(*task)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send((time.perf_counter() - started, _cpu() - cpu, memory))


def _profile(address: str, case: str) -> None:
    connection = _connect(address, 0)
    for one, edition in ALL.items():
        profiler = cProfile.Profile() if one == case else None
        with profiler or nullcontext():
            _run(connection, edition)
        if profiler:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(35)
            return


def _database() -> str:
    return os.environ["DATABASE_URL"]


def _use_depot() -> None:
    from integrations import registry
    from portal.celery import SWITCH_SECONDS, set_apart
    from tests.benchmarks import vendors

    sys.setswitchinterval(SWITCH_SECONDS)  # as a worker does
    set_apart()
    registry.vendors = vendors
    registry.connectors.cache_clear()


def _point_at(address: str) -> None:
    """Processes started from now on may call the depot there."""
    os.environ["SANDBOX_URLS"] = f"depot={address}"


def _connect(address: str, latency: int) -> tuple[int, uuid.UUID]:
    """A new tenant's active connection to the depot; nothing is read yet."""
    from django.conf import settings

    from integrations.connections.models import Connection
    from portal.tenancy.scope import tenant_scope
    from tests.factories import a_tenant, a_user

    _use_depot()
    parts = urlsplit(address)
    settings.SANDBOX_ADDRESSES = settings.SANDBOX_ADDRESSES | {(parts.hostname, parts.port)}
    _point_at(address)
    name = uuid.uuid4().hex
    tenant = a_tenant(name, owner=a_user(f"{name}@example.com"))
    with tenant_scope(tenant.pk):
        connection = Connection.objects.create(
            tenant=tenant,
            vendor="depot",
            name="Depot",
            account=name,
            state="active",
            settings={"url": address, "set": 0, "latency": latency, "account": name},
        )
    return tenant.pk, connection.pk


def _run(connection: tuple[int, uuid.UUID], edition: int) -> None:
    """Read the whole stream once, slice after slice."""
    from integrations.connections.models import Connection
    from integrations.sync.engine import carry_out_slice
    from integrations.sync.models import StreamState, SyncRun
    from portal.tenancy.scope import tenant_scope

    tenant_id, connection_id = connection
    with tenant_scope(tenant_id):
        one = Connection.objects.get(pk=connection_id)
        Connection.objects.filter(pk=connection_id).update(settings={**one.settings, "set": edition})
        state, _ = StreamState.objects.get_or_create(tenant_id=tenant_id, connection=one, stream="billings")
        kind = "incremental" if state.last_good_at else "backfill"
        run = SyncRun.objects.create(
            tenant_id=tenant_id, connection=one, stream_state=state, stream="billings", kind=kind
        )
    while run.finished_at is None:
        carry_out_slice(tenant_id, run.pk)
        with tenant_scope(tenant_id):
            run.refresh_from_db()
    assert run.state == "done", run.words


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def _wal() -> float:
    return _asked("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")


def _rows() -> float:
    _asked("select 1 from pg_stat_force_next_flush()")
    return _asked("select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables where schemaname = 'public'")


def _asked(question: str) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(question)
        return float(cursor.fetchone()[0])


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("rate", "cpu", "wal", "rows")))
