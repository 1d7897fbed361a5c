"""Is the order what the draws say, and no more?"""

from __future__ import annotations

import numpy as np
import pytest

from apps.impact.stats.data import DEFAULTS
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.ranking import expected_rank, rank_draws
from apps.impact.stats.robust import cva, robust_half_width, worst_non_coverage

RANKABLE = dict.fromkeys(range(6), "rankable")


def draws(means: list[float], sd: float = 0.1, count: int = 4000) -> np.ndarray:
    return np.random.default_rng(0).normal(means, sd, (count, len(means)))


def test_the_order_is_by_posterior_mean_and_ties_by_number() -> None:
    ranking = rank_draws(draws([0.1, 0.3, 0.2]), np.arange(3), [2, 0, 1, 1], RANKABLE, DEFAULTS)
    assert [entry.solution for entry in ranking.entries] == [1, 2, 0]
    assert [entry.rank for entry in ranking.entries] == [1, 2, 3]
    assert sum(entry.p_best or 0 for entry in ranking.entries) == pytest.approx(1.0)
    assert sum(entry.expected_rank or 0 for entry in ranking.entries) == pytest.approx(6.0)


def test_neighbours_that_cannot_be_told_apart_share_a_tier() -> None:
    ranking = rank_draws(draws([0.5, 0.48, 0.0, -0.01]), np.arange(4), range(4), RANKABLE, DEFAULTS)
    assert [entry.tier for entry in ranking.entries] == [1, 1, 2, 2]
    assert ranking.better[0, 2] > 0.99
    np.testing.assert_allclose(ranking.better + ranking.better.T, 1.0)


def test_what_is_not_rankable_has_no_place_but_may_be_worth_trying() -> None:
    wide = draws([0.3, 0.2, 0.25])
    wide[:, 2] = np.random.default_rng(1).normal(0.2, 0.4, 4000)
    standing = {0: "rankable", 1: "rankable", 2: "early", 3: "not_rankable"}
    ranking = rank_draws(wide, np.arange(3), [0, 1, 2, 3], standing, DEFAULTS)
    last = {entry.solution: entry for entry in ranking.entries}
    assert last[2].rank is None
    assert last[2].worth_trying
    assert (last[2].expected_gain or 0) > 0.05
    assert last[3].expected_gain is None
    assert not last[3].worth_trying


@pytest.mark.parametrize("seed", range(20))
def test_knowing_better_what_is_never_best_is_worth_nothing_and_never_less(seed: int) -> None:
    x = np.random.default_rng(seed).normal([0.62, 0.31, 0.0], 0.01, (4000, 3))
    ranking = rank_draws(x, np.arange(3), range(3), RANKABLE, DEFAULTS)
    gains = [entry.expected_gain for entry in ranking.entries]
    assert gains == pytest.approx([0.0] * 3, abs=1e-12)
    assert all(gain is not None and gain >= 0.0 for gain in gains)


def test_the_safe_pick_prefers_certainty() -> None:
    x = draws([0.30, 0.25])
    x[:, 0] = np.random.default_rng(2).normal(0.30, 0.4, 4000)
    ranking = rank_draws(x, np.arange(2), [0, 1], RANKABLE, DEFAULTS)
    assert ranking.entries[0].solution == 0
    assert ranking.safe_pick == 1


def test_nothing_to_rank_is_an_empty_answer() -> None:
    ranking = rank_draws(np.zeros((10, 0)), np.zeros(0, dtype=np.int64), [4, 5], RANKABLE, DEFAULTS)
    assert [entry.rank for entry in ranking.entries] == [None, None]
    assert ranking.better.shape == (0, 0)
    assert ranking.safe_pick is None


def test_equal_effects_have_equal_expected_ranks() -> None:
    np.testing.assert_allclose(expected_rank(np.zeros(5), np.eye(5)), 3.0)


def test_robust_interval_covers_the_worst_prior() -> None:
    chi = cva(0.7)
    r = np.random.default_rng(3)
    for far in (0.7, 1.5, 3.0, 6.0):
        b = np.where(r.random(400_000) < 0.7 / far**2, far, 0.0) if far**2 > 0.7 else np.full(400_000, far)
        missed = np.abs(r.normal(size=b.shape[0]) + b) > chi
        assert missed.mean() < 0.052
    assert worst_non_coverage(0.7, chi) == pytest.approx(0.05, abs=1e-8)


def test_robust_width_has_sensible_limits() -> None:
    assert robust_half_width(0.1, 100.0) == pytest.approx(0.196, abs=1e-3)
    assert robust_half_width(0.1, 0.0) == 0.0
    assert 0 < robust_half_width(100.0, 0.1) < 0.6
    with pytest.raises(NotEstimable):
        cva(-1.0)
    with pytest.raises(NotEstimable):
        cva(float("nan"))
