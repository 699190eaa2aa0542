"""One run of a connection: what it brought, and for admins what it asked the vendor."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations.connections.models import VendorRequest
from integrations.connections.services import access_connection
from integrations.sync.models import SyncRun
from portal.pages.connections import listings, queries
from portal.pages.connections.form_action import allow_sign_in
from portal.pages.connections.views import frame
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_MOST_REQUESTS = 50


@require_safe
@require_role(Role.VIEWER)
def run(request: TenantRequest, connection_id: UUID, run_id: int) -> HttpResponse:
    """One run; other runs of the connection may have been at work in the same time."""
    connection = access_connection(connection_id)
    runs = SyncRun.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    one = get_object_or_404(runs.select_related("requested_by"), pk=run_id)
    facts = {
        **frame(connection, queries.overview(connection), "connection-history"),
        "runs": listings.run_lines(connection.tenant_id, [one], {connection.pk: connection}),
    }
    if request.membership.is_admin:
        facts["calls"] = _requests(one)
    return allow_sign_in(
        render(request, "connections/run.html", facts), [connection] if request.membership.is_admin else []
    )


def _requests(one: SyncRun) -> list[VendorRequest]:
    """What was asked of the vendor while it went on, the earliest first."""
    if one.started_at is None:
        return []
    of_it = VendorRequest.objects.filter(tenant_id=one.tenant_id, connection_id=one.connection_id)
    within = of_it.filter(at__gte=one.started_at, at__lte=one.finished_at or timezone.now())
    return list(within.order_by("at", "id")[:_MOST_REQUESTS])
