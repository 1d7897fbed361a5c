"""What does a mixture of normals say about linear readings of β?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .data import Floats
from .effects import Mixture
from .results import Interval

BISECTIONS = 60  # halvings: beyond double precision of a quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Components of R readings.

    Attributes
    ----------
    weight : (K,) float
        Sums to 1.
    mean, sd : (K, R) float
        Of each component.
    """

    weight: Floats
    mean: Floats
    sd: Floats

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each reading, (R,)."""
        mean = self.weight @ self.mean
        variance = self.weight @ (np.square(self.sd) + np.square(self.mean - mean))
        return np.asarray(mean), np.asarray(np.sqrt(variance))

    def above(self, threshold: float | Floats) -> Floats:
        """P(reading > threshold), (R,)."""
        return np.asarray(self.weight @ special.ndtr((self.mean - threshold) / self.sd))

    def quantile(self, p: float) -> Floats:
        """Quantile of each reading, (R,), by bisection on the exact distribution."""
        z = float(special.ndtri(p))
        low = (self.mean + (z - 1e-6) * self.sd).min(axis=0) - 1e-12
        high = (self.mean + (z + 1e-6) * self.sd).max(axis=0) + 1e-12
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            less = 1.0 - self.above(middle) < p
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        return np.asarray(0.5 * (low + high))


def read(mixture: Mixture, rows: Floats, factor: float | Floats = 1.0) -> Read:
    """Readings rows @ β, standard deviations times `factor`."""
    mean = np.stack([rows @ each.mean for each in mixture.components])
    sd = np.stack(
        [np.sqrt(np.maximum(((rows @ each.covariance) * rows).sum(axis=1), 1e-18)) for each in mixture.components]
    )
    return Read(weight=mixture.weight, mean=mean, sd=sd * factor)


def intervals(read_: Read, scale: float, level: float) -> list[Interval]:
    """Intervals in metric units of every reading."""
    mean, sd = read_.moments()
    tail = 0.5 * (1.0 - level)
    low, high, above = read_.quantile(tail), read_.quantile(1.0 - tail), read_.above(0.0)
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


def draw(mixture: Mixture, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draws of β (count, Q) and the w each came with (count,).

    Components get their share of the draws by systematic rounding, so only the normals are random.
    """
    edges = np.rint(np.concatenate([[0.0], np.cumsum(mixture.weight)]) * count).astype(int)
    edges[-1] = count
    width = mixture.mode.mean.shape[0]
    z = rng.standard_normal((count, width))
    out, spread = np.empty((count, width)), np.empty(count)
    for k, each in enumerate(mixture.components):
        part = slice(edges[k], edges[k + 1])
        try:
            root = np.linalg.cholesky(each.covariance)
        except np.linalg.LinAlgError:
            values, vectors = np.linalg.eigh(each.covariance)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
        out[part] = each.mean + z[part] @ root.T
        spread[part] = each.between[0]
    return out, spread
