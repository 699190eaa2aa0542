"""Scheduled care of connections that nobody asks anything of."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from integrations.connections.access import open_connection
from integrations.connections.health import trouble
from integrations.connections.models import Connection, ConnectionState, Token
from integrations.errors import IntegrationError
from portal.tenancy.scope import ops_scope, tenant_scope


@shared_task
def keep_alive() -> None:
    """Refresh what would die unused: refresh tokens that live in minutes."""
    with ops_scope():
        due = list(
            Token.objects.filter(
                keep_alive_at__lte=timezone.now(),
                connection__state__in=[ConnectionState.ACTIVE, ConnectionState.PAUSED],
            )
            .order_by("keep_alive_at")
            .values_list("tenant_id", "connection_id")[:200]
        )
    for tenant_id, connection_id in due:
        keep_connection_alive.delay(tenant_id=tenant_id, connection_id=str(connection_id))


@shared_task
def keep_connection_alive(*, tenant_id: int, connection_id: str) -> None:
    """Refresh one connection's tokens if that is still due."""
    try:
        with open_connection(tenant_id, UUID(connection_id)) as access:
            access.keep_alive()
    except Connection.DoesNotExist:
        return
    except IntegrationError as error:
        with tenant_scope(tenant_id):
            trouble(Connection.objects.get(tenant_id=tenant_id, pk=connection_id), error)
