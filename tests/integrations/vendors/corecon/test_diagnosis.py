"""The usual mistakes are told by name, with the cure and who must do it."""

from datetime import timedelta

import pytest

from integrations.contract import Who
from integrations.diagnosis import diagnose
from integrations.errors import IntegrationError
from integrations.sandbox.kit import Fault
from integrations.vendors.corecon import connector
from integrations.vendors.corecon.assumptions import PRODUCTION_URL, SANDBOX_URL
from integrations.vendors.corecon.diagnosis import usual_address
from integrations.vendors.corecon.sandbox import Emulator
from integrations.vendors.corecon.sandbox_apps import FEATURES
from integrations.vendors.corecon.streams import STREAMS
from tests.integrations.vendor_access import VendorAccess, vendor_access
from tests.integrations.vendors.corecon.browser import allow, connected, door_of, exchange

COMPANIES = STREAMS[0]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def app(corecon: Emulator):
    """The first account, whose app signs in by itself."""
    with vendor_access(connector, corecon, grant="client_credentials") as access:
        yield access


def found(access: VendorAccess) -> str:
    """The cause that is told when the live test fails."""
    with pytest.raises(IntegrationError) as raised:
        connector.check(access)
    diagnosis = diagnose(connector, access, raised.value)
    assert diagnosis.cause.endswith(".")
    return diagnosis.key


def test_sandbox_keys_on_production(app, corecon):
    app.settings |= {"environment": "production", "base_url": f"{corecon.url}/production"}

    assert found(app) == "sandbox_keys_on_production"


def test_production_keys_on_a_sandbox(corecon):
    changes = {"environment": "sandbox", "base_url": f"{corecon.url}/sandbox", "grant": "client_credentials"}
    with vendor_access(connector, corecon, 1, **changes) as access:
        assert found(access) == "production_keys_on_sandbox"


def test_a_token_is_not_needed_to_tell_the_environment(corecon):
    corecon.apps[0].grants = frozenset({"authorization_code"})
    with connected(corecon) as access:
        access.settings |= {"environment": "production", "base_url": f"{corecon.url}/production"}

        assert found(access) == "sandbox_keys_on_production"


def test_the_integration_key_twice(app):
    app.settings["account_key"] = app.settings["integration_key"].upper()

    assert found(app) == "same_keys"


def test_the_two_keys_in_each_others_place(app):
    keys = app.settings["account_key"], app.settings["integration_key"]
    app.settings["integration_key"], app.settings["account_key"] = keys
    app.settings["grant"] = "password"

    assert found(app) == "keys_swapped"


def test_an_integration_key_that_nobody_knows(app):
    app.settings["integration_key"] = NOBODY

    assert found(app) == "integration_key_wrong"


def test_a_wrong_account_key(app):
    app.settings["account_key"] = NOBODY

    assert found(app) == "account_key_wrong"


def test_keys_of_two_accounts(app, corecon):
    app.settings |= {"account_key": corecon.apps[1].account_key, "base_url": corecon.url}

    assert found(app) == "account_key_of_another"


@pytest.mark.parametrize(("has_worked", "key"), [(False, "secret_wrong"), (True, "secret_replaced")])
def test_a_wrong_secret(app, has_worked, key):
    app.secrets["secret_key"], app.has_worked = "wrong", has_worked

    assert found(app) == key


@pytest.mark.parametrize("end", ["/api", "/api/", "/API"])
def test_an_address_with_or_without_api_makes_no_difference(app, end):
    app.settings["base_url"] += end

    assert connector.check(app)


@pytest.mark.parametrize("end", ["/Documentation/GettingStarted", "/api/token", "/api/test/resource1"])
def test_an_address_with_something_at_its_end(app, end):
    app.settings["base_url"] += end

    assert found(app) == "address_too_long"


def test_an_address_of_another_host(app, corecon):
    app.settings["base_url"] = f"{corecon.url}/somewhere-else"
    corecon.weather.add(Fault(path="somewhere-else|^/(api/)?token", status=200, body=b"<html>Welcome</html>", times=99))

    assert found(app) == "address_of_another"


def test_an_address_where_nobody_knows_the_keys(app, corecon):
    app.settings |= {"base_url": f"{corecon.url}/somewhere-else", "integration_key": NOBODY}

    assert found(app) == "address_wrong"


def test_an_outage_is_no_mistake(app, corecon):
    corecon.weather.add(Fault(status=503, times=99))

    assert found(app) == "vendor_unavailable"


@pytest.mark.parametrize(
    ("number", "account", "key"),
    [
        (484, 0, "sandbox_not_ready"),
        (485, 0, "sandbox_ended"),
        (486, 1, "app_not_approved"),
        (487, 1, "production_ended"),
        (467, 0, "app_disabled"),
        (468, 0, "account_inactive"),
        (477, 1, "account_inactive"),
    ],
)
def test_an_app_or_a_database_that_is_not_well(corecon, number, account, key):
    with vendor_access(connector, corecon, account, grant="client_credentials") as access:
        access.token()
        corecon.apps[account].trouble = number

        assert found(access) == key


def test_a_sandbox_past_the_day_that_was_entered(app, corecon):
    app.settings["sandbox_ends_on"] = (corecon.clock.now() - timedelta(days=3)).date().isoformat()
    corecon.weather.add(Fault(path="resource1", status=483, times=2))

    assert found(app) == "sandbox_past_its_end"


def test_an_app_of_another_authentication_type(app, corecon):
    corecon.apps[0].grants = frozenset({"authorization_code"})

    assert found(app) == "grant_differs"


def test_scopes_that_the_app_does_not_grant(corecon):
    with vendor_access(connector, corecon, 1, grant="client_credentials", scopes="add,read") as access:
        assert found(access) == "scopes_differ"


def test_a_filter_in_front_of_the_vendor(app, corecon):
    corecon.weather.add(Fault(status=450, times=9))

    assert found(app) == "blocked"


def test_a_connection_that_was_unused_for_too_long(corecon):
    with connected(corecon) as access:
        corecon.clock.advance(timedelta(minutes=1441))

        assert found(access) == "unused_too_long"


@pytest.mark.parametrize("feature", sorted(FEATURES.values()))
def test_a_feature_that_is_not_allowed(app, corecon, feature):
    corecon.apps[0].features.discard(feature)
    stream = next(stream for stream in STREAMS if stream.feature == feature)

    with pytest.raises(IntegrationError) as refused:
        app.read_all(stream)
    diagnosis = diagnose(connector, app, refused.value)
    assert (diagnosis.key, diagnosis.who) == ("feature_not_allowed", Who.VENDOR_ADMIN)


@pytest.mark.parametrize(
    ("entered", "redirect_uri", "key"),
    [
        ("", None, "state_missing"),
        ("another", None, "state_or_redirect"),
        (None, "http://localhost:8000/other/", "state_or_redirect"),
    ],
)
def test_values_of_the_app_that_differ_when_a_code_is_traded(corecon, entered, redirect_uri, key):
    with vendor_access(connector, corecon) as access:
        brought = allow(corecon)
        if entered is not None:
            access.settings["registered_state"] = brought["state"] = entered
        with pytest.raises(IntegrationError) as refused:
            exchange(access, brought, **({"redirect_uri": redirect_uri} if redirect_uri else {}))

        assert diagnose(connector, access, refused.value).key == key


def test_a_redirect_address_that_is_not_registered(app, corecon):
    corecon.weather.add(Fault(path="token", status=488))

    with pytest.raises(IntegrationError) as refused:
        connector.request_token(door_of(app))
    assert diagnose(connector, app, refused.value).key == "redirect_not_registered"


def test_looking_for_a_mistake_locks_no_user_out(corecon):
    with vendor_access(
        connector, corecon, grant="password", username="pat", password="wrong", secret_key="x"
    ) as access:
        found(access)

        assert all(exchange.path.endswith(("/token", "resource1")) for exchange in access.exchanges)
        assert corecon.requests.keys() <= {"POST /sandbox/api/token", "POST /production/api/token"}


@pytest.mark.parametrize(("environment", "address"), [("production", PRODUCTION_URL), ("sandbox", SANDBOX_URL)])
def test_a_real_account_is_looked_for_at_the_documented_addresses(environment, address):
    assert usual_address({"base_url": "https://acme.corecon.example/api"}, environment) == address


def test_every_rule_has_a_cure():
    for rule in connector.rules:
        assert rule.diagnosis.cure.endswith(".")
        assert rule.codes
