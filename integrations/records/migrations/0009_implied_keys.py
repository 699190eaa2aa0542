"""Without the foreign keys that others imply: a record's tenant is proved by its connection's key, a typed row's tenant
and connection by its record's. Each one costs a look-up for every row that is written."""

from django.db import migrations, models
from django.db.models.deletion import CASCADE

_TYPED = ("workorder", "booking", "billing")


def _tenant(model: str) -> migrations.AlterField:
    field = models.ForeignKey(
        to="tenancy.tenant", on_delete=CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    return migrations.AlterField(model, "tenant", field)


def _without_connection(model: str) -> migrations.RunSQL:
    table, name = f"records_{model}", f"records_{model}_connection_id_same_tenant"
    return migrations.RunSQL(
        f"alter table {table} drop constraint {name};",
        f"""
        alter table {table} add constraint {name} foreign key (tenant_id, connection_id)
            references connections_connection (tenant_id, id) on delete cascade deferrable initially deferred;
        """,
    )


class Migration(migrations.Migration):
    dependencies = [("records", "0008_search")]

    operations = [
        *(_tenant(model) for model in ("record", *_TYPED)),
        *(_without_connection(model) for model in _TYPED),
    ]
