"""Things to be read again by their id: what sweeps missed, and what something else may have changed.

Asked for in the transaction that gives the reason, carried out by the next run of the thing's stream. Call in the
tenant's scope.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone

from integrations.contract import Access, Record, Stream
from integrations.errors import RecordRejected
from integrations.records.models import Record as StoredRecord
from integrations.records.store import Place, Stored, store
from integrations.sync.models import LookUp, LookUpReason, StreamState

_ASK = """
insert into sync_lookup (tenant_id, connection_id, stream, external_id, reason, asked_at)
select %(tenant)s, %(connection)s, %(stream)s, unnest(%(ids)s::text[]), %(reason)s, clock_timestamp()
on conflict (tenant_id, connection_id, stream, external_id) do update set asked_at = excluded.asked_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    external_id: str
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


def pending(place: Place, at_most: int) -> list[Wanted]:
    """The next ones, the longest waiting first."""
    rows = LookUp.objects.filter(tenant_id=place.tenant_id, connection=place.connection_id, stream=place.stream)
    return [
        Wanted(external_id=row.external_id, asked_at=row.asked_at) for row in rows.order_by("asked_at", "pk")[:at_most]
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """`record` is None where the vendor has no such thing, or (`refusal`) where it cannot be read."""

    wanted: Wanted
    record: Record | None
    refusal: str = ""

    @property
    def is_gone(self) -> bool:
        return self.record is None and not self.refusal


def look_up(stream: Stream, access: Access, wanted: Wanted) -> Answered:
    """Ask the vendor; call outside any scope. One that cannot be read is still there."""
    try:
        return Answered(wanted=wanted, record=stream.look_up(access, wanted.external_id))
    except RecordRejected as refusal:
        return Answered(wanted=wanted, record=None, refusal=refusal.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    stored: Stored
    found: int
    gone: int


def settle(place: Place, stream: Stream, answers: list[Answered]) -> Settled:
    """Store what the vendor gave; what it did not give is gone. What was asked for anew meanwhile stays."""
    stored = store(place, stream, [one.record for one in answers if one.record is not None])
    there = StoredRecord.objects.filter(tenant_id=place.tenant_id, connection=place.connection_id, stream=place.stream)
    found = [one.wanted.external_id for one in answers if not one.is_gone]
    there.filter(external_id__in=found, misses__gt=0).update(misses=0)
    gone = [one.wanted.external_id for one in answers if one.is_gone]
    number = there.filter(external_id__in=gone, missing_since=None).update(
        missing_since=timezone.now(), misses=F("misses") + 1
    )
    for one in answers:
        LookUp.objects.filter(
            tenant_id=place.tenant_id,
            connection=place.connection_id,
            stream=place.stream,
            external_id=one.wanted.external_id,
            asked_at__lte=one.wanted.asked_at,
        ).delete()
    return Settled(stored=stored, found=len(found), gone=number)
