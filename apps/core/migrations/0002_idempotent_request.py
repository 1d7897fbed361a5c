from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("caller", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=255)),
                ("path", models.CharField(max_length=500)),
                ("digest", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("headers", models.JSONField(default=dict)),
                ("body", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="core_idempotentrequest_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("caller", "key", "path"), name="core_idempotentrequest_call")
                ],
            },
        ),
    ]
