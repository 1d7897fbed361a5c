"""How do sparse weeks, dropped weeks and other scales reach the model?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from apps.impact.stats.blocks import PRIMARY, RAMP, interventions, lay_out, levels, rows, sums
from apps.impact.stats.cells import Scaling, answers, cells, choose_period, scaling
from apps.impact.stats.data import DEFAULTS, Actions, Panel
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import fit_metric
from tests.impact.stats.simulator import simulate


def flat(n: np.ndarray, variance: float | None = 4.84) -> Panel:
    units = n.shape[0]
    y = np.random.default_rng(0).normal(7, 1, n.shape)
    return Panel(
        y=np.where(n > 0, y, np.nan),
        n=n,
        within_variance=variance,
        region=np.zeros(units, dtype=np.int64),
        kind=np.zeros(units, dtype=np.int64),
    )


@pytest.mark.parametrize(("answers_a_week", "weeks"), [(10.0, 1), (3.0, 1), (2.0, 2), (1.0, 4), (0.2, 4)])
def test_periods_lengthen_until_three_answers_are_usual(answers_a_week: float, weeks: int) -> None:
    assert choose_period(flat(np.full((20, 60), answers_a_week))) == weeks


def test_one_record_a_cell_needs_one_record_a_period() -> None:
    n = np.zeros((20, 64))
    n[:, ::4] = 1
    assert choose_period(flat(n, None)) == 4
    n[:, ::2] = 1
    assert choose_period(flat(n, None)) == 2
    assert choose_period(flat(np.ones((20, 64)), None)) == 1


def test_periods_hold_the_answer_weighted_mean() -> None:
    n = np.array([[1.0, 3.0, 0.0, 2.0, 5.0]])
    panel = replace(flat(n), y=np.array([[2.0, 6.0, np.nan, 4.0, 8.0]]))
    cell = cells(panel, Scaling(scale=1.0, sampling=4.84, period_weeks=2), 0.0)
    np.testing.assert_allclose(cell.n[:, 0], [4.0, 2.0, 5.0])
    np.testing.assert_allclose(cell.y[:, 0], [5.0, 4.0, 8.0])
    share = rows(np.array([0]), np.array([1]), np.array([4]), cell)
    np.testing.assert_allclose(share[:, 0], [0.75, 1.0, 0.0])


def test_closures_are_dropped() -> None:
    panel = flat(np.full((3, 10), 5.0))
    usable = np.ones((3, 10), dtype=np.bool_)
    usable[1, 2:4] = False
    assert answers(replace(panel, usable=usable))[1].tolist() == [5, 5, 0, 0, 5, 5, 5, 5, 5, 5]


def test_scaling_refuses_what_does_not_vary() -> None:
    panel = flat(np.full((3, 10), 5.0))
    with pytest.raises(NotEstimable, match="constant"):
        scaling(replace(panel, y=np.full((3, 10), 7.0)), DEFAULTS)
    with pytest.raises(NotEstimable, match="no_answers"):
        scaling(flat(np.zeros((3, 10))), DEFAULTS)
    assert scaling(panel, DEFAULTS).sampling == pytest.approx(2.2**2)
    assert scaling(replace(panel, within_variance=None), DEFAULTS).sampling == 0.0


def test_an_ended_action_gets_a_block_after_its_end() -> None:
    panel = flat(np.full((2, 40), 5.0))
    done = Actions(
        unit=np.array([0]),
        start=np.array([5]),
        end=np.array([12]),
        aimed=np.array([True]),
        solutions=np.ones((1, 1), dtype=np.bool_),
        lag=np.array([0]),
        randomised=np.array([False]),
        fidelity=np.array([np.nan]),
    )
    blocks = lay_out(panel, interventions(done, DEFAULTS), answers(panel), DEFAULTS)
    spans = list(zip(blocks.kind.tolist(), blocks.start.tolist(), blocks.end.tolist(), strict=True))
    assert spans == [(RAMP, 5, 8), (PRIMARY, 8, 12), (5, 12, 40)]


@pytest.mark.parametrize("every", [2, 4])
def test_operational_records_every_few_weeks_are_measured(every: int) -> None:
    chain = simulate(31, units=80, weeks=104, actions=120, solutions=5, answers=60.0)
    y, n = chain.panel.y.copy(), np.zeros_like(chain.panel.n)
    n[:, ::every] = 1.0
    panel = replace(chain.panel, y=np.where(n > 0, y, np.nan), n=n, within_variance=None)
    fit = fit_metric(panel, chain.actions)
    assert fit.noise is not None
    assert fit.noise.period_weeks == every
    assert fit.noise.sampling == 0.0
    told = [s for s in fit.solutions if s.interval is not None]
    assert len(told) == 5
    errors = np.array([(s.interval.effect - chain.theta[s.solution]) / s.interval.se for s in told if s.interval])
    assert np.abs(errors).max() < 3.5
    assert any(effect.status == "estimated" for effect in fit.actions)


def test_shares_and_net_scores_are_measured_on_their_own_scale() -> None:
    chain = simulate(32, units=80, weeks=60, actions=120, solutions=5)
    factor = 20.0
    panel = replace(chain.panel, y=40 + factor * chain.panel.y, within_variance=(factor * 2.2) ** 2)
    fit, plain = fit_metric(panel, chain.actions), fit_metric(chain.panel, chain.actions)
    for share, value in zip(fit.solutions, plain.solutions, strict=True):
        assert share.interval is not None
        assert value.interval is not None
        assert share.interval.effect == pytest.approx(factor * value.interval.effect, rel=1e-3)
        assert share.verdict == value.verdict


def test_logs_join_the_first_one_within_three_weeks_of_it_and_no_later_one() -> None:
    unit = np.array([0, 0, 0, 0, 0, 1, 1, 0, 1])
    start = np.array([10, 12, 14, 16, 30, 16, 16, 31, 17])
    done = Actions(
        unit=unit,
        start=start,
        end=np.array([50, 60, 99, 40, 99, 99, 99, 99, 20]),
        aimed=np.array([True] * 7 + [False, True]),
        solutions=np.eye(9, dtype=np.bool_),
        lag=np.array([0, 5, 0, -2, 0, 1, 0, 0, 0]),
        randomised=np.zeros(9, dtype=np.bool_),
        fidelity=np.full(9, np.nan),
    )
    found = interventions(done, DEFAULTS)
    # 14 is near 12 yet far from 10, so that it begins another one, which 16 joins
    assert found.of_action.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 3]
    assert found.start.tolist() == [10, 14, 30, 16, 31]
    assert found.unit.tolist() == [0, 0, 0, 1, 0]
    assert found.end.tolist() == [60, 99, 99, 99, 99]
    assert found.lag.tolist() == [5, 0, 0, 1, 0]
    assert found.aimed.tolist() == [True, True, True, True, False]
    assert [np.flatnonzero(row).tolist() for row in found.solutions] == [[0, 1], [2, 3], [4], [5, 6, 8], [7]]
    assert found.size.tolist() == [2, 2, 1, 3, 1]


@pytest.mark.parametrize("period", [1, 2, 4])
def test_levels_and_sums_of_blocks_are_those_of_their_rows(period: int) -> None:
    r = np.random.default_rng(period)
    panel = flat(r.poisson(2.0, (30, 39)).astype(float))
    chain = simulate(3, units=30, weeks=39, actions=40, solutions=4)
    blocks = lay_out(panel, interventions(chain.actions, DEFAULTS), answers(panel), DEFAULTS)
    cell = cells(panel, Scaling(scale=1.0, sampling=4.84, period_weeks=period), 7.0)
    x = rows(blocks.unit, blocks.start, blocks.end, cell)
    tau, e = r.normal(size=blocks.count), r.normal(size=cell.y.shape)
    whole = np.zeros_like(cell.y)
    np.add.at(whole.T, blocks.unit, (x * tau).T)
    np.testing.assert_allclose(levels(blocks, tau, cell), whole, atol=1e-12)
    np.testing.assert_allclose(sums(blocks, e, cell), (x * e[:, blocks.unit]).sum(axis=0), atol=1e-12)
