"""How are verdicts, refusals and score sheets said to people who are not statisticians?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import formats
from apps.impact.stats.data import DEFAULTS

# Posterior probabilities of an improvement from which a single action's result has a name.
SURE, LIKELY, UNLIKELY, SURELY_NOT = 0.95, 0.80, 0.20, 0.05

Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is the matter, why, and what would change it."""

    title: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a refusal was based on."""

    weeks_before: int = 0
    weeks_after: int = 0
    n_before: int = 0
    n_after: int = 0
    known_on: date | None = None
    units: int = 0
    weeks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a score sheet."""

    label: str
    got: float | None
    of: float | None
    note: str = ""
    is_reached: bool = True

    @property
    def points(self) -> str:
        """What was got of what could be got; a deduction has nothing to get."""
        if self.got is None:
            return ""
        if not self.of:
            return formats.signed(self.got)
        return f"{formats.number(self.got)} / {formats.number(self.of)}"


def action_verdict(status: str, p_positive: float | None) -> str:
    """The chip of one action: from the probability, given everything known, that it improved things."""
    if status != "estimated" or p_positive is None:
        return "too_early" if status == "too_early" else "not_estimable"
    if p_positive >= SURE:
        return "improved"
    if p_positive >= LIKELY:
        return "probably_improved"
    if p_positive <= SURELY_NOT:
        return "worse"
    return "probably_worse" if p_positive <= UNLIKELY else "no_clear_change"


def change(value: float, unit: str, sign: int) -> str:
    """A plain change as it reads on the metric's own scale; it has no interval because it proves nothing."""
    decimals = formats.decimals_for(0, value)
    return formats.with_unit(formats.signed(sign * value, decimals), formats.change_unit(unit))


def refusal(code: str, figures: Figures | None = None) -> Words:
    """Why there is no number, and what would change that."""
    figures = figures or Figures()
    title, text = REASONS.get(code, UNKNOWN_REASON)
    return Words(title=str(title), text=str(text) % _values(figures), remedy=_remedy(code, figures))


def _values(figures: Figures) -> dict[str, str]:
    return {
        "weeks_before": formats.counted(figures.weeks_before, "week"),
        "weeks_after": formats.counted(figures.weeks_after, "week"),
        "n_before": formats.counted(figures.n_before, "answer"),
        "n_after": formats.counted(figures.n_after, "answer"),
        "units": formats.counted(figures.units, "unit"),
        "weeks": formats.counted(figures.weeks, "week"),
    }


def _remedy(code: str, figures: Figures) -> str:
    if code == "too_early":
        if figures.known_on is not None:
            return _("We will know from %(day)s.") % {"day": formats.exact_day(figures.known_on)}
        return _("It takes about fifteen weeks of answers after the start.")
    if code == "too_few_answers":
        return _few_answers(figures)
    if code == "network_too_small":
        return _network(figures)
    return str(REMEDIES.get(code, ""))


def _few_answers(figures: Figures) -> str:
    missing = DEFAULTS.after_answers - figures.n_after
    if missing <= 0:
        return _("Answers in more of the weeks would do: ask customers all through the period.")
    return ngettext(
        "%(count)d more answer would do: ask more customers.",
        "%(count)d more answers would do: ask more customers.",
        missing,
    ) % {"count": missing}


def _network(figures: Figures) -> str:
    wanted = []
    if figures.units < DEFAULTS.network_units:
        wanted.append(formats.counted(DEFAULTS.network_units - figures.units, "unit"))
    if figures.weeks < DEFAULTS.network_weeks:
        wanted.append(formats.counted(DEFAULTS.network_weeks - figures.weeks, "week"))
    if not wanted:
        return ""
    return _("Still needed: %(what)s more of answers.") % {"what": _(" and ").join(wanted)}


UNKNOWN_REASON: tuple[Text, Text] = (
    gettext_lazy("Can’t be measured"),
    gettext_lazy("The data do not support a number here."),
)
REASONS: Mapping[str, tuple[Text, Text]] = {
    "too_early": (
        gettext_lazy("Too early to say"),
        gettext_lazy(
            "A change needs time to take hold, and customers to notice it. So far there are %(weeks_after)s of "
            "answers since it began to count."
        ),
    ),
    "no_baseline": (
        gettext_lazy("No picture of before"),
        gettext_lazy(
            "Too little is known of how this unit did before the action (%(weeks_before)s with answers, "
            "%(n_before)s), so there is nothing to compare with."
        ),
    ),
    "too_few_answers": (
        gettext_lazy("Too few answers"),
        gettext_lazy(
            "Only %(n_after)s in %(weeks_after)s came in during the weeks that count. "
            "Chance alone could move such a small number."
        ),
    ),
    "no_comparison": (
        gettext_lazy("Too few others to compare with"),
        gettext_lazy(
            "In these weeks nearly all other units of the region were doing something about it too. Too few are "
            "left to show how it would have gone without the action."
        ),
    ),
    "too_noisy": (
        gettext_lazy("This unit alone can’t tell"),
        gettext_lazy(
            "Scores in this unit move so much from week to week that one action can’t be judged alone. "
            "Its answers still count towards the ranking of the solution."
        ),
    ),
    "shared_window": (
        gettext_lazy("Several actions at the same time"),
        gettext_lazy(
            "Other actions ran in this unit during most of the same weeks, so only their sum is known. "
            "The answers still count towards the ranking."
        ),
    ),
    "network_too_small": (
        gettext_lazy("Too small a chain to compare fairly"),
        gettext_lazy(
            "With answers from %(units)s over %(weeks)s there are too few others to tell a change from chance."
        ),
    ),
    "no_answers": (
        gettext_lazy("No answers"),
        gettext_lazy("Nobody has answered this question yet, here or anywhere."),
    ),
    "constant": (
        gettext_lazy("The score never moves"),
        gettext_lazy("Every week has the same value, so nothing can be learnt from it."),
    ),
    "out_of_range": (
        gettext_lazy("Scores far too large"),
        gettext_lazy("Some scores are so large that nothing can be computed with them."),
    ),
    "never_used": (
        gettext_lazy("Not tried yet"),
        gettext_lazy("Nobody has logged a use of this solution for this outcome."),
    ),
    "nothing_logged": (
        gettext_lazy("Not tried yet"),
        gettext_lazy("No action has been logged for this outcome."),
    ),
    "no_metric": (
        gettext_lazy("No outcome to measure"),
        gettext_lazy("This challenge has no outcome metric, so the effect of an action can’t be seen in numbers."),
    ),
    "always_together": (
        gettext_lazy("Always used together"),
        gettext_lazy("It was nearly always used together with another solution, so only their sum is known."),
    ),
    "low_information": (
        gettext_lazy("Not enough known yet"),
        gettext_lazy("The uses so far say too little to give it a place."),
    ),
    "ended_early": (
        gettext_lazy("Ended before it could be judged"),
        gettext_lazy("It was stopped with only %(n_after)s in %(weeks_after)s since it began to count."),
    ),
    "no_data": (
        gettext_lazy("No answers where it was used"),
        gettext_lazy("The units that used it have no answers in the weeks that count."),
    ),
}
REMEDIES: Mapping[str, Text] = {
    "no_baseline": gettext_lazy("Import older answers of this unit if you have them."),
    "no_comparison": gettext_lazy(
        "Next time start in some units and let the others follow eight weeks later: then everybody learns from it."
    ),
    "too_noisy": gettext_lazy("More answers a week, or the same solution in more units, will tell."),
    "shared_window": gettext_lazy(
        "Leave about three months between actions in one unit, or use them apart elsewhere."
    ),
    "no_answers": gettext_lazy("Import answers for this metric."),
    "constant": gettext_lazy("Check how the metric is scored in the data you import."),
    "never_used": gettext_lazy(
        "Be the first to measure it: plan it in one or two units and log the day it starts."
    ),
    "nothing_logged": gettext_lazy(
        "Be the first to measure it: plan it in one or two units and log the day it starts."
    ),
    "no_metric": gettext_lazy("Ask your CX lead to choose an outcome metric for the challenge."),
    "always_together": gettext_lazy("Use one without the other somewhere."),
    "low_information": gettext_lazy("Two or three more uses, in other units, will tell."),
    "ended_early": gettext_lazy("Give it about fifteen weeks next time."),
    "no_data": gettext_lazy("Collect answers where it is used next."),
}

FLAGS: Mapping[str, tuple[Text, Text]] = {
    "short_baseline": (
        gettext_lazy("Short time before"),
        gettext_lazy("Less than eight weeks of answers before the start; take the result with care."),
    ),
    "provisional": (
        gettext_lazy("Provisional"),
        gettext_lazy("Not all of the twelve weeks that count have answers yet; the result can still move."),
    ),
    "too_noisy": (
        gettext_lazy("This unit alone says little"),
        gettext_lazy("Most of what we say here comes from other uses of the same solution."),
    ),
    "no_comparison": (
        gettext_lazy("Few others to compare with"),
        gettext_lazy("Most units of the region did something about it in the same weeks."),
    ),
    "shared_window": (
        gettext_lazy("Several actions at the same time"),
        gettext_lazy("Other actions ran here in the same weeks; their shares are hard to tell apart."),
    ),
    "merged": (
        gettext_lazy("Counted together"),
        gettext_lazy("Another action began here within three weeks; both are counted as one."),
    ),
    "randomised": (
        gettext_lazy("Drawn by lot"),
        gettext_lazy("The order of the roll-out was drawn by lot: the fairest comparison there is."),
    ),
    "event": (
        gettext_lazy("Something else happened"),
        gettext_lazy("An event was logged in this unit in the same weeks; it is allowed for."),
    ),
    "noise_inflated": (
        gettext_lazy("Made more careful"),
        gettext_lazy("Our own check found the comparison too sure of itself, so the range was widened."),
    ),
}

QUALITY: Mapping[str, Text] = {
    "comparison": gettext_lazy("Enough other units to compare with"),
    "baseline": gettext_lazy("Enough known of before"),
    "after": gettext_lazy("Enough known of after"),
    "precision": gettext_lazy("Scores steady enough to see a change"),
    "clean_window": gettext_lazy("Nothing else going on at the time"),
    "fidelity": gettext_lazy("How fully it was carried out is recorded"),
}
EVIDENCE: Mapping[str, Text] = {
    "measured": gettext_lazy("Measured at least once"),
    "information_20": gettext_lazy("The uses begin to tell something"),
    "several_units": gettext_lazy("At least 4 measured uses in 3 units, and they tell enough"),
    "many_units": gettext_lazy("At least 8 measured uses in 5 units, and they tell half of what there is to know"),
    "robust": gettext_lazy(
        "At least 15 measured uses in 8 units of 2 regions, and it holds whichever is left out"
    ),
    "old": gettext_lazy("The newest use is older than two years"),
    "one_region": gettext_lazy("Nearly all uses come from one region"),
    "uneven": gettext_lazy("Uses differ more than the effect is large"),
}
RAISES: Mapping[str, Text] = {
    "measured": gettext_lazy("A first measured use."),
    "information_20": gettext_lazy("One or two more uses."),
    "several_units": gettext_lazy("More uses, in at least three units."),
    "many_units": gettext_lazy("More uses, in at least five units."),
    "robust": gettext_lazy("More uses, in a second region too."),
    "old": gettext_lazy("One new use."),
    "one_region": gettext_lazy("Uses in another region."),
    "uneven": gettext_lazy("More uses, and a note of what was done differently where it did not help."),
}
CHECKS: Mapping[str, tuple[Text, Text]] = {
    "placebo_mean": (
        gettext_lazy("Pretend actions show an effect"),
        gettext_lazy(
            "We pretend that actions began where none did. On average they should show nothing, but they show "
            "something: take small effects with care."
        ),
    ),
    "placebo_spread": (
        gettext_lazy("Pretend actions scatter too much"),
        gettext_lazy(
            "We pretend that actions began where none did. Their results scatter more than chance allows, so "
            "every range of this outcome was widened."
        ),
    ),
    "autocorrelation": (
        gettext_lazy("One week’s surprise foretells the next"),
        gettext_lazy(
            "Scores follow a pattern that the comparison does not know of; take small effects with care."
        ),
    ),
    "kurtosis": (
        gettext_lazy("Some weeks are far out of line"),
        gettext_lazy("Look for wrong imports or unlogged events in these weeks."),
    ),
    "region_variance": (
        gettext_lazy("One region scatters differently"),
        gettext_lazy("One region scatters more than the others; its results are less sure than shown."),
    ),
    "converged": (
        gettext_lazy("The computation stopped before it was exact"),
        gettext_lazy("It could not settle on the best fit to these answers; take the last digits with care."),
    ),
    "clustered_errors": (
        gettext_lazy("Two ways to compute the uncertainty disagree"),
        gettext_lazy("The larger one is shown."),
    ),
    "reactive_uptake": (
        gettext_lazy("How much actions follow bad weeks"),
        gettext_lazy("Units act after bad weeks, so plain before and after comparisons flatter every solution."),
    ),
    "naive_bias": (
        gettext_lazy("How much before and after overstates"),
        gettext_lazy("Plain before and after comparisons claim so much more than the fair comparison."),
    ),
}
# What is told to everybody who reads a result, not only to those who look after the measurement.
TOLD_TO_ALL = ("placebo_mean", "placebo_spread")


def flag(code: str) -> Words:
    title, text = FLAGS.get(code, (code.replace("_", " ").capitalize(), ""))
    return Words(title=str(title), text=str(text))


def flags(codes: Iterable[str]) -> tuple[Words, ...]:
    return tuple(flag(code) for code in codes)


def check(code: str) -> Words:
    title, text = CHECKS.get(code, (code.replace("_", " ").capitalize(), ""))
    return Words(title=str(title), text=str(text))


def quality_sheet(parts: Iterable[Mapping[str, object]], figures: Figures) -> tuple[Line, ...]:
    """The points of an action's quality, with the figures behind them."""
    notes = {
        "baseline": _("%(weeks_before)s, %(n_before)s"),
        "after": _("%(weeks_after)s, %(n_after)s"),
    }
    values = _values(figures)
    return tuple(
        Line(
            label=label,
            got=got,
            of=of,
            note=notes[code] % values if code in notes else "",
            is_reached=got is not None and of is not None and got >= of,
        )
        for code, label, got, of in _lines(parts, QUALITY)
    )


def evidence_sheet(parts: Iterable[Mapping[str, object]]) -> tuple[Line, ...]:
    """The steps of the evidence level and what was taken off; a line not reached says what would reach it."""
    return tuple(
        Line(
            label=label,
            got=got,
            of=of,
            note="" if got is not None and got > 0 else str(RAISES.get(code, "")),
            is_reached=got is not None and got > 0,
        )
        for code, label, got, of in _lines(parts, EVIDENCE)
    )


def _lines(
    parts: Iterable[Mapping[str, object]], labels: Mapping[str, Text]
) -> list[tuple[str, str, float | None, float | None]]:
    return [
        (
            str(part.get("code", "")),
            str(labels.get(str(part.get("code", "")), str(part.get("code", "")).replace("_", " ").capitalize())),
            _number(part.get("got")),
            _number(part.get("of")),
        )
        for part in parts
    ]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
