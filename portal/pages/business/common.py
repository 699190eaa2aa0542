"""What the pages of all business records share: who is asking, which connections there are, what a filter needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.contract import Connector
from integrations.records.models import Record, Typed
from integrations.records.queries import among, few, few_of, is_one_of, records_gone
from integrations.registry import connectors
from integrations.values import Kind
from portal.pages.filters import Choice, Condition, Link, Word
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

    def gone(self, kind: Kind) -> Condition:
        """Of a typed row: its vendor no longer has it. What came from a vendor whose folder is gone may be any kind."""
        known = {stream.key for one in self.connections for stream in streams_of(one) if stream.kind == kind}
        streams = known if all(connector_of(one) for one in self.connections) else ()
        gone = records_gone(self.tenant.pk, streams)
        return _named_or_walked(few(gone, most=_FEW), is_one_of(gone))

    def connection_filter(self, kind: Kind) -> Choice:
        """For the typed lists, which no index reads by connection."""
        words = [
            Word(value=str(one.pk), label=one.name, look_up=partial(self._brought_by, one, kind))
            for one in self.connections_with(kind)
        ]
        return _choice(words)

    def _brought_by(self, connection: Connection, kind: Kind) -> Condition:
        """What a connection brought little of would be sought among the rows of all others."""
        streams = [stream.key for stream in streams_of(connection) if stream.kind == kind]
        ids = few_of(connection, streams, most=_FEW) if streams else None  # none: its vendor's folder is gone
        return _named_or_walked(ids, Q(connection_id=connection.pk))

    def attach(self, rows: Iterable[Typed] | Iterable[Record]) -> None:
        """Give each row its connection without asking the database again."""
        by_id: dict[UUID, Connection] = {one.pk: one for one in self.connections}
        for row in rows:
            if row.connection_id in by_id:
                row.connection = by_id[row.connection_id]


def connection_choice(connections: Iterable[Connection]) -> Choice:
    words = [Word(value=str(one.pk), label=one.name, where=Q(connection_id=one.pk)) for one in connections]
    return _choice(words)


def _choice(words: Sequence[Word]) -> Choice:
    return Choice(key="connection", label="Connection", words=words)


def _named_or_walked(ids: Sequence[int] | None, otherwise: Q) -> Condition:
    """A few rows are named by their ids; for many the list is walked."""
    return Condition(also=otherwise, is_walk=True) if ids is None else Condition(where=among(ids))


def connector_of(connection: Connection) -> Connector | None:
    """None when the vendor's folder is gone: its data stay readable."""
    return connectors().get(connection.vendor)


def streams_of(connection: Connection) -> Iterable[Any]:
    connector = connector_of(connection)
    return connector.streams if connector else ()


def is_marked_gone(row: Typed) -> bool:
    """Of a row annotated with `gone_since`: whether its list marks it, which takes its connection."""
    return vars(row)["gone_since"] is not None


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
