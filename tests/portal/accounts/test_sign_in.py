import pytest
from django.test import Client

from tests.factories import PASSWORD, a_user

pytestmark = pytest.mark.django_db


def test_guessing_is_slowed_down_even_with_the_right_password_at_last():
    a_user("mara@example.com", password=PASSWORD)
    client = Client()
    for guess in range(5):
        client.post("/accounts/login/", {"login": "mara@example.com", "password": f"guess number {guess}"})
    answer = client.post("/accounts/login/", {"login": "mara@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.text


def test_too_many_requests_are_refused_in_plain_words():
    client = Client()
    answers = [
        client.post("/accounts/signup/", {"email": f"p{n}@example.com", "name": "P", "password1": PASSWORD})
        for n in range(25)
    ]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].text


def test_a_person_whose_account_is_closed_does_not_get_in():
    a_user("mara@example.com", password=PASSWORD, is_active=False)
    answer = Client().post("/accounts/login/", {"login": "mara@example.com", "password": PASSWORD}, follow=True)
    assert not answer.wsgi_request.user.is_authenticated


def test_signing_out_takes_a_post(signed_in):
    client = signed_in(a_user())
    client.get("/accounts/logout/")
    assert client.get("/account/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/account/").status_code == 302


def test_signing_out_leads_to_no_other_site(signed_in):
    answer = signed_in(a_user()).post("/accounts/logout/", {"next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_every_page_forbids_inline_script_frames_and_other_hosts():
    policy = Client().get("/accounts/login/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
