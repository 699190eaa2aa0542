"""The live test, the vendor account, and what the connector says of itself."""

from datetime import date, timedelta

import pytest

from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.connector import connector
from tests.integrations.vendor_access import VendorAccess, vendor_access


def states(access: VendorAccess) -> dict[str, str]:
    return {capability.stream: capability.state for capability in connector.check(access)}


HIERARCHY = ("countries", "regions", "locations", "groups", "rooms")
EVERYTHING = (*HIERARCHY, "desks", "room-bookings", "desk-bookings", "visitors")


def test_the_live_test_finds_everything_available_in_nine_calls(condeco):
    with vendor_access(connector, condeco) as access:
        assert states(access) == dict.fromkeys(EVERYTHING, "available")
        assert len(access.exchanges) == 9  # the token is one of them


def test_every_stream_is_told_of_exactly_once(condeco):
    with vendor_access(connector, condeco) as access:
        told = [capability.stream for capability in connector.check(access)]

    assert sorted(told) == sorted(stream.key for stream in connector.streams)


def test_a_bookings_key_that_is_not_accepted_is_told_for_the_bookings_only(condeco):
    condeco.withdraw_bookings_key()

    with vendor_access(connector, condeco) as access:
        found = states(access)

    assert {key for key, state in found.items() if state != "available"} == {"room-bookings", "desk-bookings"}
    assert found["room-bookings"] == found["desk-bookings"] == "not_permitted"


def test_without_the_hierarchy_key_nothing_in_a_place_can_be_read(condeco):
    condeco.withdraw_hierarchy_key()

    with vendor_access(connector, condeco) as access:
        found = states(access)
        assert found.pop("visitors") == "unknown"
        assert set(found.values()) == {"not_permitted"}
        assert len(access.exchanges) == 2


def test_a_visitor_key_that_was_not_entered_is_not_bought_and_named(condeco):
    with vendor_access(connector, condeco, visitor_key="") as access:
        (visitors,) = [one for one in connector.check(access) if one.stream == "visitors"]

    assert visitors.state == "not_bought"
    assert "Visitor subscription key" in visitors.note


def test_a_visitor_key_that_is_not_accepted_is_not_permitted_and_named(condeco):
    condeco.withdraw_visitor_key()

    with vendor_access(connector, condeco) as access:
        (visitors,) = [one for one in connector.check(access) if one.stream == "visitors"]

    assert visitors.state == "not_permitted"
    assert visitors.note.startswith("The Visitor key is not valid")


def test_desk_bookings_that_are_switched_off_are_not_asked_for(condeco):
    with vendor_access(connector, condeco, reads_desk_bookings=False) as access:
        (desks,) = [one for one in connector.check(access) if one.stream == "desk-bookings"]

    assert desks.state == "not_bought"
    assert "switched off" in desks.note
    assert not any("deskBookings" in asked for asked in condeco.requests)


def test_the_live_test_says_when_there_is_no_room_to_ask_about(condeco):
    condeco.weather.add(Fault(path="/rooms", status=200, body=b'{"IsError":false,"Data":[]}', times=9))

    with vendor_access(connector, condeco) as access:
        assert states(access)["room-bookings"] == "unknown"


def test_places_that_do_not_exist_are_pointed_at(condeco):
    with vendor_access(connector, condeco, places="Atlantis") as access:
        notes = {one.stream: one.note for one in connector.check(access)}

    assert "places to copy" in notes["room-bookings"]
    assert "places to copy" in notes["visitors"]


def test_an_ended_platinum_subscription_is_not_permitted(condeco):
    condeco.withdraw_platinum()

    with vendor_access(connector, condeco) as access:
        capabilities = connector.check(access)

    assert {one.state for one in capabilities if one.stream != "visitors"} == {"not_permitted"}
    assert "Platinum" in capabilities[0].note


def test_an_end_of_the_subscription_that_was_entered_is_watched():
    (expiry,) = connector.expiries({"subscription_ends_on": "2027-03-31"})

    assert expiry.ends_on == date(2027, 3, 31)
    assert connector.expiries({"subscription_ends_on": ""}) == connector.expiries({}) == ()


@pytest.mark.parametrize(
    ("rooms", "reconciles_a_week"), [(50, 336), (100, 336), (500, 70), (1_000, 35), (2_000, 17), (5_000, 8)]
)
def test_the_calls_of_a_week_are_shared_out_over_the_rooms(rooms, reconciles_a_week):
    interval = connector.stream("room-bookings").interval_after(rooms)
    week = timedelta(weeks=1)

    # A sweep reads the same window, once a day.
    planned = week / interval + 7
    assert planned == pytest.approx(reconciles_a_week, rel=0.05)
    assert planned * rooms <= connector.allowance.calls or interval == week


def test_no_minute_and_no_week_can_hold_more_calls_than_condeco_allows():
    # A window holds at most the calls and one burst.
    assert connector.limit.calls + connector.limit.burst <= 500
    assert connector.allowance.calls + connector.allowance.burst <= 50_000


@pytest.mark.parametrize(("calls", "days"), [(62, 1), (300, 1), (700, 7)])
def test_with_many_locations_the_daily_sweeps_bring_the_visitors(calls, days):
    assert connector.stream("visitors").interval_after(calls) == timedelta(days=days)


def test_the_structure_is_read_once_a_day_however_many_calls_it_takes():
    assert connector.stream("rooms").interval_after(500) == timedelta(days=1)


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
