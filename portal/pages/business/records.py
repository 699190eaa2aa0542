"""All records: every stream the vendors give, a generic list and a generic detail."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations.connections.models import Connection
from integrations.contract import Connector, Stream
from integrations.records.queries import bookings as bookings_of
from integrations.records.queries import records as records_of_tenant
from integrations.records.queries import records_of
from integrations.registry import connectors
from integrations.sync.models import StreamState
from integrations.values import Kind
from portal.pages.business.columns import cell_of, decoded, row_of
from portal.pages.business.common import Desk, connector_of, export_links, render_part
from portal.pages.business.details import about, page_of
from portal.pages.business.listings import record_listing
from portal.pages.freshness import as_of, as_of_stream, in_use, stream_of, stream_states
from portal.pages.links import tenant_url
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_SHOWN = ("connection_id", "external_id", "title", "payload", "changed_at", "missing_since")
_LISTS = {Kind.WORK_ORDER: "work-orders", Kind.BOOKING: "bookings", Kind.BILLING: "billings"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A stream of one vendor, over all of the tenant's connections to it."""

    stream: Stream
    url: str
    number: int
    is_refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    connector: Connector
    connections: tuple[Connection, ...]
    shelves: tuple[Shelf, ...]


@require_role(Role.VIEWER)
def record_streams(request: TenantRequest) -> HttpResponse:
    desk = Desk(request)
    used = in_use(desk.connections)
    states = list(stream_states(desk.tenant.pk, used))
    facts = {"vendors": _vendors(request, used, states), "as_of": as_of(states, used)}
    return render(request, "records/streams.html", facts)


@require_role(Role.VIEWER)
def records(request: TenantRequest, vendor: str, stream: str) -> HttpResponse:
    desk = Desk(request)
    connections, definition = asked_stream(desk, vendor, stream)
    if definition.kind:
        return redirect(tenant_url(request, _LISTS[definition.kind]))
    columns = definition.columns
    bound = record_listing(desk, connections, definition).bind(request.GET, request.path)
    page = bound.page(records_of(desk.tenant.pk, connections, stream).only(*_SHOWN))
    desk.attach(row for row in page.rows if row.missing_since)
    facts = {
        "bound": bound,
        "page": page,
        "rows": [row_of(record, columns) for record in page.rows],
        "stream": definition,
        "connector": connector_of(connections[0]),
        "connections": connections,
        "as_of": as_of_stream(desk.tenant.pk, connections, stream),
        "noun": "record",
        "exports": export_links(desk, bound),
    }
    return render_part(request, "records/list.html", "records/_list.html", facts)


@require_role(Role.VIEWER)
def record(request: TenantRequest, pk: int) -> HttpResponse:
    found = records_of_tenant(request.membership.tenant_id).select_related("connection")
    one = get_object_or_404(found, pk=pk)
    stream = stream_of(one.connection, one.stream)
    if stream and stream.kind:
        return redirect(tenant_url(request, page_of(stream), one.pk))
    if stream is None and bookings_of(one.tenant_id).filter(pk=one.pk).exists():
        return redirect(tenant_url(request, "booking", one.pk))  # its vendor's folder is gone, its privacy is not
    fields = decoded(one.payload)
    facts = {
        "title": str(one),
        "cells": [cell_of(fields, column) for column in (stream.columns if stream else ())],
        **about(request, one, one.connection),
    }
    return render(request, "records/detail.html", facts)


def asked_stream(desk: Desk, vendor: str, stream: str) -> tuple[list[Connection], Stream]:
    """The tenant's connections to the vendor, and its stream. Raises Http404 where there is none of either."""
    connections = [one for one in desk.connections if one.vendor == vendor]
    definition = stream_of(connections[0], stream) if connections else None
    if definition is None:
        raise Http404("There is no such stream.")
    return connections, definition


def _vendors(request: TenantRequest, used: Iterable[Connection], states: Iterable[StreamState]) -> list[Vendor]:
    by_vendor: dict[str, list[Connection]] = {}
    for connection in used:
        by_vendor.setdefault(connection.vendor, []).append(connection)
    vendor_of = {connection.pk: connection.vendor for connection in used}
    numbers: dict[tuple[str, str], int] = {}
    for state in states:
        key = (vendor_of[state.connection_id], state.stream)
        numbers[key] = numbers.get(key, 0) + state.records
    return [
        Vendor(
            connector=connectors()[vendor],
            connections=tuple(connections),
            shelves=tuple(_shelf(request, vendor, stream, numbers) for stream in connectors()[vendor].streams),
        )
        for vendor, connections in by_vendor.items()
    ]


def _shelf(request: TenantRequest, vendor: str, stream: Stream, numbers: dict[tuple[str, str], int]) -> Shelf:
    url = (
        tenant_url(request, _LISTS[stream.kind]) if stream.kind else tenant_url(request, "records", vendor, stream.key)
    )
    return Shelf(
        stream=stream,
        url=url,
        number=numbers.get((vendor, stream.key), 0),
        is_refused=(vendor, stream.key) not in numbers,
    )
