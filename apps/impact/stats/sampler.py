"""What do solutions change, when some of them change next to nothing?

Prior: with probability π a solution is useless, Θ_k ~ N(0, s²); else Θ_k ~ N(m + c, w²), with c of its
challenge. π, m, c and w are unknown too. The data say exp(h'Θ − Θ'MΘ/2).

Gibbs sampling with the data made orthogonal (Ghosh, Clyde 2011, J. Am. Stat. Assoc. 106(495), §2): with a
diagonal L above M, draw η ~ N((L − M)Θ, L − M). Given h + η all Θ_k are independent, so which of them are
useless is drawn with Θ integrated out. Many chains run side by side; every second one has the mirrored
random numbers of its neighbour (all but those of π), which cancels most of the simulation error of means.

References
----------
Mitchell, Beauchamp (1988), J. Am. Stat. Assoc. 83(404), doi:10.1080/01621459.1988.10478694;
George, McCulloch (1993), J. Am. Stat. Assoc. 88(423), doi:10.1080/01621459.1993.10476353.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .data import Bools, Floats, Ints, Settings
from .narrow import Narrow

KNOWN_MIN = 1e-8  # information below is none
SHARE_MIN = 1e-9  # a share of useless solutions is never quite 0 or 1
WIDTHS = 16  # values of w that are drawn from


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Draws from the posterior.

    Attributes
    ----------
    theta : (N, K) float
        Θ.
    useless : (N, K) bool
        Drawn from the useless part.
    middle, home : (N,), (N, C) float
        m and c.
    width, share : (N,) float
        w and π.
    point : (N,) int
        Which information it was drawn from.
    """

    theta: Floats
    useless: Bools
    middle: Floats
    home: Floats
    width: Floats
    share: Floats
    point: Ints


def widths(settings: Settings, count: int = WIDTHS) -> Floats:
    """Standard deviations between solutions that are thought of."""
    return np.geomspace(0.02, 0.9, count) * (settings.prior_w / 0.30)


class Mirrored:
    """Random numbers for chains of which every second mirrors its neighbour."""

    def __init__(self, rng: np.random.Generator, chains: int) -> None:
        self.rng = rng
        self.chains = chains

    def normal(self, count: int) -> Floats:
        """Standard normals, (chains, count)."""
        return self._both(self.rng.standard_normal((self.chains // 2, count)))

    def logistic(self, count: int) -> Floats:
        """Standard logistics, (chains, count)."""
        return self._both(self.rng.logistic(size=(self.chains // 2, count)))

    def uniform(self) -> Floats:
        """Between 0 and 1, (chains, 1)."""
        return 0.5 + self._both(self.rng.random((self.chains // 2, 1)) - 0.5)

    def _both(self, z: Floats) -> Floats:
        out = np.empty((z.shape[0], 2, z.shape[1]))
        out[:, 0] = z
        np.negative(z, out=out[:, 1])
        return out.reshape(self.chains, -1)


def sample(
    points: Sequence[Narrow],
    weight: Floats,
    home: Floats,
    start: float,
    settings: Settings,
    rng: np.random.Generator,
) -> Sample:
    """Draw from the posterior of Θ.

    Parameters
    ----------
    points : sequence of Narrow
        Information at some values of v_p.
    weight : (V,) float
        Posterior weights of these values; each gets its share of the chains.
    home : (K, C) float
        1 where a solution has a challenge's mean.
    start : float
        The w to start from.
    settings : Settings
        Priors and numbers of draws.
    rng : Generator
        Where randomness comes from.

    Returns
    -------
    Sample
        `settings.draws` draws, those from one information after those from another.
    """
    s, chains = settings, settings.chains
    random = Mirrored(rng, chains)
    edges = 2 * np.rint(np.concatenate([[0.0], np.cumsum(weight)]) * (chains // 2)).astype(int)
    edges[-1] = chains
    point = np.repeat(np.arange(len(points)), np.diff(edges))
    parts = [(i, slice(edges[i], edges[i + 1])) for i in range(len(points)) if edges[i] < edges[i + 1]]
    above, gap, root = (np.stack(each) for each in zip(*(_orthogonal(here.m) for here in points), strict=True))
    level, h = above[point], np.stack([here.h for here in points])[point]
    count, challenges = home.shape
    w, share, mu = np.full((chains, 1), start), np.full((chains, 1), 0.5), np.zeros((chains, count))
    theta = h / (level + 1.0 / start**2) + random.normal(count) / np.sqrt(level)
    sweeps, grid = -(-s.draws // chains), widths(s)
    kept = [np.empty((s.draws, *shape)) for shape in ((count,), (count,), (), (challenges,), (), ())]
    for sweep in range(s.burn_in + sweeps):
        extra, z = np.empty((chains, count)), random.normal(count)
        for i, part in parts:
            extra[part] = theta[part] @ gap[i] + z[part] @ root[i]
        theta, useless = _effects(h + extra, level, mu, w, share, s, random)
        middle, centre = _centres(theta, useless, home, w, s, random)
        mu = middle + centre @ home.T
        w = _widths(theta - mu, useless, grid, s, random)
        few = useless.sum(axis=1, keepdims=True)
        share = rng.beta(s.prior_useless + few, s.prior_useful + count - few)
        share = np.clip(share, SHARE_MIN, 1.0 - SHARE_MIN)
        if sweep >= s.burn_in:
            begin = (sweep - s.burn_in) * chains
            now = (theta, useless, middle[:, 0], centre, w[:, 0], share[:, 0])
            for whole, each in zip(kept, now, strict=True):
                whole[begin : begin + chains] = each[: s.draws - begin]
    of_draw = np.tile(point, sweeps)[: s.draws]
    order = np.argsort(of_draw, kind="stable")
    return Sample(
        theta=kept[0][order],
        useless=kept[1][order] > 0,
        middle=kept[2][order],
        home=kept[3][order],
        width=kept[4][order],
        share=kept[5][order],
        point=of_draw[order],
    )


def _effects(
    seen: Floats, level: Floats, mu: Floats, w: Floats, share: Floats, settings: Settings, random: Mirrored
) -> tuple[Floats, Bools]:
    """Θ and which of them are useless, drawn together, given h + η (`seen`) and its precisions (`level`)."""
    narrow, pull = settings.useless_sd**2, 1.0 / np.square(w)
    little, much = narrow + 1.0 / level, np.square(w) + 1.0 / level
    mean = seen / level
    odds = np.log(share) - np.log1p(-share) + 0.5 * np.log(much / little)
    odds += 0.5 * (np.square(mean - mu) / much - np.square(mean) / little)
    useless = random.logistic(mean.shape[1]) < odds
    precision = level + np.where(useless, 1.0 / narrow, pull)
    theta = (seen + np.where(useless, 0.0, pull * mu)) / precision
    return theta + random.normal(mean.shape[1]) / np.sqrt(precision), useless


def _centres(
    theta: Floats, useless: Bools, home: Floats, w: Floats, settings: Settings, random: Mirrored
) -> tuple[Floats, Floats]:
    """m with c integrated out, then c, given the effects of the others."""
    works, pull, apart = 1.0 - useless, 1.0 / np.square(w), settings.challenge_sd**2
    told, alone = works * theta, 1.0 - home.sum(axis=1, keepdims=True)
    many, total = works @ home, told @ home
    weight = np.where(many > 0, 1.0 / (apart + np.square(w) / np.maximum(many, 1.0)), 0.0)
    known = 1.0 / settings.middle_sd**2 + weight.sum(axis=1, keepdims=True) + pull * (works @ alone)
    middle = (weight * total / np.maximum(many, 1.0)).sum(axis=1, keepdims=True) + pull * (told @ alone)
    middle = middle / known + random.normal(1) / np.sqrt(known)
    known = 1.0 / apart + many * pull
    centre = (total - many * middle) * pull / known + random.normal(home.shape[1]) / np.sqrt(known)
    return middle, centre


def _widths(away: Floats, useless: Bools, grid: Floats, settings: Settings, random: Mirrored) -> Floats:
    """w, given how far the others lie from their mean."""
    square = np.where(useless, 0.0, np.square(away)).sum(axis=1, keepdims=True)
    many, log = (~useless).sum(axis=1, keepdims=True), np.log(grid)
    value = (log - 0.5 * np.square(grid / settings.prior_w)) - many * log - square * (0.5 / np.square(grid))
    weight = np.exp(value - value.max(axis=1, keepdims=True))
    steps = weight @ np.triu(np.ones((grid.size, grid.size)))  # sums up to here
    place = (steps < random.uniform() * steps[:, -1:]).sum(axis=1, keepdims=True)
    return np.asarray(grid[place])


def fresh(drawn: Sample, count: int, settings: Settings, rng: np.random.Generator) -> Floats:
    """Draws (N, count) of what solutions would do of which nothing is known yet."""
    shape = (drawn.share.shape[0], count)
    z, useless = rng.standard_normal(shape), rng.random(shape) < drawn.share[:, None]
    works = drawn.middle[:, None] + drawn.width[:, None] * z
    return np.where(useless, settings.useless_sd * z, works)


def _orthogonal(m: Floats) -> tuple[Floats, Floats, Floats]:
    """A diagonal L above M, L − M, and a matrix whose square it is."""
    diagonal = np.maximum(np.diagonal(m), KNOWN_MIN)
    if not diagonal.size:
        return diagonal, m, m
    scaled = m / np.sqrt(np.outer(diagonal, diagonal))
    above = diagonal * max(float(np.linalg.eigvalsh(scaled)[-1]), 1.0) * 1.0001
    gap = np.diag(above) - m
    values, vectors = np.linalg.eigh(gap)
    return above, gap, np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
