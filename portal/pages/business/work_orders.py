"""Work orders: the list and one of them."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from integrations.records.queries import gone_since
from integrations.records.queries import work_orders as work_orders_of
from integrations.values import Kind
from portal.pages.business.common import Desk, export_links, is_marked_gone, render_part
from portal.pages.business.details import about
from portal.pages.business.listings import work_order_listing
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_SHOWN = (
    "connection_id",
    "number",
    "title",
    "status",
    "priority",
    "customer",
    "location",
    "assignee",
    "due_at",
)


@require_role(Role.VIEWER)
def work_orders(request: TenantRequest) -> HttpResponse:
    desk = Desk(request)
    bound = work_order_listing(desk).bind(request.GET, request.path)
    shown = work_orders_of(desk.tenant.pk).only(*_SHOWN, bound.order.column)  # a cursor is made of the order
    page = bound.page(shown.annotate(gone_since=gone_since()))
    bound.suggest("customer", (row.customer for row in page.rows))
    desk.attach(row for row in page.rows if is_marked_gone(row))
    facts = {
        "bound": bound,
        "page": page,
        "as_of": desk.as_of(Kind.WORK_ORDER),
        "sources": desk.connections_with(Kind.WORK_ORDER),
        "all_url": bound.url(status="all"),
        "noun": "work order",
        "exports": export_links(desk, bound),
    }
    return render_part(request, "work_orders/list.html", "work_orders/_list.html", facts)


@require_role(Role.VIEWER)
def work_order(request: TenantRequest, pk: int) -> HttpResponse:
    found = work_orders_of(request.membership.tenant_id).select_related("record", "connection")
    order = get_object_or_404(found, pk=pk)
    facts = {"order": order, **about(request, order.record, order.connection)}
    return render(request, "work_orders/detail.html", facts)
