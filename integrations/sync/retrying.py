"""Reading again what was set aside, as it came then, with the reading of this release. Call in the tenant's scope."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F

from integrations.contract import Record, Stream
from integrations.records.arrivals import Aside, read_all, sort_out
from integrations.records.batches import Place
from integrations.records.drift import Shapes
from integrations.records.models import Record as StoredRecord
from integrations.records.models import RejectedRecord
from integrations.records.store import store
from integrations.sync import lookups
from integrations.sync.models import LookUpReason, StreamState
from portal.accounts.models import User
from portal.tenancy.audit import note

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How many were tried, and how many of them can be read now."""

    number: int
    readable: int


def try_again(state: StreamState, *, by: User) -> Tried:
    """Store what can be read by now; it counts as brought by the run that set it aside. What cannot stays as it is."""
    stream = state.definition
    aside = RejectedRecord.objects.filter(
        tenant_id=state.tenant_id, connection=state.connection_id, stream=state.stream, origin__isnull=False
    )
    rows = list(aside.order_by("pk")[:AT_ONCE])
    outdated = _outdated(state, rows)
    readable = _readable(stream, [_record(row) for row in rows if row.key not in outdated])
    by_run: dict[int, list[Record]] = defaultdict(list)
    for row in rows:
        if row.key in readable:
            by_run[row.run_id].append(readable[row.key])
    new = sum(store(_place(state, run_id), stream, records).new for run_id, records in by_run.items())
    StreamState.objects.filter(pk=state.pk).update(records=F("records") + new)
    aside.filter(key__in=[*readable, *outdated]).delete()
    if stream.can_look_up:  # it may have changed since: the next run asks
        lookups.ask(state.tenant_id, state.connection_id, state.stream, readable.keys(), LookUpReason.STIRRED)
    note("sync.tried_again", state.connection, by=by, stream=state.stream, tried=len(rows), readable=len(readable))
    return Tried(number=len(rows), readable=len(readable))


def _outdated(state: StreamState, rows: Iterable[RejectedRecord]) -> set[str]:
    """Those that have come in a newer form since, which could be read."""
    seen_at = {row.key: row.last_seen_at for row in rows}
    stored = StoredRecord.objects.filter(
        tenant_id=state.tenant_id, connection=state.connection_id, stream=state.stream, external_id__in=seen_at
    )
    return {key for key, at in stored.values_list("external_id", "changed_at") if at > seen_at[key]}


def _readable(stream: Stream, records: list[Record]) -> dict[str, Record]:
    aside: Aside = []
    candidates, _ = sort_out(stream, records, ())
    arrivals = read_all(stream, candidates, aside, Shapes())
    return {arrival.record.external_id: arrival.record for arrival in arrivals}


def _record(row: RejectedRecord) -> Record:
    request_id = row.request_id.hex if row.request_id else ""
    return Record(external_id=row.key, payload=row.payload.encode(), request_id=request_id, **(row.origin or {}))


def _place(state: StreamState, run_id: int) -> Place:
    return Place(tenant_id=state.tenant_id, connection_id=state.connection_id, stream=state.stream, run_id=run_id)
