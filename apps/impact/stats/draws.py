"""What do draws of β say about linear readings of it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .data import Floats
from .results import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Draws of R readings.

    Attributes
    ----------
    draws : (R, N) float
        All as likely.
    """

    draws: Floats

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each reading, (R,)."""
        return self.draws.mean(axis=1), self.draws.std(axis=1)

    def above(self, threshold: float | Floats) -> Floats:
        """P(reading > threshold), (R,); never quite 0 or 1, which so many draws can't show."""
        return np.asarray(((self.draws > threshold).sum(axis=1) + 0.5) / (self.draws.shape[1] + 1.0))


def quantiles(draws: Floats, p: Floats) -> Floats:
    """Quantiles of each row, (R, P): sorting whole rows takes a fraction of what selecting from them does."""
    ordered, at = np.sort(draws, axis=1), (draws.shape[1] - 1) * p
    low = np.minimum(at.astype(np.int64), draws.shape[1] - 2)
    return np.asarray(ordered[:, low] + (at - low) * (ordered[:, low + 1] - ordered[:, low]))


def read(beta: Floats, rows: Floats, factor: float | Floats = 1.0) -> Read:
    """Readings rows @ β of draws (Q, N), standard deviations times `factor`."""
    draws = linear(beta, rows)
    centre = draws.mean(axis=1, keepdims=True)
    return Read(draws=centre + (draws - centre) * np.reshape(factor, (-1, 1)))


def linear(beta: Floats, rows: Floats) -> Floats:
    """Readings rows @ β of draws (Q, N), (R, N); of each row only what is not zero is touched."""
    return np.asarray(sparse.csr_array(rows) @ beta)


def intervals(read_: Read, scale: float, level: float) -> list[Interval]:
    """Intervals in metric units of every reading."""
    mean, sd = read_.moments()
    tail = 0.5 * (1.0 - level)
    low, high = quantiles(read_.draws, np.array([tail, 1.0 - tail])).T
    above = read_.above(0.0)
    return [
        Interval(
            effect=float(mean[i]) / scale,
            se=float(sd[i]) / scale,
            low=float(low[i]) / scale,
            high=float(high[i]) / scale,
            p_positive=float(above[i]),
        )
        for i in range(mean.shape[0])
    ]
