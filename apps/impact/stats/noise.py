"""How do scores move when nobody does anything? Noise by average-information REML.

y = g + a_u + s_u + X τ + e with all blocks τ ~ N(0, noise_block_sd²), so wide that the noise does
not lean on the model of effects. θ = (v_a, v_s, ρ, ν², v_g, ρ_g); with V' = dV/dθ_i and P the projected precision,

    d(-2l)/dθ_i = tr(P V'_i) - y'P V'_i P y,     average information_ij = y'P V'_i P V'_j P y.

References
----------
Gilmour, Thompson, Cullis (1995), Biometrics 51(4), eqs 4-7, doi:10.2307/2533274.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from . import groups, semiseparable
from .blocks import interventions, lay_out, rows
from .cells import answering, answers, cells, precision, scaling
from .data import Actions, Floats, Ints, Panel, Settings
from .errors import NotEstimable
from .results import METHOD

MAX_STEPS = 40  # average information needs about ten
MEMORY = 4  # steps whose curvature is remembered
TOLERANCE = 1e-4  # squared step in standard errors
V_MIN, V_MAX = 1e-7, 1e4  # bounds of variances on the reference scale
PENALISED = (1, 3, 4)  # v_s, nu2, v_g


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Fitted noise of one metric, on the reference scale (see `Settings`).

    Attributes
    ----------
    scale : float
        Reference-scale units per metric unit: internal value = (metric value − origin) × scale.
    origin : float
        Metric value that is zero inside the engine.
    period_weeks : int
        Length of a period, 1, 2 or 4 weeks.
    sampling : float
        Variance of a single answer on the reference scale; 0 for metrics without one.
    v_a : float
        Variance between units.
    v_s, rho : float
        Variance and lag-1 correlation (per period) of a unit's own state.
    nu2 : float
        Extra variance of a cell beyond sampling.
    v_g, rho_g : float
        Variance and lag-1 correlation of region shocks; v_g is 0 when there is one region.
    peak : float
        Power of two above every cell precision; fixes the quantum of exact sums.
    converged : bool
        The optimiser met its tolerance.
    iterations : int
        Steps taken.
    objective : float
        Penalised −2 log restricted likelihood at the optimum, constants dropped.
    method : str
        Method id.
    """

    scale: float
    origin: float
    period_weeks: int
    sampling: float
    v_a: float
    v_s: float
    rho: float
    nu2: float
    v_g: float
    rho_g: float
    peak: float
    converged: bool
    iterations: int
    objective: float
    method: str = METHOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The units the noise is fitted on: everything that does not depend on the parameters.

    Attributes
    ----------
    y, n : (P, U) float
        Cells on the reference scale.
    x : (P, B) float
        Block rows.
    block_unit : (B,) int
        Unit of each block, ascending.
    group : (U,) int
        Group of each unit.
    shocks : int
        Groups with shocks of their own.
    group_count : int
        Groups, at least 1.
    sampling : float
        Variance of one answer.
    block_variance : float
        Variance of the blocks.
    """

    y: Floats
    n: Floats
    x: Floats
    block_unit: Ints
    group: Ints
    shocks: int
    group_count: int
    sampling: float
    block_variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """−2 log restricted likelihood, its gradient (6,) and average information (6, 6) in θ."""

    value: float
    gradient: Floats
    information: Floats


def evaluate(sample: Sample, theta: Floats, *, derivatives: bool = True) -> Evaluation:
    """−2 log restricted likelihood (constants dropped) with analytic derivatives.

    Parameters
    ----------
    sample : Sample
        U units, P periods.
    theta : (6,) float
        v_a, v_s, ρ, ν², v_g, ρ_g.
    derivatives : bool
        False leaves gradient and information zero.

    Notes
    -----
    Builds (U, P, P) arrays: for samples of units, not for all of them.
    """
    v_a, v_s, rho, nu2, v_g, rho_g = (float(value) for value in theta)
    periods, units = sample.y.shape
    d = precision(sample.n, sample.sampling, nu2)
    factors = semiseparable.factorise(d=d, v_a=v_a, v_s=v_s, rho=rho)
    w = semiseparable.dense(factors)
    value = float(factors.log_det.sum())
    wx = semiseparable.apply(factors.take(sample.block_unit), sample.x).T
    count = np.bincount(sample.block_unit, minlength=units)
    offset = np.concatenate([[0], np.cumsum(count)])
    for size in np.unique(count[count > 0]):
        members = np.flatnonzero(count == size)
        index = offset[members][:, None] + np.arange(size)
        c = wx[index]
        inner = np.eye(size) / sample.block_variance + np.matmul(sample.x.T[index], c.transpose(0, 2, 1))
        value += float(np.linalg.slogdet(inner * sample.block_variance)[1].sum())
        w[members] -= np.matmul(c.transpose(0, 2, 1), np.linalg.solve(inner, c))
    y = np.ascontiguousarray(sample.y.T)
    wy = _times(w, y)
    indicator = np.zeros((sample.group_count, units))
    indicator[sample.group, np.arange(units)] = 1.0
    w_groups = (indicator @ w.reshape(units, -1)).reshape(sample.group_count, periods, periods)
    try:
        system = groups.week_system(w_groups, shocks=sample.shocks, v_g=v_g, rho_g=rho_g)
    except linalg.LinAlgError:
        return Evaluation(value=np.inf, gradient=np.zeros(6), information=np.eye(6))
    g = groups.week_means(system, indicator @ wy)
    e = wy - _times(w, g[sample.group])
    value += system.log_det + float((y * e).sum())
    if not derivatives:
        return Evaluation(value=value, gradient=np.zeros(6), information=np.zeros((6, 6)))

    correlation = semiseparable.ar1_correlation(periods, rho)
    lags = np.abs(np.arange(periods)[:, None] - np.arange(periods)[None, :])
    slope = v_s * lags * correlation / rho
    gamma = groups.covariance(system)
    half = _roots(gamma)
    left = np.empty_like(w)
    for k in range(sample.group_count):
        members = sample.group == k
        left[members] = (w[members].reshape(-1, periods) @ half[k]).reshape(-1, periods, half[k].shape[1])
    projected = w - np.matmul(left, left.transpose(0, 2, 1))
    total = projected.sum(axis=0)
    seen = (sample.n.T > 0).astype(np.float64)
    e_sum = e.sum(axis=1)
    gradient = np.zeros(6)
    gradient[0] = float(total.sum()) - float(e_sum @ e_sum)
    re, se = e @ correlation, e @ slope
    gradient[1] = float((total * correlation).sum()) - float((e * re).sum())
    gradient[2] = float((total * slope).sum()) - float((e * se).sum())
    gradient[3] = float(np.trace(total)) - float((e * e).sum())
    directions = [np.broadcast_to(e_sum[:, None], e.shape) * seen, re * seen, se * seen, e]
    if sample.shocks:
        shock = semiseparable.ar1_correlation(periods, rho_g)
        shock_slope = v_g * lags * shock / rho_g
        k = sample.shocks
        inner = w_groups[:k] - w_groups[:k] @ gamma[:k] @ w_groups[:k]
        e_group = (indicator @ e)[:k]
        inside = (sample.group < k)[:, None] * seen
        for i, matrix in ((4, shock), (5, shock_slope)):
            q = e_group @ matrix
            gradient[i] = float((inner * matrix).sum()) - float((e_group * q).sum())
            directions.append(q[np.minimum(sample.group, k - 1)] * inside)
    q = np.stack(directions)
    wq = np.matmul(w, q.transpose(1, 2, 0)).transpose(2, 0, 1)
    pq = np.empty_like(wq)
    for i in range(q.shape[0]):
        shift = groups.week_means(system, indicator @ wq[i])
        pq[i] = wq[i] - _times(w, shift[sample.group])
    flat = q.shape[0]
    information = np.zeros((6, 6))
    information[:flat, :flat] = q.reshape(flat, -1) @ pq.reshape(flat, -1).T
    return Evaluation(value=value, gradient=gradient, information=information)


def draw_sample(panel: Panel, actions: Actions, settings: Settings) -> tuple[Sample, Noise]:
    """The units to fit on, and a starting point that carries scale and period."""
    scaled = scaling(panel, settings)
    weekly = answers(panel)
    seen = weekly > 0
    alive = answering(weekly)
    if alive.sum() < settings.network_units or seen.any(axis=0).sum() < settings.network_weeks:
        raise NotEstimable(
            "network_too_small",
            f"{int(alive.sum())} units with answers in {int(seen.any(axis=0).sum())} weeks",
        )
    origin = float(np.mean(panel.y[seen]))
    labels = groups.eligible(panel.region, alive, settings)
    useful = np.flatnonzero(seen.sum(axis=1) >= 2)
    pool = useful if useful.shape[0] >= 2 else np.flatnonzero(alive)
    wanted = max(settings.noise_units, settings.noise_units_min)
    if pool.shape[0] > wanted:
        rng = np.random.default_rng(settings.seed)
        pool = np.sort(rng.choice(pool, size=wanted, replace=False))
    part = replace(
        panel,
        y=panel.y[pool],
        n=panel.n[pool],
        region=panel.region[pool],
        kind=panel.kind[pool],
        usable=None if panel.usable is None else panel.usable[pool],
        event_unit=np.zeros(0, dtype=np.int64),
        event_start=np.zeros(0, dtype=np.int64),
        event_end=np.zeros(0, dtype=np.int64),
    )
    at = np.searchsorted(pool, panel.event_unit)
    hit = np.isin(panel.event_unit, pool)
    part = replace(part, event_unit=at[hit], event_start=panel.event_start[hit], event_end=panel.event_end[hit])
    mine = np.isin(actions.unit, pool)
    acts = replace(
        actions,
        unit=np.searchsorted(pool, actions.unit[mine]),
        start=actions.start[mine],
        end=actions.end[mine],
        aimed=actions.aimed[mine],
        solutions=actions.solutions[mine],
        lag=actions.lag[mine],
        randomised=actions.randomised[mine],
        fidelity=actions.fidelity[mine],
    )
    cell = cells(part, scaled, origin)
    blocks = lay_out(part, interventions(acts, settings), cell.weekly, settings)
    group = groups.membership(part.region, labels)
    sample = Sample(
        y=cell.y,
        n=cell.n,
        x=rows(blocks.unit, blocks.start, blocks.end, cell),
        block_unit=blocks.unit,
        group=group,
        shocks=int(labels.shape[0]),
        group_count=int(labels.shape[0]) + 1,
        sampling=scaled.sampling,
        block_variance=settings.noise_block_sd**2,
    )
    means = np.array([cell.y[cell.n[:, u] > 0, u].mean() for u in range(pool.shape[0])])
    start = Noise(
        scale=scaled.scale,
        origin=origin,
        period_weeks=scaled.period_weeks,
        sampling=scaled.sampling,
        v_a=float(np.clip(np.var(means), 0.01, 100.0)),
        v_s=0.06,
        rho=0.7**scaled.period_weeks if scaled.period_weeks > 1 else 0.7,
        nu2=0.02 if scaled.sampling else 0.2,
        v_g=0.005 if labels.shape[0] else 0.0,
        rho_g=0.6,
        peak=1.0,
        converged=False,
        iterations=0,
        objective=0.0,
    )
    return sample, start


def fit(panel: Panel, actions: Actions, settings: Settings, start: Noise | None) -> Noise:
    """Fit the noise of a metric.

    Parameters
    ----------
    panel, actions, settings
        The metric.
    start : Noise or None
        An earlier fit to start from.

    Raises
    ------
    NotEstimable
        ``no_answers``, ``constant`` or ``network_too_small``.
    """
    sample, fresh = draw_sample(panel, actions, settings)
    first = fresh
    if start is not None and start.period_weeks == fresh.period_weeks:
        first = replace(
            fresh,
            v_a=start.v_a,
            v_s=start.v_s,
            rho=start.rho,
            nu2=start.nu2,
            rho_g=start.rho_g,
            v_g=start.v_g if start.v_g > 0 and fresh.v_g > 0 else fresh.v_g,
        )
    return _ascend(sample, first, settings)


def _ascend(sample: Sample, first: Noise, settings: Settings) -> Noise:
    free = np.array([0, 1, 2, 3] + ([4, 5] if sample.shocks else []))
    theta = np.array([first.v_a, first.v_s, first.rho, first.nu2, first.v_g, first.rho_g])
    x = _to_free(theta, settings)
    state = _penalised(sample, x, settings, free)
    damping, converged, steps = 1e-3, False, 0
    pairs: list[tuple[Floats, Floats]] = []
    while steps < MAX_STEPS:
        steps += 1
        gradient, information = state[1], _secant(state[2], pairs)
        scale = np.diag(np.maximum(np.diagonal(information), 1e-3))
        step = -np.linalg.solve(information + damping * scale, gradient)
        step = np.clip(step, -2.0, 2.0)
        proposal = x.copy()
        proposal[free] = _clip(x + _spread(step, free), settings)[free]
        moved = (proposal - x)[free]
        if float(moved @ (information @ moved)) < TOLERANCE:
            converged = True
            break
        trial = _penalised(sample, proposal, settings, free)
        pairs = [*pairs[1 - MEMORY :], (moved, trial[1] - state[1])]
        if trial[0] <= state[0] + 1e-9:
            gain = state[0] - trial[0]
            x, state, damping = proposal, trial, max(damping * 0.2, 1e-6)
            if gain < TOLERANCE * 0.1:
                converged = True
                break
        else:
            damping *= 4.0
            if damping > 1e8:
                break
    theta = _from_free(x, settings)
    top = float(precision(sample.n, sample.sampling, theta[3]).max())
    return replace(
        first,
        v_a=float(theta[0]),
        v_s=float(theta[1]),
        rho=float(theta[2]),
        nu2=float(theta[3]),
        v_g=float(theta[4]) if sample.shocks else 0.0,
        rho_g=float(theta[5]),
        peak=float(2.0 ** np.ceil(np.log2(max(4.0 * top, 1e-6)))),
        converged=converged,
        iterations=steps,
        objective=float(state[0]),
    )


def _secant(information: Floats, pairs: list[tuple[Floats, Floats]]) -> Floats:
    """Correct the average information by the curvature met on the last steps (BFGS updates).

    The average information is only right on average: for correlations it can be half of the
    curvature, and plain scoring then oscillates around the optimum.
    """
    b = information.copy()
    for s, y in pairs:
        bs = b @ s
        along, curve = float(s @ bs), float(s @ y)
        if along > 0 and curve > 0.1 * along:
            b = b - np.outer(bs, bs) / along + np.outer(y, y) / curve
    return np.asarray(b)


def _penalised(sample: Sample, x: Floats, settings: Settings, free: Ints) -> tuple[float, Floats, Floats]:
    theta = _from_free(x, settings)
    found = evaluate(sample, theta)
    span = settings.rho_max - settings.rho_min
    unit = (theta - settings.rho_min) / span
    jacobian = theta.copy()
    for i in (2, 5):
        jacobian[i] = span * unit[i] * (1.0 - unit[i])
    gradient = found.gradient * jacobian
    information = found.information * np.outer(jacobian, jacobian)
    value = found.value
    floor = settings.variance_floor
    for i in PENALISED:
        if i in free:
            value -= 2.0 * np.log(theta[i] / (theta[i] + floor))
            gradient[i] -= 2.0 * floor / (theta[i] + floor)
            information[i, i] += 2.0 * floor * theta[i] / (theta[i] + floor) ** 2
    return value, gradient[free], information[np.ix_(free, free)]


def _to_free(theta: Floats, settings: Settings) -> Floats:
    x = np.log(np.clip(theta, V_MIN, V_MAX))
    for i in (2, 5):
        unit = (theta[i] - settings.rho_min) / (settings.rho_max - settings.rho_min)
        unit = min(max(float(unit), 1e-4), 1 - 1e-4)
        x[i] = np.log(unit / (1.0 - unit))
    return np.asarray(x, dtype=np.float64)


def _from_free(x: Floats, settings: Settings) -> Floats:
    theta = np.exp(x)
    for i in (2, 5):
        theta[i] = settings.rho_min + (settings.rho_max - settings.rho_min) / (1.0 + np.exp(-x[i]))
    return np.asarray(theta, dtype=np.float64)


def _clip(x: Floats, settings: Settings) -> Floats:
    out = np.clip(x, np.log(V_MIN), np.log(V_MAX))
    for i in (2, 5):
        out[i] = np.clip(x[i], -5.0, 5.0)
    return np.asarray(out, dtype=np.float64)


def _spread(step: Floats, free: Ints) -> Floats:
    out = np.zeros(6)
    out[free] = step
    return out


def _times(w: Floats, v: Floats) -> Floats:
    return np.asarray(np.matmul(w, v[:, :, None])[:, :, 0])


def _roots(gamma: Floats) -> Floats:
    values, vectors = np.linalg.eigh(gamma)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :])
