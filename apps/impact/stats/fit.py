"""How do cells and actions of one metric become effects?

Everything here is deterministic given `Settings.seed`: identical to the bit whatever the chunking.
A network that is too small does not raise: the fit carries the reason and the plain changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .data import DEFAULTS, Actions, Floats, Ints, Panel, Settings
from .noise import Noise
from .results import METHOD, ActionEffect, Check, Ranking, Series, SideEffect, SolutionEffect
from .sufficient import UnitStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFit:
    """One metric's effects.

    Attributes
    ----------
    solutions : tuple of SolutionEffect
        One for every column of `Actions.solutions`, in order (those never aimed at the metric
        carry `reason="never_used"`).
    side_effects : tuple of SideEffect
        Effects here of solutions aimed at other metrics, only those that were used.
    actions : tuple of ActionEffect
        One for every row of `Actions`, in order.
    checks : tuple of Check
        What was checked, and whether it held.
    noise : Noise or None
        None when the network is too small.
    reason, detail : str or None
        ``network_too_small``, ``no_answers`` or ``constant`` when nothing was estimated.
    draws : (draws, R) float
        Posterior draws of the effects of `drawn`, metric units.
    drawn : (R,) int
        Solutions with draws.
    inflation : float
        Factor already applied to the standard errors because placebos were too wide, 1 or more.
    converged : bool
        Noise and evidence maximisation both met their tolerance.
    method : str
        Method id.
    """

    solutions: tuple[SolutionEffect, ...]
    side_effects: tuple[SideEffect, ...]
    actions: tuple[ActionEffect, ...]
    checks: tuple[Check, ...]
    noise: Noise | None
    reason: str | None
    detail: str | None
    draws: Floats
    drawn: Ints
    inflation: float
    converged: bool
    method: str = METHOD


def fit_noise(panel: Panel, actions: Actions, settings: Settings = DEFAULTS, start: Noise | None = None) -> Noise:
    """Fit the noise model; raises NotEstimable (network_too_small, no_answers, constant)."""
    raise NotImplementedError


def unit_statistics(
    panel: Panel, actions: Actions, noise: Noise, settings: Settings = DEFAULTS, units: Ints | None = None
) -> UnitStatistics:
    """Sufficient statistics of some units (default all): additive with `merge`, picklable, cacheable."""
    raise NotImplementedError


def merge(parts: Sequence[UnitStatistics]) -> UnitStatistics:
    """Put chunks together again; the order of `parts` does not matter, to the bit."""
    raise NotImplementedError


def fit_metric(
    panel: Panel,
    actions: Actions,
    settings: Settings = DEFAULTS,
    noise: Noise | None = None,
    statistics: UnitStatistics | None = None,
) -> MetricFit:
    """Estimate everything for one metric; `noise` and `statistics` are computed when not given."""
    raise NotImplementedError


def counterfactual(fit: MetricFit, panel: Panel, action_index: int) -> Series:
    """One action's unit with and without it; raises NotEstimable when the action has no estimate."""
    raise NotImplementedError


def rank(fit: MetricFit, subset: Sequence[int], settings: Settings = DEFAULTS) -> Ranking:
    """Rank the solutions of a challenge (columns of `Actions.solutions`) from the fit's draws."""
    raise NotImplementedError
