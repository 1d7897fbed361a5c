import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("library", "0001_initial"),
        ("planning", "0001_initial"),
        ("taxonomy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Basis",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("month", models.DateField()),
                ("digest", models.CharField(max_length=64)),
                ("unit_count", models.PositiveIntegerField()),
                ("action_count", models.PositiveIntegerField()),
                ("effective_count", models.FloatField()),
                ("within_variance", models.FloatField(blank=True, null=True)),
                ("noise", models.JSONField()),
                ("spreads", models.JSONField(blank=True, null=True)),
                ("fitted_at", models.DateTimeField()),
                (
                    "metric",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
            ],
            options={
                "verbose_name": "basis",
                "verbose_name_plural": "bases",
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("finished", "Finished"), ("failed", "Failed")],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("phase", models.CharField(blank=True, max_length=20)),
                ("done_count", models.PositiveIntegerField(default=0)),
                ("total_count", models.PositiveIntegerField(default=0)),
                ("method", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=64)),
                ("seed", models.BigIntegerField(default=0)),
                ("as_of", models.DateField()),
                ("unit_count", models.PositiveIntegerField(default=0)),
                ("week_count", models.PositiveIntegerField(default=0)),
                ("action_count", models.PositiveIntegerField(default=0)),
                ("estimated_count", models.PositiveIntegerField(default=0)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("detail", models.TextField(blank=True)),
                ("benchmark", models.JSONField(blank=True, null=True)),
                ("noise", models.JSONField(blank=True, null=True)),
                ("start", models.JSONField(blank=True, null=True)),
                ("checks", models.JSONField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
            ],
            options={
                "verbose_name": "measurement",
                "indexes": [models.Index(fields=["metric", "-id"], name="impact_run_metric")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")),
                        fields=("metric",),
                        name="impact_run_one_at_a_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RankedSolution",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("context", models.CharField(blank=True, max_length=64)),
                ("rank", models.PositiveIntegerField(blank=True, null=True)),
                ("rank_low", models.PositiveIntegerField(blank=True, null=True)),
                ("rank_high", models.PositiveIntegerField(blank=True, null=True)),
                ("tier", models.PositiveIntegerField(blank=True, null=True)),
                ("effect", models.FloatField(blank=True, null=True)),
                ("se", models.FloatField(blank=True, null=True)),
                ("low", models.FloatField(blank=True, null=True)),
                ("high", models.FloatField(blank=True, null=True)),
                ("claim_low", models.FloatField(blank=True, null=True)),
                ("claim_high", models.FloatField(blank=True, null=True)),
                ("low_10", models.FloatField(blank=True, null=True)),
                ("p_positive", models.FloatField(blank=True, null=True)),
                ("p_best", models.FloatField(blank=True, null=True)),
                ("expected_rank", models.FloatField(blank=True, null=True)),
                ("try_next", models.FloatField(blank=True, null=True)),
                ("is_worth_trying", models.BooleanField(default=False)),
                ("is_safe_pick", models.BooleanField(default=False)),
                ("information", models.FloatField(blank=True, null=True)),
                (
                    "standing",
                    models.CharField(
                        choices=[
                            ("rankable", "Rankable"),
                            ("early", "Early"),
                            ("not_rankable", "Not yet rankable"),
                        ],
                        default="not_rankable",
                        max_length=12,
                    ),
                ),
                ("action_count", models.PositiveIntegerField(default=0)),
                ("unit_count", models.PositiveIntegerField(default=0)),
                ("context_count", models.PositiveIntegerField(default=0)),
                ("region_count", models.PositiveIntegerField(default=0)),
                ("heterogeneity", models.FloatField(blank=True, null=True)),
                ("persistence", models.JSONField(blank=True, null=True)),
                ("better", models.JSONField(default=dict)),
                ("aliases", models.JSONField(default=list)),
                ("side_effects", models.JSONField(default=list)),
                ("evidence", models.PositiveSmallIntegerField(default=0)),
                ("evidence_parts", models.JSONField(default=list)),
                (
                    "own_verdict",
                    models.CharField(
                        choices=[
                            ("works", "Works"),
                            ("likely_works", "Likely works"),
                            ("trade_off", "Works with trade-offs"),
                            ("unknown", "Unknown"),
                            ("unlikely", "Unlikely to work"),
                            ("harmful", "Does harm"),
                        ],
                        default="unknown",
                        max_length=12,
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("works", "Works"),
                            ("likely_works", "Likely works"),
                            ("trade_off", "Works with trade-offs"),
                            ("unknown", "Unknown"),
                            ("unlikely", "Unlikely to work"),
                            ("harmful", "Does harm"),
                        ],
                        default="unknown",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("detail", models.TextField(blank=True)),
                ("naive_change", models.FloatField(blank=True, null=True)),
                ("method", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=64)),
                ("as_of", models.DateField()),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.challenge"
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.solution"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="impact.run"
                    ),
                ),
            ],
            options={
                "verbose_name": "ranked solution",
                "indexes": [
                    models.Index(fields=["solution"], name="impact_rankedsolution_solution"),
                    models.Index(
                        models.F("solution"),
                        models.OrderBy(models.F("evidence"), descending=True),
                        models.OrderBy(models.F("action_count"), descending=True),
                        condition=models.Q(("context", "")),
                        include=("verdict", "effect"),
                        name="impact_rankedsolution_best",
                    ),
                    models.Index(
                        condition=models.Q(models.Q(("context", ""), _negated=True), ("context_count__gt", 0)),
                        fields=["context", "solution"],
                        name="impact_rankedsolution_used_in",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("challenge", "solution", "context"), name="impact_rankedsolution_place"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("effect", None),
                            models.Q(("high__isnull", False), ("low__isnull", False)),
                            _connector="OR",
                        ),
                        name="impact_rankedsolution_number_has_interval",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Portion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("common", "Of all units"),
                            ("group", "Of a group of units"),
                            ("units", "Some units"),
                        ],
                        max_length=6,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("body", models.BinaryField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="portions", to="impact.run"
                    ),
                ),
            ],
            options={
                "verbose_name": "portion of a fit",
                "verbose_name_plural": "portions of fits",
                "constraints": [
                    models.UniqueConstraint(fields=("run", "part", "number"), name="impact_portion_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="Effect",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("target", "Target"), ("side_effect", "Side effect")], max_length=11
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("estimated", "Estimated"),
                            ("too_early", "Too early"),
                            ("not_estimable", "Can't be known"),
                        ],
                        max_length=13,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("detail", models.TextField(blank=True)),
                ("known_on", models.DateField(blank=True, null=True)),
                ("effect", models.FloatField(blank=True, null=True)),
                ("se", models.FloatField(blank=True, null=True)),
                ("low", models.FloatField(blank=True, null=True)),
                ("high", models.FloatField(blank=True, null=True)),
                ("p_positive", models.FloatField(blank=True, null=True)),
                ("raw_effect", models.FloatField(blank=True, null=True)),
                ("raw_se", models.FloatField(blank=True, null=True)),
                ("naive_change", models.FloatField(blank=True, null=True)),
                ("weeks_before", models.PositiveIntegerField(default=0)),
                ("weeks_after", models.PositiveIntegerField(default=0)),
                ("n_before", models.PositiveIntegerField(default=0)),
                ("n_after", models.PositiveIntegerField(default=0)),
                ("placebo_p", models.FloatField(blank=True, null=True)),
                ("quality", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("quality_parts", models.JSONField(default=dict)),
                ("flags", models.JSONField(default=list)),
                ("method", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=64)),
                ("as_of", models.DateField()),
                ("portion", models.PositiveIntegerField(blank=True, null=True)),
                ("series", models.JSONField(blank=True, null=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.action"
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="effects", to="impact.run"
                    ),
                ),
            ],
            options={
                "verbose_name": "effect",
                "verbose_name_plural": "effects",
                "indexes": [models.Index(fields=["metric", "action"], name="impact_effect_metric_action")],
                "constraints": [
                    models.UniqueConstraint(fields=("action", "metric"), name="impact_effect_action_metric"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("effect__isnull", False),
                                ("high__isnull", False),
                                ("low__isnull", False),
                                ("status", "estimated"),
                            ),
                            models.Q(
                                models.Q(("status", "estimated"), _negated=True),
                                ("effect", None),
                                ("high", None),
                                ("low", None),
                            ),
                            _connector="OR",
                        ),
                        name="impact_effect_number_has_interval",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("step", models.CharField(choices=[("units", "Statistics of units")], max_length=5)),
                ("number", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("inputs", models.BinaryField(blank=True, null=True)),
                ("result", models.BinaryField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="impact.run"
                    ),
                ),
            ],
            options={
                "verbose_name": "chunk",
                "indexes": [
                    models.Index(condition=models.Q(("done_at", None)), fields=["id"], name="impact_chunk_waiting")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "step", "number"), name="impact_chunk_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="SideEffect",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("effect", models.FloatField()),
                ("se", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("p_harm", models.FloatField()),
                ("action_count", models.PositiveIntegerField()),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="impact.run"
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "side effect",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("solution", "metric"), name="impact_sideeffect_solution_metric"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SolutionClaim",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("as_of", models.DateField()),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("works", "Works"),
                            ("likely_works", "Likely works"),
                            ("trade_off", "Works with trade-offs"),
                            ("unknown", "Unknown"),
                            ("unlikely", "Unlikely to work"),
                            ("harmful", "Does harm"),
                        ],
                        max_length=12,
                    ),
                ),
                ("effect", models.FloatField()),
                ("se", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("p_positive", models.FloatField()),
                ("heterogeneity", models.FloatField(blank=True, null=True)),
                ("action_count", models.PositiveIntegerField()),
                ("unit_count", models.PositiveIntegerField()),
                ("evidence", models.PositiveSmallIntegerField()),
                ("method", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "claim about a solution",
                "verbose_name_plural": "claims about solutions",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("solution", "metric", "as_of"), name="impact_solutionclaim_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Told",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("verdict", models.CharField(max_length=20)),
                ("evidence", models.PositiveSmallIntegerField(default=0)),
                ("told_at", models.DateTimeField()),
                (
                    "action",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="planning.action",
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
                "verbose_name": "news that was told",
                "verbose_name_plural": "news that were told",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action", None), ("solution", None), _connector="XOR"),
                        name="impact_told_of_one_thing",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ActionClaim",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("as_of", models.DateField()),
                ("verdict", models.CharField(max_length=20)),
                ("effect", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("p_positive", models.FloatField()),
                ("method", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.action"
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="taxonomy.metric"
                    ),
                ),
            ],
            options={
                "verbose_name": "claim about an action",
                "verbose_name_plural": "claims about actions",
                "constraints": [
                    models.UniqueConstraint(fields=("action", "metric", "as_of"), name="impact_actionclaim_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("text", models.TextField(verbose_name="what the team makes of it")),
                ("verdict", models.CharField(max_length=20)),
                ("as_of", models.DateField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a lead"),
                            ("accepted", "Accepted"),
                            ("returned", "Returned"),
                            ("replaced", "Written anew"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("written_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField(blank=True, verbose_name="what the lead says")),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.action"
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "team's reading",
                "verbose_name_plural": "teams' readings",
                "indexes": [models.Index(fields=["action", "-id"], name="impact_reading_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("action",),
                        name="impact_reading_one_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "returned"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="impact_reading_returned_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["accepted", "returned"]), _negated=True),
                            ("decided_at__isnull", False),
                            _connector="OR",
                        ),
                        name="impact_reading_decided",
                    ),
                ],
            },
        ),
        # Numbers do not compress; trying takes longer than storing them.
        migrations.RunSQL(
            "ALTER TABLE impact_chunk ALTER COLUMN inputs SET STORAGE EXTERNAL, ALTER COLUMN result SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "ALTER TABLE impact_portion ALTER COLUMN body SET STORAGE EXTERNAL", migrations.RunSQL.noop
        ),
    ]
