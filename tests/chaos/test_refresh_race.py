"""Two worker processes want the same connection's new token at the same moment, again and again.

`pytest tests/chaos/test_refresh_race.py --refreshes 500` is the long version.
"""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections.models import Connection, RefreshState, Token, TokenRefresh
from integrations.sandbox.kit import Sandbox
from portal.tenancy.scope import tenant_scope
from tests.chaos.crew import CHECKOUT, environment
from tests.integrations.connections.test_tokens import connection, corecon, token_calls

__all__ = ["connection", "corecon"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def workers(corecon: Sandbox, connection: Connection) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.chaos.refresher", str(connection.tenant_id), str(connection.pk)]
    surroundings = environment({"corecon": corecon.url}) | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    started = [
        subprocess.Popen(
            command, cwd=CHECKOUT, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    yield started
    for worker in started:
        worker.kill()
        worker.communicate()


def test_two_workers_in_competition_make_one_refresh_per_expiry_and_lose_none(
    request: pytest.FixtureRequest,
    corecon: Sandbox,
    connection: Connection,
    workers: list[subprocess.Popen[str]],
) -> None:
    rounds = request.config.getoption("--refreshes")
    before = token_calls(corecon)
    for _ in range(rounds):
        with tenant_scope(connection.tenant_id):
            Token.objects.filter(connection=connection).update(expires_at=timezone.now() - timedelta(seconds=1))
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("now\n")
            worker.stdin.flush()
        answers = {worker.stdout.readline().strip() for worker in workers if worker.stdout}
        assert len(answers) == 1
        assert answers != {""}

    with tenant_scope(connection.tenant_id):
        journal = list(TokenRefresh.objects.filter(connection=connection).values_list("state", flat=True))
        assert Token.objects.get(connection=connection).generation == rounds + 1
    assert journal == [RefreshState.STORED] * rounds
    assert token_calls(corecon) - before == rounds
