"""What people do with connections. Everything that calls a vendor is outside any transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from integrations.connections.access import TrialAccess, stored_secrets
from integrations.connections.models import (
    Capability,
    Connection,
    ConnectionState,
    Credential,
    Token,
)
from integrations.connections.tokens import store_tokens
from integrations.connections.vault import keyring
from integrations.contract import Capability as Found
from integrations.contract import Connector, Tokens
from integrations.problems.services import close_problems
from integrations.registry import connectors
from portal.accounts.models import User
from portal.tenancy.audit import note
from portal.tenancy.scope import current_tenant_id


def access_connection(connection_id: UUID) -> Connection:
    """The one door to a connection of the current tenant; another tenant's does not exist (Http404)."""
    found = Connection.objects.filter(tenant_id=current_tenant_id(), pk=connection_id).first()
    if found is None or found.vendor not in connectors():
        raise Http404("There is no such connection.")
    return found


def kept_secrets(connection: Connection) -> frozenset[str]:
    """The names of the secrets in the vault, never their values."""
    return frozenset(
        Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection).values_list("name", flat=True)
    )


def try_out(
    connector: Connector, settings: Mapping[str, Any], secrets: Mapping[str, str], tokens: Tokens | None = None
) -> tuple[tuple[Found, ...], Tokens | None]:
    """The live test, with nothing stored: what each stream may read, and the tokens given on the way.

    Raises the IntegrationError that says what is wrong and who mends it.
    """
    access = TrialAccess(connector, settings, secrets, tokens)
    try:
        return connector.check(access), access.tokens
    finally:
        access.close()


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
    connector = connectors()[vendor]
    account = connector.identity(settings)
    if connection is not None and connection.connected_at and account != connection.account:
        raise ValidationError(
            f"These details lead to another {connector.label} account ({account}) than the one this connection "
            f"belongs to ({connection.account}). Connect it as a new one."
        )
    row = connection or Connection(tenant_id=current_tenant_id(), vendor=vendor)
    row.name, row.settings, row.account = name, dict(settings), account
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ValidationError(f"This {connector.label} account ({account}) is connected already.") from None
    seal_secrets(row, secrets)
    note("connection.saved", row, by=by, vendor=vendor, secrets=sorted(secrets))
    return row


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
    """What a trial may use: the vault's, with what was just entered over it."""
    return {**stored_secrets(connection), **entered}


def mark_connected(connection: Connection, found: tuple[Found, ...], tokens: Tokens | None, *, by: User | None) -> None:
    """The live test passed: active, with its tokens stored and what it may read written down."""
    now = timezone.now()
    if tokens is not None:
        store_tokens(connection.tenant_id, connection.pk, tokens)
    for capability in found:
        Capability.objects.update_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            stream=capability.stream,
            defaults={"state": capability.state, "note": capability.note[:500], "proved_at": now},
        )
    connection.state, connection.reason, connection.since = ConnectionState.ACTIVE, "", now
    connection.state_by, connection.proved_at = by, now
    if connection.connected_at is None:
        connection.connected_at, connection.connected_by = now, by
    connection.save()
    close_problems(connection.pk)
    note("connection.connected", connection, by=by)


def say_why_not(connection: Connection, words: str) -> None:
    """The live test of a new connection failed: it stays a draft and says why."""
    connection.reason = words[:1000]
    connection.since = timezone.now()
    connection.save(update_fields=["reason", "since"])


def pause(connection: Connection, *, by: User) -> None:
    _turn(connection, ConnectionState.PAUSED, "", by)
    note("connection.paused", connection, by=by)


def resume(connection: Connection, *, by: User) -> None:
    _turn(connection, ConnectionState.ACTIVE, "", by)
    note("connection.resumed", connection, by=by)


def disconnect(connection: Connection, *, by: User) -> None:
    """Forget every secret and token; the data stays."""
    Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection).delete()
    Token.objects.filter(tenant_id=connection.tenant_id, connection=connection).delete()
    close_problems(connection.pk)
    _turn(connection, ConnectionState.DISCONNECTED, "", by)
    note("connection.disconnected", connection, by=by)


def erase(connection: Connection, *, by: User) -> None:
    """Remove the connection with everything it brought."""
    note("connection.erased", connection, by=by)
    connection.delete()


def _turn(connection: Connection, state: ConnectionState, reason: str, by: User | None) -> None:
    connection.state, connection.reason, connection.since, connection.state_by = state, reason, timezone.now(), by
    connection.save(update_fields=["state", "reason", "since", "state_by"])
