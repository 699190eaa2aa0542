"""The URL says the tenant: every page below /t/<slug>/ runs in the scope of that tenant, or answers 404."""

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve

from portal.tenancy.models import Membership
from portal.tenancy.scope import ops_scope, tenant_scope
from portal.tenancy.services import memberships_of


class TenantRequest(HttpRequest):
    """A request below /t/<slug>/, as the views see it."""

    membership: Membership


class TenantMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if match.app_names[:1] == ["admin"]:
            with ops_scope():
                return self._answer(request)
        slug = match.kwargs.get("tenant_slug")
        if slug is None:
            return self.get_response(request)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        memberships = memberships_of(request.user)
        membership = next((one for one in memberships if one.tenant.slug == slug), None)
        if membership is None:
            # Raised inside the chain, so that a stranger gets the very page an unknown address gives.
            request.tenant_is_missing = True  # type: ignore[attr-defined]
            return self.get_response(request)
        request.memberships = memberships  # type: ignore[attr-defined]
        request.membership = membership  # type: ignore[attr-defined]
        if getattr(match.func, "opens_own_scopes", False):
            return self._private(self.get_response(request))
        with tenant_scope(membership.tenant_id):
            return self._answer(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]) -> None:
        if getattr(request, "tenant_is_missing", False):
            raise Http404
        kwargs.pop("tenant_slug", None)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """What a failed view wrote is taken back; without this the error page would commit it."""
        if getattr(request, "is_in_scope", False):
            transaction.set_rollback(True)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        request.is_in_scope = True  # type: ignore[attr-defined]
        response = self._private(self.get_response(request))
        if response.status_code >= 500:
            transaction.set_rollback(True)
        return response

    def _private(self, response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response
