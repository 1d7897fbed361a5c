import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("taxonomy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Response",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("external_id", models.CharField(max_length=200, verbose_name="id in the source")),
                ("occurred_at", models.DateTimeField(verbose_name="when")),
                ("week", models.DateField()),
                ("customer_digest", models.CharField(blank=True, max_length=64)),
                ("segment", models.CharField(blank=True, max_length=100, verbose_name="segment")),
                ("weight", models.DecimalField(decimal_places=6, default=1, max_digits=14, verbose_name="weight")),
                ("channel", models.CharField(blank=True, max_length=100, verbose_name="channel")),
                ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
                ("comment", models.TextField(blank=True, verbose_name="comment")),
                (
                    "unit",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "response",
                "verbose_name_plural": "responses",
                "indexes": [
                    models.Index(
                        condition=models.Q(("comment", ""), _negated=True),
                        fields=["unit", "week"],
                        name="feedback_response_comments",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("weight__gt", 0)), name="feedback_response_weight")
                ],
            },
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "response_id", "metric_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.DecimalField(decimal_places=6, max_digits=18, verbose_name="value")),
                (
                    "metric",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.metric",
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores",
                        to="feedback.response",
                    ),
                ),
            ],
            options={
                "verbose_name": "score",
                "verbose_name_plural": "scores",
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
            ],
            options={
                "verbose_name": "source",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="feedback_source_code"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="response",
            name="source",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="feedback.source",
            ),
        ),
        migrations.CreateModel(
            name="Cell",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("week", models.DateField()),
                ("n", models.PositiveIntegerField(verbose_name="answers")),
                ("weight", models.DecimalField(decimal_places=12, max_digits=30)),
                ("weight_squares", models.DecimalField(decimal_places=12, max_digits=36)),
                ("total", models.DecimalField(decimal_places=12, max_digits=40)),
                ("squares", models.DecimalField(decimal_places=18, max_digits=50)),
                (
                    "mean",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            models.F("total"), "/", models.F("weight")
                        ),
                        output_field=models.FloatField(),
                    ),
                ),
                (
                    "m2",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Greatest(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("squares"),
                                        "-",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("total"), "*", models.F("total")
                                            ),
                                            "/",
                                            models.F("weight"),
                                        ),
                                    ),
                                    "*",
                                    models.F("n"),
                                ),
                                "/",
                                models.F("weight"),
                            ),
                            models.Value(0),
                        ),
                        output_field=models.FloatField(),
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.metric",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "cell",
                "indexes": [models.Index(fields=["unit", "week"], name="feedback_cell_unit_week")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("metric", "unit", "week"), name="feedback_cell_metric_unit_week"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("n__gt", 0), ("weight__gt", 0)), name="feedback_cell_not_empty"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ResponseLabel",
            fields=[
                (
                    "response",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="label",
                        serialize=False,
                        to="feedback.response",
                    ),
                ),
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
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.unmappedlabel"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ResponseChallenge",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("given", "Given by the source"), ("alias", "By an alias")], max_length=5
                    ),
                ),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.challenge"
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="codings", to="feedback.response"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("response", "challenge"), name="feedback_responsechallenge_pair"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("revision", models.PositiveBigIntegerField(default=1)),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.metric"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "series",
                "constraints": [
                    models.UniqueConstraint(fields=("unit", "metric"), name="feedback_series_unit_metric")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="response",
            constraint=models.UniqueConstraint(fields=("source", "external_id"), name="feedback_response_key"),
        ),
        # Imports take ids by the hundred thousand; numbers lost at the end of a session don't matter.
        migrations.RunSQL(
            "ALTER TABLE feedback_response ALTER COLUMN id SET CACHE 1000",
            "ALTER TABLE feedback_response ALTER COLUMN id SET CACHE 1",
        ),
    ]
