"""What went on: the latest runs of every connection, and who did what."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integrations.sync.models import SyncRun
from portal.pages.connections import listings, queries
from portal.pages.connections.events import lines_of
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Event, Role


@require_safe
@require_role(Role.VIEWER)
def runs(request: TenantRequest) -> HttpResponse:
    """Runs across connections, the latest first."""
    tenant_id = request.membership.tenant_id
    connections = queries.connections_of(tenant_id)
    bound = listings.runs_of_all(connections).bind(request.GET)
    page = bound.page(SyncRun.objects.filter(tenant_id=tenant_id).select_related("requested_by"))
    lines = listings.run_lines(tenant_id, page.rows, {one.pk: one for one in connections})
    return render(request, "activity/runs.html", {"page": page, "runs": lines, "tab": "activity"})


@require_safe
@require_role(Role.ADMIN)
def audit(request: TenantRequest) -> HttpResponse:
    """The audit trail."""
    bound = listings.EVENTS.bind(request.GET)
    page = bound.page(Event.objects.filter(tenant_id=request.membership.tenant_id).select_related("actor"))
    return render(
        request, "activity/audit.html", {"page": page, "events": lines_of(page.rows), "tab": "activity-audit"}
    )
