"""What could an action, or a roll-out, show before anybody begins?"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np
from django.db.models import Sum
from django.utils.translation import gettext as _

from apps.accounts.models import Unit
from apps.core import formats
from apps.core.periods import WEEK, week_of
from apps.feedback.models import Cell
from apps.impact import words
from apps.impact.models import Run
from apps.impact.panel import lag_weeks
from apps.impact.stats import power as engine
from apps.impact.stats.data import DEFAULTS, Floats, Panel, Settings
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.noise import Noise
from apps.taxonomy.models import Metric

# More units to compare with hardly add anything, and the answer should be there in a moment.
COMPARED_UNITS = 150
LONGER_WEEKS = (20, 26, 39, 52)
WAVES, GAP_WEEKS = 4, 3
# The chance from which an effect would "probably" be seen: the usual promise of four in five.
PROBABLY = 0.80
_NORMAL = NormalDist()
_Z95 = _NORMAL.inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What a design can show, in the metric's unit; `refusal` says why nothing can be told.

    `seen` is the probability that the wanted effect would be seen. `units_needed` and `weeks_needed` would make
    it probable, and are None where it is already, or where nothing would do.
    """

    metric: str
    unit: str
    sign: int
    units: int
    weeks: int
    weekly: float
    detectable: float | None
    wanted: float | None
    seen: float | None
    units_needed: int | None
    weeks_needed: int | None
    refusal: words.Words | None

    @property
    def is_probable(self) -> bool:
        return self.seen is not None and self.seen >= PROBABLY

    @property
    def sentences(self) -> tuple[str, ...]:
        """What can be seen, how likely the wanted effect would be, and what would make it likely."""
        if self.detectable is None:
            return ()
        said = [self._detectable()]
        if self.wanted is not None and self.seen is not None:
            said.append(
                _("An effect of %(wanted)s would be seen in about %(count)s of 10 such cases.")
                % {
                    "wanted": self._amount(self.wanted),
                    "count": formats.number(min(9, max(0, round(10 * self.seen)))),
                }
            )
            said += self._needed()
        return tuple(said)

    def _detectable(self) -> str:
        shown = {
            "answers": formats.counted(round(self.weekly), "answer"),
            "effect": self._amount(self._rounded_up()),
            "weeks": formats.counted(self.weeks, "week"),
            "units": formats.counted(self.units, "unit"),
        }
        if self.units == 1:
            return (
                _("With the usual %(answers)s a week, an effect of %(effect)s or more would probably be seen.")
                % shown
            )
        return (
            _(
                "With %(units)s that begin in an order drawn by lot, and the usual %(answers)s a week in each, an "
                "effect of %(effect)s or more would probably be seen after %(weeks)s."
            )
            % shown
        )

    def _rounded_up(self) -> float:
        """Never less than what was promised."""
        value = self.detectable or 0.0
        power = 10.0 ** formats.decimals_for(0, value)
        return math.ceil(value * power - 1e-9) / power

    def _needed(self) -> list[str]:
        if self.is_probable or self.wanted is None:
            return []
        shown = {
            "wanted": self._amount(self.wanted),
            "units": formats.counted(self.units_needed or 0, "unit"),
            "weeks": formats.counted(self.weeks_needed or 0, "week"),
        }
        is_more = (self.units_needed or 0) > self.units
        if is_more and self.weeks_needed:
            return [_("For %(wanted)s use it in %(units)s, or follow it for %(weeks)s.") % shown]
        if is_more:
            return [_("For %(wanted)s use it in %(units)s.") % shown]
        if self.weeks_needed:
            return [_("For %(wanted)s follow it for %(weeks)s.") % shown]
        return [_("Not even a roll-out over all units nearby would show %(wanted)s for sure.") % shown]

    def _amount(self, value: float) -> str:
        return formats.with_unit(
            formats.number(value, formats.decimals_for(0, value)), formats.change_unit(self.unit)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """The metric's noise and how many responses units usually have; `row` finds a unit by its id."""

    panel: Panel
    noise: Noise
    row: Mapping[int, int]

    def weekly(self, unit_ids: Iterable[int]) -> float:
        found = [float(self.panel.n[self.row[pk]].mean()) for pk in unit_ids if pk in self.row]
        return sum(found) / len(found) if found else 0.0


def action_chance(*, metric: Metric, unit: Unit, wanted: float | None, as_of: date, lag_days: int = 0) -> Chance:
    """What one action in `unit` could show by itself, and what it would take to see `wanted`."""
    found = _ground(metric, [unit], as_of)
    if isinstance(found, words.Words):
        return _refused(metric, 1, wanted, found)
    lag = lag_weeks(lag_days)
    try:
        told = engine.action_power(found.panel, found.noise, found.row[unit.pk], lag=lag)
    except NotEstimable as error:
        return _refused(metric, 1, wanted, words.power_refusal(error.code), found.weekly([unit.pk]))
    chance = _chance(metric, found.weekly([unit.pk]), told, wanted)
    if wanted is None or chance.is_probable:
        return chance
    return replace(
        chance,
        units_needed=_units_needed(found, wanted),
        weeks_needed=_weeks_needed(found, found.row[unit.pk], wanted, lag),
    )


def rollout_chance(
    *,
    metric: Metric,
    units: Sequence[Unit],
    wanted: float | None,
    as_of: date,
    steps: int = WAVES,
    gap_weeks: int = GAP_WEEKS,
    seed: int = DEFAULTS.seed,
) -> Chance:
    """What a roll-out over `units` in `steps` waves, `gap_weeks` apart and in a drawn order, could show."""
    found = _ground(metric, units, as_of)
    if isinstance(found, words.Words):
        return _refused(metric, len(units), wanted, found)
    ids = [unit.pk for unit in units]
    rows = [found.row[pk] for pk in ids]
    try:
        starts = engine.wedge(len(rows), min(steps, len(rows)), gap_weeks, seed)
        told = engine.rollout_power(found.panel, found.noise, rows, starts)
    except NotEstimable as error:
        return _refused(metric, len(units), wanted, words.power_refusal(error.code), found.weekly(ids))
    chance = _chance(metric, found.weekly(ids), told, wanted)
    if wanted is None or chance.is_probable:
        return chance
    return replace(chance, units_needed=_units_needed(found, wanted))


def _chance(metric: Metric, weekly: float, told: engine.Power, wanted: float | None) -> Chance:
    return Chance(
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        units=told.units,
        weeks=told.weeks,
        weekly=weekly,
        detectable=told.detectable,
        wanted=wanted,
        seen=_NORMAL.cdf(wanted / told.se - _Z95) if wanted is not None else None,
        units_needed=None,
        weeks_needed=None,
        refusal=None,
    )


def _refused(
    metric: Metric, units: int, wanted: float | None, refusal: words.Words, weekly: float = 0.0
) -> Chance:
    return Chance(
        metric=metric.display_name,
        unit=metric.display_unit,
        sign=metric.sign,
        units=units,
        weeks=0,
        weekly=weekly,
        detectable=None,
        wanted=wanted,
        seen=None,
        units_needed=None,
        weeks_needed=None,
        refusal=refusal,
    )


def _units_needed(ground: _Ground, wanted: float) -> int | None:
    try:
        return engine.units_needed(ground.panel, ground.noise, wanted, waves=WAVES, gap=GAP_WEEKS).units
    except NotEstimable:
        return None


def _weeks_needed(ground: _Ground, row: int, wanted: float, lag: int) -> int | None:
    """How long one action would have to be followed; None where even a year would not do."""
    for weeks in LONGER_WEEKS:
        longer: Settings = replace(DEFAULTS, primary_end=weeks, late_end=weeks + DEFAULTS.late_end)
        try:
            told = engine.action_power(ground.panel, ground.noise, row, longer, lag)
        except NotEstimable:
            return None
        if told.detectable <= wanted:
            return weeks
    return None


def _ground(metric: Metric, units: Sequence[Unit], as_of: date) -> _Ground | words.Words:
    """What is known of the metric and of how many respond in `units` and in some others, in three queries."""
    run = Run.objects.filter(metric=metric, state=Run.State.FINISHED).order_by("-pk").first()
    if run is None or not run.noise or "v_a" not in run.noise:
        if run is not None and run.reason and run.reason != "nothing_logged":
            return words.refusal(run.reason, words.Figures(units=run.unit_count, weeks=run.week_count))
        return words.power_refusal("no_noise")
    last = week_of(as_of)
    first = last - (DEFAULTS.baseline_window - 1) * WEEK
    mine = [unit.pk for unit in units]
    region = units[0].region
    near = Unit.objects.exclude(pk__in=mine).filter(region=region).order_by("pk").values_list("pk", flat=True)
    others = Unit.objects.exclude(pk__in=mine).exclude(region=region).order_by("pk").values_list("pk", flat=True)
    ids = [*mine, *list(near[:COMPARED_UNITS]), *list(others[:COMPARED_UNITS])]
    counts = (
        Cell.objects.filter(metric=metric, unit__in=ids, week__gte=first, week__lte=last)
        .values_list("unit", "week")
        .annotate(responses=Sum("n"))
        .values_list("unit", "week", "responses", "unit__region")
    )
    return _laid_out(run, mine, list(counts), first)


def _laid_out(
    run: Run, mine: Sequence[int], counts: Sequence[tuple[int, date, int, str]], first: date
) -> _Ground | words.Words:
    ids = sorted({row[0] for row in counts} | set(mine))
    if not counts:
        return words.power_refusal("too_few_answers")
    row = {pk: index for index, pk in enumerate(ids)}
    weekly: Floats = np.zeros((len(ids), DEFAULTS.baseline_window))
    labels = {name: index for index, name in enumerate(sorted({region for _pk, _week, _n, region in counts}))}
    region = np.zeros(len(ids), dtype=np.int64)
    for pk, week, responses, name in counts:
        weekly[row[pk], (week - first).days // 7] = responses
        region[row[pk]] = labels[name]
    noise = _noise(run.noise or {})
    panel = Panel(
        y=np.where(weekly > 0, noise.origin, np.nan),
        n=weekly,
        within_variance=noise.sampling / noise.scale**2 or None,
        region=region,
        kind=np.zeros(len(ids), dtype=np.int64),
    )
    return _Ground(panel=panel, noise=noise, row=row)


def _noise(kept: Mapping[str, Any]) -> Noise:
    """The noise as a run kept it; what was kept beside it belongs to the run."""
    names = {field.name for field in fields(Noise)}
    return Noise(**{name: value for name, value in kept.items() if name in names})
