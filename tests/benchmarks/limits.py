"""One rate budget under competition: never above the vendor's limit in any window, and how much of it is used.

`python -m tests.benchmarks limits [--seconds 20] [--limit 100] [--processes 4] [--threads 8]`
"""

import argparse
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing import get_context

from integrations.answers import Answer
from integrations.contract import Limit

SECOND = 1_000_000
AFTERWARDS = 10  # seconds of competition after a hold


def main(arguments: list[str]) -> None:
    """Print what the budget let through, by the clock of the server that keeps it."""
    parser = argparse.ArgumentParser(prog="limits")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--limit", type=int, default=100, help="the vendor's, in any second")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=8, help="of each process")
    options = parser.parse_args(arguments)
    # What a window may hold at most is the calls and the burst together.
    burst = max(1, options.limit // 25)
    limit = Limit(calls=options.limit - burst, per=timedelta(seconds=1), burst=burst)
    crew = f"{options.processes} processes of {options.threads} threads"
    moments = _compete(limit, options, None)
    span = (moments[-1] - moments[0]) / SECOND
    print(f"{crew}, vendor's limit {options.limit} in any second, {limit.calls} and a burst of {burst} asked for")
    print(f"let through: {len(moments):,} in {span:.1f} s, {len(moments) / span / options.limit:.1%} of the limit")
    print(f"fullest second: {fullest(moments)} calls")
    for form in ("seconds", "a date"):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=13), usegmt=True)
        headers = {"retry-after": "12" if form == "seconds" else date}
        held = Answer(status=429, headers=headers, body=b"").retry_after() or timedelta()
        moments = _compete(limit, options, held)
        print(
            f"Retry-After as {form}, {held.total_seconds():.2f} s: none before its end, {len(moments)} in the "
            f"{AFTERWARDS} s after it, fullest second {fullest(moments)} (half the pace)"
        )


def fullest(moments: Sequence[int]) -> int:
    """The most calls in any second, both its ends counted; sorted microseconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] > SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most


def _compete(limit: Limit, options: argparse.Namespace, held: timedelta | None) -> list[int]:
    """Microseconds at which calls were let through. Where it is held, none may be before the end of that."""
    from integrations import limits

    account, server = uuid.uuid4().hex, limits._server()
    seconds = options.seconds if held is None else held.total_seconds() + AFTERWARDS
    if held is not None:
        limits.Budget(limit, "bench", account).hold(held)
    begun = _now(server)
    context = get_context("spawn")
    arguments = (limit, account, time.time() + 3 + seconds if held is None else time.time() + seconds, options.threads)
    processes = [context.Process(target=_process, args=arguments) for _ in range(options.processes)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    moments = sorted(int(moment) for moment in server.lrange(account, 0, -1))
    server.delete(account)
    if held is not None:
        early = [moment for moment in moments if moment < begun + held.total_seconds() * SECOND - SECOND // 100]
        assert not early, f"{len(early)} calls although held"
    return moments


def _process(limit: Limit, account: str, ends_at: float, threads: int) -> None:
    import django

    django.setup()
    from integrations import limits
    from integrations.errors import RateLimited

    # The script writes down when it let a call through: by the time a caller knows, some time has passed.
    note = f"redis.call('RPUSH', '{account}', string.format('%.0f', now)) return 0"
    limits._TAKE = limits._TAKE.rstrip().removesuffix("return 0") + note
    budget = limits.Budget(limit, "bench", account)

    def work(_: int) -> None:
        while time.time() < ends_at:
            try:
                budget.take()
            except RateLimited as limited:
                time.sleep((limited.retry_after or timedelta()).total_seconds())

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def _now(server: object) -> int:
    seconds, micros = server.time()
    return seconds * SECOND + micros
