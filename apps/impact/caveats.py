"""What must a reader of a result be warned of, and what do the checks of a measurement mean?"""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy

from apps.impact.words import Text, Words

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


# What the same check means when it errs on the careful side, or finds the opposite.
OPPOSITES: Mapping[str, tuple[Text, Text]] = {
    "placebo_spread": (
        gettext_lazy("Pretend actions scatter less than expected"),
        gettext_lazy("Likely ranges of this outcome are rather wider than they need be."),
    ),
    "reactive_uptake": (
        gettext_lazy("Actions do not wait for bad weeks"),
        gettext_lazy(
            "Units hardly wait for a bad spell here, so before and after is less flattered than elsewhere."
        ),
    ),
    "naive_bias": (
        gettext_lazy("How much before and after hides"),
        gettext_lazy("Plain before and after comparisons claim so much less than the fair comparison."),
    ),
}
# Below these values a check says the opposite.
TURNS_AT = {"placebo_spread": 1.0, "reactive_uptake": 0.1, "naive_bias": 0.0}


def check(code: str, value: float | None = None) -> Words:
    """What a check that did not hold means, or one that is for information."""
    is_opposite = value is not None and value < TURNS_AT.get(code, value)
    known = OPPOSITES if is_opposite else CHECKS
    title, text = known.get(code, (code.replace("_", " ").capitalize(), ""))
    return Words(title=str(title), text=str(text))


def worries(check: Mapping[str, object]) -> bool:
    """Whether a failed check makes results less sure than shown, so that every reader is told."""
    value = check["value"]
    if check["passed"] or not isinstance(value, int | float) or check["code"] not in TOLD_TO_ALL:
        return False
    return check["code"] != "placebo_spread" or value >= TURNS_AT["placebo_spread"]
