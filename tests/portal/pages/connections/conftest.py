"""Fixtures of the connection pages: real vendors in their boxes on real ports, and people in browsers.

No vendor is named: the registry tells which there are, and which of them sends people to a page of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from integrations.connections.models import Connection
from integrations.contract import Connector, RedirectConnector
from integrations.registry import connectors
from integrations.sandbox.kit import Sandbox
from portal.accounts.models import User
from portal.tenancy.models import Role, Tenant
from portal.tenancy.scope import tenant_scope
from tests.factories import a_membership, a_tenant, a_user
from tests.integrations.conftest import Serve, serve

__all__ = ["serve"]

PLAIN = sorted(key for key, one in connectors().items() if not isinstance(one, RedirectConnector))
REDIRECTING = sorted(key for key, one in connectors().items() if isinstance(one, RedirectConnector))
SignIn = Callable[[User], Client]


@dataclass
class Person:
    """Somebody at work in one tenant, in a browser of their own."""

    user: User
    tenant: Tenant
    browser: Client
    pages: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"/t/{self.tenant.slug}/{path}"

    def get(self, path: str, **options: Any) -> HttpResponse:
        return self._keep(self.browser.get(self.url(path), **options))

    def post(self, path: str, data: dict[str, Any] | None = None, *, follow: bool = False) -> HttpResponse:
        return self._keep(self.browser.post(self.url(path), data or {}, follow=follow))

    def text(self, path: str) -> str:
        """The page's text; it must be there."""
        response = self.get(path)
        assert response.status_code == 200, response.status_code
        return response.content.decode()

    def _keep(self, response: Any) -> HttpResponse:
        self.pages.append(response.content.decode())
        return response  # type: ignore[no-any-return]

    def connections(self) -> list[Connection]:
        with tenant_scope(self.tenant.pk):
            return list(Connection.objects.filter(tenant=self.tenant).order_by("created_at"))

    def only(self) -> Connection:
        (connection,) = self.connections()
        return connection


@pytest.fixture
def join(transactional_db: None, signed_in: SignIn) -> Callable[..., Person]:
    """`join(tenant, Role.VIEWER)`: a person who belongs to it, signed in."""

    def make(tenant: Tenant, role: Role = Role.ADMIN) -> Person:
        user = a_user()
        a_membership(user, tenant, role)
        return Person(user, tenant, signed_in(user))

    return make


@pytest.fixture
def admin(join: Callable[..., Person]) -> Person:
    return join(a_tenant("Tower Contracting"))


@pytest.fixture
def stranger(join: Callable[..., Person]) -> Person:
    """An owner of another tenant: nothing of the first may ever show."""
    return join(a_tenant("Neighbour"), Role.OWNER)


@pytest.fixture
def box(serve: Serve) -> Sandbox:
    """A vendor that asks nobody to come to its page."""
    return serve(PLAIN[0])


@pytest.fixture
def consenting(serve: Serve) -> Sandbox:
    """A vendor with a consent page."""
    return serve(REDIRECTING[0])


def connector_of(sandbox: Sandbox) -> Connector:
    return connectors()[sandbox.key]


def filled_in(sandbox: Sandbox, account: int = 0, **changes: Any) -> dict[str, Any]:
    """The vendor's form as an admin would send it; `changes` override its values by name."""
    settings, secrets = sandbox.demo_setup(account)
    values = {"name": "Head office", **settings, **secrets, **changes}
    return {name: value for name, value in values.items() if value is not None}


def secrets_of(sandbox: Sandbox, account: int = 0) -> dict[str, str]:
    return sandbox.demo_setup(account)[1]


def wrong(sandbox: Sandbox) -> dict[str, str]:
    """Every secret as somebody else would have it."""
    return dict.fromkeys(secrets_of(sandbox), "wrong-" + "0" * 20)


@pytest.fixture
def connected(admin: Person, box: Sandbox) -> Connection:
    """An active connection, made with its form."""
    admin.post(f"connections/new/{box.key}/", filled_in(box))
    connection = admin.only()
    assert connection.is_active, connection.reason
    return connection


@pytest.fixture
def draft(admin: Person, consenting: Sandbox) -> Connection:
    """The details are kept; what is missing is the consent."""
    admin.post(f"connections/new/{consenting.key}/", filled_in(consenting))
    return admin.only()
