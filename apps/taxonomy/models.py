"""The shared vocabulary: journeys, touchpoints, metrics, challenges and their aliases."""

from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.languages import localised
from apps.core.searching import Joined, Searchable, Words, plain


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
    retired_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        constraints = [models.UniqueConstraint(Lower("code"), name="taxonomy_touchpoint_code")]


class JourneyVersion(models.Model):
    """A journey as it was from a day on; the newest one is what the touchpoints themselves say."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("number"))
    # NULL for the first: as long as anybody remembers.
    starts_on = models.DateField(_("from"), null=True, blank=True)

    class Meta:
        verbose_name = _("version of a journey")
        constraints = [
            models.UniqueConstraint(fields=["journey", "number"], name="taxonomy_journeyversion_number"),
            models.UniqueConstraint(fields=["journey", "starts_on"], name="taxonomy_journeyversion_starts_on"),
            models.UniqueConstraint(
                fields=["journey"],
                condition=models.Q(starts_on=None),
                name="taxonomy_journeyversion_one_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journey_id} {self.number}"


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

    def standing_for(self, challenge: "Challenge") -> Self:
        """The terms whose records are shown under `challenge`: itself and all that was merged into it."""
        return self.filter(models.Q(pk=challenge.pk) | models.Q(merged_into=challenge))

    def measured_by(self, metric: "Metric") -> Self:
        """The terms whose records are shown under a challenge with this outcome."""
        return self.filter(models.Q(merged_into=None, metric=metric) | models.Q(merged_into__metric=metric))

    def standing_for_codes(self, codes: Iterable[str]) -> Self:
        """The terms whose records are shown under those with these codes, whatever their case."""
        lowered = [code.lower() for code in codes]
        rows = self.alias(own_code=Lower("code"), standing_code=Lower("merged_into__code"))
        return rows.filter(models.Q(own_code__in=lowered) | models.Q(standing_code__in=lowered))

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
    # Never itself a merged term: when that one is merged, all that was merged into it goes along.
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    retired_on = models.DateField(null=True, blank=True)
    search_name = models.GeneratedField(
        expression=plain("name", "name_fr"), output_field=models.TextField(), db_persist=True
    )
    search_text = models.GeneratedField(
        expression=plain("code", "name", "name_fr", "description", "description_fr"),
        output_field=models.TextField(),
        db_persist=True,
    )
    search_words = models.GeneratedField(
        expression=Joined(
            Words("name", config="english", weight="A"),
            Words("description", config="english", weight="B"),
            Words("name_fr", config="french", weight="A"),
            Words("description_fr", config="french", weight="B"),
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    # What a split made of it.
    parts = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="+")

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        verbose_name = _("challenge")
        verbose_name_plural = _("challenges")
        constraints = [
            models.UniqueConstraint(Lower("code"), name="taxonomy_challenge_code"),
            models.CheckConstraint(condition=models.Q(severity__range=(1, 5)), name="taxonomy_challenge_severity"),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("pk")) & ~models.Q(merged_into=models.F("pk")),
                name="taxonomy_challenge_not_itself",
                violation_error_message=_("A challenge can't stand under itself."),
            ),
        ]
        indexes = [
            models.Index(OpClass("path", "varchar_pattern_ops"), name="taxonomy_challenge_path"),
            GinIndex(fields=["search_name"], opclasses=["gin_trgm_ops"], name="taxonomy_challenge_names"),
            GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name="taxonomy_challenge_texts"),
            GinIndex(fields=["search_words"], name="taxonomy_challenge_words"),
        ]

    @property
    def display_description(self) -> str:
        return localised(self.description, self.description_fr)

    @property
    def standing(self) -> "Challenge":
        """The term under which this one's records are shown; read it with `merged_into` selected."""
        return self.merged_into or self

    @property
    def is_current(self) -> bool:
        return self.merged_into_id is None and self.retired_on is None

    @property
    def ancestor_ids(self) -> list[int]:
        """From the root down to the parent."""
        return [int(step) for step in self.path.rstrip(".").split(".")[:-1] if step]


class TouchpointPlace(models.Model):
    """A touchpoint's place in a version of its journey that a newer one has followed, with what stood on it."""

    version = models.ForeignKey(JourneyVersion, models.CASCADE, related_name="places")
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    name_fr = models.CharField(max_length=200, blank=True)
    metrics = models.ManyToManyField(Metric, related_name="+")
    challenges = models.ManyToManyField(Challenge, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "touchpoint"], name="taxonomy_touchpointplace_touchpoint")
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return localised(self.name, self.name_fr)


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
        indexes = [GinIndex(OpClass(Searchable("label"), "gin_trgm_ops"), name="taxonomy_alias_plain_label")]

    def __str__(self) -> str:
        return f"{self.source}: {self.label}"


class UnmappedLabelQuerySet(models.QuerySet["UnmappedLabel"]):
    def waiting(self) -> Self:
        """Labels of which nobody has said yet what they mean."""
        return self.filter(~self._is_known(), is_ignored=False)

    def ignored(self) -> Self:
        return self.filter(~self._is_known(), is_ignored=True)

    def mapped(self) -> Self:
        return self.filter(self._is_known())

    def _is_known(self) -> models.Exists | models.Q:
        label = Lower(models.OuterRef("label"))
        aliases = Alias.objects.alias(own_label=Lower("label"), own_source=Lower("source")).filter(
            models.Q(own_source=Lower(models.OuterRef("source"))) | models.Q(own_source=""), own_label=label
        )
        terms = Challenge.objects.alias(own_code=Lower("code")).filter(own_code=label)
        return models.Q(models.Exists(aliases)) | models.Q(models.Exists(terms))


class UnmappedLabel(models.Model):
    """A label that a file used for a challenge when nobody had said yet what it means."""

    source = models.CharField(_("source"), max_length=64)
    label = models.CharField(_("label"), max_length=300)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    response_count = models.PositiveIntegerField(_("responses"), default=0)
    # Rows of actions that could not come in because of it.
    rejected_count = models.PositiveIntegerField(_("rejected rows"), default=0)
    is_ignored = models.BooleanField(default=False)
    # What all of its responses are coded with by now; differs from its alias while that is being done.
    coded_as = models.ForeignKey(Challenge, models.PROTECT, null=True, blank=True, related_name="+")

    objects = UnmappedLabelQuerySet.as_manager()

    class Meta:
        verbose_name = _("unmapped label")
        verbose_name_plural = _("unmapped labels")
        constraints = [
            models.UniqueConstraint(Lower("source"), Lower("label"), name="taxonomy_unmappedlabel_source_label")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.label}"


class AcceptanceQuerySet(models.QuerySet["Acceptance"]):
    def running(self) -> Self:
        return self.filter(finished_at=None)


class Acceptance(models.Model):
    """Somebody accepts every guess that is sure enough; labels up to `last_label` have been looked at."""

    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    least = models.PositiveSmallIntegerField(_("least likeness in percent"))
    last_label = models.BigIntegerField(default=0)
    label_count = models.PositiveIntegerField(_("labels"))
    seen_count = models.PositiveIntegerField(_("looked at"), default=0)
    mapped_count = models.PositiveIntegerField(_("mapped"), default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = AcceptanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("acceptance of guesses")
        verbose_name_plural = _("acceptances of guesses")
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(finished_at=None), name="taxonomy_acceptance_one_runs"
            ),
            models.CheckConstraint(condition=models.Q(least__range=(25, 100)), name="taxonomy_acceptance_least"),
        ]

    def __str__(self) -> str:
        return f"{self.least} %: {self.mapped_count} of {self.seen_count}"
