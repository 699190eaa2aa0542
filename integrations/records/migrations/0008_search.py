"""The words that lists are searched for, indexed by tenant, and the one function that looks them up.

No index can answer a search through row-level security: its operators are not leakproof, so the policy would have to be
checked first, row by row. `records_search` therefore runs as the ops role, which no policy holds back, and repeats the
policy's condition itself: it takes the tenant from the setting the policy reads, never from its caller.

Each word of the index begins with its tenant's number, so that a tenant's search reads nothing of the others.
"""

from django.db import migrations

from portal.tenancy.rls import as_ops

_SEPARATORS = "-/.,#(_:"
# A word of the index takes 2,046 bytes at most; where one could be longer, words end at their hundredth letter.
_SHORT = "case when octet_length(said) < 1900 then said else regexp_replace(said, '(\\S{100})\\S+', '\\1', 'g') end"


_WORDS = f"""
create function records_spaced(said text) returns text language sql immutable parallel safe
    return ' ' || translate({_SHORT}, '{_SEPARATORS}', '{" " * len(_SEPARATORS)}');
create function records_words(tenant bigint, said text) returns tsvector language sql immutable parallel safe
    return array_to_tsvector(string_to_array(
        tenant::text || ':' || replace(records_spaced(said), ' ', ' ' || tenant::text || ':'), ' '
    ));
"""
_TABLES = {
    "records_workorder": "search",
    "records_billing": "search",
    # Of a private booking only where it is: nobody may find it by its title or by whose it is.
    "records_booking": "case when is_private then lower(resource || ' ' || location) else search end",
}
# The words alone say whose they are; "+ 0" keeps the planner from going through all of the tenant's rows besides.
_BRANCHES = "".join(
    f"""
    if of_table = '{table}' then
        select count(*) > 8 into is_common from (
            select tenant_id, {said} as words from public.{table} where tenant_id = tenant limit 300
        ) some_rows where public.records_words(tenant_id, words) @@ wanted;
        if not is_common then
            ids := array(select record_id from public.{table}
                where tenant_id + 0 = tenant and public.records_words(tenant_id, {said}) @@ wanted limit most + 1);
        end if;
    end if;"""  # noqa: S608 - names of our own tables
    for table, said in _TABLES.items()
)
# Null stands for "too many to name". Common words are known by a few of the tenant's rows: to gather all that hold
# them would take longer than a list needs to fill a page with them.
_SEARCH = f"""
create function records_search(of_table text, said text, most integer) returns bigint[]
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    tenant bigint := nullif(current_setting('app.tenant_id', true), '')::bigint;
    wanted tsquery;
    is_common boolean := false;
    ids bigint[] := array[]::bigint[];
begin
    if tenant is null then
        return ids;
    end if;
    select string_agg(
        format('''%s'':*', tenant || ':' || replace(replace(word, '\\', '\\\\'), '''', '''''')), ' & '
    )::tsquery into wanted from string_to_table(public.records_spaced(said), ' ') word where word <> '';
    if wanted is null then
        return ids;
    end if;
    {_BRANCHES}
    return case when not is_common and cardinality(ids) <= most then ids end;
end $$;
revoke all on function records_search from public;
grant execute on function records_search to portal_app;
"""  # noqa: S608 - only constants are put together


def _index(table: str, said: str) -> migrations.RunSQL:
    name = f"{table.removeprefix('records_')}_words"
    return migrations.RunSQL(
        [
            f"drop index concurrently if exists {name}",  # what an interrupted attempt left behind is not valid
            f"create index concurrently {name} on {table} using gin (records_words(tenant_id, {said}))",
        ],
        f"drop index concurrently if exists {name}",
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("records", "0007_lists_at_size"),
    ]

    operations = [
        migrations.RunSQL(
            f"begin; {_WORDS} {as_ops(_SEARCH)} commit",
            "begin; set local role portal_ops; drop function records_search; set local role portal_owner; "
            "drop function records_words; drop function records_spaced; commit",
        ),
        *(_index(table, said) for table, said in _TABLES.items()),
    ]
