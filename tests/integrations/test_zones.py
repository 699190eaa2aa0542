# ruff: noqa: DTZ001 - what a clock on a wall shows has no zone
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.zones import ZONES, iana_of, instant_of, windows_of

MELBOURNE, CHICAGO, LONDON = ZoneInfo("Australia/Melbourne"), ZoneInfo("America/Chicago"), ZoneInfo("Europe/London")


def test_a_windows_zone_is_found_whatever_its_letter_case():
    assert iana_of(" india standard TIME ") == "Asia/Calcutta"
    assert iana_of("Moon Standard Time") == ""
    assert windows_of("Moon/Base") == ""


def test_every_zone_has_a_windows_name_that_leads_to_a_zone():
    assert all(ZoneInfo(iana_of(windows_of(name))) for name in ZONES)


@pytest.mark.parametrize(
    ("zone", "wall", "moment"),
    [
        (MELBOURNE, datetime(2026, 10, 4, 1, 59), datetime(2026, 10, 3, 15, 59)),
        (MELBOURNE, datetime(2026, 10, 4, 3, 0), datetime(2026, 10, 3, 16, 0)),
        (CHICAGO, datetime(2026, 3, 8, 1, 59), datetime(2026, 3, 8, 7, 59)),
        (CHICAGO, datetime(2026, 3, 8, 3, 0), datetime(2026, 3, 8, 8, 0)),
        (LONDON, datetime(2026, 3, 29, 0, 59), datetime(2026, 3, 29, 0, 59)),
        (LONDON, datetime(2026, 3, 29, 2, 0), datetime(2026, 3, 29, 1, 0)),
    ],
)
def test_nothing_lies_between_the_last_minute_before_and_the_first_after_a_clock_is_put_forward(zone, wall, moment):
    assert instant_of(wall, zone) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "wall", "moment"),
    [
        (MELBOURNE, datetime(2026, 4, 5, 2, 30), datetime(2026, 4, 4, 15, 30)),
        (CHICAGO, datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 6, 30)),
        (LONDON, datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 25, 0, 30)),
    ],
)
def test_of_an_hour_that_comes_twice_the_first_is_meant(zone, wall, moment):
    assert instant_of(wall, zone) == moment.replace(tzinfo=UTC)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), st.sampled_from([MELBOURNE, CHICAGO, LONDON]))
def test_a_moment_comes_back_to_the_clock_on_the_wall_but_in_the_hour_that_spring_leaves_out(wall, zone):
    back = instant_of(wall, zone).astimezone(zone).replace(tzinfo=None)
    assert back - wall in (timedelta(), timedelta(hours=1))
