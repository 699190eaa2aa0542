"""What people do with connections. Everything that calls a vendor is outside any transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from integrations.connections.access import GIVEN, given_secrets, stored_secrets
from integrations.connections.checks import store_capabilities
from integrations.connections.models import (
    AuthorizationAttempt,
    Connection,
    ConnectionState,
    Credential,
    SecretLink,
    Token,
)
from integrations.connections.tokens import store_tokens
from integrations.connections.vault import keyring
from integrations.contract import Capability as Found
from integrations.contract import Diagnosis, Tokens
from integrations.problems.services import close_all_problems, close_problems
from integrations.registry import connectors
from portal.accounts.models import User
from portal.tenancy.audit import note
from portal.tenancy.scope import scoped_tenant_id


def access_connection(connection_id: UUID, *, for_change: bool = False) -> Connection:
    """The one door to a connection of the current tenant; another tenant's does not exist (Http404). `for_change`
    locks its row, so that two deeds at once come one after the other."""
    rows = Connection.objects.filter(tenant_id=scoped_tenant_id(), pk=connection_id)
    found = (rows.select_for_update(no_key=True) if for_change else rows).first()
    if found is None or found.vendor not in connectors():
        raise Http404("There is no such connection.")
    return found


def kept_secrets(connection: Connection) -> frozenset[str]:
    """The names of the secrets in the vault, never their values; those entered through a link among them."""
    rows = Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    return frozenset(name.removeprefix(GIVEN) for name in rows.values_list("name", flat=True))


def save_draft(
    connection: Connection | None,
    *,
    vendor: str,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    by: User,
) -> Connection:
    """Keep what was entered, secrets sealed. Raises ValidationError when that vendor account is connected already,
    or when a connection would turn to a different account."""
    account = ensure_account(connection, vendor=vendor, settings=settings)
    row = connection or Connection(tenant_id=scoped_tenant_id(), vendor=vendor)
    row.name, row.settings, row.account = name, dict(settings), account
    if row.is_waiting:
        row.state, row.since = ConnectionState.DRAFT, timezone.now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise _taken(vendor, account) from None
    secrets = {**adopt_given(row), **secrets}
    seal_secrets(row, secrets)
    note("connection.saved", row, by=by, vendor=vendor, secrets=sorted(secrets))
    return row


def save_waiting(
    connection: Connection | None,
    *,
    vendor: str,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    by: User,
) -> Connection:
    """Keep what there is until the vendor gives the rest: nothing of it is checked, and no account is taken. Raises
    ValidationError when the connection has worked before."""
    row = connection or Connection(tenant_id=scoped_tenant_id(), vendor=vendor)
    if row.connected_at is not None:
        raise ValidationError(f"{row} is connected already, so there is nothing to wait for.")
    if not row.is_waiting:
        row.state, row.since = ConnectionState.WAITING_FOR_VENDOR, timezone.now()
    row.name, row.settings, row.account = name, dict(settings), ""
    row.explain(None)
    row.save()
    seal_secrets(row, secrets)
    note("connection.waiting", row, by=by, vendor=vendor, secrets=sorted(secrets))
    return row


def ensure_account(connection: Connection | None, *, vendor: str, settings: Mapping[str, Any]) -> str:
    """The vendor account these settings lead to. Raises ValidationError when another connection has it, or when it is
    not the one this connection belongs to."""
    connector = connectors()[vendor]
    account = connector.identity(settings)
    has_account = connection is not None and connection.connected_at is not None
    if connection and has_account and not connector.is_same_account(connection.settings, settings):
        raise ValidationError(
            f"These details lead to another {connector.label} account ({account}) than the one this connection "
            f"belongs to ({connection.account}). Connect it as a new one."
        )
    others = Connection.objects.filter(tenant_id=scoped_tenant_id(), vendor=vendor, account=account)
    if (others.exclude(pk=connection.pk) if connection else others).exists():
        raise _taken(vendor, account)
    return account


def _taken(vendor: str, account: str) -> ValidationError:
    label = connectors()[vendor].label
    other = Connection.objects.filter(tenant_id=scoped_tenant_id(), vendor=vendor, account=account).first()
    if other is not None and other.is_draft:
        return ValidationError(f"“{other}” has been begun for this {label} account ({account}). Continue that one.")
    name = f" as “{other}”" if other else ""
    return ValidationError(f"This {label} account ({account}) is connected already{name}.")


def expect_sign_in(connection: Connection, *, by: User) -> None:
    """Its details changed, and only a person on the vendor's page can prove them."""
    label = connection.connector.label
    _turn(connection, ConnectionState.NEEDS_RECONNECT, f"The details are saved. Sign in at {label} to use them.", by)


def seal_secrets(connection: Connection, secrets: Mapping[str, str]) -> None:
    """Only what is given changes."""
    for name, value in secrets.items():
        sealed = keyring().seal(value, tenant=connection.tenant_id, connection=connection.pk, field=name)
        Credential.objects.update_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            name=name,
            defaults={"sealed": sealed, "updated_at": timezone.now()},
        )


def secrets_of(connection: Connection, entered: Mapping[str, str]) -> dict[str, str]:
    """What a trial may use: the vault's, what came through a link over it, and what was just entered over both."""
    given = given_secrets(connection, but=frozenset(entered))
    return {**stored_secrets(connection, but=frozenset(entered) | frozenset(given)), **given, **entered}


def adopt_given(connection: Connection) -> dict[str, str]:
    """Take what came through a link into use: it is sealed under its own name."""
    given = given_secrets(connection)
    seal_secrets(connection, given)
    names = [GIVEN + name for name in given]
    Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection, name__in=names).delete()
    return given


def mark_connected(connection: Connection, found: tuple[Found, ...], tokens: Tokens | None, *, by: User | None) -> None:
    """The live test passed: active, with its tokens stored and what it may read written down. What a person paused
    stays paused."""
    now = timezone.now()
    if tokens is not None:
        store_tokens(connection.tenant_id, connection.pk, tokens)
    store_capabilities(connection, found)
    if not connection.is_paused:
        connection.state, connection.since, connection.state_by = ConnectionState.ACTIVE, now, by
        connection.explain(None)
    connection.proved_at = now
    if connection.connected_at is None:
        connection.connected_at, connection.connected_by = now, by
    connection.save()
    close_problems(connection.pk)
    note("connection.connected", connection, by=by)


def say_why_not(connection: Connection, diagnosis: Diagnosis) -> None:
    """The live test of a new connection failed: it stays a draft and says why."""
    connection.explain(diagnosis)
    connection.since = timezone.now()
    rows = Connection.objects.filter(tenant_id=connection.tenant_id, pk=connection.pk, state=ConnectionState.DRAFT)
    rows.update(reason=connection.reason, finding=connection.finding, since=connection.since)


def pause(connection: Connection, *, by: User) -> None:
    """Raises ValidationError when it is not active."""
    if not connection.is_active:
        raise ValidationError(f"{connection} is not active, so there is nothing to pause.")
    _turn(connection, ConnectionState.PAUSED, "", by)
    note("connection.paused", connection, by=by)


def resume(connection: Connection, *, by: User) -> None:
    """Raises ValidationError when it is not paused."""
    if not connection.is_paused:
        raise ValidationError(f"{connection} is not paused.")
    _turn(connection, ConnectionState.ACTIVE, "", by)
    note("connection.resumed", connection, by=by)


def disconnect(connection: Connection, *, by: User) -> None:
    """Forget every secret and token; the data stays. Raises ValidationError when that was done before."""
    if connection.is_disconnected:
        raise ValidationError(f"{connection} is disconnected already.")
    of_it = {"tenant_id": connection.tenant_id, "connection": connection}
    Credential.objects.filter(**of_it).delete()
    Token.objects.filter(**of_it).delete()
    AuthorizationAttempt.objects.filter(**of_it, used_at=None).update(used_at=timezone.now())
    SecretLink.objects.filter(**of_it, entered_at=None, revoked_at=None).update(revoked_at=timezone.now())
    close_all_problems(connection.pk)
    _turn(connection, ConnectionState.DISCONNECTED, "", by)
    note("connection.disconnected", connection, by=by)


def erase(connection: Connection, *, by: User) -> None:
    """Remove the connection with everything it brought; the database follows its keys, nothing is read for it."""
    note("connection.erased", connection, by=by)
    rows = Connection.objects.filter(tenant_id=connection.tenant_id, pk=connection.pk)
    rows._raw_delete(rows.db)


def _turn(connection: Connection, state: ConnectionState, reason: str, by: User | None) -> None:
    connection.explain(None, reason)
    connection.state, connection.since, connection.state_by = state, timezone.now(), by
    connection.save(update_fields=["state", "reason", "finding", "since", "state_by"])
