"""What may be said, and in which word? Every cell enters the fit; these rules decide what is told."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, isfinite

import numpy as np

from .data import Bools, Floats, Ints, Settings
from .results import Part

RANKABLE, EARLY, NOT_RANKABLE = "rankable", "early", "not_rankable"
# Why an action's effect is not told; the first that applies is said.
REFUSALS = (
    "no_baseline",
    "too_early",
    "ended_early",
    "too_few_answers",
    "no_comparison",
    "shared_window",
    "too_noisy",
)
# The parts of an action's quality, and the points there are for each.
QUALITY = (
    ("comparison", 30.0),
    ("baseline", 20.0),
    ("after", 15.0),
    ("precision", 15.0),
    ("clean_window", 10.0),
    ("fidelity", 10.0),
)
HALF_NORMAL_MEDIAN = 0.6744897501960817  # 75 % quantile of the normal


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """What the rules need to know of J actions.

    Attributes
    ----------
    weeks_before, weeks_after : (J,) int
        Answering weeks in the baseline and primary windows.
    n_before, n_after : (J,) float
        Answers in them.
    counts_answers : bool
        False for metrics with one record a cell, where numbers of answers mean nothing.
    primary_start, primary_end : (J,) int
        Primary window, weeks.
    weeks : int
        Length of the panel.
    ended : (J,) bool
        The action ended before its primary window did.
    compared, fewest : (J,) bool, int
        Enough free units in every week, and the smallest number.
    raw_se : (J,) float
        Raw standard error, metric units; NaN where the unit's own data determine no effect.
    noisy_from : float
        The limit from which it is too noisy, metric units.
    shared, correlation : (J,) float
        Overlap with other actions, and with which correlation.
    disturbed, merged, randomised : (J,) bool
        A known disturbance, a merged log, a drawn order.
    fidelity : (J,) float
        0–100, NaN when nobody recorded it.
    """

    weeks_before: Ints
    weeks_after: Ints
    n_before: Floats
    n_after: Floats
    counts_answers: bool
    primary_start: Ints
    primary_end: Ints
    weeks: int
    ended: Bools
    compared: Bools
    fewest: Ints
    raw_se: Floats
    noisy_from: float
    shared: Floats
    correlation: Floats
    disturbed: Bools
    merged: Bools
    randomised: Bools
    fidelity: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A status other than ``estimated`` with its reason, and the week from which it may change."""

    status: str
    reason: str
    detail: str
    known_from: int | None = None


def expected_spread(settings: Settings) -> float:
    """How far effects of single actions are expected to lie apart before any was seen, reference scale.

    The median of the half-normal priors. The estimated spread will not do: it is larger where the
    scores happened to scatter, so that actions would be told in just those metrics where chance was large.
    """
    return HALF_NORMAL_MEDIAN * hypot(settings.prior_w, settings.prior_v_p, settings.prior_w_c)


def judge_actions(facts: ActionFacts, settings: Settings) -> tuple[list[Refusal | None], list[tuple[str, ...]]]:
    """May the actions' effects be told? The first rule that fails decides; flags come with it."""
    s = settings
    counts = facts.counts_answers
    over = facts.primary_end <= facts.weeks
    unknown_before = (facts.weeks_before < s.baseline_weeks_min) | (counts & (facts.n_before < s.baseline_answers))
    thin = (facts.weeks_after < s.after_weeks_min) | (counts & (facts.n_after < s.after_answers))
    fails = (
        unknown_before,
        thin & ~over,
        thin & facts.ended,
        thin,
        ~facts.compared,
        (facts.shared >= s.overlap_share) | (facts.correlation > s.overlap_correlation),
        ~(facts.raw_se <= facts.noisy_from),
    )
    first = np.argmax([*fails, np.ones_like(over)], axis=0)
    refusals: list[Refusal | None] = [None] * first.shape[0]
    for j in np.flatnonzero(first < len(fails)).tolist():
        refusals[j] = _refusal(REFUSALS[first[j]], facts, j, settings)
    flags: list[tuple[str, ...]] = [()] * first.shape[0]
    for flag, on in (
        ("short_baseline", ~unknown_before & (facts.weeks_before < s.baseline_weeks)),
        ("provisional", ~unknown_before & ~thin & (facts.weeks_after < s.after_weeks)),
        ("merged", facts.merged),
        ("randomised", facts.randomised),
        ("event", facts.disturbed),
    ):
        for j in np.flatnonzero(on).tolist():
            flags[j] = (*flags[j], flag)
    return refusals, flags


def _refusal(reason: str, facts: ActionFacts, j: int, settings: Settings) -> Refusal:
    known_from = None
    if reason == "no_baseline":
        detail = f"{facts.weeks_before[j]} answering weeks and {facts.n_before[j]:.0f} answers before"
    elif reason == "no_comparison":
        detail = f"as few as {facts.fewest[j]} units were free to compare with in a week of the window"
    elif reason == "shared_window":
        detail = f"{facts.shared[j]:.0%} of the primary window is shared, correlation {facts.correlation[j]:.2f}"
    elif reason == "too_noisy":
        detail = "the unit's own weeks do not determine an effect"
        if isfinite(facts.raw_se[j]):
            detail = f"standard error {facts.raw_se[j]:.3g} against a limit of {facts.noisy_from:.3g}"
    else:
        detail = f"{facts.weeks_after[j]} answering weeks and {facts.n_after[j]:.0f} answers in the primary window"
    if reason == "too_early":
        soon = int(facts.primary_start[j]) + settings.after_weeks_min
        waits = facts.weeks_after[j] < settings.after_weeks_min and soon > facts.weeks
        known_from = soon if waits else int(facts.primary_end[j])
    status = "too_early" if reason == "too_early" else "not_estimable"
    return Refusal(status=status, reason=reason, detail=detail, known_from=known_from)


def quality(facts: ActionFacts, settings: Settings) -> Floats:
    """How well actions can be measured: the points of each part of `QUALITY`, (J, 6); they add up to 0–100."""
    s = settings
    before, after = facts.weeks_before / s.baseline_weeks, facts.weeks_after / s.after_weeks
    if facts.counts_answers:
        before = np.minimum(before, facts.n_before / s.baseline_answers)
        after = np.minimum(after, facts.n_after / s.after_answers)
    calm = np.nan_to_num(2.0 - 2.0 * facts.raw_se / facts.noisy_from) if facts.noisy_from > 0 else 0.0 * before
    clean = np.where(facts.disturbed | (facts.shared >= s.overlap_share), 0.0, 1.0 - facts.shared)
    recorded = np.where(facts.fidelity >= 80.0, 1.0, np.where(np.isnan(facts.fidelity), 0.0, 0.5))
    shares = np.stack([facts.fewest / s.comparison_units, before, after, calm, clean, recorded], axis=1)
    return np.asarray(np.floor(np.clip(shares, 0.0, 1.0) * np.array([points for _, points in QUALITY]) + 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionFacts:
    """What the rules need to know of one solution.

    Attributes
    ----------
    p_positive, p_worthwhile : float
        P(Θ > 0) and P(Θ > d).
    claim_low, claim_high : float
        The interval for a single claim.
    alone_low, alone_high : float
        The unshrunk estimate's interval of `proof_level`: what its own uses say without the others.
    effect, heterogeneity : float
        Posterior mean and between-use standard deviation, same unit.
    information : float
        Information share.
    actions, units, regions : int
        Measured uses.
    largest_region : float
        Share of the uses in the commonest region.
    newest : int
        Weeks since the newest use.
    aliased : bool
        Cannot be told apart from another solution.
    leave_out : float or None
        Smallest P(Θ>0) (or of its mirror) with one unit or region left out; None when not computed.
    placebo_green : bool
        Placebos behaved.
    """

    p_positive: float
    p_worthwhile: float
    claim_low: float
    claim_high: float
    alone_low: float
    alone_high: float
    effect: float
    heterogeneity: float
    information: float
    actions: int
    units: int
    regions: int
    largest_region: float
    newest: int
    aliased: bool
    leave_out: float | None
    placebo_green: bool


def standing(information: float, aliased: bool, settings: Settings) -> str:
    """Whether a solution may be ranked."""
    if aliased or information < settings.early_information:
        return NOT_RANKABLE
    return RANKABLE if information >= settings.rankable_information else EARLY


def verdict(facts: SolutionFacts, settings: Settings) -> str:
    """The word for a solution's effect, side effects aside."""
    known = facts.actions > 0 and facts.information >= settings.early_information and not facts.aliased
    if not known:
        return "unknown"
    if 1.0 - facts.p_positive >= 0.975 and max(facts.claim_high, facts.alone_high) < 0:
        return "harmful"
    proven = facts.p_positive >= 0.975 and min(facts.claim_low, facts.alone_low) > 0
    if proven and facts.units >= 4 and facts.information >= 0.4:
        return "works"
    if facts.p_positive >= 0.9:
        return "likely_works"
    if 1.0 - facts.p_worthwhile >= 0.9 and facts.information >= 0.6:
        return "unlikely"
    return "unknown"


def with_side_effects(word: str, p_harm: list[float], settings: Settings) -> str:
    """A working solution that very probably harms another metric is a trade-off."""
    if word in ("works", "likely_works") and any(p >= settings.harm_probability for p in p_harm):
        return "trade_off"
    return word


def evidence(facts: SolutionFacts, settings: Settings) -> tuple[int, tuple[Part, ...]]:
    """How much proof there is, 0–5, with the steps reached and the deductions."""
    info = facts.information
    steps = (
        ("measured", facts.actions >= 1, f"{facts.actions} measured uses"),
        ("information_20", info >= 0.2, f"information {info:.0%}"),
        (
            "several_units",
            info >= 0.4 and facts.actions >= 4 and facts.units >= 3,
            f"{facts.actions} uses in {facts.units} units",
        ),
        (
            "many_units",
            info >= 0.5 and facts.actions >= 8 and facts.units >= 5,
            f"{facts.actions} uses in {facts.units} units",
        ),
        (
            "robust",
            info >= 0.6
            and facts.actions >= 15
            and facts.units >= 8
            and facts.regions >= 2
            and facts.leave_out is not None
            and facts.leave_out >= 0.95
            and facts.placebo_green,
            "holds when any unit or region is left out, placebos quiet",
        ),
    )
    level = 0
    parts: list[Part] = []
    for code, reached, detail in steps:
        reached = bool(reached) and level == len(parts)
        level += int(reached)
        parts.append(Part(code=code, got=1.0 if reached else 0.0, of=1.0, detail=detail))
    deductions = (
        ("old", facts.newest > settings.old_weeks, f"newest use {facts.newest} weeks ago"),
        (
            "one_region",
            facts.largest_region > settings.region_share and facts.actions > 0,
            f"{facts.largest_region:.0%} from one region",
        ),
        (
            "uneven",
            facts.actions > 1 and facts.heterogeneity > abs(facts.effect),
            "uses differ by more than the effect",
        ),
    )
    for code, applies, detail in deductions:
        if applies and level > 0:
            parts.append(Part(code=code, got=-1.0, of=0.0, detail=detail))
            level -= 1
    return max(level, 1 if facts.actions else 0), tuple(parts)
