"""What must not change when nothing of substance does."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from apps.impact.stats.data import DEFAULTS, Actions, Ints, Panel, Settings
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import MetricFit, fit_metric, fit_noise, merge, rank, unit_statistics
from apps.impact.stats.noise import Noise
from tests.impact.stats.simulator import Chain, simulate

RTOL = 1e-5  # another order of units or another origin rounds differently before the optimiser stops


@pytest.fixture(scope="module")
def chain() -> Chain:
    return simulate(5, units=70, weeks=52, actions=90, solutions=8)


@pytest.fixture(scope="module")
def noise(chain: Chain) -> Noise:
    return fit_noise(chain.panel, chain.actions)


@pytest.fixture(scope="module")
def fit(chain: Chain, noise: Noise) -> MetricFit:
    return fit_metric(chain.panel, chain.actions, noise=noise)


def take(panel: Panel, units: Ints) -> Panel:
    return replace(panel, y=panel.y[units], n=panel.n[units], region=panel.region[units], kind=panel.kind[units])


def of_units(actions: Actions, units: Ints) -> Actions:
    """Actions of some units, renumbered to rows of the chunk."""
    mine = np.flatnonzero(np.isin(actions.unit, units))
    place = {int(u): i for i, u in enumerate(units)}
    picked = {
        f.name: getattr(actions, f.name)[mine] for f in fields(actions) if f.name not in ("challenge", "unit")
    }
    return Actions(
        unit=np.array([place[int(u)] for u in actions.unit[mine]], dtype=np.int64),
        challenge=actions.challenge,
        **picked,
    )


def effects(fit: MetricFit) -> np.ndarray:
    return np.array([s.interval.effect for s in fit.solutions if s.interval])


def test_the_same_seed_gives_the_same_bits(chain: Chain, noise: Noise, fit: MetricFit) -> None:
    again = fit_metric(chain.panel, chain.actions, noise=noise)
    assert again.solutions == fit.solutions
    assert again.actions == fit.actions
    assert again.checks == fit.checks
    assert np.array_equal(again.draws, fit.draws)
    assert fit_noise(chain.panel, chain.actions) == noise


@pytest.mark.parametrize("cuts", [(35,), (1, 2, 40), tuple(range(7, 70, 7))])
def test_chunking_changes_no_bit(chain: Chain, noise: Noise, fit: MetricFit, cuts: tuple[int, ...]) -> None:
    parts = [
        unit_statistics(take(chain.panel, units), of_units(chain.actions, units), noise, units=units)
        for units in np.split(np.arange(70), cuts)
    ]
    whole = merge([pickle.loads(pickle.dumps(part)) for part in parts[::-1]])
    one = unit_statistics(chain.panel, chain.actions, noise)
    for name in ("units", "block_count", "s", "c", "cy", "yy", "log_det", "regions", "w", "wy"):
        assert np.array_equal(getattr(whole, name), getattr(one, name)), name
    again = fit_metric(chain.panel, chain.actions, noise=noise, statistics=whole)
    assert again.solutions == fit.solutions
    assert again.actions == fit.actions


def test_an_incremental_refresh_equals_a_full_refit(chain: Chain, noise: Noise) -> None:
    y, n = chain.panel.y.copy(), chain.panel.n.copy()
    y[3, 40], n[3, 40] = 9.5, 12.0
    changed = replace(chain.panel, y=y, n=n)
    chunks = np.split(np.arange(70), 7)
    old = [unit_statistics(take(chain.panel, u), of_units(chain.actions, u), noise, units=u) for u in chunks]
    fresh = unit_statistics(take(changed, chunks[0]), of_units(chain.actions, chunks[0]), noise, units=chunks[0])
    refreshed = fit_metric(changed, chain.actions, noise=noise, statistics=merge([fresh, *old[1:]]))
    full = fit_metric(changed, chain.actions, noise=noise)
    assert refreshed.solutions == full.solutions
    assert refreshed.actions == full.actions


def test_unit_labels_do_not_matter(chain: Chain, fit: MetricFit, noise: Noise) -> None:
    order = np.random.default_rng(0).permutation(70)
    shuffled = fit_metric(take(chain.panel, order), of_units(chain.actions, order), noise=noise)
    np.testing.assert_allclose(effects(shuffled), effects(fit), rtol=RTOL, atol=1e-7)


def test_a_constant_added_to_all_scores_does_not_matter(chain: Chain, fit: MetricFit) -> None:
    moved = fit_metric(replace(chain.panel, y=chain.panel.y + 100.0), chain.actions)
    np.testing.assert_allclose(effects(moved), effects(fit), rtol=1e-4, atol=1e-6)


def test_another_unit_of_measurement_scales_the_effects(chain: Chain, fit: MetricFit) -> None:
    panel = replace(chain.panel, y=chain.panel.y * 10.0, within_variance=chain.panel.within_variance * 100.0)
    np.testing.assert_allclose(
        effects(fit_metric(panel, chain.actions)), 10.0 * effects(fit), rtol=1e-4, atol=1e-6
    )


def test_empty_weeks_at_the_ends_do_not_matter(chain: Chain, fit: MetricFit, noise: Noise) -> None:
    panel = chain.panel
    empty = np.full((70, 4), np.nan)
    longer = replace(panel, y=np.hstack([empty, panel.y]), n=np.hstack([np.zeros((70, 4)), panel.n]))
    later = replace(chain.actions, start=chain.actions.start + 4)
    np.testing.assert_allclose(effects(fit_metric(longer, later, noise=noise)), effects(fit), rtol=RTOL, atol=1e-7)


def test_units_without_answers_do_not_matter(chain: Chain, fit: MetricFit, noise: Noise) -> None:
    panel = chain.panel
    more = Panel(
        y=np.vstack([panel.y, np.full((5, panel.weeks), np.nan)]),
        n=np.vstack([panel.n, np.zeros((5, panel.weeks))]),
        within_variance=panel.within_variance,
        region=np.append(panel.region, np.zeros(5, dtype=np.int64)),
        kind=np.append(panel.kind, np.zeros(5, dtype=np.int64)),
    )
    np.testing.assert_allclose(effects(fit_metric(more, chain.actions, noise=noise)), effects(fit), rtol=RTOL)


def test_additive_truth_is_recovered_from_combinations() -> None:
    r = np.random.default_rng(3)
    units, weeks = 200, 60
    base = 7.0 + r.normal(0, 0.4, (units, 1)) + r.normal(0, 0.1, weeks)
    unit = np.arange(150)
    start = r.integers(15, 30, 150)
    solutions = np.zeros((150, 3), dtype=np.bool_)
    solutions[:50, 0] = solutions[50:100, 1] = True
    solutions[100:, :2] = True
    effect = solutions @ np.array([0.6, -0.4, 0.0])
    y = base + r.normal(0, 2.2 / np.sqrt(40), (units, weeks))
    for j in range(150):
        y[unit[j], start[j] :] += effect[j]
    panel = Panel(
        y=y,
        n=np.full((units, weeks), 40.0),
        within_variance=2.2**2,
        region=np.zeros(units, dtype=np.int64),
        kind=np.zeros(units, dtype=np.int64),
    )
    done = Actions(
        unit=unit,
        start=start,
        end=np.full(150, 999),
        aimed=np.ones(150, dtype=np.bool_),
        solutions=solutions,
        lag=np.zeros(150, dtype=np.int64),
        randomised=np.zeros(150, dtype=np.bool_),
        fidelity=np.full(150, np.nan),
    )
    found = fit_metric(panel, done)
    for k, truth in enumerate((0.6, -0.4)):
        interval = found.solutions[k].interval
        assert interval is not None
        assert interval.effect == pytest.approx(truth, abs=0.08)
        assert interval.low < truth < interval.high
    assert found.solutions[2].reason == "never_used"


def test_an_action_without_its_own_weeks_has_no_raw_effect(chain: Chain) -> None:
    j = int(np.flatnonzero(chain.actions.start < 30)[0])
    u, t = int(chain.actions.unit[j]), int(chain.actions.start[j])
    y, n = chain.panel.y.copy(), chain.panel.n.copy()
    y[u, t:], n[u, t:] = np.nan, 0.0
    found = fit_metric(replace(chain.panel, y=y, n=n), chain.actions)
    effect = found.actions[j]
    assert (effect.interval, effect.raw, effect.placebo_p) == (None, None, None)
    assert effect.status == "not_estimable"
    assert effect.reason == "too_few_answers"


def test_statistics_of_another_panel_are_refused(chain: Chain, noise: Noise) -> None:
    part = unit_statistics(take(chain.panel, np.arange(10)), of_units(chain.actions, np.arange(10)), noise)
    with pytest.raises(NotEstimable, match="bad_chunk"):
        fit_metric(chain.panel, chain.actions, noise=noise, statistics=part)
    with pytest.raises(NotEstimable, match="two chunks"):
        merge([part, part])


def test_settings_are_part_of_the_answer(chain: Chain, noise: Noise, fit: MetricFit) -> None:
    other = fit_metric(chain.panel, chain.actions, Settings(smallest_effect=2.0), noise=noise)
    worth = [s.p_worthwhile for s in other.solutions if s.p_worthwhile is not None]
    assert max(worth) < 0.01
    assert DEFAULTS.smallest_effect is None
    assert any((s.p_worthwhile or 0) > 0.2 for s in fit.solutions)


def test_a_refresh_on_the_same_answers_gives_the_same_bits(chain: Chain, noise: Noise, fit: MetricFit) -> None:
    again = fit_metric(chain.panel, chain.actions, noise=noise, spreads=fit.spreads)
    assert again.actions == fit.actions
    assert again.solutions == fit.solutions
    assert again.checks == fit.checks
    np.testing.assert_array_equal(again.draws, fit.draws)


def test_the_order_in_units_like_yours_is_read_off_the_same_draws(chain: Chain, fit: MetricFit) -> None:
    kinds = np.unique(chain.panel.kind)
    assert sorted(fit.draws_in) == kinds.tolist()
    for solution in fit.solutions:
        for here in solution.by_kind:
            drawn = fit.draws_in[here.kind][:, solution.solution]
            slack = 5 * here.interval.se / np.sqrt(drawn.shape[0])
            assert drawn.mean() == pytest.approx(here.interval.effect, abs=slack)
            assert drawn.std() == pytest.approx(here.interval.se, rel=0.1)
            assert (here.late2 is None) == (here.p_fades is None)
    every = range(chain.actions.solution_count)
    there = rank(fit, every, kind=int(kinds[0]))
    able = [entry.solution for entry in there.entries if entry.rank is not None]
    means = fit.draws_in[int(kinds[0])][:, able].mean(axis=0)
    assert (np.diff(means) <= 0).all()
    assert rank(fit, every, kind=99).entries == rank(fit, every).entries
