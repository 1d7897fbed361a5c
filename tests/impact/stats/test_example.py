"""Does the worked example of docs/methods.md come out?"""

from __future__ import annotations

import numpy as np
import pytest

from apps.impact.stats import actions as reading
from apps.impact.stats import effects, information
from apps.impact.stats.data import Actions, Panel, Settings
from apps.impact.stats.noise import Noise
from tests.impact.stats import small


def test_the_worked_example() -> None:
    panel = Panel(
        y=np.array([[6.8, 6.6, 7.4], [7.4, 7.6, 7.5]]),
        n=np.ones((2, 3)),
        within_variance=None,
        region=np.zeros(2, dtype=np.int64),
        kind=np.zeros(2, dtype=np.int64),
    )
    done = Actions(
        unit=np.array([0]),
        start=np.array([2]),
        end=np.array([99]),
        aimed=np.array([True]),
        solutions=np.ones((1, 1), dtype=np.bool_),
        lag=np.array([0]),
        randomised=np.array([False]),
        fidelity=np.array([np.nan]),
    )
    noise = Noise(
        scale=1.0,
        origin=7.0,
        period_weeks=1,
        sampling=0.0,
        v_a=0.16,
        v_s=1e-9,
        rho=0.5,
        nu2=0.16,
        v_g=0.0,
        rho_g=0.5,
        peak=16.0,
        converged=True,
        iterations=0,
        objective=0.0,
    )
    settings = Settings(ramp_weeks=0, primary_end=1, network_units=2, network_weeks=2)
    model = small.model(panel, done, noise, settings)
    info = information.integrate(model, np.array([0.1, 0.05, 0.05]))
    beta = effects.posterior(info, model.columns, np.array([0.3, 0.12, 0.1, 0.1]), settings)
    read = reading.read(model, reading.join(info, beta))
    assert read.raw[0] == pytest.approx(0.4333, abs=1e-4)
    assert np.sqrt(read.raw_variance[0]) == pytest.approx(0.653, abs=1e-3)
