"""Indexes for whose turn it is, built without a lock on the table."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("sync", "0005_rebuilds"),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name="syncrun",
            name="run_open",
        ),
        AddIndexConcurrently(
            model_name="syncrun",
            index=models.Index(
                condition=models.Q(("finished_at", None)), fields=["tenant", "next_slice_at"], name="run_waiting"
            ),
        ),
        AddIndexConcurrently(
            model_name="syncrun",
            index=models.Index(
                condition=models.Q(
                    ("finished_at", None),
                    models.Q(
                        ("state", "running"),
                        ("woken_at__isnull", False),
                        models.Q(("code", ""), _negated=True),
                        _connector="OR",
                    ),
                ),
                fields=["tenant", "connection"],
                name="run_in_hand",
            ),
        ),
    ]
