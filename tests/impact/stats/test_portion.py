"""Does a part of a fit draw the same weeks as the whole?"""

from __future__ import annotations

import pickle
from dataclasses import astuple

import numpy as np
import pytest

from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import counterfactual, fit_metric
from apps.impact.stats.portion import cut, draw
from tests.impact.stats.simulator import simulate


@pytest.mark.parametrize("size", [7, 50])
def test_a_portion_draws_to_the_bit_what_the_whole_fit_draws(size: int) -> None:
    chain = simulate(3, actions=120)
    fit = fit_metric(chain.panel, chain.actions)
    assert len(np.unique(fit.state.model.group)) > 1
    drawn = 0
    for start in range(0, 120, size):
        units = np.arange(start, min(start + size, 120))
        mine = np.flatnonzero(
            np.isin(chain.actions.unit, units) & [each.interval is not None for each in fit.actions]
        )
        portion = pickle.loads(pickle.dumps(cut(fit, chain.panel, units, mine)))
        for series, action in zip(draw(portion), mine, strict=True):
            for whole, part in zip(
                astuple(counterfactual(fit, chain.panel, int(action))),
                astuple(series),
                strict=True,
            ):
                np.testing.assert_array_equal(whole, part)
            drawn += 1
    assert drawn > 20


def test_a_portion_is_small_however_large_the_fit() -> None:
    sizes = []
    for units in (60, 180):
        chain = simulate(3, units=units, weeks=60, actions=units, solutions=4)
        fit = fit_metric(chain.panel, chain.actions)
        mine = np.flatnonzero((chain.actions.unit < 10) & [each.interval is not None for each in fit.actions])
        sizes.append(len(pickle.dumps(cut(fit, chain.panel, np.arange(10), mine))))
    assert sizes[1] < 2 * sizes[0]


def test_nothing_estimated_gives_no_portion() -> None:
    chain = simulate(3, units=10, weeks=30, actions=5, solutions=2)
    fit = fit_metric(chain.panel, chain.actions)
    with pytest.raises(NotEstimable, match="network_too_small"):
        cut(fit, chain.panel, np.arange(10), np.arange(1))
