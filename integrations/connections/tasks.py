"""Scheduled care of connections that nobody asks anything of. A message may come from another release: what it says
beyond what we know is passed over."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from integrations.connections import expiries
from integrations.connections.checks import check_again, tend
from integrations.connections.models import Connection, ConnectionState, Token
from integrations.registry import connectors
from portal.tenancy.scope import ops_scope

KEEP_ALIVE_CLAIM = 200
KEEP_ALIVE_PAUSE = timedelta(minutes=2)
CHECK_CLAIM = 200
CHECK_PAUSE = timedelta(hours=6)  # until a check that did not end is claimed again


@shared_task
def keep_alive(**_: object) -> None:
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
def keep_connection_alive(*, tenant_id: int, connection_id: str, generation: int, **_: object) -> None:
    """Refresh one connection's tokens unless somebody did already."""
    try:
        tend(tenant_id, UUID(connection_id), lambda access: access.keep_alive(generation))
    except Connection.DoesNotExist:
        return


@shared_task
def check_connections(**_: object) -> None:
    """Test every active connection once a week, so that a permission taken away or given is noticed. What is called
    is put off for some hours: a check that does not end is made again then."""
    now = timezone.now()
    with ops_scope():
        due = list(
            Connection.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .filter(
                Q(check_due_at=None) | Q(check_due_at__lte=now),
                state=ConnectionState.ACTIVE,
                vendor__in=list(connectors()),
            )
            .order_by("check_due_at")[:CHECK_CLAIM]
        )
        Connection.objects.filter(pk__in=[one.pk for one in due]).update(check_due_at=now + CHECK_PAUSE)
    for one in due:
        facts = {"tenant_id": one.tenant_id, "connection_id": str(one.pk)}
        check_connection.apply_async(kwargs=facts, expires=CHECK_PAUSE.total_seconds() / 2, retry=False)


@shared_task
def check_connection(*, tenant_id: int, connection_id: str, **_: object) -> None:
    """Test one connection with what it has."""
    try:
        check_again(tenant_id, UUID(connection_id))
    except Connection.DoesNotExist:
        return


@shared_task
def warn_of_expiries(**_: object) -> None:
    """Open and close the problems that say what ends soon, tenant by tenant."""
    expiries.warn_everybody()
