"""What did one action change, and how did the number come about?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core import formats
from apps.impact import caveats, charts, sheets, words
from apps.impact.evidence import NORMAL_REACH, SideRow, Sides
from apps.impact.models import Effect
from apps.impact.stats.data import DEFAULTS
from apps.planning.models import Action, ActionSolution
from apps.taxonomy.models import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step from the plain comparison to the result; without an interval it proves nothing by itself."""

    label: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None


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
    naive_text: str
    steps: tuple[Step, ...]
    before: str
    after: str
    placebo_p: float | None
    quality: int | None
    sheet: tuple[sheets.Line, ...]
    flags: tuple[words.Words, ...]
    sides: Sides | None
    with_and_without: charts.Spec | None
    difference: charts.Spec | None
    table: tuple[tuple[str, ...], ...]
    method: str
    as_of: date | None
    run_id: int | None
    solutions: tuple[str, ...]

    @property
    def step_domain(self) -> tuple[float, float] | None:
        edges = [edge for step in self.steps for edge in (step.low, step.high) if edge is not None]
        return (min(0.0, *edges), max(0.0, *edges)) if edges else None

    @property
    def chart_title(self) -> str:
        return _("%(metric)s, %(unit)s: this unit, and without the action") % {
            "metric": self.metric,
            "unit": self.unit,
        }

    @property
    def chart_subtitle(self) -> str:
        return _("The band holds what would likely have happened without it.")

    @property
    def columns(self) -> tuple[str, ...]:
        return (_("Week"), _("This unit"), _("Without the action"), _("Likely range without it"), _("Answers"))

    @property
    def difference_title(self) -> str:
        return _("The difference, %(unit)s") % {"unit": formats.change_unit(self.unit)}

    @property
    def difference_subtitle(self) -> str:
        return _("Inside the band it could be chance. Up is better for the customer.")


def action_effect(*, action: Action) -> ActionEffect | None:
    """The result of an action that took effect; None before. The caller sees to the scope."""
    if action.effective_on is None or action.state in (Action.State.DRAFT, Action.State.PLANNED):
        return None
    effects = list(
        Effect.objects.filter(action=action)
        .select_related("metric", "run")
        .order_by("metric__touchpoint__position", "pk")
    )
    target = next((effect for effect in effects if effect.role == Effect.Role.TARGET), None)
    rows = [_side(effect) for effect in effects if effect.role != Effect.Role.TARGET and effect.effect is not None]
    sides = Sides.of(rows) if rows else None
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


def _unmeasured(action: Action, sides: Sides | None, titles: tuple[str, ...]) -> ActionEffect:
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
        naive_text="",
        steps=(),
        before="",
        after="",
        placebo_p=None,
        quality=None,
        sheet=(),
        flags=(),
        sides=sides,
        with_and_without=None,
        difference=None,
        table=(),
        method="",
        as_of=None,
        run_id=None,
        solutions=titles,
    )


def _measured(action: Action, target: Effect, sides: Sides | None, titles: tuple[str, ...]) -> ActionEffect:
    metric, figures = target.metric, _figures(target)
    verdict = words.action_verdict(target.status, target.p_positive)
    series = _shown(target.series, metric) if target.series else None
    said = charts.Words(unit=_("This unit"), without=_("Without the action"), start=_("in effect"))
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
        naive_text=(
            ""
            if target.naive_change is None
            else words.change(target.naive_change, metric.display_unit, metric.sign)
        ),
        steps=_steps(target, metric),
        before=_window(target.weeks_before, target.n_before),
        after=_window(target.weeks_after, target.n_after),
        placebo_p=target.placebo_p,
        quality=target.quality,
        sheet=sheets.quality_sheet(target.quality_parts, figures),
        flags=caveats.flags(target.flags),
        sides=sides,
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


def _steps(effect: Effect, metric: Metric) -> tuple[Step, ...]:
    """From what before and after would have claimed to what we believe."""
    if effect.effect is None or effect.raw_effect is None or effect.raw_se is None or effect.naive_change is None:
        return ()
    reach = NORMAL_REACH * effect.raw_se
    excess = effect.naive_change - effect.raw_effect

    def step(label: str, value: float, low: float | None = None, high: float | None = None) -> Step:
        return Step(
            label=label,
            value=value,
            text=words.change(value, metric.display_unit, metric.sign),
            low=low,
            high=high,
        )

    return (
        step(_("Plain before and after would have said"), effect.naive_change),
        step(_("of which the season, and a bad spell that ended by itself"), excess),
        step(
            _("This unit alone, against what would have been"),
            effect.raw_effect,
            effect.raw_effect - reach,
            effect.raw_effect + reach,
        ),
        step(_("With what all other uses of the same solutions tell"), effect.effect, effect.low, effect.high),
    )


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
