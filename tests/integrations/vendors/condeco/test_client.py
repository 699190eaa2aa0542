"""Signing in, and what each failure of Condeco becomes: who acts next, and in what words."""

from datetime import timedelta

import pytest

from integrations.contract import Door
from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    VendorChanged,
)
from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.connector import connector
from tests.integrations.vendor_access import VendorAccess, vendor_access

PORTAL = b"<!doctype html><title>Sign up</title>"
APPLICATION_401 = b'{"Message":"Authorization has been denied for this request."}'
WRONG_KEY = b'{"statusCode":401,"message":"Access denied due to invalid Subscription Key. Provide a valid key."}'
NO_KEY = b'{"statusCode":401,"message":"Access denied due to missing subscription key."}'
GATEWAY_404 = b'{"statusCode":404,"message":"Resource not found"}'
QUOTA = b'{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in %s."}'


def read(access: VendorAccess, key: str = "room-bookings") -> int:
    return sum(len(page.records) for page in access.read_all(connector.stream(key)))


def token_calls(condeco) -> int:
    return condeco.requests.get("POST /tokenproviderapi/token", 0)


# Signing in


def test_client_id_and_password_give_a_token_of_twelve_hours(condeco):
    with vendor_access(connector, condeco) as access:
        tokens = connector.request_token(Door(settings=access.settings, secrets=access.secrets, http=access.http))

    assert tokens.expires_in == timedelta(seconds=43_199)
    assert (tokens.refresh_token, tokens.refresh_expires_in) == ("", None)


@pytest.mark.parametrize("wrong", [{"client_id": "someone-else"}, {"client_password": "old"}])
def test_a_refused_client_id_or_password_asks_for_new_ones_after_one_attempt(condeco, wrong):
    with vendor_access(connector, condeco, **wrong) as access, pytest.raises(ReconnectNeeded) as refusal:
        read(access)

    assert refusal.value.words.startswith("Condeco refused the Client ID or Password.")
    assert refusal.value.code == "credentials"
    assert token_calls(condeco) == 1


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault(status=401, body=b'{"error":"invalid_client"}'), ReconnectNeeded, "credentials"),
        (Fault(status=404, body=b""), ConfigurationNeeded, "customer_address"),
        (Fault(status=200, body=PORTAL), ConfigurationNeeded, "customer_address"),
        (Fault(status=302, headers={"Location": "/login"}), ConfigurationNeeded, "customer_address"),
        (Fault(status=503, body=PORTAL), RetryLater, "vendor_unavailable"),
        (Fault(status=429, headers={"Retry-After": "9"}), RateLimited, "rate_limited"),
        (Fault(status=415, body=b"no"), VendorChanged, "vendor_changed"),
        (Fault(status=200, body=b'{"token":"x"}'), VendorChanged, "vendor_changed"),
        (Fault(status=200, body=b'{"access_token":""}'), VendorChanged, "vendor_changed"),
        (Fault(truncate=True), RetryLater, "unreadable"),
        (Fault(lose_reply=True), RetryLater, "unreachable"),
    ],
)
def test_a_token_call_that_fails_says_who_acts_next(condeco, fault, error, code):
    fault.path = "/tokenproviderapi/token"
    condeco.weather.add(fault)

    with vendor_access(connector, condeco) as access, pytest.raises(IntegrationError) as failure:
        access.token()

    assert type(failure.value) is error
    assert failure.value.code == code


@pytest.mark.parametrize("answer", [b'{"access_token":"x"}', b'{"access_token":"x","expires_in":"soon"}'])
def test_a_token_without_a_readable_life_lives_as_long_as_the_vendor_usually_grants(condeco, answer):
    condeco.weather.add(Fault(path="/token", status=200, body=answer))
    with vendor_access(connector, condeco) as access:
        tokens = connector.request_token(Door(settings=access.settings, secrets=access.secrets, http=access.http))

    assert tokens.expires_in == timedelta(seconds=43_199)


# Session tokens


def test_an_expired_token_is_renewed_once_and_the_reading_goes_on(condeco):
    with vendor_access(connector, condeco) as access:
        access.token()
        condeco.clock.advance(timedelta(hours=12))
        assert read(access, "rooms") == 8

    assert token_calls(condeco) == 2


def test_a_token_ended_in_the_middle_is_renewed_and_nothing_is_lost(condeco):
    with vendor_access(connector, condeco) as access:
        pages = connector.stream("rooms").read(access, "")
        found = list(next(pages).records)
        condeco.expire_tokens()
        found += [record for page in pages for record in page.records]

    assert len(found) == 8


def test_a_token_refused_twice_asks_for_a_reconnect(condeco):
    condeco.weather.add(Fault(path="/countries", status=401, body=APPLICATION_401, times=2))

    with vendor_access(connector, condeco) as access, pytest.raises(ReconnectNeeded, match="no longer accepts"):
        read(access)

    assert token_calls(condeco) == 2


def test_revoked_access_asks_for_a_reconnect_and_restored_access_goes_on(condeco):
    with vendor_access(connector, condeco) as access:
        assert read(access, "locations") == 4
        condeco.revoke()
        with pytest.raises(ReconnectNeeded):
            read(access, "locations")
        condeco.restore_access()
        assert read(access, "locations") == 4


def test_the_token_of_one_customer_does_not_open_the_other(condeco):
    with vendor_access(connector, condeco, 0) as first, vendor_access(connector, condeco, 1) as second:
        second.access_token = first.token()
        read(second, "locations")

        assert second.access_token != first.access_token


# Subscription keys


def test_a_bookings_key_that_is_off_stops_only_the_bookings(condeco):
    condeco.withdraw_bookings_key()

    with vendor_access(connector, condeco) as access:
        assert read(access, "rooms") == 8
        with pytest.raises(NotPermitted) as refusal:
            read(access)

    assert refusal.value.words == (
        "The ExternalBookings key is not valid. In the Condeco integration portal open your profile and copy the key"
        " of ExternalBookings; check it is active and from the same environment."
    )
    assert refusal.value.code == "key_invalid_bookings"
    assert token_calls(condeco) == 1  # a gateway's 401 is no reason to ask for a new token


def test_the_key_of_another_collection_is_refused_like_a_wrong_one(condeco):
    other = condeco.accounts[0].customer.keys["ExternalBookings"]

    with vendor_access(connector, condeco, hierarchy_mapping_key=other) as access, pytest.raises(NotPermitted) as wrong:
        read(access, "locations")

    assert wrong.value.words.startswith("The HierarchyMapping key is not valid")


def test_the_key_of_another_customer_is_refused(condeco):
    other = condeco.accounts[1].customer.keys["HierarchyMapping"]

    with vendor_access(connector, condeco, hierarchy_mapping_key=other) as access, pytest.raises(NotPermitted):
        read(access, "locations")


def test_a_key_that_was_never_entered_is_asked_for(condeco):
    with vendor_access(connector, condeco, external_bookings_key="") as access, pytest.raises(NotPermitted) as missing:
        read(access)

    assert missing.value.words == "Enter the ExternalBookings subscription key."


# The error table


@pytest.mark.parametrize(
    ("fault", "error", "code", "words"),
    [
        (Fault(status=401, body=WRONG_KEY), NotPermitted, "key_invalid_bookings", "ExternalBookings key is not valid"),
        (Fault(status=401, body=NO_KEY), VendorChanged, "key_not_seen", "did not see"),
        (Fault(status=401, body=b"", times=20), ReconnectNeeded, "reconnect", "no longer accepts our sign-in"),
        (Fault(status=403, body=QUOTA % b"26:10:00"), RateLimited, "weekly_quota", "weekly number of calls"),
        (Fault(status=403, body=b""), NotPermitted, "forbidden_bookings", "needs the Platinum subscription"),
        (Fault(status=404, body=GATEWAY_404), VendorChanged, "vendor_changed", "no longer offers"),
        (Fault(status=404, body=b""), VendorChanged, "vendor_changed", "no longer offers"),
        (Fault(status=400, body=b'{"message":"Bad dates"}'), VendorChanged, "refused_question", "refused a question"),
        (Fault(status=400, body=b"plain"), VendorChanged, "refused_question", "refused a question"),
        (Fault(status=200, body=b'{"IsError":true,"Message":"No"}'), VendorChanged, "refused_question", "refused"),
        (Fault(status=405), VendorChanged, "refused_question", "refused a question"),
        (Fault(status=408), RetryLater, "vendor_unavailable", "not working properly"),
        (Fault(status=413), VendorChanged, "refused_question", "refused a question"),
        (Fault(status=429, headers={"Retry-After": "17"}), RateLimited, "rate_limited", "asks us to slow down"),
        (Fault(status=500, body=b"oops"), RetryLater, "vendor_unavailable", "not working properly"),
        (Fault(status=502, body=PORTAL), RetryLater, "vendor_unavailable", "not working properly"),
        (Fault(status=503), RetryLater, "vendor_unavailable", "not working properly"),
        (Fault(status=504), RetryLater, "vendor_unavailable", "not working properly"),
        (Fault(status=200, body=PORTAL), ConfigurationNeeded, "portal_address", "sign-up portal"),
        (Fault(status=404, body=PORTAL), ConfigurationNeeded, "portal_address", "sign-up portal"),
        (Fault(status=302, headers={"Location": "/"}), ConfigurationNeeded, "portal_address", "sign-up portal"),
        (Fault(status=200, body=b""), RetryLater, "unreadable", "cut off"),
        (Fault(status=204), RetryLater, "unreadable", "cut off"),
        (Fault(status=200, body=b"\xff garbage"), RetryLater, "unreadable", "cut off"),
        (Fault(truncate=True), RetryLater, "unreadable", "cut off"),
        (Fault(lose_reply=True), RetryLater, "unreachable", "could not be reached"),
        (Fault(status=200, body=b"[]"), VendorChanged, "vendor_changed", "a form we do not know"),
        (Fault(status=200, body=b'{"rooms":[]}'), VendorChanged, "vendor_changed", "a form we do not know"),
        (Fault(status=200, body=b'{"bookings":"none"}'), VendorChanged, "vendor_changed", "a form we do not know"),
    ],
)
def test_every_failure_says_who_acts_next(condeco, fault, error, code, words):
    fault.path = "/api/V1/bookings"
    condeco.weather.add(fault)

    with vendor_access(connector, condeco) as access, pytest.raises(IntegrationError) as failure:
        read(access)

    assert type(failure.value) is error
    assert failure.value.code == code
    assert words in failure.value.words


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(status=429, headers={"Retry-After": "17"}), 17),
        (Fault(status=429, body=b'{"statusCode":429,"message":"Rate limit is exceeded. Try again in 8 seconds."}'), 8),
        (Fault(status=429), 60),
        (Fault(status=403, body=QUOTA % b"26:10:05"), 26 * 3600 + 605),
        (Fault(status=403, body=QUOTA % b"3.04:00:00"), 76 * 3600),
        (Fault(status=403, body=QUOTA % b"99.00:00:00"), 7 * 86_400),
        (Fault(status=403, body=b"Quota exceeded", headers={"Retry-After": "30"}), 30),
        (Fault(status=403, body=b"Quota exceeded"), 86_400),
    ],
)
def test_a_limit_is_waited_for_until_the_time_named(condeco, fault, seconds):
    fault.path = "/countries"
    condeco.weather.add(fault)

    with vendor_access(connector, condeco) as access, pytest.raises(RateLimited) as limit:
        read(access)

    assert limit.value.retry_after == timedelta(seconds=seconds)


def test_a_wrong_subscription_name_is_told_as_such(condeco):
    with (
        vendor_access(connector, condeco, subscription_name="Nobody") as access,
        pytest.raises(ConfigurationNeeded, match="client subscription name or API address is wrong"),
    ):
        read(access)


def test_a_subscription_name_that_stops_working_in_the_middle_is_told_as_such(condeco):
    with vendor_access(connector, condeco) as access:
        pages = connector.stream("room-bookings").read(access, "")
        next(pages)
        access.settings["subscription_name"] = "Renamed"
        with pytest.raises(ConfigurationNeeded, match="client subscription name"):
            list(pages)


def test_the_address_of_the_portal_in_place_of_the_api_is_told_as_such(condeco):
    condeco.show_portal()

    with vendor_access(connector, condeco) as access, pytest.raises(ConfigurationNeeded, match="sign-up portal"):
        read(access)


def test_after_a_failure_the_reading_goes_on_from_the_last_page(condeco):
    stream, pages = connector.stream("rooms"), []
    with vendor_access(connector, condeco) as access:
        whole = access.read_all(stream)
        reading = stream.read(access, "")
        pages += [next(reading) for _ in range(8)]
        condeco.weather.add(Fault(path="/api/", status=500))
        with pytest.raises(RetryLater):
            next(reading)
        pages += access.read_all(stream, pages[-1].cursor)

    assert pages == whole


def test_no_secret_is_in_the_words_or_details_of_a_failure(condeco):
    with vendor_access(connector, condeco) as access:
        for status in (400, 401, 403, 404, 429, 500):
            condeco.weather.add(Fault(path="/token", status=status, body=b'{"error_description":"no"}'))
            with pytest.raises(IntegrationError) as failure:
                access.token()
            assert not any(secret in failure.value.words + failure.value.detail for secret in access.secrets.values())
