"""What an admin is asked for."""

from datetime import date, timedelta

import pytest
from django.utils.timezone import localdate

from integrations.vendors.corecon import connector
from integrations.vendors.corecon.assumptions import PRODUCTION_URL, SANDBOX_URL
from integrations.vendors.corecon.sandbox_apps import demo_apps

FILLED = {
    "name": "Corecon, head office",
    "environment": "production",
    "sandbox_ends_on": "",
    "base_url": "https://acme.corecon.example/api/",
    "account_key": "{1B9D6BCD-bbfd-4b2d-9b5d-ab8dfbbd4bed}",
    "integration_key": "2b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    "secret_key": "s3cret",
    "grant": "authorization_code",
    "scopes": "read",
    "registered_state": " a#b$%c ",
    "refresh_minutes": "1440",
    "username": "",
    "password": "",
    "time_zone": "America/Chicago",
}


@pytest.fixture(autouse=True)
def _no_sandbox(settings):
    settings.SANDBOX_ADDRESSES = frozenset({("127.0.0.1", 9000)})


def fill(kept: frozenset[str] = frozenset(), **changes: str):
    return connector.form({**FILLED, **changes}, kept_secrets=kept)


def test_the_form_gives_settings_and_secrets_apart():
    form = fill()

    assert form.is_valid(), form.errors
    assert form.vendor_settings() == {
        "environment": "production",
        "sandbox_ends_on": "",
        "base_url": "https://acme.corecon.example",
        "account_key": "1B9D6BCD-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "integration_key": "2b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "grant": "authorization_code",
        "scopes": "read",
        "registered_state": " a#b$%c ",
        "refresh_minutes": 1440,
        "username": "",
        "time_zone": "America/Chicago",
    }
    assert form.entered_secrets() == {"secret_key": "s3cret"}


@pytest.mark.parametrize("account", [0, 1])
def test_the_sandbox_gives_what_the_form_would(account, corecon):
    setup, secrets = corecon.demo_setup(account)
    form = fill(**{**setup, **secrets, "base_url": "http://127.0.0.1:9000"})

    assert form.is_valid(), form.errors
    assert form.vendor_settings() == {**setup, "base_url": "http://127.0.0.1:9000"}
    assert form.entered_secrets() == secrets


@pytest.mark.parametrize(("environment", "address"), [("production", PRODUCTION_URL), ("sandbox", SANDBOX_URL)])
def test_a_blank_address_is_the_usual_one_of_the_environment(environment, address):
    form = fill(base_url="", environment=environment)

    assert form.is_valid()
    assert form.vendor_settings()["base_url"] == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "http://acme.corecon.example"),
        ("base_url", "https://user@acme.corecon.example"),
        ("account_key", "1b9d6bcd"),
        ("account_key", ""),
        ("integration_key", "{2b9d6bcd-bbfd-4b2d-9b5d}"),
        ("secret_key", ""),
        ("scopes", "add"),
        ("scopes", "read,add"),
        ("grant", "implicit"),
        ("refresh_minutes", "0"),
        ("refresh_minutes", "a day"),
        ("time_zone", "Eastern Standard Time"),
        ("environment", ""),
        ("sandbox_ends_on", "soon"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(name, value):
    form = fill(**{name: value})

    assert not form.is_valid()
    assert set(form.errors) == {name}


def test_a_password_is_asked_for_only_where_it_is_used():
    assert set(fill(grant="password").errors) == {"username", "password"}
    assert fill(grant="password", username="pat", password="pw").is_valid()
    assert fill(grant="client_credentials").is_valid()


def test_stored_secrets_may_stay_blank():
    form = fill(frozenset({"secret_key", "password"}), grant="password", username="pat", secret_key="")

    assert form.is_valid(), form.errors
    assert form.entered_secrets() == {}


def test_lifetime_and_state_may_be_unknown():
    form = fill(refresh_minutes="", registered_state="")

    assert form.is_valid()
    assert form.vendor_settings()["refresh_minutes"] is None


def test_a_sandbox_ends_after_a_month_unless_another_day_is_named():
    today = localdate()
    unnamed, named = fill(environment="sandbox"), fill(environment="sandbox", sandbox_ends_on="2027-02-14")

    assert unnamed.is_valid()
    assert named.is_valid()
    assert unnamed.vendor_settings()["sandbox_ends_on"] == (today + timedelta(days=30)).isoformat()
    assert named.vendor_settings()["sandbox_ends_on"] == "2027-02-14"


def test_production_has_no_day_on_which_it_ends():
    form = fill(sandbox_ends_on="2027-02-14")

    assert form.is_valid()
    assert form.vendor_settings()["sandbox_ends_on"] == ""
    assert connector.expiries(form.vendor_settings()) == ()


def test_the_end_of_a_sandbox_is_warned_of():
    (expiry,) = connector.expiries({"environment": "sandbox", "sandbox_ends_on": "2027-02-14"})

    assert expiry.ends_on == date(2027, 2, 14)
    assert "extension" in expiry.cure


@pytest.mark.parametrize("known", [{}, {"environment": "sandbox"}, {"environment": "sandbox", "sandbox_ends_on": ""}])
def test_a_sandbox_without_a_known_end_is_not_warned_of(known):
    assert connector.expiries(known) == ()


def test_every_field_stands_in_one_fieldset():
    named = [name for _, names in connector.form.fieldsets for name in names]

    assert sorted([*named, "name"]) == sorted(connector.form.base_fields)


def test_the_demo_apps_differ_in_every_key():
    first, second = demo_apps()

    for name in ("account_key", "integration_key", "secret_key", "state", "username", "password", "account"):
        assert getattr(first, name) != getattr(second, name)
