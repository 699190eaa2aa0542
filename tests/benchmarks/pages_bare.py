"""The yardsticks: a signed-in page without rows, and P, a bare page of 50 work orders along an index."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from integrations.records.queries import work_orders
from portal.tenancy.access import require_role
from portal.tenancy.models import Role

_TABLE = """{% load switchboard %}<!doctype html><title>Work orders</title><table>
{% for order in orders %}<tr>
  <td><a href="{% url 'work-order' slug order.pk %}">{{ order.number }}</a> {{ order.title }}</td>
  <td>{{ order.get_status_display }}</td><td>{{ order.get_priority_display }}</td>
  <td>{{ order.customer|default:"–" }}</td><td>{{ order.location|default:"–" }}</td>
  <td>{{ order.assignee|default:"Unassigned" }}</td><td>{{ order.due_at|date:"j M Y H:i" }}</td>
</tr>{% endfor %}</table>"""


@require_role(Role.VIEWER)
def floor(request: HttpRequest) -> HttpResponse:
    return HttpResponse("nothing")


@require_role(Role.VIEWER)
def bare(request: HttpRequest) -> HttpResponse:
    """Keyset SQL, the ORM and one template; no frame, filters or counts."""
    tenant = request.membership.tenant  # type: ignore[attr-defined]
    found = work_orders(tenant.pk).defer("description", "search").filter(due_at__isnull=False)
    facts = {"orders": found.order_by("due_at", "record_id")[:50], "slug": tenant.slug}
    return HttpResponse(_table().render(facts, request))


@cache
def _table() -> Any:
    return engines["django"].from_string(_TABLE)


urlpatterns = [
    path("t/<slug:tenant_slug>/bench/floor/", floor),
    path("t/<slug:tenant_slug>/bench/bare/", bare),
    path("", include("portal.urls")),
]
