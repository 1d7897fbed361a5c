"""What was decided and done: plans, actions as applied, and known disturbances."""

from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Scope, Unit, User
from apps.library.models import Solution, SolutionVersion
from apps.taxonomy.models import Challenge, Metric


class Plan(models.Model):
    """The decision to apply solutions to a challenge in one or more units."""

    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+")
    solutions = models.ManyToManyField(Solution, related_name="+")
    target_metric = models.ForeignKey(Metric, models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    intention = models.TextField(_("when, where and how exactly"), blank=True)
    intended_effect = models.DecimalField(
        _("effect worth having"), max_digits=12, decimal_places=4, null=True, blank=True
    )
    is_randomised = models.BooleanField(_("order drawn by lot"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")

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
        WORKS = "works", _("Works")
        CAMPAIGN = "campaign", _("Campaign")
        OTHER = "other", _("Other")

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.OTHER)
    name = models.CharField(_("name"), max_length=200)
    starts_on = models.DateField(_("starts on"))
    # The last day, included, as people write it; empty while it lasts.
    ends_on = models.DateField(_("ends on"), null=True, blank=True)

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
