"""Does each outcome's measurement hold? Its checks as a lead reads them: well, attention, or couldn't be run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.formats import get_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import formats
from apps.impact import caveats, words
from apps.impact.models import RankedSolution, Run
from apps.taxonomy.models import Metric

WELL, ATTENTION, NOT_RUN, INFORMATION = "well", "attention", "not_run", "information"
Text = str | Promise

# In the order in which a lead should read them: what is asked, and why it may be impossible to run.
QUESTIONS: Mapping[str, tuple[Text, Text]] = {
    "placebo_mean": (
        gettext_lazy("Do pretend actions show nothing, on average?"),
        gettext_lazy("It takes at least 20 units and weeks in which an action could have begun but did not."),
    ),
    "placebo_spread": (
        gettext_lazy("Do pretend actions scatter as much as chance allows?"),
        gettext_lazy("It takes at least 20 units and weeks in which an action could have begun but did not."),
    ),
    "autocorrelation": (
        gettext_lazy("Is one week’s surprise independent of the next?"),
        gettext_lazy("It takes about a hundred weeks with answers, over all units."),
    ),
    "kurtosis": (
        gettext_lazy("Are surprises of ordinary size?"),
        gettext_lazy("It takes about a hundred weeks with answers, over all units."),
    ),
    "region_variance": (
        gettext_lazy("Do all regions scatter alike?"),
        gettext_lazy("It takes about a hundred weeks with answers, over all units."),
    ),
    "clustered_errors": (
        gettext_lazy("Do two ways to compute the uncertainty agree?"),
        gettext_lazy("It takes measured uses of at least one solution."),
    ),
    "leave_one_out": (
        gettext_lazy("Do strong claims hold without any one unit or region?"),
        gettext_lazy("It takes a solution with 15 measured uses in 8 units of 2 regions."),
    ),
    "converged": (gettext_lazy("Did the computation settle?"), gettext_lazy("Nothing was computed yet.")),
    "reactive_uptake": (
        gettext_lazy("Do units act after bad weeks?"),
        gettext_lazy("It takes at least ten actions that began inside the weeks with answers."),
    ),
    "naive_bias": (
        gettext_lazy("How far would plain before and after be wrong?"),
        gettext_lazy("It takes at least ten measured actions."),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One check: `state` is one of the constants above; `text` is what it means, or why it is missing."""

    code: str
    question: str
    state: str
    value: str
    text: str

    @property
    def tone(self) -> str:
        return {WELL: "better", ATTENTION: "attention"}.get(self.state, "plain")

    @property
    def word(self) -> str:
        said = {
            WELL: _("Holds"),
            ATTENTION: _("Needs attention"),
            NOT_RUN: _("Couldn’t be run"),
            INFORMATION: _("For information"),
        }
        return said[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChecks:
    """All checks of an outcome, failing ones first; `inflation` is the factor that widened its ranges."""

    code: str
    name: str
    as_of: date
    checks: tuple[CheckRow, ...]
    refusal: words.Words | None
    inflation: float

    @property
    def state(self) -> str:
        states = {check.state for check in self.checks}
        if ATTENTION in states:
            return ATTENTION
        return NOT_RUN if NOT_RUN in states or self.refusal else WELL

    @property
    def widened(self) -> str:
        return formats.percent(self.inflation - 1) if self.inflation > 1 else ""

    @property
    def troubles(self) -> int:
        return sum(check.state == ATTENTION for check in self.checks)

    @property
    def summary(self) -> str:
        unrun = sum(check.state == NOT_RUN for check in self.checks)
        if self.troubles:
            return ngettext(
                "%(count)s of %(all)s needs attention", "%(count)s of %(all)s need attention", self.troubles
            ) % {"count": self.troubles, "all": len(self.checks)}
        if unrun:
            return ngettext(
                "%(count)s of %(all)s could not be run, the others hold",
                "%(count)s of %(all)s couldn’t be run, the others hold",
                unrun,
            ) % {"count": unrun, "all": len(self.checks)}
        return _("all hold")


def newest_runs() -> QuerySet[Run]:
    """Of each metric the newest measurement that finished."""
    return Run.objects.filter(state=Run.State.FINISHED).order_by("metric_id", "-pk").distinct("metric_id")


def inflation_of(run: Run) -> float:
    """The factor by which every range of the metric was widened, 1 where nothing had to be."""
    return float((run.noise or {}).get("inflation") or 1.0)


def metric_checks() -> list[MetricChecks]:
    """The checks of every outcome's newest measurement, those with trouble first, in three queries."""
    runs = newest_runs().select_related("metric")
    left_out = {
        row["metric"]: row
        for row in RankedSolution.objects.filter(context="", action_count__gte=15, evidence__gte=4)
        .values("metric")
        .annotate(tried=Count("solution", distinct=True))
        .annotate(held=Count("solution", distinct=True, filter=Q(evidence=5)))
    }
    found = [_checks(run, left_out.get(run.metric_id)) for run in runs]
    order = (ATTENTION, NOT_RUN, WELL)
    return sorted(found, key=lambda metric: (order.index(metric.state), metric.name))


def _checks(run: Run, left_out: Mapping[str, Any] | None) -> MetricChecks:
    kept = {check["code"]: check for check in run.checks or []}
    rows = tuple(
        _left_out(left_out) if code == "leave_one_out" else _row(code, kept.get(code), run.metric)
        for code in QUESTIONS
    )
    urgency = (ATTENTION, NOT_RUN, WELL, INFORMATION)
    refusal = None
    if run.reason:
        refusal = words.refusal(run.reason, words.Figures(units=run.unit_count, weeks=run.week_count))
    return MetricChecks(
        code=run.metric.code,
        name=run.metric.display_name,
        as_of=run.as_of,
        checks=() if refusal else tuple(sorted(rows, key=lambda row: urgency.index(row.state))),
        refusal=refusal,
        inflation=inflation_of(run),
    )


def _row(code: str, check: Mapping[str, Any] | None, metric: Metric) -> CheckRow:
    question, why_not = (str(text) for text in QUESTIONS[code])
    value = check["value"] if check else None
    if check is None or value is None:
        return CheckRow(code=code, question=question, state=NOT_RUN, value="", text=why_not)
    if code in ("reactive_uptake", "naive_bias"):
        state, text = INFORMATION, caveats.check(code, value).text
    elif check["passed"]:
        state, text = WELL, ""
    else:
        state, text = ATTENTION, caveats.check(code, value).text
    return CheckRow(
        code=code,
        question=question,
        state=state,
        value=_value(code, value, check, metric),
        text=text,
    )


def _left_out(found: Mapping[str, Any] | None) -> CheckRow:
    question, why_not = (str(text) for text in QUESTIONS["leave_one_out"])
    if found is None:
        return CheckRow(code="leave_one_out", question=question, state=NOT_RUN, value="", text=why_not)
    return CheckRow(
        code="leave_one_out",
        question=question,
        state=INFORMATION,
        value=_("%(held)s of %(tried)s hold") % {"held": found["held"], "tried": found["tried"]},
        text=_("Only those that hold get the highest evidence."),
    )


def _value(code: str, value: float, check: Mapping[str, Any], metric: Metric) -> str:
    if code == "converged":
        return _("yes") if value else _("no")
    if code == "naive_bias":
        return words.change(value, metric.display_unit, metric.sign)
    if code == "reactive_uptake":
        return _("%(times)s times as likely after a clear dip") % {
            "times": formats.number(math.exp(min(value, 5.0)), 2)
        }
    return _("%(value)s (well when %(limit)s)") % {
        "value": formats.number(value, 2),
        "limit": _limit(code, str(check.get("limit", ""))),
    }


def _limit(code: str, limit: str) -> str:
    """The limit in the reader's language; ranges of numbers need no words."""
    digits = "".join(character for character in limit if character in "0123456789.–±")
    digits = digits.replace(".", str(get_format("DECIMAL_SEPARATOR")))
    if code == "placebo_mean":
        return _("near 0")
    if limit.startswith(("at most", "ratio at most")):
        return _("at most %(limit)s") % {"limit": digits}
    return digits
