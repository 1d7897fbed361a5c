"""What each action changed and which solutions work, with the trace of how it was computed.

A foreign key has no index of its own where a constraint or an index of the model begins with it.
"""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Scope, User
from apps.library.models import Solution
from apps.planning.models import Action
from apps.taxonomy.models import Challenge, Metric


class Run(models.Model):
    """One measurement of one metric: everything that is needed to get the same numbers again."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    metric = models.ForeignKey(Metric, models.CASCADE, db_index=False, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    phase = models.CharField(max_length=20, blank=True)
    # Chunks of the phase that are done, of all; 0 of 0 where a phase is one piece.
    done_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)
    method = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    seed = models.BigIntegerField(default=0)
    as_of = models.DateField()
    unit_count = models.PositiveIntegerField(default=0)
    week_count = models.PositiveIntegerField(default=0)
    action_count = models.PositiveIntegerField(default=0)
    estimated_count = models.PositiveIntegerField(default=0)
    # Code and explanation when the whole metric can't be measured.
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    # Where the better half of the units stood lately, and how far units are apart; on the metric's own scale.
    benchmark = models.JSONField(null=True, blank=True)
    noise = models.JSONField(null=True, blank=True)
    # The noise it was given and the spreads it set out from: with them the same rows give the same bits.
    start = models.JSONField(null=True, blank=True)
    checks = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("measurement")
        constraints = [
            models.UniqueConstraint(
                fields=["metric"], condition=models.Q(state="running"), name="impact_run_one_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["metric", "-id"], name="impact_run_metric")]

    def __str__(self) -> str:
        return f"{self.metric_id} as of {self.as_of}"


class Basis(models.Model):
    """What is searched for once a month and set out from until then: a metric's noise and spreads."""

    metric = models.OneToOneField(Metric, models.CASCADE, related_name="+")
    month = models.DateField()
    # Of the method and its settings.
    digest = models.CharField(max_length=64)
    # What it was fitted on: when one of these has grown, it is fitted again before the month is over.
    unit_count = models.PositiveIntegerField()
    action_count = models.PositiveIntegerField()
    effective_count = models.FloatField()
    within_variance = models.FloatField(null=True, blank=True)
    noise = models.JSONField()
    spreads = models.JSONField(null=True, blank=True)
    fitted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("basis")
        verbose_name_plural = _("bases")

    def __str__(self) -> str:
        return f"{self.metric_id}, {self.month:%Y-%m}"


class Chunk(models.Model):
    """A share of a run's work on some units, done by whichever process locks its row first."""

    class Step(models.TextChoices):
        UNITS = "units", _("Statistics of units")

    run = models.ForeignKey(Run, models.CASCADE, db_index=False, related_name="chunks")
    step = models.CharField(max_length=5, choices=Step.choices)
    number = models.PositiveIntegerField()
    # Of the inputs, which are dropped once the work is done.
    digest = models.CharField(max_length=64)
    inputs = models.BinaryField(null=True, blank=True)
    result = models.BinaryField(null=True, blank=True)
    error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("chunk")
        constraints = [models.UniqueConstraint(fields=["run", "step", "number"], name="impact_chunk_number")]
        indexes = [models.Index(fields=["id"], condition=models.Q(done_at=None), name="impact_chunk_waiting")]

    def __str__(self) -> str:
        return f"{self.step} {self.number} of run {self.run_id}"


class Portion(models.Model):
    """What is needed of a run's fit to draw the weeks around actions when somebody asks for them."""

    class Part(models.TextChoices):
        COMMON = "common", _("Of all units")
        GROUP = "group", _("Of a group of units")
        UNITS = "units", _("Some units")

    run = models.ForeignKey(Run, models.CASCADE, db_index=False, related_name="portions")
    part = models.CharField(max_length=6, choices=Part.choices)
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        verbose_name = _("portion of a fit")
        verbose_name_plural = _("portions of fits")
        constraints = [models.UniqueConstraint(fields=["run", "part", "number"], name="impact_portion_number")]

    def __str__(self) -> str:
        return f"{self.part} {self.number} of run {self.run_id}"


class EffectQuerySet(models.QuerySet["Effect"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("action__unit__"))

    def on_target(self) -> Self:
        return self.filter(role=Effect.Role.TARGET)


class Effect(models.Model):
    """What an action changed in one metric, in the metric's unit, positive is better."""

    class Role(models.TextChoices):
        TARGET = "target", _("Target")
        SIDE_EFFECT = "side_effect", _("Side effect")

    class Status(models.TextChoices):
        ESTIMATED = "estimated", _("Estimated")
        TOO_EARLY = "too_early", _("Too early")
        NOT_ESTIMABLE = "not_estimable", _("Can't be known")

    run = models.ForeignKey(Run, models.CASCADE, related_name="effects")
    action = models.ForeignKey(Action, models.CASCADE, db_index=False, related_name="+")
    metric = models.ForeignKey(Metric, models.CASCADE, db_index=False, related_name="+")
    role = models.CharField(max_length=11, choices=Role.choices)
    status = models.CharField(max_length=13, choices=Status.choices)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    known_on = models.DateField(null=True, blank=True)
    effect = models.FloatField(null=True, blank=True)
    se = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    p_positive = models.FloatField(null=True, blank=True)
    raw_effect = models.FloatField(null=True, blank=True)
    raw_se = models.FloatField(null=True, blank=True)
    naive_change = models.FloatField(null=True, blank=True)
    weeks_before = models.PositiveIntegerField(default=0)
    weeks_after = models.PositiveIntegerField(default=0)
    n_before = models.PositiveIntegerField(default=0)
    n_after = models.PositiveIntegerField(default=0)
    placebo_p = models.FloatField(null=True, blank=True)
    quality = models.PositiveSmallIntegerField(null=True, blank=True)
    quality_parts = models.JSONField(default=dict)
    flags = models.JSONField(default=list)
    method = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    as_of = models.DateField()
    # The portion of the run's fit that holds its unit, from which its weeks are drawn.
    portion = models.PositiveIntegerField(null=True, blank=True)
    # Weekly lists around the action, of measurements from before there were portions.
    series = models.JSONField(null=True, blank=True)

    objects = EffectQuerySet.as_manager()

    class Meta:
        verbose_name = _("effect")
        verbose_name_plural = _("effects")
        constraints = [
            models.UniqueConstraint(fields=["action", "metric"], name="impact_effect_action_metric"),
            models.CheckConstraint(
                condition=models.Q(status="estimated", effect__isnull=False, low__isnull=False, high__isnull=False)
                | models.Q(~models.Q(status="estimated"), effect=None, low=None, high=None),
                name="impact_effect_number_has_interval",
            ),
        ]
        indexes = [models.Index(fields=["metric", "action"], name="impact_effect_metric_action")]

    def __str__(self) -> str:
        return f"{self.action_id} on {self.metric_id}"


class SideEffect(models.Model):
    """What a solution aimed at other metrics changes in this one, per use."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    solution = models.ForeignKey(Solution, models.CASCADE, db_index=False, related_name="+")
    metric = models.ForeignKey(Metric, models.CASCADE, related_name="+")
    effect = models.FloatField()
    se = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    p_harm = models.FloatField()
    action_count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("side effect")
        constraints = [
            models.UniqueConstraint(fields=["solution", "metric"], name="impact_sideeffect_solution_metric")
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} on {self.metric_id}"


class RankedSolution(models.Model):
    """A solution's place among those linked to a challenge."""

    class Verdict(models.TextChoices):
        WORKS = "works", _("Works")
        LIKELY_WORKS = "likely_works", _("Likely works")
        TRADE_OFF = "trade_off", _("Works with trade-offs")
        UNKNOWN = "unknown", _("Unknown")
        UNLIKELY = "unlikely", _("Unlikely to work")
        HARMFUL = "harmful", _("Does harm")

    class Standing(models.TextChoices):
        RANKABLE = "rankable", _("Rankable")
        EARLY = "early", _("Early")
        NOT_RANKABLE = "not_rankable", _("Not yet rankable")

    run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    challenge = models.ForeignKey(Challenge, models.CASCADE, db_index=False, related_name="+")
    solution = models.ForeignKey(Solution, models.CASCADE, related_name="+")
    metric = models.ForeignKey(Metric, models.CASCADE, related_name="+")
    # The kind of unit it holds for; empty for all kinds together.
    context = models.CharField(max_length=64, blank=True)
    rank = models.PositiveIntegerField(null=True, blank=True)
    rank_low = models.PositiveIntegerField(null=True, blank=True)
    rank_high = models.PositiveIntegerField(null=True, blank=True)
    tier = models.PositiveIntegerField(null=True, blank=True)
    effect = models.FloatField(null=True, blank=True)
    se = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    # The wider of the posterior and the robust interval: what a single claim is shown with.
    claim_low = models.FloatField(null=True, blank=True)
    claim_high = models.FloatField(null=True, blank=True)
    low_10 = models.FloatField(null=True, blank=True)
    p_positive = models.FloatField(null=True, blank=True)
    p_best = models.FloatField(null=True, blank=True)
    expected_rank = models.FloatField(null=True, blank=True)
    try_next = models.FloatField(null=True, blank=True)
    is_worth_trying = models.BooleanField(default=False)
    is_safe_pick = models.BooleanField(default=False)
    information = models.FloatField(null=True, blank=True)
    standing = models.CharField(max_length=12, choices=Standing.choices, default=Standing.NOT_RANKABLE)
    action_count = models.PositiveIntegerField(default=0)
    unit_count = models.PositiveIntegerField(default=0)
    # Uses in the kind of unit that `context` names.
    context_count = models.PositiveIntegerField(default=0)
    region_count = models.PositiveIntegerField(default=0)
    heterogeneity = models.FloatField(null=True, blank=True)
    persistence = models.JSONField(null=True, blank=True)
    # The chance of being better than another rankable solution of the challenge, by that solution's id.
    better = models.JSONField(default=dict)
    # Ids of solutions always used together with this one, so that only their sum is known.
    aliases = models.JSONField(default=list)
    # Copied from the side effects on other metrics, whichever of them was measured last.
    side_effects = models.JSONField(default=list)
    evidence = models.PositiveSmallIntegerField(default=0)
    evidence_parts = models.JSONField(default=list)
    # On the outcome alone; `verdict` takes the side effects into account.
    own_verdict = models.CharField(max_length=12, choices=Verdict.choices, default=Verdict.UNKNOWN)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, default=Verdict.UNKNOWN)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    naive_change = models.FloatField(null=True, blank=True)
    method = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    as_of = models.DateField()

    class Meta:
        verbose_name = _("ranked solution")
        constraints = [
            models.UniqueConstraint(
                fields=["challenge", "solution", "context"], name="impact_rankedsolution_place"
            ),
            models.CheckConstraint(
                condition=models.Q(effect=None) | models.Q(low__isnull=False, high__isnull=False),
                name="impact_rankedsolution_number_has_interval",
            ),
        ]
        indexes = [
            # What is best known of a solution, wherever it was ranked.
            models.Index(
                "solution",
                models.F("evidence").desc(),
                models.F("action_count").desc(),
                condition=models.Q(context=""),
                include=["verdict", "effect"],
                name="impact_rankedsolution_best",
            ),
            # In which kinds of unit a solution was used.
            models.Index(
                fields=["context", "solution"],
                condition=~models.Q(context="") & models.Q(context_count__gt=0),
                name="impact_rankedsolution_used_in",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} for {self.challenge_id}"


class SolutionClaim(models.Model):
    """What was said of a solution on a day, kept for good: a new row when something else is said.

    The number is that of all kinds of unit together, the verdict the one that was shown, side effects included.
    """

    solution = models.ForeignKey(Solution, models.CASCADE, db_index=False, related_name="+")
    metric = models.ForeignKey(Metric, models.CASCADE, related_name="+")
    as_of = models.DateField()
    verdict = models.CharField(max_length=12, choices=RankedSolution.Verdict.choices)
    effect = models.FloatField()
    se = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    p_positive = models.FloatField()
    heterogeneity = models.FloatField(null=True, blank=True)
    action_count = models.PositiveIntegerField()
    unit_count = models.PositiveIntegerField()
    evidence = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    # When it was computed: well after `as_of` it is hindsight, not a claim anybody could have read.
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("claim about a solution")
        verbose_name_plural = _("claims about solutions")
        constraints = [
            models.UniqueConstraint(fields=["solution", "metric", "as_of"], name="impact_solutionclaim_day")
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} on {self.metric_id}, {self.as_of}: {self.verdict}"


class ActionClaim(models.Model):
    """What was said of an action on its target metric on a day; kept like the claims about solutions."""

    action = models.ForeignKey(Action, models.CASCADE, db_index=False, related_name="+")
    metric = models.ForeignKey(Metric, models.CASCADE, related_name="+")
    as_of = models.DateField()
    # The name that the probability has on screen.
    verdict = models.CharField(max_length=20)
    effect = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    p_positive = models.FloatField()
    method = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("claim about an action")
        verbose_name_plural = _("claims about actions")
        constraints = [
            models.UniqueConstraint(fields=["action", "metric", "as_of"], name="impact_actionclaim_day")
        ]

    def __str__(self) -> str:
        return f"{self.action_id} on {self.metric_id}, {self.as_of}: {self.verdict}"


class ReadingQuerySet(models.QuerySet["Reading"]):
    def in_scope(self, scope: Scope) -> Self:
        return self.filter(scope.condition("action__unit__"))

    def waiting(self) -> Self:
        return self.filter(state=Reading.State.WAITING)


class Reading(models.Model):
    """What a team makes of a result, and what a lead says to that; the computed verdict stands beside it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for a lead")
        ACCEPTED = "accepted", _("Accepted")
        RETURNED = "returned", _("Returned")
        REPLACED = "replaced", _("Written anew")

    action = models.ForeignKey(Action, models.CASCADE, db_index=False, related_name="+")
    text = models.TextField(_("what the team makes of it"))
    # What measurement said at that moment, as its word on screen.
    verdict = models.CharField(max_length=20)
    as_of = models.DateField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(_("what the lead says"), blank=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("team's reading")
        verbose_name_plural = _("teams' readings")
        constraints = [
            models.UniqueConstraint(
                fields=["action"], condition=models.Q(state="waiting"), name="impact_reading_one_waits"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="returned") | ~models.Q(reason=""),
                name="impact_reading_returned_with_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["accepted", "returned"]) | models.Q(decided_at__isnull=False),
                name="impact_reading_decided",
            ),
        ]
        indexes = [models.Index(fields=["action", "-id"], name="impact_reading_newest")]

    def __str__(self) -> str:
        return f"{self.action_id}: {self.state}"


class Told(models.Model):
    """What was told last of an action or a solution, so that no news comes twice."""

    action = models.OneToOneField(Action, models.CASCADE, null=True, blank=True, related_name="+")
    solution = models.OneToOneField(Solution, models.CASCADE, null=True, blank=True, related_name="+")
    verdict = models.CharField(max_length=20)
    evidence = models.PositiveSmallIntegerField(default=0)
    told_at = models.DateTimeField()

    class Meta:
        verbose_name = _("news that was told")
        verbose_name_plural = _("news that were told")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action=None) ^ models.Q(solution=None), name="impact_told_of_one_thing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.action_id or self.solution_id}: {self.verdict}"
