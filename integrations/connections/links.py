"""One-time links: a person without an account enters secrets of a connection that its admin does not know.

What they enter is sealed, and used only once it has been tried: a connection that works is not changed by it before.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from integrations.connections.access import GIVEN
from integrations.connections.models import Connection, Credential, SecretLink
from integrations.connections.services import seal_secrets
from integrations.contract import Connector
from integrations.forms import SecretField
from integrations.registry import connectors
from portal.accounts.models import User
from portal.tenancy.audit import note
from portal.tenancy.models import Tenant, digest_of, new_secret
from portal.tenancy.scope import ops_scope, tenant_scope

LIFE: Final = timedelta(days=7)
MOST_OPEN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """What the person who opens the link may see of it."""

    link: SecretLink
    tenant: Tenant
    connector: Connector
    fields: dict[str, SecretField]


def secret_fields(connector: Connector) -> dict[str, SecretField]:
    """What the vendor's form takes as secret, by name."""
    return {name: field for name, field in connector.form.base_fields.items() if isinstance(field, SecretField)}


def links_of(connection: Connection) -> QuerySet[SecretLink]:
    """The links of a connection, the latest first."""
    rows = SecretLink.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    return rows.select_related("asked_by").order_by("-created_at")


def ask(connection: Connection, *, whom: str, names: Collection[str], by: User) -> str:
    """A new link's secret, told this once. Raises ValidationError."""
    known = secret_fields(connection.connector)
    wanted = [name for name in known if name in names]
    if not wanted or len(wanted) != len(set(names)):
        raise ValidationError("Choose what the person shall enter.")
    if connection.is_disconnected:
        raise ValidationError(f"{connection} is disconnected. Reconnect it first.")
    if _open_ones(connection).count() >= MOST_OPEN:
        raise ValidationError("There are too many open links. Take some back first.")
    secret, digest = new_secret()
    SecretLink.objects.create(
        tenant_id=connection.tenant_id,
        connection=connection,
        whom=whom,
        names=wanted,
        digest=digest,
        asked_by=by,
        expires_at=timezone.now() + LIFE,
    )
    note("connection.secrets_asked", connection, by=by, whom=whom, secrets=wanted)
    return secret


def take_back(link: SecretLink, *, by: User) -> None:
    """The link stops working; what came through it and was not tried yet is forgotten."""
    if link.revoked_at is not None:
        return
    link.revoked_at = timezone.now()
    link.save(update_fields=["revoked_at"])
    if link.entered_at is not None:
        names = [GIVEN + name for name in link.names]
        Credential.objects.filter(tenant_id=link.tenant_id, connection_id=link.connection_id, name__in=names).delete()
    note("connection.secrets_link_revoked", link.connection, by=by, whom=link.whom)


def find(secret: str) -> OpenLink | None:
    """The open link behind that secret; None when it is unknown, used, taken back or too old."""
    with ops_scope():
        link = (
            SecretLink.objects.select_related("tenant", "connection", "asked_by")
            .filter(digest=digest_of(secret), entered_at=None, revoked_at=None, expires_at__gt=timezone.now())
            .first()
        )
    if link is None or link.connection.vendor not in connectors() or link.connection.is_disconnected:
        return None
    connector = link.connection.connector
    fields = {name: field for name, field in secret_fields(connector).items() if name in link.names}
    return OpenLink(link=link, tenant=link.tenant, connector=connector, fields=fields) if fields else None


def enter(found: OpenLink, values: Mapping[str, str]) -> bool:
    """Seal what was entered and use the link up. False when it was used or taken back meanwhile; nothing is kept."""
    now = timezone.now()
    with tenant_scope(found.tenant.pk):
        # The connection first: whoever takes a link back locks them in that order too.
        connection = Connection.objects.select_for_update(no_key=True).get(
            tenant_id=found.tenant.pk, pk=found.link.connection_id
        )
        as_found = SecretLink.objects.filter(
            tenant_id=found.tenant.pk, pk=found.link.pk, entered_at=None, revoked_at=None, expires_at__gt=now
        )
        if not as_found.update(entered_at=now):
            return False
        given = {name: values[name] for name in found.fields if values.get(name)}
        seal_secrets(connection, {GIVEN + name: value for name, value in given.items()})
        note("connection.secrets_entered", connection, by=None, whom=found.link.whom, secrets=sorted(given))
    return True


def untried(connection: Connection) -> frozenset[str]:
    """The names of the secrets that came through links and were not tried yet."""
    names = Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection, name__startswith=GIVEN)
    return frozenset(name.removeprefix(GIVEN) for name in names.values_list("name", flat=True))


def _open_ones(connection: Connection) -> QuerySet[SecretLink]:
    return links_of(connection).filter(entered_at=None, revoked_at=None, expires_at__gt=timezone.now())
