"""The emulator: what holds for its data whatever the size and however long it runs, and the limits it keeps."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.errors import RateLimited
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.sandbox import Emulator
from integrations.vendors.condeco.sandbox_diary import Account
from tests.integrations.vendor_access import vendor_access

from .conftest import MID_MORNING, MONDAY


def make(sizes: tuple[int, ...], **options: object) -> Emulator:
    sandbox = Emulator(sizes=sizes, epoch=MONDAY, **options)
    sandbox.clock.freeze(MID_MORNING)
    return sandbox


def bookings_in_rooms(account: Account) -> dict[int, list]:
    found = defaultdict(list)
    for number in range(len(account.diary)):
        room, _, _ = account.place_of(number)
        found[room].append(account.times_of(number))
    return found


@settings(max_examples=20, deadline=None)
@given(size=st.integers(0, 3000), index=st.integers(0, 1), hours=st.integers(0, 24 * 20))
def test_no_two_bookings_overlap_in_a_room_and_all_are_in_working_hours(size, index, hours):
    account = make((size + 1, size + 1), change_every=timedelta(minutes=20)).accounts[index]
    account.diary.catch_up(MID_MORNING + timedelta(hours=hours))

    for room, times in bookings_in_rooms(account).items():
        zone: ZoneInfo = account.customer.sites[account.site_number(room)].zone
        times.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(times))
        for starts_at, ends_at in times:
            local = starts_at.astimezone(zone), ends_at.astimezone(zone)
            assert 8 <= local[0].hour < 18
            assert local[1].hour < 18
            assert local[0].weekday() < 5


def test_the_demo_has_forty_and_twenty_rooms_and_two_weeks_either_side():
    sandbox = make((1300, 700))

    assert [account.rooms for account in sandbox.accounts] == [40, 20]
    for account in sandbox.accounts:
        starts = [account.times_of(number)[0] for number in range(len(account.diary))]
        assert MONDAY - timedelta(days=14) <= min(starts) < MONDAY < max(starts) < MONDAY + timedelta(days=15)


def test_the_same_seed_gives_the_same_bookings_and_another_seed_others():
    def first_room(seed: int) -> bytes:
        account = make((100, 50), seed=seed).accounts[0]
        return account.bookings_json(0, MONDAY - timedelta(days=14), MONDAY + timedelta(days=15))

    assert first_room(1) == first_room(1) != first_room(2)


def test_time_changes_bookings_that_are_not_over_and_adds_new_ones_for_days_to_come():
    account = make((300, 100), change_every=timedelta(minutes=1)).accounts[0]
    account.diary.catch_up(MID_MORNING)

    assert len(account.diary) == 300 + 15 * 60 // 6
    assert sum(account.diary.version) > 100
    for number in range(300, len(account.diary)):
        assert account.times_of(number)[0] > account.diary.created[number]


def test_the_emulator_refuses_more_calls_a_minute_than_it_allows(condeco):
    condeco.calls_per_minute = 5
    with vendor_access(connector, condeco) as access:
        with pytest.raises(RateLimited) as limit:
            access.read_all(connector.stream("rooms"))
        assert limit.value.retry_after == timedelta(seconds=60)
        condeco.clock.advance(timedelta(seconds=60))
        assert access.read_all(connector.stream("countries"))


def test_the_emulator_counts_the_week_and_begins_anew_on_monday(condeco):
    with vendor_access(connector, condeco) as access:
        access.token()
        condeco.use_up_week()
        with pytest.raises(RateLimited) as limit:
            access.read_all(connector.stream("locations"))
        assert condeco.clock.now() + limit.value.retry_after == MONDAY + timedelta(days=7)
        condeco.clock.advance(limit.value.retry_after)
        assert access.read_all(connector.stream("locations"))
