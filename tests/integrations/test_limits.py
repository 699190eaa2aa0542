"""The rate budget is exact under competition, and its loss stops nobody."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from pytest_django import Settings

from integrations import limits
from integrations.contract import Limit
from integrations.errors import RateLimited
from integrations.limits import Budget

pytestmark = pytest.mark.server


def a_budget(*, allowance: Limit | None = None, **limit: object) -> Budget:
    facts = {"calls": 50, "per": timedelta(seconds=1), "burst": 5, **limit}
    return Budget(Limit(**facts), "vendor", uuid4().hex, allowance)  # type: ignore[arg-type]


def test_competitors_together_are_let_through_once_for_each_place_in_the_burst() -> None:
    account, limit = uuid4().hex, Limit(calls=5, per=timedelta(hours=1), burst=7)

    def call(_: int) -> int:
        budget, count = Budget(limit, "vendor", account), 0
        for _ in range(5):
            with suppress(RateLimited):
                budget.take()
                count += 1
        return count

    with ThreadPoolExecutor(8) as crew:
        assert sum(crew.map(call, range(8))) == limit.burst


def test_the_wait_that_is_told_is_the_time_until_the_next_place() -> None:
    budget = a_budget(calls=6, per=timedelta(hours=1), burst=3)
    for _ in range(3):
        budget.take()
    waits = [budget._ask() for _ in range(2)]
    assert timedelta(minutes=9) < waits[1] <= waits[0] <= timedelta(minutes=10)


def test_however_late_callers_come_no_window_holds_more_than_its_calls_and_one_burst() -> None:
    limit = Limit(calls=200, per=timedelta(seconds=1), burst=4)
    account, moments = uuid4().hex, []
    noted = limits._TAKE.rstrip().removesuffix("return 0") + "return {now}"
    while len(moments) < 60:
        numbers = Budget(limit, "vendor", account)._numbers
        found = limits._server().eval(noted, 1, account, *numbers)
        if isinstance(found, list):
            moments.append(int(found[0]))
    gap = limit.per / limit.calls / timedelta(microseconds=1)
    for first, begin in enumerate(moments):
        for last, end in enumerate(moments[first:], 1):
            assert last <= limit.burst + (end - begin) / gap


def test_a_wait_beyond_our_patience_gives_the_worker_back() -> None:
    budget = a_budget(calls=1, per=timedelta(minutes=1), burst=1)
    budget.take()
    with pytest.raises(RateLimited) as limited:
        budget.take()
    assert limited.value.retry_after is not None
    assert timedelta(seconds=50) < limited.value.retry_after <= timedelta(minutes=1)


def test_a_hold_keeps_everyone_away_but_not_the_neighbours() -> None:
    held, free = a_budget(), a_budget()
    held.hold(timedelta(minutes=10))
    with pytest.raises(RateLimited):
        held.take()
    free.take()


def test_a_call_needs_both_the_short_and_the_long_limit() -> None:
    budget = a_budget(allowance=Limit(calls=100, per=timedelta(days=7), burst=3))
    for _ in range(3):
        budget.take()
    with pytest.raises(RateLimited) as limited:
        budget.take()
    assert limited.value.retry_after is not None
    assert limited.value.retry_after > timedelta(minutes=30)


def test_what_the_long_limit_refuses_is_not_taken_from_the_short_one() -> None:
    account = uuid4().hex
    both = Limit(calls=100, per=timedelta(days=7), burst=1)
    short = Limit(calls=1, per=timedelta(minutes=1), burst=2)
    Budget(short, "vendor", account, both).take()
    with pytest.raises(RateLimited):
        Budget(short, "vendor", account, both).take()
    Budget(short, "vendor", account).take()  # the second of its burst is still there


def test_after_a_reminder_the_pace_is_halved() -> None:
    account = uuid4().hex
    limit = Limit(calls=60, per=timedelta(minutes=10), burst=4)
    Budget(limit, "vendor", account).hold(timedelta())
    slowed = Budget(limit, "vendor", account)
    slowed.take()
    slowed.take()
    with pytest.raises(RateLimited) as limited:
        slowed.take()
    assert limited.value.retry_after is not None
    assert timedelta(seconds=15) < limited.value.retry_after <= timedelta(seconds=20)


def test_without_redis_the_work_goes_on_at_the_plain_pace(settings: Settings) -> None:
    settings.LIMITS_URL = "redis://127.0.0.1:1/2"
    limits._server.cache_clear()
    try:
        a_budget(calls=1000).take()
    finally:
        limits._server.cache_clear()
