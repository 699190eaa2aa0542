"""How fresh a page is, in the words of stored facts: when its streams were last caught up, and which are late."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection as database
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.connections.models import Capability, Connection
from integrations.contract import Stream
from integrations.registry import connectors
from integrations.sync.models import StreamState
from integrations.values import Kind

_GRACE = timedelta(minutes=5)
_READABLE = ["available", "unknown"]  # states of a capability; in all others the vendor refuses

# Every list asks this, so not by way of models.
_PROGRESS = """
    select connection_id, stream, last_good_at, "interval" from sync_streamstate of_stream
    where tenant_id = %(tenant)s and connection_id = any(%(connections)s) and stream = any(%(streams)s)
        and not exists (
            select from connections_capability refused
            where refused.tenant_id = of_stream.tenant_id and refused.connection_id = of_stream.connection_id
                and refused.stream = of_stream.stream and refused.state <> all(%(readable)s)
        )
"""


class Progress(NamedTuple):
    """How far a stream is: what of its state tells how fresh a page is."""

    connection_id: UUID
    stream: str
    last_good_at: datetime | None
    interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A stream that is behind its promise; `since` is None where it was never caught up."""

    connection: Connection
    label: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """`at` is the oldest of the moments the streams were last caught up."""

    at: datetime | None
    late: tuple[Late, ...] = ()
    has_streams: bool = True

    @property
    def is_late(self) -> bool:
        return bool(self.late)


def stream_of(connection: Connection, key: str) -> Stream | None:
    """The stream's definition; None when the vendor's folder (or the stream) is gone."""
    connector = connectors().get(connection.vendor)
    return next((stream for stream in connector.streams if stream.key == key), None) if connector else None


def in_use(connections: Iterable[Connection]) -> list[Connection]:
    """Those that bring, or should bring, data."""
    return [one for one in connections if not (one.is_unfinished or one.is_disconnected) and one.vendor in connectors()]


def stream_states(tenant_id: int, connections: Iterable[Connection]) -> QuerySet[StreamState]:
    """The streams of these connections, without those the vendor does not let us read."""
    found = StreamState.objects.filter(tenant_id=tenant_id, connection__in=[one.pk for one in connections])
    return found.filter(~_is_refused()).defer("cursor")


@cache
def _is_refused() -> Exists:
    of_state = {name: OuterRef(name) for name in ("tenant_id", "connection_id", "stream")}
    return Exists(Capability.objects.filter(**of_state).exclude(state__in=_READABLE))


def as_of(
    states: Iterable[StreamState] | Iterable[Progress],
    connections: Iterable[Connection],
    wanted: Callable[[Stream], bool] | None = None,
) -> AsOf:
    """Judges the states whose stream is wanted (all, without a question)."""
    by_id = {connection.pk: connection for connection in connections}
    now, moments, late, seen = timezone.now(), [], [], False
    for state in states:
        connection = by_id.get(state.connection_id)
        stream = stream_of(connection, state.stream) if connection else None
        if connection is None or stream is None or (wanted and not wanted(stream)):
            continue
        seen = True
        if state.last_good_at:
            moments.append(state.last_good_at)
        if state.last_good_at is None or now - state.last_good_at > 2 * state.interval + _GRACE:
            late.append(Late(connection=connection, label=stream.label, since=state.last_good_at))
    return AsOf(at=min(moments, default=None), late=tuple(late), has_streams=seen)


def as_of_kind(tenant_id: int, connections: Iterable[Connection], kind: Kind) -> AsOf:
    """How fresh the work orders, bookings or billings are: one statement."""
    used = in_use(connections)
    keys = {stream.key for one in used for stream in connectors()[one.vendor].streams if stream.kind == kind}
    return as_of(_progress(tenant_id, used, keys), used, lambda stream: stream.kind == kind)


def as_of_stream(tenant_id: int, connections: Iterable[Connection], key: str) -> AsOf:
    """How fresh one stream is, over these connections: one statement."""
    used = in_use(connections)
    return as_of(_progress(tenant_id, used, {key}), used)


def _progress(tenant_id: int, connections: Iterable[Connection], keys: Iterable[str]) -> list[Progress]:
    """Without what the vendor does not let us read."""
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "connections": [one.pk for one in connections],
        "streams": list(keys),
        "readable": _READABLE,
    }
    with database.cursor() as cursor:
        cursor.execute(_PROGRESS, values)
        return [Progress._make(row) for row in cursor.fetchall()]
