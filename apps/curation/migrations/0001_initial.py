import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [("curation", "0001_outside_evidence"), ("curation", "0002_look_alikes")]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ideas", "0001_initial"),
        ("library", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Compared",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("digest", models.CharField(max_length=32)),
                (
                    "idea",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ideas.idea",
                    ),
                ),
                (
                    "solution",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="library.solution",
                    ),
                ),
            ],
            options={
                "verbose_name": "comparison",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("solution", None), ("idea", None), _connector="XOR"),
                        name="curation_compared_one",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LookAlike",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("solutions", "Two solutions"),
                            ("ideas", "Two ideas"),
                            ("mixed", "An idea and a solution"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("likeness", models.FloatField(verbose_name="likeness")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Waiting"), ("dismissed", "Not the same"), ("settled", "Joined")],
                        default="open",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("found_at", models.DateTimeField(verbose_name="found")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "idea",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ideas.idea",
                    ),
                ),
                (
                    "other_idea",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ideas.idea",
                    ),
                ),
                (
                    "other_solution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="library.solution",
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="library.solution",
                    ),
                ),
            ],
            options={
                "verbose_name": "look-alike",
                "verbose_name_plural": "look-alikes",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["found_at"], name="curation_lookalike_open"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("idea", None),
                                ("kind", "solutions"),
                                ("other_idea", None),
                                ("other_solution__gt", models.F("solution")),
                            ),
                            models.Q(
                                ("kind", "ideas"),
                                ("other_idea__gt", models.F("idea")),
                                ("other_solution", None),
                                ("solution", None),
                            ),
                            models.Q(
                                ("idea__isnull", False),
                                ("kind", "mixed"),
                                ("other_idea", None),
                                ("other_solution", None),
                                ("solution__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="curation_lookalike_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("likeness__gte", 0), ("likeness__lte", 1)),
                        name="curation_lookalike_likeness",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="curation_lookalike_decided",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "solutions")),
                        fields=("solution", "other_solution"),
                        name="curation_lookalike_solutions",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "ideas")),
                        fields=("idea", "other_idea"),
                        name="curation_lookalike_ideas",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "mixed")),
                        fields=("idea", "solution"),
                        name="curation_lookalike_mixed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutsideEvidence",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("pack", models.CharField(max_length=64, verbose_name="pack")),
                ("outcome", models.CharField(max_length=200, verbose_name="outcome")),
                ("outcome_fr", models.CharField(blank=True, max_length=200, verbose_name="outcome in French")),
                ("unit_label", models.CharField(blank=True, max_length=40, verbose_name="unit of measure")),
                ("effect", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("use_count", models.PositiveIntegerField()),
                ("unit_count", models.PositiveIntegerField()),
                ("level", models.PositiveSmallIntegerField()),
                ("method", models.CharField(blank=True, max_length=40)),
                ("as_of", models.CharField(blank=True, max_length=10)),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "evidence from elsewhere",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("pack", "solution", "outcome"), name="curation_outsideevidence_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("high__gte", models.F("effect")), ("low__lte", models.F("effect"))),
                        name="curation_outsideevidence_interval",
                    ),
                ],
            },
        ),
    ]
