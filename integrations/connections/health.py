"""How trouble and proof change a connection. The one place where an error becomes a state, words and a problem."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from integrations.connections.models import Capability, Connection, ConnectionState, Token
from integrations.errors import ConfigurationNeeded, IntegrationError, NotPermitted, ReconnectNeeded, VendorChanged
from integrations.problems.services import close_problems, open_problem

_PROVE_EVERY = timedelta(minutes=1)  # a proof more often than that would only write


def trouble(connection: Connection, error: IntegrationError, *, stream: str = "") -> None:
    """Take note of what went wrong; call in the connection's tenant. What only needs time is no problem here."""
    if isinstance(error, ReconnectNeeded):
        _needs_a_person(connection, ConnectionState.NEEDS_RECONNECT, error)
    elif isinstance(error, ConfigurationNeeded):
        _needs_a_person(connection, ConnectionState.NEEDS_ATTENTION, error)
    elif isinstance(error, NotPermitted) and stream:
        Capability.objects.update_or_create(
            tenant_id=connection.tenant_id,
            connection=connection,
            stream=stream,
            defaults={"state": "not_permitted", "note": error.words[:500], "proved_at": timezone.now()},
        )
    elif isinstance(error, VendorChanged):
        problem_words(connection.pk, error, stream)


def _needs_a_person(connection: Connection, state: ConnectionState, error: IntegrationError) -> None:
    changed = Connection.objects.filter(pk=connection.pk, state__in=[ConnectionState.ACTIVE, state]).update(
        state=state, reason=error.words[:1000], since=timezone.now(), state_by=None
    )
    if changed:
        open_problem(connection.pk, code=error.code, words=error.words)


def proved(connection: Connection, *, stream: str = "") -> None:
    """The vendor let us in and gave what was asked: close what that disproves. Call in the connection's tenant.

    It never makes a connection active again: what another stream was refused meanwhile is newer than this proof, and
    only a new live test says otherwise (`services.mark_connected`).
    """
    now = timezone.now()
    Token.objects.filter(tenant_id=connection.tenant_id, connection=connection, proved_at=None).update(
        proved_at=now, former_refresh=None
    )
    if connection.proved_at is None or now - connection.proved_at > _PROVE_EVERY:
        Connection.objects.filter(pk=connection.pk).update(proved_at=now)
    if stream:
        close_problems(connection.pk, stream=stream)
        if connection.is_active:
            close_problems(connection.pk)
        Capability.objects.filter(
            tenant_id=connection.tenant_id, connection=connection, stream=stream, state="not_permitted"
        ).update(state="available", note="", proved_at=now)


def problem_words(connection_id: UUID, error: IntegrationError, stream: str) -> None:
    """A stream that keeps failing for a reason that only time mends: said, in amber, without a button."""
    open_problem(connection_id, code=error.code, words=error.words, stream=stream, needs_a_person=False)
