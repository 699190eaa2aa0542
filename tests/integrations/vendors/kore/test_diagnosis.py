"""The usual mistakes are told by their cause."""

from urllib.parse import quote

import pytest

from integrations.contract import Who
from integrations.diagnosis import diagnose
from integrations.errors import ConfigurationNeeded, IntegrationError, RetryLater
from integrations.sandbox.kit import Fault
from integrations.vendors.kore import connector
from tests.integrations.vendor_access import VendorAccess, vendor_access

HTML = b"<html>Another server</html>"


def failure_of(access: VendorAccess) -> IntegrationError:
    with pytest.raises(IntegrationError) as raised:
        connector.check(access)
    return raised.value


def told(access: VendorAccess) -> tuple[str, Who]:
    found = diagnose(connector, access, failure_of(access))
    assert found.cause.endswith(".")
    assert found.cure.endswith(".")
    return found.key, found.who


def test_swapped_addresses(kore):
    settings, _ = kore.demo_setup()
    swapped = {"base_url": settings["auth_url"], "auth_url": settings["base_url"]}

    with vendor_access(connector, kore, **swapped) as access:
        assert told(access) == ("addresses_swapped", Who.ADMIN)


def test_an_address_where_another_server_answers(kore):
    kore.weather.add(Fault(path="/auth/connect/token", status=404, body=HTML))

    with vendor_access(connector, kore) as access:
        assert told(access) == ("another_address", Who.ADMIN)


def test_an_address_that_has_worked_is_not_blamed(kore):
    kore.weather.add(Fault(path="/auth/connect/token", status=404, body=HTML))

    with vendor_access(connector, kore) as access:
        access.has_worked = True
        assert diagnose(connector, access, failure_of(access)).key == "address"


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("https://api.korewireless.com", RetryLater("", code="unknown_host")),
        ("https://platform.kore.ai", ConfigurationNeeded("", code="address")),
        ("https://bots.kore.com", RetryLater("", code="unreadable")),
    ],
)
def test_the_address_of_another_company_called_kore(kore, host, error):
    with vendor_access(connector, kore, base_url=host) as access:
        assert diagnose(connector, access, error).key == "another_kore"
    assert not kore.requests


def test_the_vendors_own_host_is_no_other_company(kore):
    with vendor_access(connector, kore, base_url="https://api.koresoftware.com") as access:
        found = diagnose(connector, access, RetryLater("Gone.", code="unknown_host"))

    assert found.key == "another_address"


def test_a_secret_that_was_entered_url_encoded(kore):
    secret = quote(kore.demo_setup()[1]["client_secret"], safe="")
    with vendor_access(connector, kore, client_secret=secret) as access:
        assert told(access) == ("secret_encoded", Who.ADMIN)


def test_secret_and_key_in_each_others_field(kore):
    secrets = kore.demo_setup()[1]
    swapped = {"client_secret": secrets["api_key"], "api_key": secrets["client_secret"]}

    with vendor_access(connector, kore, **swapped) as access:
        assert told(access) == ("secret_and_key_swapped", Who.ADMIN)


def test_a_secret_with_special_characters_that_goes_through_in_the_other_way_only(kore):
    kore.take_basic_literally()

    with vendor_access(connector, kore, credentials_in="basic") as access:
        assert told(access) == ("other_way_of_signing_in", Who.ADMIN)


def test_a_secret_that_was_never_right(kore):
    with vendor_access(connector, kore, client_secret="guessed") as access:
        assert told(access) == ("secret_wrong", Who.ADMIN)


def test_a_secret_that_was_withdrawn(kore):
    kore.revoke()

    with vendor_access(connector, kore) as access:
        access.has_worked = True
        assert told(access) == ("secret_ended", Who.VENDOR)


def test_a_key_that_was_never_right(kore):
    with vendor_access(connector, kore, api_key="guessed") as access:
        assert told(access) == ("key_wrong", Who.ADMIN)


def test_a_key_that_was_granted_and_has_ended(kore):
    with vendor_access(connector, kore) as access:
        connector.check(access)
        access.has_worked = True
        kore.end_the_key()

        assert told(access) == ("key_ended", Who.VENDOR)


def test_a_key_is_not_blamed_while_signing_in_fails_too(kore):
    with vendor_access(connector, kore, api_key="guessed") as access:
        error = failure_of(access)
        kore.revoke()

        assert diagnose(connector, access, error).key == "reconnect"


def test_a_version_of_the_api_that_does_not_exist(kore):
    with vendor_access(connector, kore, api_version="7") as access:
        with pytest.raises(IntegrationError) as raised:
            access.read_all(connector.stream("deals"))

        assert diagnose(connector, access, raised.value).key == "version_refused"


def test_a_bad_question_is_not_blamed_on_the_version(kore):
    kore.weather.add(Fault(path="/entities/deals", status=400, body=b"{}"))
    with vendor_access(connector, kore) as access:
        with pytest.raises(IntegrationError) as raised:
            access.read_all(connector.stream("deals"))

        assert diagnose(connector, access, raised.value).key == "bad_request"


@pytest.mark.parametrize(
    ("refused", "key"),
    [(["deals", "billings"], "nothing_enabled"), (["deals"], "entity_not_enabled")],
)
def test_what_kore_has_not_enabled_is_for_kore_to_enable(kore, refused, key):
    for entity in refused:
        kore.refuse(entity)
    with vendor_access(connector, kore) as access:
        with pytest.raises(IntegrationError) as raised:
            access.read_all(connector.stream("deals"))

        found = diagnose(connector, access, raised.value)

    assert (found.key, found.who) == (key, Who.VENDOR)
