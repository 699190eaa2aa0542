import pytest
from django.test import Client

from portal.tenancy.models import Event, Invitation, Membership, Role
from portal.tenancy.scope import ops_scope, tenant_scope
from portal.tenancy.services import memberships_of
from tests.factories import a_membership, a_tenant, a_user, an_invitation, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return a_tenant()


@pytest.fixture
def member_client(signed_in, tenant):
    """`member_client(role)`: the browser of a person with that role."""
    return lambda role: signed_in(a_membership(a_user(), tenant, role).user)


def path_of(tenant, rest=""):
    return f"/t/{tenant.slug}/people/{rest}"


def test_members_see_each_other_and_nobody_else(tenant, member_client):
    a_membership(a_user(name="Sam Field"), tenant)
    a_membership(a_user(name="Eve Elsewhere"), a_tenant("Another"))
    page = member_client(Role.VIEWER).get(path_of(tenant)).text
    assert "Sam Field" in page
    assert "Eve Elsewhere" not in page


def test_an_admin_invites(tenant, member_client, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        member_client(Role.ADMIN).post(path_of(tenant, "invite/"), {"email": "Sam@Example.com", "role": Role.MEMBER})
    assert [mail.to for mail in mailoutbox] == [["sam@example.com"]]
    with tenant_scope(tenant.pk):
        assert Event.objects.filter(action="people.invited", subject="sam@example.com").exists()


def test_a_mail_keeps_names_as_they_are_written_and_its_subject_on_one_line(
    signed_in, mailoutbox, django_capture_on_commit_callbacks
):
    owner = a_user(name="Sean O'Brien\r\nBcc: eve@example.com")
    tenant = a_tenant("Tower & Sons", owner=owner)
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(owner).post(path_of(tenant, "invite/"), {"email": "sam@example.com", "role": Role.MEMBER})
    (mail,) = mailoutbox
    assert mail.subject == "Sean O'Brien Bcc: eve@example.com invites you to Tower & Sons on Switchboard"
    assert mail.recipients() == ["sam@example.com"]
    assert "Tower & Sons" in mail.body


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_those_below_admin_manage_nobody(tenant, member_client, role):
    client = member_client(role)
    other = a_membership(a_user(), tenant, Role.VIEWER)
    invitation, _ = an_invitation(tenant)
    for deed in (
        "invite/",
        f"{other.pk}/role/",
        f"{other.pk}/remove/",
        f"invitations/{invitation.pk}/resend/",
        f"invitations/{invitation.pk}/withdraw/",
    ):
        answer = client.post(path_of(tenant, deed), {"email": "sam@example.com", "role": Role.VIEWER})
        assert answer.status_code == 403, deed
    assert client.post(f"/t/{tenant.slug}/settings/", {"name": "Mine"}).status_code == 403


def test_nobody_gives_a_role_above_their_own(tenant, member_client):
    client = member_client(Role.ADMIN)
    other = a_membership(a_user(), tenant, Role.MEMBER)
    client.post(path_of(tenant, f"{other.pk}/role/"), {"role": Role.OWNER})
    assert role_of(other) == Role.MEMBER
    answer = client.post(path_of(tenant, "invite/"), {"email": "sam@example.com", "role": Role.OWNER})
    assert answer.status_code == 422
    with tenant_scope(tenant.pk):
        assert not Invitation.objects.exists()


def test_an_admin_does_not_touch_an_owner(tenant, member_client):
    client = member_client(Role.ADMIN)
    owner = owner_of(tenant)
    client.post(path_of(tenant, f"{owner.pk}/role/"), {"role": Role.VIEWER})
    client.post(path_of(tenant, f"{owner.pk}/remove/"))
    assert role_of(owner) == Role.OWNER


def test_the_last_owner_stays(tenant, signed_in):
    owner = owner_of(tenant)
    client = signed_in(owner.user)
    for deed, fields in (("leave/", {}), (f"{owner.pk}/remove/", {}), (f"{owner.pk}/role/", {"role": Role.MEMBER})):
        page = client.post(path_of(tenant, deed), fields, follow=True).text
        assert "The last owner stays" in page, deed
    assert role_of(owner) == Role.OWNER


def test_an_owner_leaves_once_there_is_another(tenant, signed_in):
    owner = owner_of(tenant)
    a_membership(a_user(), tenant, Role.OWNER)
    assert signed_in(owner.user).post(path_of(tenant, "leave/"))["Location"] == "/"
    assert memberships_of(owner.user) == []


def test_asking_to_remove_removes_nobody(tenant, signed_in):
    other = a_membership(a_user(), tenant)
    page = signed_in(owner_of(tenant).user).get(path_of(tenant, f"{other.pk}/remove/"))
    assert other.user.email in page.text
    assert role_of(other) == Role.MEMBER


def test_who_is_removed_is_a_stranger_from_the_next_click_on(tenant, signed_in):
    other = a_membership(a_user(), tenant)
    theirs = signed_in(other.user)
    assert theirs.get(path_of(tenant)).status_code == 200
    signed_in(owner_of(tenant).user).post(path_of(tenant, f"{other.pk}/remove/"))
    assert theirs.get(path_of(tenant)).status_code == 404


def test_who_is_demoted_can_do_no_more_from_the_next_click_on(tenant, signed_in):
    other = a_membership(a_user(), tenant, Role.ADMIN)
    signed_in(owner_of(tenant).user).post(path_of(tenant, f"{other.pk}/role/"), {"role": Role.VIEWER})
    answer = signed_in(other.user).post(path_of(tenant, "invite/"), {"email": "x@example.com", "role": Role.VIEWER})
    assert answer.status_code == 403


def test_sending_again_closes_the_former_link(tenant, signed_in, mailoutbox, django_capture_on_commit_callbacks):
    invitation, secret = an_invitation(tenant, "sam@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(owner_of(tenant).user).post(path_of(tenant, f"invitations/{invitation.pk}/resend/"))
    assert Client().get(f"/invitations/{secret}/").status_code == 404
    new = mailoutbox[0].body.partition("http://localhost:8000")[2].split()[0]
    assert Client().get(new).status_code == 200


def test_a_withdrawn_invitation_is_closed(tenant, signed_in):
    invitation, secret = an_invitation(tenant, "sam@example.com")
    signed_in(owner_of(tenant).user).post(path_of(tenant, f"invitations/{invitation.pk}/withdraw/"))
    assert Client().get(f"/invitations/{secret}/").status_code == 404


def test_an_admin_neither_sends_nor_withdraws_an_owners_invitation(tenant, member_client):
    client = member_client(Role.ADMIN)
    invitation, secret = an_invitation(tenant, "sam@example.com", Role.OWNER)
    client.post(path_of(tenant, f"invitations/{invitation.pk}/resend/"))
    client.post(path_of(tenant, f"invitations/{invitation.pk}/withdraw/"))
    client.post(path_of(tenant, "invite/"), {"email": "sam@example.com", "role": Role.VIEWER})
    assert Client().get(f"/invitations/{secret}/").status_code == 200


def test_settings_change_what_the_form_asks_and_nothing_else(tenant, signed_in):
    fields = {"name": "Tower", "time_zone": "Europe/Berlin", "currency": "EUR", "slug": "stolen", "id": "99"}
    signed_in(owner_of(tenant).user).post(f"/t/{tenant.slug}/settings/", fields)
    with ops_scope():
        tenant.refresh_from_db()
    assert (tenant.name, tenant.time_zone, tenant.currency, tenant.slug) == (
        "Tower",
        "Europe/Berlin",
        "EUR",
        "tower-contracting",
    )


def test_the_rows_of_another_tenant_are_out_of_reach(tenant, signed_in):
    """An owner here, with the numbers of things there, in the address and in extra fields."""
    client = signed_in(owner_of(tenant).user)
    elsewhere = a_tenant("Another")
    member = a_membership(a_user(), elsewhere)
    invitation, _ = an_invitation(elsewhere, "sam@example.com")
    for deed in (
        f"{member.pk}/role/",
        f"{member.pk}/remove/",
        f"invitations/{invitation.pk}/resend/",
        f"invitations/{invitation.pk}/withdraw/",
    ):
        assert client.post(path_of(tenant, deed), {"role": Role.VIEWER}).status_code == 404, deed
    smuggled = {"email": "eve@example.com", "role": Role.OWNER, "tenant": elsewhere.pk, "tenant_id": elsewhere.pk}
    client.post(path_of(tenant, "invite/"), smuggled)
    with tenant_scope(elsewhere.pk):
        assert [i.email for i in Invitation.objects.all()] == ["sam@example.com"]
    assert role_of(member) == Role.MEMBER


@pytest.mark.parametrize(
    "rest",
    [
        "people/",
        "people/invite/",
        "people/leave/",
        "people/1/role/",
        "people/1/remove/",
        "people/invitations/1/resend/",
        "people/invitations/1/withdraw/",
        "settings/",
    ],
)
def test_a_stranger_gets_the_answer_of_what_never_existed(tenant, signed_in, rest):
    stranger = signed_in(owner_of(a_tenant("Another")).user)
    for answer_to in (stranger.get, stranger.post):
        here, nowhere = answer_to(f"/t/{tenant.slug}/{rest}"), answer_to(f"/t/never-existed/{rest}")
        assert here.status_code == nowhere.status_code == 404
        assert here.content == nowhere.content
    assert Client().get(f"/t/{tenant.slug}/{rest}")["Location"].startswith("/accounts/login/?next=/t/")


def role_of(membership):
    with ops_scope():
        return Membership.objects.get(pk=membership.pk).role
