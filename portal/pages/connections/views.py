"""The pages that show connections. What one does with them is in `deeds` and `setup_views`."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integrations.connections.expiries import endings
from integrations.connections.models import Connection, Credential, Token, TokenRefresh, VendorRequest
from integrations.connections.services import access_connection
from integrations.forms import SecretField
from integrations.registry import connectors
from integrations.sync.models import SyncRun
from portal.pages.connections import listings, queries
from portal.pages.connections.fields import marks_of
from portal.pages.connections.form_action import allow_sign_in
from portal.pages.connections.links import AskForm, labels_of, lines_of
from portal.pages.connections.waiting import letter_of
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_JOURNAL = 20


@require_safe
@require_role(Role.VIEWER)
def index(request: TenantRequest) -> HttpResponse:
    """The tenant's connections, and the vendors there are to connect."""
    cards = queries.cards(request.membership.tenant_id)
    facts = {
        "cards": cards,
        "endings": endings(request.membership.tenant, [card.connection for card in cards]),
        "vendors": sorted(connectors().values(), key=lambda one: one.label.lower()),
    }
    response = render(request, "connections/index.html", facts)
    return allow_sign_in(response, _signs_in(request, [card.connection for card in cards]))


@require_safe
@require_role(Role.VIEWER)
def streams(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """A connection's own page. htmx asks the same address again and again and swaps the part that lives."""
    connection = access_connection(connection_id)
    page = queries.overview(connection)
    facts = {**frame(connection, page, "connection"), "latest": listings.latest_runs(connection)}
    is_fragment = bool(getattr(request, "htmx", False))
    if not is_fragment:
        facts |= _around(request, connection)
    response = render(request, "connections/_live.html" if is_fragment else "connections/streams.html", facts)
    return allow_sign_in(response, _signs_in(request, [connection]))


def _around(request: TenantRequest, connection: Connection) -> dict[str, Any]:
    """What stands around the live part: what ends, and for an admin whom to ask for what is missing and
    what is worth a look."""
    facts: dict[str, Any] = {"endings": endings(request.membership.tenant, [connection])}
    if not request.membership.is_admin or connection.is_disconnected:
        return facts
    if connection.is_waiting:
        facts["letter"] = letter_of(connection.connector, connection.settings, request.membership)
    facts["marks"] = marks_of(connection)
    if labels_of(connection.connector):
        facts |= {"links": lines_of(connection), "ask_form": AskForm(connection.connector)}
    return facts


@require_safe
@require_role(Role.VIEWER)
def history(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Every run of the last 90 days."""
    connection = access_connection(connection_id)
    bound = listings.runs_of(connection).bind(request.GET)
    rows = SyncRun.objects.filter(tenant_id=connection.tenant_id, connection=connection).select_related("requested_by")
    page = bound.page(rows)
    facts = {**frame(connection, queries.overview(connection), "connection-history"), "page": page}
    facts["runs"] = listings.run_lines(connection.tenant_id, page.rows, {connection.pk: connection})
    return allow_sign_in(render(request, "connections/history.html", facts), _signs_in(request, [connection]))


@require_safe
@require_role(Role.ADMIN)
def requests(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Our calls to the vendor of the last 14 days."""
    connection = access_connection(connection_id)
    bound = listings.REQUESTS.bind(request.GET)
    page = bound.page(VendorRequest.objects.filter(tenant_id=connection.tenant_id, connection=connection))
    facts = {**frame(connection, queries.overview(connection), "connection-requests"), "page": page}
    return allow_sign_in(render(request, "connections/requests.html", facts), [connection])


@require_safe
@require_role(Role.ADMIN)
def credentials(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Which secrets are stored and how the tokens fare. No value is read for it, sealed or not."""
    connection = access_connection(connection_id)
    of_it = {"tenant_id": connection.tenant_id, "connection": connection}
    stored = {one.name: one.updated_at for one in Credential.objects.filter(**of_it).defer("sealed")}
    secrets = [
        {"label": field.label or name.replace("_", " ").capitalize(), "updated_at": stored.get(name)}
        for name, field in connection.connector.form.base_fields.items()
        if isinstance(field, SecretField)
    ]
    facts = {
        **frame(connection, queries.overview(connection), "connection-credentials"),
        "secrets": secrets,
        "token": Token.objects.filter(**of_it).defer("access", "refresh", "former_refresh").first(),
        "journal": TokenRefresh.objects.filter(**of_it).order_by("-started_at")[:_JOURNAL],
    }
    return allow_sign_in(render(request, "connections/credentials.html", facts), [connection])


def frame(connection: Connection, page: queries.Overview, tab: str) -> dict[str, Any]:
    """What the head of every page of a connection shows."""
    return {
        "connection": connection,
        "overview": page,
        "standing": page.standing,
        "environment": environment_of(connection),
        "tab": tab,
    }


def environment_of(connection: Connection) -> str:
    """The vendor's environment in the words of its form, for those that have several."""
    value = connection.settings.get("environment")
    field = connection.connector.form.base_fields.get("environment")
    return next((str(label) for key, label in getattr(field, "choices", ()) if key == value), "")


def _signs_in(request: HttpRequest, found: list[Connection]) -> list[Connection]:
    """Those for which this reader may be sent to the vendor."""
    is_admin = request.membership.is_admin  # type: ignore[attr-defined]
    return [one for one in found if not one.is_disconnected] if is_admin else []
