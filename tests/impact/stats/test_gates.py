"""Are the figures right on average? Small versions of the gates; the full ones are in benchmarks/."""

from __future__ import annotations

import importlib.util
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from apps.impact.stats.data import Actions, Panel
from apps.impact.stats.fit import MetricFit, fit_metric
from tests.impact.stats.simulator import Chain, simulate

SEEDS = range(8)
SIMULATION = Path(__file__).resolve().parents[4] / "shared" / "data" / "simulation" / "sim.py"


@pytest.fixture(scope="module")
def runs() -> list[tuple[Chain, MetricFit]]:
    chains = [simulate(seed) for seed in SEEDS]
    return [(chain, fit_metric(chain.panel, chain.actions)) for chain in chains]


def solutions(runs: list[tuple[Chain, MetricFit]]) -> np.ndarray:
    """Rows: truth, estimate, low, high, works, naive change, gls, gls_se."""
    return np.array(
        [
            (
                chain.theta[s.solution],
                s.interval.effect,
                s.interval.low,
                s.interval.high,
                s.verdict == "works",
                s.naive_change,
                s.gls,
                s.gls_se,
            )
            for chain, fit in runs
            for s in fit.solutions
            if s.interval is not None and s.gls is not None
        ]
    )


def test_solution_intervals_cover(runs: list[tuple[Chain, MetricFit]]) -> None:
    truth, _, low, high, _, _, gls, se = solutions(runs).T
    assert 0.90 <= np.mean((low <= truth) & (truth <= high)) <= 1.0
    assert np.mean(np.abs(gls - truth) < 1.96 * se) >= 0.91


def test_useless_solutions_are_neither_praised_nor_flattered(runs: list[tuple[Chain, MetricFit]]) -> None:
    table = solutions(runs)
    useless = table[table[:, 0] == 0]
    assert useless.shape[0] >= 40
    assert abs(np.mean(useless[:, 1])) <= 0.05
    assert np.mean(useless[:, 4]) <= 0.06


def test_naive_before_after_flatters(runs: list[tuple[Chain, MetricFit]]) -> None:
    table = solutions(runs)
    useless = table[table[:, 0] == 0]
    assert np.mean(useless[:, 5]) > 3 * abs(np.mean(useless[:, 1]))
    assert np.mean(useless[:, 5]) > 0.04


def test_estimates_beat_naive_ones(runs: list[tuple[Chain, MetricFit]]) -> None:
    table = solutions(runs)
    error = np.sqrt(np.mean((table[:, 1] - table[:, 0]) ** 2))
    assert error <= 0.6 * np.sqrt(np.mean((table[:, 5] - table[:, 0]) ** 2))
    assert error <= 0.13


def test_action_intervals_cover(runs: list[tuple[Chain, MetricFit]]) -> None:
    raw, shrunk = [], []
    for chain, fit in runs:
        for effect in fit.actions:
            if effect.interval is None or effect.raw is None or effect.raw_se is None or effect.weeks_after < 12:
                continue
            truth = chain.effect[effect.action]
            raw.append((effect.raw - truth) / effect.raw_se)
            shrunk.append(effect.interval.low <= truth <= effect.interval.high)
    assert len(raw) >= 150
    assert 0.91 <= np.mean(np.abs(raw) < 1.96) <= 0.99
    assert 0.9 <= np.std(raw) <= 1.1
    assert np.mean(shrunk) >= 0.88


def test_placebos_stay_quiet(runs: list[tuple[Chain, MetricFit]]) -> None:
    spread = [check.value for _, fit in runs for check in fit.checks if check.code == "placebo_spread"]
    mean = [check.value for _, fit in runs for check in fit.checks if check.code == "placebo_mean"]
    assert 0.85 <= np.mean([value for value in spread if value is not None]) <= 1.15
    assert abs(np.mean([value for value in mean if value is not None])) <= 0.15


def test_placebos_are_tried_where_nobody_aims_at_the_metric() -> None:
    chain = simulate(3)
    aside = replace(chain.actions, aimed=np.zeros(chain.actions.count, dtype=np.bool_))
    found = {check.code: check for check in fit_metric(chain.panel, aside).checks}
    assert found["placebo_spread"].value is not None
    none = replace(
        chain.actions, **{f.name: getattr(aside, f.name)[:3] for f in fields(aside) if f.name != "challenge"}
    )
    few = {check.code: check for check in fit_metric(chain.panel, none).checks}["placebo_spread"]
    assert few.value is None
    assert "pretend actions found a place" in few.limit


def test_where_nothing_works_nothing_is_said_to() -> None:
    said = [
        s.verdict == "works"
        for seed in range(3)
        for chain in [simulate(100 + seed, null=1.0)]
        for s in fit_metric(chain.panel, chain.actions).solutions
    ]
    assert np.mean(said) <= 0.03


def test_a_strong_true_effect_is_found() -> None:
    chain = simulate(200, null=0.0, between_uses=0.05)
    fit = fit_metric(chain.panel, chain.actions)
    best = int(np.argmax(chain.theta))
    top = max((s for s in fit.solutions if s.interval), key=lambda s: s.interval.effect if s.interval else 0.0)
    assert chain.theta[top.solution] >= chain.theta[best] - 0.15
    assert top.verdict in ("works", "likely_works")


def test_the_reference_simulation_is_measured_within_its_gates() -> None:
    if not SIMULATION.exists():
        pytest.skip("the reference simulation is not beside the clone")
    spec = importlib.util.spec_from_file_location("reference_simulation", SIMULATION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    inside, null_error = [], []
    for seed in range(3):
        d = module.simulate(
            seed, n_units=120, n_weeks=60, n_metrics=1, n_actions=200, n_solutions=12, burn_in=14, tail=6
        )
        panel = Panel(
            y=d["y"][:, 0],
            n=d["n"][:, 0].astype(float),
            within_variance=2.2**2,
            region=d["group"].astype(np.int64),
            kind=d["fmt"].astype(np.int64),
        )
        count = len(d["act_unit"])
        done = Actions(
            unit=d["act_unit"].astype(np.int64),
            start=d["act_t"].astype(np.int64),
            end=np.full(count, 10**6),
            aimed=np.ones(count, dtype=np.bool_),
            solutions=d["act_sol"].astype(np.bool_),
            lag=np.zeros(count, dtype=np.int64),
            randomised=np.zeros(count, dtype=np.bool_),
            fidelity=np.full(count, np.nan),
        )
        truth = d["truth"]
        for s in fit_metric(panel, done).solutions:
            if s.interval is not None:
                inside.append(s.interval.low <= truth["theta_pop"][s.solution] <= s.interval.high)
                if truth["is_null"][s.solution]:
                    null_error.append(s.interval.effect)
    assert np.mean(inside) >= 0.86
    assert abs(np.mean(null_error)) <= 0.08
