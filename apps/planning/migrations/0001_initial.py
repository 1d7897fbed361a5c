import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import apps.core.uploads


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ideas", "0001_initial"),
        ("library", "0001_initial"),
        ("taxonomy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadyItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("label", models.CharField(max_length=200, verbose_name="question")),
                ("label_fr", models.CharField(blank=True, max_length=200, verbose_name="question in French")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "question before a start",
                "verbose_name_plural": "questions before a start",
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("closure", "Closure"),
                            ("outage", "Outage"),
                            ("works", "Works"),
                            ("campaign", "Campaign"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="ends on")),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("unit", "starts_on", "name"), name="planning_event_key", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                        ),
                        name="planning_event_ends_after_start",
                        violation_error_message="An event ends after it starts.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("focus", "Focus"),
                            ("choose", "Choose"),
                            ("concrete", "Make it concrete"),
                            ("ready", "Ready?"),
                            ("agree", "Agree"),
                            ("agreed", "Agreed"),
                        ],
                        default="agreed",
                        max_length=8,
                        verbose_name="step",
                    ),
                ),
                ("occasion", models.CharField(blank=True, max_length=200, verbose_name="when exactly")),
                ("place", models.CharField(blank=True, max_length=200, verbose_name="where exactly")),
                ("intention", models.TextField(blank=True, verbose_name="when, where and how exactly")),
                ("focus_reason", models.TextField(blank=True, verbose_name="why one more problem at a time")),
                (
                    "rhythm_weeks",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="weeks between check-ins"
                    ),
                ),
                (
                    "intended_effect",
                    models.DecimalField(
                        blank=True, decimal_places=4, max_digits=12, null=True, verbose_name="effect worth having"
                    ),
                ),
                ("is_randomised", models.BooleanField(default=False, verbose_name="order drawn by lot")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.challenge"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "playbook",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="library.playbook",
                    ),
                ),
                ("solutions", models.ManyToManyField(related_name="+", to="library.solution")),
                (
                    "target_metric",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.metric",
                    ),
                ),
            ],
            options={
                "verbose_name": "plan",
                "verbose_name_plural": "plans",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rhythm_weeks", None), ("rhythm_weeks__range", (1, 26)), _connector="OR"
                        ),
                        name="planning_plan_rhythm",
                        violation_error_message="Check-ins come every 1 to 26 weeks.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Draw",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("seed", models.BigIntegerField()),
                ("steps", models.PositiveSmallIntegerField(verbose_name="start dates")),
                ("gap_weeks", models.PositiveSmallIntegerField(verbose_name="weeks between two starts")),
                ("first_on", models.DateField(verbose_name="first start")),
                ("drawn_at", models.DateTimeField()),
                ("reason", models.TextField(blank=True, verbose_name="why it was drawn again")),
                ("replaced_at", models.DateTimeField(blank=True, null=True)),
                ("reads_on", models.DateField(verbose_name="read-out")),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "drawn_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="draws", to="planning.plan"
                    ),
                ),
            ],
            options={
                "verbose_name": "draw",
                "verbose_name_plural": "draws",
                "indexes": [
                    models.Index(
                        condition=models.Q(("replaced_at", None), ("told_at", None)),
                        fields=["reads_on"],
                        name="planning_draw_unread",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None)),
                        fields=("plan",),
                        name="planning_draw_one_stands",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("gap_weeks__gte", 1), ("seed__gte", 0), ("steps__gte", 2)),
                        name="planning_draw_design",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Action",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("external_id", models.CharField(max_length=64, verbose_name="id")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("planned", "Planned"),
                            ("applied", "Applied"),
                            ("sustained", "Sustained"),
                            ("stopped", "Stopped"),
                        ],
                        default="draft",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("planned_on", models.DateField(blank=True, null=True, verbose_name="planned for")),
                ("effective_on", models.DateField(blank=True, null=True, verbose_name="in effect since")),
                ("ended_on", models.DateField(blank=True, null=True, verbose_name="ended on")),
                ("stop_reason", models.TextField(blank=True, verbose_name="why it was stopped")),
                (
                    "owner_label",
                    models.CharField(blank=True, max_length=200, verbose_name="owner as named in the source"),
                ),
                (
                    "cost",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=14, null=True, verbose_name="actual cost"
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("is_randomised", models.BooleanField(default=False, verbose_name="order drawn by lot")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.challenge"
                    ),
                ),
                (
                    "idea",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ideas.idea",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "target_metric",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="taxonomy.metric",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.unit"
                    ),
                ),
                ("events", models.ManyToManyField(related_name="+", to="planning.event")),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="planning.plan",
                    ),
                ),
            ],
            options={
                "verbose_name": "action",
                "verbose_name_plural": "actions",
                "indexes": [
                    models.Index(fields=["target_metric", "effective_on"], name="planning_action_metric_date"),
                    models.Index(fields=["unit", "effective_on"], name="planning_action_unit_date"),
                    models.Index(
                        models.F("state"),
                        models.OrderBy(models.F("effective_on"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="planning_action_newest",
                    ),
                    models.Index(
                        models.F("state"),
                        models.OrderBy(models.F("planned_on"), nulls_last=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("state__in", ["draft", "planned"])),
                        name="planning_action_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("external_id"), name="planning_action_external_id"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["applied", "sustained", "stopped"]), _negated=True),
                            ("effective_on__isnull", False),
                            _connector="OR",
                        ),
                        name="planning_action_applied_has_date",
                        violation_error_message="An applied action has an effective date.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_on", None), ("ended_on__gt", models.F("effective_on")), _connector="OR"
                        ),
                        name="planning_action_ends_after_start",
                        violation_error_message="An action ends after it took effect.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanningRules",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                (
                    "focus_limit",
                    models.PositiveSmallIntegerField(default=2, verbose_name="problems at a time in one unit"),
                ),
                ("slip_days", models.PositiveSmallIntegerField(default=30, verbose_name="days a start may slip")),
                ("draft_days", models.PositiveSmallIntegerField(default=60, verbose_name="days a draft may rest")),
                (
                    "task_days",
                    models.PositiveSmallIntegerField(default=90, verbose_name="days a task may stay open"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "rules of planning",
                "verbose_name_plural": "rules of planning",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="planning_planningrules_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("focus_limit__range", (1, 20))),
                        name="planning_planningrules_focus_limit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("photo", "Photo"), ("document", "File"), ("checklist", "Steps done")],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                (
                    "file",
                    models.FileField(
                        blank=True, upload_to=apps.core.uploads.StoredUnder("proofs"), verbose_name="file"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=200, verbose_name="name")),
                ("content_type", models.CharField(blank=True, max_length=100)),
                ("steps", models.JSONField(blank=True, default=list, verbose_name="steps")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="proofs", to="planning.action"
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "proof",
                "verbose_name_plural": "proofs",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "checklist"), models.Q(("file", ""), _negated=True), _connector="OR"
                        ),
                        name="planning_proof_has_file",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReadyScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "aspect",
                    models.CharField(
                        choices=[
                            ("need", "Need"),
                            ("fit", "Fit"),
                            ("resources", "Resources"),
                            ("evidence", "Evidence"),
                            ("readiness", "Readiness"),
                            ("capacity", "Capacity"),
                        ],
                        max_length=9,
                        verbose_name="aspect",
                    ),
                ),
                ("score", models.PositiveSmallIntegerField(verbose_name="score, 1 to 5")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ready_scores",
                        to="planning.plan",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "aspect"), name="planning_readyscore_pair"),
                    models.CheckConstraint(
                        condition=models.Q(("score__range", (1, 5))), name="planning_readyscore_score"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReadyTick",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planning.readyitem"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ready_ticks", to="planning.plan"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("plan", "item"), name="planning_readytick_pair")],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=300, verbose_name="what is to be done")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="due on")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="done at")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tasks", to="planning.action"
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "done_by",
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
                "verbose_name": "task",
                "verbose_name_plural": "tasks",
                "indexes": [
                    models.Index(fields=["action", "position"], name="planning_task_order"),
                    models.Index(
                        condition=models.Q(("done_at", None)), fields=["due_on"], name="planning_task_due"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("done_by", None), ("done_at__isnull", False), _connector="OR"),
                        name="planning_task_done_by",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("task", "Task due"),
                            ("check_in", "Check-in"),
                            ("start", "Planned start is over"),
                            ("draft", "Draft left alone"),
                            ("old_task", "Task left alone"),
                            ("closed", "Unit closed"),
                        ],
                        max_length=8,
                    ),
                ),
                ("due_on", models.DateField()),
                ("given_on", models.DateField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reminders", to="planning.action"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reminders",
                        to="planning.task",
                    ),
                ),
            ],
            options={
                "verbose_name": "reminder",
                "verbose_name_plural": "reminders",
                "indexes": [models.Index(fields=["given_on", "person"], name="planning_reminder_day")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "action", "task", "due_on"),
                        name="planning_reminder_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ActionSolution",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("dose", models.CharField(blank=True, max_length=200, verbose_name="dose")),
                (
                    "fidelity",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="fidelity, 0 to 100"),
                ),
                ("adaptation", models.TextField(blank=True, verbose_name="adaptation")),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="solutions", to="planning.action"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="library.solutionversion"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("action", "version"), name="planning_actionsolution_pair"),
                    models.CheckConstraint(
                        condition=models.Q(("fidelity", None), ("fidelity__range", (0, 100)), _connector="OR"),
                        name="planning_actionsolution_fidelity",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "happening",
                    models.CharField(
                        choices=[("yes", "Yes, as planned"), ("partly", "Partly"), ("no", "No")],
                        max_length=6,
                        verbose_name="is it happening?",
                    ),
                ),
                (
                    "working",
                    models.CharField(
                        choices=[
                            ("yes", "It seems to help"),
                            ("unclear", "Can't tell yet"),
                            ("no", "It does not seem to help"),
                        ],
                        max_length=7,
                        verbose_name="is it working?",
                    ),
                ),
                (
                    "obstacle",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("time", "Time"),
                            ("people", "People"),
                            ("material", "Material or tools"),
                            ("backing", "Backing from above"),
                            ("other", "Something else"),
                        ],
                        max_length=8,
                        verbose_name="what is in the way?",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("made_on", models.DateField(verbose_name="made on")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="check_ins", to="planning.action"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "check-in",
                "verbose_name_plural": "check-ins",
                "indexes": [models.Index(fields=["action", "-made_on"], name="planning_checkin_newest")],
            },
        ),
        migrations.CreateModel(
            name="Dismissal",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("tried", "Tried already"),
                            ("costly", "Too costly"),
                            ("not_applicable", "Not applicable here"),
                            ("not_allowed", "Not allowed"),
                        ],
                        max_length=14,
                        verbose_name="reason",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="taxonomy.challenge"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "solution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="library.solution"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.unit"
                    ),
                ),
            ],
            options={
                "verbose_name": "solution a unit does not want",
                "verbose_name_plural": "solutions units do not want",
                "indexes": [models.Index(fields=["solution", "challenge"], name="planning_dismissal_solution")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("unit", "challenge", "solution"), name="planning_dismissal_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DrawnUnit",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("region", models.CharField(blank=True, max_length=100)),
                ("step", models.PositiveSmallIntegerField()),
                ("starts_on", models.DateField()),
                (
                    "breach",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("early", "It started before the day it drew."),
                            ("late", "It started after the weeks it drew."),
                            ("moved", "Its day was changed after the draw."),
                            ("other", "Another action for the same problem took effect while it waited."),
                            ("gone", "It was taken out after the draw."),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "draw",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="units", to="planning.draw"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.unit"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("draw", "unit"), name="planning_drawnunit_pair")],
            },
        ),
    ]
