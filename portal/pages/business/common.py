"""What the pages of all business records share: who is asking, which connections there are, what a filter needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.contract import Connector
from integrations.records.models import Record, Typed
from integrations.records.queries import few_of
from integrations.registry import connectors
from integrations.values import Kind
from portal.pages.filters import Choice, Link, Reading, Word
from portal.pages.freshness import AsOf, as_of_kind
from portal.pages.lists import Bound
from portal.pages.zones import zone_of
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Tenant

_FEW = 1_000
EXPORT_FORMS = ("csv", "xlsx")


@dataclass
class Desk:
    """The reader's place: the tenant, the clock on the wall, the connections. Connections are read once."""

    request: TenantRequest

    @cached_property
    def tenant(self) -> Tenant:
        return self.request.membership.tenant

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone_of(self.request)

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def today(self) -> date:
        return timezone.localdate(self.now, self.zone)

    @cached_property
    def tenant_today(self) -> date:
        """The tenant's own day: what is overdue does not depend on where the reader sits."""
        return timezone.localdate(self.now, ZoneInfo(self.tenant.time_zone))

    @cached_property
    def connections(self) -> list[Connection]:
        return list(Connection.objects.filter(tenant_id=self.tenant.pk).order_by("name", "created_at"))

    def connections_with(self, kind: Kind) -> list[Connection]:
        """Those whose vendor brings this kind."""
        return [one for one in self.connections if any(stream.kind == kind for stream in streams_of(one))]

    def as_of(self, kind: Kind) -> AsOf:
        return as_of_kind(self.tenant.pk, self.connections, kind)

    def connection_filter(self, kind: Kind) -> Choice:
        connections = self.connections_with(kind)
        return OfConnection(**_choice(connections), connections=connections, kind=kind)

    def attach(self, rows: Sequence[Typed] | Sequence[Record]) -> None:
        """Give each row its connection without asking the database again."""
        by_id: dict[UUID, Connection] = {one.pk: one for one in self.connections}
        for row in rows:
            if row.connection_id in by_id:
                row.connection = by_id[row.connection_id]


@dataclass(frozen=True, kw_only=True)
class OfConnection(Choice):
    """For the typed lists, which no index reads by connection: what a connection brought little of would be sought
    among the rows of all others, so that little is named by its records' ids."""

    connections: Sequence[Connection]
    kind: Kind

    def read(self, params: QueryDict) -> Reading:
        reading = super().read(params)
        chosen = next((one for one in self.connections if str(one.pk) == reading.value), None)
        keys = [stream.key for stream in streams_of(chosen) if stream.kind == self.kind] if chosen else []
        if chosen is None or not keys:  # no such connection, or its vendor's folder is gone: its rows are still here
            return reading
        ids = few_of(chosen, keys, most=_FEW)
        return reading if ids is None else replace(reading, where=Q(pk__in=ids))


def connection_choice(connections: Iterable[Connection]) -> Choice:
    return Choice(**_choice(connections))


def _choice(connections: Iterable[Connection]) -> dict[str, Any]:
    words = [Word(value=str(one.pk), label=one.name, where=Q(connection_id=one.pk)) for one in connections]
    return {"key": "connection", "label": "Connection", "words": words}


def connector_of(connection: Connection) -> Connector | None:
    """None when the vendor's folder is gone: its data stay readable."""
    return connectors().get(connection.vendor)


def streams_of(connection: Connection) -> Iterable[Any]:
    connector = connector_of(connection)
    return connector.streams if connector else ()


def render_part(request: HttpRequest, page: str, part: str, facts: dict[str, Any]) -> HttpResponse:
    """The part htmx swaps, or the whole page for everybody else. The page includes that very part."""
    is_swap = bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    response = render(request, part if is_swap else page, facts)
    response.headers["Vary"] = "HX-Request"
    return response


def export_links(desk: Desk, bound: Bound[Any]) -> list[Link]:
    """The list as a file, as the address narrows and sorts it; none for those who may only read."""
    if not desk.request.membership.is_member:
        return []
    return [Link(label=form.upper(), url=bound.beside(f"export.{form}"), is_current=False) for form in EXPORT_FORMS]


def word_of(value: str) -> str:
    return value.replace("_", " ").capitalize()
