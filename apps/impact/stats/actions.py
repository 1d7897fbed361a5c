"""What did each single action change? Read off the joint fit, raw and with everything known.

Given β and the week effects g_u, the local deviations of a unit are ξ | β, g_u ~ N(R(c − SAβ − Cg_u), R).
With g_u | β ~ N(ĝ_0 − Jβ, Γ) and β ~ N(β̂, Σ), for the blocks o of one action

    Cov(ξ_o) = R_oo + K Γ K' + κ Σ κ',   κ = −(R S A − K J)_o,   K = (R C)_o,   α = A_o + κ,
    Cov(τ_o) = R_oo + K Γ K' + α Σ α'.

The raw effect takes the prior of ξ_o back (own blocks flat), which is exact and keeps the unit's
other actions at model expectation with their variance and the error of the week effects:

    τ_raw = τ̂_o + X (Λ_oo − Φ)^-1 ξ̂_o,   Cov = Ψ + X (Λ_oo − Φ)^-1 X',
    Φ = Cov(ξ_o), Ψ = Cov(τ_o), X = Cov(τ_o, ξ_o).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from . import groups
from .blocks import LATE2, PRIMARY, SIDE
from .data import Floats, Ints
from .information import Bucket, Integral, Model, local_variance, some_rows
from .narrow import Normal

SLICE = 4096  # blocks handled at once
RAW_MAX = 1e6  # a raw variance above (reference scale, squared) says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Posterior of β and week effects.

    Attributes
    ----------
    info : Integral
        Data's part.
    beta : Normal
        β̂ and Σ.
    weeks : (G, P) float
        Posterior mean of g + g_G.
    slope : (G, Q, P) float
        J', how the week effects move against β.
    gamma : (G, P, P) float
        Covariance of the week effects given β.
    """

    info: Integral
    beta: Normal
    weeks: Floats
    slope: Floats
    gamma: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Effects of every intervention on the reference scale; NaN inside where there is none.

    Attributes
    ----------
    mean, variance : (I,) float
        Posterior of the primary (or side) block.
    raw, raw_variance : (I,) float
        From the unit's own data.
    deviation, deviation_variance : (I,) float
        Posterior of ξ, the action's deviation from what its solutions do elsewhere.
    correlation : (I,) float
        Largest |correlation| of its unshrunk effect with another action's in the unit.
    local : (B,) float
        Posterior mean of ξ by block.
    between : (ΣB²,) float
        AΣA' of each unit's blocks, one unit after the other.
    """

    mean: Floats
    variance: Floats
    raw: Floats
    raw_variance: Floats
    deviation: Floats
    deviation_variance: Floats
    correlation: Floats
    local: Floats
    between: Floats


def join(info: Integral, beta: Normal) -> Joint:
    """Week effects given everything."""
    system = info.weeks.system
    b1 = info.weeks.across.sum(axis=0)
    slope = info.weeks.own + np.matmul(b1 @ system.h_inverse, system.f)
    wy1 = np.einsum("gij,gj->i", system.f, info.sums.wy)
    start = np.einsum("gij,gj->gi", system.omega_f, info.sums.wy)
    start = start + np.einsum("gji,j->gi", system.f, system.h_inverse @ wy1)
    weeks = start - np.einsum("gqp,q->gp", slope, beta.mean)
    return Joint(info=info, beta=beta, weeks=weeks, slope=slope, gamma=groups.covariance(system))


def read(model: Model, joint: Joint) -> Readings:
    """Posterior and raw effect of every intervention."""
    count = model.done.unit.shape[0]
    out = {
        name: np.full(count, np.nan)
        for name in ("mean", "variance", "raw", "raw_variance", "deviation", "deviation_variance")
    }
    correlation = np.zeros(count)
    local, shared_beta = np.zeros(model.blocks.count), np.zeros(model.across.shape[0])
    sigma, beta = joint.beta.covariance, joint.beta.mean
    c, cy = model.statistics.c, model.statistics.cy
    # κ = −R S A + K J: only its first part is wide, and it is sparse; the second goes through weeks
    sigma_slope = np.matmul(joint.slope.transpose(0, 2, 1), sigma)
    weeks_error = joint.gamma + np.matmul(sigma_slope, joint.slope)
    toward_weeks = sigma_slope.transpose(0, 2, 1).reshape(-1, c.shape[1])
    # rows of A as the slices want them, and the same moved to the columns of their own group
    order = np.concatenate([bucket.index.ravel() for bucket in model.buckets] or [np.zeros(0, dtype=np.int64)])
    a_ordered, of_group = model.columns.a[order], model.by_group.T.tocsr()[order]
    last = 0
    for bucket, n_all, rows in _slices(model, joint):
        index = bucket.index[rows]
        here = slice(last, last + index.size)
        last = here.stop
        group = model.group[model.blocks.unit[index[:, 0]]]
        size = index.shape[1]
        s, n = bucket.s[rows], n_all[rows]
        prior = local_variance(some_rows(bucket, rows), joint.info.spread)
        r = np.matmul(prior, n)
        r = 0.5 * (r + r.transpose(0, 2, 1))
        a = a_ordered[here]
        shape = (index.shape[0], size, -1)
        model_tau = (a @ beta).reshape(index.shape)
        a_sigma = (a @ sigma).reshape(shape)
        between = np.matmul(a_sigma, a.toarray().reshape(shape).transpose(0, 2, 1))
        shared_beta[bucket.square[rows][:, None] + np.arange(size * size)] = between.reshape(-1, size * size)
        to_weeks = (of_group[here] @ toward_weeks).reshape(shape)
        of_weeks = c[index]
        k2 = np.matmul(r, of_weeks)
        resid = cy[index] - np.matmul(s, model_tau[:, :, None])[:, :, 0]
        resid -= np.matmul(of_weeks, joint.weeks[group][:, :, None])[:, :, 0]
        xi = np.matmul(r, resid[:, :, None])[:, :, 0]
        local[index] = xi
        lead = -np.matmul(r, s)
        keep = np.eye(size) + lead
        shared = r.copy()
        for g in np.unique(group):
            mine = np.flatnonzero(group == g)
            shared[mine] += np.matmul(np.matmul(k2[mine], weeks_error[g]), k2[mine].transpose(0, 2, 1))
        toward = np.matmul(to_weeks, k2.transpose(0, 2, 1))
        led, kept = np.matmul(lead, toward), np.matmul(keep, toward)
        phi = shared + np.matmul(np.matmul(lead, between), lead.transpose(0, 2, 1)) + led + led.transpose(0, 2, 1)
        cross = (
            shared + np.matmul(np.matmul(keep, between), lead.transpose(0, 2, 1)) + kept + led.transpose(0, 2, 1)
        )
        psi = (
            shared + np.matmul(np.matmul(keep, between), keep.transpose(0, 2, 1)) + kept + kept.transpose(0, 2, 1)
        )
        tau = model_tau + xi
        owner, kind = model.blocks.intervention[index], model.blocks.kind[index]
        correlation_here = _correlations(s, owner, kind)
        unit, position = np.nonzero((kind == PRIMARY) | (kind == SIDE))
        who = owner[unit, position]
        out["mean"][who] = tau[unit, position]
        out["variance"][who] = psi[unit, position, position]
        out["deviation"][who] = xi[unit, position]
        out["deviation_variance"][who] = phi[unit, position, position]
        correlation[who] = correlation_here[unit, position]
        own = (owner[unit] == who[:, None]) & ((kind[unit] <= LATE2) | (kind[unit] == SIDE))
        many = own.sum(axis=1)
        for m in np.unique(many):
            same = np.flatnonzero(many == m)
            u = unit[same]
            pick = np.nonzero(own[same])[1].reshape(-1, m)
            row, column = pick[:, :, None], pick[:, None, :]
            square = u[:, None, None]
            raw, variance = _unshrink(
                (prior - phi)[square, row, column],
                cross[u, position[same]][np.arange(same.shape[0])[:, None], pick],
                xi[u[:, None], pick],
            )
            out["raw"][who[same]] = tau[u, position[same]] + raw
            out["raw_variance"][who[same]] = psi[u, position[same], position[same]] + variance
    silent = ~np.isfinite(out["raw"]) | ~(out["raw_variance"] > 0) | ~(out["raw_variance"] < RAW_MAX)
    out["raw"][silent] = out["raw_variance"][silent] = np.nan
    return Readings(correlation=correlation, local=local, between=shared_beta, **out)


def _unshrink(gap: Floats, x: Floats, xi: Floats) -> tuple[Floats, Floats]:
    """What taking the prior of deviations back adds to effect and variance; NaN where own data say nothing.

    (N, m, m) Λ − Φ, (N, m) rows of X, (N, m) deviations.
    """
    gap = 0.5 * (gap + gap.transpose(0, 2, 1))
    try:
        lower = np.linalg.cholesky(gap)
    except np.linalg.LinAlgError:
        if gap.shape[0] == 1:
            return np.full(1, np.nan), np.full(1, np.nan)
        parts = [_unshrink(gap[i : i + 1], x[i : i + 1], xi[i : i + 1]) for i in range(gap.shape[0])]
        return np.concatenate([each[0] for each in parts]), np.concatenate([each[1] for each in parts])
    half = np.linalg.solve(lower, np.stack([x, xi], axis=2))
    return (half[:, :, 0] * half[:, :, 1]).sum(axis=1), np.square(half[:, :, 0]).sum(axis=1)


def _correlations(s: Floats, owner: Ints, kind: Ints) -> Floats:
    """Largest |correlation| of each primary block's unshrunk effect with another primary's, (N, b)."""
    size = s.shape[1]
    out = np.zeros(owner.shape)
    primary = kind == PRIMARY
    busy = primary.sum(axis=1) > 1
    if not busy.any():
        return out
    covariance = np.linalg.inv(s[busy] + 1e-3 * np.eye(size))
    sd = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 1e-300))
    r = np.abs(covariance / sd[:, :, None] / sd[:, None, :])
    both = primary[busy][:, :, None] & primary[busy][:, None, :]
    both &= owner[busy][:, :, None] != owner[busy][:, None, :]
    out[busy] = np.where(both, r, 0.0).max(axis=2)
    return out


def _slices(model: Model, joint: Joint) -> Iterator[tuple[Bucket, Floats, slice]]:
    """Units of one bucket, a few thousand blocks at a time."""
    for bucket, n in zip(model.buckets, joint.info.inverse, strict=True):
        step = max(1, SLICE // bucket.index.shape[1])
        for begin in range(0, bucket.index.shape[0], step):
            yield bucket, n, slice(begin, begin + step)
