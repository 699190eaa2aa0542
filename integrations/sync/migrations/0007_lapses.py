from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0006_turns"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="lapses",
            field=models.PositiveIntegerField(db_default=0),
        ),
    ]
