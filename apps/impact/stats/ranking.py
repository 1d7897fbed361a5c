"""Which solution of a challenge is best, and how sure is the order?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from .data import Floats, Ints, Settings
from .draws import quantiles
from .results import Ranked, Ranking


def expected_rank(mean: Floats, covariance: Floats) -> Floats:
    """Expected ranks of normal effects, 1 is best.

    ER_i = 1 + Σ_l Φ((θ_l − θ_i) / √(v_i + v_l − 2 c_il))

    Parameters
    ----------
    mean : (R,) float
        Posterior means.
    covariance : (R, R) float
        Posterior covariance.

    References
    ----------
    Lingsma et al. (2010), Med. Decis. Making 30(4), doi:10.1177/0272989X09353452.
    """
    variance = np.diagonal(covariance)
    spread = variance[:, None] + variance[None, :] - 2.0 * covariance
    np.fill_diagonal(spread, 1.0)
    better = special.ndtr((mean[None, :] - mean[:, None]) / np.sqrt(np.maximum(spread, 1e-300)))
    np.fill_diagonal(better, 0.0)
    return np.asarray(1.0 + better.sum(axis=1))


def rank_draws(
    draws: Floats, drawn: Ints, subset: Sequence[int], standing: Mapping[int, str], settings: Settings
) -> Ranking:
    """Rank a challenge's solutions.

    Parameters
    ----------
    draws : (N, R) float
        Posterior draws of the effects of `drawn`, metric units.
    drawn : (R,) int
        Solutions with draws.
    subset : sequence of int
        The challenge's solutions.
    standing : mapping
        ``rankable``, ``early`` or ``not_rankable`` of each solution.
    settings : Settings
        Thresholds.

    Returns
    -------
    Ranking
    """
    column = {int(k): i for i, k in enumerate(drawn)}
    wanted = list(dict.fromkeys(int(k) for k in subset))
    known = [k for k in wanted if k in column]
    of = dict(zip(known, draws.T[[column[k] for k in known]], strict=True))
    means = {k: float(mine.mean()) for k, mine in of.items()}
    able = [k for k in known if standing.get(k) == "rankable"]
    able.sort(key=lambda k: (-means[k], k))
    rest = [k for k in wanted if k not in able]
    rest.sort(key=lambda k: (-means.get(k, -np.inf), k))
    count, total = len(able), draws.shape[0]
    x = np.stack([of[k] for k in able]) if count else np.zeros((0, total))
    higher = np.zeros((count, count))
    place = np.ones((count, total), dtype=np.int16)
    for i in range(count):
        above = x[i] > x
        higher[i] = np.count_nonzero(above, axis=1)
        place += above
    equal = total - higher - higher.T
    for i, later in np.argwhere(np.triu(equal, 1) > 0):
        place[later] += x[i] == x[later]
    better = higher / total + 0.5 * (equal / total)
    np.fill_diagonal(better, 0.5)
    tail = 0.5 * (1.0 - settings.level)
    low, high = np.sort(place, axis=1)[:, np.rint((total - 1) * np.array([tail, 1.0 - tail])).astype(int)].T
    careful = (
        quantiles(np.stack(list(of.values())), np.array([settings.safe_quantile])) if of else np.zeros((0, 1))
    )
    safe = dict(zip(known, careful[:, 0].tolist(), strict=True))
    entries: list[Ranked] = []
    tier = 1
    for i, k in enumerate(able):
        if i and better[i - 1, i] >= settings.tier_probability:
            tier += 1
        entries.append(
            Ranked(
                solution=k,
                rank=i + 1,
                tier=tier,
                p_best=float((place[i] == 1).mean()),
                expected_rank=float(place[i].mean()),
                rank_low=int(low[i]),
                rank_high=int(high[i]),
                safe=safe[k],
                expected_gain=_gain(of[k], means, k, able),
                worth_trying=False,
            )
        )
    top = x.max(axis=0) if count else None
    for k in rest:
        chance = None
        if k in of:
            chance = 1.0 if top is None else float((of[k] > top).mean())
        entries.append(
            Ranked(
                solution=k,
                rank=None,
                tier=None,
                p_best=None,
                expected_rank=None,
                rank_low=None,
                rank_high=None,
                safe=safe.get(k),
                expected_gain=_gain(of[k], means, k, able) if k in of else None,
                worth_trying=chance is not None and 0.1 <= chance <= 0.6,
            )
        )
    pick = max(able, key=lambda k: (safe[k], -k)) if able else None
    return Ranking(entries=tuple(entries), better=better, safe_pick=pick)


def _gain(draws: Floats, means: Mapping[int, float], k: int, able: Sequence[int]) -> float:
    """E[max(Θ_k, best other mean, 0)] − max of the means and 0: what knowing Θ_k would be worth."""
    other = max([means[m] for m in able if m != k] + [0.0])
    # Below 0 it is by rounding only.
    return max(0.0, float(np.maximum(draws, other).mean() - max(other, means[k])))
