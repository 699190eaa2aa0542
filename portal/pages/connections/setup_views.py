"""The pages where an admin connects a vendor: the vendor's form, and the way to its sign-in page."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.connections import authorization
from integrations.connections.models import Connection
from integrations.connections.services import access_connection, kept_secrets
from integrations.contract import Connector, Diagnosis, RedirectConnector
from integrations.forms import ConnectionForm
from integrations.registry import connectors
from portal.pages.connections import sandbox, setup, waiting
from portal.pages.connections.callback import COOKIE_PATH, cookie_name, cookie_salt
from portal.pages.connections.waiting import UnfinishedForm
from portal.pages.links import tenant_url
from portal.tenancy.access import opens_own_scopes, require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope

_AGAIN = 422  # the form is shown again


@opens_own_scopes
@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.ADMIN)
def connect(request: TenantRequest, vendor: str) -> HttpResponse:
    """A new connection to a vendor."""
    connector = connectors().get(vendor)
    if connector is None:
        raise Http404("There is no such vendor.")
    return _form_page(request, connector, None)


@opens_own_scopes
@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.ADMIN)
def edit(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """The details of a connection: to finish it, to mend it, to change them."""
    with tenant_scope(request.membership.tenant_id):
        connection = access_connection(connection_id)
    return _form_page(request, connection.connector, connection)


@require_POST
@require_role(Role.ADMIN)
def authorize(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """Send the browser to the vendor's consent page, with a cookie that says where the round began."""
    connection = access_connection(connection_id)
    if not connection.uses_redirect or connection.is_disconnected:
        messages.error(request, "Enter the details first.")
        return redirect(tenant_url(request, "connection-edit", connection.pk))
    departure = authorization.begin(connection, request.membership.user)
    response = HttpResponseRedirect(departure.address)
    response.set_signed_cookie(
        cookie_name(connection.vendor),
        departure.cookie,
        salt=cookie_salt(connection.vendor),
        max_age=int(authorization.LIFE.total_seconds()),
        path=COOKIE_PATH,
        secure=settings.IS_HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def _form_page(request: TenantRequest, connector: Connector, connection: Connection | None) -> HttpResponse:
    by = request.membership
    with tenant_scope(by.tenant_id):
        kept = kept_secrets(connection) if connection else frozenset()
    form: ConnectionForm | UnfinishedForm = setup.form_of(connector, connection, kept)
    failure: Diagnosis | str | None = (connection.diagnosis or connection.reason) if connection else None
    if request.method == "POST":
        failure = None
        if "later" in request.POST:
            return _keep_for_later(request, connector, connection)
        data = request.POST if "sandbox" not in request.POST else _sandbox_data(request, connector, connection)
        if data is None:
            failure = "Every account of the sandbox is connected already."
        else:
            form = setup.form_of(connector, connection, kept, data)
            done, failure = _try(request, connector, connection, form)
            if done is not None:
                return done
            if "sandbox" in request.POST:  # what was not typed here is not shown here
                failure = failure or " ".join(map(str, form.non_field_errors())) or "The sandbox's values do not fit."
                form = setup.form_of(connector, connection, kept)
    with tenant_scope(by.tenant_id):
        facts = _facts(connector, connection, form)
        facts |= {"failure": failure, "failure_heading": _failure_heading(request, connection)}
        return render(request, "connections/connect.html", facts, status=_status(request))


def _keep_for_later(request: TenantRequest, connector: Connector, connection: Connection | None) -> HttpResponse:
    """The vendor has not given everything yet: keep what is there."""
    by = request.membership
    form = UnfinishedForm(connector, request.POST)
    if form.is_valid():
        try:
            kept = waiting.keep(by, connector, connection, form)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, f"Kept. Go on as soon as {connector.label} has answered.")
            return redirect(tenant_url(request, "connection", kept.pk))
    with tenant_scope(by.tenant_id):
        facts = _facts(connector, connection, form)
        return render(request, "connections/connect.html", facts, status=_AGAIN)


def _status(request: TenantRequest) -> int:
    return _AGAIN if request.method == "POST" else 200


def _try(
    request: TenantRequest, connector: Connector, connection: Connection | None, form: ConnectionForm
) -> tuple[HttpResponse | None, Diagnosis | None]:
    """Where to go when the form did its work; None with the reason when it is to be shown again."""
    if not form.is_valid():
        return None, None
    try:
        result = setup.connect(request.membership, connector, connection, form)
    except ValidationError as refusal:
        form.add_error(None, refusal)
        return None, None
    kept = result.connection
    if result.failure:
        if kept.connected_at is None:  # kept as a draft: its own page goes on from here
            return redirect(tenant_url(request, "connection-edit", kept.pk)), None
        return None, result.failure
    if not result.awaits_sign_in:
        messages.success(request, _success_words(result, is_first=connection is None or not connection.connected_at))
    return redirect(tenant_url(request, "connection", kept.pk)), None


def _success_words(result: setup.Result, *, is_first: bool) -> str:
    if result.is_renamed:
        return "Saved."
    if result.connection.is_paused:
        return "Saved and proved. It stays paused until you resume it."
    return "Connected. The first copy begins now." if is_first else "Saved and proved. It goes on from where it was."


def _sandbox_data(request: TenantRequest, connector: Connector, connection: Connection | None) -> dict[str, Any] | None:
    """The values of a sandbox account as the form would send them."""
    if not sandbox.is_offered(connector.key):
        raise Http404("There is no sandbox.")
    with tenant_scope(request.membership.tenant_id):
        taken = setup.accounts_taken(request.membership.tenant_id, connector.key, connection.pk if connection else None)
    only = connection.account if connection and connection.connected_at else ""
    values = sandbox.account_values(connector, taken=taken, only=only)
    return values and {"name": connection.name if connection else connector.label, **values}


def _failure_heading(request: TenantRequest, connection: Connection | None) -> str:
    if connection is None or connection.connected_at is None:
        return "Not connected yet"
    return "Nothing was changed" if request.method == "POST" else str(connection.get_state_display())


def _facts(
    connector: Connector, connection: Connection | None, form: ConnectionForm | UnfinishedForm
) -> dict[str, Any]:
    return {
        "connector": connector,
        "connection": connection,
        "form": form,
        "groups": groups_of(form),
        "setup_page": f"{connector.key}/setup.html",
        "redirect_uri": authorization.redirect_uri(connector.key) if isinstance(connector, RedirectConnector) else "",
        "has_sandbox": sandbox.is_offered(connector.key),
    }


def groups_of(form: ConnectionForm | UnfinishedForm) -> list[dict[str, Any]]:
    """The fields under their headings; those under none come first."""
    grouped = {name for _, names in form.fieldsets for name in names}
    first = [form[name] for name in form.fields if name not in grouped]
    groups = [{"heading": "", "fields": first}] if first else []
    for heading, names in form.fieldsets:
        groups.append({"heading": heading, "fields": [form[name] for name in names if name in form.fields]})
    return groups
