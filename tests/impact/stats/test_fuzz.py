"""Whatever comes in, does only an honest number or a reason come out?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.impact.stats.data import Actions, Panel, Settings
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import MetricFit, counterfactual, fit_metric, rank
from apps.impact.stats.results import Interval
from tests.impact.stats.simulator import simulate

EASY = Settings(
    network_units=2,
    network_weeks=2,
    region_units_min=2,
    comparison_units=1,
    draws=200,
    baseline_weeks_min=1,
    baseline_answers=1,
    after_weeks_min=1,
    after_answers=1,
    precision_ratio=50.0,
)
REASONS = {
    "no_baseline",
    "too_early",
    "too_few_answers",
    "ended_early",
    "no_comparison",
    "shared_window",
    "too_noisy",
    "network_too_small",
    "no_answers",
    "constant",
    "out_of_range",
}


def numbers(value: object) -> Iterator[float]:
    """Every float that a result carries, `MetricFit.state` aside."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield from value.ravel().tolist()
    elif isinstance(value, Mapping):
        yield from numbers(tuple(value.values()))
    elif isinstance(value, tuple):
        for item in value:
            yield from numbers(item)
    elif is_dataclass(value):
        for each in fields(value):
            if each.name not in ("state", "noise", "spreads"):
                yield from numbers(getattr(value, each.name))


def honest(panel: Panel, actions: Actions, settings_: Settings) -> MetricFit:
    fit = fit_metric(panel, actions, settings_)
    assert all(np.isfinite(number) for number in numbers(fit))
    assert len(fit.actions) == actions.count
    assert len(fit.solutions) == actions.solution_count
    for effect in fit.actions:
        assert (effect.status == "estimated") == (effect.interval is not None) == (effect.reason is None)
        assert effect.reason is None or effect.reason in REASONS
        assert effect.status in ("estimated", "too_early", "not_estimable")
        assert (effect.raw is None) == (effect.raw_se is None)
        check(effect.interval)
        if effect.interval is not None:
            series = counterfactual(fit, panel, effect.action)
            bare = replace(series, observed=series.n)
            assert all(np.isfinite(number) for number in numbers(bare))
            assert (series.low <= series.high).all()
        else:
            with pytest.raises(NotEstimable):
                counterfactual(fit, panel, effect.action)
    for solution in fit.solutions:
        assert (solution.status == "estimated") == (solution.interval is not None)
        assert (solution.gls is None) == (solution.gls_se is None)
        for interval in (solution.interval, solution.late1, solution.late2):
            check(interval)
        assert 0 <= solution.evidence <= 5
    order = rank(fit, range(actions.solution_count), settings_)
    assert all(np.isfinite(number) for number in numbers(order))
    assert len(order.entries) == actions.solution_count
    return fit


def check(interval: Interval | None) -> None:
    if interval is not None:
        assert interval.low <= interval.effect <= interval.high
        assert interval.se > 0
        assert 0 <= interval.p_positive <= 1


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Panel, Actions]:
    seed = draw(st.integers(0, 2**16))
    r = np.random.default_rng(seed)
    units, weeks = draw(st.sampled_from([1, 2, 3, 7, 20])), draw(st.sampled_from([1, 2, 9, 30, 45]))
    y = r.normal(5, 1, (units, weeks))
    shape = draw(
        st.sampled_from(
            [
                "noise",
                "constant",
                "identical",
                "two_values",
                "huge",
                "tiny",
                "unit_constant",
                "spike",
                "share",
                "nps",
            ]
        )
    )
    if shape == "constant":
        y[:] = 3.0
    elif shape == "identical":
        y[:] = y[:1]
    elif shape == "two_values":
        y = (y > 5).astype(float)
    elif shape == "huge":
        y *= 1e12
    elif shape == "tiny":
        y *= 1e-12
    elif shape == "unit_constant":
        y[:] = y[:, :1]
    elif shape == "spike":
        y[0, 0] = 1e9
    elif shape == "share":
        y = np.clip(np.rint(20 * (y - 4.0)) * 5.0, 0.0, 100.0)
    elif shape == "nps":
        y = np.clip(np.rint(r.normal(0, 80, (units, weeks))), -100.0, 100.0)
    n = r.poisson(draw(st.sampled_from([0.05, 0.5, 5.0, 2000.0])), (units, weeks)).astype(float)
    if draw(st.booleans()):
        n = np.minimum(n, 1.0)
    if draw(st.booleans()):
        n[r.integers(units), weeks // 2 :] = 0
    if draw(st.booleans()):
        n[:, r.integers(weeks)] = 0
    y = np.where(n > 0, y, np.nan)
    usable = r.random((units, weeks)) < 0.9 if draw(st.booleans()) else None
    count = draw(st.sampled_from([0, 1, 3, 15]))
    solutions = draw(st.sampled_from([1, 2, 6]))
    start = r.integers(-20, weeks + 5, count)
    if draw(st.booleans()):
        start[:] = weeks // 2
    incidence = r.random((count, solutions)) < draw(st.sampled_from([0.2, 0.6, 1.0]))
    panel = Panel(
        y=y,
        n=n,
        within_variance=draw(st.sampled_from([None, 0.0, 1e-9, 4.84, 1e6])),
        region=r.integers(0, draw(st.sampled_from([1, 3])), units),
        kind=r.integers(0, draw(st.sampled_from([1, 2])), units),
        usable=usable,
        event_unit=np.array([0]),
        event_start=np.array([0]),
        event_end=np.array([weeks // 2]),
    )
    actions = Actions(
        unit=r.integers(0, units, count),
        start=start,
        end=start + r.integers(-2, 60, count),
        aimed=r.random(count) < draw(st.sampled_from([0.0, 0.5, 1.0])),
        solutions=incidence,
        lag=r.integers(0, 6, count),
        randomised=r.random(count) < 0.2,
        fidelity=np.where(r.random(count) < 0.5, np.nan, 100 * r.random(count)),
        challenge=r.integers(-1, 5, solutions) if draw(st.booleans()) else None,
    )
    return panel, actions


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_no_path_yields_a_number_that_is_none(world: tuple[Panel, Actions]) -> None:
    honest(*world, EASY)


def test_real_settings_stay_honest_on_a_short_chain() -> None:
    chain = simulate(1, units=40, weeks=30, actions=60, solutions=6)
    honest(chain.panel, chain.actions, Settings(draws=500))


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e160])
def test_scores_out_of_range_are_refused_or_measured(scale: float) -> None:
    chain = simulate(1, units=20, weeks=30, actions=10, solutions=3)
    honest(replace(chain.panel, y=chain.panel.y * scale, within_variance=None), chain.actions, EASY)


def test_arrays_that_do_not_fit_are_refused() -> None:
    chain = simulate(1, units=20, weeks=30, actions=10, solutions=3)
    with pytest.raises(NotEstimable, match="bad_input"):
        fit_metric(replace(chain.panel, n=chain.panel.n[:, 1:]), chain.actions)
    with pytest.raises(NotEstimable, match="bad_input"):
        fit_metric(chain.panel, replace(chain.actions, unit=chain.actions.unit + 100))
    with pytest.raises(NotEstimable, match="bad_input"):
        fit_metric(chain.panel, replace(chain.actions, lag=chain.actions.lag[1:]))
