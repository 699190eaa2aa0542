"""What the setup form accepts, and what it makes of it."""

from datetime import date

import pytest
from django.forms import Form
from django.template.loader import render_to_string

from integrations.vendors.kore import connector, fieldmap
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
    "key_ends_on": "",
    "field_map": "",
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
        "key_ends_on": "",
        "field_map": "",
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
        ("key_ends_on", "soon"),
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


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("base_url", "https://api.koresoftware.com/entities/billings", "https://api.koresoftware.com"),
        ("auth_url", "https://koreauth.koresoftware.com/connect/token", "https://koreauth.koresoftware.com"),
        ("base_url", "https://kore.example/eu", "https://kore.example/eu"),
    ],
)
def test_the_part_of_an_address_that_we_add_ourselves_may_be_left_on(field, given, kept):
    filled = form(**{field: given})

    assert filled.is_valid(), filled.errors
    assert filled.vendor_settings()[field] == kept


def test_the_last_day_of_the_key_is_kept_as_a_plain_date_and_warned_of():
    filled = form(key_ends_on="2026-12-31")

    assert filled.is_valid(), filled.errors
    settings = filled.vendor_settings()
    assert settings["key_ends_on"] == "2026-12-31"
    (expiry,) = connector.expiries(settings)
    assert expiry.ends_on == date(2026, 12, 31)


def test_a_key_without_a_last_day_does_not_run_out():
    assert connector.expiries({"key_ends_on": ""}) == connector.expiries({}) == ()


def test_names_of_fields_are_kept_as_they_are_written():
    filled = form(field_map="# ours\r\n billings.amount = net_total \r\nbillings.due_date = payable_by, due\r\n")

    assert filled.is_valid(), filled.errors
    kept = filled.vendor_settings()["field_map"]
    assert kept == "# ours\nbillings.amount = net_total\nbillings.due_date = payable_by, due"
    assert fieldmap.parse(kept) == {"billings": {"amount": ("net_total",), "due date": ("payable_by", "due")}}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("billings.amount", "should look like"),
        ("amount = net_total", "should look like"),
        ("invoices.amount = net_total", "“invoices” is none of billings"),
        ("billings.sum = net_total", "“sum” is none of number"),
        ("billings.amount = net total", "no name of a field"),
        ("billings.deal = a or b eq 1", "no name of a field"),
        ("billings.amount = ,", "no name of a field"),
    ],
)
def test_a_name_of_a_field_that_cannot_be_meant_is_said_in_words(line, said):
    filled = form(field_map=line)

    assert not filled.is_valid()
    assert said in filled.errors["field_map"][0]


@pytest.mark.parametrize("account", [0, 1])
def test_the_sandbox_is_set_up_as_the_form_would_have_it(kore, settings, account):
    host, port = kore.url.removeprefix("http://").split(":")
    settings.SANDBOX_ADDRESSES = frozenset({(host, int(port))})
    wanted, secrets = kore.demo_setup(account)

    filled = KoreForm({"name": "Demo", **wanted, **secrets})

    assert filled.is_valid(), filled.errors
    assert (filled.vendor_settings(), filled.entered_secrets()) == (wanted, secrets)


def test_the_letter_names_what_to_ask_for_and_what_we_know_already():
    facts = {"tenant": "Harbour City", "person": "Kim", "redirect_uri": "", "site_url": "https://switchboard.example"}

    bare = render_to_string("kore/letter.txt", {**facts, "settings": {}})
    known = render_to_string("kore/letter.txt", {**facts, "settings": {"client_id": "harbour-partner"}})

    assert bare.splitlines()[0] == "Access to the Sponsorship API for Harbour City"
    assert all(stream.key in bare for stream in connector.streams)
    assert "harbour-partner" in known
    assert "harbour-partner" not in bare
