"""What the pages are measured on: 50 tenants whose rows lie mixed as syncs leave them, the first with 30 % of each."""

import sys
import time

from django.db import connection as database
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState
from integrations.registry import connectors
from integrations.sync.models import StreamState
from portal.accounts.models import User
from portal.tenancy.models import Membership, Role, Tenant
from portal.tenancy.scope import ops_scope, tenant_scope

TENANTS = 50
OWNER = "bench@example.com"
VERSION = "1"  # of what is below: other data are loaded anew
_BATCH = 100_000
_VENDORS = (("corrigopro", "North"), ("corrigopro", "South"), ("kore", "Sponsors"), ("condeco", "Rooms"))

# Whoever needs chance takes it from a row's number, so that two loads give the same rows.
_FUNCTIONS = """
create or replace function pg_temp.pick(n bigint, salt bigint, most int) returns int language sql immutable as
    'select ((hashint8extended(n, salt) & 9223372036854775807) % most)::int';
create or replace function pg_temp.skewed(n bigint, salt bigint, most int) returns int language sql immutable as
    'select floor(most * power(pg_temp.pick(n, salt, 1000000) / 1000000.0, 3))::int';
create or replace function pg_temp.word(words text, number int) returns text language sql immutable as
    'select (string_to_array(words, '' ''))[1 + number % array_length(string_to_array(words, '' ''), 1)]';
create or replace function pg_temp.company(tenant bigint, number int) returns text language sql immutable as $$
    select pg_temp.word('Meridian Harbor Lindqvist Northgate Apex Summit Orchard Nimbus Blue Cedar Granite Pioneer '
        'Sterling Vanguard Willow Zenith', number) || ' '
        || pg_temp.word('Retail Foods Clinics Transit Bank Air Outdoor Logistics Energy Media Partners', number / 16)
        || ' ' || (tenant * 1000 + number)::text
$$;
create or replace function pg_temp.task(n bigint) returns text language sql immutable as $$
    select pg_temp.word('Repair Inspect Replace Clean Test Install Remove', pg_temp.pick(n, 21, 7)) || ' '
        || pg_temp.word('hvac boiler door light panel pump sink gate filter alarm elevator roof',
            pg_temp.skewed(n, 22, 12))
        || ' ' || pg_temp.word('kitchen stairwell dock basement lobby office garage', pg_temp.pick(n, 23, 7)) || ' '
        || pg_temp.pick(n, 24, 400)::text || case when n % 50000 = 7 then ' quetzal' else '' end
$$;
create or replace function pg_temp.person(n bigint) returns text language sql immutable as $$
    select pg_temp.word('Dana Priya Tom Ingrid Kofi Mara Luis Aiko Sven Noor', pg_temp.pick(n, 31, 10)) || ' '
        || pg_temp.word('Reyes Nair Beale Solberg Mensah Okafor Ortega Tanaka Berg Haddad Silva Novak',
            pg_temp.pick(n, 32, 12))
$$;
"""
# Of every ten rows three are the first tenant's; the others share the rest alike. `n` grows with time.
_ROWS = """
select n, %(kind)s as sort, %(kind)s * 100000000 + n as id, t.tenant, c.id as connection, c.stream,
    now() - (%(days)s::float8 * (1 - (n + 0.5) / %(total)s)) * interval '1 day' as at
from generate_series(%(first)s::bigint, %(last)s::bigint) n
cross join lateral (select case when n %% 10 < 3 then 1 else 2 + pg_temp.pick(n, 1, 49) end as place) p
join bench_tenant t on t.place = p.place
join bench_source c on c.tenant = t.tenant and c.kind = %(kind)s and c.part @> pg_temp.pick(n, 2, 100)
"""
_RECORD = """
insert into records_record (id, tenant_id, connection_id, stream, external_id, parent_id, title, payload,
    context, digest,
    first_seen_at, changed_at, first_run_id, changed_run_id, position, facets, misses, missing_since)
select id, tenant, connection, stream, 'x' || id, case when sort = 4 then 'x' || (id % 5000) else '' end,
    pg_temp.task(n), case when sort = 4 then json_build_object('id', id, 'name', pg_temp.task(n),
        'line_type', json_build_object('value', pg_temp.word('Ticket Signage Media Digital Hospitality',
            pg_temp.skewed(n, 3, 5))),
        'memo', repeat('m', 600))::text
    else json_build_object('id', 'x' || id, 'number', n, 'title', pg_temp.task(n), 'site', json_build_object(
        'name', 'Building ' || n % 77, 'city', 'Springfield'), 'memo', repeat('Please quote the number. ',
            32))::text end,
    '{}', decode(md5(n::text), 'hex'), at, at + pg_temp.skewed(n, 4, 40) * interval '1 hour', 1, 1, '',
    case when sort = 4 then jsonb_build_object('line_type.value',
        pg_temp.word('Ticket Signage Media Digital Hospitality', pg_temp.skewed(n, 3, 5)),
        'state.value', case when n % 20 = 0 then 'Archived' else 'Active' end) else '{}' end,
    0, case when n % 100 = 1 then now() - interval '3 days' end
from rows
"""
_VERSIONS = """
insert into records_recordversion (tenant_id, record_id, payload, context, seen_at, replaced_at, run_id)
select tenant, id, json_build_object('id', 'x' || id, 'number', n, 'title', 'Edition ' || v, 'memo',
    repeat('Please quote the number. ', 32))::text, '{}', at - v * interval '1 day', at - (v - 1) * interval '1 day', 1
from rows cross join generate_series(1, case when n % 1000 = 3 then 30 else 2 end) v where n % 10 = 3 and n % 30 < 10
"""
_WORK_ORDER = """
insert into records_workorder (record_id, tenant_id, connection_id, search, vendor_status, changed_at, number, title,
    description, status, priority, vendor_priority, customer, location, assignee, category, currency, limit_amount,
    opened_at, due_at, scheduled_at, completed_at)
select id, tenant, connection, lower(concat_ws(' ', 'WO-' || n, title, customer, location, assignee)), status, at,
    'WO-' || n, title, repeat('The caller says it began this morning. ', 6), status,
    pg_temp.word('normal normal low high normal emergency', pg_temp.pick(n, 5, 6)), 'P3', customer, location, assignee,
    'Maintenance', 'USD', 500 + n % 900, at, due, at, case when status in ('completed', 'verified') then due end
from (
    select *, pg_temp.task(n) as title, pg_temp.company(tenant, pg_temp.skewed(n, 6, 400)) as customer,
        'Store ' || pg_temp.pick(n, 7, 900) as location,
        case when n % 9 = 0 then '' else pg_temp.person(n) end as assignee,
        case when n % 40 = 0 then null else at + (1 + pg_temp.pick(n, 8, 20)) * interval '1 day' end as due,
        case when now() - at < interval '25 days' and pg_temp.pick(n, 9, 100) < 70 or pg_temp.pick(n, 9, 1000) = 999
            then pg_temp.word('new accepted in_progress on_hold', pg_temp.pick(n, 10, 4))
            else pg_temp.word('completed verified completed cancelled verified completed rejected',
                pg_temp.pick(n, 11, 7))
        end as status
    from rows
) made
"""
_BILLING = """
insert into records_billing (record_id, tenant_id, connection_id, search, vendor_status, changed_at, number,
    title, account,
    deal_id, status, currency, amount, tax_amount, paid_amount, balance, billed_date, due_date, paid_date, opened_at)
select id, tenant, connection, lower(concat_ws(' ', 'INV-' || n, title, account)), status, at, 'INV-' || n,
    title, account,
    'x' || (400000000 + n % 200), status, case when n % 15 = 0 then 'CAD' else 'USD' end, amount, amount / 10,
    case status when 'paid' then amount when 'partially_paid' then amount / 2 else 0 end,
    case status when 'paid' then 0 when 'partially_paid' then amount / 2 else amount end,
    case when n % 50 = 0 then null else at::date end, due, case when status = 'paid' then due end, at
from (
    select *, pg_temp.task(n) as title, pg_temp.company(tenant, pg_temp.skewed(n, 6, 2000)) as account,
        100 + pg_temp.skewed(n, 12, 90000) / 1.0 as amount,
        case when n % 40 = 0 then null else at::date + 30 end as due,
        case when now() - at < interval '40 days' then pg_temp.word('billed billed partially_paid draft scheduled paid',
            pg_temp.pick(n, 13, 6)) when pg_temp.pick(n, 13, 100) < 3 then 'billed'
            else pg_temp.word('paid paid paid paid paid paid paid void', pg_temp.pick(n, 14, 8)) end as status
    from rows
) made
"""
_BOOKING = """
insert into records_booking (record_id, tenant_id, connection_id, search, vendor_status, changed_at, kind,
    title, status,
    resource, location, organiser, organiser_email, is_private, zone, starts_at, ends_at)
select id, tenant, connection, lower(concat_ws(' ', title, resource, location, organiser)), status, at, kind, title,
    status, resource, location, organiser, 'person@example.com', n % 25 = 0, 'America/Chicago', begins,
    case when n % 997 = 0 then null else begins + (1 + pg_temp.pick(n, 15, 4)) * interval '30 minutes' end
from (
    select *, pg_temp.word('Review Interview Workshop Stand-up Training', pg_temp.pick(n, 16, 5)) || ' '
        || pg_temp.pick(n, 17, 900)
        as title, pg_temp.person(n) as organiser, 'Room ' || pg_temp.pick(n, 18, 120) as resource,
        pg_temp.word('Dallas Sydney Austin Chicago Leeds', pg_temp.skewed(n, 19, 5)) as location,
        pg_temp.word('room room desk', pg_temp.pick(n, 20, 3)) as kind,
        case when at < now() - interval '365 days' then 'completed' when n % 30 = 0 then 'cancelled'
            else 'confirmed' end as status,
        date_trunc('day', at + interval '365 days') + (8 + pg_temp.pick(n, 25, 40) / 4.0) * interval '1 hour' as begins
    from rows
) made
"""
_RUNS = """
insert into sync_syncrun (tenant_id, connection_id, stream_state_id, stream, kind, trigger, state, code, words,
    detail, read,
    new, changed, rejected, missing, pages, calls, cursor, covered, fence, next_slice_at, attempts, queued_at,
        started_at,
    finished_at)
select tenant_id, connection_id, id, stream, 'incremental', 'schedule', case when n %% 50 = 0
    then 'failed' else 'done' end,
    '', '', '', n %% 90, 0, n %% 7, 0, 0, 1, 2, '', '[]', 1, at, 0, at, at, at + interval '2 seconds'
from sync_streamstate cross join generate_series(1, %(each)s) n
cross join lateral (select now() - n * interval '15 minutes' as at) moment
"""
# (kind's number in _SOURCE, of how many rows, over how many days, what is written of each)
_LOADS = (
    (1, 1.0, 1095, (_RECORD, _WORK_ORDER, _VERSIONS)),
    (2, 1.0, 1095, (_RECORD, _BILLING, _VERSIONS)),
    (3, 0.2, 730, (_RECORD, _BOOKING)),
    (4, 0.2, 730, (_RECORD,)),
)
_SOURCE = """
create temp table bench_tenant as select id as tenant, row_number() over (order by id) as place from tenancy_tenant;
create temp table bench_source as
select c.tenant_id as tenant, c.id, s.kind, s.stream, s.part from connections_connection c
join (values ('North', 1, 'work-orders', int4range(0, 90)), ('South', 1, 'work-orders', int4range(90, 100)),
    ('North', 2, 'invoices', int4range(0, 15)), ('Sponsors', 2, 'billings', int4range(15, 100)),
    ('Rooms', 3, 'room-bookings', int4range(0, 60)), ('Rooms', 3, 'desk-bookings', int4range(60, 100)),
    ('Sponsors', 4, 'deal-lines', int4range(0, 100))) s(name, kind, stream, part) on s.name = c.name;
"""


def load(rows: int, *, fresh: bool) -> Tenant:
    """The first tenant of a database with so many billings; filled only where it is not yet."""
    wanted = f"{VERSION}: {rows}"
    if fresh or _mark() != wanted:
        began = time.monotonic()
        _clear()
        tenants = [_tenant(number) for number in range(1, TENANTS + 1)]
        for number, share, days, statements in _LOADS:
            _fill(number, int(rows * share), days, statements)
        with ops_scope(), database.cursor() as cursor:
            cursor.execute(_RUNS, {"each": max(rows // 8_000, 3)})
        _as_owner("vacuum analyze", f"comment on table records_record is '{wanted}'")
        print(f"loaded {rows:,} of each in {time.monotonic() - began:.0f} s", file=sys.stderr)
        return tenants[0]
    with ops_scope():
        return Tenant.objects.order_by("pk")[0]


def _mark() -> str | None:
    with database.cursor() as cursor:
        cursor.execute("select obj_description('records_record'::regclass)")
        found: str | None = cursor.fetchone()[0]
        return found


def _clear() -> None:
    _as_owner(
        "truncate tenancy_tenant, accounts_user, django_session restart identity cascade",
        "comment on table records_record is null",
    )


def _as_owner(*statements: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("set role portal_owner")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("set role portal_app")


def _tenant(number: int) -> Tenant:
    with ops_scope():
        tenant = Tenant.objects.create(
            slug=f"tenant-{number}", name=f"Tenant {number}", time_zone="America/Chicago", currency="USD"
        )
    user = User.objects.create_user(
        OWNER if number == 1 else f"{number}@example.com", name="Bench Reader", is_staff=number == 1,
        is_superuser=number == 1,
    )  # fmt: skip
    now = timezone.now()
    with tenant_scope(tenant.pk):
        Membership.objects.create(tenant=tenant, user=user, role=Role.OWNER)
        for vendor, name in _VENDORS:
            connection = Connection.objects.create(
                tenant=tenant, vendor=vendor, name=name, account=name, state=ConnectionState.ACTIVE, connected_at=now
            )
            for stream in connectors()[vendor].streams:
                StreamState.objects.create(
                    tenant=tenant, connection=connection, stream=stream.key, last_good_at=now, last_attempt_at=now,
                    due_at=now + stream.interval, interval=stream.interval, records=1000,
                )  # fmt: skip
    return tenant


def _fill(kind: int, total: int, days: int, statements: tuple[str, ...]) -> None:
    for first in range(0, total, _BATCH):
        values = {"kind": kind, "days": days, "total": total, "first": first, "last": min(first + _BATCH, total) - 1}
        with ops_scope(), database.cursor() as cursor:
            cursor.execute(_FUNCTIONS)
            cursor.execute("drop table if exists pg_temp.bench_tenant, pg_temp.bench_source, pg_temp.rows")
            cursor.execute(_SOURCE)
            cursor.execute(f"create temp table rows as {_ROWS}", values)
            for statement in statements:
                cursor.execute(statement)
        print(f"  kind {kind}: {values['last'] + 1:,} of {total:,}", file=sys.stderr)
