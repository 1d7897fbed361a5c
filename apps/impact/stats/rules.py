"""What may be said, and in which word? Every cell enters the fit; these rules decide what is told."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, hypot

from .data import Settings
from .results import Part

RANKABLE, EARLY, NOT_RANKABLE = "rankable", "early", "not_rankable"
HALF_NORMAL_MEDIAN = 0.6744897501960817  # 75 % quantile of the normal


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """What the rules need to know of one action.

    Attributes
    ----------
    weeks_before, weeks_after : int
        Answering weeks in the baseline and primary windows.
    n_before, n_after : float
        Answers in them.
    counts_answers : bool
        False for metrics with one record a cell, where numbers of answers mean nothing.
    primary_start, primary_end, weeks : int
        Primary window and length of the panel, weeks.
    ended : bool
        The action ended before its primary window did.
    compared, fewest : bool, int
        Enough free units in every week, and the smallest number.
    has_raw : bool
        The unit's own data determine an effect.
    raw_se, noisy_from : float
        Raw standard error and the limit from which it is too noisy, metric units.
    shared, correlation : float
        Overlap with other actions, and with which correlation.
    disturbed, merged, randomised : bool
        A known disturbance, a merged log, a drawn order.
    fidelity : float or None
        0–100.
    """

    weeks_before: int
    weeks_after: int
    n_before: float
    n_after: float
    counts_answers: bool
    primary_start: int
    primary_end: int
    weeks: int
    ended: bool
    compared: bool
    fewest: int
    has_raw: bool
    raw_se: float
    noisy_from: float
    shared: float
    correlation: float
    disturbed: bool
    merged: bool
    randomised: bool
    fidelity: float | None


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


def judge_action(facts: ActionFacts, settings: Settings) -> tuple[Refusal | None, tuple[str, ...]]:
    """May an action's effect be told? The first rule that fails decides; flags come with it."""
    s = settings
    flags: list[str] = []
    known = facts.primary_start + s.after_weeks_min
    over = facts.primary_end <= facts.weeks
    refusal: Refusal | None = None
    if facts.weeks_before < s.baseline_weeks_min or (facts.counts_answers and facts.n_before < s.baseline_answers):
        refusal = Refusal(
            status="not_estimable",
            reason="no_baseline",
            detail=f"{facts.weeks_before} answering weeks and {facts.n_before:.0f} answers before",
        )
    elif facts.weeks_before < s.baseline_weeks:
        flags.append("short_baseline")
    if refusal is None:
        enough = not facts.counts_answers or facts.n_after >= s.after_answers
        if facts.weeks_after < s.after_weeks_min or not enough:
            detail = f"{facts.weeks_after} answering weeks and {facts.n_after:.0f} answers in the primary window"
            if not over:
                later = (
                    known if facts.weeks_after < s.after_weeks_min and known > facts.weeks else facts.primary_end
                )
                refusal = Refusal(status="too_early", reason="too_early", detail=detail, known_from=later)
            elif facts.ended:
                refusal = Refusal(status="not_estimable", reason="ended_early", detail=detail)
            else:
                refusal = Refusal(status="not_estimable", reason="too_few_answers", detail=detail)
        elif facts.weeks_after < s.after_weeks:
            flags.append("provisional")
    if refusal is None and not facts.compared:
        refusal = Refusal(
            status="not_estimable",
            reason="no_comparison",
            detail=f"as few as {facts.fewest} units were free to compare with in a week of the window",
        )
    if refusal is None and (facts.shared >= s.overlap_share or facts.correlation > s.overlap_correlation):
        refusal = Refusal(
            status="not_estimable",
            reason="shared_window",
            detail=f"{facts.shared:.0%} of the primary window is shared, correlation {facts.correlation:.2f}",
        )
    if refusal is None and (not facts.has_raw or facts.raw_se > facts.noisy_from):
        detail = "the unit's own weeks do not determine an effect"
        if facts.has_raw:
            detail = f"standard error {facts.raw_se:.3g} against a limit of {facts.noisy_from:.3g}"
        refusal = Refusal(status="not_estimable", reason="too_noisy", detail=detail)
    for flag, on in (("merged", facts.merged), ("randomised", facts.randomised), ("event", facts.disturbed)):
        if on:
            flags.append(flag)
    return refusal, tuple(flags)


def quality(facts: ActionFacts, settings: Settings) -> tuple[int, tuple[Part, ...]]:
    """How well an action can be measured, 0–100, with its score sheet."""
    s = settings
    counts = facts.counts_answers
    before = min(
        _share(facts.weeks_before, s.baseline_weeks), _share(facts.n_before, s.baseline_answers) if counts else 1.0
    )
    after = min(
        _share(facts.weeks_after, s.after_weeks), _share(facts.n_after, s.after_answers) if counts else 1.0
    )
    noise = 0.0
    if facts.has_raw and facts.noisy_from > 0:
        noise = min(max(2.0 - 2.0 * facts.raw_se / facts.noisy_from, 0.0), 1.0)
    clean = 0.0 if facts.disturbed or facts.shared >= s.overlap_share else 1.0 - facts.shared
    fidelity = 0.0
    if facts.fidelity is not None:
        fidelity = 10.0 if facts.fidelity >= 80.0 else 5.0
    comparison = _share(facts.fewest, s.comparison_units)
    got = (
        (
            "comparison",
            30.0,
            _points(30.0 * comparison),
            f"{facts.fewest} units to compare with in the thinnest week",
        ),
        (
            "baseline",
            20.0,
            _points(20.0 * before),
            f"{facts.weeks_before} weeks, {facts.n_before:.0f} answers before",
        ),
        ("after", 15.0, _points(15.0 * after), f"{facts.weeks_after} weeks, {facts.n_after:.0f} answers after"),
        (
            "precision",
            15.0,
            _points(15.0 * noise),
            f"standard error {facts.raw_se:.3g}" if facts.has_raw else "not determined",
        ),
        (
            "clean_window",
            10.0,
            _points(10.0 * clean),
            f"{facts.shared:.0%} shared, disturbance" if facts.disturbed else f"{facts.shared:.0%} shared",
        ),
        ("fidelity", 10.0, fidelity, "not recorded" if facts.fidelity is None else f"{facts.fidelity:.0f} %"),
    )
    parts = tuple(Part(code=code, got=points, of=full, detail=detail) for code, full, points, detail in got)
    return int(sum(part.got for part in parts)), parts


def _share(value: float, full: float) -> float:
    return min(max(value / full, 0.0), 1.0) if full > 0 else 0.0


def _points(value: float) -> float:
    return float(floor(value + 1e-9))


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
