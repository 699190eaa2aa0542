import pytest
from django.test import Client

from portal.pages.home import health

pytestmark = pytest.mark.django_db


def test_a_ready_site_names_its_parts():
    answer = Client().get("/health/ready")
    assert answer.json() == {"status": "ok", "parts": ["database", "broker", "cache"]}


def test_a_broker_that_does_not_answer_is_named(settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "failing": ["broker"]})


def test_liveness_leans_on_nothing(monkeypatch):
    monkeypatch.setattr(health, "_PARTS", {})
    assert Client().get("/health/live").json() == {"status": "ok"}


def test_health_is_not_redirected_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/health/live").status_code == 200
    assert Client().get("/health/ready").status_code == 200
