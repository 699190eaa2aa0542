"""What every test of a page uses."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from portal.accounts.models import User


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """`signed_in(user)`: a browser in which that person has signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture(autouse=True)
def _fresh_limits(request: pytest.FixtureRequest) -> None:
    """Rate limits count in the cache: one test's attempts are not the next one's."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        cache.clear()
