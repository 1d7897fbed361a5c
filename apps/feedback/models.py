"""What customers said and what operations did, and the weekly cells that measurement reads."""

from typing import Self

from django.db import models
from django.db.models.functions import Greatest, Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Scope, Unit
from apps.taxonomy.models import Challenge, Metric, UnmappedLabel


class Source(models.Model):
    """A system that records responses."""

    code = models.CharField(_("code"), max_length=64)

    class Meta:
        verbose_name = _("source")
        constraints = [models.UniqueConstraint(Lower("code"), name="feedback_source_code")]

    def __str__(self) -> str:
        return self.code


class ResponseQuerySet(models.QuerySet["Response"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("unit__"))


class Response(models.Model):
    """One submission or record at a unit and time."""

    # Without constraints of the database on what it points to: an import finds unit, source and metric by a join
    # in the transaction that stores the rows, and checking each row again took longer than storing it.
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    external_id = models.CharField(_("id in the source"), max_length=200)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    occurred_at = models.DateTimeField(_("when"))
    # The Monday of the ISO week in the unit's time zone at import.
    week = models.DateField()
    customer_digest = models.CharField(max_length=64, blank=True)
    segment = models.CharField(_("segment"), max_length=100, blank=True)
    weight = models.DecimalField(_("weight"), max_digits=14, decimal_places=6, default=1)
    channel = models.CharField(_("channel"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    comment = models.TextField(_("comment"), blank=True)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="feedback_response_key"),
            models.CheckConstraint(condition=models.Q(weight__gt=0), name="feedback_response_weight"),
        ]
        indexes = [
            # Only comments are looked for by unit and week: numbers are read from cells.
            models.Index(
                fields=["unit", "week"], condition=~models.Q(comment=""), name="feedback_response_comments"
            )
        ]

    def __str__(self) -> str:
        return self.external_id


class Score(models.Model):
    """The value a response gives for one metric, as it was recorded."""

    pk = models.CompositePrimaryKey("response_id", "metric_id")
    response = models.ForeignKey(
        Response, models.CASCADE, related_name="scores", db_constraint=False, db_index=False
    )
    metric = models.ForeignKey(Metric, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=6)

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")

    def __str__(self) -> str:
        return f"{self.value}"


class SeriesQuerySet(models.QuerySet["Series"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("unit__"))


class Series(models.Model):
    """A metric in a unit; the revision counts the changes of its cells."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)
    metric = models.ForeignKey(Metric, models.PROTECT, related_name="+")
    revision = models.PositiveBigIntegerField(default=1)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("series")
        constraints = [models.UniqueConstraint(fields=["unit", "metric"], name="feedback_series_unit_metric")]

    def __str__(self) -> str:
        return f"{self.metric_id} in {self.unit_id}"


class CellQuerySet(models.QuerySet["Cell"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("unit__"))


class Cell(models.Model):
    """The week's answers of a metric in a unit, as sums that can be added and taken away exactly.

    Sums are decimals, so that a cell reached by any sequence of imports and corrections equals the one
    computed from scratch. `total` and `squares` are weighted sums of the scored values.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)
    metric = models.ForeignKey(Metric, models.PROTECT, related_name="+", db_index=False)
    week = models.DateField()
    n = models.PositiveIntegerField(_("answers"))
    weight = models.DecimalField(max_digits=30, decimal_places=12)
    weight_squares = models.DecimalField(max_digits=36, decimal_places=12)
    total = models.DecimalField(max_digits=40, decimal_places=12)
    squares = models.DecimalField(max_digits=50, decimal_places=18)
    mean = models.GeneratedField(
        expression=models.F("total") / models.F("weight"),
        output_field=models.FloatField(),
        db_persist=True,
    )
    # Scaled to n, so that m2 / (n - 1) is the variance between answers whatever the weights' scale.
    m2 = models.GeneratedField(
        expression=Greatest(
            (models.F("squares") - models.F("total") * models.F("total") / models.F("weight"))
            * models.F("n")
            / models.F("weight"),
            models.Value(0),
        ),
        output_field=models.FloatField(),
        db_persist=True,
    )

    objects = CellQuerySet.as_manager()

    class Meta:
        verbose_name = _("cell")
        constraints = [
            models.UniqueConstraint(fields=["metric", "unit", "week"], name="feedback_cell_metric_unit_week"),
            models.CheckConstraint(condition=models.Q(n__gt=0, weight__gt=0), name="feedback_cell_not_empty"),
        ]
        indexes = [models.Index(fields=["unit", "week"], name="feedback_cell_unit_week")]

    def __str__(self) -> str:
        return f"{self.metric_id} in {self.unit_id}, week of {self.week}"


class ResponseChallenge(models.Model):
    """A response speaks of a challenge."""

    class Origin(models.TextChoices):
        GIVEN = "given", _("Given by the source")
        ALIAS = "alias", _("By an alias")

    response = models.ForeignKey(Response, models.CASCADE, related_name="codings")
    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="+")
    origin = models.CharField(max_length=5, choices=Origin.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "challenge"], name="feedback_responsechallenge_pair")
        ]

    def __str__(self) -> str:
        return f"{self.response_id}: {self.challenge_id}"


class ResponseLabel(models.Model):
    """A response whose source named its challenge by a label that nobody had mapped when it came in."""

    response = models.OneToOneField(Response, models.CASCADE, related_name="label", primary_key=True)
    label = models.ForeignKey(UnmappedLabel, models.PROTECT, related_name="+")
    # What it was coded with since, by an alias of that label; NULL while it waits.
    coded_as = models.ForeignKey(Challenge, models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.response_id}: {self.label_id}"
