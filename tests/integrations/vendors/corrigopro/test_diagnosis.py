"""From a failure to its cause, played by the sandbox."""

from typing import Any

import pytest

from integrations.contract import Who
from integrations.diagnosis import diagnose
from integrations.errors import IntegrationError
from integrations.vendors.corrigopro import connector, places
from integrations.vendors.corrigopro.diagnosis import RULES
from integrations.vendors.corrigopro.orders import WorkOrders
from integrations.vendors.corrigopro.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access


def found(access: VendorAccess) -> str:
    """The cause that is told when the live test fails."""
    with pytest.raises(IntegrationError) as failure:
        connector.check(access)
    return diagnose(connector, access, failure.value).key


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"rest_url": "{url}/apac/Direct/api"}, "region_am"),
        ({"rest_url": "{url}/nowhere/Direct/api"}, "region"),
        ({"rest_url": "{url}/OAuth/Token", "oauth_url": "{url}/am/Direct/api"}, "swapped"),
        ({"rest_url": "{url}/am/Direct"}, "wrong_address"),
        ({"oauth_url": "{url}/Token"}, "wrong_address"),
        ({"oauth_url": "https://nowhere.invalid/OAuth/Token"}, "wrong_host"),
        ({"client_secret": "mistyped"}, "wrong_pair"),
        ({"client_secret": "{client_id}"}, "same_twice"),
        ({"client_secret": "mistyped", "subscription_ends_on": "2020-01-31"}, "subscription_ended"),
        ({"branch_id": 77}, "branch"),
    ],
)
def test_a_wrong_entry_is_named(corrigopro: Emulator, changes: dict[str, Any], key: str) -> None:
    facts = {"url": corrigopro.url, "client_id": corrigopro.demo_setup()[0]["client_id"]}
    entered = {name: value.format(**facts) if isinstance(value, str) else value for name, value in changes.items()}

    with vendor_access(connector, corrigopro, **entered) as access:
        assert found(access) == key


def test_a_company_that_was_moved_is_found_in_its_new_region(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.move_region(0)

    with pytest.raises(IntegrationError) as failure:
        access.read_all(WorkOrders())

    told = diagnose(connector, access, failure.value)
    assert told.key == "region_apac"
    assert "Asia-Pacific" in told.words


def test_productions_pair_at_the_sandbox_is_recognised(corrigopro: Emulator) -> None:
    client_id, secret = corrigopro.production_pair()

    with vendor_access(connector, corrigopro, client_id=client_id, client_secret=secret) as access:
        assert found(access) == "production_pair"


def test_a_sandboxs_pair_at_production_is_recognised(corrigopro: Emulator) -> None:
    oauth_url = f"{corrigopro.url}/production/OAuth/Token"

    with vendor_access(connector, corrigopro, environment="production", oauth_url=oauth_url) as access:
        assert found(access) == "sandbox_pair"


def test_addresses_of_two_instances_are_recognised(corrigopro: Emulator) -> None:
    client_id, secret = corrigopro.production_pair()
    oauth_url = f"{corrigopro.url}/production/OAuth/Token"

    with vendor_access(connector, corrigopro, client_id=client_id, client_secret=secret, oauth_url=oauth_url) as access:
        assert found(access) == "two_instances"


def test_a_pair_that_worked_before_was_regenerated(corrigopro: Emulator, access: VendorAccess) -> None:
    connector.check(access)
    access.has_worked = True
    corrigopro.revoke()

    assert found(access) == "regenerated"


def test_a_subscription_that_ended_permits_nothing(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.end_subscription()

    with pytest.raises(IntegrationError) as failure:
        access.read_all(WorkOrders())

    told = diagnose(connector, access, failure.value)
    assert (told.key, told.who) == ("no_subscription", Who.VENDOR_ADMIN)


def test_one_stream_refused_is_told_in_its_own_words(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.refuse("work-orders")

    with pytest.raises(IntegrationError) as failure:
        access.read_all(WorkOrders())

    assert diagnose(connector, access, failure.value).key == "not_permitted"


def test_every_cause_has_its_own_name() -> None:
    keys = [rule.diagnosis.key for rule in RULES]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("region", list(places.REGIONS))
def test_documented_addresses_lead_to_the_other_regions(region: str) -> None:
    assert places.in_region("https://am-api.corrigopro.com/Direct/api", region) == (
        f"https://{region}-api.corrigopro.com/Direct/api"
    )
    assert places.in_region("https://direct.example.com/Direct/api", region) == ""


@pytest.mark.parametrize(
    ("entered", "other"),
    [("https://sandbox.example.com/OAuth/Token", places.OAUTH_URL), (places.OAUTH_URL, "")],
)
def test_only_productions_sign_in_is_documented(entered: str, other: str) -> None:
    assert places.other_sign_in({"oauth_url": entered}) == other
