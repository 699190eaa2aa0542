"""The rate budget is exact under competition, and its loss stops nobody."""

import time
from concurrent.futures import ThreadPoolExecutor
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


def test_competitors_together_never_exceed_the_limit_in_any_window() -> None:
    budget = a_budget()
    moments: list[float] = []

    def call() -> None:
        for _ in range(10):
            budget.take()
            moments.append(time.monotonic())

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(call) for _ in range(6)]:
            future.result()

    moments.sort()
    # Between the first and the n-th call at least (n - burst) gaps have passed; a little is lost on the way back.
    assert all(moments[n] - moments[0] >= (n - 5) / 50 - 0.05 for n in range(len(moments)))


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
