"""The operator looks at everything but what is sealed, and changes nothing."""

import pytest
from django.apps import apps
from django.contrib import admin as site
from django.test import Client

from integrations.connections.models import Connection
from tests.factories import a_user
from tests.integrations.conftest import Serve
from tests.portal.pages.connections.conftest import PLAIN, Person, SignIn, filled_in, secrets_of

pytestmark = pytest.mark.server
LISTS = (
    "connections/connection",
    "connections/tokenrefresh",
    "connections/vendorrequest",
    "sync/streamstate",
    "sync/syncrun",
    "problems/problem",
)
SEALED = ("Credential", "Token", "AuthorizationAttempt", "VaultCanary")


@pytest.fixture
def operator(transactional_db: None, signed_in: SignIn) -> Client:
    return signed_in(a_user(is_staff=True, is_superuser=True))


def test_nothing_sealed_is_registered() -> None:
    for name in SEALED:
        assert not site.site.is_registered(apps.get_model("connections", name))


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_shown_and_cannot_be_changed(operator: Client, connected: Connection, path: str) -> None:
    assert operator.get(f"/admin/{path}/").status_code == 200
    assert operator.get(f"/admin/{path}/add/").status_code == 403


def test_a_connection_is_shown_without_its_secrets(operator: Client, admin: Person, serve: Serve) -> None:
    box = serve(PLAIN[0])
    admin.post(f"connections/new/{box.key}/", filled_in(box))

    response = operator.get(f"/admin/connections/connection/{admin.only().pk}/change/")
    page = response.content.decode()

    assert response.status_code == 200
    assert "Head office" in page
    assert 'name="_save"' not in page
    assert not any(secret in page for secret in secrets_of(box).values())


def test_a_member_finds_no_admin_site(admin: Person) -> None:
    assert admin.browser.get("/admin/connections/connection/").status_code == 302
