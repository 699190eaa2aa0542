"""The wake-up call: a message that says "advance run n". It may be lost or doubled; the database knows what is due."""

import logging
from functools import cache

import redis
from celery import current_app
from django.conf import settings
from django.db import transaction

_logger = logging.getLogger(__name__)


def wake(tenant_id: int, run_id: int) -> None:
    """Send the message once the transaction is committed. A broker that is away is no error: beat calls again."""
    transaction.on_commit(lambda: send(tenant_id, run_id))


def send(tenant_id: int, run_id: int) -> None:
    from integrations.sync.tasks import advance_run  # the task's module imports the engine, which wakes

    try:
        advance_run.apply_async(kwargs={"tenant_id": tenant_id, "sync_run_id": run_id}, retry=False)
    except advance_run.OperationalError as failure:
        _logger.warning("the broker cannot be reached: %s", type(failure).__name__)


def is_broker_empty() -> bool:
    """Whether no message at all waits for a worker. False where that cannot be told."""
    try:
        return not _broker().llen(current_app.conf.task_default_queue)
    except redis.RedisError as failure:
        _logger.warning("the broker cannot be asked: %s", type(failure).__name__)
        return False


@cache
def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=5, socket_connect_timeout=5)
