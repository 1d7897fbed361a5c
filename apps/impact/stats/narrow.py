"""What do the data say about the effects of solutions alone, and about all else once these are known?

The columns of m_p and of the challenges' means c are sums of columns of θ, so the data know the solutions
only through Θ_k = m_p + c + θ_k. With all other coefficients o ~ N(0, D) and LL' = I + √D M_oo √D,
B = L^-1 √D M_oΘ, q = L^-1 √D h_o:

    M_Θ = M_θθ − B'B,   h_Θ = h_θ − B'q,   o | Θ ~ N(√D L^-T (q − BΘ), √D L^-T L^-1 √D).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .columns import Columns
from .data import Floats, Ints, Settings
from .information import Information

MATCHINGS = 40  # rounds of matching variances: each narrows the gap several times
MATCHED = 1e-6  # relative gap of variances that is none
MATCH_STEP = 0.8  # of the gap: whole steps of two entangled solutions would overshoot
FAINT = 1e-6  # a prior's least precision, so that what the data are silent about keeps a finite variance


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """A normal distribution of β.

    Attributes
    ----------
    mean, covariance : (Q,), (Q, Q) float
        Of β.
    prior : (Q,) float
        Precision of each coefficient's prior.
    """

    mean: Floats
    covariance: Floats
    prior: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """Information about Θ of the K used solutions, and the law of the R other coefficients given it.

    Attributes
    ----------
    m, h : (K, K), (K,) float
        Information about Θ.
    constant : float
        log evidence without the part of Θ.
    rest : (R,) int
        Columns of the others; m_p and the challenges' means are not among them.
    root : (R,) float
        √D.
    factor, across, own : (R, R), (R, K), (R,) float
        L, B, q.
    """

    m: Floats
    h: Floats
    constant: float
    rest: Ints
    root: Floats
    factor: Floats
    across: Floats
    own: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The normal prior of each Θ_k under which the data would say what is known.

    Attributes
    ----------
    precision : (K,) float
        Above 0.
    lean : (K,) float
        Precision times mean.
    """

    precision: Floats
    lean: Floats


def centres(columns: Columns) -> Ints:
    """Columns of the means that Θ contains: m_p and those of challenges."""
    return np.concatenate([columns.mean[1:2], np.unique(columns.challenge[columns.challenge >= 0])])


def homes(columns: Columns) -> Floats:
    """Which used solution has which challenge's mean, (K, C) of 0 and 1."""
    of = columns.challenge[columns.theta >= 0]
    return np.asarray((of[:, None] == centres(columns)[1:]).astype(np.float64))


def narrow(info: Information, columns: Columns, between: Floats, settings: Settings) -> Narrow:
    """Integrate all coefficients out but those that make up Θ."""
    theta = columns.theta[columns.theta >= 0]
    other = np.ones(columns.count, dtype=np.bool_)
    other[theta] = other[centres(columns)] = False
    rest = np.flatnonzero(other)
    root = np.sqrt(columns.prior_variance(between)[rest])
    inner = root[:, None] * info.m[np.ix_(rest, rest)] * root
    inner[np.diag_indices_from(inner)] += 1.0
    factor = linalg.cholesky(inner, lower=True) if rest.size else inner
    sides = np.column_stack([info.m[np.ix_(rest, theta)], info.h[rest]]) * root[:, None]
    half = linalg.solve_triangular(factor, sides, lower=True) if rest.size else sides
    across, own = half[:, :-1], half[:, -1]
    return Narrow(
        m=info.m[np.ix_(theta, theta)] - across.T @ across,
        h=info.h[theta] - across.T @ own,
        constant=info.constant - float(np.log(np.diagonal(factor)).sum()) + 0.5 * float(own @ own),
        rest=rest,
        root=root,
        factor=factor,
        across=across,
        own=own,
    )


def draw_rest(here: Narrow, theta: Floats, z: Floats) -> Floats:
    """Draws (R, N) of the other coefficients, given draws (N, K) of Θ and standard normals (R, N)."""
    if not z.size:
        return z
    away = z - here.across @ theta.T
    away += here.own[:, None]
    # solved from the right, where the draws lie: X L = away'
    found = linalg.blas.dtrsm(1.0, here.factor, away.T, side=1, lower=1, overwrite_b=1)
    found *= here.root
    return np.asarray(found.T)


def match(here: Narrow, mean: Floats, variance: Floats) -> Prior:
    """The normal prior that turns the data into a posterior with these means and variances of Θ.

    Variances above the data's own are met by no prior: there it says nothing.

    References
    ----------
    Minka (2001), UAI 17, §3: each factor of the prior by the normal that leaves the moments as they are.
    """
    precision = 1.0 / variance
    for _ in range(MATCHINGS if precision.size else 0):
        found = np.diagonal(linalg.inv(here.m + np.diag(precision)))
        step = np.maximum(precision + MATCH_STEP * (1.0 / variance - 1.0 / found), FAINT)
        near = bool(np.all(np.abs(step - precision) <= MATCHED / variance))
        precision = step
        if near:
            break
    return Prior(precision=precision, lean=(here.m + np.diag(precision)) @ mean - here.h)


def under(here: Narrow, prior: Prior) -> tuple[Floats, Floats]:
    """Mean and covariance of Θ under a normal prior."""
    if not prior.precision.size:
        return prior.lean, here.m
    covariance = linalg.inv(here.m + np.diag(prior.precision))
    covariance = 0.5 * (covariance + covariance.T)
    return covariance @ (here.h + prior.lean), covariance


def widen(here: Narrow, columns: Columns, between: Floats, prior: Prior) -> Normal:
    """β under a normal prior of Θ; θ holds all of Θ, m_p and the challenges' means nothing."""
    used = columns.theta[columns.theta >= 0]
    middle, inner = under(here, prior)
    mean = np.zeros(columns.count)
    covariance = np.zeros((columns.count, columns.count))
    mean[used] = middle
    covariance[np.ix_(used, used)] = inner
    if here.rest.size:
        inverse = linalg.solve_triangular(here.factor, np.diag(here.root), lower=True)
        slope = -inverse.T @ here.across
        mean[here.rest] = inverse.T @ here.own + slope @ middle
        mixed = slope @ inner
        covariance[np.ix_(here.rest, here.rest)] = inverse.T @ inverse + mixed @ slope.T
        covariance[np.ix_(here.rest, used)] = mixed
        covariance[np.ix_(used, here.rest)] = mixed.T
    known = 1.0 / np.maximum(columns.prior_variance(between), 1e-12)
    known[used] = prior.precision
    known[centres(columns)] = 0.0
    return Normal(mean=mean, covariance=covariance, prior=known)
