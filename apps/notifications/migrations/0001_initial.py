import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "topic",
                    models.CharField(
                        choices=[
                            ("plans", "Plans, tasks and check-ins"),
                            ("results", "Results and evidence"),
                            ("ideas", "Ideas and calls for ideas"),
                            ("library", "Library and taxonomy"),
                            ("data", "Data and everything else"),
                            ("nudges", "One thing to do this week"),
                            ("digest", "Weekly digest"),
                            ("guide", "First steps on Home"),
                        ],
                        max_length=10,
                        verbose_name="topic",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="to")),
                ("language", models.CharField(max_length=2, verbose_name="language")),
                ("subject", models.CharField(max_length=300, verbose_name="subject")),
                ("text", models.TextField()),
                ("html", models.TextField()),
                ("chart", models.BinaryField(blank=True, null=True)),
                ("message_id", models.CharField(max_length=200, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                        default="queued",
                        max_length=6,
                        verbose_name="state",
                    ),
                ),
                ("attempt_count", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("next_try_at", models.DateTimeField(verbose_name="next try")),
                ("last_error", models.TextField(blank=True, verbose_name="what went wrong")),
                ("created_at", models.DateTimeField(verbose_name="written")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "mail",
                "verbose_name_plural": "mails",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["next_try_at"],
                        name="notifications_mail_queued",
                    ),
                    models.Index(
                        condition=models.Q(("state", "failed")), fields=["-id"], name="notifications_mail_failed"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at", None)),
                            _connector="OR",
                        ),
                        name="notifications_mail_sent_has_moment",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("kind", models.CharField(max_length=100, verbose_name="kind")),
                (
                    "topic",
                    models.CharField(
                        choices=[
                            ("plans", "Plans, tasks and check-ins"),
                            ("results", "Results and evidence"),
                            ("ideas", "Ideas and calls for ideas"),
                            ("library", "Library and taxonomy"),
                            ("data", "Data and everything else"),
                            ("nudges", "One thing to do this week"),
                            ("digest", "Weekly digest"),
                            ("guide", "First steps on Home"),
                        ],
                        max_length=10,
                        verbose_name="topic",
                    ),
                ),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                ("body", models.TextField(blank=True, verbose_name="text")),
                ("url", models.CharField(max_length=500, verbose_name="page")),
                ("created_at", models.DateTimeField(verbose_name="told on")),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read on")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "indexes": [
                    models.Index(fields=["user", "-created_at", "-id"], name="notifications_newest"),
                    models.Index(
                        condition=models.Q(("read_at", None)), fields=["user"], name="notifications_unread"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("read_at", None)),
                        fields=("user", "kind", "url"),
                        name="notifications_notification_unread_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("week", models.DateField(verbose_name="week")),
                ("nudge", models.CharField(blank=True, max_length=40, verbose_name="nudge")),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "mail",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="notifications.mail",
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="notifications.notification",
                    ),
                ),
            ],
            options={
                "verbose_name": "weekly letter",
                "verbose_name_plural": "weekly letters",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "week"), name="notifications_letter_one_a_week"),
                    models.CheckConstraint(
                        condition=models.Q(("week__iso_week_day", 1)), name="notifications_letter_week_is_a_monday"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Preference",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "topic",
                    models.CharField(
                        choices=[
                            ("plans", "Plans, tasks and check-ins"),
                            ("results", "Results and evidence"),
                            ("ideas", "Ideas and calls for ideas"),
                            ("library", "Library and taxonomy"),
                            ("data", "Data and everything else"),
                            ("nudges", "One thing to do this week"),
                            ("digest", "Weekly digest"),
                            ("guide", "First steps on Home"),
                        ],
                        max_length=10,
                        verbose_name="topic",
                    ),
                ),
                (
                    "delivery",
                    models.CharField(
                        choices=[
                            ("at_once", "by e-mail at once"),
                            ("weekly", "in the weekly digest"),
                            ("in_app", "in the app only"),
                            ("off", "not at all"),
                        ],
                        max_length=7,
                        verbose_name="delivery",
                    ),
                ),
                ("is_automatic", models.BooleanField(default=False, verbose_name="set automatically")),
                ("changed_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "preference",
                "verbose_name_plural": "preferences",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "topic"), name="notifications_preference_user_topic")
                ],
            },
        ),
        migrations.CreateModel(
            name="ResultsSeen",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("seen_at", models.DateTimeField()),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.unit"
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
                "verbose_name": "look at results",
                "verbose_name_plural": "looks at results",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "unit"), name="notifications_resultsseen_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("starts_on", models.DateField(verbose_name="from")),
                ("ends_on", models.DateField(verbose_name="until")),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.unit"
                    ),
                ),
            ],
            options={
                "verbose_name": "team conversation",
                "verbose_name_plural": "team conversations",
                "indexes": [models.Index(fields=["unit", "ends_on"], name="notifications_talks_of_unit")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                        name="notifications_conversation_starts_before_it_ends",
                    )
                ],
            },
        ),
    ]
