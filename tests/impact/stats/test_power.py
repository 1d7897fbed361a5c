"""Does the promised precision come true?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from apps.impact.stats.data import Actions
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import fit_metric
from apps.impact.stats.power import DETECTABLE, action_power, rollout_power, units_needed, wedge
from tests.impact.stats.simulator import Chain, simulate


@pytest.fixture(scope="module")
def chain() -> Chain:
    return simulate(11, units=120, weeks=60, actions=120)


def test_an_action_is_promised_the_precision_it_gets(chain: Chain) -> None:
    fit = fit_metric(chain.panel, chain.actions)
    assert fit.noise is not None
    promised, got = [], []
    for effect in fit.actions:
        if effect.raw_se is not None and effect.weeks_after == 12 and not effect.flags:
            promised.append(action_power(chain.panel, fit.noise, int(chain.actions.unit[effect.action])).se)
            got.append(effect.raw_se)
    assert len(got) >= 10
    assert np.median(np.array(got) / np.array(promised)) == pytest.approx(1.0, abs=0.15)


def test_more_units_show_smaller_effects(chain: Chain) -> None:
    fit = fit_metric(chain.panel, chain.actions)
    assert fit.noise is not None
    few = rollout_power(chain.panel, fit.noise, range(5), wedge(5, 4, 3, 1))
    many = rollout_power(chain.panel, fit.noise, range(40), wedge(40, 4, 3, 1))
    assert many.detectable < 0.6 * few.detectable
    needed = units_needed(chain.panel, fit.noise, few.detectable)
    assert 2 <= needed.units <= 10
    assert needed.detectable <= few.detectable
    with pytest.raises(NotEstimable, match="out_of_reach"):
        units_needed(chain.panel, fit.noise, 1e-3)


def test_a_launch_everywhere_at_once_can_show_nothing(chain: Chain) -> None:
    fit = fit_metric(chain.panel, chain.actions)
    assert fit.noise is not None
    with pytest.raises(NotEstimable, match="too_few_answers"):
        rollout_power(chain.panel, fit.noise, range(120), [0] * 120)


def test_the_drawn_order_is_even_and_repeatable() -> None:
    drawn = wedge(10, 4, 3, 7)
    assert drawn == wedge(10, 4, 3, 7)
    assert drawn != wedge(10, 4, 3, 8)
    assert sorted(np.unique(drawn).tolist()) == [0, 3, 6, 9]
    assert max(np.bincount(drawn)) <= 3
    with pytest.raises(NotEstimable, match="bad_input"):
        wedge(0, 4, 3, 7)


def test_the_smallest_detectable_effect_is_detected_four_times_in_five(chain: Chain) -> None:
    """Effects of that size are put on drawn roll-outs in chains without other actions."""
    quiet = simulate(5, units=60, weeks=60, actions=0, solutions=1)
    noise = fit_metric(quiet.panel, quiet.actions).noise
    assert noise is not None
    units, starts = np.arange(0, 60, 3), np.array(wedge(20, 4, 3, 1))
    promised = rollout_power(quiet.panel, noise, units.tolist(), starts.tolist(), follow=24)
    found = []
    for seed in range(12):
        world = simulate(300 + seed, units=60, weeks=60, actions=0, solutions=1)
        y = world.panel.y.copy()
        begin = 26 + starts
        for unit, week in zip(units, begin, strict=True):
            y[unit, week:] += promised.detectable
        done = Actions(
            unit=units,
            start=begin,
            end=np.full(20, 10**6),
            aimed=np.ones(20, dtype=np.bool_),
            solutions=np.ones((20, 1), dtype=np.bool_),
            lag=np.zeros(20, dtype=np.int64),
            randomised=np.ones(20, dtype=np.bool_),
            fidelity=np.full(20, np.nan),
        )
        told = fit_metric(replace(world.panel, y=y), done).solutions[0]
        assert told.gls is not None
        assert told.gls_se is not None
        found.append((told.gls / told.gls_se, told.gls_se / promised.se))
    z, ratio = np.array(found).T
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.2)
    assert np.mean(z) == pytest.approx(DETECTABLE, abs=0.9)
    assert np.mean(z > 1.96) >= 0.55
