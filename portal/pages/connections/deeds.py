"""What people do with a connection. Each is one POST, one call to a service, and a way back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.connections import services
from integrations.connections.checks import check_again
from integrations.connections.expiries import warn
from integrations.connections.models import Connection, ConnectionState
from integrations.connections.services import access_connection
from integrations.contract import Diagnosis
from integrations.registry import connectors
from integrations.sync.models import SyncRun
from integrations.sync.services import start_sync, stop_all, stop_run
from portal.pages.connections import setup
from portal.pages.connections.queries import refused_streams
from portal.pages.links import tenant_url
from portal.tenancy.access import opens_own_scopes, require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Membership, Role
from portal.tenancy.scope import tenant_scope


@require_POST
@require_role(Role.MEMBER)
def sync(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Start every stream, or the one named in the form."""
    connection = access_connection(connection_id)
    stream = request.POST.get("stream", "")
    if stream and stream not in {one.key for one in connection.connector.streams}:
        raise Http404("There is no such stream.")
    if start_sync(connection, by=request.membership.user, stream=stream):
        messages.success(request, "Syncing now.")
    else:
        messages.error(request, f"{connection} is not active, so there is nothing to sync.")
    return _back(request, connection)


@require_POST
@require_role(Role.MEMBER)
def sync_all(request: TenantRequest) -> HttpResponse:
    """Start every stream of every active connection."""
    membership = request.membership
    active = Connection.objects.filter(tenant_id=membership.tenant_id, state=ConnectionState.ACTIVE)
    known = [connection for connection in active if connection.vendor in connectors()]
    for connection in known:
        start_sync(connection, by=membership.user)
    if known:
        messages.success(request, "Syncing everything now.")
    else:
        messages.error(request, "No connection is active, so there is nothing to sync.")
    return redirect(tenant_url(request, "overview"))


@require_POST
@require_role(Role.MEMBER)
def stop(request: TenantRequest, connection_id: UUID, run_id: int) -> HttpResponse:
    """End one open run; what it stored stays."""
    connection = access_connection(connection_id)
    run = get_object_or_404(SyncRun.objects.regular(), tenant_id=connection.tenant_id, connection=connection, pk=run_id)
    stop_run(run, words=f"Stopped by {request.membership.user}.")
    messages.success(request, "Stopped. What was read is kept, and the next sync goes on from there.")
    return _back(request, connection)


@opens_own_scopes
@require_POST
@require_role(Role.ADMIN)
def check(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """The live test with what is stored, now: what each stream may read, or what is wrong."""
    by = request.membership
    with tenant_scope(by.tenant_id):
        connection = access_connection(connection_id)
    if connection.needs_a_person:
        failure = setup.try_again(by, connection).failure
    elif connection.is_active:
        failure = _check_active(by, connection)
    else:
        messages.error(request, f"{connection} is not active, so there is nothing to check.")
        return _back(request, connection)
    if failure is None:
        messages.success(request, f"Checked. What {connection.connector.label} allows is shown with each stream.")
    else:
        messages.error(request, f"{failure.words} Who can mend it: {failure.who}.")
    return _back(request, connection)


def _check_active(by: Membership, connection: Connection) -> Diagnosis | None:
    """What is allowed now and was not before is read at once."""
    with tenant_scope(by.tenant_id):
        before = refused_streams(by.tenant_id, connection)
    failure = check_again(by.tenant_id, connection.pk)
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk)
        for _, stream in before - refused_streams(by.tenant_id, connection):
            start_sync(current, by=by.user, stream=stream)
    return failure


@require_POST
@require_role(Role.ADMIN)
def pause(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    connection = access_connection(connection_id, for_change=True)
    by = request.membership.user
    try:
        services.pause(connection, by=by)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
    else:
        stop_all(connection, words=f"Stopped: {by} paused the connection.")
        warn(request.membership.tenant, [connection])
        messages.success(request, "Paused. Nothing is read until you resume it.")
    return _back(request, connection)


@require_POST
@require_role(Role.ADMIN)
def resume(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    connection = access_connection(connection_id, for_change=True)
    by = request.membership.user
    try:
        services.resume(connection, by=by)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
    else:
        warn(request.membership.tenant, [connection])
        start_sync(connection, by=by)
        messages.success(request, "Resumed. It goes on where it stopped.")
    return _back(request, connection)


@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.ADMIN)
def disconnect(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """A page that says what will happen; its button does it."""
    connection = access_connection(connection_id, for_change=request.method == "POST")
    if request.method != "POST":
        return _leaving_page(request, connection)
    by = request.membership.user
    try:
        services.disconnect(connection, by=by)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
    else:
        stop_all(connection, words=f"Stopped: {by} disconnected the connection.")
        warn(request.membership.tenant, [connection])
        messages.success(request, "Disconnected. Its secrets are forgotten, its data is kept.")
    return _back(request, connection)


@require_POST
@require_role(Role.ADMIN)
def erase(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Remove a connection with its data: an owner's deed, with its name typed. A draft that never connected has no data
    and any admin may discard it."""
    connection = access_connection(connection_id, for_change=True)
    if connection.connected_at is not None:
        if not request.membership.is_owner:
            messages.error(request, "Only an owner can erase data.")
            return redirect(tenant_url(request, "connection-disconnect", connection.pk))
        if request.POST.get("name", "").strip() != connection.name:
            return _leaving_page(request, connection, "That is not its name, so nothing was erased.", status=422)
    services.erase(connection, by=request.membership.user)
    messages.success(request, f"{connection} is gone, with everything it had brought.")
    return redirect(tenant_url(request, "connections"))


def _leaving_page(request: TenantRequest, connection: Connection, failure: str = "", status: int = 200) -> HttpResponse:
    facts = {
        "connection": connection,
        "setup_page": f"{connection.vendor}/setup.html",
        "failure": failure,
        "was_connected": connection.connected_at is not None,
    }
    return render(request, "connections/disconnect.html", facts, status=status)


def _back(request: TenantRequest, connection: Connection) -> HttpResponseRedirect:
    return HttpResponseRedirect(tenant_url(request, "connection", connection.pk))
