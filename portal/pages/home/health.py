"""Whether this process lives, what it leans on answers, and work is done in time. Plain JSON, no sign-in."""

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.sync.lateness import lateness
from portal.tenancy.scope import ops_scope

_log = logging.getLogger(__name__)
_SECONDS = 2


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; it leans on nothing else, so that an outage elsewhere does not restart it."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """503 with the names of the parts that do not answer; why they do not is in the log alone."""
    parts = {name: _answers(check) for name, check in _PARTS.items()}
    failing = [name for name, answers in parts.items() if not answers]
    if failing:
        return JsonResponse({"status": "unavailable", "failing": failing}, status=503)
    return JsonResponse({"status": "ok", "parts": list(parts)})


@require_safe
@never_cache
def freshness(request: HttpRequest) -> JsonResponse:
    """503 when work that is due lies there and nobody takes it up: beat or the workers are down, or too few. What is
    only behind its promise (a vendor that is away), or waits at the cap of its tenant or connection, is counted, no
    more."""
    try:
        with ops_scope():
            found = lateness()
    except DatabaseError:
        _log.exception("freshness cannot be told")
        return JsonResponse({"status": "unavailable"}, status=503)
    facts = {
        "overdue": found.overdue,
        "overdue_since": found.since,
        "at_cap": found.at_cap,
        "behind": found.behind,
    }
    if found.overdue:
        return JsonResponse({"status": "late", **facts}, status=503)
    return JsonResponse({"status": "ok", **facts})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select 1")


def _broker() -> None:
    with redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    ) as broker:
        broker.ping()


def _cache() -> None:
    cache.get("health")


_PARTS: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "cache": _cache}


def _answers(check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception:  # whatever it is, the part does not answer
        _log.exception("not ready: %s", check.__name__.strip("_"))
        return False
    return True
