"""Tokens under competition and loss, against the real Corecon emulator: single-use refresh tokens."""

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.connections.access import open_connection
from integrations.connections.models import Connection, RefreshState, Token, TokenRefresh
from integrations.connections.services import disconnect, mark_connected, save_draft
from integrations.connections.tasks import keep_connection_alive
from integrations.connections.tokens import store_tokens
from integrations.contract import Door, Tokens
from integrations.errors import IntegrationError, ReconnectNeeded, RetryLater
from integrations.http import Http
from integrations.registry import connectors
from integrations.sandbox.kit import Fault, Reply, Request, Sandbox
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Serve

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def corecon(serve: Serve) -> Sandbox:
    return serve("corecon", sizes=(3, 3))


@pytest.fixture
def connection(corecon: Sandbox) -> Connection:
    """Signed in as by consent: the password grant gives the same rotating refresh token without a browser."""
    connector = connectors()["corecon"]
    settings, secrets = corecon.demo_setup(0)
    settings["grant"] = "password"
    settings["username"], secrets["password"] = "ellen.keller", "Level & plumb 7"
    tenant = a_tenant()
    host, port = corecon.url.removeprefix("http://").split(":")
    door = Door(settings=settings, secrets=secrets, http=Http(allowed=frozenset({(host, int(port))})))
    tokens = connector.request_token(door)
    settings["grant"] = "authorization_code"
    with tenant_scope(tenant.pk):
        made = save_draft(None, vendor="corecon", name="Corecon", settings=settings, secrets=secrets, by=None)
        mark_connected(made, (), tokens, by=None)
    return made


def journal(connection: Connection) -> list[TokenRefresh]:
    with tenant_scope(connection.tenant_id):
        return list(TokenRefresh.objects.filter(connection=connection).order_by("pk"))


def expire(connection: Connection) -> None:
    with tenant_scope(connection.tenant_id):
        Token.objects.filter(connection=connection).update(expires_at=timezone.now() - timedelta(seconds=1))


def token_calls(corecon: Sandbox) -> int:
    return sum(count for call, count in corecon.requests.items() if call.lower().endswith("/token"))


def ask(connection: Connection) -> str:
    try:
        with open_connection(connection.tenant_id, connection.pk) as access:
            return access.token()
    finally:
        connections.close_all()


def test_many_askers_of_an_expired_token_make_one_refresh(corecon: Sandbox, connection: Connection) -> None:
    before = token_calls(corecon)
    for _ in range(5):
        expire(connection)
        gate = threading.Barrier(8)

        def at_once(gate: threading.Barrier = gate) -> str:
            gate.wait()
            return ask(connection)

        with ThreadPoolExecutor(8) as workers:
            got = {future.result() for future in [workers.submit(at_once) for _ in range(8)]}
        assert len(got) == 1

    assert token_calls(corecon) - before == 5
    assert [row.state for row in journal(connection)] == [RefreshState.STORED] * 5


def test_a_refused_token_is_renewed_once_for_all_who_saw_the_refusal(corecon: Sandbox, connection: Connection) -> None:
    before = token_calls(corecon)
    place = (connection.tenant_id, connection.pk)
    with open_connection(*place) as first, open_connection(*place) as second:
        refused = first.token()
        assert second.token() == refused
        renewed = first.renew_token(refused)
        assert second.renew_token(refused) == renewed != refused

    assert token_calls(corecon) - before == 1


def at_once(call: Callable[[], str], threads: int = 8) -> set[str]:
    """What that many threads get that call at the same moment; of failures their codes."""
    gate = threading.Barrier(threads)

    def one() -> str:
        try:
            gate.wait()
            return call()
        except IntegrationError as failure:
            return failure.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as workers:
        return {future.result() for future in [workers.submit(one) for _ in range(threads)]}


def test_the_threads_of_one_reading_make_one_refresh(corecon: Sandbox, connection: Connection) -> None:
    expire(connection)
    before = token_calls(corecon)
    with open_connection(connection.tenant_id, connection.pk) as access:
        (refused,) = at_once(access.token)
        assert token_calls(corecon) - before == 1

        (renewed,) = at_once(lambda: access.renew_token(refused))
        assert at_once(access.token) == {renewed} != {refused}

    assert token_calls(corecon) - before == 2


def test_threads_that_were_refused_together_are_told_together_that_there_is_no_renewal(
    corecon: Sandbox, connection: Connection
) -> None:
    with open_connection(connection.tenant_id, connection.pk) as access:
        refused, before = access.token(), token_calls(corecon)
        corecon.weather.add(Fault(path="token", status=503, times=100))

        assert at_once(lambda: access.renew_token(refused)) == {"vendor_unavailable"}

    assert token_calls(corecon) - before == 1
    assert [row.state for row in journal(connection)] == [RefreshState.FAILED]


def nearly_json(body: bytes) -> bytes:
    return body.replace(b":", b"=")


@pytest.mark.parametrize("fault", [{"lose_reply": True}, {"truncate": True}, {"rewrite": nearly_json}], ids=list)
def test_a_lost_answer_is_asked_for_once_more_and_then_said_honestly(
    corecon: Sandbox, connection: Connection, fault: dict[str, Any]
) -> None:
    expire(connection)
    corecon.weather.add(Fault(path="token", **fault))

    with pytest.raises(ReconnectNeeded) as refusal:
        ask(connection)

    assert refusal.value.code == "lost_reply"
    assert [row.state for row in journal(connection)] == [RefreshState.LOST, RefreshState.REFUSED]


def test_an_answer_that_was_damaged_on_its_way_is_a_lost_one(corecon: Sandbox, connection: Connection) -> None:
    expire(connection)
    answered = corecon.handle

    def damaged_once(request: Request) -> Reply:
        corecon.handle = answered  # type: ignore[method-assign]
        reply = answered(request)
        packed = {**reply.headers, "content-encoding": "gzip"}
        return Reply(status=reply.status, body=gzip.compress(reply.body)[:-9], headers=packed)

    corecon.handle = damaged_once  # type: ignore[method-assign]
    with pytest.raises(ReconnectNeeded) as refusal:
        ask(connection)

    assert refusal.value.code == "lost_reply"
    assert journal(connection)[0].error.startswith("damaged")


def test_an_answer_that_was_never_given_loses_nothing(corecon: Sandbox, connection: Connection) -> None:
    expire(connection)
    corecon.weather.add(Fault(path="token", status=503))

    with pytest.raises(RetryLater):
        ask(connection)

    assert ask(connection)


def test_the_place_of_an_asker_who_died_is_taken_over(corecon: Sandbox, connection: Connection) -> None:
    expire(connection)
    with tenant_scope(connection.tenant_id):
        TokenRefresh.objects.create(
            tenant_id=connection.tenant_id,
            connection=connection,
            generation=1,
            fingerprint="",
            lapses_at=timezone.now() - timedelta(seconds=1),
        )

    assert ask(connection)
    assert [row.state for row in journal(connection)] == [RefreshState.LOST, RefreshState.STORED]


def test_disconnecting_wins_over_a_refresh_on_its_way(corecon: Sandbox, connection: Connection) -> None:
    expire(connection)
    answered = corecon.handle

    def disconnected_meanwhile(request: Request) -> Reply:
        with tenant_scope(connection.tenant_id):
            disconnect(Connection.objects.get(pk=connection.pk), by=a_user())
        connections.close_all()
        return answered(request)

    corecon.handle = disconnected_meanwhile  # type: ignore[method-assign]
    ask(connection)

    with tenant_scope(connection.tenant_id):
        assert not Token.objects.filter(connection=connection).exists()


def test_a_refused_refresh_token_is_not_kept_alive(corecon: Sandbox, connection: Connection) -> None:
    corecon.revoke_access()  # type: ignore[attr-defined]
    with tenant_scope(connection.tenant_id):
        Connection.objects.filter(pk=connection.pk).update(state="paused")
        Token.objects.filter(connection=connection).update(keep_alive_at=timezone.now())

    for _ in range(2):
        keep_connection_alive(tenant_id=connection.tenant_id, connection_id=str(connection.pk), generation=1)
        with tenant_scope(connection.tenant_id):
            assert Token.objects.get(connection=connection).keep_alive_at is None


def test_an_old_refusal_does_not_overturn_a_new_sign_in(corecon: Sandbox, connection: Connection) -> None:
    expire(connection)
    answered = corecon.handle
    fresh = Tokens(access_token="signed in anew", expires_in=timedelta(hours=1), refresh_token="new")

    def signed_in_meanwhile(request: Request) -> Reply:
        corecon.revoke_access()  # type: ignore[attr-defined]
        with tenant_scope(connection.tenant_id):
            store_tokens(connection.tenant_id, connection.pk, fresh)
        connections.close_all()
        return answered(request)

    corecon.handle = signed_in_meanwhile  # type: ignore[method-assign]

    assert ask(connection) == "signed in anew"


def test_another_tenants_token_is_not_found(connection: Connection) -> None:
    with tenant_scope(a_tenant().pk), pytest.raises(Connection.DoesNotExist):
        Connection.objects.get(pk=connection.pk)
    with tenant_scope(a_tenant().pk):
        assert not Token.objects.exists()
