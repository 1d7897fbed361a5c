"""Do the data allow a result: enough of a baseline, a metric that still comes in, others to compare with?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Count, Max, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Unit
from apps.core import formats
from apps.core.periods import WEEK, week_of
from apps.feedback.models import Cell
from apps.impact.comparison import Comparison, comparison
from apps.impact.stats.data import DEFAULTS
from apps.planning.draws import FEWEST_UNITS, draw_steps, start_of
from apps.planning.models import Action, Plan
from apps.taxonomy.models import Metric

# A metric without an answer for this long has probably stopped.
SILENT = timedelta(weeks=4)
NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """One line of a plan's checklist, told from the data; an open point warns, it never blocks.

    `url` leads to what would change it, and `step` names that.
    """

    label: str
    state: str
    note: str = ""
    url: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a unit's cells hold before a start; `last` is the Monday of the newest week with answers."""

    unit: Unit
    weeks: int
    answers: int
    last: date | None


def data_checks(
    *, plan: Plan, units: Sequence[Unit], starts: Mapping[int, date], lag_days: int, as_of: date
) -> list[DataCheck]:
    """For a plan that starts in its units, by their ids, on the days given; a constant number of queries."""
    metric = plan.challenge.metric
    if metric is None:
        return [
            DataCheck(
                label=_("It can be measured"),
                state="warn",
                note=_("This challenge has no outcome yet, so nothing can be told from the data."),
            )
        ]
    found = _baselines(units, metric, before=min(*starts.values(), as_of))
    others = comparison(plan=plan, metric=metric, starts=starts, lag_days=lag_days, as_of=as_of)
    return [_enough(found, metric), _compared(others, plan, len(units), as_of), _alive(found, metric, as_of)]


def draw_check(
    *, plan: Plan, waiting: Sequence[Action], steps: int, gap_weeks: int, first_on: date, as_of: date
) -> DataCheck | None:
    """Whether a draw would leave enough units to compare with; None where nothing is drawn or measured.

    Which units start first is not known yet. How many of a region do is, and that is what counts.
    """
    metric = plan.target_metric or plan.challenge.metric
    regions = {action.unit.code: action.unit.region for action in waiting}
    if metric is None or not 2 <= steps <= len(regions):
        return None
    drawn = draw_steps(regions, steps=steps, seed=0)
    days = {code: start_of(step, first_on=first_on, gap_weeks=gap_weeks) for code, step in drawn.items()}
    found = comparison(
        plan=plan,
        metric=metric,
        starts={action.unit_id: days[action.unit.code] for action in waiting},
        lag_days=max((solution.lag_days for solution in plan.solutions.all()), default=0),
        as_of=as_of,
    )
    # The page on which it is asked is the one on which it is changed.
    return replace(_compared(found, plan, len(waiting), as_of), url="", step="")


def _baselines(units: Sequence[Unit], metric: Metric, *, before: date) -> list[Baseline]:
    first = week_of(before) - DEFAULTS.baseline_window * WEEK
    cells = Cell.objects.filter(unit__in=units, metric=metric, week__gte=first, week__lt=before)
    sums = {
        row["unit"]: row
        for row in cells.values("unit").annotate(weeks=Count("week"), answers=Sum("n"), last=Max("week"))
    }
    return [
        Baseline(unit=unit, weeks=row["weeks"], answers=row["answers"], last=row["last"])
        if (row := sums.get(unit.pk))
        else Baseline(unit=unit, weeks=0, answers=0, last=None)
        for unit in units
    ]


def _enough(found: Sequence[Baseline], metric: Metric) -> DataCheck:
    label = _("There is enough to compare with from before")
    counts_answers = metric.kind == Metric.Kind.PERCEPTION
    fewest = min(found, key=lambda one: (one.weeks, one.answers))
    too_few = [
        one
        for one in found
        if one.weeks < DEFAULTS.baseline_weeks_min or (counts_answers and one.answers < DEFAULTS.baseline_answers)
    ]
    weeks = ngettext("%(weeks)s week", "%(weeks)s weeks", fewest.weeks) % {"weeks": fewest.weeks}
    answers = ngettext("%(count)s answer", "%(count)s answers", fewest.answers) % {"count": fewest.answers}
    said = _("%(weeks)s with %(answers)s in the last half year") % {"weeks": weeks, "answers": answers}
    if too_few:
        note = _(
            "%(said)s in %(units)s. That is too little for a result of its own; what other units see still counts."
        )
        return DataCheck(label=label, state="warn", note=note % {"said": said, "units": _names(too_few)})
    if fewest.weeks < DEFAULTS.baseline_weeks:
        note = _("%(said)s: a result will be rough.") % {"said": said}
        return DataCheck(label=label, state="warn", note=note)
    return DataCheck(label=label, state="done", note=said)


def _compared(found: Comparison, plan: Plan, units: int, as_of: date) -> DataCheck:
    label = _("Enough others are left to compare with")
    thinnest = found.thinnest
    said = {
        "units": formats.counted(thinnest.units, "unit"),
        "region": thinnest.group or "",
        "least": formats.counted(DEFAULTS.comparison_units, "unit"),
        "day": formats.short_day(thinnest.week, as_of),
    }
    if thinnest.is_enough:
        note = _("In each week at least %(units)s do nothing about it.")
        if thinnest.group:
            note = _("In each week at least %(units)s of the region %(region)s do nothing about it.")
        return DataCheck(label=label, state="done", note=note % said)
    note = _("In the week of %(day)s only %(units)s would do nothing about it; it takes %(least)s.")
    if not thinnest.units:
        note = _("In the week of %(day)s all would be at it; it takes %(least)s that do nothing about it.")
    elif thinnest.group:
        note = _(
            "In the week of %(day)s only %(units)s of the region %(region)s would do nothing about it; it takes "
            "%(least)s."
        )
    remedy, url, step = _remedy(found, plan, units, as_of)
    return DataCheck(label=label, state="warn", note=f"{note % said} {remedy}", url=url, step=step)


def _remedy(found: Comparison, plan: Plan, units: int, as_of: date) -> tuple[str, str, str]:
    """What would make it enough, and where that is done."""
    if found.later_on is not None:
        day = formats.short_day(found.later_on, as_of)
        url = reverse("planning:guide-concrete", args=[plan.pk])
        return _("With a start on %(day)s there would be enough.") % {"day": day}, url, _("Choose another day")
    if found.waves is not None:
        steps, gap = found.waves
        said = {"count": steps, "weeks": formats.counted(gap, "week")}
        remedy = _("With %(count)s start dates %(weeks)s apart there would be enough.") % said
        if units >= FEWEST_UNITS:
            return (
                remedy,
                reverse("planning:rollout-draw", args=[plan.pk]),
                _("Let the lot decide who starts first"),
            )
        return remedy, reverse("planning:rollout", args=[plan.pk]), _("Set the starts apart")
    return _("Too few units answer about it: the result can only be told together with uses elsewhere."), "", ""


def _alive(found: Sequence[Baseline], metric: Metric, as_of: date) -> DataCheck:
    label = _("%(metric)s is still coming in") % {"metric": metric.display_name}
    silent = [one for one in found if one.last is None or one.last + WEEK < as_of - SILENT]
    if silent:
        note = _("Nothing for more than four weeks in %(units)s.") % {"units": _names(silent)}
        return DataCheck(label=label, state="warn", note=note)
    return DataCheck(label=label, state="done")


def _names(found: Sequence[Baseline]) -> str:
    named = ", ".join(one.unit.display_name for one in found[:NAMED_AT_MOST])
    more = len(found) - NAMED_AT_MOST
    if more <= 0:
        return named
    return ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more) % {
        "names": named,
        "more": more,
    }
