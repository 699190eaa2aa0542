"""How trouble and proof change a connection. The one place where an error becomes a state, words and a problem."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from integrations.connections.models import Capability, Connection, ConnectionState, Token, stored_form
from integrations.contract import Diagnosis
from integrations.diagnosis import undiagnosed
from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotBought,
    NotPermitted,
    ReconnectNeeded,
    VendorChanged,
)
from integrations.problems.services import close_problems, open_problem

_PROVE_EVERY = timedelta(minutes=1)  # a proof more often than that would only write
WORTH_DIAGNOSING: Final = (ReconnectNeeded, ConfigurationNeeded, NotPermitted)  # the rest mends itself or is ours


def trouble(
    connection: Connection, error: IntegrationError, *, stream: str = "", diagnosis: Diagnosis | None = None
) -> None:
    """Take note of what went wrong; call in the connection's tenant. What only needs time is no problem here.

    `diagnosis` is what was found to be behind it: its words come before the error's own.
    """
    if isinstance(error, ReconnectNeeded):
        _needs_a_person(connection, ConnectionState.NEEDS_RECONNECT, error, diagnosis)
    elif isinstance(error, ConfigurationNeeded):
        _needs_a_person(connection, ConnectionState.NEEDS_ATTENTION, error, diagnosis)
    elif isinstance(error, NotPermitted) and stream:
        _refused(connection, stream, error, diagnosis)
    elif isinstance(error, VendorChanged):
        problem_words(connection.pk, error, stream)


def _refused(connection: Connection, stream: str, error: NotPermitted, diagnosis: Diagnosis | None) -> None:
    words = diagnosis.words if diagnosis else error.words
    Capability.objects.update_or_create(
        tenant_id=connection.tenant_id,
        connection=connection,
        stream=stream,
        defaults={
            "state": "not_bought" if isinstance(error, NotBought) else "not_permitted",
            "note": words[:500],
            "proved_at": timezone.now(),
        },
    )


def _needs_a_person(
    connection: Connection, state: ConnectionState, error: IntegrationError, diagnosis: Diagnosis | None
) -> None:
    words = diagnosis.words if diagnosis else error.words
    changed = Connection.objects.filter(pk=connection.pk, state__in=[ConnectionState.ACTIVE, state]).update(
        state=state,
        reason=words[:1000],
        finding=stored_form(diagnosis) if diagnosis else None,
        since=timezone.now(),
        state_by=None,
    )
    if changed:
        open_problem(connection.pk, code=error.code, words=words, who=(diagnosis or undiagnosed(error)).who.value)


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
            tenant_id=connection.tenant_id,
            connection=connection,
            stream=stream,
            state__in=["not_permitted", "not_bought"],
        ).update(state="available", note="", proved_at=now)


def problem_words(connection_id: UUID, error: IntegrationError, stream: str) -> None:
    """A stream that keeps failing for a reason that only time mends: said, in amber, without a button."""
    who = undiagnosed(error).who.value
    open_problem(connection_id, code=error.code, words=error.words, who=who, stream=stream, needs_a_person=False)
