"""How do scores move when nobody does anything? REML of the noise model."""

from __future__ import annotations

from dataclasses import dataclass

from .results import METHOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Fitted noise of one metric, on the reference scale (see `Settings`).

    Attributes
    ----------
    scale : float
        Reference-scale units per metric unit: internal value = metric value × scale.
    period_weeks : int
        Length of a period, 1, 2 or 4 weeks.
    sampling : float
        Variance of a single answer on the reference scale; 0 for metrics without one.
    v_a : float
        Variance between units.
    v_s, rho : float
        Variance and lag-1 correlation (per period) of a unit's own state.
    nu2 : float
        Extra variance of a cell beyond sampling.
    v_g, rho_g : float
        Variance and lag-1 correlation of region shocks; v_g is 0 when there is one region.
    peak : float
        Power of two above every cell precision; fixes the quantum of exact sums.
    converged : bool
        The optimiser met its tolerance.
    iterations : int
        Steps taken.
    objective : float
        Penalised −2 log restricted likelihood at the optimum, constants dropped.
    method : str
        Method id.
    """

    scale: float
    period_weeks: int
    sampling: float
    v_a: float
    v_s: float
    rho: float
    nu2: float
    v_g: float
    rho_g: float
    peak: float
    converged: bool
    iterations: int
    objective: float
    method: str = METHOD
