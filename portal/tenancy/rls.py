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
