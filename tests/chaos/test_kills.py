"""Kill, pause and restart anything at any moment: what is stored in the end equals an undisturbed sync, with no manual
step. `pytest tests/chaos/test_kills.py -s --kills 2000` is the long version.

Round after round the vendors' data change, every stream is read and some are swept, under blows; then the same is done
undisturbed for another connection to each account, and the two are compared.
"""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper

from integrations.connections.models import Connection
from integrations.records.models import Record
from integrations.sandbox.kit import Sandbox
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.services import forget_streams, start_sweep, start_sync
from portal.launcher.ports import answers
from portal.tenancy.scope import tenant_scope
from tests import plugin
from tests.chaos.crew import Crew, Member, environment, vendor_member
from tests.chaos.ledger import differences, is_caught_up, ledger, left_over
from tests.chaos.storm import Storm, planned
from tests.chaos.vendors import Journal, as_it_is
from tests.factories import a_tenant
from tests.integrations.conftest import Connect

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
_PATIENCE = 1800.0  # seconds for a round, on a machine that others use too
_LOOK = 2.0  # so often: is it done? And what waits for its next try after trouble is asked for, as a person would
_DEEDS = 8


@dataclass
class World:
    """The vendors and the site, each in processes of its own."""

    journal: Journal
    options: Mapping[str, Mapping[str, Any]]
    urls: Mapping[str, str]
    vendors: Mapping[str, Member]
    crew: Crew

    def change(self, dice: random.Random) -> None:
        """Life goes on at the vendors: started again, they are as the journal tells."""
        for vendor, member in self.vendors.items():
            self.journal.go_on(vendor, dice, _DEEDS)
            member.kill_all()
            member.start()
        self.wait_for_vendors()

    def wait_for_vendors(self) -> None:
        ports = [urlsplit(url).port or 0 for url in self.urls.values()]

        def are_up() -> bool:
            ended = [vendor for vendor, member in self.vendors.items() if member.has_ended]
            assert not ended, f"ended by themselves: {ended}; vendors.log says why"
            return all(map(answers, ports))

        wait_for(are_up, self.crew)

    def model(self, vendor: str) -> Sandbox:
        """The vendor as it must be, here in this process."""
        model = as_it_is(self.journal, vendor, **self.options[vendor])
        model.url = self.urls[vendor]
        return model


Build = Callable[[Mapping[str, Mapping[str, Any]]], World]


@pytest.fixture
def build(settings: SettingsWrapper, tmp_path: Path) -> Iterator[Build]:
    with ExitStack() as ending:

        def make(options: Mapping[str, Mapping[str, Any]]) -> World:
            journal = Journal(tmp_path / "journal")
            ports = {vendor: free_port() for vendor in options}
            urls = {vendor: f"http://127.0.0.1:{port}" for vendor, port in ports.items()}
            settings.SANDBOX_URLS = urls
            settings.SANDBOX_ADDRESSES = {("127.0.0.1", port) for port in ports.values()}
            vendors = {
                vendor: vendor_member(vendor, ports[vendor], journal, options[vendor], tmp_path) for vendor in options
            }
            crew = Crew(environment(urls), tmp_path, workers=2)
            for member in vendors.values():
                ending.callback(member.kill_all)
                member.start()
            ending.callback(crew.stop)
            world = World(journal=journal, options=options, urls=urls, vendors=vendors, crew=crew)
            world.wait_for_vendors()
            crew.start()
            return world

        yield make


def test_blows_at_random_moments_lose_double_and_hold_up_nothing(
    request: pytest.FixtureRequest, build: Build, connect: Connect
) -> None:
    blows, size = request.config.getoption("--kills"), request.config.getoption("--records")
    seed = request.config.getoption("--kill-seed") or random.randrange(1, 1_000_000)
    print(f"{blows} blows, seed {seed}", flush=True)
    began, dice = time.monotonic(), random.Random(seed)
    sizes = {"kore": [size, 10], "corrigopro": [size // 50, 10], "coreplus": [size // 25, 10, 10]}
    used = list(sizes)[: 1 + blows // 100]  # a few blows are dealt while one vendor is read
    world = build({vendor: {"sizes": sizes[vendor]} for vendor in used})
    models = [world.model(vendor) for vendor in world.options]
    calm = [connect(model, tenant=tenant, start=False) for tenant in [a_tenant()] for model in models]
    stormy = [connect(model, tenant=tenant, start=False) for tenant in [a_tenant(), a_tenant()] for model in models]
    prepare([*calm, *stormy])
    plan = planned(blows, dice, has_own_servers=plugin.servers is not None)
    storm = Storm(world.crew, world.vendors, world.urls, plugin.servers, seed)

    rounds = 0
    while plan:
        rounds += 1
        if rounds > 1:
            world.change(dice)
        swept = swept_in(calm, dice, rounds)
        forgotten = dice.choice(used) if rounds % 4 == 0 else ""

        since = begin(stormy, swept, forgotten)
        carry_out(storm, plan, stormy, since, swept)
        calm_since = begin(calm, swept, forgotten)
        carry_out(storm, [], calm, calm_since, swept)

        print(f"round {rounds}: {storm.blows} blows, {time.monotonic() - began:.0f} s", flush=True)
        found = compare(calm, calm_since, stormy, since)
        assert not found, f"seed {seed}, round {rounds}:\n" + "\n".join(found)
        for connection in stormy:
            missed = lost(connection, world.model(connection.vendor))
            assert not missed, f"seed {seed}, round {rounds}: {missed}"

    kinds = ", ".join(f"{number} {kind}" for kind, number in storm.dealt.most_common())
    records = sum(len(ledger(connection, since)["records"]) for connection in stormy)
    print(
        f"{storm.blows} blows ({kinds}), seed {seed}, {rounds} rounds, {records} records in {len(stormy)} connections, "
        f"{time.monotonic() - began:.0f} s: nothing lost, doubled or stuck"
    )


def prepare(connections_: Sequence[Connection]) -> None:
    """Every stream is known, none is due by itself."""
    for connection in connections_:
        with tenant_scope(connection.tenant_id):
            for stream in connection.connector.streams:
                StreamState.objects.create(
                    tenant_id=connection.tenant_id,
                    connection=connection,
                    stream=stream.key,
                    interval=stream.interval,
                    due_at=None,
                    sweep_due_at=timezone.now() + stream.sweep_interval if stream.sweep_interval else None,
                )


def swept_in(calm: Sequence[Connection], dice: random.Random, round_: int) -> dict[str, frozenset[str]]:
    """Which streams of each vendor are swept in this round."""
    return {
        connection.vendor: frozenset(
            stream.key
            for stream in connection.connector.streams
            if stream.sweep_interval is not None and round_ > 1 and dice.random() < 0.3
        )
        for connection in calm
    }


def begin(group: Sequence[Connection], swept: Mapping[str, frozenset[str]], forgotten: str) -> datetime:
    """Start a round's work; the moment it began."""
    since = timezone.now()
    for connection in group:
        with tenant_scope(connection.tenant_id):
            states = list(StreamState.objects.filter(connection=connection).select_related("connection"))
            if connection.vendor == forgotten:
                forget_streams(connection, [state.stream for state in states])
            for state in states:
                if state.stream in swept[connection.vendor]:
                    start_sweep(state, by=None)
                else:
                    start_sync(connection, by=None, stream=state.stream)
    return since


def carry_out(
    storm: Storm, plan: list[str], group: Sequence[Connection], since: datetime, swept: Mapping[str, frozenset[str]]
) -> None:
    """Let a round's work be done, under the blows of the plan as long as there are any. From then on nothing of theirs
    is due until they are asked again."""
    deadline, look_at = time.monotonic() + _PATIENCE, 0.0
    while True:
        if time.monotonic() >= look_at:
            if survived(lambda: all_caught_up(group, since, swept)):
                break
            survived(lambda: hurry(group))
            look_at = time.monotonic() + _LOOK
        assert time.monotonic() < deadline, f"stuck:\n{told(group)}\n{storm.crew.log[-6000:]}"
        if not plan:
            storm.calm_down()
        elif storm.strike(plan[0]):
            plan.pop(0)
        threading.Event().wait(storm.dice.uniform(0, 0.5))  # the random moment itself, not a wait for something
        storm.tend()
    storm.calm_down()
    for connection in group:
        with tenant_scope(connection.tenant_id):
            StreamState.objects.filter(connection=connection).update(due_at=None)


def all_caught_up(group: Sequence[Connection], since: datetime, swept: Mapping[str, frozenset[str]]) -> bool:
    return all(is_caught_up(connection, since, swept[connection.vendor]) for connection in group)


def hurry(group: Sequence[Connection]) -> bool:
    """What only waits for its next try goes on at once."""
    for connection in group:
        with tenant_scope(connection.tenant_id):
            waiting = SyncRun.objects.filter(connection=connection, finished_at=None, state=RunState.WAITING)
            for stream in waiting.values_list("stream", flat=True):
                start_sync(connection, by=None, stream=stream)
    return True


def compare(
    calm: Sequence[Connection], calm_since: datetime, stormy: Sequence[Connection], since: datetime
) -> list[str]:
    undisturbed = {connection.vendor: ledger(connection, calm_since) for connection in calm}
    found = []
    for connection in stormy:
        found += [f"{connection.vendor}: {line}" for line in left_over(connection)]
        kept = ledger(connection, since)
        found += [f"{connection.vendor}: {line}" for line in differences(undisturbed[connection.vendor], kept)]
    return found


def lost(connection: Connection, model: Sandbox) -> set[str]:
    """What the vendor has and we have not, or think gone."""
    missed = set()
    with tenant_scope(connection.tenant_id):
        for stream in connection.connector.streams:
            kept = Record.objects.filter(connection=connection, stream=stream.key, missing_since=None)
            gone = model.holdings(stream.key) - set(kept.values_list("external_id", flat=True))
            missed |= {f"{stream.key} {external_id}" for external_id in gone}
    return missed


def told(group: Sequence[Connection]) -> str:
    """What is still open, for the one who looks into it."""
    lines = []
    for connection in group:
        with tenant_scope(connection.tenant_id):
            names = ("stream", "kind", "state", "code", "attempts", "next_slice_at", "lease_until", "woken_at")
            for row in SyncRun.objects.filter(connection=connection, finished_at=None).values_list(*names):
                lines.append(f"{connection.vendor} {' '.join(map(str, row))}")
    return "\n".join(lines)


def survived(question: Callable[[], bool]) -> bool:
    """The answer, or False while the database is being restarted."""
    try:
        return question()
    except (DatabaseError, InterfaceError):
        connections.close_all()
        return False


def wait_for(condition: Callable[[], bool], crew: Crew) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing moved for {_PATIENCE} s:\n{crew.log[-6000:]}"
        threading.Event().wait(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
