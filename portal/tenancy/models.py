"""Tenants, who belongs to them, who is invited, and who did what."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

INVITATION_LIFE = timedelta(days=7)
MAX_WEIGHT = 10


class Role(models.IntegerChoices):
    """Each may do what the ones before it may."""

    VIEWER = 10, "Viewer"
    MEMBER = 20, "Member"
    ADMIN = 30, "Admin"
    OWNER = 40, "Owner"


class OfTenant(models.Model):
    """Base of every table whose rows belong to a tenant; its migration calls `rls.protect`."""

    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True


def valid_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValidationError(f"{name} is not a known time zone.") from unknown


class Tenant(models.Model):
    """`weight`: its share of the workers, set by the operators; `turn`: the round in which one last worked for it."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    time_zone = models.CharField(max_length=50, default="UTC", validators=[valid_time_zone])
    currency = models.CharField(max_length=3, default="USD")
    weight = models.PositiveSmallIntegerField(
        default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(MAX_WEIGHT)]
    )
    turn = models.FloatField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(weight__range=(1, MAX_WEIGHT)), name="weight_of_tenant"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper()


class Membership(OfTenant):
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def can(self, role: Role) -> bool:
        """Whether this membership may do what `role` may."""
        return self.role >= role

    @property
    def is_owner(self) -> bool:
        return self.role == Role.OWNER

    @property
    def is_admin(self) -> bool:
        return self.can(Role.ADMIN)

    @property
    def is_member(self) -> bool:
        return self.can(Role.MEMBER)


class Invitation(OfTenant):
    """One-time and expiring, for one address. The link's secret is kept as a digest only."""

    email = models.EmailField()
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.MEMBER)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "email"], condition=models.Q(accepted_at=None), name="invitation_once"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class Event(OfTenant):
    """Who did what to which thing. Append only; no actor means the system itself."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    action = models.CharField(max_length=60)  # "connection.paused"
    subject = models.CharField(max_length=200)  # the thing's name at that time
    details = models.JSONField(default=dict)  # never a secret

    class Meta:
        indexes: ClassVar = [models.Index(fields=["tenant", "-at"], name="event_latest")]

    def __str__(self) -> str:
        return f"{self.action}: {self.subject}"


def new_secret() -> tuple[str, str]:
    """A link's secret and the digest under which it is kept."""
    secret = secrets.token_urlsafe(32)
    return secret, digest_of(secret)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
