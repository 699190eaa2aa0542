"""Indexes for lists of one account's billings and of bookings in one state, built without a lock on the tables."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("records", "0014_generic_terms"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="booking",
            index=models.Index(fields=["tenant", "status", "starts_at", "record"], name="booking_status"),
        ),
        AddIndexConcurrently(
            model_name="billing",
            index=models.Index(
                fields=["tenant", "account", "due_date", "record"], include=("status",), name="billing_account_owed"
            ),
        ),
        RemoveIndexConcurrently(model_name="billing", name="billing_account"),
    ]
