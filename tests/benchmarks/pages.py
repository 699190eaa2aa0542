"""How long the pages of a large tenant take, beside a bare page of 50 rows measured right before each."""

import argparse
import gc
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts.models import User
from portal.tenancy.scope import tenant_scope
from tests.benchmarks.pages_asked import BARE, FLOOR, Asked, everything
from tests.benchmarks.pages_data import OWNER, load
from tests.benchmarks.pages_export import measure_export
from tests.benchmarks.pages_writes import database_seconds, measure_writes

_SLOW = 0.5  # seconds: asked for twice, not in every round


@dataclass(frozen=True, slots=True)
class Taken:
    """One request: seconds by the clock, and those the processor spent in Python and in the database's process; and
    how many times as much processor as the bare page right before it."""

    clock: float
    python: float
    database: float
    times_bare: float = 1.0

    @property
    def busy(self) -> float:
        return self.python + self.database


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks pages")
    parser.add_argument("--rows", type=int, default=1_000_000, help="work orders, and as many billings")
    parser.add_argument("--fresh", action="store_true", help="load the rows anew")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="pages with these words in their name")
    parser.add_argument("--export", action="store_true", help="measure an export of 100,000 rows too")
    parser.add_argument("--writes", action="store_true", help="measure what each index costs a sync")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    tenant = load(options.rows, fresh=options.fresh)
    settings.ROOT_URLCONF = "tests.benchmarks.pages_bare"
    client = Client()
    client.force_login(User.objects.get(email=OWNER))
    with tenant_scope(tenant.pk):
        asked = everything(tenant)
    asked = [
        one for one in asked if not one.times or options.only in one.name or one.name in _bases(asked, options.only)
    ]
    _print(asked, *_measure(client, asked, options.rounds))
    if options.export:
        measure_export(tenant.slug)
    if options.writes:
        measure_writes(tenant)


def _bases(asked: Sequence[Asked], words: str) -> set[str]:
    return {one.of for one in asked if words in one.name}


def _measure(client: Client, asked: Sequence[Asked], rounds: int) -> tuple[dict[str, Taken], dict[str, int]]:
    """Medians and the number of statements by page; one round asks for every page once, and for the bare one before
    each: the pace of a shared machine changes between one page and the next."""
    bare = next(one for one in asked if one.name == BARE)
    taken: dict[str, list[Taken]] = {one.name: [] for one in asked}
    statements: dict[str, int] = {}
    for one in asked:
        with CaptureQueriesContext(database) as captured:
            _get(client, one)
        statements[one.name] = len([query for query in captured if not _is_of_the_scope(query["sql"])])
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for one in asked:
            found = taken[one.name]
            if len(found) < 2 or found[0].busy < _SLOW:
                before = _get(client, bare)
                after = _get(client, one)
                found.append(replace(after, times_bare=after.busy / before.busy))
    return {name: _median(found) for name, found in taken.items()}, statements


def _median(found: Sequence[Taken]) -> Taken:
    def middle(of: Callable[[Taken], float]) -> float:
        return statistics.median(of(one) for one in found)

    return Taken(
        clock=middle(lambda one: one.clock),
        python=middle(lambda one: one.python),
        database=middle(lambda one: one.database),
        times_bare=middle(lambda one: one.times_bare),
    )


def _get(client: Client, one: Asked) -> Taken:
    clock, python, in_database = time.perf_counter(), time.process_time(), database_seconds()
    response = client.get(one.path)
    taken = Taken(time.perf_counter() - clock, time.process_time() - python, database_seconds() - in_database)
    if response.status_code != 200:
        raise SystemExit(f"{one.name}: {response.status_code} at {one.path}")
    return taken


def _is_of_the_scope(statement: str) -> bool:
    """Begins, ends or aims a transaction, and reads nothing."""
    words = ("SAVEPOINT", "BEGIN", "COMMIT", "set_config", "current_user", "set local role", "SET ROLE")
    return any(word.lower() in statement.lower()[:60] for word in words)


def _print(asked: Sequence[Asked], medians: dict[str, Taken], statements: dict[str, int]) -> None:
    """The ratios are of processor time: other work on the machine stretches the clock, not that."""
    width = max(len(one.name) for one in asked)
    print(f"{'page':{width}}  clock ms  busy ms = python + database  statements   x P  budget")
    for one in asked:
        found = medians[one.name]
        line = f"{one.name:{width}}  {found.clock * 1000:8.1f}  {found.busy * 1000:7.1f} {found.python * 1000:8.1f}"
        line += f" {found.database * 1000:10.1f}  {statements[one.name]:10}  {found.times_bare:4.2f}"
        if one.times:
            is_ok = found.times_bare <= one.times * (1 if one.of == BARE else medians[one.of].times_bare)
            own = statements[one.name] - statements[FLOOR]  # without sign-in
            is_ok = is_ok and (one.statements is None or own <= one.statements)
            line += f"  {one.times} x {'P' if one.of == BARE else one.of:18} {'ok' if is_ok else 'MISSED'}"
        print(line)
