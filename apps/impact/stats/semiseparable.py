"""How is the precision of one unit's weeks applied without ever building it?

A unit's noise is V = v_a 11' + v_s R + diag(1/d), R the AR(1) correlation, d the cell precisions
(zero in weeks without answers). With Q the tridiagonal precision of v_s R and K = Q + diag(d),

    (v_s R + diag(1/d))^-1 = diag(d) - diag(d) K^-1 diag(d),

which exists for d = 0 as well. K = L Δ L' with L unit lower bidiagonal, and K^-1 is
semiseparable: K^-1[i, j] = κ_j Π_{i<=m<j} (-l_m) for i <= j.

Arrays are laid out weeks first, (T, N): one recursion step is one contiguous row for all units.

References
----------
Vandebril, Van Barel, Mastronardi (2008), Matrix Computations and Semiseparable Matrices, ch. 1-3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .data import Floats, Ints

COLUMNS = 512  # handled at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """V^-1 of N units, ready to be applied.

    Attributes
    ----------
    d : (T, N) float
        Cell precisions, 0 without answers.
    delta : (T, N) float
        Pivots Δ of K.
    lower : (T, N) float
        Subdiagonal of L, the last row is 0.
    f : (T, N) float
        V0^-1 1, scaled so that V^-1 = V0^-1 - f f' (V0 is V without the unit effect).
    log_det : (N,) float
        log|V| over the weeks with answers.
    """

    d: Floats
    delta: Floats
    lower: Floats
    f: Floats
    log_det: Floats

    def take(self, columns: Ints) -> Factors:
        """The factors of some units, possibly repeated."""
        return Factors(
            d=self.d[:, columns],
            delta=self.delta[:, columns],
            lower=self.lower[:, columns],
            f=self.f[:, columns],
            log_det=self.log_det[columns],
        )


def column_sums(x: Floats) -> Floats:
    """Sums over weeks, (T, N) → (N,), with bits that do not depend on N.

    A sum down the rows is sequential for N > 1 and pairwise for N = 1; along contiguous rows it is
    pairwise for both.
    """
    return np.asarray(np.ascontiguousarray(x.T).sum(axis=1))


def ar1_precision(*, weeks: int, variance: float, rho: float) -> tuple[Floats, float]:
    """Diagonal (T,) and constant off-diagonal of the precision of an AR(1) process."""
    inner = 1.0 / (variance * (1.0 - rho * rho))
    diagonal = np.full(weeks, inner * (1.0 + rho * rho))
    diagonal[0] = diagonal[-1] = inner
    if weeks == 1:
        diagonal[0] = 1.0 / variance
    return diagonal, -rho * inner


def ar1_correlation(weeks: int, rho: float) -> Floats:
    """AR(1) correlation matrix, (T, T)."""
    lags = np.abs(np.arange(weeks)[:, None] - np.arange(weeks)[None, :])
    return np.asarray(rho**lags, dtype=np.float64)


def factorise(*, d: Floats, v_a: float, v_s: float, rho: float) -> Factors:
    """Factor the noise of N units.

    Parameters
    ----------
    d : (T, N) float
        Cell precisions, 0 without answers.
    v_a, v_s, rho : float
        Unit variance, state variance, lag-1 correlation.

    Returns
    -------
    Factors
    """
    weeks = d.shape[0]
    q_diagonal, q_off = ar1_precision(weeks=weeks, variance=v_s, rho=rho)
    delta = np.empty_like(d)
    lower = np.zeros_like(d)
    delta[0] = q_diagonal[0] + d[0]
    for t in range(weeks - 1):
        lower[t] = q_off / delta[t]
        delta[t + 1] = q_diagonal[t + 1] + d[t + 1] - q_off * lower[t]
    # log|v_s R + 1/d| = log|K| - log|Q| - sum log d over observed weeks
    log_det_q = -weeks * np.log(v_s) - (weeks - 1) * np.log1p(-rho * rho)
    observed = d > 0
    log_d = np.log(np.where(observed, d, 1.0))
    log_det = column_sums(np.log(delta)) - log_det_q - column_sums(log_d)
    plain = Factors(d=d, delta=delta, lower=lower, f=np.zeros_like(d), log_det=log_det)
    ones = apply(plain, np.ones_like(d))
    total = column_sums(ones)
    f = ones * np.sqrt(v_a / (1.0 + v_a * total))
    return Factors(d=d, delta=delta, lower=lower, f=f, log_det=log_det + np.log1p(v_a * total))


def solve(factors: Factors, b: Floats) -> Floats:
    """K^-1 b for (T, N) right-hand sides, one a unit."""
    z = b.copy()
    weeks = b.shape[0]
    lower = factors.lower
    for t in range(weeks - 1):
        z[t + 1] -= lower[t] * z[t]
    z /= factors.delta
    for t in range(weeks - 2, -1, -1):
        z[t] -= lower[t] * z[t + 1]
    return z


def apply(factors: Factors, x: Floats) -> Floats:
    """V^-1 x for (T, N) columns, one a unit."""
    dx = factors.d * x
    w = dx - factors.d * solve(factors, dx)
    if factors.f.any():
        w -= factors.f * column_sums(factors.f * x)
    return w


def apply_to_columns(factors: Factors, unit: Ints, x: Floats) -> Floats:
    """V^-1 x for columns (T, B) that belong to units, one row each: (B, T).

    Some hundred at a time, which stay near the processor.
    """
    out = np.empty((x.shape[1], x.shape[0]))
    for first in range(0, x.shape[1], COLUMNS):
        part = slice(first, first + COLUMNS)
        out[part] = apply(factors.take(unit[part]), x[:, part]).T
    return out


def inverse_diagonal(factors: Factors) -> Floats:
    """κ, the diagonal of K^-1, (T, N)."""
    kappa = 1.0 / factors.delta
    for t in range(kappa.shape[0] - 2, -1, -1):
        kappa[t] += factors.lower[t] ** 2 * kappa[t + 1]
    return kappa


def dense(factors: Factors) -> Floats:
    """V^-1 of every unit, (N, T, T); for a sample of units only."""
    weeks, units = factors.d.shape
    d = factors.d.T
    step = np.ascontiguousarray(-factors.lower.T)
    right = (inverse_diagonal(factors).T * d) if weeks else d
    w = np.zeros((units, weeks, weeks))
    diagonal = np.arange(weeks)
    run = np.ones((units, weeks))
    w[:, diagonal, diagonal] = d - d * right
    for h in range(1, weeks):
        run = run[:, :-1] * step[:, h - 1 : weeks - 1]
        band = -d[:, :-h] * run * right[:, h:]
        w[:, diagonal[:-h], diagonal[h:]] = band
        w[:, diagonal[h:], diagonal[:-h]] = band
    f = factors.f.T
    w -= f[:, :, None] * f[:, None, :]
    return w


def grouped_sum(factors: Factors, indicator: Floats, quantum: float) -> Floats:
    """Exact sums of V^-1 over groups of units.

    Every entry is rounded to a multiple of `quantum` before it is added. Sums of such numbers are
    exact in floating point, so the result does not depend on order or chunking.

    Parameters
    ----------
    factors : Factors
        N units.
    indicator : (N, G) float
        1 where the unit belongs to the group.
    quantum : float
        Power of two.

    Returns
    -------
    (G, T, T) float
    """
    weeks, _ = factors.d.shape
    out = np.zeros((indicator.shape[1], weeks, weeks))
    # in quanta, and with the sign of what is off the diagonal: scaling by powers of two rounds nothing
    d, f, step = factors.d / -quantum, factors.f / -quantum, -factors.lower
    right, diagonal = inverse_diagonal(factors) * factors.d, np.arange(weeks)
    run, whole, beside = np.ones_like(d), np.empty_like(d), np.empty_like(d)
    for h in range(weeks):
        left = weeks - h
        band, other = whole[:left], beside[:left]
        if h:
            np.multiply(run[:left], step[h - 1 : weeks - 1], out=run[:left])
        np.multiply(d[:left], run[:left], out=band)
        band *= right[h:]
        np.multiply(f[:left], factors.f[h:], out=other)
        band += other
        if not h:
            band -= d
        np.rint(band, out=band)
        sums = (band @ indicator) * quantum
        out[:, diagonal[:left], diagonal[h:]] = sums.T
        if h:
            out[:, diagonal[h:], diagonal[:left]] = sums.T
    return out
