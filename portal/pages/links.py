"""Addresses within the tenant at hand."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.tenancy.models import Tenant


def tenant_url(request: HttpRequest, name: str, *args: Any, **query: Any) -> str:
    """The address of a page below /t/<slug>/ of the current tenant; keywords become its query unless blank."""
    slug = request.membership.tenant.slug  # type: ignore[attr-defined]
    wanted = {key: value for key, value in query.items() if value not in (None, "")}
    return reverse(name, args=[slug, *args], query=wanted or None)


def home_of(tenant: Tenant) -> str:
    """Where a tenant begins: its overview."""
    return f"/t/{tenant.slug}/"
