import pytest
from django.test import Client

from portal.tenancy.models import Event
from portal.tenancy.scope import tenant_scope
from tests.factories import PASSWORD, a_tenant, a_user

pytestmark = pytest.mark.django_db


def test_operators_sign_in_where_everyone_does():
    assert Client().get("/admin/login/?next=/admin/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert Client().get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    answer = Client().post("/admin/login/", {"username": "root@example.com", "password": PASSWORD})
    assert answer["Location"].startswith("/accounts/login/")


def test_the_way_to_the_admin_site_leads_nowhere_else():
    a_user("root@example.com", password=PASSWORD, is_staff=True, is_superuser=True)
    client = Client()
    assert client.get("/admin/login/?next=https://evil.example/")["Location"].startswith("/accounts/login/")
    signed_in = client.post(
        "/accounts/login/",
        {"login": "root@example.com", "password": PASSWORD, "next": "/admin/login/?next=https://evil.example/"},
        follow=True,
    )
    assert [address.split("?")[0] for address, _ in signed_in.redirect_chain][-1] == "/admin/"
    assert all(address.startswith("/") for address, _ in signed_in.redirect_chain)


def test_people_who_are_not_operators_are_refused(signed_in):
    assert signed_in(a_user()).get("/admin/", follow=True).status_code == 403


def test_operators_see_every_tenant_and_cannot_rewrite_the_audit_trail(signed_in):
    tenant, other = a_tenant("Tower Contracting"), a_tenant("Meridian Retail")
    operator = signed_in(a_user(is_staff=True, is_superuser=True))
    page = operator.get("/admin/tenancy/tenant/").text
    assert tenant.name in page
    assert other.name in page
    with tenant_scope(tenant.pk):
        event = Event.objects.get()
    assert operator.get(f"/admin/tenancy/event/{event.pk}/change/").status_code == 200
    assert operator.post(f"/admin/tenancy/event/{event.pk}/change/", {"action": "x"}).status_code == 403
    assert operator.post(f"/admin/tenancy/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "model", ["tenancy/tenant", "tenancy/membership", "tenancy/invitation", "tenancy/event", "accounts/user"]
)
def test_every_list_opens_and_is_searched(signed_in, model):
    a_tenant()
    operator = signed_in(a_user(is_staff=True, is_superuser=True))
    assert operator.get(f"/admin/{model}/?q=tower").status_code == 200
