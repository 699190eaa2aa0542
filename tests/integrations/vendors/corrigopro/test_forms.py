"""What an admin may enter, and what is made of it."""

from typing import Any

import pytest

from integrations.vendors.corrigopro.forms import OAUTH_URL, CorrigoProForm
from integrations.vendors.corrigopro.sandbox import Emulator

ENTERED = {
    "name": "Denver",
    "environment": "production",
    "region": "am",
    "rest_url": "",
    "oauth_url": OAUTH_URL,
    "client_id": " abc ",
    "client_secret": "s3cret",
    "branch_id": "",
    "subscription_ends_on": "",
    "history_days": "90",
    "papers_days": "30",
}


@pytest.fixture(autouse=True)
def no_sandbox(settings: Any) -> None:
    settings.SANDBOX_ADDRESSES = frozenset()


def form(**changes: str) -> CorrigoProForm:
    return CorrigoProForm({**ENTERED, **changes})


@pytest.mark.parametrize("region", ["am", "apac", "emea"])
def test_a_blank_address_becomes_the_regions(region: str) -> None:
    filled = form(region=region)

    assert filled.is_valid(), filled.errors
    assert filled.vendor_settings() == {
        "environment": "production",
        "region": region,
        "rest_url": f"https://{region}-api.corrigopro.com/Direct/api",
        "oauth_url": OAUTH_URL,
        "client_id": "abc",
        "branch_id": None,
        "subscription_ends_on": None,
        "history_days": 90,
        "papers_days": 30,
    }
    assert filled.entered_secrets() == {"client_secret": "s3cret"}


def test_the_address_on_the_settings_page_is_taken_as_it_is() -> None:
    filled = form(
        rest_url="https://am-api.corrigopro.com/Direct/api/", oauth_url="https://login.example.com/OAuth/Token/"
    )

    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["rest_url"] == "https://am-api.corrigopro.com/Direct/api"
    assert filled.cleaned_data["oauth_url"] == "https://login.example.com/OAuth/Token"


def test_a_host_alone_is_completed() -> None:
    filled = form(rest_url="https://direct.example.com", oauth_url="https://login.example.com")

    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["rest_url"] == "https://direct.example.com/Direct/api"
    assert filled.cleaned_data["oauth_url"] == "https://login.example.com/OAuth/Token"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"environment": "sandbox"}, "rest_url", "sandbox's settings page"),
        ({"rest_url": "https://emea-api.corrigopro.com/Direct/api"}, "rest_url", "address of Europe"),
        ({"rest_url": "http://am-api.corrigopro.com/Direct/api"}, "rest_url", "https://"),
        ({"oauth_url": "http://oauth-pro-v2.corrigo.com/OAuth/Token"}, "oauth_url", "https://"),
        ({"oauth_url": ""}, "oauth_url", "required"),
        ({"client_id": ""}, "client_id", "required"),
        ({"client_secret": ""}, "client_secret", "required"),
        ({"region": "moon"}, "region", "valid choice"),
        ({"history_days": "0"}, "history_days", "greater"),
        ({"history_days": "5000"}, "history_days", "less"),
        ({"papers_days": "0"}, "papers_days", "greater"),
        ({"branch_id": "east"}, "branch_id", "whole number"),
        ({"subscription_ends_on": "soon"}, "subscription_ends_on", "valid date"),
        ({"rest_url": OAUTH_URL, "oauth_url": "https://am-api.corrigopro.com/Direct/api"}, "oauth_url", "each other"),
        ({"oauth_url": "https://am-api.corrigopro.com/Direct/api"}, "oauth_url", "each other"),
    ],
)
def test_a_mistake_is_told_at_its_field(changes: dict[str, str], field: str, words: str) -> None:
    filled = form(**changes)

    assert list(filled.errors) == [field]
    assert words in " ".join(map(str, filled.errors[field]))


def test_the_end_of_the_subscription_is_kept_as_text() -> None:
    filled = form(subscription_ends_on="2027-03-31", branch_id="500849")

    assert filled.is_valid(), filled.errors
    assert filled.vendor_settings()["subscription_ends_on"] == "2027-03-31"
    assert filled.vendor_settings()["branch_id"] == 500849


def test_a_stored_secret_may_stay_blank() -> None:
    filled = CorrigoProForm({**ENTERED, "client_secret": ""}, kept_secrets=frozenset({"client_secret"}))

    assert filled.is_valid(), filled.errors
    assert filled.entered_secrets() == {}


def test_the_demo_is_what_the_form_gives(settings: Any) -> None:
    sandbox = Emulator(sizes=(1, 1))
    sandbox.url = "http://127.0.0.1:9"
    settings.SANDBOX_ADDRESSES = frozenset({("127.0.0.1", 9)})
    for account in (0, 1):
        entered, secrets = sandbox.demo_setup(account)
        filled = CorrigoProForm({"name": "Demo", **entered, **secrets})

        assert filled.is_valid(), filled.errors
        assert (filled.vendor_settings(), filled.entered_secrets()) == (entered, secrets)
