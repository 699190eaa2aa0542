"""What people do with tenants: create, invite, join, change roles, leave. Each is one deed."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from portal.accounts.models import User
from portal.tenancy.audit import note
from portal.tenancy.models import (
    INVITATION_LIFE,
    Invitation,
    Membership,
    Role,
    Tenant,
    digest_of,
    new_secret,
)
from portal.tenancy.scope import ops_scope, tenant_scope

MOST_OPEN_INVITATIONS = 200


def memberships_of(user: User) -> list[Membership]:
    """Every tenant the person belongs to, by name."""
    with ops_scope():
        return list(user.memberships.select_related("tenant").order_by("tenant__name"))


def find_membership(user: User, slug: str) -> Membership | None:
    """The person's membership in the tenant of that slug; None when there is no such tenant or no such membership."""
    with ops_scope():
        return user.memberships.select_related("tenant").filter(tenant__slug=slug).first()


def create_tenant(*, name: str, time_zone: str, currency: str, owner: User) -> Tenant:
    """A new tenant under a slug of its own, with its first owner."""
    base = slugify(name)[:40] or "tenant"
    for number in range(1, 1000):
        slug = base if number == 1 else f"{base}-{number}"
        try:
            with ops_scope():
                tenant = Tenant.objects.create(slug=slug, name=name, time_zone=time_zone, currency=currency)
        except IntegrityError:
            continue
        with tenant_scope(tenant.pk):
            Membership.objects.create(tenant=tenant, user=owner, role=Role.OWNER)
            note("tenant.created", tenant, by=owner)
        return tenant
    raise ValidationError("Choose another name.")


def update_tenant(tenant: Tenant, *, name: str, time_zone: str, currency: str, by: User) -> None:
    """Change what the tenant is called and how its times and money are read."""
    tenant.name, tenant.time_zone, tenant.currency = name, time_zone, currency
    tenant.save(update_fields=["name", "time_zone", "currency"])
    note("tenant.changed", tenant, by=by, time_zone=time_zone, currency=currency)


def invite(*, tenant: Tenant, email: str, role: Role, invited_by: Membership) -> Invitation:
    """Send a one-time link to that address. A former open invitation to it is replaced."""
    email = email.lower()
    if role > invited_by.role:
        raise ValidationError("You cannot give a role above your own.")
    if Membership.objects.filter(tenant=tenant, user__email=email).exists():
        raise ValidationError(f"{email} already belongs to {tenant}.")
    former = Invitation.objects.filter(tenant=tenant, email=email, accepted_at=None)
    if former.filter(role__gt=invited_by.role).exists():
        raise ValidationError(f"{email} has an open invitation to a role above yours.")
    if Invitation.objects.filter(tenant=tenant, accepted_at=None).count() >= MOST_OPEN_INVITATIONS:
        raise ValidationError("There are too many open invitations. Withdraw some first.")
    secret, digest = new_secret()
    try:
        with transaction.atomic():
            former.delete()
            invitation = Invitation.objects.create(
                tenant=tenant,
                email=email,
                role=role,
                digest=digest,
                invited_by=invited_by.user,
                expires_at=timezone.now() + INVITATION_LIFE,
            )
    except IntegrityError as twice:  # two clicks at once
        raise ValidationError(f"{email} has just been invited.") from twice
    note("people.invited", email, by=invited_by.user, role=role.label)
    _mail(invitation, secret, invited_by.user)
    return invitation


def resend_invitation(invitation: Invitation, *, by: Membership) -> None:
    """Send a new link that lasts from now on; the former one no longer works, as only its digest was kept."""
    if invitation.role > by.role:
        raise ValidationError("You cannot give a role above your own.")
    secret, invitation.digest = new_secret()
    invitation.expires_at = timezone.now() + INVITATION_LIFE
    invitation.invited_by = by.user
    invitation.save(update_fields=["digest", "expires_at", "invited_by"])
    note("people.invited_again", invitation.email, by=by.user, role=invitation.get_role_display())
    _mail(invitation, secret, by.user)


def withdraw_invitation(invitation: Invitation, *, by: Membership) -> None:
    """The link stops working."""
    if invitation.role > by.role:
        raise ValidationError("You cannot withdraw an invitation to a role above your own.")
    invitation.delete()
    note("people.invitation_withdrawn", invitation.email, by=by.user)


def _mail(invitation: Invitation, secret: str, inviter: User) -> None:
    """After the commit; a mail that fails is logged, and the people page offers to send it again."""
    tenant = invitation.tenant
    link = f"{settings.SITE_URL}{reverse('invitation', args=[secret])}"
    facts = {"invitation": invitation, "tenant": tenant, "inviter": inviter, "link": link}
    subject = " ".join(f"{inviter} invites you to {tenant} on Switchboard".split())  # a header takes no line break
    body = render_to_string("people/invitation_email.txt", facts)
    transaction.on_commit(lambda: send_mail(subject, body, None, [invitation.email]), robust=True)


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    invitation: Invitation
    tenant: Tenant


def find_invitation(secret: str) -> OpenInvitation | None:
    """The open invitation behind a link; None when it is unknown, used or expired."""
    with ops_scope():
        invitation = (
            Invitation.objects.select_related("tenant", "invited_by")
            .filter(digest=digest_of(secret), accepted_at=None, expires_at__gt=timezone.now())
            .first()
        )
    return OpenInvitation(invitation, invitation.tenant) if invitation else None


def invitations_for(user: User) -> list[OpenInvitation]:
    """The open invitations to the person's own address, which they proved when they signed up."""
    with ops_scope():
        return [
            OpenInvitation(invitation, invitation.tenant)
            for invitation in Invitation.objects.select_related("tenant", "invited_by")
            .filter(email=user.email.lower(), accepted_at=None, expires_at__gt=timezone.now())
            .exclude(tenant__in=user.memberships.values("tenant"))
            .order_by("created_at")
        ]


def accept_invitation(found: OpenInvitation, user: User) -> Membership:
    """Join. Raises ValidationError when it is for another address, or was used, withdrawn or sent anew meanwhile."""
    if user.email.lower() != found.invitation.email.lower():
        raise ValidationError(f"This invitation is for {found.invitation.email}. Sign in with that address.")
    with tenant_scope(found.tenant.pk):
        as_found = Invitation.objects.filter(pk=found.invitation.pk, digest=found.invitation.digest, accepted_at=None)
        if not as_found.update(accepted_at=timezone.now()):
            raise ValidationError("This invitation is no longer open.")
        membership, _ = Membership.objects.get_or_create(
            tenant=found.tenant, user=user, defaults={"role": found.invitation.role}
        )
        note("people.joined", user, by=user, role=membership.get_role_display())
    return membership


def change_role(membership: Membership, role: Role, *, by: Membership) -> None:
    """Raises ValidationError when it is above one's own, or would leave the tenant without an owner."""
    if max(role, membership.role) > by.role:
        raise ValidationError("You cannot change or give a role above your own.")
    if role < Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    note("people.role_changed", membership.user, by=by.user, role=role.label)


def remove(membership: Membership, *, by: Membership) -> None:
    """Take a person out, or leave oneself. Raises ValidationError for the last owner or someone above oneself."""
    if membership.role > by.role:
        raise ValidationError("You cannot remove someone whose role is above yours.")
    _keep_an_owner(membership)
    membership.delete()
    note("people.left" if membership.user_id == by.user_id else "people.removed", membership.user, by=by.user)


def _keep_an_owner(membership: Membership) -> None:
    """Locks the owners, so that two of them cannot leave at the same moment."""
    if membership.role != Role.OWNER:
        return
    owners = list(
        Membership.objects.select_for_update()
        .filter(tenant=membership.tenant_id, role=Role.OWNER)
        .values_list("pk", flat=True)
    )
    if owners == [membership.pk]:
        raise ValidationError("The last owner stays. Make someone else an owner first.")
