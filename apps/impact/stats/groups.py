"""What is common to all units of a week, and to those of a region?

Common week effects g_t are flat; a region with enough units has shocks g_G ~ N(0, Ω), Ω = v_g R(ρ_g).
With W_G the information of a region's units about its weeks,

    F_G = (I + W_G Ω)^-1,   H = Σ F_G W_G,   Cov(g + g_G | β) = Ω F_G + F_G' H^-1 F_G,

read off the symmetric Ω F_G = (Ω^-1 + W_G)^-1 with Ω^-1 tridiagonal: F_G = Ω^-1 (Ω F_G).

Regions are eliminated one by one; units outside any eligible region form one group with Ω = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .data import Bools, Floats, Ints, Settings
from .semiseparable import ar1_precision


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSystem:
    """The eliminated week effects of all groups.

    Attributes
    ----------
    f : (G, P, P) float
        F_G.
    omega_f : (G, P, P) float
        Ω F_G, symmetric; zero for the group without shocks.
    h_inverse : (P, P) float
        H^-1 over periods with answers, zero elsewhere.
    log_det : float
        Σ log|I + W_G Ω| + log|H|.
    live : (P,) bool
        Periods with answers.
    each : (G, P, P) float
        F_G W_G.
    shocks : int
        Groups with shocks: the first ones.
    diagonal, beside : (P,) float, float
        Ω^-1 of one group, which is tridiagonal.
    """

    f: Floats
    omega_f: Floats
    h_inverse: Floats
    log_det: float
    live: Bools
    each: Floats
    shocks: int
    diagonal: Floats
    beside: float


def eligible(region: Ints, answering: Bools, settings: Settings) -> Ints:
    """Labels of the regions that get shocks of their own; none when fewer than two would."""
    labels, counts = np.unique(region[answering], return_counts=True)
    big = labels[counts >= settings.region_units_min]
    return np.asarray(big if labels.shape[0] > 1 and big.shape[0] > 0 else labels[:0], dtype=np.int64)


def membership(region: Ints, labels: Ints) -> Ints:
    """Group of each unit: position in `labels`, or the last group (no shocks)."""
    if labels.shape[0] == 0:
        return np.zeros(region.shape[0], dtype=np.int64)
    at = np.minimum(np.searchsorted(labels, region), labels.shape[0] - 1)
    return np.asarray(np.where(labels[at] == region, at, labels.shape[0]), dtype=np.int64)


def week_system(w: Floats, *, shocks: int, v_g: float, rho_g: float) -> WeekSystem:
    """Eliminate the week effects.

    Parameters
    ----------
    w : (G, P, P) float
        Information of each group; the first `shocks` groups have shocks of their own.
    shocks : int
        Number of groups with shocks.
    v_g, rho_g : float
        Their variance and lag-1 correlation.
    """
    periods = w.shape[1]
    f = np.broadcast_to(np.eye(periods), w.shape).copy()
    omega_f = np.zeros_like(w)
    shocks = shocks if v_g > 0 else 0
    diagonal, beside = np.zeros(periods), 0.0
    log_det = 0.0
    if shocks:
        diagonal, beside = ar1_precision(weeks=periods, variance=v_g, rho=rho_g)
        apart = np.diag(diagonal) + beside * (np.eye(periods, k=1) + np.eye(periods, k=-1))
        log_det_omega = periods * np.log(v_g) + (periods - 1) * np.log1p(-rho_g * rho_g)
        for g in range(shocks):
            factor = linalg.cholesky(w[g] + apart, lower=True, check_finite=False)
            log_det += 2.0 * float(np.log(np.diagonal(factor)).sum()) + float(log_det_omega)
            omega_f[g] = symmetric_inverse(factor)
        f[:shocks] = _times_tridiagonal(omega_f[:shocks], diagonal, beside).transpose(0, 2, 1)
    live = np.diagonal(w.sum(axis=0)) > 0
    each = f @ w
    h_inverse, log_det_h = invert(each.sum(axis=0), live)
    return WeekSystem(
        f=f,
        omega_f=omega_f,
        h_inverse=h_inverse,
        log_det=log_det + log_det_h,
        live=live,
        each=each,
        shocks=shocks,
        diagonal=diagonal,
        beside=beside,
    )


def _times_tridiagonal(x: Floats, diagonal: Floats, beside: float) -> Floats:
    """Rows (…, P) times the matrix with this diagonal and this number beside it."""
    out = x * diagonal
    out[..., 1:] += beside * x[..., :-1]
    out[..., :-1] += beside * x[..., 1:]
    return np.asarray(out)


def sides(system: WeekSystem, b: Floats) -> tuple[Floats, Floats]:
    """bΩF_G and bF_G' of every group, for (G, Q, P)."""
    own, across = np.zeros_like(b), b.copy()
    shocks = system.shocks
    own[:shocks] = np.matmul(b[:shocks], system.omega_f[:shocks])
    across[:shocks] = _times_tridiagonal(own[:shocks], system.diagonal, system.beside)
    return own, across


def covariance(system: WeekSystem) -> Floats:
    """Covariance of g + g_G given the effects, (G, P, P)."""
    gamma = system.omega_f + system.f.transpose(0, 2, 1) @ system.h_inverse @ system.f
    return np.asarray(0.5 * (gamma + gamma.transpose(0, 2, 1)))


def symmetric_inverse(factor: Floats) -> Floats:
    """Inverse of a positive definite matrix from its lower Cholesky factor, zero above the diagonal."""
    inverse, status = linalg.lapack.dpotri(factor, lower=1)
    assert status == 0
    whole = inverse + inverse.T
    whole[np.diag_indices_from(whole)] = np.diagonal(inverse)
    return np.asarray(whole)


def invert(h: Floats, live: Bools) -> tuple[Floats, float]:
    """H^-1 over the periods with answers, zero elsewhere, and log|H|."""
    at = np.ix_(live, live)
    factor = linalg.cholesky(0.5 * (h + h.T)[at], lower=True)
    out = np.zeros_like(h)
    out[at] = symmetric_inverse(factor) if live.any() else factor
    return out, 2.0 * float(np.log(np.diagonal(factor)).sum())


def week_means(system: WeekSystem, a: Floats) -> Floats:
    """Posterior means of g + g_G from the groups' Wy sums, (G, P) → (G, P)."""
    shared = system.h_inverse @ np.einsum("gij,gj->i", system.f, a)
    out = np.einsum("gij,gj->gi", system.omega_f, a) + np.einsum("gji,j->gi", system.f, shared)
    return np.asarray(out, dtype=np.float64)
