"""Indexes of what is open or unpaid alone, in the orders of its lists, built without a lock on the tables."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_OPEN = models.Q(("status__in", ("new", "accepted", "in_progress", "on_hold", "unknown")))
_UNPAID = models.Q(("status__in", ("billed", "partially_paid", "scheduled")))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("records", "0009_implied_keys"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="workorder",
            index=models.Index(condition=_OPEN, fields=["tenant", "due_at", "record"], name="workorder_open_due"),
        ),
        AddIndexConcurrently(
            model_name="workorder",
            index=models.Index(condition=_OPEN, fields=["tenant", "opened_at", "record"], name="workorder_open_opened"),
        ),
        AddIndexConcurrently(
            model_name="billing",
            index=models.Index(condition=_UNPAID, fields=["tenant", "due_date", "record"], name="billing_unpaid_due"),
        ),
        AddIndexConcurrently(
            model_name="billing",
            index=models.Index(
                condition=_UNPAID, fields=["tenant", "billed_date", "record"], name="billing_unpaid_billed"
            ),
        ),
    ]
