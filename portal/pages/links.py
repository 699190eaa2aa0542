"""Addresses within the tenant at hand."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.tenancy.models import Tenant


def tenant_url(request: HttpRequest, name: str, *args: Any, **query: Any) -> str:
    """The address of a page below /t/<slug>/ of the current tenant; keywords become its query unless blank."""
    slug = request.membership.tenant.slug  # type: ignore[attr-defined]
    wanted = {key: value for key, value in query.items() if value not in (None, "")}
    if not wanted:
        if not args:
            return _plain(name, slug)
        if len(args) == 1 and isinstance(args[0], int):
            return str(args[0]).join(_around(name, slug))
    return reverse(name, args=[slug, *args], query=wanted or None)


@lru_cache(maxsize=1_024)
def _plain(name: str, slug: str) -> str:
    """Kept once found: every page leads to all that its menu names."""
    return reverse(name, args=[slug])


@lru_cache
def _around(name: str, slug: str) -> tuple[str, str]:
    """What stands before and after a thing's number in the address of its page: a list leads to fifty of a kind."""
    before, _, after = reverse(name, args=[slug, 0]).rpartition("0")
    return before, after


def home_of(tenant: Tenant) -> str:
    """Where a tenant begins: its overview."""
    return f"/t/{tenant.slug}/"
