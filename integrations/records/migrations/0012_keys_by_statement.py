"""Keys that are proved once a statement instead of once a row, on the tables that a sync fills."""

from django.db import migrations

from portal.tenancy.rls import same_tenant_by_statement


class Migration(migrations.Migration):
    dependencies = [("records", "0011_requests")]

    operations = [
        same_tenant_by_statement("records_record", "connection_id", "connections_connection", locks=True),
        # What is said of a record is written in the transaction that writes the record.
        *(
            same_tenant_by_statement(f"records_{kind}", "record_id", "records_record", locks=False)
            for kind in ("workorder", "booking", "billing")
        ),
        same_tenant_by_statement("records_recordversion", "record_id", "records_record", locks=False),
        migrations.RemoveConstraint("record", "record_of_tenant"),  # which was there to be pointed at
    ]
