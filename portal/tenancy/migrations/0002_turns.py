"""What decides whose turn it is: each tenant's weight, and its latest round."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="turn",
            field=models.FloatField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="tenant",
            name="weight",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)],
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(condition=models.Q(("weight__range", (1, 10))), name="weight_of_tenant"),
        ),
    ]
