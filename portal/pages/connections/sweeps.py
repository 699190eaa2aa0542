"""What an admin decides about things the vendor no longer lists."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from integrations.connections.models import Connection
from integrations.connections.services import access_connection
from integrations.sync.models import StreamState
from integrations.sync.services import lift_brake, start_sweep
from portal.pages.links import tenant_url
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role


@require_POST
@require_role(Role.ADMIN)
def sweep(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Look for deleted records of the stream named in the form, now."""
    connection = access_connection(connection_id)
    if start_sweep(_state(request, connection), by=request.membership.user):
        messages.success(request, "Looking for deleted records now.")
    else:
        messages.error(request, "Deleted records cannot be looked for here now.")
    return _back(request, connection)


@require_POST
@require_role(Role.ADMIN)
def confirm(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """What a sweep missed is really gone: mark it."""
    connection = access_connection(connection_id, for_change=True)
    try:
        lift_brake(_state(request, connection), by=request.membership.user)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "Looking once more. What is still missing then is marked.")
    return _back(request, connection)


def _state(request: TenantRequest, connection: Connection) -> StreamState:
    rows = StreamState.objects.select_related("connection")
    stream = request.POST.get("stream", "")
    return get_object_or_404(rows, tenant_id=connection.tenant_id, connection=connection, stream=stream)


def _back(request: TenantRequest, connection: Connection) -> HttpResponseRedirect:
    return HttpResponseRedirect(tenant_url(request, "connection", connection.pk))
