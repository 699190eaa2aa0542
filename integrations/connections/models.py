"""A tenant's use of a vendor: the connection, what opens it, and what happened at its door."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from integrations.contract import Connector, Diagnosis, Who
from integrations.registry import connectors
from portal.tenancy.models import OfTenant


class ConnectionState(models.TextChoices):
    DRAFT = "draft", "Not finished"
    WAITING_FOR_VENDOR = "waiting_for_vendor", "Waiting for the vendor"
    ACTIVE = "active", "Connected"
    NEEDS_RECONNECT = "needs_reconnect", "Needs reconnecting"
    NEEDS_ATTENTION = "needs_attention", "Needs attention"
    PAUSED = "paused", "Paused"
    DISCONNECTED = "disconnected", "Disconnected"


class Connection(OfTenant):
    """`account` is the vendor's own identity of the account; `reason` the words shown beside the state, `finding` the
    diagnosis they come from: {key, cause, cure, who}. While it waits for the vendor, `settings` are what was typed so
    far, unchecked: no connector is asked about them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    vendor = models.CharField(max_length=40)  # a key of the registry, checked there: no migration for a new vendor
    name = models.CharField(max_length=80)
    account = models.CharField(max_length=300, blank=True)
    settings = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=ConnectionState.choices, default=ConnectionState.DRAFT)
    reason = models.CharField(max_length=1000, blank=True)
    finding = models.JSONField(null=True, blank=True)
    since = models.DateTimeField(default=timezone.now)
    state_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    connected_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    connected_at = models.DateTimeField(null=True, blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)  # when the vendor last let us in
    checked_at = models.DateTimeField(null=True, blank=True)  # when each stream was last tried for what it may read
    check_due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "id"], name="connection_of_tenant"),
            models.UniqueConstraint(
                fields=["tenant", "vendor", "account"],
                condition=~models.Q(account=""),
                name="connection_once_per_account",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def connector(self) -> Connector:
        return connectors()[self.vendor]

    @property
    def is_active(self) -> bool:
        return self.state == ConnectionState.ACTIVE

    @property
    def is_draft(self) -> bool:
        return self.state == ConnectionState.DRAFT

    @property
    def is_waiting(self) -> bool:
        return self.state == ConnectionState.WAITING_FOR_VENDOR

    @property
    def is_unfinished(self) -> bool:
        """Never proved: a draft, or kept until the vendor answers."""
        return self.is_draft or self.is_waiting

    @property
    def is_paused(self) -> bool:
        return self.state == ConnectionState.PAUSED

    @property
    def is_disconnected(self) -> bool:
        return self.state == ConnectionState.DISCONNECTED

    @property
    def needs_reconnect(self) -> bool:
        return self.state == ConnectionState.NEEDS_RECONNECT

    @property
    def needs_attention(self) -> bool:
        return self.state == ConnectionState.NEEDS_ATTENTION

    @property
    def needs_a_person(self) -> bool:
        return self.state in {ConnectionState.NEEDS_RECONNECT, ConnectionState.NEEDS_ATTENTION}

    @property
    def uses_redirect(self) -> bool:
        return not self.is_waiting and self.connector.uses_redirect(self.settings)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What is behind its state, where that was found out."""
        if not self.finding:
            return None
        return Diagnosis(**{**self.finding, "who": Who(self.finding["who"])})

    def explain(self, diagnosis: Diagnosis | None, reason: str = "") -> None:
        """Set the words beside the state; nothing is saved."""
        self.finding = stored_form(diagnosis) if diagnosis else None
        self.reason = (diagnosis.words if diagnosis else reason)[:1000]


def stored_form(diagnosis: Diagnosis) -> dict[str, str]:
    """A diagnosis as `Connection.finding` keeps it."""
    return {"key": diagnosis.key, "cause": diagnosis.cause, "cure": diagnosis.cure, "who": diagnosis.who.value}


class OfConnection(OfTenant):
    """Base of every table whose rows belong to a connection; its migration adds the key that carries the tenant."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True


class Credential(OfConnection):
    """One secret a person entered, sealed. Write-only: nothing outside the vault opens it."""

    name = models.CharField(max_length=60)
    sealed = models.BinaryField()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection", "name"], name="credential_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Token(OfConnection):
    """What the vendor gave for the credentials, sealed. `generation` grows with every answer stored.

    The former refresh token stays until the new pair has worked (`proved_at`), since an answer may be stored that the
    vendor did not keep.
    """

    access = models.BinaryField()
    refresh = models.BinaryField(null=True)
    former_refresh = models.BinaryField(null=True)
    generation = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField(null=True)
    keep_alive_at = models.DateTimeField(null=True)  # refresh by then even if nobody asks
    stored_at = models.DateTimeField(default=timezone.now)
    proved_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection"], name="token_once"),
        ]

    def __str__(self) -> str:
        return f"generation {self.generation}"


class RefreshState(models.TextChoices):
    STARTED = "started", "Asked, no answer yet"
    STORED = "stored", "Answer stored"
    REFUSED = "refused", "Refused by the vendor"
    FAILED = "failed", "Vendor not reached"
    LOST = "lost", "Answer lost"


class TokenRefresh(OfConnection):
    """The refresh journal and its lock in one: the row is committed before the vendor is asked, and the database
    allows one open row per connection. `fingerprint` tells which token was spent without revealing it."""

    attempt = models.PositiveSmallIntegerField(default=1)
    generation = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=16)
    state = models.CharField(max_length=10, choices=RefreshState.choices, default=RefreshState.STARTED)
    error = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    lapses_at = models.DateTimeField()  # after this the asker is taken for dead
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "connection"], condition=models.Q(finished_at=None), name="one_refresh_at_a_time"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "connection", "-started_at"], name="refresh_latest")]

    def __str__(self) -> str:
        return f"{self.state} at {self.started_at}"


class AuthorizationAttempt(OfConnection):
    """One OAuth round: who started it, in which browser, for which connection. Ten minutes, single use."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    vendor = models.CharField(max_length=40)
    state_digest = models.CharField(max_length=64)
    browser_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.vendor} at {self.created_at}"


class SecretLink(OfConnection):
    """Asks one person without an account for some of a connection's secrets. The link's secret is kept as a digest
    only; it works once, for seven days. `names` are fields of the vendor's form."""

    whom = models.CharField(max_length=80)  # as the admin calls the person
    names = models.JSONField(default=list)
    digest = models.CharField(max_length=64, unique=True)
    asked_by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    entered_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["tenant", "connection", "-created_at"], name="secret_link_latest")]

    def __str__(self) -> str:
        return f"for {self.whom}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_open(self) -> bool:
        return self.entered_at is None and self.revoked_at is None and not self.is_expired


class Capability(OfConnection):
    """What the vendor lets this connection read of one stream, and when that was proved."""

    stream = models.CharField(max_length=60)
    state = models.CharField(max_length=20)
    note = models.CharField(max_length=500, blank=True)
    proved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "connection", "stream"], name="capability_once"),
        ]

    def __str__(self) -> str:
        return f"{self.stream}: {self.state}"

    @property
    def is_available(self) -> bool:
        return self.state in {"available", "unknown"}

    @property
    def words(self) -> str:
        """The state as people say it."""
        return self.state.replace("_", " ").capitalize()


class VendorRequest(OfConnection):
    """One outbound call: no query, no headers, no bodies."""

    KEPT_FOR: ClassVar = timedelta(days=14)

    request_id = models.CharField(max_length=32)
    method = models.CharField(max_length=8)
    host = models.CharField(max_length=255)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    received_bytes = models.PositiveBigIntegerField()
    vendor_request_id = models.CharField(max_length=100, blank=True)
    error = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["tenant", "connection", "-at"], name="request_latest")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def was_accepted(self) -> bool:
        return self.status is not None and self.status < 400 and not self.error


class VaultCanary(models.Model):
    """One sealed row that start-up opens to prove the keyring. It belongs to no tenant."""

    sealed = models.BinaryField()

    def __str__(self) -> str:
        return "canary"
