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


def check(code: str) -> Words:
    title, text = CHECKS.get(code, (code.replace("_", " ").capitalize(), ""))
    return Words(title=str(title), text=str(text))
