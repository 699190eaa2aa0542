"""What two connections of the same account must have in common, however they came by it."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.records.models import Billing, Booking, Record, RecordVersion, RejectedRecord, WorkOrder
from integrations.sync.models import LookUp, RunKind, RunState, Sighting, StreamState, SyncRun
from portal.tenancy.scope import tenant_scope

_OWN = {"record", "tenant", "connection"}
Ledger = dict[str, dict[Any, Any]]


def ledger(connection: Connection, since: datetime) -> Ledger:
    """Everything that is kept of the connection and must not depend on what happened on the way; of the runs, what
    those begun since then brought in all."""
    with tenant_scope(connection.tenant_id):
        records = Record.objects.filter(connection=connection)
        names = ("payload", "context", "parent_id", "position", "title", "facets", "misses")
        rows = records.values_list("stream", "external_id", "missing_since", *names)
        kept: Ledger = {"records": {row[:2]: (row[2] is not None, *row[3:]) for row in rows}}
        assert len(kept["records"]) == len(rows), "a record is there twice"
        for model in (WorkOrder, Booking, Billing):
            columns = sorted(field.name for field in model._meta.concrete_fields if field.name not in _OWN)
            typed = model.objects.filter(connection=connection)
            named = typed.values_list("record__stream", "record__external_id", *columns)
            kept[model.__name__] = {row[:2]: row[2:] for row in named}
        versions = RecordVersion.objects.filter(tenant_id=connection.tenant_id, record__connection=connection)
        kept["versions"] = Counter(
            (stream, external_id, payload, str(context))
            for stream, external_id, payload, context in versions.values_list(
                "record__stream", "record__external_id", "payload", "context"
            )
        )
        rejected = RejectedRecord.objects.filter(connection=connection)
        kept["rejected"] = {row[:2]: row[2:] for row in rejected.values_list("stream", "key", "payload", "reason")}
        runs = SyncRun.objects.filter(connection=connection, queued_at__gte=since).order_by()
        kept["counts"] = {
            row["stream"]: (row["all_new"], row["all_changed"], row["all_missing"])
            for row in runs.values("stream").annotate(
                all_new=Sum("new"), all_changed=Sum("changed"), all_missing=Sum("missing")
            )
        }
        counted = dict(records.order_by().values_list("stream").annotate(Count("pk")))
        told = dict(StreamState.objects.filter(connection=connection).values_list("stream", "records"))
        assert {stream: counted.get(stream, 0) for stream in told} == told, "a counter is wrong"
        return kept


def left_over(connection: Connection) -> list[str]:
    """What should not be there once all is done."""
    with tenant_scope(connection.tenant_id):
        runs = SyncRun.objects.filter(connection=connection)
        found = {
            "open runs": runs.filter(finished_at=None).count(),
            "leases": runs.exclude(lease_until=None).count(),
            "sightings": Sighting.objects.filter(tenant_id=connection.tenant_id, run_id__in=runs.values("pk")).count(),
            "look-ups": LookUp.objects.filter(connection=connection).count(),
            "mistakes of ours": runs.filter(code="bug").count(),
        }
    return [f"{number} {what}" for what, number in found.items() if number]


def is_caught_up(connection: Connection, since: datetime, swept: frozenset[str]) -> bool:
    """Whether every stream was read to its end since then, those named were swept too, and nothing more is wanted."""
    with tenant_scope(connection.tenant_id):
        states = StreamState.objects.filter(connection=connection)
        runs = SyncRun.objects.filter(connection=connection)
        late = states.filter(Q(last_good_at=None) | Q(last_good_at__lt=since) | Q(due_at__lte=timezone.now()))
        if runs.filter(finished_at=None).exists() or late.exists():
            return False
        sweeps = runs.filter(kind=RunKind.SWEEP, state=RunState.DONE, queued_at__gte=since)
        was_swept = set(sweeps.values_list("stream", flat=True))
        return swept <= was_swept and not LookUp.objects.filter(connection=connection).exists()


def differences(calm: Ledger, stormy: Ledger) -> list[str]:
    """Where the two differ, a few of each kind."""
    found = []
    for section in calm:
        before, after = calm[section], stormy[section]
        keys = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
        found += [
            f"{section} {key}: undisturbed {before.get(key)!r:.300}, after the storm {after.get(key)!r:.300}"
            for key in sorted(keys, key=str)[:5]
        ]
        if len(keys) > 5:
            found.append(f"{section}: {len(keys)} in all")
    return found
