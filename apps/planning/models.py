"""What was decided and done: plans, actions as applied, and known disturbances."""

from typing import Any, Self

from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import Scope, Unit, User
from apps.core.uploads import StoredUnder
from apps.ideas.models import Idea
from apps.library.models import Playbook, Solution, SolutionVersion
from apps.planning.dismissal import Dismissal  # noqa: F401  # Django finds models here
from apps.planning.rule_models import PlanningRules as PlanningRules  # noqa: PLC0414  # found here
from apps.planning.rule_models import ReadyItem as ReadyItem  # noqa: PLC0414  # found here
from apps.taxonomy.models import Challenge, Metric


class Plan(models.Model):
    """The decision to apply solutions to a challenge in one or more units."""

    class Stage(models.TextChoices):
        """The step of the guide a plan waits at; an agreed plan has been through all of them."""

        FOCUS = "focus", _("Focus")
        CHOOSE = "choose", _("Choose")
        CONCRETE = "concrete", _("Make it concrete")
        READY = "ready", _("Ready?")
        AGREE = "agree", _("Agree")
        AGREED = "agreed", _("Agreed")

    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+")
    solutions = models.ManyToManyField(Solution, related_name="+")
    playbook = models.ForeignKey(Playbook, models.SET_NULL, null=True, blank=True, related_name="+")
    target_metric = models.ForeignKey(Metric, models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    stage = models.CharField(_("step"), max_length=8, choices=Stage.choices, default=Stage.AGREED)
    # The implementation intention; a plan made in one go says all three in `intention`.
    occasion = models.CharField(_("when exactly"), max_length=200, blank=True)
    place = models.CharField(_("where exactly"), max_length=200, blank=True)
    intention = models.TextField(_("when, where and how exactly"), blank=True)
    focus_reason = models.TextField(_("why one more problem at a time"), blank=True)
    # Empty: check-ins are asked for after 2, 6 and 12 weeks.
    rhythm_weeks = models.PositiveSmallIntegerField(_("weeks between check-ins"), null=True, blank=True)
    intended_effect = models.DecimalField(
        _("effect worth having"), max_digits=12, decimal_places=4, null=True, blank=True
    )
    is_randomised = models.BooleanField(_("order drawn by lot"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rhythm_weeks=None) | models.Q(rhythm_weeks__range=(1, 26)),
                name="planning_plan_rhythm",
                violation_error_message=_("Check-ins come every 1 to 26 weeks."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.challenge}"


class ActionQuerySet(models.QuerySet["Action"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("unit__"))

    def took_effect(self) -> Self:
        return self.filter(
            state__in=[Action.State.APPLIED, Action.State.SUSTAINED, Action.State.STOPPED],
            effective_on__isnull=False,
        )


class Action(models.Model):
    """The solutions as applied in one unit, from an effective date."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PLANNED = "planned", _("Planned")
        APPLIED = "applied", _("Applied")
        SUSTAINED = "sustained", _("Sustained")
        STOPPED = "stopped", _("Stopped")

    external_id = models.CharField(_("id"), max_length=64)
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, blank=True, related_name="actions")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+")
    # The idea that is tried out here.
    idea = models.ForeignKey(Idea, models.SET_NULL, null=True, blank=True, related_name="+")
    # Frozen from the challenge when the action is applied.
    target_metric = models.ForeignKey(Metric, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.DRAFT)
    planned_on = models.DateField(_("planned for"), null=True, blank=True)
    effective_on = models.DateField(_("in effect since"), null=True, blank=True)
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    stop_reason = models.TextField(_("why it was stopped"), blank=True)
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    owner_label = models.CharField(_("owner as named in the source"), max_length=200, blank=True)
    cost = models.DecimalField(_("actual cost"), max_digits=14, decimal_places=2, null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    is_randomised = models.BooleanField(_("order drawn by lot"), default=False)
    events: "models.ManyToManyField[Event, Any]" = models.ManyToManyField("Event", related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        constraints = [
            models.UniqueConstraint(Lower("external_id"), name="planning_action_external_id"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["applied", "sustained", "stopped"])
                | models.Q(effective_on__isnull=False),
                name="planning_action_applied_has_date",
                violation_error_message=_("An applied action has an effective date."),
            ),
            models.CheckConstraint(
                condition=models.Q(ended_on=None) | models.Q(ended_on__gt=models.F("effective_on")),
                name="planning_action_ends_after_start",
                violation_error_message=_("An action ends after it took effect."),
            ),
        ]
        indexes = [
            models.Index(fields=["target_metric", "effective_on"], name="planning_action_metric_date"),
            models.Index(fields=["unit", "effective_on"], name="planning_action_unit_date"),
            # The first of each state, in the order in which lists show them.
            models.Index(
                "state",
                models.F("effective_on").desc(nulls_last=True),
                models.F("id").desc(),
                name="planning_action_newest",
            ),
            models.Index(
                "state",
                models.F("planned_on").asc(nulls_last=True),
                models.F("id").desc(),
                condition=models.Q(state__in=["draft", "planned"]),
                name="planning_action_due",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class ActionSolution(models.Model):
    """A solution's version as one action applied it."""

    action = models.ForeignKey(Action, models.CASCADE, related_name="solutions")
    version = models.ForeignKey(SolutionVersion, models.PROTECT, related_name="+")
    dose = models.CharField(_("dose"), max_length=200, blank=True)
    fidelity = models.PositiveSmallIntegerField(_("fidelity, 0 to 100"), null=True, blank=True)
    adaptation = models.TextField(_("adaptation"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["action", "version"], name="planning_actionsolution_pair"),
            models.CheckConstraint(
                condition=models.Q(fidelity=None) | models.Q(fidelity__range=(0, 100)),
                name="planning_actionsolution_fidelity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} in {self.action_id}"


class EventQuerySet(models.QuerySet["Event"]):
    def in_scope(self, scope: Scope) -> Self:
        """Events of the scope's units, and those of the whole organisation."""
        return self.filter(scope.condition("unit__") | models.Q(unit=None))


class Event(models.Model):
    """A known disturbance in one unit, or in all when no unit is named."""

    class Kind(models.TextChoices):
        CLOSURE = "closure", _("Closure")
        OUTAGE = "outage", _("Outage")
        WORKS = "works", pgettext_lazy("a kind of event", "Works")
        CAMPAIGN = "campaign", _("Campaign")
        OTHER = "other", _("Other")

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.OTHER)
    name = models.CharField(_("name"), max_length=200)
    starts_on = models.DateField(_("starts on"))
    # The last day, included, as people write it; empty while it lasts.
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "starts_on", "name"], nulls_distinct=False, name="planning_event_key"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
                name="planning_event_ends_after_start",
                violation_error_message=_("An event ends after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TaskQuerySet(models.QuerySet["Task"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("action__unit__"))

    def open(self) -> Self:
        return self.filter(done_at=None)


class Task(models.Model):
    """One thing to do for an action, in the order of `position`."""

    action = models.ForeignKey(Action, models.CASCADE, related_name="tasks")
    title = models.CharField(_("what is to be done"), max_length=300)
    assignee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    due_on = models.DateField(_("due on"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_by=None) | models.Q(done_at__isnull=False), name="planning_task_done_by"
            )
        ]
        indexes = [
            models.Index(fields=["action", "position"], name="planning_task_order"),
            models.Index(fields=["due_on"], condition=models.Q(done_at=None), name="planning_task_due"),
        ]

    def __str__(self) -> str:
        return self.title


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("action__unit__"))


class CheckIn(models.Model):
    """What the people on the spot say about an action some weeks in; no outcome is computed from it."""

    class Happening(models.TextChoices):
        YES = "yes", _("Yes, as planned")
        PARTLY = "partly", _("Partly")
        NO = "no", _("No")

    class Working(models.TextChoices):
        YES = "yes", _("It seems to help")
        UNCLEAR = "unclear", _("Can't tell yet")
        NO = "no", _("It does not seem to help")

    class Obstacle(models.TextChoices):
        NONE = "none", _("Nothing")
        TIME = "time", _("Time")
        PEOPLE = "people", _("People")
        MATERIAL = "material", _("Material or tools")
        BACKING = "backing", _("Backing from above")
        OTHER = "other", _("Something else")

    action = models.ForeignKey(Action, models.CASCADE, related_name="check_ins")
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    happening = models.CharField(_("is it happening?"), max_length=6, choices=Happening.choices)
    working = models.CharField(_("is it working?"), max_length=7, choices=Working.choices)
    obstacle = models.CharField(_("what is in the way?"), max_length=8, choices=Obstacle.choices)
    note = models.TextField(_("note"), blank=True)
    made_on = models.DateField(_("made on"))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        verbose_name = _("check-in")
        verbose_name_plural = _("check-ins")
        indexes = [models.Index(fields=["action", "-made_on"], name="planning_checkin_newest")]

    def __str__(self) -> str:
        return f"{self.action_id} on {self.made_on}"


class ProofQuerySet(models.QuerySet["Proof"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("action__unit__"))


class Proof(models.Model):
    """What shows that an action is in place: a photo, a file, or which steps of the recipe were done."""

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        DOCUMENT = "document", _("File")
        CHECKLIST = "checklist", _("Steps done")

    action = models.ForeignKey(Action, models.CASCADE, related_name="proofs")
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    file = models.FileField(_("file"), upload_to=StoredUnder("proofs"), blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    # Of a checklist: one {"text", "is_done"} a step.
    steps = models.JSONField(_("steps"), default=list, blank=True)
    note = models.TextField(_("note"), blank=True)
    added_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProofQuerySet.as_manager()

    class Meta:
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="checklist") | ~models.Q(file=""), name="planning_proof_has_file"
            )
        ]

    def __str__(self) -> str:
        return self.name or self.get_kind_display()


class Reminder(models.Model):
    """A person was reminded; the row is what keeps it from happening twice."""

    class Kind(models.TextChoices):
        TASK = "task", _("Task due")
        CHECK_IN = "check_in", _("Check-in")
        START = "start", _("Planned start is over")
        DRAFT = "draft", _("Draft left alone")
        OLD_TASK = "old_task", _("Task left alone")
        CLOSED = "closed", _("Unit closed")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    action = models.ForeignKey(Action, models.CASCADE, related_name="reminders")
    task = models.ForeignKey(Task, models.CASCADE, null=True, blank=True, related_name="reminders")
    due_on = models.DateField()
    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    # The day on which the person was reminded; only so many come on one day.
    given_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "action", "task", "due_on"], nulls_distinct=False, name="planning_reminder_once"
            )
        ]
        indexes = [models.Index(fields=["given_on", "person"], name="planning_reminder_day")]

    def __str__(self) -> str:
        return f"{self.kind} {self.due_on}"


class Draw(models.Model):
    """An order of starts drawn by lot, frozen with what it was drawn from; a later draw replaces and keeps it."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="draws")
    seed = models.BigIntegerField()
    steps = models.PositiveSmallIntegerField(_("start dates"))
    gap_weeks = models.PositiveSmallIntegerField(_("weeks between two starts"))
    first_on = models.DateField(_("first start"))
    drawn_at = models.DateTimeField()
    drawn_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(_("why it was drawn again"), blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    # When every primary window is over, and when the owner was told.
    reads_on = models.DateField(_("read-out"))
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("draw")
        verbose_name_plural = _("draws")
        constraints = [
            models.UniqueConstraint(
                fields=["plan"], condition=models.Q(replaced_at=None), name="planning_draw_one_stands"
            ),
            models.CheckConstraint(
                condition=models.Q(seed__gte=0, steps__gte=2, gap_weeks__gte=1), name="planning_draw_design"
            ),
        ]
        indexes = [
            models.Index(
                fields=["reads_on"],
                condition=models.Q(replaced_at=None, told_at=None),
                name="planning_draw_unread",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} drawn with {self.seed}"


class DrawnUnit(models.Model):
    """The start a unit drew; `breach` says why it no longer counts as drawn by lot."""

    class Breach(models.TextChoices):
        EARLY = "early", _("It started before the day it drew.")
        LATE = "late", _("It started after the weeks it drew.")
        MOVED = "moved", _("Its day was changed after the draw.")
        OTHER = "other", _("Another action for the same problem took effect while it waited.")
        GONE = "gone", _("It was taken out after the draw.")

    draw = models.ForeignKey(Draw, models.CASCADE, related_name="units")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    region = models.CharField(max_length=100, blank=True)
    step = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    breach = models.CharField(max_length=5, choices=Breach.choices, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draw", "unit"], name="planning_drawnunit_pair")]

    def __str__(self) -> str:
        return f"{self.unit_id} on {self.starts_on}"


class CalendarFeed(models.Model):
    """The secret address under which a person's calendar program reads their days; only its digest is kept."""

    user = models.OneToOneField(User, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"


class ReadyTick(models.Model):
    """A plan says yes to a question."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="ready_ticks")
    item = models.ForeignKey(ReadyItem, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "item"], name="planning_readytick_pair")]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.item_id}"


class ReadyScore(models.Model):
    """Where those who talked a plan over see one of its six aspects; no sum is made of it, none is too low."""

    class Aspect(models.TextChoices):
        NEED = "need", _("Need")
        FIT = "fit", _("Fit")
        RESOURCES = "resources", _("Resources")
        EVIDENCE = "evidence", _("Evidence")
        READINESS = "readiness", _("Readiness")
        CAPACITY = "capacity", _("Capacity")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="ready_scores")
    aspect = models.CharField(_("aspect"), max_length=9, choices=Aspect.choices)
    score = models.PositiveSmallIntegerField(_("score, 1 to 5"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "aspect"], name="planning_readyscore_pair"),
            models.CheckConstraint(condition=models.Q(score__range=(1, 5)), name="planning_readyscore_score"),
        ]

    def __str__(self) -> str:
        return f"{self.get_aspect_display()}: {self.score}"
