"""Indexes for what an account has not paid and for bookings of one kind, built without a lock on the tables."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("records", "0015_narrowed_lists"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="booking",
            index=models.Index(fields=["tenant", "kind", "starts_at", "record"], name="booking_kind"),
        ),
        migrations.RenameIndex(
            model_name="billing", new_name="billing_account_status", old_name="billing_account_owed"
        ),
        AddIndexConcurrently(
            model_name="billing",
            index=models.Index(
                condition=models.Q(("status__in", ("billed", "partially_paid", "scheduled"))),
                fields=["tenant", "account", "due_date", "record"],
                include=("status",),
                name="billing_unpaid_account",
            ),
        ),
    ]
