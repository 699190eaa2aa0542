"""The people page's rows, with what the reader may do to each."""

from dataclasses import dataclass

from portal.tenancy.models import Invitation, Membership


@dataclass(frozen=True, slots=True)
class Member:
    membership: Membership
    is_self: bool
    may_change: bool  # the role, by the reader
    may_remove: bool


@dataclass(frozen=True, slots=True)
class Invited:
    invitation: Invitation
    may_change: bool


def members_as_seen_by(reader: Membership) -> list[Member]:
    """Owners first, then by name. The last owner's role cannot be changed, so that nobody is offered to."""
    memberships = list(
        Membership.objects.filter(tenant=reader.tenant_id).select_related("user").order_by("-role", "user__name", "pk")
    )
    owners = sum(membership.is_owner for membership in memberships)
    return [
        Member(
            membership,
            is_self=membership.pk == reader.pk,
            may_change=_is_below(membership, reader) and not (membership.is_owner and owners == 1),
            may_remove=_is_below(membership, reader) and membership.pk != reader.pk,
        )
        for membership in memberships
    ]


def open_invitations_as_seen_by(reader: Membership) -> list[Invited]:
    """The expired ones too: they can be sent again."""
    invitations = Invitation.objects.filter(tenant=reader.tenant_id, accepted_at=None).select_related("invited_by")
    return [
        Invited(invitation, may_change=reader.is_admin and invitation.role <= reader.role)
        for invitation in invitations.order_by("email")
    ]


def _is_below(membership: Membership, reader: Membership) -> bool:
    return reader.is_admin and membership.role <= reader.role
