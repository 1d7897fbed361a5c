"""How much does each solution change, and how sure is that? Empirical Bayes on one joint model.

Given per-unit S = X'WX, C = X'W, c = X'Wy and local deviations τ = Aβ + ξ, ξ ~ N(0, Λ):

    N = (I + SΛ)^-1,  R = ΛN,   X'W~X = NS,  X'W~ = NC,  X'W~y = Nc,  W~ = W - C'RC

where W~ is the precision with ξ integrated out. Week effects are eliminated region by region
(`groups`), which leaves the information (M, h) for β ~ N(0, D): β|y ~ N((M + D^-1)^-1 h, (M + D^-1)^-1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, optimize, sparse

from . import groups
from .blocks import AFTER, EVENT, LATE2, SIDE, Blocks, Interventions
from .columns import FIXED, Columns
from .data import Floats, Ints, Settings
from .groups import WeekSystem
from .sufficient import UnitStatistics

V_P, V_B, V_SB = range(3)
SPREAD_MIN, SPREAD_MAX = 3e-3, 3.0  # bounds of standard deviations, reference scale
V_STEPS = 2  # sweeps of the coordinate search
COMPONENT_MIN = 1e-4  # mixture weights below are dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Units with the same number of blocks b, stacked.

    Attributes
    ----------
    index : (N, b) int
        Rows of the blocks.
    s : (N, b, b) float
        X'WX.
    shared : (N, b, b) float
        Solutions of the intervention where two blocks belong to one aimed action, else 0.
    own, side, wide : (N, b) float
        Factors of v_b², v_sb² and the fixed variance on the diagonal.
    flat : slice
        Where the squares of this bucket sit in ragged storage.
    """

    index: Ints
    s: Floats
    shared: Floats
    own: Floats
    side: Floats
    wide: Floats
    flat: slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Everything about a metric that does not depend on the standard deviations of effects.

    Attributes
    ----------
    statistics : UnitStatistics
        Merged over all units.
    blocks, done, columns
        Layout of what was done.
    buckets : tuple of Bucket
        Units by number of blocks.
    square_rows, square_cols : (ΣB²,) int
        Row and column of every stored square entry, bucket by bucket.
    group : (U,) int
        Group of each unit.
    shocks : int
        Groups with shocks of their own.
    w : (G, P, P) float
        ΣW by group.
    wy : (G, P) float
        ΣWy by group.
    members : tuple of (n,) int
        Blocks of each group.
    settings : Settings
        Constants.
    """

    statistics: UnitStatistics
    blocks: Blocks
    done: Interventions
    columns: Columns
    buckets: tuple[Bucket, ...]
    square_rows: Ints
    square_cols: Ints
    group: Ints
    shocks: int
    w: Floats
    wy: Floats
    members: tuple[Ints, ...]
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What the data say about β, local deviations and week effects integrated out.

    Attributes
    ----------
    spread : (3,) float
        v_p, v_b, v_sb.
    m, h : (Q, Q), (Q,) float
        Information about β.
    constant : float
        log evidence without the part of β.
    inverse : tuple of (N, b, b) float
        N by bucket.
    system : WeekSystem
        Week effects.
    b : (G, Q, P) float
        A'X'W~ by group.
    wy : (G, P) float
        Σ W~y by group.
    w : (G, P, P) float
        Σ W~ by group.
    middle : (B, B) sparse
        NS of all units.
    score : (B,) float
        Nc of all units.
    """

    spread: Floats
    m: Floats
    h: Floats
    constant: float
    inverse: tuple[Floats, ...]
    system: WeekSystem
    b: Floats
    wy: Floats
    w: Floats
    middle: sparse.csr_array
    score: Floats


def build(
    statistics: UnitStatistics,
    blocks: Blocks,
    done: Interventions,
    columns: Columns,
    region: Ints,
    labels: Ints,
    settings: Settings,
) -> Model:
    """Stack units by size and sum the information of their groups."""
    group = groups.membership(region, labels)
    count = labels.shape[0] + 1
    periods = statistics.w.shape[1]
    w, wy = np.zeros((count, periods, periods)), np.zeros((count, periods))
    of_label = groups.membership(statistics.regions, labels)
    for position in range(statistics.regions.shape[0]):
        w[of_label[position]] += statistics.w[position]
        wy[of_label[position]] += statistics.wy[position]
    sizes = statistics.block_count
    offset = np.concatenate([[0], np.cumsum(sizes)])
    square = np.concatenate([[0], np.cumsum(sizes**2)])
    size = np.append(done.size, 1.0)[blocks.intervention]  # −1, a disturbance, reads the last
    buckets, rows, cols, begin = [], [], [], 0
    for b in np.unique(sizes[sizes > 0]):
        units = np.flatnonzero(sizes == b)
        index = offset[units][:, None] + np.arange(b)
        owner, kind, k = blocks.intervention[index], blocks.kind[index], size[index]
        aimed = kind <= LATE2
        same = (owner[:, :, None] == owner[:, None, :]) & aimed[:, :, None] & aimed[:, None, :]
        length = units.shape[0] * int(b) ** 2
        buckets.append(
            Bucket(
                index=index,
                s=statistics.s[square[units][:, None] + np.arange(b * b)].reshape(-1, b, b),
                shared=np.where(same, k[:, :, None], 0.0),
                own=np.where(aimed, k, 0.0),
                side=np.where(kind == SIDE, k, 0.0),
                wide=np.where((kind == AFTER) | (kind == EVENT), k * settings.block_sd**2, 0.0),
                flat=slice(begin, begin + length),
            )
        )
        rows.append(np.repeat(index, b, axis=1).ravel())
        cols.append(np.tile(index, (1, int(b))).ravel())
        begin += length
    of_block = group[blocks.unit]
    return Model(
        statistics=statistics,
        blocks=blocks,
        done=done,
        columns=columns,
        buckets=tuple(buckets),
        square_rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
        square_cols=np.concatenate(cols) if cols else np.zeros(0, dtype=np.int64),
        group=group,
        shocks=int(labels.shape[0]),
        w=w,
        wy=wy,
        members=tuple(np.flatnonzero(of_block == g) for g in range(count)),
        settings=settings,
    )


def local_variance(bucket: Bucket, spread: Floats) -> Floats:
    """Λ of the units of a bucket, (N, b, b)."""
    v = np.square(spread)
    out = bucket.shared * v[V_P]
    at = np.arange(bucket.index.shape[1])
    out[:, at, at] += bucket.own * v[V_B] + bucket.side * v[V_SB] + bucket.wide
    return np.asarray(out)


def integrate(model: Model, spread: Floats) -> Information:
    """Information about β for given v_p, v_b, v_sb."""
    stats, noise = model.statistics, model.statistics.noise
    blocks, periods = model.blocks.count, model.w.shape[1]
    ns = np.zeros(model.square_rows.shape[0])
    nc, rc = np.zeros((blocks, periods)), np.zeros((blocks, periods))
    ncy, rcy = np.zeros(blocks), np.zeros(blocks)
    inverse: list[Floats] = []
    log_det = float(stats.log_det.sum())
    for bucket in model.buckets:
        size = bucket.index.shape[1]
        prior = local_variance(bucket, spread)
        inner = np.eye(size) + np.matmul(bucket.s, prior)
        log_det += float(np.linalg.slogdet(inner)[1].sum())
        n = np.linalg.inv(inner)
        inverse.append(n)
        product = np.matmul(n, bucket.s)
        ns[bucket.flat] = (0.5 * (product + product.transpose(0, 2, 1))).ravel()
        here = np.matmul(n, stats.c[bucket.index])
        nc[bucket.index] = here
        rc[bucket.index] = np.matmul(prior, here)
        here_y = np.matmul(n, stats.cy[bucket.index][:, :, None])
        ncy[bucket.index] = here_y[:, :, 0]
        rcy[bucket.index] = np.matmul(prior, here_y)[:, :, 0]
    a = model.columns.a
    count, width = len(model.members), model.columns.count
    w, wy = model.w.copy(), model.wy.copy()
    b = np.zeros((count, width, periods))
    for g, rows in enumerate(model.members):
        if rows.size:
            c = stats.c[rows]
            correction = c.T @ rc[rows]
            w[g] -= 0.5 * (correction + correction.T)
            wy[g] -= c.T @ rcy[rows]
            b[g] = a[rows].T @ nc[rows]
    system = groups.week_system(w, shocks=model.shocks, v_g=noise.v_g, rho_g=noise.rho_g)
    middle = sparse.coo_array((ns, (model.square_rows, model.square_cols)), shape=(blocks, blocks)).tocsr()
    m, h = _profile((a.T @ (middle @ a)).toarray(), a.T @ ncy, b, wy, system)
    quad = float(stats.yy.sum()) - float(stats.cy @ rcy)
    wy1 = np.einsum("gij,gj->i", system.f, wy)
    quad -= float(np.einsum("gi,gij,gj->", wy, system.omega_f, wy)) + float(wy1 @ system.h_inverse @ wy1)
    return Information(
        spread=np.asarray(spread, dtype=np.float64),
        m=m,
        h=h,
        constant=-0.5 * (log_det + system.log_det + quad),
        inverse=tuple(inverse),
        system=system,
        b=b,
        wy=wy,
        w=w,
        middle=middle,
        score=ncy,
    )


def _profile(m: Floats, h: Floats, b: Floats, wy: Floats, system: WeekSystem) -> tuple[Floats, Floats]:
    """Take the week effects out of the information about β."""
    b_of = np.matmul(b, system.omega_f)
    m = m - np.matmul(b_of, b.transpose(0, 2, 1)).sum(axis=0)
    h = h - np.einsum("gqp,gp->q", b_of, wy)
    b1 = np.matmul(b, system.f.transpose(0, 2, 1)).sum(axis=0)
    m = m - b1 @ system.h_inverse @ b1.T
    h = h - b1 @ (system.h_inverse @ np.einsum("gij,gj->i", system.f, wy))
    return np.asarray(0.5 * (m + m.T)), np.asarray(h)


def leave_group_out(model: Model, info: Information, group: int) -> Information:
    """The information about β without the units of one group with shocks."""
    noise = model.statistics.noise
    others = [g for g in range(len(model.members)) if g != group]
    rows = np.sort(np.concatenate([model.members[g] for g in others]))
    a = model.columns.a[rows]
    system = groups.week_system(info.w[others], shocks=model.shocks - 1, v_g=noise.v_g, rho_g=noise.rho_g)
    inner = info.middle[rows][:, rows]
    m, h = _profile((a.T @ (inner @ a)).toarray(), a.T @ info.score[rows], info.b[others], info.wy[others], system)
    return replace(info, m=m, h=h, b=info.b[others], wy=info.wy[others], w=info.w[others], system=system)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """β given y for one setting of all standard deviations.

    Attributes
    ----------
    spread : (3,) float
        v_p, v_b, v_sb.
    between : (4,) float
        w, w_l, w_c, w_sd.
    mean : (Q,) float
        Posterior mean.
    covariance : (Q, Q) float
        Posterior covariance.
    log_evidence : float
        With the priors of the standard deviations.
    """

    spread: Floats
    between: Floats
    mean: Floats
    covariance: Floats
    log_evidence: float


def posterior(info: Information, columns: Columns, between: Floats, settings: Settings) -> Posterior:
    """β ~ N((M + D^-1)^-1 h, (M + D^-1)^-1)."""
    root = np.sqrt(columns.prior_variance(between))
    inner = np.eye(columns.count) + root[:, None] * info.m * root
    factor = linalg.cho_factor(inner, lower=True)
    covariance = root[:, None] * linalg.cho_solve(factor, np.diag(root))
    covariance = 0.5 * (covariance + covariance.T)
    mean = covariance @ info.h
    value = info.constant - float(np.log(np.diagonal(factor[0])).sum()) + 0.5 * float(info.h @ mean)
    return Posterior(
        spread=info.spread,
        between=np.asarray(between, dtype=np.float64),
        mean=mean,
        covariance=covariance,
        log_evidence=value + log_prior(info.spread, between, settings),
    )


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
    best = optimize.minimize(
        objective, np.log(start), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60, "ftol": 1e-9}
    )
    # at a bound or at the limit of precision the line search may stop with a flat gradient: that is converged
    inside = (best.x > np.log(SPREAD_MIN) + 1e-6) & (best.x < np.log(SPREAD_MAX) - 1e-6)
    flat = bool(np.abs(np.asarray(best.jac)[inside]).max(initial=0.0) < 0.02)
    return posterior(info, columns, np.exp(best.x), settings), bool(best.success) or flat


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """β integrated over a grid of standard deviations: a mixture of normals.

    Attributes
    ----------
    weight : (K,) float
        Sums to 1.
    components : tuple of Posterior
        One a weight.
    mode : Posterior
        At the joint maximum.
    information : Information
        At the mode.
    converged : bool
        Every maximisation met its tolerance.
    """

    weight: Floats
    components: tuple[Posterior, ...]
    mode: Posterior
    information: Information
    converged: bool


def fit_effects(model: Model) -> Mixture:
    """Maximise the evidence, then integrate over v_p × w."""
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
    found: list[Posterior] = []
    log_weight: list[float] = []
    for z in (-1.6, -0.8, 0.0, 0.8, 1.6):
        v = best.spread.copy()
        v[V_P] = float(np.clip(v[V_P] * np.exp(z * width), SPREAD_MIN, SPREAD_MAX))
        here = info if z == 0.0 else integrate(model, v)
        for w in np.geomspace(0.02, 0.9, 12) * (settings.prior_w / 0.30):
            point = best.between.copy()
            point[0] = w
            each = posterior(here, columns, point, settings)
            found.append(each)
            log_weight.append(each.log_evidence + float(np.log(v[V_P]) + np.log(w)))
    weight = np.exp(np.asarray(log_weight) - max(log_weight))
    weight /= weight.sum()
    keep = weight > COMPONENT_MIN
    weight = weight[keep] / weight[keep].sum()
    return Mixture(
        weight=weight,
        components=tuple(each for each, kept in zip(found, keep, strict=True) if kept),
        mode=best,
        information=info,
        converged=converged,
    )


def _search(
    model: Model, info: Information, best: Posterior, which: int, step: float
) -> tuple[Information, Posterior, bool, float]:
    """One parabola step along the log of one local standard deviation, never downhill."""

    def at(log_v: float) -> tuple[Information, Posterior, bool]:
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
