"""One open problem per cause and connection, closed by proof."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from portal.tenancy.models import OfTenant


class Problem(OfTenant):
    connection = models.ForeignKey(
        "connections.Connection", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    stream = models.CharField(max_length=60, blank=True)  # blank: the whole connection
    code = models.CharField(max_length=60)
    words = models.CharField(max_length=1000)
    who = models.CharField(max_length=100, blank=True)  # can mend it
    needs_a_person = models.BooleanField(default=True)
    is_lasting = models.BooleanField(default=False)  # closed by name only: that the vendor answers proves nothing
    opened_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    count = models.PositiveIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "stream", "code"],
                condition=models.Q(closed_at=None),
                name="one_open_problem_per_cause",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "-opened_at"], name="problem_latest")]

    def __str__(self) -> str:
        return self.words
