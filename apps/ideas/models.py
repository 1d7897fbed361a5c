"""Calls for ideas, ideas with their votes and comments, and how long each may wait."""

from datetime import date, datetime
from typing import Self
from uuid import uuid4

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import Scope, Unit, User
from apps.core.languages import localised
from apps.core.searching import Joined, Words, plain
from apps.ideas.anonymity import author_keys
from apps.library.models import Solution
from apps.taxonomy.models import Challenge


def photo_path(_idea: "Idea", _name: str) -> str:
    """A name of its own: what the sender calls a file may tell who sent it."""
    return f"ideas/{uuid4().hex}"


class CallQuerySet(models.QuerySet["Call"]):
    def open_on(self, day: date) -> Self:
        return self.filter(opens_on__lte=day, closes_on__gte=day, closed_at=None)

    def asking(self, unit: Unit) -> Self:
        """Calls to everybody, and those to the unit or one above it."""
        return self.filter(models.Q(unit=None) | models.Q(unit__in=[*unit.ancestor_ids, unit.pk]))


class Call(models.Model):
    """A time-boxed request for ideas on a challenge; `closes_on` is its last day."""

    title = models.CharField(_("title"), max_length=200)
    title_fr = models.CharField(_("title in French"), max_length=200, blank=True)
    text = models.TextField(_("text"), blank=True)
    text_fr = models.TextField(_("text in French"), blank=True)
    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+", verbose_name=_("challenge"))
    # Who is asked: everybody when empty.
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unit"))
    opens_on = models.DateField(_("opens on"))
    closes_on = models.DateField(_("last day"))
    closed_at = models.DateTimeField(_("closed early"), null=True, blank=True)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("owner"))
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call for ideas")
        verbose_name_plural = _("calls for ideas")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes_on__gte=models.F("opens_on")),
                name="ideas_call_closes_after_opening",
                violation_error_message=_("A call closes after it opens."),
            )
        ]
        indexes = [models.Index(fields=["-closes_on", "-id"], name="ideas_call_newest")]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        return localised(self.title, self.title_fr)

    @property
    def display_text(self) -> str:
        return localised(self.text, self.text_fr)

    def is_open_on(self, day: date) -> bool:
        return self.closed_at is None and self.opens_on <= day <= self.closes_on


class IdeaQuerySet(models.QuerySet["Idea"]):
    def by(self, user: User) -> Self:
        """The person's own, the anonymous ones too."""
        return self.filter(models.Q(author=user) | models.Q(author_key__in=author_keys(user)))

    def public(self) -> Self:
        """Let in and not hidden: what everybody in the company may read."""
        return self.filter(let_in_at__isnull=False, hidden_at=None)

    def readable(self, *, user: User, scope: Scope) -> Self:
        """Public ideas, the person's own, and all of the units in `scope`, where the person decides."""
        return self.filter(
            models.Q(let_in_at__isnull=False, hidden_at=None)
            | models.Q(author=user)
            | models.Q(author_key__in=author_keys(user))
            | scope.condition("unit__")
        )

    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("unit__"))

    def standing(self) -> Self:
        """Those that were not merged into another one."""
        return self.filter(merged_into=None)

    def open(self) -> Self:
        """Those that still wait for somebody."""
        return self.filter(state__in=OPEN_STATES, hidden_at=None)

    def overdue(self, now: datetime) -> Self:
        """Open ideas whose deadline passed, and nobody above was told of it yet."""
        told = Escalation.objects.filter(idea=models.OuterRef("pk"), due_at=models.OuterRef("due_at"))
        return self.open().filter(~models.Exists(told), due_at__lt=now)


class Idea(models.Model):
    """A remedy somebody of the staff proposes, named or anonymously."""

    class State(models.TextChoices):
        NEW = "new", pgettext_lazy("idea", "New")
        IN_REVIEW = "in_review", pgettext_lazy("idea", "In review")
        NEEDS_INFO = "needs_info", pgettext_lazy("idea", "Needs info")
        PILOT = "pilot", pgettext_lazy("idea", "Pilot")
        IN_LIBRARY = "in_library", pgettext_lazy("idea", "In library")
        MERGED = "merged", pgettext_lazy("idea", "Merged")
        DECLINED = "declined", pgettext_lazy("idea", "Declined")

    class Reason(models.TextChoices):
        IN_USE = "in_use", _("We do this already")
        TOO_COSTLY = "too_costly", _("Too costly for what it brings")
        NOT_ALLOWED = "not_allowed", _("Law or company rules forbid it")
        NOT_OURS = "not_ours", _("It is not ours to change")
        TRIED = "tried", _("Tried before, without success")
        LATER = "later", _("Good, but not now")
        UNCLEAR = "unclear", _("Not clear enough to act on")
        OTHER = "other", _("Another reason")

    title = models.CharField(_("title"), max_length=200)
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    text = models.TextField(_("idea"))
    # The author, or for an anonymous one a digest that only the author's own session can match.
    author = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    author_key = models.CharField(max_length=64, blank=True, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    challenge = models.ForeignKey(
        Challenge, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("challenge")
    )
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="ideas")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    state_since = models.DateTimeField(_("in this state since"))
    due_at = models.DateTimeField(_("next step by"), null=True, blank=True)
    # The unit whose leads owe the next step.
    level = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    tried_on = models.DateField(_("tried since"), null=True, blank=True)
    tried_unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    photo = models.FileField(_("photo"), upload_to=photo_path, max_length=100, blank=True)
    photo_type = models.CharField(max_length=100, blank=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    solution = models.ForeignKey(Solution, models.PROTECT, null=True, blank=True, related_name="+")
    decided_reason = models.CharField(_("reason"), max_length=11, choices=Reason.choices, blank=True)
    decided_text = models.TextField(_("reason in words"), blank=True)
    # How many people share the problem, those of merged ideas included, each once.
    vote_count = models.PositiveIntegerField(_("votes"), default=0)
    let_in_at = models.DateTimeField(_("let in"), null=True, blank=True)
    hidden_at = models.DateTimeField(_("hidden"), null=True, blank=True)
    hidden_reason = models.TextField(_("why it is hidden"), blank=True)
    told_effect_at = models.DateTimeField(_("author told of the first result"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_name = models.GeneratedField(
        expression=plain("title"), output_field=models.TextField(), db_persist=True
    )
    search_text = models.GeneratedField(
        expression=plain("title", "problem", "text"), output_field=models.TextField(), db_persist=True
    )
    # Nobody says in which language an idea is written.
    search_words = models.GeneratedField(
        expression=Joined(
            *(
                Words(name, config=config, weight="A" if name == "title" else "B")
                for config in ("english", "french")
                for name in ("title", "problem", "text")
            )
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = IdeaQuerySet.as_manager()

    class Meta:
        verbose_name = _("idea")
        verbose_name_plural = _("ideas")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(author=None) ^ models.Q(author_key=""),
                name="ideas_idea_named_or_anonymous",
            ),
            models.CheckConstraint(
                condition=models.Q(state="merged", merged_into__isnull=False)
                | ~models.Q(state="merged") & models.Q(merged_into=None),
                name="ideas_idea_merged_into_one",
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="ideas_idea_not_into_itself"
            ),
            models.CheckConstraint(
                condition=models.Q(state="declined") ^ models.Q(decided_reason=""),
                name="ideas_idea_declined_with_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="in_library") | models.Q(solution__isnull=False),
                name="ideas_idea_in_library_has_solution",
            ),
            models.CheckConstraint(
                condition=models.Q(tried_on=None, tried_unit=None)
                | models.Q(tried_on__isnull=False, tried_unit__isnull=False),
                name="ideas_idea_tried_since_and_where",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-vote_count", "-id"], name="ideas_idea_needed"),
            models.Index(fields=["-id"], condition=models.Q(merged_into=None), name="ideas_idea_newest"),
            models.Index(fields=["due_at"], name="ideas_idea_due"),
            models.Index(fields=["author_key"], condition=~models.Q(author_key=""), name="ideas_idea_anonymous"),
            GinIndex(
                OpClass(models.Func("title", function="core_unaccent"), name="gin_trgm_ops"),
                name="ideas_idea_title",
            ),
            GinIndex(fields=["search_name"], opclasses=["gin_trgm_ops"], name="ideas_idea_names"),
            GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name="ideas_idea_texts"),
            GinIndex(fields=["search_words"], name="ideas_idea_words"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_anonymous(self) -> bool:
        return bool(self.author_key)

    @property
    def is_held(self) -> bool:
        """Whether it waits to be let in."""
        return self.let_in_at is None and self.hidden_at is None

    @property
    def is_public(self) -> bool:
        return self.let_in_at is not None and self.hidden_at is None

    def is_by(self, user: User) -> bool:
        return self.author_id == user.pk if self.author_id else self.author_key in author_keys(user)


OPEN_STATES = (Idea.State.NEW, Idea.State.IN_REVIEW, Idea.State.NEEDS_INFO, Idea.State.PILOT)


class Vote(models.Model):
    """A person has the same problem; it says nothing of whether the idea helps."""

    idea = models.ForeignKey(Idea, models.CASCADE, related_name="votes")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [models.UniqueConstraint(fields=["idea", "user"], name="ideas_vote_once")]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.idea_id}"


class CommentQuerySet(models.QuerySet["Comment"]):
    def public(self) -> Self:
        return self.filter(let_in_at__isnull=False, hidden_at=None)

    def held(self) -> Self:
        return self.filter(let_in_at=None, hidden_at=None)


class Comment(models.Model):
    """What somebody says about an idea; an anonymous author speaks as the author, without a name."""

    class Kind(models.TextChoices):
        REMARK = "remark", pgettext_lazy("noun", "Comment")
        EXPERIENCE = "experience", _("Experience")
        QUESTION = "question", _("Question")
        REPLY = "reply", _("Reply")

    idea = models.ForeignKey(Idea, models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    is_from_author = models.BooleanField(_("by the idea's author"), default=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.REMARK)
    text = models.TextField(_("text"))
    let_in_at = models.DateTimeField(_("let in"), null=True, blank=True)
    hidden_at = models.DateTimeField(_("hidden"), null=True, blank=True)
    hidden_reason = models.TextField(_("why it is hidden"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(author__isnull=False) | models.Q(is_from_author=True),
                name="ideas_comment_has_author",
            )
        ]
        indexes = [models.Index(fields=["idea", "id"], name="ideas_comment_of_idea")]

    def __str__(self) -> str:
        return self.text[:60]


class Report(models.Model):
    """Somebody finds a comment out of place; a lead keeps it or hides it."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="reports")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.TextField(_("reason"))
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("report of a comment")
        verbose_name_plural = _("reports of comments")
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="ideas_report_once")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.comment_id}"


class Escalation(models.Model):
    """An idea whose deadline passed went one level up; once for each deadline."""

    idea = models.ForeignKey(Idea, models.CASCADE, related_name="escalations")
    due_at = models.DateTimeField(_("deadline that passed"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        constraints = [models.UniqueConstraint(fields=["idea", "due_at"], name="ideas_escalation_once")]

    def __str__(self) -> str:
        return f"{self.idea_id} to {self.unit_id}"


class Pilot(models.Model):
    """A unit is asked to try an idea first."""

    idea = models.ForeignKey(Idea, models.CASCADE, related_name="pilots")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("pilot")
        verbose_name_plural = _("pilots")
        constraints = [models.UniqueConstraint(fields=["idea", "unit"], name="ideas_pilot_once")]

    def __str__(self) -> str:
        return f"{self.idea_id} in {self.unit_id}"
