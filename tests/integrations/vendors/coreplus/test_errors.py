"""Every row of the error table, told by who acts next."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotBought,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    VendorChanged,
)
from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus import client, connector
from integrations.vendors.coreplus.client import CLIENTS, LOCATIONS, TYPES
from integrations.vendors.coreplus.failures import Resource
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

FOREVER = 1000
HTML = b"<!doctype html><html><body>Sign in</body></html>"


def result(reason: str, severity: int = 2) -> bytes:
    return json.dumps({"result": [{"severity": severity, "reason": reason}]}).encode()


def failure(access: VendorAccess, resource: Resource = LOCATIONS) -> IntegrationError:
    with pytest.raises(IntegrationError) as stop:
        client.fetch_list(access, resource)
    return stop.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, result("Not authorized for viewing location list"), NotPermitted, "permission"),
        (401, result("Not authorized for creating appointments"), NotPermitted, "permission"),
        (200, result("Not authorized for viewing location list"), NotPermitted, "permission"),
        (401, result("Invalid token"), ReconnectNeeded, "key_refused"),
        (400, result("Invalid token"), ReconnectNeeded, "key_refused"),
        (200, result("Invalid token"), ReconnectNeeded, "key_refused"),
        (500, result("Invalid token"), ReconnectNeeded, "key_refused"),
        (401, b'{"message": "Invalid token"}', ReconnectNeeded, "key_refused"),
        (401, b"", ReconnectNeeded, "key_refused"),
        (400, result("startDate is not a date"), VendorChanged, "refused"),
        (400, result("The time zone is not known"), VendorChanged, "zone"),
        (200, result("Something is wrong"), VendorChanged, "refused"),
        (200, b'{"result": [{"reason": "no severity told"}]}', VendorChanged, "refused"),
        (200, b'{"result": "of another shape"}', VendorChanged, "refused"),
        (200, b'{"unheard": "of"}', VendorChanged, "vendor_changed"),
        (200, b"[]", VendorChanged, "vendor_changed"),
        (200, b'{"locations": "none"}', VendorChanged, "vendor_changed"),
        (403, b"", NotBought, "feature_off"),
        (403, result("Forbidden"), NotBought, "feature_off"),
        (404, b"", ConfigurationNeeded, "address"),
        (404, result("Resource not found"), ConfigurationNeeded, "address"),
        (405, b"", VendorChanged, "request"),
        (406, b"", VendorChanged, "request"),
        (415, b"", VendorChanged, "request"),
        (408, b"", RetryLater, "vendor_unavailable"),
        (429, result("Too many requests"), RateLimited, "rate_limited"),
        (500, b"", RetryLater, "vendor_unavailable"),
        (502, HTML, RetryLater, "vendor_unavailable"),
        (503, b"", RetryLater, "vendor_unavailable"),
        (504, b"", RetryLater, "vendor_unavailable"),
        (403, HTML, RetryLater, "unreadable"),
        (404, HTML, RetryLater, "unreadable"),
        (200, HTML, RetryLater, "unreadable"),
        (200, b'{"locations": [{"locat', RetryLater, "unreadable"),
        (302, b"", RetryLater, "unreadable"),
    ],
)
def test_an_answer_becomes_the_right_next_step(
    coreplus: Emulator, access: VendorAccess, status: int, body: bytes, kind: type[IntegrationError], code: str
) -> None:
    coreplus.weather.add(Fault(status=status, body=body, times=FOREVER))
    error = failure(access)

    assert (type(error), error.code) == (kind, code)
    assert error.words.endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        '{ "result" => [ { "severity" => 2, "reason" => "Not authorized for viewing client list" } ] }',
        "{ “result” => [ { “severity” => 2, “reason” => “Not authorized for viewing client list” } ] }",
    ],
)
def test_an_error_is_read_as_the_guide_prints_it(coreplus: Emulator, access: VendorAccess, body: str) -> None:
    coreplus.weather.add(Fault(status=401, body=body.encode()))
    error = failure(access, CLIENTS)

    assert error.code == "permission"
    assert "VIEW_CLIENTLIST" in error.words
    assert error.detail == "HTTP 401 Not authorized for viewing client list"


def test_a_refused_list_says_what_to_do_in_coreplus(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.refuse("locations")

    assert failure(access).words == (
        "coreplus does not let us read locations. In coreplus open Developer > Applications and tick the permission to "
        "view locations, then under Settings > Add ons disable and enable the add-on. You will be asked to accept the "
        "terms again."
    )


@pytest.mark.parametrize("severity", [0, 1])
def test_a_mere_warning_is_no_failure(coreplus: Emulator, access: VendorAccess, severity: int) -> None:
    body = json.dumps({"result": [{"severity": severity, "reason": "By the way"}], "locations": []}).encode()
    coreplus.weather.add(Fault(status=200, body=body))

    assert client.fetch_list(access, LOCATIONS).rows == []


def test_one_passing_refusal_is_mended_by_signing_again(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.weather.add(Fault(status=401, body=result("Invalid token")))

    assert len(client.fetch_list(access, LOCATIONS).rows) == 3


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_keys_that_never_worked_are_compared_with_the_environment(coreplus: Emulator, environment: str) -> None:
    with vendor_access(connector, coreplus, environment=environment) as access:
        coreplus.revoke(0)
        error = failure(access)

    assert (type(error), error.code) == (ConfigurationNeeded, "environment")
    assert f"({environment})" in error.words


def test_keys_whose_term_is_over_are_told_to_be_extended(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.expire(0)
    access.settings = coreplus.demo_setup(0)[0]
    error = failure(access)

    assert (type(error), error.code) == (ReconnectNeeded, "term_over")
    assert "Extend" in error.words
    coreplus.renew(0)
    assert client.fetch_list(access, LOCATIONS).rows


def test_the_wait_after_a_limit_is_the_one_told_or_two_seconds(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.weather.add(Fault(status=429, body=result("Too many requests")))
    coreplus.weather.add(Fault(status=429, headers={"Retry-After": "9"}))
    untold, told = failure(access), failure(access)

    assert isinstance(untold, RateLimited)
    assert isinstance(told, RateLimited)
    assert (untold.retry_after, told.retry_after) == (timedelta(seconds=2), timedelta(seconds=9))


def test_a_web_page_at_a_new_address_is_a_wrong_address(coreplus: Emulator, new: VendorAccess) -> None:
    coreplus.weather.add(Fault(status=200, body=HTML))
    error = failure(new)

    assert (type(error), error.code) == (ConfigurationNeeded, "address")


@pytest.mark.parametrize("path", ["", "/API/Core", "/api/v9"])
def test_a_wrong_path_is_a_wrong_address(coreplus: Emulator, path: str) -> None:
    with vendor_access(connector, coreplus, api_url=f"{coreplus.url}{path}") as access:
        assert failure(access).code == "address"


@pytest.mark.parametrize(
    ("environment", "has_worked", "kind"),
    [("production", False, ConfigurationNeeded), ("production", True, RetryLater), ("sandbox", False, RetryLater)],
)
def test_an_address_that_leads_nowhere(
    coreplus: Emulator, environment: str, has_worked: bool, kind: type[IntegrationError]
) -> None:
    nowhere = "https://coreplus.invalid/API/Core/v2"
    with vendor_access(connector, coreplus, api_url=nowhere, environment=environment) as access:
        access.has_worked = has_worked
        assert type(failure(access)) is kind


def test_a_lost_answer_is_left_to_time(coreplus: Emulator, new: VendorAccess) -> None:
    coreplus.weather.add(Fault(lose_reply=True))

    assert type(failure(new)) is RetryLater


def test_types_that_are_not_offered_concern_only_themselves(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.has_types = False
    error = failure(access, TYPES)

    assert (type(error), error.code) == (NotPermitted, "not_offered")


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (404, result("Appointment not found")), (400, result("Appointment not found"))]
)
def test_an_appointment_that_does_not_exist_is_none(
    coreplus: Emulator, access: VendorAccess, status: int, body: bytes
) -> None:
    coreplus.weather.add(Fault(path="/Appointment/", status=status, body=body))

    assert client.fetch_appointment(access, "5b0a4537-437b-402c-a570-0256d263cf79") is None


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_an_appointment_that_cannot_be_read_now_does_not_count_as_gone(
    coreplus: Emulator, access: VendorAccess, status: int
) -> None:
    coreplus.weather.add(Fault(path="/Appointment/", status=status, times=2))
    with pytest.raises(IntegrationError):
        client.fetch_appointment(access, "5b0a4537-437b-402c-a570-0256d263cf79")


def test_the_limit_of_ten_a_second_is_counted_by_consumer(coreplus: Emulator) -> None:
    coreplus.keep_to_the_limit()
    coreplus.clock.freeze(datetime.now(UTC))
    with vendor_access(connector, coreplus, 0) as first, vendor_access(connector, coreplus, 1) as second:
        for access in (first, second):
            for _ in range(5):
                client.fetch_list(access, LOCATIONS)
        assert isinstance(failure(second), RateLimited)
        coreplus.clock.advance(timedelta(seconds=1))
        assert client.fetch_list(second, LOCATIONS).rows
    with vendor_access(connector, coreplus, 2) as other:
        assert client.fetch_list(other, LOCATIONS).rows
