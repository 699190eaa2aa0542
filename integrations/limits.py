"""One rate budget per vendor account, shared by all workers: GCRA in Redis, in one round trip.

The script answers how many microseconds to wait; 0 means go. `hold` keeps everyone away until the vendor's
`Retry-After` has passed. When Redis is away we go on at the plain pace of the limit, one call after the other.
"""

import hashlib
import logging
import time
from datetime import timedelta
from functools import cache

import redis
from django.conf import settings

from integrations.contract import Limit
from integrations.errors import RateLimited

_logger = logging.getLogger(__name__)
_TAKE = """
local now = redis.call('TIME'); now = now[1] * 1000000 + now[2]
local hold = tonumber(redis.call('GET', KEYS[1] .. ':hold') or '0')
if hold > now then return hold - now end
local due = tonumber(redis.call('GET', KEYS[1]) or '0'); if due < now then due = now end
local after = due + ARGV[1]
local free = after - ARGV[1] * ARGV[2]
if free > now then return math.ceil(free - now) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
return 0
"""
_HOLD = """
local now = redis.call('TIME'); now = now[1] * 1000000 + now[2]
redis.call('SET', KEYS[1] .. ':hold', string.format('%.0f', now + ARGV[1]), 'PX', math.ceil(ARGV[1] / 1000) + 1000)
"""
PATIENCE = timedelta(seconds=5)  # a longer wait gives the worker back and waits as a state of the run


@cache
def _server() -> redis.Redis:
    return redis.Redis.from_url(settings.LIMITS_URL, socket_timeout=5, socket_connect_timeout=5)


class Budget:
    """The budget of one vendor account."""

    def __init__(self, limit: Limit, vendor: str, account: str) -> None:
        self._gap = limit.per / limit.calls
        self._burst = limit.burst
        self._key = f"limit:{vendor}:{hashlib.blake2b(account.encode(), digest_size=12).hexdigest()}"

    def take(self) -> None:
        """Wait for the right to make one call. Raises RateLimited when that is further away than our patience."""
        while wait := self._ask():
            if wait > PATIENCE:
                raise RateLimited("Waiting for the vendor's limit.", retry_after=wait)
            time.sleep(wait.total_seconds())

    def hold(self, span: timedelta) -> None:
        """Nobody calls for this long: the vendor said so."""
        try:
            _server().eval(_HOLD, 1, self._key, int(span.total_seconds() * 1e6))
        except redis.RedisError as failure:
            _logger.warning("the rate budget cannot be held: %s", type(failure).__name__)

    def _ask(self) -> timedelta:
        try:
            wait = int(_server().eval(_TAKE, 1, self._key, int(self._gap.total_seconds() * 1e6), self._burst))
        except redis.RedisError as failure:
            _logger.warning("the rate budget cannot be asked: %s", type(failure).__name__)
            time.sleep(min(self._gap, PATIENCE).total_seconds())
            return timedelta()
        return timedelta(microseconds=wait)
