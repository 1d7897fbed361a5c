import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import apps.core.searching
import apps.core.uploads


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("taxonomy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Playbook",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("title_fr", models.CharField(blank=True, max_length=200, verbose_name="title in French")),
                ("rationale", models.TextField(blank=True, verbose_name="why together")),
                ("rationale_fr", models.TextField(blank=True, verbose_name="why together, in French")),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("retired", "Retired")],
                        default="published",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "playbook",
                "verbose_name_plural": "playbooks",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="library_playbook_code"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Solution",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("title_fr", models.CharField(blank=True, max_length=200, verbose_name="title in French")),
                ("summary", models.TextField(blank=True, db_default="", default="", verbose_name="summary")),
                (
                    "summary_fr",
                    models.TextField(blank=True, db_default="", default="", verbose_name="summary in French"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("training", "Training"),
                            ("sop", "Procedure"),
                            ("asset", "Physical asset"),
                            ("policy", "Policy"),
                            ("system", "System"),
                            ("communication", "Communication"),
                        ],
                        max_length=13,
                        verbose_name="kind",
                    ),
                ),
                ("cost", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="cost, 1 to 5")),
                (
                    "effort_hours",
                    models.DecimalField(
                        blank=True, decimal_places=1, max_digits=8, null=True, verbose_name="effort in hours"
                    ),
                ),
                ("lag_days", models.PositiveIntegerField(default=0, verbose_name="days until it shows")),
                ("url", models.URLField(blank=True, max_length=500, verbose_name="link")),
                (
                    "source",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=64, verbose_name="system it comes from"
                    ),
                ),
                (
                    "external_ref",
                    models.CharField(blank=True, max_length=200, verbose_name="reference in another system"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("retired", "Retired")],
                        default="published",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("company", "Company"), ("crowd", "Colleagues")],
                        default="company",
                        max_length=7,
                        verbose_name="origin",
                    ),
                ),
                (
                    "review_every_months",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="months between reviews"),
                ),
                ("reviewed_on", models.DateField(blank=True, null=True, verbose_name="last reviewed on")),
                ("review_due_on", models.DateField(blank=True, null=True, verbose_name="next review on")),
                ("review_told_on", models.DateField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "search_title",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Searchable(
                            apps.core.searching.Together(models.F("title"), models.F("title_fr"))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "search_words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Joined(
                            apps.core.searching.Words(models.F("title"), config="english", weight="A"),
                            apps.core.searching.Words(models.F("summary"), config="english", weight="B"),
                            apps.core.searching.Words(models.F("title_fr"), config="french", weight="A"),
                            apps.core.searching.Words(models.F("summary_fr"), config="french", weight="B"),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="library.solution",
                        verbose_name="replaced by",
                    ),
                ),
            ],
            options={
                "verbose_name": "solution",
                "verbose_name_plural": "solutions",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_words"], name="library_solution_words"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            apps.core.searching.Searchable("title"), "gin_trgm_ops"
                        ),
                        name="library_solution_title",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            apps.core.searching.Searchable("title_fr"), "gin_trgm_ops"
                        ),
                        name="library_solution_title_fr",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("search_title", "gin_trgm_ops"),
                        name="library_solution_titles",
                    ),
                    models.Index(fields=["review_due_on"], name="library_solution_review_due"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"), name="library_solution_code"
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("source"),
                        models.F("external_ref"),
                        condition=models.Q(
                            models.Q(("source", ""), _negated=True), models.Q(("external_ref", ""), _negated=True)
                        ),
                        name="library_solution_external",
                        violation_error_message="Another solution has this reference in that system.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cost", None), ("cost__range", (1, 5)), _connector="OR"),
                        name="library_solution_cost",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("review_every_months", None), ("review_every_months__range", (1, 60)), _connector="OR"
                        ),
                        name="library_solution_review_every",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("replaced_by", models.F("pk")), _negated=True),
                        name="library_solution_not_by_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlaybookSolution",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="its part")),
                (
                    "playbook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="library.playbook"
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="library.solution"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("playbook", "solution"), name="library_playbooksolution_pair"),
                    models.UniqueConstraint(
                        fields=("playbook", "position"), name="library_playbooksolution_position"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="playbook",
            name="solutions",
            field=models.ManyToManyField(
                related_name="playbooks", through="library.PlaybookSolution", to="library.solution"
            ),
        ),
        migrations.CreateModel(
            name="Learning",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("statement", models.CharField(max_length=500, verbose_name="what was learnt")),
                (
                    "statement_fr",
                    models.CharField(blank=True, max_length=500, verbose_name="what was learnt, in French"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("tentative", "Tentative"), ("confirmed", "Confirmed"), ("outdated", "Outdated")],
                        default="tentative",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("person", "A colleague"),
                            ("program", "A program"),
                            ("model", "A language model"),
                        ],
                        default="person",
                        max_length=7,
                        verbose_name="comes from",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="learnings",
                        to="library.solution",
                    ),
                ),
            ],
            options={
                "verbose_name": "learning",
            },
        ),
        migrations.CreateModel(
            name="SolutionAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(blank=True, max_length=64, verbose_name="source")),
                ("label", models.CharField(max_length=200, verbose_name="label")),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="aliases", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "alias of a solution",
                "verbose_name_plural": "aliases of solutions",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            apps.core.searching.Searchable("label"), "gin_trgm_ops"
                        ),
                        name="library_solutionalias_label",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("source"),
                        django.db.models.functions.text.Lower("label"),
                        name="library_solutionalias_source_label",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SolutionFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("file", models.FileField(max_length=200, upload_to=apps.core.uploads.StoredUnder("solutions"))),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "file",
            },
        ),
        migrations.CreateModel(
            name="SolutionLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("rationale", models.TextField(blank=True, verbose_name="why it helps")),
                (
                    "is_seen_in_use",
                    models.BooleanField(default=False, verbose_name="linked because it was used for it"),
                ),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.challenge"
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "link",
                "constraints": [
                    models.UniqueConstraint(fields=("challenge", "solution"), name="library_solutionlink_pair")
                ],
            },
        ),
        migrations.AddField(
            model_name="solution",
            name="challenges",
            field=models.ManyToManyField(
                related_name="+", through="library.SolutionLink", to="taxonomy.challenge"
            ),
        ),
        migrations.CreateModel(
            name="SolutionVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("summary", models.TextField(blank=True, db_default="", default="", verbose_name="summary")),
                ("why", models.TextField(blank=True, db_default="", default="", verbose_name="why")),
                ("materials", models.TextField(blank=True, db_default="", default="", verbose_name="materials")),
                ("procedure", models.TextField(blank=True, db_default="", default="", verbose_name="procedure")),
                ("who", models.TextField(blank=True, db_default="", default="", verbose_name="who")),
                ("how", models.TextField(blank=True, db_default="", default="", verbose_name="how")),
                ("where", models.TextField(blank=True, db_default="", default="", verbose_name="where")),
                (
                    "when_and_how_much",
                    models.TextField(blank=True, db_default="", default="", verbose_name="when and how much"),
                ),
                ("tailoring", models.TextField(blank=True, db_default="", default="", verbose_name="tailoring")),
                (
                    "fidelity",
                    models.TextField(blank=True, db_default="", default="", verbose_name="fidelity check"),
                ),
                ("body", models.TextField(blank=True, db_default="", default="", verbose_name="recipe")),
                ("number", models.PositiveIntegerField()),
                ("lag_days", models.PositiveIntegerField(default=0, verbose_name="days until it shows")),
                (
                    "note",
                    models.TextField(blank=True, db_default="", default="", verbose_name="what changed and why"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="library.solution"
                    ),
                ),
            ],
            options={
                "verbose_name": "version",
                "constraints": [
                    models.UniqueConstraint(fields=("solution", "number"), name="library_solutionversion_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="ChangeRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("language", models.CharField(max_length=5, verbose_name="language")),
                ("changes", models.JSONField(default=dict)),
                ("reason", models.TextField(verbose_name="why")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Waiting"), ("accepted", "Accepted"), ("declined", "Declined")],
                        default="open",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision", models.TextField(blank=True, verbose_name="what the lead says")),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
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
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="change_requests",
                        to="library.solution",
                    ),
                ),
                (
                    "result",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="library.solutionversion",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.solutionversion"
                    ),
                ),
            ],
            options={
                "verbose_name": "change request",
                "indexes": [models.Index(fields=["state", "created_at"], name="library_changerequest_queue")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state", "open"), ("decided_at__isnull", False), _connector="OR"),
                        name="library_changerequest_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "declined"), _negated=True),
                            models.Q(("decision", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="library_changerequest_reason",
                        violation_error_message="A change is declined with a reason.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnmappedSolution",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("source", models.CharField(max_length=64, verbose_name="source")),
                ("label", models.CharField(max_length=200, verbose_name="label")),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("rejected_count", models.PositiveIntegerField(default=0, verbose_name="rejected rows")),
                ("is_ignored", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "unmapped label of a solution",
                "verbose_name_plural": "unmapped labels of solutions",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("source"),
                        django.db.models.functions.text.Lower("label"),
                        name="library_unmappedsolution_source_label",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionTranslation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("summary", models.TextField(blank=True, db_default="", default="", verbose_name="summary")),
                ("why", models.TextField(blank=True, db_default="", default="", verbose_name="why")),
                ("materials", models.TextField(blank=True, db_default="", default="", verbose_name="materials")),
                ("procedure", models.TextField(blank=True, db_default="", default="", verbose_name="procedure")),
                ("who", models.TextField(blank=True, db_default="", default="", verbose_name="who")),
                ("how", models.TextField(blank=True, db_default="", default="", verbose_name="how")),
                ("where", models.TextField(blank=True, db_default="", default="", verbose_name="where")),
                (
                    "when_and_how_much",
                    models.TextField(blank=True, db_default="", default="", verbose_name="when and how much"),
                ),
                ("tailoring", models.TextField(blank=True, db_default="", default="", verbose_name="tailoring")),
                (
                    "fidelity",
                    models.TextField(blank=True, db_default="", default="", verbose_name="fidelity check"),
                ),
                ("body", models.TextField(blank=True, db_default="", default="", verbose_name="recipe")),
                ("language", models.CharField(max_length=5, verbose_name="language")),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="translations",
                        to="library.solutionversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "translation",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "language"), name="library_versiontranslation_language"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="watches", to="library.solution"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("solution", "user"), name="library_watch_pair")],
            },
        ),
        migrations.CreateModel(
            name="WebLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("url", models.URLField(max_length=500, verbose_name="address")),
                ("label", models.CharField(blank=True, max_length=200, verbose_name="label")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="web_links",
                        to="library.solution",
                    ),
                ),
            ],
            options={
                "verbose_name": "link",
                "constraints": [models.UniqueConstraint(fields=("solution", "url"), name="library_weblink_url")],
            },
        ),
        migrations.CreateModel(
            name="LearningUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("action_id", models.CharField(max_length=64, verbose_name="action")),
                ("is_supporting", models.BooleanField(default=True, verbose_name="supports it")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "learning",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="library.learning"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("learning"),
                        django.db.models.functions.text.Lower("action_id"),
                        name="library_learninguse_pair",
                    )
                ],
            },
        ),
    ]
