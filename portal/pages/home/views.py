"""Ahead of any tenant: the front door, the first tenant, an invitation."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.models import User
from portal.pages.home.forms import TenantForm
from portal.pages.links import home_of
from portal.tenancy import services
from portal.tenancy.models import Tenant


class SignedInRequest(HttpRequest):
    user: User


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Strangers see what this is; people with one tenant are taken there, others choose or begin."""
    if not isinstance(request.user, User):
        return render(request, "home/landing.html")
    memberships = services.memberships_of(request.user)
    invitations = services.invitations_for(request.user)
    if len(memberships) == 1 and not invitations:
        return redirect(home_of(memberships[0].tenant))
    if memberships:
        return render(request, "home/choose.html", {"invitations": invitations})
    return render(request, "home/start.html", {"invitations": invitations})


@login_required
def create_tenant(request: SignedInRequest) -> HttpResponse:
    form = TenantForm(request.POST or None, initial={"currency": "USD", "time_zone": request.user.time_zone or "UTC"})
    if request.method == "POST" and form.is_valid():
        tenant = services.create_tenant(
            name=form.cleaned_data["name"],
            time_zone=form.cleaned_data["time_zone"],
            currency=form.cleaned_data["currency"],
            owner=request.user,
        )
        messages.success(request, f"{tenant} is ready. Connect your first vendor.")
        return redirect(home_of(tenant))
    return render(request, "home/create_tenant.html", {"form": form})


@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Who invites to what. Accepting is a POST by the person whose address was invited."""
    found = services.find_invitation(secret)
    if found is None:
        return render(request, "home/invitation_closed.html", status=404)
    facts = {"found": found, "path": reverse("invitation", args=[secret])}
    if not isinstance(request.user, User):
        return render(request, "home/invitation.html", facts)
    if request.user.email.lower() != found.invitation.email.lower():
        return render(request, "home/invitation_other_address.html", facts)
    if request.method == "POST":
        return _join(request, found, request.user)
    return render(request, "home/invitation.html", facts)


@login_required
@require_POST
def accept_own_invitation(request: SignedInRequest, invitation_id: int) -> HttpResponse:
    """From the list of invitations to one's own address, without the mail."""
    for found in services.invitations_for(request.user):
        if found.invitation.pk == invitation_id:
            return _join(request, found, request.user)
    raise Http404


def _join(request: HttpRequest, found: services.OpenInvitation, user: User) -> HttpResponse:
    try:
        services.accept_invitation(found, user)
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect("home")
    return _welcome(request, found.tenant)


def _welcome(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    messages.success(request, f"Welcome to {tenant}.")
    return redirect(home_of(tenant))
