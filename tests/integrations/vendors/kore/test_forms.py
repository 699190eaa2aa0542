"""What the setup form accepts, and what it makes of it."""

import pytest
from django.forms import Form

from integrations.vendors.kore import connector
from integrations.vendors.kore.forms import KoreForm

ENTERED = {
    "name": "Sponsors",
    "client_id": "acme-partner",
    "client_secret": "k+s/&=%",
    "api_key": "key-1",
    "currency": "gbp",
    "base_url": "https://api.koresoftware.com/",
    "auth_url": "https://koreauth.koresoftware.com",
    "credentials_in": "body",
    "api_version": "",
}


def form(kept: frozenset[str] = frozenset(), **changes: str) -> KoreForm:
    return KoreForm({**ENTERED, **changes}, kept_secrets=kept)


def test_what_is_entered_becomes_settings_and_secrets():
    filled = form()

    assert filled.is_valid(), filled.errors
    assert filled.vendor_settings() == {
        "client_id": "acme-partner",
        "currency": "GBP",
        "base_url": "https://api.koresoftware.com",
        "auth_url": "https://koreauth.koresoftware.com",
        "credentials_in": "body",
        "api_version": "",
    }
    assert filled.entered_secrets() == {"client_secret": "k+s/&=%", "api_key": "key-1"}


def test_the_form_begins_with_the_vendors_usual_addresses():
    empty: Form = connector.form()

    assert empty["base_url"].value() == "https://api.koresoftware.com"
    assert empty["auth_url"].value() == "https://koreauth.koresoftware.com"
    assert empty["credentials_in"].value() == "body"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", ""),
        ("client_secret", ""),
        ("api_key", ""),
        ("api_key", "two words"),
        ("api_key", "ключ"),
        ("api_version", "1\n2"),
        ("currency", ""),
        ("currency", "£"),
        ("currency", "12A"),
        ("base_url", "http://api.koresoftware.com"),
        ("auth_url", "https://user@koreauth.koresoftware.com"),
        ("credentials_in", "url"),
    ],
)
def test_what_cannot_work_is_said_at_its_field(field, value):
    filled = form(**{field: value})

    assert not filled.is_valid()
    assert list(filled.errors) == [field]


def test_stored_secrets_may_stay_blank():
    filled = form(kept=frozenset({"client_secret", "api_key"}), client_secret="", api_key="")

    assert filled.is_valid(), filled.errors
    assert filled.entered_secrets() == {}


@pytest.mark.parametrize("account", [0, 1])
def test_the_sandbox_is_set_up_as_the_form_would_have_it(kore, settings, account):
    host, port = kore.url.removeprefix("http://").split(":")
    settings.SANDBOX_ADDRESSES = frozenset({(host, int(port))})
    wanted, secrets = kore.demo_setup(account)

    filled = KoreForm({"name": "Demo", **wanted, **secrets})

    assert filled.is_valid(), filled.errors
    assert (filled.vendor_settings(), filled.entered_secrets()) == (wanted, secrets)
