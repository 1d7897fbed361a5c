"""What does the engine read, and with which constants?

Notation used throughout the package: U units, T weeks, J actions, S solutions; u a unit, t a week,
j an action, k a solution. Week 0 is the first week of the panel; every window is half open.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def _no_ints() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Weekly cells of one metric.

    Attributes
    ----------
    y : (U, T) float
        Cell means on the metric's own unit, signed so that positive is better; NaN without answers.
    n : (U, T) float
        Effective number of answers behind each mean, 0 without answers.
    within_variance : float or None
        Pooled within-cell variance of single answers, in squared metric units; None for metrics
        that have none (one operational record a cell).
    region : (U,) int
        Region of each unit, any labels.
    kind : (U,) int
        Kind (format) of each unit, any labels.
    usable : (U, T) bool or None
        False in weeks inside a closure or outage: they are dropped; None keeps all.
    event_unit, event_start, event_end : (E,) int
        Known disturbances other than closures: unit and half-open weeks; each gets its own
        nuisance shift. Empty by default.
    """

    y: Floats
    n: Floats
    within_variance: float | None
    region: Ints
    kind: Ints
    usable: Bools | None = None
    event_unit: Ints = field(default_factory=_no_ints)
    event_start: Ints = field(default_factory=_no_ints)
    event_end: Ints = field(default_factory=_no_ints)

    @property
    def units(self) -> int:
        """Number of units U."""
        return int(self.y.shape[0])

    @property
    def weeks(self) -> int:
        """Number of weeks T."""
        return int(self.y.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Everything done in the units of a panel, seen from one metric.

    Attributes
    ----------
    unit : (J,) int
        Row of the panel.
    start : (J,) int
        Week of the effective date; may lie outside [0, T).
    end : (J,) int
        First week in which the action no longer runs; T or more when it still does.
    aimed : (J,) bool
        True when this metric is the action's target, False when it can only be a side effect here.
    solutions : (J, S) bool
        Which solutions went in.
    lag : (J,) int
        Weeks by which the primary window is shifted, 0 or more.
    randomised : (J,) bool
        The order of the roll-out was drawn by lot.
    fidelity : (J,) float
        Share of the recipe carried out, 0–100; NaN when nobody recorded it.
    challenge : (S,) int or None
        Home challenge of each solution; used for a common mean when four or more share the metric.
    """

    unit: Ints
    start: Ints
    end: Ints
    aimed: Bools
    solutions: Bools
    lag: Ints
    randomised: Bools
    fidelity: Floats
    challenge: Ints | None = None

    @property
    def count(self) -> int:
        """Number of actions J."""
        return int(self.unit.shape[0])

    @property
    def solution_count(self) -> int:
        """Number of solutions S, used or not."""
        return int(self.solutions.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Windows, priors and thresholds; frozen per organisation, a change is a new version.

    Lengths are weeks. Standard deviations are on the reference scale (0–10 answers whose
    within-cell standard deviation is 2.2); the engine rescales every metric to it and back.
    """

    ramp_weeks: int = 3  # protocol: an action takes hold within three weeks
    primary_end: int = 15  # protocol: twelve weeks judge an action
    late_end: int = 27  # protocol: one more quarter, then "long after"
    merge_weeks: int = 3  # protocol: logs this close are one intervention
    naive_before: int = 8  # what a dashboard compares
    naive_after: int = 12  # what a dashboard compares
    reference_sd: float = 2.2  # sd of single 0–10 answers, large surveys
    operational_sd: float = 0.75  # sd of weekly means on the reference scale at 15 answers
    smallest_effect: float | None = None  # metric units; None: 0.05 within-cell sd
    smallest_effect_share: float = 0.05  # of the within-cell sd; Cohen's "trivial" is 0.2
    prior_w: float = 0.30  # half-normal scale: between solutions
    useless_sd: float = 0.055  # what useless solutions do: half the smallest effect worth having
    prior_useless: float = 1.0  # beta prior of the share of useless solutions, likeliest at none:
    prior_useful: float = 2.0  # unless the data say so, effects are one normal
    middle_sd: float = 0.30  # mean of the solutions that do something: as far out as they lie apart
    prior_v_p: float = 0.15  # half-normal scale: between uses
    prior_v_b: float = 0.10  # half-normal scale: between blocks of a use
    prior_w_c: float = 0.10  # half-normal scale: between kinds of unit
    prior_w_sd: float = 0.10  # half-normal scale: side effects
    prior_v_sb: float = 0.08  # half-normal scale: side effects between uses
    prior_w_l: float = 0.25  # median of the lognormal: change when late, wide enough for an effect to be gone
    prior_w_l_log_sd: float = 0.05  # log sd of the same, narrow: left free it collapses and hides fading
    ramp_sd: float = 1.0  # wide: the ramp must not leak into the target
    mean_sd: float = 2.0  # wide: common means, variance 4
    challenge_sd: float = 0.15  # between challenges sharing a metric
    challenge_min: int = 4  # challenges needed for their own means
    interaction_sd: float = 0.10  # pairs of solutions
    interaction_min: int = 8  # joint uses, and uses of each alone
    block_sd: float = 1.0  # disturbances, and what is left after an action ended
    noise_block_sd: float = 10.0  # blocks while the noise is fitted: 1 takes a tenth to a quarter off v_s
    variance_floor: float = 1e-3  # soft floor of v_s, nu², v_g
    rho_min: float = 0.02  # AR(1) bounds: off-diagonals stay invertible
    rho_max: float = 0.985  # AR(1) bounds: beyond is a random walk
    noise_units: int = 200  # enough for six variance parameters
    noise_units_min: int = 60  # below this the AR(1) is badly known
    region_units_min: int = 10  # smaller regions get no shocks of their own
    draws: int = 4000  # Monte-Carlo error of a 2.5 % tail: 0.25 %
    chains: int = 100  # run side by side, an even number
    burn_in: int = 20  # sweeps until the start is all but forgotten: it moves no mean by .03 sd
    seed: int = 20240229  # any fixed number
    level: float = 0.95  # coverage of every interval
    proof_level: float = 0.975  # of the unshrunk interval a proof must clear: many solutions are read at once
    network_units: int = 15  # fewer: descriptive only
    network_weeks: int = 20  # fewer: descriptive only
    baseline_weeks: int = 8  # full baseline
    baseline_weeks_min: int = 4  # flagged baseline
    baseline_answers: int = 30  # answers in the baseline window
    baseline_window: int = 26  # weeks looked back for answers
    after_weeks: int = 8  # primary weeks with answers, full
    after_weeks_min: int = 4  # the same, provisional
    after_answers: int = 30  # answers in the primary window
    comparison_units: int = 10  # answering units outside windows, each week
    precision_ratio: float = 2.0  # raw SE against the spread of effects expected before any was seen
    overlap_share: float = 0.5  # of the primary window
    overlap_correlation: float = 0.8  # of two actions' raw effects
    alias_correlation: float = 0.9  # of two solutions' unshrunk effects
    rankable_information: float = 0.5  # information share, rankable
    early_information: float = 0.2  # information share, early
    tier_probability: float = 0.8  # below: neighbours can't be told apart
    safe_quantile: float = 0.10  # the careful choice
    harm_probability: float = 0.95  # side effects: most are exactly zero
    old_weeks: int = 104  # evidence: newest use older than 24 months
    region_share: float = 0.8  # evidence: almost all from one region
    placebo_actions: int = 150  # pseudo-actions per fit
    sandwich_ratio: float = 1.3  # clustered against model SE


DEFAULTS = Settings()
