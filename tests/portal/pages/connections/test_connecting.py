"""An admin connects a vendor that asks for nothing but details: kept, tried, connected."""

from collections.abc import Callable

import pytest
from django.db import connection as database

from integrations.connections.models import Connection, Credential, Token
from integrations.contract import Connector
from integrations.sandbox.kit import Fault, Sandbox
from integrations.sync.models import SyncRun
from portal.tenancy.models import Event
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Serve
from tests.portal.pages.connections.conftest import PLAIN, Person, connector_of, filled_in, secrets_of, wrong

pytestmark = pytest.mark.server


@pytest.mark.parametrize("vendor", PLAIN)
def test_good_details_connect_and_the_first_copy_begins(admin: Person, serve: Serve, vendor: str) -> None:
    sandbox = serve(vendor)

    response = admin.post(f"connections/new/{vendor}/", filled_in(sandbox), follow=True)

    connection = admin.only()
    assert connection.is_active, connection.reason
    assert connection.connected_by == admin.user
    with tenant_scope(admin.tenant.pk):
        runs = SyncRun.objects.filter(connection=connection, finished_at=None)
        assert {run.stream for run in runs} == {stream.key for stream in connection.connector.streams}
        uses_tokens = type(connection.connector).request_token is not Connector.request_token
        assert Token.objects.filter(connection=connection).count() == uses_tokens
        assert Event.objects.filter(action="connection.connected", actor=admin.user).count() == 1
    page = response.content.decode()
    assert "Connected. The first copy begins now." in page
    assert "Syncing now" in page


def test_the_sandbox_button_connects_the_next_free_account_without_showing_its_secrets(
    admin: Person, box: Sandbox
) -> None:
    for account in (0, 1):
        admin.post(f"connections/new/{box.key}/", {"sandbox": "on"}, follow=True)
        connector = connector_of(box)
        assert admin.connections()[account].account == connector.identity(box.demo_setup(account)[0])

    response = admin.post(f"connections/new/{box.key}/", {"sandbox": "on"})

    assert response.status_code == 422
    assert "Every account of the sandbox is connected already." in response.content.decode()
    for page in admin.pages:
        assert not any(secret in page for n in (0, 1) for secret in secrets_of(box, n).values())


def test_there_is_no_sandbox_button_where_there_is_no_sandbox(admin: Person) -> None:
    assert "sandbox account" not in admin.text(f"connections/new/{PLAIN[0]}/")
    assert admin.post(f"connections/new/{PLAIN[0]}/", {"sandbox": "on"}).status_code == 404


def test_a_wrong_secret_leaves_a_draft_that_says_why_and_keeps_what_was_typed(admin: Person, box: Sandbox) -> None:
    response = admin.post(f"connections/new/{box.key}/", filled_in(box, **wrong(box)), follow=True)

    draft = admin.only()
    page = response.content.decode()
    assert draft.is_draft
    assert draft.reason
    assert "Not connected yet" in page
    assert 'value="Head office"' in page
    assert response.redirect_chain[-1][0] == admin.url(f"connections/{draft.pk}/edit/")  # type: ignore[attr-defined]

    admin.post(f"connections/{draft.pk}/edit/", filled_in(box))

    assert admin.only().is_active


def test_blank_secrets_keep_what_is_sealed(admin: Person, box: Sandbox) -> None:
    box.weather.add(Fault(times=1000, status=503))
    admin.post(f"connections/new/{box.key}/", filled_in(box))
    draft = admin.only()
    assert draft.is_draft
    box.weather.clear()

    admin.post(f"connections/{draft.pk}/edit/", filled_in(box, **dict.fromkeys(secrets_of(box), "")))

    assert admin.only().is_active


def test_the_vendor_is_called_outside_any_transaction(
    admin: Person, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, held = type(connector_of(box)), []
    check = kind.check

    def watched(self: object, access: object) -> object:
        held.append(database.in_atomic_block)
        return check(self, access)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "check", watched)

    admin.post(f"connections/new/{box.key}/", filled_in(box))
    admin.post(f"connections/{admin.only().pk}/edit/", filled_in(box))

    assert held == [False, False]


def test_one_account_is_connected_once(admin: Person, box: Sandbox, connected: Connection) -> None:
    response = admin.post(f"connections/new/{box.key}/", filled_in(box, name="Again"))

    assert response.status_code == 422
    assert "is connected already as “Head office”" in response.content.decode()
    assert admin.only() == connected


def test_another_tenant_may_connect_the_same_account(stranger: Person, box: Sandbox, connected: Connection) -> None:
    stranger.post(f"connections/new/{box.key}/", filled_in(box))

    assert stranger.only().is_active


def test_an_edit_that_leads_to_another_account_is_refused_by_name(
    admin: Person, box: Sandbox, connected: Connection
) -> None:
    response = admin.post(f"connections/{connected.pk}/edit/", filled_in(box, 1))

    other = connector_of(box).identity(box.demo_setup(1)[0])
    assert response.status_code == 422
    assert other in response.content.decode()
    assert admin.only().account == connected.account


def test_new_values_that_fail_change_nothing_of_an_active_connection(
    admin: Person, box: Sandbox, connected: Connection
) -> None:
    with tenant_scope(admin.tenant.pk):
        before = list(Credential.objects.order_by("name").values_list("name", "sealed", "updated_at"))

    response = admin.post(f"connections/{connected.pk}/edit/", filled_in(box, name="Renamed", **wrong(box)))

    assert response.status_code == 422
    assert "Nothing was changed" in response.content.decode()
    now = admin.only()
    assert (now.name, now.state, now.settings) == (connected.name, connected.state, connected.settings)
    with tenant_scope(admin.tenant.pk):
        after = list(Credential.objects.order_by("name").values_list("name", "sealed", "updated_at"))
    assert [(n, bytes(s), u) for n, s, u in before] == [(n, bytes(s), u) for n, s, u in after]


def test_a_new_name_needs_no_word_with_the_vendor(admin: Person, box: Sandbox, connected: Connection) -> None:
    box.weather.add(Fault(times=1000, status=503))
    blank = dict.fromkeys(secrets_of(box), "")

    admin.post(f"connections/{connected.pk}/edit/", filled_in(box, name="Renamed", **blank))

    assert admin.only().name == "Renamed"


def test_a_paused_connection_stays_paused_when_its_details_prove_good(
    admin: Person, box: Sandbox, connected: Connection
) -> None:
    admin.post(f"connections/{connected.pk}/pause/")

    admin.post(f"connections/{connected.pk}/edit/", filled_in(box))

    assert admin.only().is_paused
    with tenant_scope(admin.tenant.pk):
        assert not SyncRun.objects.filter(finished_at=None).exists()


def test_a_reconnect_keeps_the_connection_and_closes_what_was_wrong(
    admin: Person, box: Sandbox, connected: Connection
) -> None:
    with tenant_scope(admin.tenant.pk):
        Connection.objects.update(state="needs_reconnect", reason="The password was changed.")
    assert "The password was changed." in admin.text(f"connections/{connected.pk}/")

    admin.post(f"connections/{connected.pk}/edit/", filled_in(box))

    assert (admin.only().pk, admin.only().is_active, admin.only().reason) == (connected.pk, True, "")


def test_an_unknown_vendor_is_not_there(admin: Person) -> None:
    assert admin.get("connections/new/nobody/").status_code == 404


def test_no_page_shows_a_secret(admin: Person, box: Sandbox, join: Callable[..., Person]) -> None:
    planted = {name: f"planted-{name}-4711" for name in secrets_of(box)}
    admin.post(f"connections/new/{box.key}/", filled_in(box, **planted), follow=True)
    draft = admin.only()
    admin.post(f"connections/{draft.pk}/edit/", filled_in(box, **planted), follow=True)
    admin.post(f"connections/{draft.pk}/edit/", filled_in(box, name="", **planted), follow=True)
    for path in ("", "edit/", "history/", "requests/", "credentials/", "disconnect/"):
        admin.text(f"connections/{draft.pk}/{path}")
    for path in ("connections/", "activity/", "activity/audit/"):
        admin.text(path)

    assert not any(secret in page for page in admin.pages for secret in planted.values())
