"""Who belongs to the tenant, who is invited, and what the tenant is called."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.pages.home.forms import TenantForm
from portal.pages.links import tenant_url
from portal.pages.people.forms import InviteForm, RoleForm, roles_of
from portal.pages.people.queries import members_as_seen_by, open_invitations_as_seen_by
from portal.tenancy import services
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Invitation, Membership, Role


@require_role(Role.VIEWER)
@require_safe
def people(request: TenantRequest) -> HttpResponse:
    return _page(request, InviteForm(giver=request.membership))


@require_role(Role.ADMIN)
@require_POST
def invite(request: TenantRequest) -> HttpResponse:
    me = request.membership
    form = InviteForm(request.POST, giver=me)
    if form.is_valid():
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        try:
            services.invite(tenant=me.tenant, email=email, role=role, invited_by=me)
        except ValidationError as refusal:
            form.add_error("email", refusal)
        else:
            messages.success(request, f"An invitation is on its way to {email}. It lasts seven days.")
            return redirect(tenant_url(request, "people"))
    return _page(request, form, status=422)


@require_role(Role.ADMIN)
@require_POST
def resend_invitation(request: TenantRequest, invitation_id: int) -> HttpResponse:
    invitation = _open_invitation(request, invitation_id)
    return _do(
        request,
        lambda: services.resend_invitation(invitation, by=request.membership),
        f"A new invitation is on its way to {invitation}. The former link no longer works.",
    )


@require_role(Role.ADMIN)
@require_POST
def withdraw_invitation(request: TenantRequest, invitation_id: int) -> HttpResponse:
    invitation = _open_invitation(request, invitation_id)
    return _do(
        request,
        lambda: services.withdraw_invitation(invitation, by=request.membership),
        f"The invitation to {invitation} is withdrawn.",
    )


@require_role(Role.ADMIN)
@require_POST
def change_role(request: TenantRequest, membership_id: int) -> HttpResponse:
    membership = _member(request, membership_id)
    form = RoleForm(request.POST, giver=request.membership)
    if not form.is_valid():
        messages.error(request, "You cannot give that role.")
        return redirect(tenant_url(request, "people"))
    role: Role = form.cleaned_data["role"]
    return _do(
        request,
        lambda: services.change_role(membership, role, by=request.membership),
        f"{membership.user} is now {role.label.lower()}.",
    )


@require_role(Role.ADMIN)
def remove(request: TenantRequest, membership_id: int) -> HttpResponse:
    """GET asks, POST does."""
    membership = _member(request, membership_id)
    if request.method != "POST":
        return render(request, "people/remove.html", {"member": membership})
    return _do(
        request,
        lambda: services.remove(membership, by=request.membership),
        f"{membership.user} no longer belongs to {request.membership.tenant}.",
    )


@require_role(Role.VIEWER)
def leave(request: TenantRequest) -> HttpResponse:
    """GET asks, POST does."""
    me = request.membership
    if request.method != "POST":
        return render(request, "people/leave.html")
    try:
        services.remove(me, by=me)
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect(tenant_url(request, "people"))
    messages.success(request, f"You have left {me.tenant}.")
    return redirect("home")


@require_role(Role.ADMIN)
def tenant_settings(request: TenantRequest) -> HttpResponse:
    tenant = request.membership.tenant
    form = TenantForm(
        request.POST or None,
        initial={"name": tenant.name, "time_zone": tenant.time_zone, "currency": tenant.currency},
    )
    if request.method == "POST" and form.is_valid():
        services.update_tenant(
            tenant,
            name=form.cleaned_data["name"],
            time_zone=form.cleaned_data["time_zone"],
            currency=form.cleaned_data["currency"],
            by=request.membership.user,
        )
        messages.success(request, "Saved.")
        return redirect(tenant_url(request, "tenant-settings"))
    return render(request, "people/settings.html", {"form": form})


def _page(request: TenantRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    me = request.membership
    facts = {
        "members": members_as_seen_by(me),
        "invitations": open_invitations_as_seen_by(me),
        "roles": roles_of(me),
        "form": form,
    }
    return render(request, "people/people.html", facts, status=status)


def _do(request: TenantRequest, deed: Callable[[], object], words: str) -> HttpResponse:
    """Do it and say so, or say why not; then back to the list."""
    try:
        deed()
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
    else:
        messages.success(request, words)
    return redirect(tenant_url(request, "people"))


def _member(request: TenantRequest, membership_id: int) -> Membership:
    members = Membership.objects.select_related("user").filter(tenant=request.membership.tenant)
    return get_object_or_404(members, pk=membership_id)


def _open_invitation(request: TenantRequest, invitation_id: int) -> Invitation:
    invitations = Invitation.objects.select_related("tenant").filter(tenant=request.membership.tenant, accepted_at=None)
    return get_object_or_404(invitations, pk=invitation_id)
