"""Things to be read again by their id: what sweeps missed, and what something else may have changed.

Asked for in the transaction that gives the reason, carried out by the next run of the thing's stream. Call in the
tenant's scope.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.contract import Access, Record, Stream
from integrations.errors import NotPermitted, RecordRejected, VendorChanged
from integrations.records.batches import Place
from integrations.records.models import Record as StoredRecord
from integrations.records.store import Stored, store
from integrations.sync.models import LookUp, LookUpReason, StreamState, SyncRun

_logger = logging.getLogger(__name__)
_ASK = """
insert into sync_lookup (tenant_id, connection_id, stream, external_id, reason, attempts, asked_at)
select %(tenant)s, %(connection)s, %(stream)s, unnest(%(ids)s::text[]), %(reason)s, 0, clock_timestamp()
on conflict (tenant_id, connection_id, stream, external_id) do update set asked_at = excluded.asked_at, attempts = 0
"""


ATTEMPTS = 5  # what cannot be answered so often is given up; the stream's own reading goes on all the while


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    external_id: str
    reason: str
    asked_at: datetime


def ask(tenant_id: int, connection_id: UUID, stream: str, ids: Collection[str], reason: LookUpReason) -> None:
    """Have these looked up. Asking twice looks once."""
    if not ids:
        return
    facts: dict[str, Any] = {
        "tenant": tenant_id,
        "connection": connection_id,
        "stream": stream,
        "ids": sorted(ids),
        "reason": reason,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASK, facts)


def hurry(tenant_id: int, connection_id: UUID, stream: str) -> None:
    """Let the stream's next run begin at once, if the stream is read by schedule at all."""
    states = StreamState.objects.filter(tenant_id=tenant_id, connection=connection_id, stream=stream)
    states.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())


def next_wanted(place: Place) -> Wanted | None:
    """The longest waiting one. What this run could not answer waits for the next."""
    run = SyncRun.objects.only("read_at").get(tenant_id=place.tenant_id, pk=place.run_id)
    row = _rows(place).filter(Q(attempts=0) | Q(asked_at__lt=run.read_at)).order_by("asked_at", "pk").first()
    return Wanted(external_id=row.external_id, reason=row.reason, asked_at=row.asked_at) if row else None


class Outcome(StrEnum):
    FOUND = "found"
    GONE = "gone"
    UNREADABLE = "unreadable"  # it is there
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    wanted: Wanted
    outcome: Outcome
    record: Record | None = None


def look_up(stream: Stream, access: Access, wanted: Wanted) -> Answered:
    """Ask the vendor; call outside any scope. What ends the whole run is raised; trouble with this one thing is not."""
    try:
        record = stream.look_up(access, wanted.external_id)
    except RecordRejected:
        return Answered(wanted=wanted, outcome=Outcome.UNREADABLE)
    except (NotPermitted, VendorChanged) as error:
        _logger.warning("a look-up brought no answer: %s", error.code, extra={"stream": stream.key})
        return Answered(wanted=wanted, outcome=Outcome.UNANSWERED)
    return Answered(wanted=wanted, outcome=Outcome.FOUND if record else Outcome.GONE, record=record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    stored: Stored
    found: int
    gone: int


def settle(place: Place, stream: Stream, answered: Answered) -> Settled:
    """Store what the vendor gave. What it no longer has was missed by sweeps before, so it is gone; where something
    else only stirred it, that is one miss more: no sweep has looked yet. What was asked for anew meanwhile stays."""
    wanted = answered.wanted
    stored = store(place, stream, [answered.record] if answered.record else [])
    there = StoredRecord.objects.filter(
        tenant_id=place.tenant_id,
        connection=place.connection_id,
        stream=place.stream,
        external_id=wanted.external_id,
        missing_since=None,
    )
    gone = 0
    if answered.outcome == Outcome.GONE and wanted.reason == LookUpReason.MISSED:
        gone = there.update(missing_since=timezone.now(), misses=F("misses") + 1)
    elif answered.outcome == Outcome.GONE:
        there.filter(misses=0).update(misses=1)
    elif answered.outcome != Outcome.UNANSWERED:
        there.filter(misses__gt=0).update(misses=0)
    rows = _rows(place).filter(external_id=wanted.external_id, asked_at__lte=wanted.asked_at)
    if answered.outcome == Outcome.UNANSWERED:
        rows.filter(attempts__gte=ATTEMPTS - 1).delete()
        rows.update(attempts=F("attempts") + 1, asked_at=timezone.now())
    else:
        rows.delete()
    found = answered.outcome in {Outcome.FOUND, Outcome.UNREADABLE}
    return Settled(stored=stored, found=int(found), gone=gone)


def _rows(place: Place) -> QuerySet[LookUp]:
    return LookUp.objects.filter(tenant_id=place.tenant_id, connection=place.connection_id, stream=place.stream)
