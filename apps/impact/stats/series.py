"""What would these units' weeks have looked like without an action?

With W~ a unit's precision (local deviations integrated out) and r = y − XAβ̂ − ĝ, the state
L = a + s and the deviations ξ of all other blocks have posterior mean K_r W~ r, K_r = Cov(L + X_r ξ_r, y).
The error of β and of the week effects comes in through F_r (XA − J') − X_o A_o and F_r = I − K_r W~.

Everything that costs P³ is done once a unit: leaving out the blocks o of an action changes K by a
matrix of low rank, K_r = K − X M X' with M = Λ less its part of the other blocks, so that
F_r = F + X M X'W~, and each action adds products of P × b only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import semiseparable
from .blocks import rows
from .cells import Cells, Scaling, cells, precision
from .data import Bools, Floats, Ints, Panel
from .noise import Noise
from .portion import Common, Group, Portion
from .results import Series

Z95 = 1.959963984540054  # 97.5 % quantile of the normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit with all its b blocks; what leaving some of them out is built from.

    Attributes
    ----------
    owner : (b,) int
        Intervention of each block.
    x, prior, told : (P, b), (b, b), (b,) float
        Blocks, Λ, Aβ̂.
    weeks : (P,) float
        Week effects.
    held, found : (b, b), (b,) float
        X'W~X, X'W~r.
    middle, shift : (P, b), (P,) float
        K W~ X, K W~ r.
    variance : (P,) float
        Of the unit without any block, were all known to be ξ.
    spread, across : (P, b), (b, b) float
        F E W~X and X'W~ E W~X, E the covariance of what β and the week effects say of each week.
    lead, toward, between : (P, b), (b, b), (b, b) float
        F Cov(E, Aβ), X'W~ Cov(E, Aβ), Cov(Aβ).
    """

    owner: Ints
    x: Floats
    prior: Floats
    told: Floats
    weeks: Floats
    held: Floats
    found: Floats
    middle: Floats
    shift: Floats
    variance: Floats
    spread: Floats
    across: Floats
    lead: Floats
    toward: Floats
    between: Floats


def draw(common: Common, group: Group, portion: Portion, unit: int, intervention: Ints) -> tuple[Series, ...]:
    """One unit with and without some interventions, in the order asked for.

    Parameters
    ----------
    common, group, portion : Common, Group, Portion
        Of the fit, of the unit's group, and the one that holds the unit.
    unit : int
        Row of the portion.
    intervention : (A,) int
        Rows of Interventions, all in this unit.
    """
    cell = _cells(portion.panel, common.noise, unit)
    one = _prepare(common, group, portion, cell, unit, _inverse(cell, common.noise))
    return tuple(_without(one, common, cell, one.owner == number) for number in intervention)


def _cells(panel: Panel, noise: Noise, unit: int) -> Cells:
    one = slice(unit, unit + 1)
    part = Panel(
        y=panel.y[one],
        n=panel.n[one],
        within_variance=panel.within_variance,
        region=panel.region[one],
        kind=panel.kind[one],
        usable=None if panel.usable is None else panel.usable[one],
    )
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    return cells(part, scaled, noise.origin)


def _inverse(cell: Cells, noise: Noise) -> Floats:
    """The precision of the unit's weeks before local deviations, (P, P)."""
    d = precision(cell.n, noise.sampling, noise.nu2)
    return np.asarray(
        semiseparable.dense(semiseparable.factorise(d=d, v_a=noise.v_a, v_s=noise.v_s, rho=noise.rho))[0]
    )


def _prepare(common: Common, group: Group, portion: Portion, cell: Cells, unit: int, inverse: Floats) -> Unit:
    mine, noise = portion.rows_of(unit), common.noise
    prior = portion.prior_of(unit)
    size, periods = prior.shape[0], cell.y.shape[0]
    x = rows(np.zeros(size, dtype=np.int64), portion.start[mine], portion.end[mine], cell)
    a = portion.rows_of_beta(unit, common.beta.shape[0])
    wx = inverse @ x
    w = inverse - wx @ prior @ np.linalg.solve(np.eye(size) + x.T @ wx @ prior, wx.T)
    w = 0.5 * (w + w.T)
    k = noise.v_a + noise.v_s * semiseparable.ar1_correlation(periods, noise.rho) + x @ prior @ x.T
    kw = k @ w
    f = np.eye(x.shape[0]) - kw
    told = a @ common.beta
    residual = cell.y[:, 0] - group.weeks - x @ told
    between = a @ common.sigma @ a.T
    mixed = a @ group.across
    lead = x @ between - mixed.T
    once = x @ mixed
    error = group.error + x @ between @ x.T - (once + once.T)
    reached = f @ error
    wx = w @ x
    return Unit(
        owner=portion.intervention[mine],
        x=x,
        prior=prior,
        told=told,
        weeks=group.weeks,
        held=x.T @ wx,
        found=wx.T @ residual,
        middle=k @ wx,
        shift=kw @ residual,
        variance=np.diagonal(k) - (kw * k).sum(axis=1) + (reached * f).sum(axis=1),
        spread=reached @ wx,
        across=wx.T @ error @ wx,
        lead=f @ lead,
        toward=wx.T @ lead,
        between=between,
    )


def _without(one: Unit, common: Common, cell: Cells, own: Bools) -> Series:
    x, noise, live = one.x, common.noise, common.live
    change = one.prior.copy()
    change[np.ix_(~own, ~own)] = 0.0
    mine = own.astype(np.float64)
    # the variance is linear and quadratic in what is left out
    linear = (one.spread + one.middle) @ change - one.lead * mine
    cross = change @ one.toward * mine
    square = change @ (one.across - one.held) @ change - change - cross - cross.T
    square += one.between * np.outer(mine, mine)
    variance = one.variance + ((2.0 * linear + x @ square) * x).sum(axis=1)
    sd = np.sqrt(np.maximum(variance, 0.0)) * common.inflation
    base = one.weeks + x @ np.where(own, 0.0, one.told) + one.shift - x @ (change @ one.found)
    effect = x @ np.where(own, one.told + one.prior @ one.found, 0.0)
    week = np.arange(x.shape[0], dtype=np.float64) * noise.period_weeks

    def out(value: Floats) -> Floats:
        return np.asarray(value[live] / noise.scale + noise.origin)

    n = cell.n[:, 0]
    return Series(
        week=week[live],
        observed=out(np.where(n > 0, cell.y[:, 0], np.nan)),
        counterfactual=out(base),
        low=out(base - Z95 * sd),
        high=out(base + Z95 * sd),
        fitted=out(base + effect),
        n=n[live],
    )
