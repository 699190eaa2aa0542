"""Each usual mistake, made at the running emulator, and what the site then says."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.contract import Diagnosis, Who
from integrations.diagnosis import diagnose
from integrations.errors import IntegrationError, NotPermitted, RateLimited, RetryLater
from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.sandbox import Emulator
from tests.integrations.vendor_access import vendor_access


def diagnosis_of(
    sandbox: Emulator, stream: str = "room-bookings", *, worked: bool = False, **changes: Any
) -> Diagnosis:
    with vendor_access(connector, sandbox, **changes) as access:
        access.has_worked = worked
        with pytest.raises(IntegrationError) as failure:
            access.read_all(connector.stream(stream))
        return diagnose(connector, access, failure.value)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda box: box.show_portal(), "portal_as_api"),
        (lambda box: box.withdraw_platinum(), "platinum_missing"),
        (lambda box: box.withdraw_bookings_key(), "bookings_key_invalid"),
        (lambda box: box.withdraw_hierarchy_key(), "hierarchy_key_invalid"),
        (lambda box: (box.withdraw_hierarchy_key(), box.withdraw_bookings_key()), "no_key_valid"),
        (lambda box: box.use_up_week(), "week_used_up"),
        (lambda box: box.weather.add(Fault(path="token", status=404)), "customer_host"),
        (lambda box: box.weather.add(Fault(path="countries", status=401, body=b"{}", times=2)), "two_customers"),
        (lambda box: box.weather.add(Fault(path="/bookings", status=403, times=9)), "bookings_forbidden"),
    ],
)
def test_what_happened_at_condeco_is_told(condeco, make: Callable[[Emulator], object], key: str):
    make(condeco)

    assert diagnosis_of(condeco).key == key


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"subscription_name": "Northlight"}, "subscription_name"),
        ({"hierarchy_mapping_key": ""}, "hierarchy_key_missing"),
        ({"external_bookings_key": ""}, "bookings_key_missing"),
        ({"client_id": "grace.novak@northlight.example"}, "personal_login"),
        ({"client_password": "old"}, "wrong_credentials"),
    ],
)
def test_what_was_entered_wrongly_is_told(condeco, changes, key):
    assert diagnosis_of(condeco, **changes).key == key


@pytest.mark.parametrize(("key", "name"), [("visitor_key", "visitors_key_missing")])
def test_an_optional_key_that_is_missing_is_named(condeco, key, name):
    found = diagnosis_of(condeco, "visitors", **{key: ""})

    assert found.key == name
    assert "Visitor" in found.cause


def test_only_the_key_that_is_wrong_is_named(condeco):
    condeco.withdraw_visitor_key()

    found = diagnosis_of(condeco, "visitors")

    assert found.key == "visitors_key_invalid"
    assert "Only the Visitor key" in found.cause


@pytest.mark.parametrize("entered", ["ExternalBookings", "Visitor"])
def test_a_key_in_the_field_of_another_collection_is_recognised(condeco, entered):
    key = condeco.accounts[0].customer.keys[entered]

    assert diagnosis_of(condeco, hierarchy_mapping_key=key).key == "keys_in_wrong_fields"


def test_a_subscription_key_entered_as_the_password_is_recognised(condeco):
    key = condeco.accounts[0].customer.keys["ExternalBookings"]

    assert diagnosis_of(condeco, client_password=key).key == "key_as_password"


def test_credentials_that_worked_before_were_changed_at_condeco(condeco):
    found = diagnosis_of(condeco, worked=True, client_password="old")

    assert (found.key, found.who) == ("changed_credentials", Who.VENDOR)


@pytest.mark.parametrize("wrong", ["uat", "developer"])
def test_keys_of_another_environment_in_production_are_recognised(condeco, wrong):
    _, secrets = condeco.setup_in(wrong)
    keys = {name: value for name, value in secrets.items() if name.endswith("_key")}

    assert diagnosis_of(condeco, **keys).key == f"keys_of_{wrong}"


def test_production_keys_in_uat_are_recognised(condeco):
    settings, secrets = condeco.setup_in("uat")
    _, production = condeco.setup_in("production")
    secrets |= {name: value for name, value in production.items() if name.endswith("_key")}

    assert diagnosis_of(condeco, **settings, **secrets).key == "keys_of_production"


@pytest.mark.parametrize(
    ("host", "environment", "key"),
    [
        ("integrationapi.condecosoftware.com", "production", "api_as_customer"),
        ("integrationportal.condecosoftware.com", "production", "api_as_customer"),
        ("northlight-uat.condecosoftware.com", "production", "host_of_uat"),
        ("developer-sde.condecosoftware.com", "production", "host_of_developer"),
        ("northlight.condecosoftware.com", "production", "customer_host"),
        ("northlight-uat.condecosoftware.com", "uat", "customer_host"),
    ],
)
def test_a_wrong_customer_address_is_told_by_its_name(condeco, host, environment, key):
    condeco.weather.add(Fault(path="token", status=404))
    with vendor_access(connector, condeco) as access:
        with pytest.raises(IntegrationError) as failure:
            access.token()
        access.settings |= {"customer_url": f"https://{host}", "environment": environment}

        assert diagnose(connector, access, failure.value).key == key


def test_an_address_that_does_not_exist_is_suspected_only_at_the_first_time(condeco):
    unknown = RetryLater("We cannot find it.", code="unknown_host")
    with vendor_access(connector, condeco) as access:
        assert diagnose(connector, access, unknown).key == "unknown_host"
        access.has_worked = True
        assert diagnose(connector, access, unknown).who == Who.NOBODY


def test_a_name_unknown_here_whose_keys_work_elsewhere_belongs_there(condeco):
    settings, secrets = condeco.setup_in("uat")
    settings |= {"environment": "production", "api_url": f"{condeco.url}/nowhere"}

    assert diagnosis_of(condeco, **settings, **secrets).key == "connection_of_uat"


def test_a_limit_heals_by_itself(condeco):
    with vendor_access(connector, condeco) as access:
        found = diagnose(connector, access, RateLimited("Waiting."))

    assert found.who == Who.NOBODY


def test_a_closer_look_that_fails_is_no_finding(condeco):
    error = NotPermitted("No.", code="key_invalid_hierarchy")
    condeco.revoke()
    with vendor_access(connector, condeco) as access:
        # Without a session token nothing can be asked; only what needs no call is left.
        assert diagnose(connector, access, error).key == "hierarchy_key_invalid"
