"""How do a metric's weekly cells become periods on the reference scale?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .data import Bools, Floats, Panel, Settings
from .errors import NotEstimable

PERIODS = (1, 2, 4)
LARGEST = 1e100  # squares and sums of squares stay finite
SMALLEST = 1e-200  # and do not vanish


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How metric values become internal ones.

    Attributes
    ----------
    scale : float
        Internal value = metric value × scale.
    sampling : float
        Variance of one answer on the reference scale, 0 when the metric has none.
    period_weeks : int
        1, 2 or 4.
    """

    scale: float
    sampling: float
    period_weeks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Periods of some units, weeks-first for the recursions.

    Attributes
    ----------
    y : (P, U) float
        Means on the reference scale, 0 where there is none.
    n : (P, U) float
        Answers, 0 where there is none.
    weekly : (U, T) float
        Answers by week, to spread windows over periods.
    period_weeks : int
        Weeks in a period.
    """

    y: Floats
    n: Floats
    weekly: Floats
    period_weeks: int


def answers(panel: Panel) -> Floats:
    """Answers a week, 0 where a cell is missing, dropped or not a number; (U, T)."""
    good = np.isfinite(panel.y) & np.isfinite(panel.n) & (panel.n > 0)
    if panel.usable is not None:
        good &= panel.usable
    return np.where(good, panel.n, 0.0)


def answering(weekly: Floats) -> Bools:
    """Units with an answer in any week, (U,)."""
    return np.asarray(weekly.max(axis=1, initial=0.0) > 0)


def choose_period(panel: Panel) -> int:
    """Weeks per period.

    The shortest of 1, 2 and 4 weeks in which the median period of a unit, between its first and
    last answer, holds at least three answers. For metrics without within-cell variance, where a
    record is not an answer: in which three periods of four hold a record.
    """
    n = answers(panel)
    wanted, share = (3.0, 0.5) if panel.within_variance else (1.0, 0.25)
    seen = n > 0
    if not seen.any():
        return 1
    first = seen.argmax(axis=1)
    last = n.shape[1] - seen[:, ::-1].argmax(axis=1)
    week = np.arange(n.shape[1])
    active = (week >= first[:, None]) & (week < last[:, None]) & seen.any(axis=1, keepdims=True)
    for length in PERIODS:
        total, alive = fold(n, length).sum(axis=2), fold(active, length).any(axis=2)
        if np.quantile(total[alive], share) >= wanted:
            return length
    return PERIODS[-1]


def scaling(panel: Panel, settings: Settings) -> Scaling:
    """How to bring a metric to the reference scale.

    Metrics with a within-cell variance are divided by its root and multiplied by the reference
    standard deviation; the others by the within-unit standard deviation of their cells.

    Raises
    ------
    NotEstimable
        ``no_answers`` without any cell, ``constant`` when nothing varies, ``out_of_range`` for scores
        whose squares overflow.
    """
    n = answers(panel)
    seen = n > 0
    if not seen.any():
        raise NotEstimable("no_answers", "the metric has no answers")
    y = np.where(seen, panel.y, 0.0)
    units = seen.sum(axis=1, keepdims=True)
    mean = y.sum(axis=1, keepdims=True) / np.maximum(units, 1)
    spread = np.where(seen, y - mean, 0.0)
    freedom = float(seen.sum() - (units > 0).sum())
    size = float(np.abs(y[seen]).max())
    if not size < LARGEST:
        raise NotEstimable("out_of_range", f"scores as large as {size:.3g}")
    between = float(np.square(spread).sum()) / freedom if freedom > 0 else 0.0
    if between <= (1e-9 * size) ** 2 or between < SMALLEST:
        raise NotEstimable("constant", "the metric never changes within a unit")
    variance = panel.within_variance
    if variance is not None and np.isfinite(variance) and variance > 1e-6 * between:
        return Scaling(
            scale=settings.reference_sd / float(np.sqrt(variance)),
            sampling=settings.reference_sd**2,
            period_weeks=choose_period(panel),
        )
    return Scaling(
        scale=settings.operational_sd / float(np.sqrt(between)), sampling=0.0, period_weeks=choose_period(panel)
    )


def cells(panel: Panel, scaled: Scaling, origin: float) -> Cells:
    """Fold weeks into periods on the reference scale, `origin` (metric units) becoming zero."""
    weekly = answers(panel)
    y = np.where(weekly > 0, panel.y, origin) - origin
    if scaled.period_weeks == 1:
        return Cells(
            y=np.ascontiguousarray((y * scaled.scale).T),
            n=np.ascontiguousarray(weekly.T),
            weekly=weekly,
            period_weeks=1,
        )
    n = fold(weekly, scaled.period_weeks).sum(axis=2)
    total = fold(weekly * y, scaled.period_weeks).sum(axis=2)
    mean = np.where(n > 0, total / np.where(n > 0, n, 1.0), 0.0) * scaled.scale
    return Cells(
        y=np.ascontiguousarray(mean.T),
        n=np.ascontiguousarray(n.T),
        weekly=weekly,
        period_weeks=scaled.period_weeks,
    )


def precision(n: Floats, sampling: float, nu2: float) -> Floats:
    """Precision of each cell's mean given its expectation; 0 without answers."""
    seen = n > 0
    return np.where(seen, 1.0 / (sampling / np.where(seen, n, 1.0) + nu2), 0.0)


def fold(x: Floats | Bools, length: int) -> Floats:
    """(U, T) → (U, P, length), zero-padded at the end."""
    units, weeks = x.shape
    periods = -(-weeks // length)
    out = np.zeros((units, periods * length))
    out[:, :weeks] = x
    return out.reshape(units, periods, length)
