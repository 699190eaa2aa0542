"""Keys that are proved once a statement instead of once a row, on the tables that a sync fills."""

from django.db import migrations

from portal.tenancy.rls import same_tenant_by_statement


class Migration(migrations.Migration):
    dependencies = [("records", "0010_open_lists")]

    operations = [
        same_tenant_by_statement("records_record", "connection_id", "connections_connection", locks=True),
        # A typed row is written in the transaction that writes its record.
        *(
            same_tenant_by_statement(f"records_{kind}", "record_id", "records_record", locks=False)
            for kind in ("workorder", "booking", "billing")
        ),
    ]
