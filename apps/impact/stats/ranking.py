"""Which solution of a challenge is best, and how sure is the order?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from .data import Floats, Ints, Settings
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
    able = [k for k in wanted if k in column and standing.get(k) == "rankable"]
    means = {k: float(draws[:, column[k]].mean()) for k in wanted if k in column}
    able.sort(key=lambda k: (-means[k], k))
    rest = [k for k in wanted if k not in able]
    rest.sort(key=lambda k: (-means.get(k, -np.inf), k))
    x = draws[:, [column[k] for k in able]]
    count = len(able)
    better = np.full((count, count), 0.5)
    by_solution = np.ascontiguousarray(x.T)
    for i in range(count):
        above, same = by_solution[i] > by_solution, by_solution[i] == by_solution
        better[i] = above.mean(axis=1) + 0.5 * same.mean(axis=1)
    np.fill_diagonal(better, 0.5)
    place = np.argsort(np.argsort(-x, axis=1, kind="stable"), axis=1, kind="stable") + 1 if count else x
    tail = 0.5 * (1.0 - settings.level)
    low, high = (
        np.quantile(place, [tail, 1.0 - tail], axis=0, method="nearest") if count else np.zeros((2, 0), dtype=int)
    )
    entries: list[Ranked] = []
    tier = 1
    safe = {k: float(np.quantile(draws[:, column[k]], settings.safe_quantile)) for k in wanted if k in column}
    for i, k in enumerate(able):
        if i and better[i - 1, i] >= settings.tier_probability:
            tier += 1
        entries.append(
            Ranked(
                solution=k,
                rank=i + 1,
                tier=tier,
                p_best=float((place[:, i] == 1).mean()),
                expected_rank=float(place[:, i].mean()),
                rank_low=int(low[i]),
                rank_high=int(high[i]),
                safe=safe[k],
                expected_gain=_gain(draws, column, means, k, able),
                worth_trying=False,
            )
        )
    top = x.max(axis=1) if count else None
    for k in rest:
        chance = None
        if k in column:
            chance = 1.0 if top is None else float((draws[:, column[k]] > top).mean())
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
                expected_gain=_gain(draws, column, means, k, able) if k in column else None,
                worth_trying=chance is not None and 0.1 <= chance <= 0.6,
            )
        )
    pick = max(able, key=lambda k: (safe[k], -k)) if able else None
    return Ranking(entries=tuple(entries), better=better, safe_pick=pick)


def _gain(
    draws: Floats, column: Mapping[int, int], means: Mapping[int, float], k: int, able: Sequence[int]
) -> float:
    """E[max(Θ_k, best other mean, 0)] − max of the means and 0: what knowing Θ_k would be worth."""
    other = max([means[m] for m in able if m != k] + [0.0])
    return float(np.maximum(draws[:, column[k]], other).mean() - max(other, means[k]))
