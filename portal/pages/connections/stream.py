"""One stream of a connection, for admins: how the vendor's answers have changed, what is set aside, reading it anew."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from integrations.connections.models import Connection
from integrations.connections.services import access_connection
from integrations.contract import Stream
from integrations.records.models import RejectedRecord
from integrations.sync.models import StreamState
from integrations.sync.retrying import try_again
from portal.pages.connections import queries
from portal.pages.connections.fields import notes_of
from portal.pages.connections.form_action import allow_sign_in
from portal.pages.connections.views import frame
from portal.pages.links import tenant_url
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_MOST_ASIDE = 50


@require_safe
@require_role(Role.ADMIN)
def page(request: TenantRequest, connection_id: UUID, stream: str) -> HttpResponse:
    connection = access_connection(connection_id)
    definition = _definition(connection, stream)
    of_stream = {"tenant_id": connection.tenant_id, "connection": connection, "stream": stream}
    aside = RejectedRecord.objects.filter(**of_stream)
    facts = {
        **frame(connection, queries.overview(connection), "connection"),
        "stream": definition,
        "notes": notes_of(connection, definition),
        "aside": list(aside.defer("payload").order_by("-last_seen_at", "-pk")[:_MOST_ASIDE]),
        "number": aside.count(),
        "can_try": aside.filter(origin__isnull=False).exists(),
        "has_copy": StreamState.objects.filter(**of_stream, last_good_at__isnull=False).exists(),
    }
    return allow_sign_in(render(request, "connections/stream.html", facts), [connection])


@require_POST
@require_role(Role.ADMIN)
def retry(request: TenantRequest, connection_id: UUID, stream: str) -> HttpResponse:
    """Read again what is set aside."""
    connection = access_connection(connection_id)
    _definition(connection, stream)
    states = StreamState.objects.select_related("connection")
    state = get_object_or_404(states, tenant_id=connection.tenant_id, connection=connection, stream=stream)
    tried = try_again(state, by=request.membership.user)
    if tried.readable:
        messages.success(request, f"{tried.readable:,} of {tried.number:,} can be read now and are with the others.")
    else:
        messages.info(request, "They still cannot be read.")
    return HttpResponseRedirect(tenant_url(request, "connection-stream", connection.pk, stream))


def _definition(connection: Connection, stream: str) -> Stream:
    try:
        return connection.connector.stream(stream)
    except KeyError:
        raise Http404("There is no such stream.") from None
