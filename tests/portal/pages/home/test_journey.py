"""From nothing to a colleague at work: sign up, prove the address, found a tenant, invite, accept."""

import re

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from portal.tenancy.models import Role
from portal.tenancy.services import memberships_of
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_founder_signs_up_founds_a_tenant_and_is_joined_by_a_colleague(mailoutbox, people):
    mara = sign_up("mara@example.com", "Mara Okafor", mailoutbox)
    assert "Set up your company" in mara.get("/").text

    made = mara.post("/new/", {"name": "Tower Contracting", "time_zone": "America/Chicago", "currency": "USD"})
    assert made["Location"] == "/t/tower-contracting/"
    assert mara.get("/")["Location"] == "/t/tower-contracting/"

    mara.post("/t/tower-contracting/people/invite/", {"email": "sam@example.com", "role": Role.MEMBER})
    invitation = mailoutbox[-1]
    assert invitation.to == ["sam@example.com"]
    assert "Mara Okafor" in invitation.subject
    path = link_in(invitation)

    page = Client().get(path)
    assert "Tower Contracting" in page.text
    assert "Mara Okafor" in page.text
    sign_up_page = re.search(r'href="(/accounts/signup/[^"]+)"', page.text)[1].replace("&amp;", "&")
    assert 'value="sam@example.com"' in Client().get(sign_up_page).text

    sam = sign_up("sam@example.com", "Sam Field", mailoutbox, next=path)
    joined = sam.post(path)
    assert joined["Location"] == "/t/tower-contracting/"
    assert [(m.tenant.name, m.role) for m in memberships_of(people("sam@example.com"))] == [
        ("Tower Contracting", Role.MEMBER)
    ]


def test_signing_up_for_an_invitation_leads_back_to_it(mailoutbox, invited):
    _, path = invited("sam@example.com")
    _, response = fill_in_sign_up("sam@example.com", "Sam", mailoutbox, next=path)
    assert response["Location"] == path


def test_signing_in_for_an_invitation_leads_back_to_it(invited, a_person):
    _, path = invited("sam@example.com")
    a_person("sam@example.com", password=PASSWORD)
    response = Client().post("/accounts/login/", {"login": "sam@example.com", "password": PASSWORD, "next": path})
    assert response["Location"] == path


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site_after_signing_in(elsewhere, a_person):
    a_person("mara@example.com", password=PASSWORD)
    response = Client().post("/accounts/login/", {"login": "mara@example.com", "password": PASSWORD, "next": elsewhere})
    assert response["Location"] == "/"


def test_a_wrong_code_does_not_prove_an_address(mailoutbox):
    client = Client()
    client.post("/accounts/signup/", {"email": "mara@example.com", "name": "Mara", "password1": PASSWORD})
    client.post("/accounts/confirm-email/", {"code": "WRONG1"})
    assert "Create an account" in client.get("/").text


def test_signing_up_twice_does_not_tell_that_the_address_is_known(mailoutbox, a_person):
    a_person("mara@example.com", password=PASSWORD)
    answers = [
        Client().post("/accounts/signup/", {"email": address, "name": "X", "password1": "an other password"})
        for address in ("mara@example.com", "nobody@example.com")
    ]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/accounts/confirm-email/")] * 2


def sign_up(email: str, name: str, mailoutbox: list[EmailMessage], next: str = "") -> Client:
    return fill_in_sign_up(email, name, mailoutbox, next)[0]


def fill_in_sign_up(email, name, mailoutbox, next=""):
    client = Client()
    answer = client.post("/accounts/signup/", {"email": email, "name": name, "password1": PASSWORD, "next": next})
    assert answer["Location"] == "/accounts/confirm-email/"
    code = re.search(r"is:\s+(\S+)", mailoutbox[-1].body)[1]
    return client, client.post("/accounts/confirm-email/", {"code": code})


def link_in(mail: EmailMessage) -> str:
    return re.search(r"http://localhost:8000(/invitations/\S+)", mail.body)[1]
