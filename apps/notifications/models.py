"""What people were told, how they want to be told, and the mails on their way."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Unit, User
from apps.notifications.topics import ICONS, Delivery, Topic
from apps.notifications.tries import FIRST_PAUSE, in_words, pause_after


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def unread_first(self) -> Self:
        rows = self.alias(
            was_read=models.ExpressionWrapper(models.Q(read_at__isnull=False), models.BooleanField())
        )
        return rows.order_by("was_read", "-created_at", "-pk")


class Notification(models.Model):
    """A piece of news for one person, in their language."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=100)
    topic = models.CharField(_("topic"), max_length=10, choices=Topic.choices)
    title = models.CharField(_("title"), max_length=300)
    body = models.TextField(_("text"), blank=True)
    url = models.CharField(_("page"), max_length=500)
    created_at = models.DateTimeField(_("told on"))
    read_at = models.DateTimeField(_("read on"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "url"],
                condition=models.Q(read_at=None),
                name="notifications_notification_unread_once",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notifications_newest"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notifications_unread"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def icon(self) -> str:
        return ICONS[Topic(self.topic)]


class Preference(models.Model):
    """How a person wants to hear of a topic; without a row it is as usual."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    topic = models.CharField(_("topic"), max_length=10, choices=Topic.choices)
    delivery = models.CharField(_("delivery"), max_length=7, choices=Delivery.choices)
    # Set by the rule for people who do not react, not by the person.
    is_automatic = models.BooleanField(_("set automatically"), default=False)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [
            models.UniqueConstraint(fields=["user", "topic"], name="notifications_preference_user_topic")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.topic} {self.delivery}"


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> Self:
        return self.filter(state=Mail.State.QUEUED, next_try_at__lte=now)

    def troubled(self) -> Self:
        """Given up, or waiting after tries that failed or were cut off; the newest first."""
        # A first try without an error is going on.
        tried = ~models.Q(last_error="") | models.Q(attempt_count__gt=1)
        waiting = models.Q(state=Mail.State.QUEUED) & tried
        return self.filter(models.Q(state=Mail.State.FAILED) | waiting).order_by("-pk")


class Mail(models.Model):
    """A mail as it is sent, and how far sending got."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    topic = models.CharField(_("topic"), max_length=10, choices=Topic.choices)
    email = models.EmailField(_("to"), max_length=254)
    language = models.CharField(_("language"), max_length=2)
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField()
    html = models.TextField()
    # A picture the HTML part shows as cid:chart.
    chart = models.BinaryField(null=True, blank=True)
    # The same at every try, so that a mail server can tell a repetition.
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=6, choices=State.choices, default=State.QUEUED)
    attempt_count = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"))
    last_error = models.TextField(_("what went wrong"), blank=True)
    created_at = models.DateTimeField(_("written"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | ~models.Q(state="sent") & models.Q(sent_at=None),
                name="notifications_mail_sent_has_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=models.Q(state="queued"), name="notifications_mail_queued"
            ),
            models.Index(fields=["-id"], condition=models.Q(state="failed"), name="notifications_mail_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.subject}"

    @property
    def is_failed(self) -> bool:
        return self.state == Mail.State.FAILED

    @property
    def trouble(self) -> str | Promise:
        """Why it did not go out, in words."""
        return in_words(self.last_error)

    def may_be_tried(self, now: datetime) -> bool:
        """Not while it waits for its turn, nor while a worker may still be at it: it would go out twice."""
        if self.is_failed:
            return True
        if self.state != Mail.State.QUEUED or self.attempt_count == 0 or self.next_try_at <= now:
            return False
        return self.next_try_at - pause_after(self.attempt_count) <= now - FIRST_PAUSE


class Letter(models.Model):
    """What a person was sent on a Monday: the nudge and the digest of that week, either of them possibly none."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    week = models.DateField(_("week"))
    nudge = models.CharField(_("nudge"), max_length=40, blank=True)
    notification = models.ForeignKey(Notification, models.SET_NULL, null=True, related_name="+")
    mail = models.ForeignKey(Mail, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("weekly letter")
        verbose_name_plural = _("weekly letters")
        constraints = [
            models.UniqueConstraint(fields=["user", "week"], name="notifications_letter_one_a_week"),
            models.CheckConstraint(
                condition=models.Q(week__iso_week_day=1), name="notifications_letter_week_is_a_monday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.week}"


class Conversation(models.Model):
    """The days after a team was shown its results, in which nobody is nudged; half-open."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="+")
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))

    class Meta:
        verbose_name = _("team conversation")
        verbose_name_plural = _("team conversations")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="notifications_conversation_starts_before_it_ends",
            ),
        ]
        indexes = [models.Index(fields=["unit", "ends_on"], name="notifications_talks_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.starts_on}–{self.ends_on}"


class ResultsSeen(models.Model):
    """When a person last looked at a unit's results."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("look at results")
        verbose_name_plural = _("looks at results")
        constraints = [models.UniqueConstraint(fields=["user", "unit"], name="notifications_resultsseen_once")]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.unit_id}"
