"""What does the engine give back?

Effects are on the metric's own unit and signed so that positive is better. A field that is None
does not exist (see `reason`); no field is ever NaN or infinite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from .data import Floats

METHOD = "joint-ar1-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A posterior estimate with its interval.

    Attributes
    ----------
    effect, se, low, high : float
        Mean, standard deviation and 95 % quantiles, metric units, positive is better.
    p_positive : float
        Posterior probability that the effect is above zero, 0–1.
    """

    effect: float
    se: float
    low: float
    high: float
    p_positive: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KindEffect:
    """A solution's effect in one kind of unit.

    Attributes
    ----------
    kind : int
        The panel's label.
    uses : int
        Its measured uses there.
    interval : Interval
        Posterior of Θ_k + φ_k,kind.
    late1, late2 : Interval or None
        The same in weeks 15–26 and from week 27; None without data there from any kind.
    p_fades, fades
        As for `SolutionEffect`, in this kind.
    """

    kind: int
    uses: int
    interval: Interval
    late1: Interval | None
    late2: Interval | None
    p_fades: float | None
    fades: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffect:
    """What a solution aimed at another metric changes in this one.

    Attributes
    ----------
    solution : int
        Column of `Actions.solutions`.
    actions : int
        Actions that contribute.
    interval : Interval
        Per use, all weeks after the effective date.
    p_harm : float
        Probability that the effect is below zero; warn only from `Settings.harm_probability`.
    """

    solution: int
    actions: int
    interval: Interval
    p_harm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of a score sheet: `code`, points `got` of `of`, and `detail` (the figures behind it)."""

    code: str
    got: float
    of: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionEffect:
    """A solution's effect on the metric, or why there is none.

    Attributes
    ----------
    solution : int
        Column of `Actions.solutions`.
    status : str
        ``estimated`` or ``not_estimable``.
    reason, detail : str or None
        Reason code and sentence when not estimated; ``always_together`` beside an estimate that
        can't be told apart from another solution's.
    interval : Interval or None
        Posterior of the effect in the primary window, all kinds of unit weighted equally.
    claim_low, claim_high : float or None
        The interval for a single claim: the wider of posterior and robust empirical Bayes.
    p_worthwhile : float or None
        Probability that the effect exceeds the smallest one worth having.
    gls, gls_se : float or None
        Unshrunk estimate and standard error.
    late1, late2 : Interval or None
        Effect in weeks 15–26 and from week 27; None without data there.
    p_fades : float or None
        Probability that less than half of the effect is left from week 27 on.
    fades : bool
        `p_fades` is at least .9 and the effect is positive.
    by_kind : tuple of KindEffect
        "In units like yours".
    heterogeneity : float or None
        Between-use standard deviation, metric units.
    information : float or None
        Information share 1 − Var(θ|y)/w², 0–1.
    standing : str
        ``rankable``, ``early`` or ``not_rankable``.
    actions, units, regions : int
        Measured uses: actions aimed at the metric with data in their primary window.
    naive_change : float or None
        Mean plain before/after change of its actions.
    verdict : str
        ``works``, ``likely_works``, ``unknown``, ``unlikely`` or ``harmful`` (``trade_off`` comes
        from `rules.with_side_effects`).
    evidence : int
        0–5.
    evidence_parts : tuple of Part
        The steps reached and the deductions.
    aliased_with : tuple of int
        Solutions that can't be told apart from this one.
    """

    solution: int
    status: str
    reason: str | None
    detail: str | None
    interval: Interval | None
    claim_low: float | None
    claim_high: float | None
    p_worthwhile: float | None
    gls: float | None
    gls_se: float | None
    late1: Interval | None
    late2: Interval | None
    p_fades: float | None
    fades: bool
    by_kind: tuple[KindEffect, ...]
    heterogeneity: float | None
    information: float | None
    standing: str
    actions: int
    units: int
    regions: int
    naive_change: float | None
    verdict: str
    evidence: int
    evidence_parts: tuple[Part, ...]
    aliased_with: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEffect:
    """What one action changed in the metric, or why that can't be said.

    Attributes
    ----------
    action : int
        Row of `Actions`.
    role : str
        ``target`` or ``side_effect``.
    status : str
        ``estimated``, ``too_early`` or ``not_estimable``.
    reason, detail : str or None
        Reason code and sentence when not estimated.
    interval : Interval or None
        Posterior (BLUP) of the effect in the primary window; what the screen leads with.
    raw, raw_se : float or None
        From this unit's own data alone, other actions at model expectation.
    naive_change : float or None
        Mean of 12 weeks after minus mean of 8 weeks before, answer-weighted; exists even where
        the estimate does not.
    regression_and_season : float or None
        `naive_change` − `raw`: what before/after would have claimed too much.
    weeks_before, weeks_after : int
        Weeks with answers in the 26 weeks before and in the primary window.
    n_before, n_after : float
        Answers in the same windows.
    known_from : int or None
        Week index from which a verdict is possible, when it is too early.
    placebo_p : float or None
        Rank of |raw/se| among placebos, 0–1.
    quality : int or None
        0–100.
    points : tuple of float
        Of each part of `rules.QUALITY`; empty where nothing could be estimated.
    flags : tuple of str
        ``short_baseline``, ``provisional``, ``too_noisy``, ``no_comparison``, ``shared_window``,
        ``merged``, ``randomised``, ``event``, ``noise_inflated``.
    """

    action: int
    role: str
    status: str
    reason: str | None
    detail: str | None
    interval: Interval | None
    raw: float | None
    raw_se: float | None
    naive_change: float | None
    regression_and_season: float | None
    weeks_before: int
    weeks_after: int
    n_before: float
    n_after: float
    known_from: int | None
    placebo_p: float | None
    quality: int | None
    points: tuple[float, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEffects:
    """Every action's effect, a list a field: thousands of them are written without an object each.

    The fields are those of `ActionEffect`, with the interval taken apart.
    """

    role: list[str]
    status: list[str]
    reason: list[str | None]
    detail: list[str | None]
    effect: list[float | None]
    se: list[float | None]
    low: list[float | None]
    high: list[float | None]
    p_positive: list[float | None]
    raw: list[float | None]
    raw_se: list[float | None]
    naive_change: list[float | None]
    regression_and_season: list[float | None]
    weeks_before: list[int]
    weeks_after: list[int]
    n_before: list[float]
    n_after: list[float]
    known_from: list[int | None]
    placebo_p: list[float | None]
    quality: list[int | None]
    points: list[tuple[float, ...]]
    flags: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.status)

    def __iter__(self) -> Iterator[ActionEffect]:
        return (self[action] for action in range(len(self)))

    def __getitem__(self, action: int) -> ActionEffect:
        """One action's."""
        row: dict[str, Any] = {each.name: getattr(self, each.name)[action] for each in fields(self)}
        numbers = {each.name: row.pop(each.name) for each in fields(Interval)}
        known = numbers["effect"] is not None
        return ActionEffect(action=action, interval=Interval(**numbers) if known else None, **row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a fit: `code`, whether it `passed`, the `value` and the `limit` in words."""

    code: str
    passed: bool
    value: float | None
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One unit's weeks with and without an action, for the chart.

    Attributes
    ----------
    week : (P,) float
        First week of each period.
    observed : (P,) float
        Period means, NaN without answers (a gap in the chart, not an estimate).
    counterfactual, low, high : (P,) float
        What would have been without the action, with its 95 % band.
    fitted : (P,) float
        What the model expects with it.
    n : (P,) float
        Answers.
    """

    week: Floats
    observed: Floats
    counterfactual: Floats
    low: Floats
    high: Floats
    fitted: Floats
    n: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A solution's place in a challenge.

    Attributes
    ----------
    solution : int
        Column of `Actions.solutions`.
    rank : int or None
        1 is best by posterior mean; None when not rankable.
    tier : int or None
        Solutions of one tier can't be told apart from their neighbours.
    p_best : float or None
        Probability of being the best of the rankable ones.
    expected_rank : float or None
        E[1 + number of better ones].
    rank_low, rank_high : int or None
        95 % interval of the rank.
    safe : float or None
        10 % quantile of the effect, metric units.
    expected_gain : float or None
        Expected reduction of regret if its effect were known exactly, metric units.
    worth_trying : bool
        A good candidate for the next use: P(best) in [.1, .6] with little information.
    """

    solution: int
    rank: int | None
    tier: int | None
    p_best: float | None
    expected_rank: float | None
    rank_low: int | None
    rank_high: int | None
    safe: float | None
    expected_gain: float | None
    worth_trying: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Solutions of a challenge in order of proven effect, not-rankable ones last.

    Attributes
    ----------
    entries : tuple of Ranked
        Best first.
    better : (R, R) float
        P(row better than column) for the R rankable entries in the same order, diagonal .5.
    safe_pick : int or None
        Solution with the highest 10 % quantile.
    """

    entries: tuple[Ranked, ...]
    better: Floats
    safe_pick: int | None
