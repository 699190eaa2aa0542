"""One rate budget per vendor account, shared by all workers: GCRA in Redis, in one round trip.

A budget may hold two limits, a short one and a long one; a call needs both. The script answers how many microseconds to
wait; 0 means go. `hold` keeps everyone away until the vendor's `Retry-After` has passed, and for ten minutes after that
the short limit runs at half its pace. When Redis is away we go on at the plain pace of the limit, one call after the
other.
"""

import hashlib
import logging
import time
from datetime import timedelta
from functools import cache

import redis
from django.conf import settings
from redis.commands.core import Script

from integrations.contract import Limit
from integrations.errors import RateLimited

_logger = logging.getLogger(__name__)
_TAKE = """
local now = redis.call('TIME'); now = now[1] * 1000000 + now[2]
local hold = tonumber(redis.call('GET', KEYS[1] .. ':hold') or '0')
if hold > now then return hold - now end
local slow = redis.call('EXISTS', KEYS[1] .. ':slow') == 1
local wait, after = 0, {}
for n, key in ipairs(KEYS) do
    local gap, burst = tonumber(ARGV[2 * n - 1]), tonumber(ARGV[2 * n])
    if n == 1 and slow then gap = gap * 2; burst = math.max(1, math.floor(burst / 2)) end
    local due = tonumber(redis.call('GET', key) or '0')
    if due < now or due > now + 2 * gap * (burst + 1) then due = now end -- further ahead: its clock was put back
    after[n] = due + gap
    wait = math.max(wait, math.ceil(after[n] - gap * burst - now))
end
if wait > 0 then return wait end
for n, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', after[n]), 'PX', math.ceil((after[n] - now) / 1000) + 1000)
end
return 0
"""
_HOLD = """
local now = redis.call('TIME'); now = now[1] * 1000000 + now[2]
local held = math.ceil(ARGV[1] / 1000)
redis.call('SET', KEYS[1] .. ':hold', string.format('%.0f', now + ARGV[1]), 'PX', held + 1000)
redis.call('SET', KEYS[1] .. ':slow', '1', 'PX', held + ARGV[2])
"""
PATIENCE = timedelta(seconds=5)  # a longer wait gives the worker back and waits as a state of the run
SLOWED_FOR = timedelta(minutes=10)  # half the pace after a vendor had to remind us


@cache
def _server() -> redis.Redis:
    return redis.Redis.from_url(settings.LIMITS_URL, socket_timeout=5, socket_connect_timeout=5)


@cache
def _script(server: redis.Redis, text: str) -> Script:
    """Called by its digest, and sent whole where the server does not know it."""
    return server.register_script(text)


class Budget:
    """The budget of one vendor account."""

    def __init__(self, limit: Limit, vendor: str, account: str, allowance: Limit | None = None) -> None:
        self._gap = limit.per / limit.calls
        key = f"limit:{vendor}:{hashlib.blake2b(account.encode(), digest_size=12).hexdigest()}"
        limits = [limit, *([allowance] if allowance else [])]
        self._keys = [key, f"{key}:long"][: len(limits)]
        self._numbers = [
            number for one in limits for number in (int((one.per / one.calls).total_seconds() * 1e6), one.burst)
        ]

    def take(self) -> None:
        """Wait for the right to make one call. Raises RateLimited when that is further away than our patience."""
        while wait := self._ask():
            if wait > PATIENCE:
                raise RateLimited("Waiting for the vendor's limit.", retry_after=wait)
            time.sleep(wait.total_seconds())

    def hold(self, span: timedelta) -> None:
        """Nobody calls for this long: the vendor said so."""
        try:
            numbers = (int(span.total_seconds() * 1e6), int(SLOWED_FOR.total_seconds() * 1000))
            _script(_server(), _HOLD)(keys=self._keys[:1], args=numbers)
        except redis.RedisError as failure:
            _logger.warning("the rate budget cannot be held: %s", type(failure).__name__)

    def _ask(self) -> timedelta:
        try:
            wait = int(_script(_server(), _TAKE)(keys=self._keys, args=self._numbers))
        except redis.RedisError as failure:
            _logger.warning("the rate budget cannot be asked: %s", type(failure).__name__)
            time.sleep(min(self._gap, PATIENCE).total_seconds())
            return timedelta()
        return timedelta(microseconds=wait)
