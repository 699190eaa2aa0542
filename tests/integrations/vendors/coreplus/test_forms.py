"""What an admin may enter, and what is made of it."""

from typing import Any

import pytest

from integrations.vendors.coreplus.assumptions import SANDBOX_URL
from integrations.vendors.coreplus.forms import CoreplusForm
from integrations.vendors.coreplus.zones import zone_of

ENTERED = {
    "name": "Brightwater",
    "environment": "production",
    "api_url": "https://api.coreplus.example/API/Core/v2/",
    "consumer_id": "app",
    "secret": " c2VjcmV0LXRoYXQ= ",
    "access_token": "practice",
    "practice": "",
    "granted_date": "2026-03-16",
    "term_months": "24",
    "zones": "",
}


@pytest.fixture(autouse=True)
def no_sandbox(settings: Any) -> None:
    settings.SANDBOX_ADDRESSES = frozenset()


def form(**changes: str) -> CoreplusForm:
    return CoreplusForm({**ENTERED, **changes})


def test_what_is_entered_becomes_settings_and_secrets() -> None:
    filled = form()

    assert filled.is_valid(), filled.errors
    assert filled.vendor_settings() == {
        "environment": "production",
        "api_url": "https://api.coreplus.example/API/Core/v2",
        "consumer_id": "app",
        "practice": "",
        "granted_date": "2026-03-16",
        "term_months": 24,
        "show_client_names": False,
        "zones": "",
    }
    assert filled.entered_secrets() == {"secret": "c2VjcmV0LXRoYXQ=", "access_token": "practice"}


def test_client_names_are_off_until_somebody_switches_them_on() -> None:
    assert CoreplusForm().fields["show_client_names"].initial is None
    filled = form(show_client_names="on")
    assert filled.is_valid()
    assert filled.cleaned_data["show_client_names"] is True


def test_the_sandbox_has_a_known_address_and_production_has_none() -> None:
    trial = form(environment="sandbox", api_url="")
    assert trial.is_valid(), trial.errors
    assert trial.cleaned_data["api_url"] == SANDBOX_URL

    assert "api_url" in form(api_url="").errors


def test_the_date_may_be_unknown() -> None:
    filled = form(granted_date="")

    assert filled.is_valid()
    assert filled.vendor_settings()["granted_date"] == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"api_url": "http://api.coreplus.example/API/Core/v2"},
        {"api_url": "https://api.coreplus.example"},
        {"api_url": "https://api.coreplus.example/API/Core/"},
        {"api_url": "https://api.coreplus.example/a b/v2"},
        {"api_url": SANDBOX_URL},
        {"environment": "sandbox", "api_url": "https://www.coreplus.com.au/API/Core/v2"},
    ],
)
def test_an_address_that_cannot_be_is_refused_at_once(changes: dict[str, str]) -> None:
    assert "api_url" in form(**changes).errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("consumer_id", "a" * 51),
        ("consumer_id", "two words"),
        ("access_token", "a" * 51),
        ("access_token", "two words"),
        ("secret", ""),
        ("term_months", "18"),
        ("zones", "Perth rooms"),
        ("zones", "Perth rooms = Perth"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_field(name: str, value: str) -> None:
    assert name in form(**{name: value}).errors


def test_stored_secrets_may_stay_blank() -> None:
    filled = CoreplusForm(
        {**ENTERED, "secret": "", "access_token": ""}, kept_secrets=frozenset({"secret", "access_token"})
    )

    assert filled.is_valid(), filled.errors
    assert filled.entered_secrets() == {}


@pytest.mark.parametrize(
    ("zone_id", "location", "zone"),
    [
        ("39D62534-501C-49CD-9DA9-6FA8D6A81F48", "Main", "Australia/Melbourne"),
        ("39d62534-501c-49cd-9da9-6fa8d6a81f48", "Main", "Australia/Melbourne"),
        ("b7c1", "Perth Rooms", "Australia/Perth"),
        ("a1", "Elsewhere", "Australia/Darwin"),
        ("b7c1", "Nowhere", ""),
    ],
)
def test_a_zone_is_known_by_its_number_or_named_by_the_admin(zone_id: str, location: str, zone: str) -> None:
    named = {"perth rooms": "Australia/Perth", "a1": "Australia/Darwin"}

    assert zone_of(zone_id, location, named) == zone
