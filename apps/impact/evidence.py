"""What did one action change, and what do all uses of a solution say together?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.accounts.models import Role, Unit
from apps.accounts.person import Person
from apps.core import formats
from apps.impact import charts, words
from apps.impact.models import Effect, RankedSolution, SideEffect
from apps.impact.stats.data import DEFAULTS
from apps.library.models import Solution
from apps.planning.models import Action, ActionSolution
from apps.taxonomy.models import Metric

# More than this is no picture any more; the table has the rest.
DRAWN_USES, LISTED_USES = 24, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One measured use; `external_id` is None where the reader may not see the unit."""

    external_id: str | None
    place: str
    kind: str
    region: str
    effective_on: date | None
    together_with: tuple[str, ...]
    verdict: str
    effect: float | None
    low: float | None
    high: float | None
    quality: int | None
    reason: str
    is_randomised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All uses of a solution that were aimed at one metric, and what they say together."""

    code: str
    metric: str
    unit: str
    sign: int
    effect: float | None
    low: float | None
    high: float | None
    verdict: str
    evidence: int
    actions: int
    units: int
    heterogeneity: float | None
    naive_change: float | None
    kinds: tuple["KindRow", ...]
    uses: tuple[Use, ...]
    sheet: tuple[words.Line, ...]
    forest: charts.Spec | None
    chart_id: str

    @property
    def measured(self) -> int:
        return sum(use.effect is not None for use in self.uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """The effect in one kind of unit, and how many uses it rests on there."""

    kind: str
    uses: int
    effect: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """What it does to another metric on the way."""

    metric: str
    unit: str
    sign: int
    effect: float | None
    low: float | None
    high: float | None
    is_harm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionEvidence:
    code: str
    title: str
    outcomes: tuple[Outcome, ...]
    side_effects: tuple[SideRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEffect:
    """The result of one action, or why there is none."""

    external_id: str
    unit_name: str
    metric: str
    unit: str
    sign: int
    effective_on: date | None
    status: str
    verdict: str
    effect: float | None
    low: float | None
    high: float | None
    p_positive: float | None
    sentence: str
    refusal: words.Words | None
    known_on: date | None
    raw_effect: float | None
    raw_low: float | None
    raw_high: float | None
    naive_change: float | None
    regression_and_season: float | None
    before: str
    after: str
    placebo_p: float | None
    quality: int | None
    sheet: tuple[words.Line, ...]
    flags: tuple[words.Words, ...]
    side_effects: tuple[SideRow, ...]
    with_and_without: charts.Spec | None
    difference: charts.Spec | None
    table: tuple[tuple[str, ...], ...]
    method: str
    as_of: date | None
    run_id: int | None
    solutions: tuple[str, ...]


def solution_evidence(*, solution: Solution, person: Person) -> SolutionEvidence:
    """Every measured use of a solution; one outside the person's scope keeps its kind and region, not its name."""
    ranked = list(
        RankedSolution.objects.filter(solution=solution)
        .select_related("metric")
        .order_by("metric_id", "challenge_id")
    )
    effects = list(
        Effect.objects.on_target()
        .filter(action__solutions__version__solution=solution)
        .select_related("metric", "action__unit")
        .defer("series", "quality_parts")
        .order_by("-action__effective_on", "-pk")[:LISTED_USES]
    )
    together = _together([effect.action_id for effect in effects], solution)
    scope = person.scope(Role.STAFF)
    metrics = {row.metric_id: row.metric for row in ranked} | {
        effect.metric_id: effect.metric for effect in effects
    }
    outcomes = []
    for metric in sorted(metrics.values(), key=lambda metric: metric.code):
        uses = tuple(
            _use(effect, together.get(effect.action_id, ()), is_named=scope.holds(effect.action.unit.path))
            for effect in effects
            if effect.metric_id == metric.pk
        )
        outcomes.append(_outcome(metric, [row for row in ranked if row.metric_id == metric.pk], uses))
    sides = (
        SideEffect.objects.filter(solution=solution).select_related("metric").order_by("p_harm", "metric__code")
    )
    return SolutionEvidence(
        code=solution.code,
        title=solution.display_title,
        outcomes=tuple(sorted(outcomes, key=lambda outcome: -len(outcome.uses))),
        side_effects=tuple(
            SideRow(
                metric=side.metric.display_name,
                unit=side.metric.display_unit,
                sign=side.metric.sign,
                effect=side.effect,
                low=side.low,
                high=side.high,
                is_harm=side.p_harm >= DEFAULTS.harm_probability,
            )
            for side in reversed(sides)
        ),
    )


def _together(action_ids: Iterable[int], solution: Solution) -> Mapping[int, tuple[str, ...]]:
    """What else went in with the solution."""
    others = ActionSolution.objects.filter(action__in=list(action_ids)).exclude(version__solution=solution)
    found: dict[int, list[str]] = {}
    for other in others.select_related("version__solution").order_by("version__solution__code"):
        found.setdefault(other.action_id, []).append(other.version.solution.display_title)
    return {action_id: tuple(titles) for action_id, titles in found.items()}


def _use(effect: Effect, together_with: tuple[str, ...], *, is_named: bool) -> Use:
    action, unit = effect.action, effect.action.unit
    return Use(
        external_id=action.external_id if is_named else None,
        place=unit.display_name if is_named else _anonymous(unit),
        kind=unit.kind,
        region=unit.region,
        effective_on=action.effective_on,
        together_with=together_with,
        verdict=words.action_verdict(effect.status, effect.p_positive),
        effect=effect.effect,
        low=effect.low,
        high=effect.high,
        quality=effect.quality,
        reason=words.refusal(effect.reason).title if effect.reason else "",
        is_randomised=action.is_randomised,
    )


def _anonymous(unit: Unit) -> str:
    if unit.kind and unit.region:
        return _("Another unit (%(kind)s, %(region)s)") % {"kind": unit.kind, "region": unit.region}
    if unit.kind or unit.region:
        return _("Another unit (%(what)s)") % {"what": unit.kind or unit.region}
    return _("Another unit")


def _outcome(metric: Metric, ranked: Sequence[RankedSolution], uses: tuple[Use, ...]) -> Outcome:
    pooled = next((row for row in ranked if row.context == ""), None)
    low = high = None
    if pooled is not None:
        low = pooled.claim_low if pooled.claim_low is not None else pooled.low
        high = pooled.claim_high if pooled.claim_high is not None else pooled.high
    kinds = {
        row.context: KindRow(
            kind=row.context, uses=row.context_count, effect=row.effect, low=row.low, high=row.high
        )
        for row in ranked
        if row.context
        and row.context_count
        and row.effect is not None
        and row.low is not None
        and row.high is not None
    }
    return Outcome(
        code=metric.code,
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        effect=pooled.effect if pooled else None,
        low=low,
        high=high,
        verdict=pooled.verdict if pooled else RankedSolution.Verdict.UNKNOWN,
        evidence=pooled.evidence if pooled else 0,
        actions=pooled.action_count if pooled else 0,
        units=pooled.unit_count if pooled else 0,
        heterogeneity=pooled.heterogeneity if pooled else None,
        naive_change=pooled.naive_change if pooled else None,
        kinds=tuple(kinds[kind] for kind in sorted(kinds)),
        uses=uses,
        sheet=words.evidence_sheet(pooled.evidence_parts) if pooled else (),
        forest=_forest(pooled, low, high, uses, metric),
        chart_id=f"uses-{metric.pk}",
    )


def _forest(
    pooled: RankedSolution | None, low: float | None, high: float | None, uses: Sequence[Use], metric: Metric
) -> charts.Spec | None:
    rows = [
        charts.Estimate(label=use.place, effect=use.effect, low=use.low, high=use.high)
        for use in sorted(uses, key=lambda use: -(use.effect or 0.0))
        if use.effect is not None and use.low is not None and use.high is not None
    ][:DRAWN_USES]
    if not rows:
        return None
    if pooled is not None and pooled.effect is not None and low is not None and high is not None:
        rows.append(
            charts.Estimate(label=_("All uses together"), effect=pooled.effect, low=low, high=high, is_pooled=True)
        )
    return charts.forest(rows, sign=metric.sign)


def action_effect(*, action: Action) -> ActionEffect | None:
    """The result of an action that took effect; None before. The caller sees to the scope."""
    if action.effective_on is None or action.state in (Action.State.DRAFT, Action.State.PLANNED):
        return None
    effects = list(
        Effect.objects.filter(action=action)
        .select_related("metric")
        .order_by("metric__touchpoint__position", "pk")
    )
    target = next((effect for effect in effects if effect.role == Effect.Role.TARGET), None)
    sides = tuple(
        _side(effect) for effect in effects if effect.role != Effect.Role.TARGET and effect.effect is not None
    )
    used = ActionSolution.objects.filter(action=action).select_related("version__solution")
    titles = tuple(row.version.solution.display_title for row in used.order_by("version__solution__code"))
    if target is None:
        return _unmeasured(action, sides, titles)
    return _measured(action, target, sides, titles)


def _side(effect: Effect) -> SideRow:
    return SideRow(
        metric=effect.metric.display_name,
        unit=effect.metric.display_unit,
        sign=effect.metric.sign,
        effect=effect.effect,
        low=effect.low,
        high=effect.high,
        is_harm=effect.p_positive is not None and 1 - effect.p_positive >= DEFAULTS.harm_probability,
    )


def _unmeasured(action: Action, sides: tuple[SideRow, ...], titles: tuple[str, ...]) -> ActionEffect:
    metric = action.target_metric or action.challenge.metric
    waiting = words.Words(
        title=_("Not measured yet"), text=_("The measurement runs by itself within a few minutes of new data.")
    )
    return ActionEffect(
        external_id=action.external_id,
        unit_name=action.unit.display_name,
        metric=metric.display_name if metric else "",
        unit=metric.display_unit if metric else "",
        sign=metric.sign if metric else 1,
        effective_on=action.effective_on,
        status=Effect.Status.NOT_ESTIMABLE,
        verdict="not_estimable" if metric is None else "too_early",
        effect=None,
        low=None,
        high=None,
        p_positive=None,
        sentence="",
        refusal=words.refusal("no_metric") if metric is None else waiting,
        known_on=None,
        raw_effect=None,
        raw_low=None,
        raw_high=None,
        naive_change=None,
        regression_and_season=None,
        before="",
        after="",
        placebo_p=None,
        quality=None,
        sheet=(),
        flags=(),
        side_effects=sides,
        with_and_without=None,
        difference=None,
        table=(),
        method="",
        as_of=None,
        run_id=None,
        solutions=titles,
    )


def _measured(action: Action, target: Effect, sides: tuple[SideRow, ...], titles: tuple[str, ...]) -> ActionEffect:
    metric, figures = target.metric, _figures(target)
    verdict = words.action_verdict(target.status, target.p_positive)
    series = _shown(target.series, metric) if target.series else None
    said = charts.Words(unit=_("This unit"), without=_("Without the action"), start=_("in effect"))
    raw_low, raw_high = _raw_interval(target)
    return ActionEffect(
        external_id=action.external_id,
        unit_name=action.unit.display_name,
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        effective_on=action.effective_on,
        status=target.status,
        verdict=verdict,
        effect=target.effect,
        low=target.low,
        high=target.high,
        p_positive=target.p_positive,
        sentence=_sentence(target, verdict, action),
        refusal=words.refusal(target.reason, figures) if target.reason else None,
        known_on=target.known_on,
        raw_effect=target.raw_effect,
        raw_low=raw_low,
        raw_high=raw_high,
        naive_change=target.naive_change,
        regression_and_season=(
            target.naive_change - target.raw_effect
            if target.naive_change is not None and target.raw_effect is not None
            else None
        ),
        before=_window(target.weeks_before, target.n_before),
        after=_window(target.weeks_after, target.n_after),
        placebo_p=target.placebo_p,
        quality=target.quality,
        sheet=words.quality_sheet(target.quality_parts, figures),
        flags=words.flags(target.flags),
        side_effects=sides,
        with_and_without=charts.with_and_without(series, words=said) if series else None,
        difference=charts.difference(series, sign=metric.sign, words=said) if series else None,
        table=_table(series, metric) if series else (),
        method=target.method,
        as_of=target.as_of,
        run_id=target.run_id,
        solutions=titles,
    )


def _figures(effect: Effect) -> words.Figures:
    return words.Figures(
        weeks_before=effect.weeks_before,
        weeks_after=effect.weeks_after,
        n_before=effect.n_before,
        n_after=effect.n_after,
        known_on=effect.known_on,
        units=effect.run.unit_count,
        weeks=effect.run.week_count,
    )


def _raw_interval(effect: Effect) -> tuple[float | None, float | None]:
    if effect.raw_effect is None or effect.raw_se is None:
        return None, None
    reach = 1.959964 * effect.raw_se  # 97.5 % quantile of the normal
    return effect.raw_effect - reach, effect.raw_effect + reach


def _window(weeks: int, answers: int) -> str:
    return _("%(answers)s in %(weeks)s") % {
        "answers": formats.counted(answers, "answer"),
        "weeks": formats.counted(weeks, "week"),
    }


def _sentence(effect: Effect, verdict: str, action: Action) -> str:
    """The result as one would say it."""
    name = {"metric": effect.metric.display_name, "unit": action.unit.display_name}
    said = {
        "improved": _("%(metric)s got better in %(unit)s, and it is very likely because of this."),
        "probably_improved": _("%(metric)s probably got better in %(unit)s because of this."),
        "no_clear_change": _("We can’t tell a change of %(metric)s in %(unit)s from chance."),
        "probably_worse": _("%(metric)s probably got worse in %(unit)s because of this."),
        "worse": _("%(metric)s got worse in %(unit)s, and it is very likely because of this."),
    }
    return said[verdict] % name if verdict in said else ""


def _shown(series: Mapping[str, Any], metric: Metric) -> Mapping[str, Any]:
    """The weekly series without the means of too few customers."""
    if metric.kind != Metric.Kind.PERCEPTION:
        return series
    shown = [
        seen if n is not None and n >= settings.MINIMUM_CUSTOMERS_SHOWN else None
        for seen, n in zip(series["observed"], series["n"], strict=True)
    ]
    return {**series, "observed": shown}


def _table(series: Mapping[str, Any], metric: Metric) -> tuple[tuple[str, ...], ...]:
    unit = metric.display_unit
    rows = []
    for index, week in enumerate(series["week"]):
        seen, middle = series["observed"][index], series["counterfactual"][index]
        low, high = series["low"][index], series["high"][index]
        rows.append(
            (
                formats.week_as_said(date.fromisoformat(week), date.fromisoformat(series["week"][-1])),
                "" if seen is None else formats.level(seen, unit),
                "" if middle is None else formats.level(middle, unit),
                "" if low is None or high is None else f"{formats.level(low, '')} – {formats.level(high, '')}",
                formats.number(series["n"][index] or 0),
            )
        )
    return tuple(rows)
