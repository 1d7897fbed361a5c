"""What is believed of β, with the standard deviations of effects integrated out?

v_p and w on a grid around the peak of the evidence. At each v_p the effects of solutions are drawn together
with what rules them (`sampler`), all other coefficients given these exactly (`narrow`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .columns import Columns
from .data import Floats, Settings
from .effects import SPREAD_MAX, SPREAD_MIN, Spreads, along_width, maximise, posterior
from .information import V_P, Information, Integral, Model, along_v_p, integrate
from .narrow import Narrow, Normal, Prior, centres, draw_rest, homes, match, narrow, under, widen
from .sampler import Sample, sample, widths

FLAT_SD = 30.0  # a prior this wide is none on the reference scale
STEPS = (0.0, -1.4, 1.4)  # standard deviations of log v_p around its best value
WIDTHS = 12  # values of w that are weighed
WEIGHT_MIN = 1e-4  # weights below are dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """β given y, all standard deviations integrated out: draws, and what single actions need.

    Attributes
    ----------
    beta : (Q, N) float
        Draws of β.
    sample : Sample
        Draws of Θ and of its prior that they belong to.
    resolved : (K,) float
        1 − Var(θ_k|y)/w² of the used solutions, effects of solutions normal around their mean.
    width : float
        Root mean square of w, the same.
    prior : Prior
        The normal prior of each Θ_k that leads from `information` to the means and variances of the draws.
    normal : Normal
        β under it: single actions are read off here.
    flat : Normal
        β with the effects of solutions unshrunk.
    information : Integral
        At the typical v_p: intervals of actions need the mean of the variances, not the mode.
    spreads : Spreads
        Where the evidence is highest.
    """

    beta: Floats
    sample: Sample
    resolved: Floats
    width: float
    prior: Prior
    normal: Normal
    flat: Normal
    information: Integral
    spreads: Spreads

    def without(self, left: Information, columns: Columns, settings: Settings) -> tuple[Floats, Floats]:
        """Mean and covariance of Θ of the used solutions when only a part of the data is left."""
        return under(narrow(left, columns, np.asarray(self.spreads.between), settings), self.prior)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Values of v_p and w around the peak.

    Attributes
    ----------
    points : tuple of Narrow
        Information about Θ for each v_p.
    v_p, w : (V,), (W,) float
        The values.
    weight : (V, W) float
        Posterior weights, effects of solutions normal around their mean; they sum to 1.
    resolved : (V, W, K) float
        1 − Var(θ_k|y)/w².
    """

    points: tuple[Narrow, ...]
    v_p: Floats
    w: Floats
    weight: Floats
    resolved: Floats


def search(model: Model) -> Spreads:
    """Where the evidence is highest, and what v_p is on average around there."""
    peak = maximise(model)
    v, w = peak.best.spread.tolist(), peak.best.between.tolist()
    found = Spreads(
        local=(v[0], v[1], v[2]),
        between=(w[0], w[1], w[2], w[3]),
        width=peak.width,
        typical=v[0],
        converged=peak.converged,
    )
    around = _lattice(model, peak.information, found)
    return replace(found, typical=float(np.sqrt(around.weight.sum(axis=1) @ np.square(around.v_p))))


def believe(model: Model, spreads: Spreads | None = None) -> Beliefs:
    """Integrate around the peak of the evidence, which is searched for unless it is known."""
    settings, columns = model.settings, model.columns
    spreads = search(model) if spreads is None else spreads
    typical = integrate(model, np.array([spreads.typical, *spreads.local[1:]]))
    around = _lattice(model, typical, spreads)
    of_v_p, of_w = around.weight.sum(axis=1), around.weight.sum(axis=0)
    between = np.asarray(spreads.between)
    between[0] = np.sqrt(of_w @ np.square(around.w))
    rng = np.random.default_rng(settings.seed)
    drawn = sample(around.points, of_v_p, homes(columns), float(between[0]), settings, rng)
    there = narrow(typical, columns, between, settings)
    prior = match(there, drawn.theta.mean(axis=0), drawn.theta.var(axis=0))
    unshrunk = between.copy()
    unshrunk[0] = FLAT_SD
    return Beliefs(
        beta=_draws(around.points, drawn, columns, rng),
        sample=drawn,
        resolved=np.clip(np.einsum("vw,vwk->k", around.weight, around.resolved), 0.0, 1.0),
        width=float(between[0]),
        prior=prior,
        normal=widen(there, columns, between, prior),
        flat=posterior(typical, columns, unshrunk, settings),
        information=typical,
        spreads=spreads,
    )


def _lattice(model: Model, base: Integral, spreads: Spreads) -> Lattice:
    """Weights of v_p and w around the peak; `base` is the information at any v_p."""
    settings, w, between = model.settings, widths(model.settings, WIDTHS), np.asarray(spreads.between)
    moved = np.clip(spreads.local[V_P] * np.exp(spreads.width * np.array(STEPS)), SPREAD_MIN, SPREAD_MAX)
    points, value, resolved = [], [], []
    for v_p, here in zip(moved, along_v_p(model, base, moved.tolist()), strict=True):
        points.append(narrow(here, model.columns, between, settings))
        found, shares = along_width(points[-1], here, model.columns, between, w, settings)
        value.append(found + np.log(v_p) + np.log(w))
        resolved.append(shares)
    weight = np.exp(np.stack(value) - np.max(value))
    weight /= weight.sum()
    weight = np.where(weight > WEIGHT_MIN, weight, 0.0)
    return Lattice(
        points=tuple(points),
        v_p=moved,
        w=w,
        weight=weight / weight.sum(),
        resolved=np.stack(resolved),
    )


def _draws(points: Sequence[Narrow], drawn: Sample, columns: Columns, rng: np.random.Generator) -> Floats:
    """Draws of all of β that belong to draws of Θ, (Q, N); every second one mirrors its neighbour."""
    count = drawn.theta.shape[0]
    out = np.empty((columns.count, count))
    half = rng.standard_normal((points[0].rest.shape[0], -(-count // 2)))
    z = np.empty((half.shape[0], 2 * half.shape[1]))
    z[:, ::2] = half
    np.negative(half, out=z[:, 1::2])
    edges = np.searchsorted(drawn.point, np.arange(len(points) + 1))
    for here, first, last in zip(points, edges[:-1], edges[1:], strict=True):
        out[here.rest, first:last] = draw_rest(here, drawn.theta[first:last], z[:, first:last])
    mean = centres(columns)
    out[mean[0]], out[mean[1:]] = drawn.middle, drawn.home.T
    about = drawn.middle[:, None] + drawn.home @ homes(columns).T
    out[columns.theta[columns.theta >= 0]] = (drawn.theta - about).T
    return out
