import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("units", "Units"),
                            ("touchpoints", "Touchpoints"),
                            ("metrics", "Metrics"),
                            ("challenges", "Challenges"),
                            ("aliases", "Aliases"),
                            ("solutions", "Solutions"),
                            ("feedback", "Feedback"),
                            ("actions", "Actions"),
                            ("people", "People"),
                            ("events", "Events"),
                        ],
                        max_length=11,
                        verbose_name="kind",
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=64, verbose_name="source")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Waiting"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("failed", "Failed"),
                        ],
                        default="received",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("file", models.FileField(blank=True, max_length=300, upload_to="imports/%Y/%m/")),
                ("file_name", models.CharField(max_length=255, verbose_name="file")),
                ("file_bytes", models.BigIntegerField(default=0)),
                ("mapping", models.JSONField(blank=True, null=True)),
                ("is_strict", models.BooleanField(default=False)),
                ("is_dry_run", models.BooleanField(default=False)),
                ("phase", models.CharField(blank=True, max_length=20)),
                ("read_bytes", models.BigIntegerField(default=0)),
                ("row_count", models.BigIntegerField(default=0)),
                ("accepted_count", models.BigIntegerField(default=0)),
                ("duplicate_count", models.BigIntegerField(default=0)),
                ("corrected_count", models.BigIntegerField(default=0)),
                ("rejected_count", models.BigIntegerField(default=0)),
                ("warnings", models.JSONField(default=list)),
                ("rejects", models.FileField(blank=True, max_length=300, upload_to="rejects/%Y/%m/")),
                ("reject_sample", models.JSONField(default=list)),
                ("error", models.JSONField(blank=True, null=True)),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
                "indexes": [models.Index(fields=["state", "id"], name="imports_importbatch_state")],
            },
        ),
    ]
