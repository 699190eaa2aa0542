"""What every detail page tells beside the record's own fields: where it came from, its history, what belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch

from integrations.connections.models import Connection, VendorRequest
from integrations.contract import Column, Stream
from integrations.records.models import Record
from integrations.records.queries import bookings, children_of, neighbour
from integrations.sync.models import StreamState, SyncRun
from integrations.values import Kind
from portal.pages.business.columns import Cell, Row, row_of
from portal.pages.business.common import connector_of, streams_of
from portal.pages.business.history import Provenance, pretty, provenance
from portal.pages.business.origins import origins
from portal.pages.business.requests import Brought, requests_of
from portal.pages.freshness import stream_of
from portal.pages.links import tenant_url

_MAX_CHILDREN = 100
_MAX_REQUESTS = 8
_BOOKING_COLUMNS = (Column(label="Booking", path=""), Column(label="Starts", path="", kind="instant"))
_PAGES = {Kind.WORK_ORDER: "work-order", Kind.BOOKING: "booking", Kind.BILLING: "billing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The records of one stream that belong to this one."""

    label: str
    page: str  # the name of the page that shows one of them
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    title: str
    page: str
    pk: int


def page_of(stream: Stream | None) -> str:
    """The name of the page that shows a record of this stream."""
    return _PAGES.get(stream.kind, "record") if stream and stream.kind else "record"


def about(request: HttpRequest, record: Record, connection: Connection, *, is_veiled: bool = False) -> dict[str, Any]:
    """At most eight statements. A veiled record shows neither its payload nor what it said before."""
    stream, connector = stream_of(connection, record.stream), connector_of(connection)
    known = provenance(record, is_veiled=is_veiled)
    is_admin = request.membership.is_admin  # type: ignore[attr-defined]
    return {
        "record": record,
        "connection": connection,
        "connection_url": connection_url(request, connection),
        "vendor": connector.label if connector else connection.vendor,
        "has_tile": connector is not None,
        "stream": stream,
        "provenance": known,
        "origins": origins(stream, record, is_veiled=is_veiled),
        **_requests(record, known, are_told=is_admin),
        "checked_at": checked_at(record),
        "payload": "" if is_veiled else pretty(record.payload),
        "is_veiled": is_veiled,
        "families": [] if is_veiled else _families(record, connection),
        "parent": _parent(record, connection, stream),
    }


def checked_at(record: Record) -> datetime | None:
    """When the record's stream was last caught up: until then what is shown is known to hold."""
    states = StreamState.objects.filter(
        tenant_id=record.tenant_id, connection_id=record.connection_id, stream=record.stream
    )
    return states.values_list("last_good_at", flat=True).first()


def _requests(record: Record, known: Provenance, *, are_told: bool) -> dict[str, Any]:
    """What brought the record as it is, and each change beside the change; where the first is not known, for the record
    is older than our keeping of it, the calls around its time. At most two statements; none where they are not told."""
    if not are_told:
        return {"changes": [(change, None) for change in known.changes]}
    told = [(record.changed_request_id, known.changed_run, record.changed_at)]
    told += [(change.request_id, change.run, change.at) for change in known.changes]
    found = requests_of(record, [Brought(request_id=one, run=run, at=at) for one, run, at in told if one])
    own = found.get(record.changed_request_id) if record.changed_request_id else None
    return {
        "changes": [(change, found.get(change.request_id) if change.request_id else None) for change in known.changes],
        "brought_by": own,
        "requests": None if own else requests_before(record, known.changed_run),
    }


def requests_before(record: Record, run: SyncRun | None) -> list[VendorRequest]:
    """The connection's last calls before the record was stored as it is, within the run that stored it, the latest
    first."""
    if run is None or run.started_at is None:
        return []
    of_it = VendorRequest.objects.filter(tenant_id=record.tenant_id, connection_id=record.connection_id)
    return list(of_it.filter(at__gte=run.started_at, at__lte=record.changed_at).order_by("-at", "-id")[:_MAX_REQUESTS])


def connection_url(request: HttpRequest, connection: Connection) -> str:
    """The connection's own page; "" in a house without such pages."""
    try:
        return tenant_url(request, "connection", connection.pk)
    except NoReverseMatch:
        return ""


def _parent(record: Record, connection: Connection, stream: Stream | None) -> Parent | None:
    found = neighbour(record, stream.parent, record.parent_id) if stream else None
    if found is None:
        return None
    above = stream_of(connection, found.stream)
    # A booking may be private, and its record's title would tell.
    title = "The booking" if above and above.kind == Kind.BOOKING else str(found)
    return Parent(title=title, page=page_of(above), pk=found.pk)


def _families(record: Record, connection: Connection) -> list[Family]:
    streams = [stream for stream in streams_of(connection) if stream.parent == record.stream]
    if not streams:
        return []
    found = list(children_of(record, streams).order_by("stream", "-changed_at", "-id")[: _MAX_CHILDREN + 1])
    return [_family(stream, [one for one in found if one.stream == stream.key]) for stream in streams]


def _family(stream: Stream, found: Sequence[Record]) -> Family:
    shown, is_booking = found[:_MAX_CHILDREN], stream.kind == Kind.BOOKING
    return Family(
        label=stream.label,
        page=page_of(stream),
        columns=_BOOKING_COLUMNS if is_booking else tuple(stream.columns),
        rows=_booking_rows(shown) if is_booking else tuple(row_of(one, stream.columns) for one in shown),
        has_more=len(found) > _MAX_CHILDREN,
    )


def _booking_rows(found: Sequence[Record]) -> tuple[Row, ...]:
    """By way of the bookings themselves, which keep to themselves what is private; a raw record would tell."""
    if not found:
        return ()
    by_id = bookings(found[0].tenant_id).in_bulk([one.pk for one in found])
    return tuple(
        Row(
            record=one,
            title=by_id[one.pk].title or "Booking",
            cells=(Cell(label="Starts", kind="instant", value=by_id[one.pk].starts_at),),
        )
        for one in found
        if one.pk in by_id
    )
