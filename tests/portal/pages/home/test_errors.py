import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from tests.factories import a_membership, a_user

pytestmark = pytest.mark.django_db


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret detail")


urlpatterns = [path("broken/", broken), path("", include("portal.urls"))]


def test_what_is_not_there_is_said_in_plain_words():
    page = Client().get("/nothing/here/")
    assert page.status_code == 404
    assert "There is nothing here" in page.text


def test_a_role_that_does_not_reach_is_told_who_can_help(signed_in):
    membership = a_membership(a_user())
    page = signed_in(membership.user).get(f"/t/{membership.tenant.slug}/settings/")
    assert page.status_code == 403
    assert "owner of the company" in page.text


def test_a_form_without_its_token_is_refused_and_explained(signed_in):
    client = Client(enforce_csrf_checks=True)
    page = client.post("/accounts/login/", {"login": "x@example.com"})
    assert page.status_code == 403
    assert "too old" in page.text


def test_a_failure_of_ours_says_nothing_of_its_inside(settings):
    settings.ROOT_URLCONF = __name__
    page = Client(raise_request_exception=False).get("/broken/")
    assert page.status_code == 500
    assert "Something broke on our side" in page.text
    assert "secret detail" not in page.text


def test_a_request_for_another_host_is_refused(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400
