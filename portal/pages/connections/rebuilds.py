"""Reading a stream anew: a page that says what will happen, shows what would change, and lets an admin decide."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from integrations.connections.models import Connection
from integrations.connections.services import access_connection
from integrations.sync import switch
from integrations.sync.models import Rebuild, RunKind, RunState, StreamState, SyncRun
from portal.pages.connections import queries
from portal.pages.connections.form_action import allow_sign_in
from portal.pages.connections.previews import Figures, preview_of
from portal.pages.connections.views import frame
from portal.pages.links import tenant_url
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role


@require_safe
@require_role(Role.ADMIN)
def page(request: TenantRequest, connection_id: UUID, stream: str) -> HttpResponse:
    """How the latest rebuild of a stream stands. While it reads, htmx asks again and swaps the part that lives."""
    connection = access_connection(connection_id)
    state = _state(connection, stream)
    facts: dict[str, Any] = {"connection": connection, "state": state, "stream": state.definition, **_latest(state)}
    if getattr(request, "htmx", False):
        return render(request, "connections/_rebuild.html", facts)
    facts |= frame(connection, queries.overview(connection), "connection")
    return allow_sign_in(render(request, "connections/rebuild.html", facts), [connection])


def _latest(state: StreamState) -> dict[str, Any]:
    of_stream = {"tenant_id": state.tenant_id, "stream_state": state}
    rows = Rebuild.objects.select_related("connection", "asked_by", "decided_by", "stream_state__connection")
    one = rows.filter(**of_stream).order_by("-asked_at").first()
    facts: dict[str, Any] = {"rebuild": one}
    if one is not None and one.is_reading:
        return facts | {"run": SyncRun.objects.filter(tenant_id=one.tenant_id, pk=one.run_id).first()}
    if one is not None and one.is_ready:
        return facts | {"preview": preview_of(one)}
    if one is not None and one.is_applied:
        facts["figures"] = Figures.of(one)
    copies = SyncRun.objects.filter(**of_stream, kind__in=[RunKind.BACKFILL, RunKind.REBUILD], state=RunState.DONE)
    return facts | {"former": copies.order_by("-queued_at").first()}


@require_POST
@require_role(Role.ADMIN)
def start(request: TenantRequest, connection_id: UUID, stream: str) -> HttpResponse:
    """Begin to read everything anew."""
    connection = access_connection(connection_id, for_change=True)
    state = _state(connection, stream)
    try:
        switch.start(state, by=request.membership.user)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"Reading {state.label.lower()} anew. What the pages show stays as it is.")
    return _to_page(request, connection, stream)


@require_POST
@require_role(Role.ADMIN)
def use(request: TenantRequest, connection_id: UUID, rebuild_id: int) -> HttpResponse:
    return _deed(request, connection_id, rebuild_id, switch.use, "The new copy is in use.")


@require_POST
@require_role(Role.ADMIN)
def discard(request: TenantRequest, connection_id: UUID, rebuild_id: int) -> HttpResponse:
    return _deed(request, connection_id, rebuild_id, switch.discard, "Discarded. Nothing was changed.")


@require_POST
@require_role(Role.ADMIN)
def undo(request: TenantRequest, connection_id: UUID, rebuild_id: int) -> HttpResponse:
    return _deed(request, connection_id, rebuild_id, switch.undo, "Undone. The pages show what they showed before.")


def _deed(
    request: TenantRequest, connection_id: UUID, rebuild_id: int, deed: Callable[..., Rebuild], words: str
) -> HttpResponse:
    """Do it, or say why it cannot be done; what a refused deed had begun is taken back."""
    connection = access_connection(connection_id, for_change=True)
    rows = Rebuild.objects.select_related("connection", "stream_state")
    one = get_object_or_404(rows, tenant_id=connection.tenant_id, connection=connection, pk=rebuild_id)
    _state(connection, one.stream)
    try:
        with transaction.atomic():
            deed(one, by=request.membership.user)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, words)
    return _to_page(request, connection, one.stream)


def _state(connection: Connection, stream: str) -> StreamState:
    """Raises Http404 also where a release took the stream away."""
    rows = StreamState.objects.select_related("connection")
    if stream not in {one.key for one in connection.connector.streams}:
        raise Http404("There is no such stream.")
    return get_object_or_404(rows, tenant_id=connection.tenant_id, connection=connection, stream=stream)


def _to_page(request: TenantRequest, connection: Connection, stream: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(tenant_url(request, "rebuild", connection.pk, stream))
