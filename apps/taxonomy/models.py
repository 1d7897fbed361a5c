"""The shared vocabulary: journeys, touchpoints, metrics, challenges and their aliases."""

from typing import Self

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.languages import localised


class Named(models.Model):
    """A coded term with its name in both languages."""

    code = models.CharField(_("code"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    name_fr = models.CharField(_("name in French"), max_length=200, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return localised(self.name, self.name_fr)


class Journey(Named):
    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        constraints = [models.UniqueConstraint(Lower("code"), name="taxonomy_journey_code")]


class Touchpoint(Named):
    journey = models.ForeignKey(Journey, models.PROTECT, related_name="touchpoints")
    position = models.PositiveIntegerField(_("position"))

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        constraints = [models.UniqueConstraint(Lower("code"), name="taxonomy_touchpoint_code")]


class Metric(Named):
    class Kind(models.TextChoices):
        PERCEPTION = "perception", _("Perception")
        OPERATIONAL = "operational", _("Operational")

    class Better(models.TextChoices):
        HIGHER = "higher", _("Higher is better")
        LOWER = "lower", _("Lower is better")

    class Scoring(models.TextChoices):
        VALUE = "value", _("Mean of the values")
        SHARE = "share", _("Share at the threshold or better")
        NPS = "nps", _("Promoters minus detractors")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    better = models.CharField(_("direction"), max_length=6, choices=Better.choices, default=Better.HIGHER)
    scoring = models.CharField(_("scoring"), max_length=5, choices=Scoring.choices, default=Scoring.VALUE)
    scale_min = models.DecimalField(_("lowest value"), max_digits=18, decimal_places=6, null=True, blank=True)
    scale_max = models.DecimalField(_("highest value"), max_digits=18, decimal_places=6, null=True, blank=True)
    threshold = models.DecimalField(_("threshold"), max_digits=18, decimal_places=6, null=True, blank=True)
    unit_label = models.CharField(_("unit of measure"), max_length=40, blank=True)
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, null=True, blank=True, related_name="metrics")
    journey = models.ForeignKey(Journey, models.PROTECT, null=True, blank=True, related_name="metrics")
    is_overall = models.BooleanField(_("outcome of the whole journey"), default=False)

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        constraints = [
            models.UniqueConstraint(Lower("code"), name="taxonomy_metric_code"),
            models.UniqueConstraint(
                fields=["journey"],
                condition=models.Q(is_overall=True),
                name="taxonomy_metric_one_overall",
                violation_error_message=_("A journey has one overall metric."),
            ),
            models.CheckConstraint(
                condition=~models.Q(scoring="share") | models.Q(threshold__isnull=False),
                name="taxonomy_metric_share_threshold",
                violation_error_message=_("A share needs a threshold."),
            ),
        ]

    @property
    def sign(self) -> int:
        """+1 when a higher value is better for the customer, else -1."""
        return 1 if self.better == self.Better.HIGHER else -1

    @property
    def display_unit(self) -> str:
        """The unit of the metric's mean: percent for shares, points for perception, or as given."""
        if self.scoring == self.Scoring.SHARE:
            return "%"
        return self.unit_label or (str(_("points")) if self.kind == self.Kind.PERCEPTION else "")


class ChallengeQuerySet(models.QuerySet["Challenge"]):
    def current(self) -> Self:
        return self.filter(retired_on=None, merged_into=None)

    def below(self, challenge: "Challenge") -> Self:
        """The challenge itself and everything under it."""
        return self.filter(path__startswith=challenge.path)


class Challenge(Named):
    """A recurring problem of customer experience, in a tree."""

    description = models.TextField(_("description"), blank=True)
    description_fr = models.TextField(_("description in French"), blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=400, blank=True, editable=False)
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, null=True, blank=True, related_name="challenges")
    metric = models.ForeignKey(Metric, models.PROTECT, null=True, blank=True, related_name="challenges")
    severity = models.PositiveSmallIntegerField(_("severity"), default=3)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    retired_on = models.DateField(null=True, blank=True)

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        verbose_name = _("challenge")
        verbose_name_plural = _("challenges")
        constraints = [
            models.UniqueConstraint(Lower("code"), name="taxonomy_challenge_code"),
            models.CheckConstraint(condition=models.Q(severity__range=(1, 5)), name="taxonomy_challenge_severity"),
        ]
        indexes = [models.Index(OpClass("path", "varchar_pattern_ops"), name="taxonomy_challenge_path")]

    @property
    def display_description(self) -> str:
        return localised(self.description, self.description_fr)


class Alias(models.Model):
    """What another system calls a challenge."""

    source = models.CharField(_("source"), max_length=64)
    label = models.CharField(_("label"), max_length=300)
    challenge = models.ForeignKey(Challenge, models.CASCADE, related_name="aliases")

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        constraints = [
            models.UniqueConstraint(Lower("source"), Lower("label"), name="taxonomy_alias_source_label")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.label}"
