"""Row-level security and tenant-carrying foreign keys, for the migrations of every table that has a tenant."""

from django.db import migrations

_CURRENT = "(select nullif(current_setting('app.tenant_id', true), '')::bigint)"


def protect(table: str, tenant_column: str = "tenant_id") -> migrations.RunSQL:
    """Show a row only in its tenant's scope and take only that tenant's rows; forced, so for the owner too.

    The sub-select is evaluated once per statement and can serve as an index condition.
    """
    rule = f"{tenant_column} = {_CURRENT}"
    return migrations.RunSQL(
        f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy tenant_isolation on {table} using ({rule}) with check ({rule});
        """,
        f"""
        drop policy tenant_isolation on {table};
        alter table {table} no force row level security;
        alter table {table} disable row level security;
        """,
    )


def same_tenant(table: str, column: str, target: str) -> migrations.RunSQL:
    """A foreign key that carries the tenant: a row cannot point at another tenant's, which row-level security alone
    would not notice. `target` needs a unique (tenant_id, id)."""
    name = f"{table}_{column}_same_tenant"
    return migrations.RunSQL(
        f"""
        alter table {table} add constraint {name} foreign key (tenant_id, {column})
            references {target} (tenant_id, id) on delete cascade deferrable initially deferred;
        """,
        f"alter table {table} drop constraint {name};",
    )


# The functions run as the ops role: whoever deletes a row, what points at it has to be found.
_PROVE = """
create function {table}_{column}_prove() returns trigger language plpgsql security definer
    set search_path = public, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    {lock}
    if exists (
        select from (select {distinct} tenant_id, {column} from arrived) a
        where not exists (select from {target} t where (t.tenant_id, t.id) = (a.tenant_id, a.{column}))
    ) then
        raise foreign_key_violation using message = 'a row of {table} points at no {target} of its tenant';
    end if;
    return null;
end $$;
create function {table}_{column}_follow() returns trigger language plpgsql security definer
    set search_path = public, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    delete from {table} r using gone where (r.tenant_id, r.{column}) = (gone.tenant_id, gone.id);
    return null;
end $$;
create function {table}_{column}_stay() returns trigger language plpgsql as $$
begin
    raise foreign_key_violation using message = 'a row of {table} stays with its {target}';
end $$;
"""
_LOCK = """perform from {target} t
        where (t.tenant_id, t.id) in (select distinct tenant_id, {column} from arrived) for key share;"""
_TRIGGERS = """
create trigger {column}_prove after insert on {table} referencing new table as arrived
    for each statement execute function {table}_{column}_prove();
create trigger {column}_stay before update of tenant_id, {column} on {table} for each row
    when ((new.tenant_id, new.{column}) is distinct from (old.tenant_id, old.{column}))
    execute function {table}_{column}_stay();
create trigger {table}_{column}_follow after delete on {target} referencing old table as gone
    for each statement execute function {table}_{column}_follow();
"""
_FORGET = """
drop trigger {column}_prove on {table};
drop trigger {column}_stay on {table};
drop trigger {table}_{column}_follow on {target};
set local role portal_ops;
drop function {table}_{column}_prove, {table}_{column}_follow, {table}_{column}_stay;
set local role portal_owner;
"""


def as_ops(statements: str) -> str:
    """SQL that makes what is to belong to the ops role, which may create things in this schema but in this moment. To
    be run within a transaction."""
    return f"""
    set local role none;
    grant create on schema public to portal_ops;
    set local role portal_ops;
    {statements}
    set local role none;
    revoke create on schema public from portal_ops;
    set local role portal_owner;
    """


def same_tenant_by_statement(table: str, column: str, target: str, *, locks: bool) -> migrations.RunSQL:
    """What `same_tenant` promises, proved once for all the rows of a statement: PostgreSQL's own key looks its target
    up for each row, which is an eighth of what a row of a large table costs. Takes the place of that key.

    With `locks` the targets are held until the transaction ends, as a key would hold them; without, the writer must
    hold them itself, by having written them in the same transaction.
    """
    words = {"table": table, "column": column, "target": target}
    words |= {"lock": _LOCK.format(**words) if locks else "", "distinct": "distinct" if locks else ""}
    key = same_tenant(table, column, target)
    return migrations.RunSQL(
        f"{as_ops(_PROVE.format(**words))} {key.reverse_sql} {_TRIGGERS.format(**words)}",
        f"{_FORGET.format(**words)} {key.sql}",
    )
