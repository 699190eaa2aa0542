import pytest

from portal.accounts.models import User
from tests.factories import a_tenant, a_user, an_invitation


@pytest.fixture
def people():
    """`people(email)`: the person of that address."""
    return lambda email: User.objects.get(email=email)


@pytest.fixture
def a_person():
    return a_user


@pytest.fixture
def invited():
    """`invited(email)`: a tenant, and the path of an open invitation to it for that address."""

    def invite(email, **terms):
        tenant = a_tenant()
        _, secret = an_invitation(tenant, email, **terms)
        return tenant, f"/invitations/{secret}/"

    return invite
