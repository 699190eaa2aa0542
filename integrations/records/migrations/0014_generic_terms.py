"""The names, numbers and facets of generic records, indexed as terms, and the one function that looks them up.

As for the typed lists (see 0008): no index answers through row-level security, so `records_lookup` runs as the ops
role, takes the tenant from the setting that the policy reads and repeats the policy's condition itself.

A term begins with its tenant and its stream, so that a search reads nothing of others. A word follows at once, a facet
after one more colon, which no word holds: `7:deals:boiler`, `7:deals::state.value": "Active`.
"""

from django.db import migrations

from portal.tenancy.rls import as_ops

# Streams with typed rows are searched there, and their writing must not pay for this. The list is no promise: a typed
# stream that is not in it is merely indexed for nothing, and what the function finds here it leaves to be walked.
_TYPED = "'appointments', 'billings', 'desk-bookings', 'invoices', 'room-bookings', 'work-orders'"
_PREFIX = "tenant::text || ':' || stream || ':'"
_TERMS = f"""
create or replace function records_terms(tenant bigint, stream text, said text, facets jsonb) returns tsvector
    language sql immutable parallel safe return array_to_tsvector(
        string_to_array({_PREFIX} || replace(ltrim(records_spaced(said)), ' ', ' ' || {_PREFIX}), ' ')
        || string_to_array({_PREFIX} || ':'
            || replace(nullif(records_members(facets), ''), '", "', '", "' || {_PREFIX} || ':'), '", "')
    );
"""
# Cut as text, for to unfold the object costs as much as the rest of a row's terms three times over: within a text JSON
# escapes every quote, so '", "' stands between two members alone.
_MEMBERS = """
create or replace function records_members(facets jsonb) returns text language sql immutable parallel safe
    return left(substr(facets::text, 3), -2);
"""
_OF_ROW = "public.records_terms(tenant_id, stream, lower(title || ' ' || external_id), facets)"
# Null stands for "too many to name". What is common is known by the rows that a walk would begin with: then the page is
# full sooner than all of them are gathered. The terms alone say whose and which they are; "+ 0" and "|| ''" keep the
# planner from going through all of the tenant's or the stream's rows besides.
_LOOKUP = f"""
create or replace function records_lookup(of_stream text, said text, narrowed jsonb, most integer) returns bigint[]
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    tenant bigint := nullif(current_setting('app.tenant_id', true), '')::bigint;
    wanted tsquery;
    is_common boolean;
    ids bigint[];
begin
    if tenant is null then
        return array[]::bigint[];
    end if;
    select string_agg(format('''%s''%s', replace(replace(
        tenant || ':' || of_stream || ':' || term, '\\', '\\\\'), '''', ''''''), ending), ' & '
    )::tsquery into wanted from (
        select word, ':*' from string_to_table(public.records_spaced(lower(said)), ' ') word where word <> ''
        union all
        select ':' || public.records_members(jsonb_build_object(key, value)), '' from jsonb_each_text(narrowed)
    ) terms(term, ending);
    if wanted is null or of_stream in ({_TYPED}) then
        return null;
    end if;
    select count(*) > 8 into is_common from (
        select {_OF_ROW} as terms from public.records_record
        where tenant_id = tenant and stream = of_stream order by changed_at desc, id desc limit 300
    ) latest where terms @@ wanted;
    if is_common then
        return null;
    end if;
    ids := array(select id from public.records_record
        where stream not in ({_TYPED}) and {_OF_ROW} @@ wanted
            and tenant_id + 0 = tenant and stream || '' = of_stream limit most + 1);
    return case when cardinality(ids) <= most then ids end;
end $$;
revoke all on function records_lookup from public;
grant execute on function records_lookup to portal_app;
"""  # noqa: S608 - only constants are put together


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("records", "0013_words_sooner")]

    operations = [
        migrations.RunSQL(
            f"begin; {_MEMBERS} {_TERMS} {as_ops(_LOOKUP)} commit",
            "begin; set local role portal_ops; drop function records_lookup; set local role portal_owner; "
            "drop function records_terms; drop function records_members; commit",
        ),
        migrations.RunSQL(
            [
                "drop index concurrently if exists record_terms",  # what an interrupted attempt left behind
                f"create index concurrently record_terms on records_record using gin (({_OF_ROW}))"
                f" where stream not in ({_TYPED})",
            ],
            "drop index concurrently if exists record_terms",
        ),
    ]
