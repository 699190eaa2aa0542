"""The request that brought what is kept. Not known for older rows, nor for those that the release before still writes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0010_open_lists")]

    operations = [
        migrations.AddField("record", "changed_request_id", models.UUIDField(null=True)),
        migrations.AddField("recordversion", "request_id", models.UUIDField(null=True)),
        migrations.AddField("rejectedrecord", "request_id", models.UUIDField(null=True)),
        migrations.AddField("shadowrecord", "request_id", models.UUIDField(null=True)),
    ]
