"""What did one action change, in which outcomes, and what was seen week by week?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _

from apps.accounts.models import Unit
from apps.core import formats
from apps.core.periods import WEEK, week_of, weeks_between
from apps.feedback.models import Cell
from apps.impact import caveats, health, plots, sheets, stories, weekly, words
from apps.impact import waiting as waits
from apps.impact.models import Effect
from apps.impact.plots import Note, Plot
from apps.impact.portions import series_of
from apps.impact.stats.data import DEFAULTS
from apps.planning.models import Action, ActionSolution
from apps.planning.states import OPEN
from apps.taxonomy.models import Metric

# Units of the region from which one sees whether the number of responses moved everywhere.
NEARBY_UNITS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One outcome around the start; empty texts where too few answered or nothing is known."""

    metric: str
    unit: str
    sign: int
    before: str
    before_n: str
    after: str
    after_n: str
    anyway: str
    effect: float | None
    low: float | None
    high: float | None
    p_positive: float | None
    is_harm: bool

    @property
    def is_clear(self) -> bool:
        """Whether there is something to tell: the whole likely range is on one side, or harm is likely."""
        return self.is_harm or (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


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
    next_step: str
    is_in_effect: bool
    # No result yet and one on its way; a result, and a newer one on its way.
    is_awaited: bool
    is_renewed: bool
    effect: float | None
    low: float | None
    high: float | None
    p_positive: float | None
    sentence: str
    refusal: words.Words | None
    known_on: date | None
    naive_text: str
    is_drawn_by_lot: bool
    target: OutcomeRow | None
    others: tuple[OutcomeRow, ...]
    pace: weekly.Pace | None
    plots: tuple[Plot, ...]
    notes: tuple[Note, ...]
    story: stories.Story | None
    health: health.Health | None
    quality: int | None
    sheet: tuple[sheets.Line, ...]
    flags: tuple[words.Words, ...]
    method: str
    as_of: date | None
    run_id: int | None
    solutions: tuple[str, ...]

    @property
    def domain(self) -> tuple[float, float] | None:
        if self.low is None or self.high is None:
            return None
        return min(0.0, self.low), max(0.0, self.high)

    @property
    def clear_others(self) -> tuple[OutcomeRow, ...]:
        return tuple(row for row in self.others if row.is_clear)

    @property
    def unclear_others(self) -> tuple[OutcomeRow, ...]:
        return tuple(row for row in self.others if not row.is_clear)

    @property
    def pace_before(self) -> str:
        return _a_week(self.pace.before) if self.pace else ""

    @property
    def pace_after(self) -> str:
        return _a_week(self.pace.after) if self.pace else ""


def _a_week(count: float) -> str:
    return _("%(count)s a week") % {"count": formats.number(count, 0 if count >= 10 else 1)}


def action_effect(*, action: Action, as_of: date) -> ActionEffect:
    """The result of an action, or what is waited for. The caller sees to the scope."""
    if action.effective_on is None or action.state in OPEN:
        return _unmeasured(action, (), (), as_of)
    effects = list(
        Effect.objects.filter(action=action)
        .select_related("metric", "run")
        .order_by("metric__touchpoint__position", "pk")
    )
    target = next((effect for effect in effects if effect.role == Effect.Role.TARGET), None)
    used = ActionSolution.objects.filter(action=action).select_related("version__solution")
    titles = tuple(row.version.solution.display_title for row in used.order_by("version__solution__code"))
    levels = _levels(action, action.effective_on, [effect.metric_id for effect in effects])
    others = tuple(
        _row(effect, levels)
        for effect in effects
        if effect.role != Effect.Role.TARGET and effect.effect is not None
    )
    if target is None:
        return _unmeasured(action, others, titles, as_of)
    return _measured(action, target, _row(target, levels), others, titles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """Mean and number of responses in a window; the mean is None where too few answered to show it."""

    mean: float | None
    n: int


def _levels(action: Action, start: date, metric_ids: Sequence[int]) -> Mapping[int, tuple[_Level, _Level]]:
    """Each metric in the unit before and after the start, in the windows of a plain comparison."""
    monday = week_of(start)
    before = Q(week__gte=monday - DEFAULTS.naive_before * WEEK, week__lt=monday)
    after = Q(week__gte=monday, week__lt=monday + DEFAULTS.naive_after * WEEK)
    sums = (
        Cell.objects.filter(before | after, unit=action.unit_id, metric__in=metric_ids)
        .values("metric_id", kind=F("metric__kind"))
        .annotate(
            **{
                f"{name}_{field}": Sum(field, filter=window)
                for name, window in (("before", before), ("after", after))
                for field in ("n", "weight", "total")
            }
        )
    )
    return {row["metric_id"]: (_level(row, "before"), _level(row, "after")) for row in sums}


def _level(row: Mapping[str, object], name: str) -> _Level:
    n, weight, total = (row[f"{name}_{field}"] for field in ("n", "weight", "total"))
    count = int(str(n)) if n is not None else 0
    least = settings.MINIMUM_CUSTOMERS_SHOWN if row["kind"] == Metric.Kind.PERCEPTION else 1
    if count < least:
        return _Level(mean=None, n=count)
    return _Level(mean=float(str(total)) / float(str(weight)), n=count)


def _row(effect: Effect, levels: Mapping[int, tuple[_Level, _Level]]) -> OutcomeRow:
    metric = effect.metric
    none = _Level(mean=None, n=0)
    before, after = levels.get(metric.pk, (none, none))
    anyway = None
    if effect.effect is not None and effect.naive_change is not None and effect.raw_effect is not None:
        anyway = effect.naive_change - effect.raw_effect
    return OutcomeRow(
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        before="" if before.mean is None else formats.level(before.mean, metric.display_unit),
        before_n=formats.counted(before.n, "answer"),
        after="" if after.mean is None else formats.level(after.mean, metric.display_unit),
        after_n=formats.counted(after.n, "answer"),
        anyway="" if anyway is None else words.change(anyway, metric.display_unit, metric.sign),
        effect=effect.effect,
        low=effect.low,
        high=effect.high,
        p_positive=effect.p_positive,
        is_harm=effect.p_positive is not None and 1 - effect.p_positive >= DEFAULTS.harm_probability,
    )


def _unmeasured(
    action: Action, others: tuple[OutcomeRow, ...], titles: tuple[str, ...], as_of: date
) -> ActionEffect:
    metric = action.target_metric or action.challenge.metric
    wait = waits.waiting(action, as_of=as_of)
    return ActionEffect(
        external_id=action.external_id,
        unit_name=action.unit.display_name,
        metric=metric.display_name if metric else "",
        unit=metric.display_unit if metric else "",
        sign=metric.sign if metric else 1,
        effective_on=action.effective_on,
        status=Effect.Status.NOT_ESTIMABLE,
        verdict=wait.verdict,
        next_step="",
        is_in_effect=action.state not in OPEN,
        is_awaited=wait.code == waits.MEASURING,
        is_renewed=False,
        effect=None,
        low=None,
        high=None,
        p_positive=None,
        sentence="",
        refusal=wait.words,
        known_on=wait.first_on,
        naive_text="",
        is_drawn_by_lot=action.is_randomised,
        target=None,
        others=others,
        pace=None,
        plots=(),
        notes=(),
        story=None,
        health=None,
        quality=None,
        sheet=(),
        flags=(),
        method="",
        as_of=None,
        run_id=None,
        solutions=titles,
    )


def _measured(
    action: Action, target: Effect, row: OutcomeRow, others: tuple[OutcomeRow, ...], titles: tuple[str, ...]
) -> ActionEffect:
    metric, figures = target.metric, _figures(target)
    verdict = words.action_verdict(target.status, target.p_positive, target.reason)
    series = series_of(target)
    read = plots.weeks_of(target, series)
    notes = plots.notes_of(action, read) if read else ()
    windows = weekly.windows(series) if series else None
    pace = None
    if windows is not None and metric.kind == Metric.Kind.PERCEPTION:
        pace = weekly.pace(read, windows.start, _pace_nearby(action, metric, read, windows.start))
    return ActionEffect(
        external_id=action.external_id,
        unit_name=action.unit.display_name,
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        effective_on=action.effective_on,
        status=target.status,
        verdict=verdict,
        next_step=words.next_step(verdict),
        is_in_effect=True,
        is_awaited=False,
        is_renewed=waits.is_measuring(metric),
        effect=target.effect,
        low=target.low,
        high=target.high,
        p_positive=target.p_positive,
        sentence=sentence_of(target, verdict, action),
        refusal=words.refusal(target.reason, figures) if target.reason else None,
        known_on=target.known_on,
        naive_text=(
            ""
            if target.naive_change is None
            else words.change(target.naive_change, metric.display_unit, metric.sign)
        ),
        is_drawn_by_lot=action.is_randomised,
        target=row,
        others=others,
        pace=pace,
        plots=plots.plots_of(metric, read, windows, notes) if windows else (),
        notes=notes,
        story=stories.story(action, target, windows),
        health=health.health(target, pace),
        quality=target.quality,
        sheet=sheets.quality_sheet(target.quality_parts, figures),
        flags=caveats.flags(target.flags),
        method=target.method,
        as_of=target.as_of,
        run_id=target.run_id,
        solutions=titles,
    )


def _pace_nearby(action: Action, metric: Metric, read: Sequence[weekly.Week], start: date) -> float:
    """Responses a week after the start for each before, in some units of the region; 1 where nobody knows."""
    first = max(read[0].monday, start - DEFAULTS.baseline_window * WEEK)
    until = read[-1].monday + WEEK
    nearby = Unit.objects.filter(region=action.unit.region).exclude(pk=action.unit_id).order_by("pk")
    counts = Cell.objects.filter(
        metric=metric, unit__in=nearby.values("pk")[:NEARBY_UNITS], week__gte=first, week__lt=until
    ).aggregate(before=Sum("n", filter=Q(week__lt=start)), after=Sum("n", filter=Q(week__gte=start)))
    before, after = counts["before"] or 0, counts["after"] or 0
    if not before or not after or first >= start:
        return 1.0
    return (after / weeks_between(start, until)) / (before / weeks_between(first, start))


def _figures(effect: Effect) -> words.Figures:
    return words.Figures(
        weeks_before=effect.weeks_before,
        weeks_after=effect.weeks_after,
        n_before=effect.n_before,
        n_after=effect.n_after,
        known_on=effect.known_on,
        as_of=effect.as_of,
        units=effect.run.unit_count,
        weeks=effect.run.week_count,
        free_units=health.free_units(effect.quality_parts),
    )


def sentence_of(effect: Effect, verdict: str, action: Action) -> str:
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
