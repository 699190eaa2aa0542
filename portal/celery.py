"""The Celery application: messages are wake-up calls only, so none is kept and any may be lost or doubled."""

import gc
import os
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.conf import settings
from django.db.backends.signals import connection_created

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("switchboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["integrations.sync", "integrations.connections"])


# A thread that waits for the database must get its turn soon beside the one that reads ahead.
SWITCH_SECONDS = 0.0005


@worker_init.connect
def take_turns_quickly(**_: Any) -> None:
    """Threads change ten times as often as they would: a batch waits for PostgreSQL many times."""
    sys.setswitchinterval(SWITCH_SECONDS)


@worker_init.connect
def bound_transactions(**_: Any) -> None:
    """A worker that freezes in the middle of a transaction must not hold its rows for longer than its lease."""
    connection_created.connect(_bound)


def _bound(connection: Any, **_: Any) -> None:
    with connection.cursor() as cursor:
        limit = f"{settings.SYNC_LEASE_SECONDS:f}s"
        cursor.execute("select set_config('idle_in_transaction_session_timeout', %s, false)", [limit])


@worker_init.connect
def load_connectors(**_: Any) -> None:
    """Once, ahead of the fork: a process that is started anew has them, and works at once."""
    from integrations.registry import connectors

    connectors()


@worker_init.connect
def prove_keyring(**_: Any) -> None:
    """A worker with the wrong keyring refuses to start."""
    from integrations.connections.canary import prove_keyring

    prove_keyring()


@worker_init.connect
def set_apart(**_: Any) -> None:
    """What is loaded by now stays for good: the collector looks through it no more, which was a twentieth of a first
    copy, and the processes that are forked from here go on sharing it."""
    gc.collect()
    gc.freeze()
