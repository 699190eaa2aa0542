"""The wake-up call: a message that says "there is work". It may be lost or doubled; the database knows what is due."""

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import transaction

_logger = logging.getLogger(__name__)


def wake() -> None:
    """Send the message once the transaction is committed. A broker that is away is no error: beat calls again."""
    transaction.on_commit(send)


def send() -> None:
    from integrations.sync.tasks import advance_run  # the task's module imports the engine, which wakes

    try:
        advance_run.apply_async(queue=settings.SYNC_QUEUE, retry=False)
    except advance_run.OperationalError as failure:
        _logger.warning("the broker cannot be reached: %s", type(failure).__name__)


def top_up(wanted: int) -> int:
    """Send as many as are missing from `wanted` at the broker, which may have lost some; how many these were."""
    try:
        missing = wanted - int(_broker().llen(settings.SYNC_QUEUE))
    except redis.RedisError as failure:
        _logger.warning("the broker cannot be asked: %s", type(failure).__name__)
        return 0
    for _ in range(missing):
        send()
    return max(missing, 0)


@cache
def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=5, socket_connect_timeout=5)
