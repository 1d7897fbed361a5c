"""What would this unit's weeks have looked like without the action?

With W~ the unit's precision (local deviations integrated out) and r = y − XAβ̂ − ĝ, the state
L = a + s and the deviations ξ of all other blocks have posterior mean K W~ r, K = Cov(L + X_r ξ_r, y),
and the error of β and of the week effects comes in through E = [X_r A_r − K W~ X A, I − K W~].
"""

from __future__ import annotations

import numpy as np

from . import semiseparable
from .actions import Joint
from .blocks import rows
from .cells import Scaling, cells, precision
from .data import Floats, Ints, Panel
from .information import Model, local_variance
from .noise import Noise
from .results import Series

Z95 = 1.959963984540054  # 97.5 % quantile of the normal


def without(
    model: Model,
    joint: Joint,
    panel: Panel,
    intervention: int,
    inflation: float,
    inverse: Floats | None = None,
) -> Series:
    """The unit of an intervention with and without it.

    Parameters
    ----------
    model, joint : Model, Joint
        The fit.
    panel : Panel
        The panel it was fitted on.
    intervention : int
        Row of Interventions.
    inflation : float
        Factor on the width of the band.
    inverse : (P, P) float or None
        The unit's row of `inverses`, where many are drawn.
    """
    noise = model.statistics.noise
    unit = int(model.done.unit[intervention])
    one = np.array([unit])
    part = Panel(
        y=panel.y[one],
        n=panel.n[one],
        within_variance=panel.within_variance,
        region=panel.region[one],
        kind=panel.kind[one],
        usable=None if panel.usable is None else panel.usable[one],
    )
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    cell = cells(part, scaled, noise.origin)
    mine = np.flatnonzero(model.blocks.unit == unit)
    blocks = model.blocks
    x = rows(np.zeros(mine.shape[0], dtype=np.int64), blocks.start[mine], blocks.end[mine], cell)
    own = blocks.intervention[mine] == intervention
    size = mine.shape[0]
    bucket = next(
        each for each in model.buckets if each.index.shape[1] == size and unit in blocks.unit[each.index[:, 0]]
    )
    at = int(np.flatnonzero(blocks.unit[bucket.index[:, 0]] == unit)[0])
    prior = local_variance(bucket, joint.info.spread)[at]
    periods = cell.y.shape[0]
    w = inverses(panel, noise, one)[0] if inverse is None else inverse
    wx = w @ x
    inner = np.eye(size) + x.T @ wx @ prior
    w = w - wx @ prior @ np.linalg.solve(inner, wx.T)
    w = 0.5 * (w + w.T)
    state = noise.v_a + noise.v_s * semiseparable.ar1_correlation(periods, noise.rho)
    rest = x[:, ~own]
    k = state + rest @ prior[np.ix_(~own, ~own)] @ rest.T
    a = model.columns.a[mine].toarray()
    g = int(model.group[unit])
    beta, sigma = joint.beta.mean, joint.beta.covariance
    expected = x @ (a @ beta) + joint.weeks[g]
    kw = k @ w
    shift = kw @ (cell.y[:, 0] - expected)
    base = joint.weeks[g] + rest @ (a[~own] @ beta) + shift
    from_beta = rest @ a[~own] - kw @ (x @ a)
    from_weeks = np.eye(periods) - kw
    along = from_beta - from_weeks @ joint.slope[g].T
    variance = np.diagonal(k - kw @ k)
    variance = variance + np.diagonal(from_weeks @ joint.info.system.gamma[g] @ from_weeks.T)
    variance = variance + ((along @ sigma) * along).sum(axis=1)
    sd = np.sqrt(np.maximum(variance, 0.0)) * inflation
    effect = x[:, own] @ (a[own] @ beta + _local(prior, x, w, cell.y[:, 0] - expected)[own])
    live = joint.info.system.live
    week = np.arange(periods, dtype=np.float64) * noise.period_weeks

    def out(value: np.ndarray) -> np.ndarray:
        return np.asarray(value[live] / noise.scale + noise.origin)

    observed = np.where(cell.n[:, 0] > 0, cell.y[:, 0], np.nan)
    return Series(
        week=week[live],
        observed=out(observed),
        counterfactual=out(base),
        low=out(base - Z95 * sd),
        high=out(base + Z95 * sd),
        fitted=out(base + effect),
        n=cell.n[live, 0],
    )


def inverses(panel: Panel, noise: Noise, units: Ints) -> Floats:
    """The precision of some units' weeks before local deviations, (U, P, P); a few dozen units at a time."""
    part = Panel(
        y=panel.y[units],
        n=panel.n[units],
        within_variance=panel.within_variance,
        region=panel.region[units],
        kind=panel.kind[units],
        usable=None if panel.usable is None else panel.usable[units],
    )
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    d = precision(cells(part, scaled, noise.origin).n, noise.sampling, noise.nu2)
    return semiseparable.dense(semiseparable.factorise(d=d, v_a=noise.v_a, v_s=noise.v_s, rho=noise.rho))


def _local(prior: np.ndarray, x: np.ndarray, w: np.ndarray, resid: np.ndarray) -> np.ndarray:
    return np.asarray(prior @ (x.T @ (w @ resid)))
