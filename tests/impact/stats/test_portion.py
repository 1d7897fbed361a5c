"""Does a part of a fit draw the same weeks as the whole?"""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from apps.impact.stats import portion as kept
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import MetricFit, counterfactual, fit_metric
from apps.impact.stats.series import draw
from tests.impact.stats.simulator import Chain, simulate


def edges(units: int, size: int) -> np.ndarray:
    return np.append(np.arange(0, units, size), units)


def bodies(fit: MetricFit, chain: Chain, size: int) -> list[bytes]:
    parts = kept.portions(fit.state.model, fit.state.joint, chain.panel, edges(chain.panel.units, size))
    return [kept.portion_to_bytes(part, {}) for part in parts]


@pytest.mark.parametrize("size", [7, 50])
def test_a_portion_draws_to_the_bit_what_the_whole_fit_draws(size: int) -> None:
    chain = simulate(3, actions=120)
    fit = fit_metric(chain.panel, chain.actions)
    model, joint = fit.state.model, fit.state.joint
    assert len(np.unique(model.group)) > 1
    common, facts = kept.common_from_bytes(
        kept.common_to_bytes(kept.common(model, joint, fit.inflation), sign=1, first_week="2024-01-01")
    )
    assert facts == {"sign": 1, "first_week": "2024-01-01"}
    groups = [
        kept.group_from_bytes(kept.group_to_bytes(kept.group(joint, number)))
        for number in range(joint.weeks.shape[0])
    ]
    drawn = 0
    for number, body in enumerate(bodies(fit, chain, size)):
        some, _ = kept.portion_from_bytes(body)
        for action in np.flatnonzero(chain.actions.unit // size == number):
            if fit.actions[action].interval is None:
                continue
            unit = int(chain.actions.unit[action]) - number * size
            wanted = model.done.of_action[action : action + 1]
            [series] = draw(common, groups[some.group[unit]], some, unit, wanted)
            for whole, part in zip(
                astuple(counterfactual(fit, chain.panel, int(action))), astuple(series), strict=True
            ):
                np.testing.assert_array_equal(whole, part)
            drawn += 1
    assert drawn > 20


def test_a_unit_draws_all_its_actions_at_once() -> None:
    chain = simulate(3, actions=120)
    fit = fit_metric(chain.panel, chain.actions)
    model, joint = fit.state.model, fit.state.joint
    unit = int(np.bincount(model.done.unit).argmax())
    mine = np.flatnonzero(model.done.unit == unit)
    part = next(kept.portions(model, joint, chain.panel, np.array([unit, unit + 1])))
    common, group = kept.common(model, joint, fit.inflation), kept.group(joint, int(model.group[unit]))
    together = draw(common, group, part, 0, mine)
    assert len(together) == mine.size > 1
    for number, series in zip(mine, together, strict=True):
        [alone] = draw(common, group, part, 0, np.array([number]))
        for one, other in zip(astuple(series), astuple(alone), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_portion_is_small_however_large_the_fit() -> None:
    sizes = []
    for units in (60, 180):
        chain = simulate(3, units=units, weeks=60, actions=units, solutions=4)
        fit = fit_metric(chain.panel, chain.actions)
        sizes.append(len(bodies(fit, chain, 10)[0]))
    assert sizes[1] < 1.5 * sizes[0]


def test_bytes_of_something_else_are_refused() -> None:
    chain = simulate(3, units=40, weeks=40, actions=40, solutions=4)
    fit = fit_metric(chain.panel, chain.actions)
    group = kept.group_to_bytes(kept.group(fit.state.joint, 0))
    common = kept.common_to_bytes(kept.common(fit.state.model, fit.state.joint, 1.0))
    portion = bodies(fit, chain, 10)[0]
    for read, wrong in (
        (kept.common_from_bytes, group),
        (kept.common_from_bytes, common[:-8]),
        (kept.group_from_bytes, portion),
        (kept.portion_from_bytes, group),
        (kept.portion_from_bytes, portion.replace(b"joint-", b"other-")),
    ):
        with pytest.raises(NotEstimable, match="bad_chunk"):
            read(wrong)
