"""Rows for tests, as plain functions: each makes what it is named for, through the doors the site itself uses."""

import itertools
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from portal.accounts.models import User
from portal.tenancy import services
from portal.tenancy.models import Invitation, Membership, Role, Tenant, new_secret
from portal.tenancy.scope import ops_scope, tenant_scope

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def a_user(email: str = "", *, name: str = "Mara Okafor", password: str = "", **fields: object) -> User:
    """A person whose address is proved. Without `password` nobody can sign in as them (fast); see `signed_in`."""
    email = email or f"person-{next(_numbers)}@example.com"
    user = User.objects.create_user(email, password or None, name=name, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def a_tenant(
    name: str = "Tower Contracting",
    *,
    owner: User | None = None,
    time_zone: str = "America/Chicago",
    currency: str = "USD",
) -> Tenant:
    """A tenant with its first owner."""
    owner = owner or a_user()
    return services.create_tenant(name=name, time_zone=time_zone, currency=currency, owner=owner)


def a_membership(user: User | None = None, tenant: Tenant | None = None, role: Role = Role.MEMBER) -> Membership:
    """A person's place in a tenant; both are made where not given."""
    user, tenant = user or a_user(), tenant or a_tenant()
    with tenant_scope(tenant.pk):
        return Membership.objects.create(tenant=tenant, user=user, role=role)


def an_invitation(
    tenant: Tenant, email: str = "sam@example.com", role: Role = Role.MEMBER, *, lasts: timedelta = timedelta(days=7)
) -> tuple[Invitation, str]:
    """An open invitation (expired with a negative `lasts`) and its secret, without the mail."""
    secret, digest = new_secret()
    with tenant_scope(tenant.pk):
        invitation = Invitation.objects.create(
            tenant=tenant,
            email=email,
            role=role,
            digest=digest,
            invited_by=owner_of(tenant).user,
            expires_at=timezone.now() + lasts,
        )
    return invitation, secret


def owner_of(tenant: Tenant) -> Membership:
    with ops_scope():
        return Membership.objects.select_related("user").filter(tenant=tenant, role=Role.OWNER).order_by("pk")[0]
