"""Keys are changed without a connection noticing, and a wrong keyring is noticed at start-up."""

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django import Settings

from integrations.connections import canary, vault
from integrations.connections.access import stored_secrets
from integrations.connections.models import Connection, Credential, Token
from integrations.connections.services import save_draft
from integrations.connections.tokens import store_tokens
from integrations.contract import Tokens
from integrations.errors import ReconnectNeeded
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant
from tests.integrations.connections.test_tokens import connection, corecon, journal

__all__ = ["connection", "corecon"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
UseKeys = Callable[[dict[int, bytes]], None]


@pytest.fixture
def use_keys(settings: Settings) -> Iterator[UseKeys]:
    def use(keys: dict[int, bytes]) -> None:
        settings.VAULT_KEYS = keys
        vault.keyring.cache_clear()

    yield use
    vault.keyring.cache_clear()


def a_connection_with_secrets() -> Connection:
    from datetime import timedelta

    tenant = a_tenant()
    settings = {"base_url": "https://kore.example", "client_id": str(tenant.pk)}
    with tenant_scope(tenant.pk):
        made = save_draft(
            None, vendor="kore", name="KORE", settings=settings, secrets={"client_secret": "hush"}, by=None
        )
        store_tokens(tenant.pk, made.pk, Tokens(access_token="a", refresh_token="r", expires_in=timedelta(hours=1)))
        store_tokens(tenant.pk, made.pk, Tokens(access_token="b", refresh_token="s", expires_in=timedelta(hours=1)))
    return made


def test_rotate_keys_reseals_everything_and_can_be_run_again(use_keys: UseKeys) -> None:
    use_keys({1: OLD})
    canary.prove_keyring()
    made = [a_connection_with_secrets(), a_connection_with_secrets()]

    use_keys({2: NEW, 1: OLD})
    output = StringIO()
    call_command("rotate_keys", stdout=output)
    call_command("rotate_keys", stdout=output)

    assert "2 of 2 tenants, 4 values" in output.getvalue()
    use_keys({2: NEW})
    canary.prove_keyring()
    for each in made:
        with tenant_scope(each.tenant_id):
            assert stored_secrets(each) == {"client_secret": "hush"}
            token = Token.objects.get(connection=each)
            for field, plain in (("access", "b"), ("refresh", "s"), ("former_refresh", "r")):
                name = f"token.{field.removeprefix('former_')}"
                sealed = getattr(token, field)
                assert vault.keyring().open(sealed, tenant=each.tenant_id, connection=each.pk, field=name) == plain


def test_start_up_refuses_a_keyring_that_cannot_open_what_is_stored(
    use_keys: UseKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    use_keys({1: OLD})
    canary.prove_keyring()

    use_keys({1: NEW})
    with pytest.raises(SystemExit):
        canary.prove_keyring()

    assert "VAULT_KEYS does not hold the key" in capsys.readouterr().err


def test_a_credential_copied_to_another_tenants_row_does_not_open(use_keys: UseKeys) -> None:
    use_keys({1: OLD})
    ours, theirs = a_connection_with_secrets(), a_connection_with_secrets()
    with tenant_scope(theirs.tenant_id):
        stolen = Credential.objects.get(connection=theirs).sealed
    with tenant_scope(ours.tenant_id):
        Credential.objects.filter(connection=ours).update(sealed=stolen)
        with pytest.raises(ReconnectNeeded):
            stored_secrets(ours)


def test_a_quiet_connection_is_kept_alive(connection: Connection) -> None:
    from django.utils import timezone

    from integrations.connections.tasks import keep_connection_alive

    with tenant_scope(connection.tenant_id):
        Token.objects.filter(connection=connection).update(keep_alive_at=timezone.now())

    keep_connection_alive(tenant_id=connection.tenant_id, connection_id=str(connection.pk), generation=1)
    keep_connection_alive(tenant_id=connection.tenant_id, connection_id=str(connection.pk), generation=1)

    assert len(journal(connection)) == 1
    with tenant_scope(connection.tenant_id):
        token = Token.objects.get(connection=connection)
    assert token.generation == 2
    assert token.keep_alive_at is not None
    assert token.keep_alive_at > timezone.now()
