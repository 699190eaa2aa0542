"""Fixtures of the page tests: two tenants, their people, and vendors that exist nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations import registry
from portal.accounts.models import User
from portal.tenancy.models import Role, Tenant
from portal.tenancy.scope import tenant_scope
from portal.tenancy.services import create_tenant
from tests import sample_vendors as sample


@dataclass
class House:
    """A tenant, its owner, and a browser in which the owner is signed in."""

    tenant: Tenant
    owner: User
    client: Client

    @property
    def scope(self) -> AbstractContextManager[None]:
        return tenant_scope(self.tenant.pk)

    def url(self, path: str = "") -> str:
        return f"/t/{self.tenant.slug}/{path}"

    def get(self, path: str = "", **headers: str) -> HttpResponse:
        return self.client.get(self.url(path), headers=headers)  # type: ignore[return-value]

    def text(self, path: str = "") -> str:
        """The page's text; it must be there."""
        response = self.get(path)
        assert response.status_code == 200, response.status_code
        return response.content.decode()


@pytest.fixture(autouse=True)
def sample_vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "vendors", sample)
    registry.connectors.cache_clear()
    yield
    monkeypatch.undo()
    registry.connectors.cache_clear()


def _house(name: str, email: str) -> House:
    owner = User.objects.create_user(email, name=name)
    tenant = create_tenant(name=f"{name} Contracting", time_zone="America/Chicago", currency="USD", owner=owner)
    client = Client()
    client.force_login(owner)
    return House(tenant, owner, client)


@pytest.fixture
def house(db: None) -> House:
    return _house("Mara", "mara@example.com")


@pytest.fixture
def neighbour(db: None) -> House:
    """The second tenant: nothing of it may ever show."""
    return _house("Neighbour", "neighbour@example.com")


@pytest.fixture
def statements() -> Callable[[Callable[[], object]], list[str]]:
    """What a page asks of the database for itself: without sign-in, scopes and the frame around it."""

    def run(deed: Callable[[], object]) -> list[str]:
        with CaptureQueriesContext(database) as captured:
            deed()
        return [query["sql"] for query in captured if not any(word in query["sql"] for word in _OF_THE_FRAME)]

    return run


_OF_THE_FRAME = (
    "SAVEPOINT",
    "set_config",
    "current_user",
    "set local role",
    "SET ROLE",
    '"django_session"',
    'FROM "accounts_user"',
    'FROM "tenancy_membership"',
    'COUNT(*) AS "__count" FROM "problems_problem"',
    "usersessions",
)

__all__ = ["House", "Role", "house", "neighbour", "sample_vendors", "statements"]
