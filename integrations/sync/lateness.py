"""What is late, told by stored times alone: a scheduler or workers that died cannot hide it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from integrations.registry import connectors
from integrations.sync.turns import BUSY, caps

GRACE = timedelta(minutes=5)
# A run waits at a cap while its tenant or its connection has as many slices under way as `turns` allows. Leases run out
# within a minute: where the workers died nobody is at a cap any more.
_LATE = f"""
with wanted as (
    select s.id, s.due_at, s.last_good_at + 2 * s.interval + %(grace)s as promised_by
    from sync_streamstate s join connections_connection c on c.id = s.connection_id
    where c.state = 'active' and c.vendor = any(%(vendors)s) and s.due_at is not null
), {BUSY}, left_lying as (
    select due_at as since, false as is_at_cap from wanted where due_at < now() - %(grace)s
    union all
    select greatest(r.next_slice_at, r.lease_until),
        r.tenant_id in (select tenant_id from busy group by tenant_id having sum(slices) >= %(per_tenant)s)
        or r.connection_id in (select connection_id from no_room)
    from sync_syncrun r join wanted w on w.id = r.stream_state_id
    where r.finished_at is null and greatest(r.next_slice_at, r.lease_until) < now() - %(grace)s
)
select count(*) filter (where not is_at_cap), min(since) filter (where not is_at_cap),
    count(*) filter (where is_at_cap), (select count(*) from wanted where promised_by < now())
from left_lying
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """`overdue`: how many streams should have been begun, or runs gone on, and nobody did, the first since then: the
    scheduler or the workers are at fault. `at_cap`: how many runs wait as long only because their tenant or connection
    has as many slices under way as it may. `behind`: how many streams are older than promised, whoever is at fault."""

    overdue: int
    since: datetime | None
    at_cap: int
    behind: int


def lateness() -> Lateness:
    """Of all tenants; call in the operators' scope."""
    with connection.cursor() as cursor:
        facts: dict[str, Any] = {"grace": GRACE, "vendors": list(connectors()), **caps()}
        cursor.execute(_LATE, facts)
        overdue, since, at_cap, behind = cursor.fetchone()
    return Lateness(overdue=overdue, since=since, at_cap=at_cap, behind=behind)
