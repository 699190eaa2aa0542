"""What the clock does: due streams become runs, and workers are called while there is something to do.

Two beats at once do no harm: rows are claimed with SKIP LOCKED, and the database allows one open run per stream
(beside a rebuild).
"""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from integrations.connections.models import VendorRequest
from integrations.records.store import forget_old
from integrations.registry import connectors
from integrations.sync import rebuild
from integrations.sync.models import Sighting, SyncRun
from integrations.sync.turns import ready
from integrations.sync.wake import top_up
from portal.tenancy.models import Tenant
from portal.tenancy.scope import ops_scope

CLAIM = 2000  # in one transaction
CALLS = 20  # at the broker; each that finds work is passed on, so a larger crew has enough of them after some ticks
_DUE = """
with due as (
    select s.id, s.tenant_id, s.connection_id, s.stream, s.interval,
        case when s.last_good_at is null then 'backfill' when s.sweep_due_at <= now() then 'sweep'
            else 'incremental' end as kind
    from sync_streamstate s join connections_connection c on c.id = s.connection_id
    where s.due_at <= now() and c.state = 'active' and c.vendor = any(%(vendors)s)
    order by s.due_at limit %(limit)s for update of s skip locked
), moved as (
    update sync_streamstate s set due_at = now() + s.interval from due where s.id = due.id
), made as (
    insert into sync_syncrun (tenant_id, connection_id, stream_state_id, stream, kind, trigger, state, code, words,
        detail, read, new, changed, rejected, missing, pages, calls, cursor, covered, fence, next_slice_at, attempts,
        queued_at)
    select tenant_id, connection_id, id, stream, kind, 'schedule', 'queued', '', '', '',
        0, 0, 0, 0, 0, 0, 0, '', '[]', 0, now(), 0, now()
    from due
    on conflict do nothing
)
select count(*) from due
"""
# Where the database's own clock was put back, what it had told before lies far ahead.
_CALL_BACK = """
update sync_streamstate s set due_at = now()
where s.tenant_id = %s and s.due_at > now() + greatest(s.interval, interval '1 day') * 1.5
"""


def tick() -> int:
    """One look at the clock; how many wake-up calls were sent."""
    while _claim() == CLAIM:
        pass
    return top_up(ready(CALLS))


def _claim() -> int:
    """Make runs of streams that are due; how many these were."""
    with ops_scope(), connection.cursor() as cursor:
        cursor.execute(_DUE, {"limit": CLAIM, "vendors": list(connectors())})
        return int(cursor.fetchone()[0])


def tidy() -> None:
    """Request log after 14 days, finished runs after 90, sightings with their sweep, copies of streams after 7 days;
    records when their time is up. What is due later than can be is due now."""
    with ops_scope():
        tenants = list(Tenant.objects.values_list("pk", flat=True))
    for tenant_id in tenants:
        with ops_scope():
            _delete_before(VendorRequest._meta.db_table, "at", VendorRequest.KEPT_FOR, tenant_id)
            _delete_before(SyncRun._meta.db_table, "finished_at", timedelta(days=90), tenant_id)
            open_runs = SyncRun.objects.filter(tenant_id=tenant_id, finished_at=None).values("pk")
            Sighting.objects.filter(tenant_id=tenant_id).exclude(run_id__in=open_runs).delete()
            rebuild.tidy(tenant_id)
            with connection.cursor() as cursor:
                cursor.execute(_CALL_BACK, [tenant_id])
            for connector in connectors().values():
                for stream in connector.streams:
                    if stream.keep_for is not None:
                        forget_old(tenant_id, connector.key, stream, timezone.now() - stream.keep_for)


def _delete_before(table: str, column: str, age: timedelta, tenant_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"delete from {table} where tenant_id = %s and {column} < now() - make_interval(secs => %s)",  # noqa: S608 - our own names
            [tenant_id, age.total_seconds()],
        )
