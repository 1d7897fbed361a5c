import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import apps.core.searching


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Journey",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_fr", models.CharField(blank=True, max_length=200, verbose_name="name in French")),
            ],
            options={
                "verbose_name": "journey",
                "verbose_name_plural": "journeys",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="taxonomy_journey_code"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="JourneyVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("starts_on", models.DateField(blank=True, null=True, verbose_name="from")),
                (
                    "journey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="taxonomy.journey"
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a journey",
                "constraints": [
                    models.UniqueConstraint(fields=("journey", "number"), name="taxonomy_journeyversion_number"),
                    models.UniqueConstraint(
                        fields=("journey", "starts_on"), name="taxonomy_journeyversion_starts_on"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("starts_on", None)),
                        fields=("journey",),
                        name="taxonomy_journeyversion_one_first",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Touchpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_fr", models.CharField(blank=True, max_length=200, verbose_name="name in French")),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("retired_on", models.DateField(blank=True, null=True)),
                (
                    "journey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="touchpoints",
                        to="taxonomy.journey",
                    ),
                ),
            ],
            options={
                "verbose_name": "touchpoint",
                "verbose_name_plural": "touchpoints",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="taxonomy_touchpoint_code"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Metric",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_fr", models.CharField(blank=True, max_length=200, verbose_name="name in French")),
                (
                    "kind",
                    models.CharField(
                        choices=[("perception", "Perception"), ("operational", "Operational")],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "better",
                    models.CharField(
                        choices=[("higher", "Higher is better"), ("lower", "Lower is better")],
                        default="higher",
                        max_length=6,
                        verbose_name="direction",
                    ),
                ),
                (
                    "scoring",
                    models.CharField(
                        choices=[
                            ("value", "Mean of the values"),
                            ("share", "Share at the threshold or better"),
                            ("nps", "Promoters minus detractors"),
                        ],
                        default="value",
                        max_length=5,
                        verbose_name="scoring",
                    ),
                ),
                (
                    "scale_min",
                    models.DecimalField(
                        blank=True, decimal_places=6, max_digits=18, null=True, verbose_name="lowest value"
                    ),
                ),
                (
                    "scale_max",
                    models.DecimalField(
                        blank=True, decimal_places=6, max_digits=18, null=True, verbose_name="highest value"
                    ),
                ),
                (
                    "threshold",
                    models.DecimalField(
                        blank=True, decimal_places=6, max_digits=18, null=True, verbose_name="threshold"
                    ),
                ),
                ("unit_label", models.CharField(blank=True, max_length=40, verbose_name="unit of measure")),
                ("is_overall", models.BooleanField(default=False, verbose_name="outcome of the whole journey")),
                (
                    "journey",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="metrics",
                        to="taxonomy.journey",
                    ),
                ),
                (
                    "touchpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="metrics",
                        to="taxonomy.touchpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "metric",
                "verbose_name_plural": "metrics",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="taxonomy_metric_code"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_overall", True)),
                        fields=("journey",),
                        name="taxonomy_metric_one_overall",
                        violation_error_message="A journey has one overall metric.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scoring", "share"), _negated=True),
                            ("threshold__isnull", False),
                            _connector="OR",
                        ),
                        name="taxonomy_metric_share_threshold",
                        violation_error_message="A share needs a threshold.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Challenge",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_fr", models.CharField(blank=True, max_length=200, verbose_name="name in French")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("description_fr", models.TextField(blank=True, verbose_name="description in French")),
                ("path", models.CharField(blank=True, editable=False, max_length=400)),
                ("severity", models.PositiveSmallIntegerField(default=3, verbose_name="severity")),
                ("retired_on", models.DateField(blank=True, null=True)),
                (
                    "search_name",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Searchable(
                            apps.core.searching.Together(models.F("name"), models.F("name_fr"))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Searchable(
                            apps.core.searching.Together(
                                models.F("code"),
                                models.F("name"),
                                models.F("name_fr"),
                                models.F("description"),
                                models.F("description_fr"),
                            )
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "search_words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Joined(
                            apps.core.searching.Words("name", config="english", weight="A"),
                            apps.core.searching.Words("description", config="english", weight="B"),
                            apps.core.searching.Words("name_fr", config="french", weight="A"),
                            apps.core.searching.Words("description_fr", config="french", weight="B"),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.challenge",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="taxonomy.challenge",
                    ),
                ),
                ("parts", models.ManyToManyField(blank=True, related_name="+", to="taxonomy.challenge")),
                (
                    "metric",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="challenges",
                        to="taxonomy.metric",
                    ),
                ),
                (
                    "touchpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="challenges",
                        to="taxonomy.touchpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "challenge",
                "verbose_name_plural": "challenges",
                "indexes": [
                    models.Index(
                        django.contrib.postgres.indexes.OpClass("path", "varchar_pattern_ops"),
                        name="taxonomy_challenge_path",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_name"], name="taxonomy_challenge_names", opclasses=["gin_trgm_ops"]
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_text"], name="taxonomy_challenge_texts", opclasses=["gin_trgm_ops"]
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_words"], name="taxonomy_challenge_words"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="taxonomy_challenge_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__range", (1, 5))), name="taxonomy_challenge_severity"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("parent", models.F("pk")), _negated=True),
                            models.Q(("merged_into", models.F("pk")), _negated=True),
                        ),
                        name="taxonomy_challenge_not_itself",
                        violation_error_message="A challenge can't stand under itself.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TouchpointPlace",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("position", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("name_fr", models.CharField(blank=True, max_length=200)),
                ("challenges", models.ManyToManyField(related_name="+", to="taxonomy.challenge")),
                ("metrics", models.ManyToManyField(related_name="+", to="taxonomy.metric")),
                (
                    "touchpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.touchpoint"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to="taxonomy.journeyversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "touchpoint"), name="taxonomy_touchpointplace_touchpoint"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UnmappedLabel",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64, verbose_name="source")),
                ("label", models.CharField(max_length=300, verbose_name="label")),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("response_count", models.PositiveIntegerField(default=0, verbose_name="responses")),
                ("rejected_count", models.PositiveIntegerField(default=0, verbose_name="rejected rows")),
                ("is_ignored", models.BooleanField(default=False)),
                (
                    "coded_as",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.challenge",
                    ),
                ),
            ],
            options={
                "verbose_name": "unmapped label",
                "verbose_name_plural": "unmapped labels",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("source"),
                        django.db.models.functions.text.Lower("label"),
                        name="taxonomy_unmappedlabel_source_label",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Acceptance",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("asked_at", models.DateTimeField()),
                ("least", models.PositiveSmallIntegerField(verbose_name="least likeness in percent")),
                ("last_label", models.BigIntegerField(default=0)),
                ("label_count", models.PositiveIntegerField(verbose_name="labels")),
                ("seen_count", models.PositiveIntegerField(default=0, verbose_name="looked at")),
                ("mapped_count", models.PositiveIntegerField(default=0, verbose_name="mapped")),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "acceptance of guesses",
                "verbose_name_plural": "acceptances of guesses",
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1),
                        condition=models.Q(("finished_at", None)),
                        name="taxonomy_acceptance_one_runs",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("least__range", (25, 100))), name="taxonomy_acceptance_least"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alias",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64, verbose_name="source")),
                ("label", models.CharField(max_length=300, verbose_name="label")),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="taxonomy.challenge",
                    ),
                ),
            ],
            options={
                "verbose_name": "alias",
                "verbose_name_plural": "aliases",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            apps.core.searching.Searchable("label"), "gin_trgm_ops"
                        ),
                        name="taxonomy_alias_plain_label",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("source"),
                        django.db.models.functions.text.Lower("label"),
                        name="taxonomy_alias_source_label",
                    )
                ],
            },
        ),
    ]
