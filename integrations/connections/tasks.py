"""Scheduled care of connections that nobody asks anything of."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from integrations.connections.access import open_connection
from integrations.connections.health import trouble
from integrations.connections.models import Connection, ConnectionState, Token
from integrations.errors import IntegrationError
from integrations.registry import connectors
from portal.tenancy.scope import ops_scope, tenant_scope

KEEP_ALIVE_CLAIM = 200
KEEP_ALIVE_PAUSE = timedelta(minutes=2)


@shared_task
def keep_alive() -> None:
    """Refresh what would die unused: refresh tokens that live in minutes. What is called is put off a little, so that
    a vendor who does not answer is not asked by every worker at once."""
    now = timezone.now()
    with ops_scope():
        due = list(
            Token.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(
                keep_alive_at__lte=now,
                connection__state__in=[ConnectionState.ACTIVE, ConnectionState.PAUSED],
                connection__vendor__in=list(connectors()),
            )
            .order_by("keep_alive_at")[:KEEP_ALIVE_CLAIM]
        )
        Token.objects.filter(pk__in=[token.pk for token in due]).update(keep_alive_at=now + KEEP_ALIVE_PAUSE)
    for token in due:
        facts = {
            "tenant_id": token.tenant_id,
            "connection_id": str(token.connection_id),
            "generation": token.generation,
        }
        keep_connection_alive.apply_async(kwargs=facts, expires=KEEP_ALIVE_PAUSE.total_seconds() / 2, retry=False)


@shared_task
def keep_connection_alive(*, tenant_id: int, connection_id: str, generation: int) -> None:
    """Refresh one connection's tokens unless somebody did already."""
    try:
        with open_connection(tenant_id, UUID(connection_id)) as access:
            access.keep_alive(generation)
    except Connection.DoesNotExist:
        return
    except IntegrationError as error:
        with tenant_scope(tenant_id):
            trouble(Connection.objects.get(tenant_id=tenant_id, pk=connection_id), error)
