"""The live test, accounts and budgets, what runs out, and what is behind the usual failures."""

import base64
from datetime import date, timedelta
from typing import Any

import pytest

from integrations.contract import Capability, Diagnosis, Who
from integrations.diagnosis import diagnose
from integrations.errors import IntegrationError
from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus import connector
from integrations.vendors.coreplus.assumptions import SANDBOX_URL, url_of_other_environment
from integrations.vendors.coreplus.client import LOCATIONS, fetch_list
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access


def states(found: tuple[Capability, ...]) -> dict[str, str]:
    return {capability.stream: capability.state for capability in found}


def note(found: tuple[Capability, ...], stream: str) -> str:
    return next(capability.note for capability in found if capability.stream == stream)


def diagnosis_of(access: VendorAccess) -> Diagnosis:
    """What is behind the failure of reading locations."""
    with pytest.raises(IntegrationError) as stop:
        fetch_list(access, LOCATIONS)
    return diagnose(connector, access, stop.value)


def test_the_live_test_takes_one_call_a_list(coreplus: Emulator, new: VendorAccess) -> None:
    assert set(states(connector.check(new)).values()) == {"available"}
    assert len(new.exchanges) == 5


def test_clients_are_said_to_be_switched_off_here(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, 1) as access:
        found = connector.check(access)

        assert states(found)["clients"] == "not_permitted"
        assert note(found, "clients") == "Switched off here: client names."
        assert len(access.exchanges) == 4


@pytest.mark.parametrize("lost", ["locations", "practitioners", "appointment-types", "appointments", "clients"])
def test_one_missing_permission_is_told_for_its_list_alone(coreplus: Emulator, new: VendorAccess, lost: str) -> None:
    coreplus.refuse(lost, 0)
    found = connector.check(new)

    assert {stream for stream, state in states(found).items() if state == "not_permitted"} == {lost}
    assert "disable and enable the add-on" in note(found, lost)
    assert ("VIEW_CLIENTLIST" in note(found, lost)) == (lost == "clients")


def test_a_permission_takes_effect_when_the_add_on_is_enabled_again(coreplus: Emulator, new: VendorAccess) -> None:
    coreplus.untick("clients", 0)
    assert states(connector.check(new))["clients"] == "available"
    coreplus.reenable(0)
    assert states(connector.check(new))["clients"] == "not_permitted"
    coreplus.tick_everything(0)
    assert states(connector.check(new))["clients"] == "not_permitted"
    coreplus.reenable(0)
    assert states(connector.check(new))["clients"] == "available"
    assert coreplus.add_ons[0].acceptances == 3


def test_a_feature_that_is_off_is_told_as_not_bought(coreplus: Emulator, new: VendorAccess) -> None:
    coreplus.weather.add(Fault(path="Practitioner", status=403))
    found = connector.check(new)

    assert states(found)["practitioners"] == "not_bought"
    assert "support@coreplus.com.au" in note(found, "practitioners")


def test_types_that_cannot_be_read_are_unknown(coreplus: Emulator, new: VendorAccess) -> None:
    coreplus.has_types = False

    assert states(connector.check(new))["appointment-types"] == "unknown"


def test_a_zone_nobody_knows_is_asked_for_by_the_name_of_its_location(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, zones="") as access:
        assert "“Hillside clinic”" in note(connector.check(access), "locations")
    with vendor_access(connector, coreplus, zones="Hillside clinic = Australia/Adelaide") as access:
        assert note(connector.check(access), "locations") == ""


def test_practices_of_one_application_are_two_accounts_with_one_budget(coreplus: Emulator) -> None:
    first, second, trial = (coreplus.demo_setup(account)[0] for account in range(3))

    assert len({connector.identity(settings) for settings in (first, second, trial)}) == 3
    assert connector.budget_account(first) == connector.budget_account(second)
    assert connector.budget_account(first) != connector.budget_account(trial)
    assert connector.identity(first | {"show_client_names": False}) == connector.identity(first)


@pytest.mark.parametrize(
    ("granted", "months", "ends_on"),
    [
        ("2026-03-16", 12, date(2027, 3, 16)),
        ("2026-03-16", 24, date(2028, 3, 16)),
        ("2024-02-29", 12, date(2025, 3, 1)),
        ("2024-02-29", None, date(2025, 3, 1)),
    ],
)
def test_the_end_of_the_access_token_is_warned_of(granted: str, months: int | None, ends_on: date) -> None:
    (expiry,) = connector.expiries({"granted_date": granted, "term_months": months})

    assert expiry.ends_on == ends_on
    assert expiry.warn_days == (60, 30, 7)
    assert "Setup > Add-Ons" in expiry.cure


@pytest.mark.parametrize("settings", [{}, {"granted_date": ""}, {"granted_date": "soon"}])
def test_without_a_date_nothing_is_warned_of(settings: dict[str, Any]) -> None:
    assert connector.expiries(settings) == ()


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("https://api.coreplus.example/API/Core/v2", SANDBOX_URL),
        (SANDBOX_URL, ""),
        ("http://127.0.0.1:9/API/Core/v2", "http://127.0.0.1:9/sandbox/API/Core/v2"),
        ("http://127.0.0.1:9/sandbox/API/Core/v2", "http://127.0.0.1:9/API/Core/v2"),
    ],
)
def test_the_other_environment_is_where_it_is_known_to_be(address: str, other: str) -> None:
    assert url_of_other_environment(address) == other


@pytest.mark.parametrize("has_worked", [True, False])
@pytest.mark.parametrize(
    ("account", "environment", "path", "key"),
    [(2, "production", "", "sandbox_keys"), (0, "sandbox", "/sandbox", "production_keys")],
)
def test_mixed_up_environments_are_found_out(
    coreplus: Emulator, account: int, environment: str, path: str, key: str, has_worked: bool
) -> None:
    url = f"{coreplus.url}{path}/API/Core/v2"
    with vendor_access(connector, coreplus, account, environment=environment, api_url=url) as access:
        access.has_worked = has_worked
        assert diagnosis_of(access).key == key


def test_a_secret_that_was_decoded_is_found_out(coreplus: Emulator) -> None:
    decoded = base64.b64decode(coreplus.practices[0].secret).decode()
    with vendor_access(connector, coreplus, secret=decoded) as access:
        assert diagnosis_of(access).key == "secret_decoded"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"secret": "another-secret-of-sufficient-length-01"}, "wrong_values"),
        ({"access_token": "unknown"}, "wrong_values"),
        ({"consumer_id": "unknown"}, "wrong_values"),
        ({"consumer_id": "unknown", "environment": "sandbox"}, "wrong_values_sandbox"),
    ],
)
def test_wrong_values_of_a_new_connection_are_to_be_copied_again(
    coreplus: Emulator, change: dict[str, str], key: str
) -> None:
    with vendor_access(connector, coreplus, **change) as access:
        found = diagnosis_of(access)

    assert (found.key, found.who) == (key, Who.ADMIN)


def test_a_term_that_is_over_is_told_before_anything_vaguer(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.expire(0)
    access.settings = coreplus.demo_setup(0)[0]

    assert diagnosis_of(access).key == "term_over"


def test_an_add_on_that_was_disabled_is_a_matter_for_its_administrator(
    coreplus: Emulator, access: VendorAccess
) -> None:
    coreplus.revoke(0)
    found = diagnosis_of(access)

    assert (found.key, found.who) == ("key_refused", Who.VENDOR_ADMIN)


def test_a_clock_that_is_off_is_our_own_affair(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.clock.advance(timedelta(minutes=5))
    coreplus.revoke(0)
    found = diagnosis_of(access)

    assert (found.key, found.who) == ("clock", Who.OPERATOR)


def test_a_missing_permission_is_cured_by_enabling_again(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.refuse("locations", 0)
    found = diagnosis_of(access)

    assert (found.key, found.who) == ("permission", Who.VENDOR_ADMIN)
    assert "disable and enable" in found.cure


def test_a_feature_that_is_off_is_a_matter_for_coreplus(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.weather.add(Fault(status=403))
    found = diagnosis_of(access)

    assert (found.key, found.who) == ("feature_off", Who.VENDOR)


@pytest.mark.parametrize("address", ["/elsewhere/v2", "https://coreplus.invalid/API/Core/v2"])
def test_a_wrong_address_is_to_be_corrected(coreplus: Emulator, address: str) -> None:
    url = address if address.startswith("https") else f"{coreplus.url}{address}"
    with vendor_access(connector, coreplus, api_url=url) as access:
        found = diagnosis_of(access)

    assert (found.key, found.who) == ("wrong_address", Who.ADMIN)


def test_no_second_can_hold_more_calls_than_coreplus_allows() -> None:
    # A window holds at most the calls and one burst.
    assert connector.limit.calls + connector.limit.burst <= 10
