"""The live test: before a connection is made or changed, and again and again while it is in use.

The vendor is called outside any transaction; what fails is diagnosed while the door is still open.
"""

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from django.utils import timezone

from integrations.connections.access import OpenConnection, TrialAccess, open_connection
from integrations.connections.health import WORTH_DIAGNOSING, proved, trouble
from integrations.connections.models import Capability, Connection
from integrations.contract import Access, Connector, Diagnosis, Tokens
from integrations.contract import Capability as Found
from integrations.diagnosis import diagnose, undiagnosed
from integrations.errors import IntegrationError, NotPermitted
from portal.tenancy.scope import tenant_scope

T = TypeVar("T")
CHECK_EVERY: Final = timedelta(days=7)


class NotConnected(Exception):
    """A trial failed; `diagnosis` says why, what helps, and who does it."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(diagnosis.words)
        self.diagnosis = diagnosis


def try_out(
    connector: Connector,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    tokens: Tokens | None = None,
    *,
    connection: Connection | None = None,
) -> tuple[tuple[Found, ...], Tokens | None]:
    """The live test of what is not stored yet: what each stream may read, and the tokens given on the way.
    `connection` is the one it is for, where there is one. Raises NotConnected."""
    access = TrialAccess(connector, settings, secrets, tokens, connection=connection)
    return in_trial(access, lambda: (_found(connector, access), access.tokens))


def _found(connector: Connector, access: Access) -> tuple[Found, ...]:
    """What each stream may read. A door behind which nothing at all may be read is a shut one: raises NotPermitted."""
    found = connector.check(access)
    refused = [capability for capability in found if capability.state in {"not_permitted", "not_bought"}]
    if refused and not any(capability.state == "available" for capability in found):
        first = refused[0]
        label = connector.stream(first.stream).label.lower()
        raise NotPermitted(
            f"{connector.label} lets us in, but lets us read nothing. For {label} it says: {first.note}",
            code=first.code or "nothing_allowed",
        )
    return found


def in_trial(access: TrialAccess, deed: Callable[[], T]) -> T:
    """Do it and close the access. Raises NotConnected."""
    try:
        return deed()
    except IntegrationError as error:
        raise NotConnected(diagnose(access.connector, access, error)) from error
    finally:
        access.close()


def check_stored(connection: Connection) -> tuple[Found, ...]:
    """The live test of a stored connection, with what it has. Raises NotConnected; its state stays as it is."""
    try:
        with open_connection(connection.tenant_id, connection.pk) as access:
            try:
                return _found(connection.connector, access)
            except IntegrationError as error:
                raise NotConnected(diagnose(connection.connector, access, error)) from error
    except IntegrationError as error:
        raise NotConnected(undiagnosed(error)) from error


def check_again(tenant_id: int, connection_id: UUID) -> Diagnosis | None:
    """Test a connection with what it has: what each stream may read is written down anew, or what is wrong. Returns
    what went wrong. One that is not active is left in peace. Raises Connection.DoesNotExist."""
    with tenant_scope(tenant_id):
        if not Connection.objects.get(tenant_id=tenant_id, pk=connection_id).is_active:
            return None
    found, diagnosis = tend(tenant_id, connection_id, lambda access: _found(access.connector, access))
    if found is None:
        return diagnosis
    with tenant_scope(tenant_id):
        connection = Connection.objects.select_for_update(no_key=True).get(tenant_id=tenant_id, pk=connection_id)
        store_capabilities(connection, found)
        connection.save(update_fields=["checked_at", "check_due_at"])
        proved(connection)
    return None


def tend(tenant_id: int, connection_id: UUID, deed: Callable[[OpenConnection], T]) -> tuple[T | None, Diagnosis | None]:
    """Do something with an open connection. What goes wrong is noted, diagnosed where a person must act, and returned.
    Raises Connection.DoesNotExist."""
    diagnosis = None
    try:
        with open_connection(tenant_id, connection_id) as access:
            try:
                return deed(access), None
            except WORTH_DIAGNOSING as error:
                diagnosis = diagnose(access.connector, access, error)
                raise
    except IntegrationError as error:
        with tenant_scope(tenant_id):
            connection = Connection.objects.get(tenant_id=tenant_id, pk=connection_id)
            trouble(connection, error, diagnosis=diagnosis)
        return None, diagnosis or undiagnosed(error)


def store_capabilities(connection: Connection, found: tuple[Found, ...]) -> None:
    """What each stream may read, proved now. `checked_at` and `check_due_at` are set, not saved."""
    now = timezone.now()
    for capability in found:
        Capability.objects.update_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            stream=capability.stream,
            defaults={"state": capability.state, "note": capability.note[:500], "proved_at": now},
        )
    connection.checked_at = now
    # Spread, so that what was connected together is not checked together for ever.
    connection.check_due_at = now + CHECK_EVERY * random.uniform(0.95, 1.05)  # noqa: S311
