"""Whose turn it is: the database, not the broker, decides which run a free worker takes.

First comes the tenant with the fewest slices under way for its weight, then the one whose round it is, then the run
that has waited longest. Rounds: each tenant gets as many slices a round as it has weight, and one that comes late joins
the round that is going on. So 200 runs queued at once put nobody back by more than a turn, and none of them starves.

Nobody has more slices under way than a tenant and a connection may; a connection in trouble (one of its runs has failed
and read nothing since) has one at most.

Two workers never get the same run or a place too many: a tenant is locked while one of its runs is chosen, and passed
over by others. Its `turn` grows with that, by which those who saw it before know, and pass it over too.
"""

from typing import Final

from django.conf import settings
from django.db import connection

from portal.tenancy.scope import ops_scope

# Leased, or given to a worker that has yet to take the lease: perhaps in a transaction that began after ours. What lies
# further ahead is of a clock that was put back.
_UNDER_WAY: Final = """(
    coalesce(r.lease_until between now() and now() + 2 * make_interval(secs => %(lease)s), false)
    or coalesce(abs(extract(epoch from r.woken_at - now())) < %(lease)s, false)
)"""
_READY: Final = f"(r.finished_at is null and r.next_slice_at <= now() and not {_UNDER_WAY})"
_COUNT: Final = f"select count(*) from (select 1 from sync_syncrun r where {_READY} limit %(most)s) ready"  # noqa: S608
# `busy`: slices under way of each connection that has any or is in trouble; `no_room`: the connections at their cap.
BUSY: Final = f"""busy as materialized (
    select r.tenant_id, r.connection_id, count(*) filter (where {_UNDER_WAY}) as slices,
        bool_or(r.code <> '') as is_troubled
    from sync_syncrun r
    where r.finished_at is null and (r.state = 'running' or r.woken_at is not null or r.code <> '')
    group by r.tenant_id, r.connection_id
), no_room as materialized (
    select connection_id from busy where slices >= case when is_troubled then 1 else %(per_connection)s end
)"""  # noqa: S608 - our own words
_TAKE: Final = f"""
with {BUSY}, tenants as materialized (
    select t.id, t.turn, greatest(t.turn + 1.0 / t.weight, max(t.turn) over ()) as next_turn, t.weight,
        coalesce((select sum(slices) from busy where busy.tenant_id = t.id), 0) as slices
    from tenancy_tenant t
), waiting as materialized (
    select tenants.*, oldest.next_slice_at from tenants cross join lateral (
        select r.next_slice_at from sync_syncrun r
        where r.tenant_id = tenants.id and {_READY} and r.connection_id not in (select connection_id from no_room)
        order by r.next_slice_at limit 1
    ) oldest
    where tenants.slices < %(per_tenant)s
), chosen as materialized (
    select w.id, w.next_turn from waiting w join tenancy_tenant t on t.id = w.id and t.turn = w.turn
    order by w.slices / w.weight, w.next_turn, w.next_slice_at
    limit 1 for no key update of t skip locked
), turned as (
    update tenancy_tenant t set turn = chosen.next_turn from chosen where t.id = chosen.id
), found as materialized (
    select r.id from sync_syncrun r
    where r.tenant_id = (select id from chosen) and {_READY}
        and r.connection_id not in (select connection_id from no_room)
    order by r.next_slice_at limit 1 for no key update of r skip locked
)
update sync_syncrun r set woken_at = now() from found where r.id = found.id returning r.tenant_id, r.id
"""  # noqa: S608 - our own words


def caps() -> dict[str, float]:
    """What the statements with BUSY are told: how long a lease lasts, and how many slices may be under way at once."""
    return {
        "lease": settings.SYNC_LEASE_SECONDS,
        "per_tenant": settings.SYNC_TENANT_SLICES,
        "per_connection": settings.SYNC_CONNECTION_SLICES,
    }


def ready(most: int) -> int:
    """How many runs could go on if there were room, counted no further than `most`."""
    with ops_scope(), connection.cursor() as cursor:
        cursor.execute(_COUNT, {"lease": settings.SYNC_LEASE_SECONDS, "most": most})
        return int(cursor.fetchone()[0])


def take_turn() -> tuple[int, int] | None:
    """The tenant and the run that a free worker is to go on with, kept for it while it takes the lease; None when there
    is nothing to do, or no room."""
    with ops_scope(), connection.cursor() as cursor:
        cursor.execute(_TAKE, caps())
        found: tuple[int, int] | None = cursor.fetchone()
    return found
