"""How much does each driver contribute to an outcome? Shares of R² that add up.

References
----------
Lindeman, Merenda, Gold (1980); Grömping (2006), J. Stat. Softw. 17(1), eqs 6-8, doi:10.18637/jss.v017.i01.
Johnson (2000), Multivar. Behav. Res. 35(1), doi:10.1207/S15327906MBR3501_1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np

from .data import Floats
from .errors import NotEstimable

EXACT_MAX = 14  # 2**14 subsets: a second
EIGEN_MIN = 1e-10  # of a correlation matrix: below, two drivers are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Contributions to R².

    Attributes
    ----------
    share : (P,) float
        Of each driver, 0–1; they add up to `r2`.
    r2 : float
        Explained variance, 0–1.
    """

    share: Floats
    r2: float


def correlations(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Correlation matrix of the drivers (P, P) and with the outcome (P,).

    Raises
    ------
    NotEstimable
        ``too_few_rows`` or ``constant``.
    """
    rows, count = x.shape
    if rows < count + 3:
        raise NotEstimable("too_few_rows", f"{rows} rows for {count} drivers")
    both = np.column_stack([x, y])
    both = both - both.mean(axis=0)
    sd = np.sqrt(np.square(both).mean(axis=0))
    if (
        not np.isfinite(sd).all()
        or (sd <= 1e-12 * np.maximum(np.abs(np.column_stack([x, y])).max(axis=0), 1.0)).any()
    ):
        raise NotEstimable("constant", "a driver or the outcome does not vary")
    r = (both / sd).T @ (both / sd) / rows
    return r[:count, :count], r[:count, count]


def lmg(between: Floats, outcome: Floats) -> Shares:
    """Average gain in R² over all orders of entry.

    Parameters
    ----------
    between : (P, P) float
        Correlations of the drivers.
    outcome : (P,) float
        Correlations with the outcome.

    Raises
    ------
    NotEstimable
        ``too_many_drivers`` or ``collinear``.
    """
    count = outcome.shape[0]
    if count > EXACT_MAX:
        raise NotEstimable("too_many_drivers", f"{count} drivers, at most {EXACT_MAX}")
    _refuse_collinear(between)
    r2: dict[tuple[int, ...], float] = {(): 0.0}
    for size in range(1, count + 1):
        for chosen in combinations(range(count), size):
            pick = np.asarray(chosen)
            solved = np.linalg.solve(between[np.ix_(pick, pick)], outcome[pick])
            r2[chosen] = float(outcome[pick] @ solved)
    share = np.zeros(count)
    for chosen, value in r2.items():
        size = len(chosen)
        if size == count:
            continue
        weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        for k in set(range(count)) - set(chosen):
            share[k] += weight * (r2[tuple(sorted((*chosen, k)))] - value)
    return Shares(share=share, r2=r2[tuple(range(count))])


def johnson(between: Floats, outcome: Floats) -> Shares:
    """Relative weights through the closest orthogonal variables; for any number of drivers."""
    _refuse_collinear(between)
    values, vectors = np.linalg.eigh(between)
    loading = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    weight = np.linalg.solve(loading, outcome)
    share = np.square(loading) @ np.square(weight)
    return Shares(share=np.asarray(share), r2=float(np.square(weight).sum()))


def _refuse_collinear(between: Floats) -> None:
    if np.linalg.eigvalsh(between).min() < EIGEN_MIN:
        raise NotEstimable("collinear", "some drivers are combinations of others")
