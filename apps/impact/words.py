"""How are verdicts, refusals and score sheets said to people who are not statisticians?"""

from collections.abc import Mapping
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
    as_of: date | None = None
    units: int = 0
    weeks: int = 0
    # Units of the region that were free to compare with in the thinnest week; None where nobody counted.
    free_units: int | None = None


# Refusals that more or other data would end, and those in which the comparison itself is at fault.
NEEDS_DATA = frozenset(
    {"no_baseline", "too_few_answers", "ended_early", "no_data", "no_answers", "network_too_small", "too_noisy"}
)
UNHEALTHY = frozenset({"no_comparison", "shared_window"})


def action_verdict(status: str, p_positive: float | None, reason: str = "") -> str:
    """The chip of one action: from the probability, given everything known, that it improved things."""
    if status != "estimated" or p_positive is None:
        if status == "too_early":
            return "too_early"
        if reason in UNHEALTHY:
            return "unhealthy"
        return "not_enough_data" if reason in NEEDS_DATA else "not_estimable"
    if p_positive >= SURE:
        return "improved"
    if p_positive >= LIKELY:
        return "probably_improved"
    if p_positive <= SURELY_NOT:
        return "worse"
    return "probably_worse" if p_positive <= UNLIKELY else "no_clear_change"


NEXT_STEPS: Mapping[str, Text] = {
    "improved": gettext_lazy("Keep it as your standard, and tell units with the same problem."),
    "probably_improved": gettext_lazy("Carry on. More uses elsewhere will make it sure."),
    "no_clear_change": gettext_lazy(
        "Ask whether it was carried out in full. If it was, look for another solution to this challenge."
    ),
    "probably_worse": gettext_lazy("Ask the team and some customers what gets in the way before you go on."),
    "worse": gettext_lazy(
        "Think about stopping it, and note what happened: this tells everybody something about the solution, not "
        "about the unit."
    ),
    "too_early": gettext_lazy("Carry on as planned, and keep asking customers."),
}


def next_step(verdict: str) -> str:
    return str(NEXT_STEPS.get(verdict, ""))


def change(value: float, unit: str, sign: int) -> str:
    """A plain change as it reads on the metric's own scale; it has no interval because it proves nothing."""
    decimals = formats.decimals_for(0, value)
    return formats.with_unit(formats.signed(sign * value, decimals), formats.change_unit(unit))


def refusal(code: str, figures: Figures | None = None) -> Words:
    """Why there is no number, and what would change that."""
    figures = figures or Figures()
    title, text = REASONS.get(code, UNKNOWN_REASON)
    return Words(title=str(title), text=str(text) % values_of(figures), remedy=_remedy(code, figures))


def values_of(figures: Figures) -> dict[str, str]:
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
        return _wait(figures)
    if code == "no_comparison":
        return _free_units(figures)
    if code == "too_few_answers":
        return _few_answers(figures)
    if code == "network_too_small":
        return _network(figures)
    return str(REMEDIES.get(code, UNKNOWN_REMEDY))


def _wait(figures: Figures) -> str:
    if figures.known_on is None:
        return _("It takes about fifteen weeks of answers after the start.")
    said = {"day": formats.exact_day(figures.known_on)}
    if figures.as_of is None or figures.known_on <= figures.as_of:
        return _("We will know from %(day)s.") % said
    missing = max(1, round((figures.known_on - figures.as_of).days / 7))
    return _("%(weeks)s more: known about %(day)s.") % {**said, "weeks": formats.counted(missing, "week")}


def _free_units(figures: Figures) -> str:
    wanted = str(REMEDIES["no_comparison"])
    if figures.free_units is None or figures.free_units >= DEFAULTS.comparison_units:
        return wanted
    missing = DEFAULTS.comparison_units - figures.free_units
    return " ".join(
        (
            ngettext(
                "%(units)s more that did nothing in these weeks would have been enough.",
                "%(units)s more that did nothing in these weeks would have been enough.",
                missing,
            )
            % {"units": formats.counted(missing, "unit")},
            wanted,
        )
    )


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
        return _("Import more answers: enough units must answer in the same weeks.")
    return _("Still needed: %(what)s more of answers.") % {"what": _(" and ").join(wanted)}


UNKNOWN_REASON: tuple[Text, Text] = (
    gettext_lazy("Can’t be measured"),
    gettext_lazy("The data do not support a number here."),
)
UNKNOWN_REMEDY: Text = gettext_lazy("Import more answers, or use it in more units.")
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
    "out_of_range": gettext_lazy("Check the scale of the metric, and the file that the scores came from."),
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

# Why a plan's chance of showing something can't be told.
POWER_REASONS: Mapping[str, tuple[Text, Text, Text]] = {
    "no_noise": (
        gettext_lazy("Too early to say what could be seen"),
        gettext_lazy("Nothing was measured on this outcome yet, so we don’t know how much it moves by itself."),
        gettext_lazy("It will be known once the first actions have been measured."),
    ),
    "too_few_answers": (
        gettext_lazy("Too few answers to see anything"),
        gettext_lazy("These units have hardly any answers, or none are left to compare them with."),
        gettext_lazy("Ask more customers, or let some units begin eight weeks later."),
    ),
    "out_of_reach": (
        gettext_lazy("Too small to be seen"),
        gettext_lazy("An effect of that size could not be seen even if every unit took part."),
        gettext_lazy("Aim at a larger effect, or wait until there are more answers."),
    ),
    "bad_input": (
        gettext_lazy("That can’t be computed"),
        gettext_lazy("The roll-out needs at least one unit, one step and one week between steps."),
        gettext_lazy("Check the numbers."),
    ),
}


def power_refusal(code: str) -> Words:
    title, text, remedy = POWER_REASONS.get(code, POWER_REASONS["too_few_answers"])
    return Words(title=str(title), text=str(text), remedy=str(remedy))
