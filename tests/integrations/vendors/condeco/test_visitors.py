"""Visitors: the days that Condeco takes, at the location, and nothing beyond."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from integrations.errors import NotBought, NotPermitted, VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.visitors import Visitors, visit_days
from integrations.vendors.condeco.walk import Level, Step
from tests.integrations.vendor_access import vendor_access


def location(zone: str) -> Step:
    return Step(Level.LOCATION, "101", "Somewhere", zone)


def test_the_visitors_of_the_next_fourteen_days_are_read(condeco):
    stream = Visitors(now=condeco.clock.now)
    with vendor_access(connector, condeco) as access:
        found = [record for page in access.read_all(stream) for record in page.records]

    assert {record.external_id for record in found} == condeco.holdings("visitors")
    for record in found:
        visitor = msgspec.json.decode(record.payload)
        assert record.position == visitor["arrivalDate"][:10]
        assert record.parent_id == str(visitor["locationId"])
        assert condeco.epoch.date().isoformat() <= record.position < "2026-03-30"


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Australia/Melbourne", "2026-03-17"),
        ("America/Chicago", "2026-03-16"),
        ("Europe/London", "2026-03-16"),
        ("", "2026-03-16"),
    ],
)
def test_today_is_the_day_at_the_location(zone, first):
    days = visit_days(location(zone), datetime(2026, 3, 16, 15, tzinfo=UTC))

    assert days[0].first == first
    assert len(days) == 14


@pytest.mark.parametrize("change", ["2026-04-04", "2026-10-03", "2026-03-28", "2026-10-24"])
def test_no_day_is_left_out_when_the_clocks_change(change):
    for zone in ("Australia/Melbourne", "America/Chicago", "Europe/London"):
        days = visit_days(location(zone), datetime.fromisoformat(f"{change}T20:00:00+00:00"))
        assert len({day.first for day in days}) == 14


def test_a_walk_that_goes_on_the_next_day_leaves_out_the_day_that_is_over(condeco):
    stream = Visitors(now=condeco.clock.now)
    with vendor_access(connector, condeco) as access:
        pages = access.read_all(stream)
        condeco.clock.advance(timedelta(days=1))
        asked = len(access.exchanges)
        access.access_token = ""
        rest = access.read_all(stream, pages[6].cursor)

    assert rest[-1].cursor == pages[-1].cursor
    assert len(access.exchanges) - asked < len(rest)


def test_a_list_that_is_only_a_part_is_not_taken_for_the_whole(condeco):
    condeco.weather.add(Fault(path="/visitor", status=200, body=b'{"visitors":[],"totalRecords":3}'))

    with vendor_access(connector, condeco) as access, pytest.raises(VendorChanged) as failure:
        access.read_all(Visitors(now=condeco.clock.now))

    assert failure.value.code == "part_only"


def test_without_a_visitor_key_nothing_is_asked(condeco):
    with vendor_access(connector, condeco, visitor_key="") as access, pytest.raises(NotBought) as missing:
        access.read_all(Visitors())

    assert "Visitor subscription key" in missing.value.words
    assert missing.value.code == "key_missing_visitors"
    assert condeco.requests == {}


def test_a_visitor_key_that_is_off_stops_only_the_visitors(condeco):
    condeco.withdraw_visitor_key()
    stream = Visitors(now=condeco.clock.now)

    with vendor_access(connector, condeco) as access:
        with pytest.raises(NotPermitted) as refusal:
            access.read_all(stream)
        assert access.read_all(connector.stream("rooms"))

    assert refusal.value.code == "key_invalid_visitors"
