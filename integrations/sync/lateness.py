"""What is late, told by stored times alone: a scheduler or workers that died cannot hide it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from integrations.registry import connectors

GRACE = timedelta(minutes=5)
_LATE = """
with wanted as (
    select s.id, s.due_at, s.last_good_at + 2 * s.interval + %(grace)s as promised_by
    from sync_streamstate s join connections_connection c on c.id = s.connection_id
    where c.state = 'active' and c.vendor = any(%(vendors)s) and s.due_at is not null
), left_lying as (
    select due_at as since from wanted where due_at < now() - %(grace)s
    union all
    select greatest(r.next_slice_at, r.lease_until) from sync_syncrun r join wanted w on w.id = r.stream_state_id
    where r.finished_at is null and greatest(r.next_slice_at, r.lease_until) < now() - %(grace)s
)
select (select count(*) from left_lying), (select min(since) from left_lying),
    (select count(*) from wanted where promised_by < now())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """`overdue`: how many streams should have been begun, or runs gone on, and nobody did, the first since then: the
    scheduler or the workers are at fault. `behind`: how many streams are older than promised, whoever is at fault."""

    overdue: int
    since: datetime | None
    behind: int


def lateness() -> Lateness:
    """Of all tenants; call in the operators' scope."""
    with connection.cursor() as cursor:
        facts: dict[str, Any] = {"grace": GRACE, "vendors": list(connectors())}
        cursor.execute(_LATE, facts)
        overdue, since, behind = cursor.fetchone()
    return Lateness(overdue=overdue, since=since, behind=behind)
