import pytest
from django.test import Client

from portal.tenancy.models import Role
from portal.tenancy.services import memberships_of
from tests.factories import a_membership, a_tenant, a_user, an_invitation

pytestmark = pytest.mark.django_db


def test_a_stranger_sees_what_this_is():
    page = Client().get("/")
    assert "All your vendors" in page.text


def test_a_person_with_one_tenant_is_taken_there(signed_in):
    mara = a_user()
    tenant = a_tenant(owner=mara)
    a_tenant("Another", owner=a_user())
    assert signed_in(mara).get("/")["Location"] == f"/t/{tenant.slug}/"


def test_a_person_with_several_tenants_chooses_among_their_own(signed_in):
    mara = a_user()
    a_tenant("Tower Contracting", owner=mara)
    a_membership(mara, a_tenant("Meridian Retail"), Role.VIEWER)
    a_tenant("Somebody else's")
    page = signed_in(mara).get("/").text
    assert "Tower Contracting" in page
    assert "Meridian Retail" in page
    assert "Somebody else" not in page


def test_a_person_without_a_tenant_sees_the_invitations_to_their_address_alone(signed_in):
    sam = a_user("sam@example.com")
    an_invitation(a_tenant("Tower Contracting"), "sam@example.com")
    an_invitation(a_tenant("Meridian Retail"), "other@example.com")
    page = signed_in(sam).get("/").text
    assert "Tower Contracting" in page
    assert "Meridian Retail" not in page


def test_an_invitation_to_another_address_cannot_be_accepted_by_its_number(signed_in):
    invitation, _ = an_invitation(a_tenant(), "other@example.com")
    sam = a_user("sam@example.com")
    assert signed_in(sam).post(f"/invitations/{invitation.pk}/accept/").status_code == 404
    assert memberships_of(sam) == []


def test_an_own_invitation_is_accepted_from_the_start_page(signed_in):
    tenant = a_tenant()
    invitation, _ = an_invitation(tenant, "sam@example.com")
    sam = a_user("sam@example.com")
    assert signed_in(sam).post(f"/invitations/{invitation.pk}/accept/")["Location"] == f"/t/{tenant.slug}/"


def test_a_tenant_is_founded_with_what_the_form_asks_and_nothing_else(signed_in):
    mara = a_user()
    signed_in(mara).post(
        "/new/",
        {
            "name": "Tower Contracting",
            "time_zone": "America/Chicago",
            "currency": "USD",
            "slug": "admin",
            "owner": "1",
            "id": "7",
        },
    )
    (membership,) = memberships_of(mara)
    assert (membership.tenant.slug, membership.role) == ("tower-contracting", Role.OWNER)


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Moon/Base"), ("currency", "XXX"), ("name", " ")])
def test_a_tenant_is_not_founded_with_nonsense(signed_in, field, value):
    mara = a_user()
    fields = {"name": "Tower", "time_zone": "UTC", "currency": "USD"} | {field: value}
    page = signed_in(mara).post("/new/", fields)
    assert 'aria-invalid="true"' in page.text


def test_strangers_cannot_found_a_tenant():
    assert Client().get("/new/")["Location"] == "/accounts/login/?next=/new/"


def test_a_person_changes_their_name_and_clock_and_nothing_else(signed_in):
    mara = a_user("mara@example.com")
    signed_in(mara).post(
        "/account/",
        {"name": "M. Okafor", "time_zone": "Europe/Berlin", "email": "x@example.com", "is_staff": "on", "id": "1"},
    )
    mara.refresh_from_db()
    assert (mara.name, mara.time_zone, mara.email, mara.is_staff) == (
        "M. Okafor",
        "Europe/Berlin",
        "mara@example.com",
        False,
    )
