import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.searching
import apps.ideas.models


class Migration(migrations.Migration):
    initial = True
    replaces = [("ideas", "0001_ideas_and_calls"), ("ideas", "0002_searchable_texts")]

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("library", "0001_initial"),
        ("taxonomy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("title_fr", models.CharField(blank=True, max_length=200, verbose_name="title in French")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("text_fr", models.TextField(blank=True, verbose_name="text in French")),
                ("opens_on", models.DateField(verbose_name="opens on")),
                ("closes_on", models.DateField(verbose_name="last day")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed early")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.challenge",
                        verbose_name="challenge",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                        verbose_name="unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "call for ideas",
                "verbose_name_plural": "calls for ideas",
                "indexes": [models.Index(fields=["-closes_on", "-id"], name="ideas_call_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("closes_on__gte", models.F("opens_on"))),
                        name="ideas_call_closes_after_opening",
                        violation_error_message="A call closes after it opens.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Idea",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("problem", models.CharField(blank=True, max_length=300, verbose_name="problem")),
                ("text", models.TextField(verbose_name="idea")),
                ("author_key", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("in_review", "In review"),
                            ("needs_info", "Needs info"),
                            ("pilot", "Pilot"),
                            ("in_library", "In library"),
                            ("merged", "Merged"),
                            ("declined", "Declined"),
                        ],
                        default="new",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("state_since", models.DateTimeField(verbose_name="in this state since")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="next step by")),
                ("tried_on", models.DateField(blank=True, null=True, verbose_name="tried since")),
                (
                    "photo",
                    models.FileField(blank=True, upload_to=apps.ideas.models.photo_path, verbose_name="photo"),
                ),
                ("photo_type", models.CharField(blank=True, max_length=100)),
                (
                    "decided_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("in_use", "We do this already"),
                            ("too_costly", "Too costly for what it brings"),
                            ("not_allowed", "Law or company rules forbid it"),
                            ("not_ours", "It is not ours to change"),
                            ("tried", "Tried before, without success"),
                            ("later", "Good, but not now"),
                            ("unclear", "Not clear enough to act on"),
                            ("other", "Another reason"),
                        ],
                        max_length=11,
                        verbose_name="reason",
                    ),
                ),
                ("decided_text", models.TextField(blank=True, verbose_name="reason in words")),
                ("vote_count", models.PositiveIntegerField(default=0, verbose_name="votes")),
                ("let_in_at", models.DateTimeField(blank=True, null=True, verbose_name="let in")),
                ("hidden_at", models.DateTimeField(blank=True, null=True, verbose_name="hidden")),
                ("hidden_reason", models.TextField(blank=True, verbose_name="why it is hidden")),
                (
                    "told_effect_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="author told of the first result"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "search_name",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Searchable(apps.core.searching.Together(models.F("title"))),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Searchable(
                            apps.core.searching.Together(models.F("title"), models.F("problem"), models.F("text"))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "search_words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=apps.core.searching.Joined(
                            apps.core.searching.Words("title", config="english", weight="A"),
                            apps.core.searching.Words("problem", config="english", weight="B"),
                            apps.core.searching.Words("text", config="english", weight="B"),
                            apps.core.searching.Words("title", config="french", weight="A"),
                            apps.core.searching.Words("problem", config="french", weight="B"),
                            apps.core.searching.Words("text", config="french", weight="B"),
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ideas",
                        to="ideas.call",
                    ),
                ),
                (
                    "challenge",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.challenge",
                        verbose_name="challenge",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="ideas.idea",
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="library.solution",
                    ),
                ),
                (
                    "tried_unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                        verbose_name="unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "idea",
                "verbose_name_plural": "ideas",
                "indexes": [
                    models.Index(fields=["state", "-vote_count", "-id"], name="ideas_idea_needed"),
                    models.Index(
                        condition=models.Q(("merged_into", None)), fields=["-id"], name="ideas_idea_newest"
                    ),
                    models.Index(fields=["due_at"], name="ideas_idea_due"),
                    models.Index(
                        condition=models.Q(("author_key", ""), _negated=True),
                        fields=["author_key"],
                        name="ideas_idea_anonymous",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            models.Func("title", function="core_unaccent"), name="gin_trgm_ops"
                        ),
                        name="ideas_idea_title",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_name"], name="ideas_idea_names", opclasses=["gin_trgm_ops"]
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_text"], name="ideas_idea_texts", opclasses=["gin_trgm_ops"]
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["search_words"], name="ideas_idea_words"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("author", None), ("author_key", ""), _connector="XOR"),
                        name="ideas_idea_named_or_anonymous",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("merged_into__isnull", False), ("state", "merged")),
                            models.Q(models.Q(("state", "merged"), _negated=True), ("merged_into", None)),
                            _connector="OR",
                        ),
                        name="ideas_idea_merged_into_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("merged_into", models.F("id")), _negated=True),
                        name="ideas_idea_not_into_itself",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "declined"), ("decided_reason", ""), _connector="XOR"),
                        name="ideas_idea_declined_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "in_library"), _negated=True),
                            ("solution__isnull", False),
                            _connector="OR",
                        ),
                        name="ideas_idea_in_library_has_solution",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("tried_on", None), ("tried_unit", None)),
                            models.Q(("tried_on__isnull", False), ("tried_unit__isnull", False)),
                            _connector="OR",
                        ),
                        name="ideas_idea_tried_since_and_where",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Escalation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("due_at", models.DateTimeField(verbose_name="deadline that passed")),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                        verbose_name="unit",
                    ),
                ),
                (
                    "idea",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="escalations", to="ideas.idea"
                    ),
                ),
            ],
            options={
                "verbose_name": "escalation",
                "verbose_name_plural": "escalations",
                "constraints": [models.UniqueConstraint(fields=("idea", "due_at"), name="ideas_escalation_once")],
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("is_from_author", models.BooleanField(default=False, verbose_name="by the idea's author")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("remark", "Comment"),
                            ("experience", "Experience"),
                            ("question", "Question"),
                            ("reply", "Reply"),
                        ],
                        default="remark",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("text", models.TextField(verbose_name="text")),
                ("let_in_at", models.DateTimeField(blank=True, null=True, verbose_name="let in")),
                ("hidden_at", models.DateTimeField(blank=True, null=True, verbose_name="hidden")),
                ("hidden_reason", models.TextField(blank=True, verbose_name="why it is hidden")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "idea",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="ideas.idea"
                    ),
                ),
            ],
            options={
                "verbose_name": "comment",
                "verbose_name_plural": "comments",
                "indexes": [models.Index(fields=["idea", "id"], name="ideas_comment_of_idea")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("author__isnull", False), ("is_from_author", True), _connector="OR"),
                        name="ideas_comment_has_author",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Pilot",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "idea",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pilots", to="ideas.idea"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                        verbose_name="unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "pilot",
                "verbose_name_plural": "pilots",
                "constraints": [models.UniqueConstraint(fields=("idea", "unit"), name="ideas_pilot_once")],
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True, verbose_name="settled")),
                (
                    "comment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="ideas.comment"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "report of a comment",
                "verbose_name_plural": "reports of comments",
                "constraints": [models.UniqueConstraint(fields=("comment", "user"), name="ideas_report_once")],
            },
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "idea",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="ideas.idea"
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
                "verbose_name": "vote",
                "verbose_name_plural": "votes",
                "constraints": [models.UniqueConstraint(fields=("idea", "user"), name="ideas_vote_once")],
            },
        ),
    ]
