"""What was measured: effects and rankings as rows for commands and the API, and how far measuring is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, Prefetch, Q
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, Unit
from apps.impact import caveats, words
from apps.impact.models import Chunk, Effect, RankedSolution, Run
from apps.impact.staleness import StaleMetric, stale_metrics
from apps.planning.models import Action, ActionSolution
from apps.taxonomy.models import Challenge, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One action and metric; positive is better, in the metric's unit, None where there is no number."""

    action: str
    unit: str
    challenge: str
    solutions: tuple[str, ...]
    metric: str
    role: str
    effective_on: date
    status: str
    reason: str | None
    effect: float | None
    se: float | None
    low: float | None
    high: float | None
    p_positive: float | None
    naive_change: float | None
    weeks_before: int
    weeks_after: int
    n_before: int
    n_after: int
    placebo_p: float | None
    quality: int | None
    method: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRow:
    """One challenge and solution; `rank` is None while it is not rankable."""

    challenge: str
    solution: str
    kind: str
    rank: int | None
    tier: int | None
    effect: float | None
    se: float | None
    low: float | None
    high: float | None
    p_positive: float | None
    p_best: float | None
    expected_rank: float | None
    actions: int
    units: int
    heterogeneity: float | None
    evidence: int
    verdict: str
    cost: int | None
    naive_change: float | None
    method: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricProgress:
    """How far the measurement of one metric is; `reason` says why the metric as a whole can't be measured."""

    code: str
    name: str
    state: str
    is_stale: bool
    measured_at: datetime | None
    as_of: date | None
    seconds: float | None
    unit_count: int
    week_count: int
    action_count: int
    estimated_count: int
    reason: str
    error: str
    checks: tuple[Mapping[str, object], ...]
    phase: str = ""
    step_done: int = 0
    step_total: int = 0

    @property
    def has_unrun_checks(self) -> bool:
        """Whether a check lacked the data to run."""
        return any(not check["passed"] and check["value"] is None for check in self.checks)

    @property
    def failed(self) -> tuple[words.Words, ...]:
        """Checks that did not hold; one that lacked the data to run is no failure."""
        return tuple(
            caveats.check(str(check["code"]), _number(check["value"]))
            for check in self.checks
            if not check["passed"] and check["value"] is not None
        )

    @property
    def refusal(self) -> words.Words | None:
        if not self.reason:
            return None
        return words.refusal(self.reason, words.Figures(units=self.unit_count, weeks=self.week_count))

    @property
    def step(self) -> str:
        """What its measurement is doing, and how much of that is done."""
        said = {
            "reading": _("reading responses"),
            "noise": _("learning how scores move by themselves"),
            "units": _("going through units"),
            "effects": _("estimating effects"),
            "keeping": _("storing results"),
        }
        step = said.get(self.phase, "")
        if not step or not self.step_total:
            return step
        return _("%(step)s, %(done)d of %(total)d") % {
            "step": step,
            "done": self.step_done,
            "total": self.step_total,
        }

    @property
    def doing(self) -> str:
        return f"{self.name} ({self.step})" if self.step else self.name

    @property
    def state_label(self) -> str:
        said = {
            "waiting": _("Waiting"),
            "running": _("Being measured"),
            "finished": _("Up to date"),
            "failed": _("Failed, will be tried again"),
        }
        return said[self.state]

    @property
    def state_tone(self) -> str:
        return {"running": "accent", "failed": "worse"}.get(self.state, "plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    metrics: tuple[MetricProgress, ...]

    @property
    def total(self) -> int:
        return len(self.metrics)

    @property
    def done(self) -> int:
        return sum(not metric.is_stale for metric in self.metrics)

    @property
    def is_complete(self) -> bool:
        return self.done == self.total

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 100

    @property
    def now(self) -> str:
        """What is being measured at this moment."""
        running = [metric.doing for metric in self.metrics if metric.state == "running"]
        return _("now: %(names)s") % {"names": ", ".join(running)} if running else ""

    @property
    def has_trouble(self) -> bool:
        return any(metric.state == "failed" or metric.failed for metric in self.metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is known about all logged actions: how many have an effect, and why the others have none."""

    actions: int
    estimated: int
    not_estimable: Mapping[str, int]
    rankings: int


def effect_row(effect: Effect) -> EffectRow:
    """A row of an effect loaded by `with_action`."""
    action = effect.action
    return EffectRow(
        action=action.external_id,
        unit=action.unit.code,
        challenge=action.challenge.standing.code,
        solutions=tuple(sorted(used.version.solution.code for used in action.solutions.all())),
        metric=effect.metric.code,
        role=effect.role,
        effective_on=_known(action.effective_on),
        status=effect.status,
        reason=effect.reason or None,
        effect=effect.effect,
        se=effect.se,
        low=effect.low,
        high=effect.high,
        p_positive=effect.p_positive,
        naive_change=effect.naive_change,
        weeks_before=effect.weeks_before,
        weeks_after=effect.weeks_after,
        n_before=effect.n_before,
        n_after=effect.n_after,
        placebo_p=effect.placebo_p,
        quality=effect.quality,
        method=effect.method,
        as_of=effect.as_of,
    )


def effect_rows(*, challenge: Challenge | None = None, scope: Scope | None = None) -> list[EffectRow]:
    """Every measured action and metric, by unit and date; `scope` leaves out what a person may not see."""
    effects = Effect.objects.select_related("metric", "action__unit", "action__challenge__merged_into")
    effects = effects.defer("series")
    if challenge is not None:
        effects = effects.filter(action__challenge__in=Challenge.objects.standing_for(challenge))
    if scope is not None:
        effects = effects.in_scope(scope)
    used = ActionSolution.objects.select_related("version__solution")
    ordered = effects.order_by(
        "action__challenge__code", "action__effective_on", "action__external_id", "-role", "metric__code"
    )
    return [
        effect_row(effect) for effect in ordered.prefetch_related(Prefetch("action__solutions", queryset=used))
    ]


def ranking_row(ranked: RankedSolution) -> RankingRow:
    return RankingRow(
        challenge=ranked.challenge.code,
        solution=ranked.solution.code,
        kind=ranked.solution.kind,
        rank=ranked.rank,
        tier=ranked.tier,
        effect=ranked.effect,
        se=ranked.se,
        low=ranked.low,
        high=ranked.high,
        p_positive=ranked.p_positive,
        p_best=ranked.p_best,
        expected_rank=ranked.expected_rank,
        actions=ranked.action_count,
        units=ranked.unit_count,
        heterogeneity=ranked.heterogeneity,
        evidence=ranked.evidence,
        verdict=ranked.verdict,
        cost=ranked.solution.cost,
        naive_change=ranked.naive_change,
        method=ranked.method,
        as_of=ranked.as_of,
    )


def ranking_rows(*, challenge: Challenge | None = None, unit: Unit | None = None) -> list[RankingRow]:
    """Every challenge and solution, ranked ones first; `unit` asks for units of its kind where that is known."""
    ranked = RankedSolution.objects.select_related("challenge", "solution")
    if challenge is not None:
        ranked = ranked.filter(challenge=challenge.standing)
    return [ranking_row(row) for row in sorted(in_context(ranked, unit.kind if unit else ""), key=ranking_order)]


def in_context(ranked: Iterable[RankedSolution], kind: str) -> list[RankedSolution]:
    """One row per challenge and solution: that of the kind of unit, else the one for all kinds."""
    chosen: dict[tuple[int, int], RankedSolution] = {}
    for row in ranked:
        key = (row.challenge_id, row.solution_id)
        if row.context == kind or (row.context == "" and key not in chosen):
            chosen[key] = row
    return list(chosen.values())


def ranking_order(ranked: RankedSolution) -> tuple[object, ...]:
    """Ranked ones by rank; then the early ones by what is known of them; then the code decides."""
    return (
        ranked.challenge.code,
        ranked.rank is None,
        ranked.rank or 0,
        -ranked.evidence,
        -ranked.action_count,
        ranked.solution.code,
    )


def measurement_summary() -> Summary:
    """What measurement says about every action that took effect, in three queries."""
    target = Effect.objects.on_target()
    codes = Counter(
        dict(
            target.exclude(status=Effect.Status.ESTIMATED)
            .values_list("reason")
            .annotate(Count("pk"))
            .order_by("reason")
        )
    )
    without_metric = Action.objects.took_effect().filter(target_metric=None, challenge__metric=None).count()
    if without_metric:
        codes["no_metric"] += without_metric
    estimated = target.filter(status=Effect.Status.ESTIMATED).count()
    rankings = RankedSolution.objects.filter(context="").values("challenge").distinct().count()
    return Summary(
        actions=estimated + sum(codes.values()),
        estimated=estimated,
        not_estimable=dict(sorted(codes.items())),
        rankings=rankings,
    )


def measurement_progress(*, as_of: date) -> Progress:
    """Every metric that is measured or waits for it, in a constant number of queries."""
    stale = {item.metric_id: item for item in stale_metrics(as_of)}
    newest = Run.objects.order_by("metric_id", "-pk").distinct("metric_id")
    finished = newest.filter(state=Run.State.FINISHED)
    last = {run.metric_id: run for run in newest}
    done = {run.metric_id: run for run in finished}
    metrics = Metric.objects.filter(Q(pk__in=stale) | Q(pk__in=last)).order_by("pk")
    return Progress(metrics=tuple(_progress(metric, stale, last, done) for metric in metrics))


def _progress(
    metric: Metric, stale: Mapping[int, StaleMetric], last: Mapping[int, Run], done: Mapping[int, Run]
) -> MetricProgress:
    run, shown = last.get(metric.pk), done.get(metric.pk)
    state = "waiting" if metric.pk in stale else "finished"
    if run is not None and run.state == Run.State.RUNNING:
        state = "running"
    elif run is not None and run.state == Run.State.FAILED and metric.pk in stale:
        state = "failed"
    return MetricProgress(
        code=metric.code,
        name=metric.display_name,
        state=state,
        is_stale=metric.pk in stale,
        measured_at=shown.finished_at if shown else None,
        as_of=shown.as_of if shown else None,
        seconds=(shown.finished_at - shown.started_at).total_seconds() if shown and shown.finished_at else None,
        unit_count=shown.unit_count if shown else 0,
        week_count=shown.week_count if shown else 0,
        action_count=shown.action_count if shown else 0,
        estimated_count=shown.estimated_count if shown else 0,
        reason=shown.reason if shown else "",
        error=run.error if run is not None and state == "failed" else "",
        checks=tuple(shown.checks or ()) if shown else (),
        phase=run.phase if run is not None and state == "running" else "",
        step_done=run.done_count if run is not None and state == "running" else 0,
        step_total=run.total_count if run is not None and state == "running" else 0,
    )


def waiting_chunks() -> int:
    """Chunks of running measurements that are not done."""
    return Chunk.objects.filter(done_at=None, run__state=Run.State.RUNNING).count()


def last_measured_on() -> date | None:
    """The as-of date of the newest results."""
    newest: date | None = Run.objects.filter(state=Run.State.FINISHED).aggregate(day=Max("as_of"))["day"]
    return newest


def _known(day: date | None) -> date:
    if day is None:
        raise ValueError("an effect belongs to an action that took effect")
    return day


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
