"""How much does each solution change, and how sure is that? Empirical Bayes on one joint model.

With information (M, h) and the prior β ~ N(0, D): β|y ~ N((M + D^-1)^-1 h, (M + D^-1)^-1). The evidence is
maximised over the standard deviations of the effects. `beliefs` goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from .blocks import LATE2, SIDE
from .columns import FIXED, Columns
from .data import Floats, Settings
from .groups import symmetric_inverse
from .information import V_B, V_P, V_SB, Information, Integral, Model, integrate
from .narrow import Narrow, Normal, centres, homes

SPREAD_MIN, SPREAD_MAX = 3e-3, 3.0  # bounds of standard deviations, reference scale
V_STEPS = 2  # sweeps of the coordinate search


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior(Normal):
    """β given y for one setting of all standard deviations, effects of solutions normal around their mean.

    Attributes
    ----------
    spread : (3,) float
        v_p, v_b, v_sb.
    between : (4,) float
        w, w_l, w_c, w_sd.
    log_evidence : float
        With the priors of the standard deviations.
    """

    spread: Floats
    between: Floats
    log_evidence: float


def posterior(info: Information, columns: Columns, between: Floats, settings: Settings) -> Posterior:
    """β ~ N((M + D^-1)^-1 h, (M + D^-1)^-1)."""
    root, factor, mean, value = _solve(info, columns, between, settings)
    covariance = root[:, None] * symmetric_inverse(factor) * root
    return Posterior(
        spread=info.spread,
        between=np.asarray(between, dtype=np.float64),
        mean=mean,
        covariance=covariance,
        prior=1.0 / np.maximum(columns.prior_variance(between), 1e-12),
        log_evidence=value,
    )


def along_width(
    here: Narrow, info: Information, columns: Columns, between: Floats, grid: Floats, settings: Settings
) -> tuple[Floats, Floats]:
    """log p(y) and 1 − Var(θ_k|y)/w² for each w of `grid`, effects of solutions normal around their mean.

    The means are eliminated once and the rest made diagonal.
    """
    mean = centres(columns)
    root = np.sqrt(columns.fixed_variance[mean])
    to_mean = np.column_stack([np.ones(here.h.shape[0]), homes(columns)]) * root
    inner = to_mean.T @ here.m @ to_mean
    inner[np.diag_indices_from(inner)] += 1.0
    factor = linalg.cholesky(inner, lower=True)
    half = linalg.solve_triangular(factor, to_mean.T @ np.column_stack([here.m, here.h]), lower=True)
    across, own = half[:, :-1], half[:, -1]
    values, vectors = np.linalg.eigh(here.m - across.T @ across)
    values, square = np.maximum(values, 0.0), np.square(vectors.T @ (here.h - across.T @ own))
    rest = here.constant - float(np.log(np.diagonal(factor)).sum()) + 0.5 * float(own @ own)
    shrunk = 1.0 + np.square(grid)[:, None] * values
    gain = 0.5 * np.square(grid) * (square / shrunk).sum(axis=1) - 0.5 * np.log(shrunk).sum(axis=1)
    priors = [log_prior(info.spread, np.array([w, *between[1:]]), settings) for w in grid.tolist()]
    found = rest + gain + np.asarray(priors)
    shares = (1.0 - 1.0 / shrunk) @ np.square(vectors).T
    return found, shares


def _solve(
    info: Information, columns: Columns, between: Floats, settings: Settings
) -> tuple[Floats, Floats, Floats, float]:
    """Root of D, Cholesky factor of I + √D M √D, posterior mean, log evidence."""
    root = np.sqrt(columns.prior_variance(between))
    inner = root[:, None] * info.m * root
    inner[np.diag_indices_from(inner)] += 1.0
    factor = linalg.cholesky(inner, lower=True)
    mean = root * linalg.cho_solve((factor, True), root * info.h)
    value = info.constant - float(np.log(np.diagonal(factor)).sum()) + 0.5 * float(info.h @ mean)
    return root, factor, mean, value + log_prior(info.spread, between, settings)


def log_prior(spread: Floats, between: Floats, settings: Settings) -> float:
    """Half-normal priors of the standard deviations, lognormal for w_l."""
    s = settings
    scales = np.array([s.prior_v_p, s.prior_v_b, s.prior_v_sb])
    value = -0.5 * float(np.square(spread / scales).sum())
    others = np.array([s.prior_w, s.prior_w_c, s.prior_w_sd])
    value -= 0.5 * float(np.square(between[[0, 2, 3]] / others).sum())
    z = float(np.log(between[1] / s.prior_w_l)) / s.prior_w_l_log_sd
    return value - 0.5 * z * z - float(np.log(between[1]))


def climb(info: Information, columns: Columns, start: Floats, settings: Settings) -> tuple[Posterior, bool]:
    """Best w, w_l, w_c, w_sd for given local standard deviations, by L-BFGS on their logs."""
    s = settings
    scales = np.array([s.prior_w, np.inf, s.prior_w_c, s.prior_w_sd])

    def objective(x: Floats) -> tuple[float, Floats]:
        between = np.exp(x)
        found = posterior(info, columns, between, settings)
        second = np.square(found.mean) + np.diagonal(found.covariance)
        slope = np.zeros(4)
        for i in range(4):
            mine = columns.group == i + FIXED + 1
            slope[i] = float(second[mine].sum()) / between[i] ** 2 - float(mine.sum())
        slope -= np.square(between / scales)
        slope[1] -= float(np.log(between[1] / s.prior_w_l)) / s.prior_w_l_log_sd**2 + 1.0
        return -found.log_evidence, -slope

    bounds = [(np.log(SPREAD_MIN), np.log(SPREAD_MAX))] * 4
    options = {"maxiter": 60, "ftol": 1e-12}
    best = optimize.minimize(objective, np.log(start), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    # at a bound or at the limit of precision the line search may stop with a flat gradient: that is converged
    inside = (best.x > np.log(SPREAD_MIN) + 1e-6) & (best.x < np.log(SPREAD_MAX) - 1e-6)
    flat = bool(np.abs(np.asarray(best.jac)[inside]).max(initial=0.0) < 0.02)
    return posterior(info, columns, np.exp(best.x), settings), bool(best.success) or flat


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """Where the evidence was highest, for the next fits of the same metric.

    Attributes
    ----------
    local : tuple of float
        v_p, v_b, v_sb on the reference scale.
    between : tuple of float
        w, w_l, w_c, w_sd on the reference scale.
    width : float
        Standard deviation of log v_p.
    typical : float
        Root mean square of v_p over what is believed of it.
    converged : bool
        Every maximisation met its tolerance.
    """

    local: tuple[float, float, float]
    between: tuple[float, float, float, float]
    width: float
    typical: float
    converged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Where the evidence is highest, effects of solutions normal around their mean.

    Attributes
    ----------
    best : Posterior
        There.
    information : Integral
        There.
    width : float
        Standard deviation of log v_p.
    converged : bool
        Every maximisation met its tolerance.
    """

    best: Posterior
    information: Integral
    width: float
    converged: bool


def maximise(model: Model) -> Peak:
    """Maximise the evidence over all standard deviations."""
    settings, columns = model.settings, model.columns
    spread = np.array([settings.prior_v_p, settings.prior_v_b, settings.prior_v_sb]) * 0.6
    between = np.array(
        [0.6 * settings.prior_w, settings.prior_w_l, 0.6 * settings.prior_w_c, 0.6 * settings.prior_w_sd]
    )
    info = integrate(model, spread)
    best, converged = climb(info, columns, between, settings)
    active = [V_P, V_B] if (model.blocks.kind <= LATE2).any() else []
    if (model.blocks.kind == SIDE).any():
        active.append(V_SB)
    step = dict.fromkeys(active, 0.6)
    curvature = 1.0
    for _ in range(V_STEPS):
        for i in active:
            info, best, ok, bend = _search(model, info, best, i, step[i])
            converged = converged and ok
            step[i] *= 0.4
            if i == V_P:
                curvature = bend
    width = float(np.clip(1.0 / np.sqrt(max(curvature, 1e-6)), 0.15, 0.6))
    return Peak(best=best, information=info, width=width, converged=converged)


def _search(
    model: Model, info: Integral, best: Posterior, which: int, step: float
) -> tuple[Integral, Posterior, bool, float]:
    """One parabola step along the log of one local standard deviation, never downhill."""

    def at(log_v: float) -> tuple[Integral, Posterior, bool]:
        spread = best.spread.copy()
        spread[which] = float(np.clip(np.exp(log_v), SPREAD_MIN, SPREAD_MAX))
        here = integrate(model, spread)
        climbed, ok = climb(here, model.columns, best.between, model.settings)
        return here, climbed, ok

    centre = float(np.log(best.spread[which]))
    tried = [(info, best, True), at(centre - step), at(centre + step)]
    low, middle, high = tried[1][1].log_evidence, best.log_evidence, tried[2][1].log_evidence
    bend = (2.0 * middle - low - high) / step**2
    slope = (high - low) / (2.0 * step)
    if bend > 1e-9:
        move = float(np.clip(slope / bend, -2.0 * step, 2.0 * step))
    else:
        move = float(np.sign(slope)) * 2.0 * step
    if abs(move) > 0.02:
        tried.append(at(centre + move))
    top = max(tried, key=lambda item: item[1].log_evidence)
    return top[0], top[1], all(item[2] for item in tried), bend
