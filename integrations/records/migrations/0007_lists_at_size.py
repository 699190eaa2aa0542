"""Indexes for the lists of large tenants, built without a lock on the tables."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("records", "0006_known_fields"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="record",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)),
                fields=["tenant", "stream", "-changed_at", "-id"],
                name="record_gone_latest",
            ),
        ),
        AddIndexConcurrently(
            model_name="workorder",
            index=models.Index(fields=["tenant", "customer", "due_at", "record"], name="workorder_customer"),
        ),
        AddIndexConcurrently(
            model_name="workorder",
            index=models.Index(
                condition=models.Q(("status__in", ("completed", "verified")), _negated=True),
                fields=["tenant", "status", "opened_at", "record"],
                name="workorder_status_opened",
            ),
        ),
        AddIndexConcurrently(
            model_name="billing",
            index=models.Index(fields=["tenant", "account", "due_date", "record"], name="billing_account"),
        ),
        AddIndexConcurrently(
            model_name="billing",
            index=models.Index(
                condition=models.Q(("status", "paid"), _negated=True),
                fields=["tenant", "status", "billed_date", "record"],
                name="billing_status_billed",
            ),
        ),
    ]
