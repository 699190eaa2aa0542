from datetime import timedelta

import pytest
from django.test import Client

from portal.tenancy.models import Role
from portal.tenancy.services import memberships_of
from tests.factories import a_membership, a_tenant, a_user, an_invitation

pytestmark = pytest.mark.django_db


def test_an_invitation_tells_who_invites_to_what(invited):
    tenant, path = invited("sam@example.com")
    page = Client().get(path)
    assert tenant.name in page.text
    assert "sam@example.com" in page.text
    assert "no-store" in page["Cache-Control"]


def test_an_expired_invitation_is_closed(invited, signed_in):
    _, path = invited("sam@example.com", lasts=timedelta(seconds=-1))
    sam = a_user("sam@example.com")
    assert signed_in(sam).post(path).status_code == 404
    assert memberships_of(sam) == []


def test_an_invitation_works_once(invited, signed_in):
    tenant, path = invited("sam@example.com")
    client = signed_in(a_user("sam@example.com"))
    assert client.post(path)["Location"] == f"/t/{tenant.slug}/"
    assert client.post(path).status_code == 404
    assert "no longer open" in client.get(path).text


def test_an_unknown_secret_looks_like_a_used_one(invited, signed_in):
    _, path = invited("sam@example.com")
    signed_in(a_user("sam@example.com")).post(path)
    used, unknown = Client().get(path), Client().get("/invitations/no-such-secret/")
    assert used.status_code == unknown.status_code == 404
    assert used.text == unknown.text


def test_an_invitation_to_another_address_is_not_accepted_but_explained(invited, signed_in):
    _, path = invited("sam@example.com")
    eve = a_user("eve@example.com")
    answer = signed_in(eve).post(path)
    assert "for another address" in answer.text
    assert memberships_of(eve) == []


def test_looking_at_an_invitation_does_not_accept_it(invited, signed_in):
    _, path = invited("sam@example.com")
    sam = a_user("sam@example.com")
    signed_in(sam).get(path)
    assert memberships_of(sam) == []


def test_accepting_takes_the_role_of_the_invitation_whatever_is_sent(invited, signed_in):
    tenant, path = invited("sam@example.com", role=Role.VIEWER)
    another = a_tenant("Another")
    sam = a_user("sam@example.com")
    signed_in(sam).post(path, {"role": Role.OWNER, "tenant": another.pk, "tenant_id": another.pk})
    (membership,) = memberships_of(sam)
    assert (membership.tenant, membership.role) == (tenant, Role.VIEWER)


def test_accepting_never_lowers_the_role_of_a_member(signed_in):
    sam = a_user("sam@example.com")
    tenant = a_tenant()
    a_membership(sam, tenant, Role.ADMIN)
    _, secret = an_invitation(tenant, "sam@example.com", Role.VIEWER)
    signed_in(sam).post(f"/invitations/{secret}/")
    (membership,) = memberships_of(sam)
    assert membership.role == Role.ADMIN
