"""Default deny: every view below /t/<slug>/ says which role it takes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from portal.tenancy.models import Role

View = Callable[..., HttpResponseBase]


def require_role(role: Role) -> Callable[[View], View]:
    """Let members with at least this role in, 403 to the others. Marks the view: a test finds one without."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.membership.can(role):  # type: ignore[attr-defined]
                raise PermissionDenied(f"This needs the role {role.label}.")
            return view(request, *args, **kwargs)

        guarded.required_role = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def opens_own_scopes(view: View) -> View:
    """Run the view outside any transaction: it calls a vendor, and opens a scope around each piece of database work
    and around rendering. The membership has been checked all the same."""
    view.opens_own_scopes = True  # type: ignore[attr-defined]
    return view
