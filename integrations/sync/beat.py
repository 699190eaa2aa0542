"""What the clock does: due streams become runs, and runs nobody is working on are called again.

Two beats at once do no harm: rows are claimed with SKIP LOCKED, and the database allows one open run per stream
(beside a rebuild).
Tenants take turns: the n-th piece of work of each comes before anyone's n+1-th.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from integrations.connections.models import VendorRequest
from integrations.records.store import forget_old
from integrations.registry import connectors
from integrations.sync import rebuild
from integrations.sync.models import Sighting, SyncRun
from integrations.sync.wake import is_broker_empty, send
from portal.tenancy.models import Tenant
from portal.tenancy.scope import ops_scope

CLAIM = 1000
WAKE = 500
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
)
insert into sync_syncrun (tenant_id, connection_id, stream_state_id, stream, kind, trigger, state, code, words, detail,
    read, new, changed, rejected, missing, pages, calls, cursor, covered, fence, next_slice_at, attempts, queued_at)
select tenant_id, connection_id, id, stream, kind, 'schedule', 'queued', '', '', '',
    0, 0, 0, 0, 0, 0, 0, '', '[]', 0, now(), 0, now()
from due
on conflict do nothing
"""
_WAKE = """
with sleeping as (
    select id, row_number() over (partition by tenant_id order by next_slice_at) as turn, next_slice_at
    from sync_syncrun
    where finished_at is null and next_slice_at <= now()
        and (lease_until is null or lease_until not between now() and now() + 10 * make_interval(secs => %(again)s))
        and (woken_at is null or woken_at < now() - make_interval(secs => %(again)s))
), chosen as (
    select id, turn from sleeping order by turn, next_slice_at limit %(limit)s
), locked as (
    select r.id, c.turn from sync_syncrun r join chosen c on c.id = r.id for update of r skip locked
), woken as (
    update sync_syncrun r set woken_at = now() from locked where r.id = locked.id returning r.tenant_id, r.id, turn
)
select tenant_id, id from woken order by turn
"""
# Where the database's own clock was put back, what it had told before lies far ahead.
_CALL_BACK = """
update sync_streamstate s set due_at = now()
where s.tenant_id = %s and s.due_at > now() + greatest(s.interval, interval '1 day') * 1.5
"""


def tick() -> int:
    """One look at the clock; how many wake-up calls were sent. A call is taken for lost when a lease's time has passed,
    or when no call is left at the broker: it may have been emptied. Calling once too often is harmless."""
    again = 0 if is_broker_empty() else settings.SYNC_LEASE_SECONDS
    with ops_scope(), connection.cursor() as cursor:
        cursor.execute(_DUE, {"limit": CLAIM, "vendors": list(connectors())})
        cursor.execute(_WAKE, {"limit": WAKE, "again": again})
        calls = cursor.fetchall()
    for tenant_id, run_id in calls:
        send(tenant_id, run_id)
    return len(calls)


def tidy() -> None:
    """Request log after 14 days, finished runs after 90, sightings with their sweep, copies of streams after 7 days;
    records when their time is up. What is due later than can be is due now."""
    with ops_scope():
        tenants = list(Tenant.objects.values_list("pk", flat=True))
    for tenant_id in tenants:
        with ops_scope():
            _delete_before(VendorRequest._meta.db_table, "at", timedelta(days=14), tenant_id)
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
