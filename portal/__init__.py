"""The site: people and tenants below, pages above. The Celery application loads with it so that tasks find it."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
