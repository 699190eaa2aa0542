"""Client credentials, the API key, and what happens when KORE takes them no longer."""

from datetime import timedelta

import pytest

from integrations.contract import Door
from integrations.errors import ConfigurationNeeded, RateLimited, ReconnectNeeded, RetryLater, VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.kore import connector
from tests.integrations.vendor_access import VendorAccess, vendor_access

DEALS = connector.stream("deals")


def door(access: VendorAccess) -> Door:
    return Door(settings=access.settings, secrets=access.secrets, http=access.http)


@pytest.mark.parametrize("account", [0, 1])
@pytest.mark.parametrize("credentials_in", ["body", "basic"])
def test_both_ways_of_sending_the_credentials_open_the_door(kore, account, credentials_in):
    with vendor_access(connector, kore, account, credentials_in=credentials_in) as access:
        assert set("+/&%") <= set(access.secrets["client_secret"])  # what breaks a request that is not URL-encoded

        tokens = connector.request_token(door(access))

        assert tokens.expires_in == timedelta(hours=1)
        assert tokens.refresh_token == ""
        assert access.read_all(DEALS)


@pytest.mark.parametrize("credentials_in", ["body", "basic"])
@pytest.mark.parametrize("wrong", [{"client_id": "someone-else"}, {"client_secret": "guessed"}])
def test_wrong_credentials_ask_for_a_reconnect_without_a_second_try(kore, credentials_in, wrong):
    with (
        vendor_access(connector, kore, credentials_in=credentials_in, **wrong) as access,
        pytest.raises(ReconnectNeeded) as refusal,
    ):
        access.token()

    assert refusal.value.detail == "400 error: invalid_client"
    assert kore.requests == {"POST /auth/connect/token": 1}


def test_a_wrong_api_key_asks_for_a_reconnect_and_names_both_key_and_secret(kore):
    with vendor_access(connector, kore, api_key="guessed") as access, pytest.raises(ReconnectNeeded) as refusal:
        access.read_all(DEALS)

    assert "API key" in refusal.value.words
    assert "client secret" in refusal.value.words


def test_the_key_of_another_customer_opens_nothing(kore):
    other_key = kore.demo_setup(1)[1]["api_key"]

    with vendor_access(connector, kore, api_key=other_key) as access, pytest.raises(ReconnectNeeded):
        access.read_all(DEALS)


def test_an_expired_token_is_renewed_once_and_the_reading_goes_on(kore):
    with vendor_access(connector, kore) as access:
        before = access.read_all(DEALS)
        kore.clock.advance(timedelta(minutes=61))

        assert access.read_all(DEALS) == before
        assert kore.requests["POST /auth/connect/token"] == 2


def test_a_token_that_goes_in_the_middle_of_a_reading_is_renewed(kore):
    with vendor_access(connector, kore) as access:
        pages = []
        for page in connector.stream("billings").read(access, ""):
            pages.append(page)
            kore.expire_tokens()

        assert len({record.external_id for page in pages for record in page.records}) == 330


def test_revoked_access_ends_in_a_reconnect_and_works_again_once_given_back(kore):
    with vendor_access(connector, kore) as access:
        access.read_all(DEALS)
        kore.revoke()
        with pytest.raises(ReconnectNeeded):
            access.read_all(DEALS)

        kore.restore_access()

        assert access.read_all(DEALS)


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, b'{"error":"invalid_client"}', ReconnectNeeded),
        (401, b'{"error":"invalid_client"}', ReconnectNeeded),
        (401, b"", ReconnectNeeded),
        (400, b'{"error":"unauthorized_client"}', ReconnectNeeded),
        (400, b'{"error":"unsupported_grant_type"}', VendorChanged),
        (400, b'{"error":"invalid_scope"}', VendorChanged),
        (400, b"<html>no</html>", VendorChanged),
        (302, b"", ConfigurationNeeded),
        (404, b"<html>Not here</html>", ConfigurationNeeded),
        (429, b"", RateLimited),
        (500, b"", RetryLater),
        (503, b"<html>down</html>", RetryLater),
        (200, b"<html>Welcome</html>", RetryLater),
        (200, b"", RetryLater),
        (200, b'{"access_token":', RetryLater),
        (200, b'{"token_type":"Bearer"}', VendorChanged),
        (200, b"[]", VendorChanged),
    ],
)
def test_every_failure_of_the_token_endpoint_says_who_acts_next(kore, status, body, failure):
    kore.weather.add(Fault(path="/connect/token", status=status, body=body))

    with vendor_access(connector, kore) as access, pytest.raises(failure) as raised:
        access.token()

    assert type(raised.value) is failure
    assert access.secrets["client_secret"] not in raised.value.detail + raised.value.words


def test_the_scope_is_sent_and_what_the_vendor_does_not_grant_is_our_mistake(kore, monkeypatch):
    monkeypatch.setattr("integrations.vendors.kore.assumptions.SCOPE", "everything")

    with vendor_access(connector, kore) as access, pytest.raises(VendorChanged) as raised:
        access.token()

    assert raised.value.detail == "400 error: invalid_scope"


def test_the_account_is_known_by_host_and_client_id(kore):
    first, second = kore.demo_setup(0)[0], kore.demo_setup(1)[0]

    assert connector.identity(first) != connector.identity(second)
    assert connector.identity({**first, "currency": "EUR", "credentials_in": "basic"}) == connector.identity(first)
