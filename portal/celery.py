"""The Celery application: messages are wake-up calls only, so none is kept and any may be lost or doubled."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("switchboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["integrations.sync", "integrations.connections"])
