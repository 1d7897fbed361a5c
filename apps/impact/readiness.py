"""Do the data of a plan's units allow a result: enough of a baseline, and a metric that still comes in?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Unit
from apps.core.periods import WEEK, week_of
from apps.feedback.models import Cell
from apps.impact.stats.data import DEFAULTS
from apps.taxonomy.models import Metric

# A metric without an answer for this long has probably stopped.
SILENT = timedelta(weeks=4)
NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """One line of a plan's checklist, told from the data; an open point warns, it never blocks."""

    label: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a unit's cells hold before a start; `last` is the Monday of the newest week with answers."""

    unit: Unit
    weeks: int
    answers: int
    last: date | None


def data_checks(*, units: Sequence[Unit], metric: Metric | None, starts_on: date, as_of: date) -> list[DataCheck]:
    """One query, however many units there are."""
    if metric is None:
        return [
            DataCheck(
                label=_("It can be measured"),
                state="warn",
                note=_("This challenge has no outcome yet, so nothing can be told from the data."),
            )
        ]
    found = _baselines(units, metric, before=min(starts_on, as_of))
    return [_enough(found, metric), _alive(found, metric, as_of)]


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
