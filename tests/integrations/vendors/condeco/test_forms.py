"""What the setup form accepts, and what it makes of it."""

import pytest

from integrations.vendors.condeco.forms import CondecoForm

ENTERED = {
    "name": "Meeting rooms",
    "environment": "production",
    "customer_url": "https://acme.condecosoftware.com",
    "api_url": "",
    "subscription_name": "Acme_UK",
    "client_id": "acme-api",
    "client_password": " pass word ",
    "external_bookings_key": "a" * 32,
    "hierarchy_mapping_key": "b" * 32,
    "history_days": "60",
}


def form(**changes: str) -> CondecoForm:
    return CondecoForm({**ENTERED, **changes})


def test_what_is_entered_becomes_settings_and_secrets():
    filled = form()

    assert filled.is_valid(), filled.errors
    assert filled.vendor_settings() == {
        "environment": "production",
        "customer_url": "https://acme.condecosoftware.com",
        "api_url": "https://integrationapi.condecosoftware.com",
        "subscription_name": "Acme_UK",
        "client_id": "acme-api",
        "subscription_ends_on": "",
        "places": "",
        "history_days": 60,
        "reads_desk_bookings": False,
    }
    assert filled.entered_secrets() == {
        "client_password": " pass word ",
        "external_bookings_key": "a" * 32,
        "hierarchy_mapping_key": "b" * 32,
    }


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ("production", "https://integrationapi.condecosoftware.com"),
        ("uat", "https://integrationapi.condecosoftware.com"),
        ("developer", "https://developer-api.condecosoftware.com"),
    ],
)
def test_a_blank_api_address_becomes_the_usual_one_of_the_environment(environment, host):
    filled = form(environment=environment)

    assert filled.is_valid()
    assert filled.cleaned_data["api_url"] == host


def test_addresses_are_kept_without_the_page_that_was_open():
    filled = form(
        customer_url="https://acme.condecosoftware.com/login/start/", api_url="https://api.example.com/Acme_UK"
    )

    assert filled.is_valid()
    assert filled.cleaned_data["customer_url"] == "https://acme.condecosoftware.com"
    assert filled.cleaned_data["api_url"] == "https://api.example.com"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_url", ""),
        ("customer_url", "http://acme.condecosoftware.com"),
        ("api_url", "https://developer-portal.condecosoftware.com"),
        ("api_url", "https://integrationportal-uat.condecosoftware.com"),
        ("subscription_ends_on", "soon"),
        ("api_url", "http://integrationapi.condecosoftware.com"),
        ("subscription_name", "Acme/UK"),
        ("client_id", ""),
        ("client_password", ""),
        ("external_bookings_key", ""),
        ("hierarchy_mapping_key", ""),
        ("external_bookings_key", "two words"),
        ("visitor_key", "kéy"),
        ("history_days", "0"),
        ("history_days", "9999"),
    ],
)
def test_a_field_that_would_not_work_is_pointed_at(field, value):
    filled = form(**{field: value})

    assert not filled.is_valid()
    assert list(filled.errors) == [field]


def test_the_keys_not_used_yet_may_stay_blank_or_be_stored_for_later():
    filled = form(visitor_key="v" * 32, cost_code_key="a" * 32)

    assert filled.is_valid()
    assert {"visitor_key", "cost_code_key"} <= set(filled.entered_secrets())


def test_an_end_of_the_subscription_is_kept_as_a_plain_date():
    filled = form(subscription_ends_on="2027-03-31")

    assert filled.is_valid()
    assert filled.vendor_settings()["subscription_ends_on"] == "2027-03-31"


def test_desk_bookings_are_off_until_someone_switches_them_on():
    assert not CondecoForm().fields["reads_desk_bookings"].initial


def test_the_same_key_may_be_pasted_twice():
    assert form(hierarchy_mapping_key="a" * 32).is_valid()


def test_stored_secrets_may_stay_blank():
    blank = {"client_password": "", "external_bookings_key": "", "hierarchy_mapping_key": ""}
    filled = CondecoForm({**ENTERED, **blank}, kept_secrets=frozenset(blank))

    assert filled.is_valid(), filled.errors
    assert filled.entered_secrets() == {}


def test_every_field_explains_itself_and_no_secret_is_shown():
    shown = form().as_p()

    assert all(field.help_text for name, field in CondecoForm().fields.items())
    assert "a" * 32 not in shown
