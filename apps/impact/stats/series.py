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
from .actions import Joint
from .blocks import rows
from .cells import Cells, Scaling, cells, precision
from .data import Bools, Floats, Ints, Panel
from .information import Bucket, Model, local_variance, one_row
from .noise import Noise
from .results import Series

Z95 = 1.959963984540054  # 97.5 % quantile of the normal
AT_ONCE = 64  # units whose precisions are held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all units of a fit have in common.

    Attributes
    ----------
    state : (P, P) float
        Prior covariance of a unit's level and state.
    across : (G, Q, P) float
        ΣJ'.
    error : (G, P, P) float
        Covariance of the week effects, β's part included.
    sigma : (Q, Q) float
        Covariance of β.
    noise : Noise
        The fit's.
    live : (P,) bool
        Periods with answers somewhere.
    inflation : float
        Factor on the width of bands.
    """

    state: Floats
    across: Floats
    error: Floats
    sigma: Floats
    noise: Noise
    live: Bools
    inflation: float


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


def draw(model: Model, joint: Joint, panel: Panel, intervention: Ints, inflation: float) -> tuple[Series, ...]:
    """The units of some interventions with and without them, in the order asked for.

    Parameters
    ----------
    model, joint : Model, Joint
        The fit.
    panel : Panel
        The panel it was fitted on.
    intervention : (A,) int
        Rows of Interventions.
    inflation : float
        Factor on the width of the bands.
    """
    noise = model.statistics.noise
    across = np.matmul(joint.beta.covariance, joint.slope)
    shared = Shared(
        state=noise.v_a + noise.v_s * semiseparable.ar1_correlation(joint.weeks.shape[1], noise.rho),
        across=across,
        error=joint.info.system.gamma + np.matmul(joint.slope.transpose(0, 2, 1), across),
        sigma=joint.beta.covariance,
        noise=noise,
        live=joint.info.system.live,
        inflation=inflation,
    )
    unit = model.done.unit[intervention]
    order = np.argsort(unit, kind="stable")
    wanted = np.unique(unit)
    where = {
        int(u): (bucket, row)
        for bucket in model.buckets
        for row, u in enumerate(model.blocks.unit[bucket.index[:, 0]])
    }
    drawn: dict[int, Series] = {}
    for first in range(0, wanted.shape[0], AT_ONCE):
        some = wanted[first : first + AT_ONCE]
        cell = _cells(panel, noise, some)
        inverse = _inverses(cell, noise)
        for column, u in enumerate(some.tolist()):
            mine = order[np.searchsorted(unit[order], u) : np.searchsorted(unit[order], u, side="right")]
            one = _prepare(model, joint, shared, cell, column, inverse[column], *where[u])
            for position in mine.tolist():
                drawn[position] = _without(one, shared, cell, column, one.owner == intervention[position])
    return tuple(drawn[position] for position in range(unit.shape[0]))


def _cells(panel: Panel, noise: Noise, units: Ints) -> Cells:
    part = Panel(
        y=panel.y[units],
        n=panel.n[units],
        within_variance=panel.within_variance,
        region=panel.region[units],
        kind=panel.kind[units],
        usable=None if panel.usable is None else panel.usable[units],
    )
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    return cells(part, scaled, noise.origin)


def _inverses(cell: Cells, noise: Noise) -> Floats:
    """The precision of units' weeks before local deviations, (U, P, P)."""
    d = precision(cell.n, noise.sampling, noise.nu2)
    return semiseparable.dense(semiseparable.factorise(d=d, v_a=noise.v_a, v_s=noise.v_s, rho=noise.rho))


def _prepare(
    model: Model, joint: Joint, shared: Shared, cell: Cells, column: int, inverse: Floats, bucket: Bucket, row: int
) -> Unit:
    mine = bucket.index[row]
    prior = local_variance(one_row(bucket, row), joint.info.spread)[0]
    g = int(model.group[model.blocks.unit[mine[0]]])
    x = rows(np.full(mine.shape[0], column), model.blocks.start[mine], model.blocks.end[mine], cell)
    a = model.columns.a[mine].toarray()
    wx = inverse @ x
    w = inverse - wx @ prior @ np.linalg.solve(np.eye(mine.shape[0]) + x.T @ wx @ prior, wx.T)
    w = 0.5 * (w + w.T)
    k = shared.state + x @ prior @ x.T
    kw = k @ w
    f = np.eye(x.shape[0]) - kw
    told = a @ joint.beta.mean
    residual = cell.y[:, column] - joint.weeks[g] - x @ told
    between = a @ shared.sigma @ a.T
    mixed = a @ shared.across[g]
    lead = x @ between - mixed.T
    once = x @ mixed
    error = shared.error[g] + x @ between @ x.T - (once + once.T)
    reached = f @ error
    wx = w @ x
    return Unit(
        owner=model.blocks.intervention[mine],
        x=x,
        prior=prior,
        told=told,
        weeks=joint.weeks[g],
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


def _without(one: Unit, shared: Shared, cell: Cells, column: int, own: Bools) -> Series:
    x, noise, live = one.x, shared.noise, shared.live
    change = one.prior.copy()
    change[np.ix_(~own, ~own)] = 0.0
    mine = own.astype(np.float64)
    # the variance is linear and quadratic in what is left out
    linear = (one.spread + one.middle) @ change - one.lead * mine
    cross = change @ one.toward * mine
    square = change @ (one.across - one.held) @ change - change - cross - cross.T
    square += one.between * np.outer(mine, mine)
    variance = one.variance + ((2.0 * linear + x @ square) * x).sum(axis=1)
    sd = np.sqrt(np.maximum(variance, 0.0)) * shared.inflation
    base = one.weeks + x @ np.where(own, 0.0, one.told) + one.shift - x @ (change @ one.found)
    effect = x @ np.where(own, one.told + one.prior @ one.found, 0.0)
    week = np.arange(x.shape[0], dtype=np.float64) * noise.period_weeks

    def out(value: Floats) -> Floats:
        return np.asarray(value[live] / noise.scale + noise.origin)

    n = cell.n[:, column]
    return Series(
        week=week[live],
        observed=out(np.where(n > 0, cell.y[:, column], np.nan)),
        counterfactual=out(base),
        low=out(base - Z95 * sd),
        high=out(base + Z95 * sd),
        fitted=out(base + effect),
        n=n[live],
    )
