"""The live test, the vendor account, and what the connector says of itself."""

from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.connector import connector
from tests.integrations.vendor_access import VendorAccess, vendor_access


def states(access: VendorAccess) -> dict[str, str]:
    return {capability.stream: capability.state for capability in connector.check(access)}


def test_the_live_test_finds_everything_available_in_six_calls(condeco):
    with vendor_access(connector, condeco) as access:
        assert states(access) == {"locations": "available", "rooms": "available", "room-bookings": "available"}
        assert len(access.exchanges) == 6  # the token is one of them


def test_the_live_test_tells_which_key_is_missing(condeco):
    condeco.withdraw_bookings_key()
    with vendor_access(connector, condeco) as access:
        assert states(access) == {"locations": "available", "rooms": "available", "room-bookings": "not_permitted"}

    condeco.restore_keys()
    condeco.withdraw_hierarchy_key()
    with vendor_access(connector, condeco) as access:
        assert set(states(access).values()) == {"not_permitted"}


def test_the_live_test_says_when_there_is_no_room_to_ask_about(condeco):
    condeco.weather.add(Fault(path="/rooms", status=200, body=b'{"IsError":false,"Data":[]}', times=9))

    with vendor_access(connector, condeco) as access:
        assert states(access)["room-bookings"] == "unknown"


def test_an_ended_platinum_subscription_is_not_permitted(condeco):
    condeco.withdraw_platinum()

    with vendor_access(connector, condeco) as access:
        capabilities = connector.check(access)

    assert {capability.state for capability in capabilities} == {"not_permitted"}
    assert "Platinum" in capabilities[0].note


def test_the_account_is_the_customer_host_with_the_subscription_name():
    settings = {"customer_url": "https://Acme.condecosoftware.com", "subscription_name": "Acme_UK"}
    other = {**settings, "subscription_name": "Acme_US"}

    assert connector.identity(settings) == "acme.condecosoftware.com/acme_uk"
    assert connector.identity(settings) != connector.identity(other)


def test_white_text_on_the_tile_is_readable():
    red, green, blue = (int(connector.colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert 1.05 / (luminance + 0.05) >= 4.5
