"""What do draws of β say about linear readings of it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .data import Floats
from .results import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Draws of R readings, standard deviations times a factor.

    Attributes
    ----------
    centre : (R,) float
        Means.
    away : (R, N) float
        How far the draws lie from there, in order, before the factor.
    factor : (R,) float
        Above 0.
    """

    centre: Floats
    away: Floats
    factor: Floats

    def sd(self) -> Floats:
        """Standard deviation of each reading, (R,)."""
        return np.asarray(self.factor * np.sqrt(np.einsum("rn,rn->r", self.away, self.away) / self.away.shape[1]))

    def quantiles(self, p: Floats) -> Floats:
        """Quantiles of each reading, (R, P)."""
        return np.asarray(self.centre[:, None] + self.factor[:, None] * _between(self.away, p))

    def above(self, threshold: float) -> Floats:
        """P(reading > threshold), (R,); never quite 0 or 1, which so many draws can't show."""
        edge = (threshold - self.centre) / self.factor
        return np.asarray(((self.away > edge[:, None]).sum(axis=1) + 0.5) / (self.away.shape[1] + 1.0))


def quantiles(draws: Floats, p: Floats) -> Floats:
    """Quantiles of each row, (R, P): sorting whole rows takes a fraction of what selecting from them does."""
    return _between(np.sort(draws, axis=1), p)


def _between(ordered: Floats, p: Floats) -> Floats:
    at = (ordered.shape[1] - 1) * p
    low = np.minimum(at.astype(np.int64), ordered.shape[1] - 2)
    return np.asarray(ordered[:, low] + (at - low) * (ordered[:, low + 1] - ordered[:, low]))


def read(draws: Floats, factor: float | Floats = 1.0) -> Read:
    """What draws (R, N) of readings say, standard deviations times `factor`."""
    centre = draws.mean(axis=1)
    away = draws - centre[:, None]
    away.sort(axis=1)
    return Read(centre=centre, away=away, factor=np.broadcast_to(factor, centre.shape))


def linear(beta: Floats, rows: Floats) -> Floats:
    """Readings rows @ β of draws (Q, N), (R, N); of each row only what is not zero is touched."""
    return np.asarray(sparse.csr_array(rows) @ beta)


def intervals(read_: Read, scale: float, level: float) -> list[Interval]:
    """Intervals in metric units of every reading."""
    mean, sd, tail = read_.centre, read_.sd(), 0.5 * (1.0 - level)
    low, high = read_.quantiles(np.array([tail, 1.0 - tail])).T
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
