"""A panel small enough for full matrices, with every kind of block."""

from __future__ import annotations

import numpy as np

from apps.impact.stats import groups, information
from apps.impact.stats.blocks import interventions, lay_out
from apps.impact.stats.cells import answers
from apps.impact.stats.columns import lay_columns
from apps.impact.stats.data import Actions, Panel, Settings
from apps.impact.stats.fit import unit_statistics
from apps.impact.stats.noise import Noise

SETTINGS = Settings(
    network_units=2,
    network_weeks=5,
    region_units_min=3,
    noise_units_min=2,
    challenge_min=2,
    interaction_min=1,
    draws=400,
)


def panel(seed: int = 0, units: int = 9, weeks: int = 36, dead_week: int | None = 7) -> Panel:
    """Scores with gaps, a dead week, a disturbance."""
    r = np.random.default_rng(seed)
    n = r.poisson(4.0, (units, weeks)).astype(float)
    n[0, :5] = 0
    if dead_week is not None:
        n[:, dead_week] = 0
    y = 7.0 + r.normal(0, 0.5, (units, 1)) + r.normal(0, 0.3, weeks) + r.normal(0, 1.0, (units, weeks))
    return Panel(
        y=np.where(n > 0, y, np.nan),
        n=n,
        within_variance=4.0,
        region=np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])[:units],
        kind=np.arange(units) % 2,
        event_unit=np.array([2]),
        event_start=np.array([5]),
        event_end=np.array([9]),
    )


def actions(weeks: int = 36) -> Actions:
    """Aimed and side actions, a combination, an ended one, one close to another, one lagged."""
    unit = np.array([0, 1, 1, 3, 4, 5, 5, 7, 8, 2])
    start = np.array([10, 3, 20, 12, 9, 8, 11, 15, 30, 6])
    end = np.array([99, 99, 99, 25, 99, 99, 99, 99, 99, 99])
    solutions = np.zeros((10, 5), dtype=np.bool_)
    for j, chosen in enumerate([[0], [1], [0, 1], [2], [0], [1], [2], [0, 2], [1], [3]]):
        solutions[j, chosen] = True
    return Actions(
        unit=unit,
        start=start,
        end=end,
        aimed=np.array([True] * 9 + [False]),
        solutions=solutions,
        lag=np.array([0, 0, 0, 0, 2, 0, 0, 0, 0, 0]),
        randomised=np.zeros(10, dtype=np.bool_),
        fidelity=np.full(10, np.nan),
        challenge=np.array([0, 0, 1, 1, 0]),
    )


NOISE = Noise(
    scale=1.1,
    origin=7.0,
    period_weeks=1,
    sampling=4.84,
    v_a=0.2,
    v_s=0.08,
    rho=0.75,
    nu2=0.02,
    v_g=0.03,
    rho_g=0.6,
    peak=64.0,
    converged=True,
    iterations=0,
    objective=0.0,
)


def model(p: Panel, done: Actions, noise: Noise = NOISE, settings: Settings = SETTINGS) -> information.Model:
    """The model object of a fit, without the rest of the fit."""
    statistics = unit_statistics(p, done, noise, settings)
    merged = interventions(done, settings)
    blocks = lay_out(p, merged, answers(p), settings)
    labels = groups.eligible(p.region, (answers(p) > 0).any(axis=1), settings)
    columns = lay_columns(blocks, merged, p.kind, done.challenge, settings)
    return information.build(statistics, blocks, merged, columns, p.region, labels, settings)
