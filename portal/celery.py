"""The Celery application: messages are wake-up calls only, so none is kept and any may be lost or doubled."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("switchboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["integrations.sync", "integrations.connections"])


@worker_init.connect
def prove_keyring(**_: Any) -> None:
    """A worker with the wrong keyring refuses to start."""
    from integrations.connections.canary import prove_keyring

    prove_keyring()
