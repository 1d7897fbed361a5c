"""Does the fit hold? Placebos, innovations, clustered errors, leave-one-out, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from . import placebo, semiseparable
from .actions import Joint, Readings
from .beliefs import Beliefs
from .blocks import levels, rows, sums
from .cells import Scaling, cells, precision
from .data import Actions, Floats, Panel, Settings
from .information import Model, leave_groups_out, local_variance, some_rows
from .noise import Noise
from .plain import Plain
from .results import Check
from .solutions import Uses, information_share

PLACEBO_MIN = 20  # fewer placebos say nothing about the spread
SPREAD_LOW, SPREAD_HIGH = 0.85, 1.15
AUTOCORRELATION_MAX = 0.03
KURTOSIS_MAX = 1.0  # excess
REGION_VARIANCE = (0.8, 1.25)
CHECKED_UNITS = 100  # a sample: over 100 weeks the lag-1 autocorrelation is known to ±.02
ALIKE = 4  # groups of units with about as many blocks, learnt from together
AT_ONCE = 8  # weeks that are learnt from in one step
LIKE_PRECISION = 60  # placebos of like precision an action is compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the checks found, and what it does to the results.

    Attributes
    ----------
    checks : tuple of Check
        For display.
    inflation : float
        Factor on every standard error, from the placebos.
    factor : (S,) float
        Factor on each solution's standard errors, placebos and clustering together.
    leave_out : mapping
        Smallest P(Θ>0), or of its mirror, with one unit or region left out.
    placebo_green : bool
        Placebos behaved.
    placebos : Placebos
        For `placebo_p`.
    """

    checks: tuple[Check, ...]
    inflation: float
    factor: Floats
    leave_out: Mapping[int, float]
    placebo_green: bool
    placebos: placebo.Placebos

    def placebo_p(self, readings: Readings) -> Floats:
        """Rank of each intervention's |z| among placebos of like precision, NaN where there is none, (I,)."""
        out = np.full(readings.raw.shape[0], np.nan)
        if self.placebos.se.shape[0] < PLACEBO_MIN:
            return out
        known = np.flatnonzero(np.isfinite(readings.raw))
        se = np.sqrt(readings.raw_variance[known])
        order = np.argsort(self.placebos.se, kind="stable")
        z, log_se = np.abs(self.placebos.z[order]), np.log(self.placebos.se[order])
        many = min(LIKE_PRECISION, order.size)
        # those of like precision follow each other: from the first one that is no further away than the one
        # that would come in for it
        first = np.searchsorted(log_se[:-many] + log_se[many:], 2.0 * np.log(se))
        near = z[first[:, None] + np.arange(many)]
        larger = (near >= (np.abs(readings.raw[known]) / se)[:, None]).sum(axis=1)
        out[known] = (1 + larger) / (1 + many)
        return out


def run(
    model: Model,
    beliefs: Beliefs,
    joint: Joint,
    readings: Readings,
    panel: Panel,
    actions: Actions,
    plain: Plain,
    used: Uses,
) -> Findings:
    """All checks of a fit."""
    settings = model.settings
    found: list[Check] = []
    risks = placebo.risk(model, panel, settings)
    units, weeks = placebo.choose(model, risks, panel, settings)
    placebos = placebo.measure(model, joint, panel, units, weeks, settings)
    inflation, green = _placebo_checks(placebos, found)
    residuals = _residuals(model, joint, readings, panel)
    _innovations(model, joint, panel, residuals, found)
    scores = _scores(model, joint, residuals)
    ratio = _sandwich(model, joint, scores, settings, found)
    leave_out = _leave_out(model, beliefs, joint, readings, scores, panel, actions, used)
    _reactivity(model, risks, readings, panel, plain, found)
    converged = model.statistics.noise.converged and beliefs.spreads.converged
    found.append(
        Check(
            code="converged",
            passed=converged,
            value=float(converged),
            limit="all maximisations met their tolerance",
        )
    )
    factor = np.maximum(inflation, np.where(ratio > settings.sandwich_ratio, ratio, 1.0))
    return Findings(
        checks=tuple(found),
        inflation=inflation,
        factor=factor,
        leave_out=leave_out,
        placebo_green=green,
        placebos=placebos,
    )


def _placebo_checks(placebos: placebo.Placebos, found: list[Check]) -> tuple[float, bool]:
    z = placebos.z
    if z.shape[0] < PLACEBO_MIN:
        why = f"{z.shape[0]} pretend actions found a place, {PLACEBO_MIN} are needed"
        found.append(Check(code="placebo_spread", passed=False, value=None, limit=why))
        return 1.0, False
    spread, mean = float(z.std(ddof=1)), float(z.mean())
    centred = abs(mean) <= 2.0 * spread / np.sqrt(z.shape[0])
    even = SPREAD_LOW <= spread <= SPREAD_HIGH
    found.append(
        Check(code="placebo_mean", passed=bool(centred), value=mean, limit="within 2 standard errors of 0")
    )
    found.append(Check(code="placebo_spread", passed=even, value=spread, limit=f"{SPREAD_LOW}–{SPREAD_HIGH}"))
    return (max(1.0, spread) if not even else 1.0), bool(centred and even)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """Per unit, weeks first.

    Attributes
    ----------
    e : (P, U) float
        V^-1 (y − ĝ − Xτ̂).
    blocks : (B,) float
        X'e.
    """

    e: Floats
    blocks: Floats


def _residuals(model: Model, joint: Joint, readings: Readings, panel: Panel) -> Residuals:
    noise, blocks = model.statistics.noise, model.blocks
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    cell = cells(panel, scaled, noise.origin)
    factors = semiseparable.factorise(
        d=precision(cell.n, noise.sampling, noise.nu2), v_a=noise.v_a, v_s=noise.v_s, rho=noise.rho
    )
    tau = model.columns.a @ joint.beta.mean + readings.local
    fitted = levels(blocks, tau, cell)
    e = semiseparable.apply(factors, cell.y - joint.weeks[model.group].T - fitted)
    return Residuals(e=e, blocks=sums(blocks, e, cell))


def _innovations(model: Model, joint: Joint, panel: Panel, residuals: Residuals, found: list[Check]) -> None:
    """One-step-ahead errors of a sample of units, standardised by the model."""
    settings, noise = model.settings, model.statistics.noise
    rng = np.random.default_rng(settings.seed + 3)
    pool = np.flatnonzero(np.abs(residuals.e).max(axis=0) > 0)
    if pool.size > CHECKED_UNITS:
        pool = np.sort(rng.choice(pool, size=CHECKED_UNITS, replace=False))
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    part = Panel(
        y=panel.y[pool],
        n=panel.n[pool],
        within_variance=panel.within_variance,
        region=panel.region[pool],
        kind=panel.kind[pool],
        usable=None if panel.usable is None else panel.usable[pool],
    )
    cell = cells(part, scaled, noise.origin)
    periods, seen = cell.y.shape[0], cell.n.T > 0
    sizes = model.statistics.block_count[pool]
    # per week and unit: its residual, then the columns of its random effects, each of variance 1
    columns = np.zeros((periods, pool.shape[0], 2 + int(sizes.max(initial=0))))
    columns[:, :, 0] = cell.y - joint.weeks[model.group[pool]].T
    columns[:, :, 1] = np.sqrt(noise.v_a)
    expected = model.columns.a @ joint.beta.mean
    for bucket in model.buckets:
        size = bucket.index.shape[1]
        at = np.flatnonzero(sizes == size)
        if not at.size:
            continue
        here = np.searchsorted(model.blocks.unit[bucket.index[:, 0]], pool[at])
        index = bucket.index[here]
        flat = index.ravel()
        x = rows(np.repeat(at, size), model.blocks.start[flat], model.blocks.end[flat], cell)
        x = x.reshape(periods, at.size, size).transpose(1, 0, 2)
        root = np.linalg.cholesky(local_variance(some_rows(bucket, here), joint.info.spread))
        columns[:, at, 2 : 2 + size] = np.matmul(x, root).transpose(1, 0, 2)
        columns[:, at, 0] -= np.matmul(x, expected[index][:, :, None])[:, :, 0].T
    d = precision(cell.n, noise.sampling, noise.nu2)
    white = _whiten(columns, d, noise)
    innovation = np.empty_like(d)
    for some in np.array_split(np.argsort(sizes, kind="stable"), ALIKE):
        innovation[:, some] = _one_step_errors(white[some, :, : 2 + int(sizes[some].max(initial=0))])
    # the first of a unit is not foreseen
    late = seen & (np.cumsum(seen, axis=1) > 1)
    z, region = innovation.T[late], np.broadcast_to(part.region[:, None], late.shape)[late]
    if z.shape[0] < 100:
        return
    both = late[:, :-1] & late[:, 1:]
    before, after = innovation.T[:, :-1][both], innovation.T[:, 1:][both]
    lag1 = float((before * after).mean() / np.square(z).mean()) if before.size else 0.0
    slack = 2.0 / np.sqrt(max(before.size, 1))
    found.append(
        Check(
            code="autocorrelation",
            passed=abs(lag1) <= max(AUTOCORRELATION_MAX, slack),
            value=lag1,
            limit=f"±{max(AUTOCORRELATION_MAX, slack):.2f}",
        )
    )
    kurtosis = float(np.mean(z**4) / np.mean(z**2) ** 2 - 3.0)
    found.append(
        Check(code="kurtosis", passed=kurtosis <= KURTOSIS_MAX, value=kurtosis, limit=f"at most {KURTOSIS_MAX}")
    )
    worst = 1.0
    for label in np.unique(region):
        mine = z[region == label]
        if mine.shape[0] >= 200:
            variance = float(np.square(mine).mean())
            worst = variance if abs(np.log(variance)) > abs(np.log(worst)) else worst
    found.append(
        Check(
            code="region_variance",
            passed=REGION_VARIANCE[0] <= worst <= REGION_VARIANCE[1],
            value=worst,
            limit=f"{REGION_VARIANCE[0]}–{REGION_VARIANCE[1]}",
        )
    )


def _whiten(columns: Floats, d: Floats, noise: Noise) -> Floats:
    """Columns of units with their state and the error of cells filtered out (Kalman), (U, P, K).

    What stays of them has independent errors of variance 1, and is 0 in periods without answers.

    Parameters
    ----------
    columns : (P, U, K) float
        Any columns of each unit.
    d : (P, U) float
        Cell precisions, 0 without answers.
    noise : Noise
        The state's variance and correlation.
    """
    white, known = np.empty_like(columns), np.zeros(columns.shape[1:])
    gain, moved = np.empty((2, *d.shape, 1))
    variance = np.full(d.shape[1], noise.v_s)
    for t in range(d.shape[0]):
        gain[t, :, 0] = d[t] / (1.0 + d[t] * variance)
        moved[t, :, 0] = gain[t, :, 0] * variance
        variance = noise.rho**2 * variance * (1.0 - moved[t, :, 0]) + noise.v_s * (1.0 - noise.rho**2)
    for t in range(d.shape[0]):
        np.subtract(columns[t], known, out=white[t])
        known = noise.rho * (known + moved[t] * white[t])
    white *= np.sqrt(gain)
    return np.ascontiguousarray(white.transpose(1, 0, 2))


def _one_step_errors(white: Floats) -> Floats:
    """Standardised one-step-ahead errors of units, (P, U); 0 in periods without answers.

    A regression with independent errors of variance 1; its effects, of variance 1 too, are learnt week by week.

    Parameters
    ----------
    white : (U, P, 1 + K) float
        Of every unit its values, then K columns of random effects, whitened.
    """
    units, periods, width = white.shape
    out = np.empty((units, periods))
    mean, covariance = np.zeros((units, width - 1, 1)), np.tile(np.eye(width - 1), (units, 1, 1))
    for first in range(0, periods, AT_ONCE):
        y, z = white[:, first : first + AT_ONCE, :1], white[:, first : first + AT_ONCE, 1:]
        lead = np.matmul(z, covariance)
        spread = np.eye(y.shape[1]) + np.matmul(lead, z.transpose(0, 2, 1))
        solved = np.linalg.solve(
            np.linalg.cholesky(spread), np.concatenate([y - np.matmul(z, mean), lead], axis=2)
        )
        error, lead = solved[:, :, :1], solved[:, :, 1:]
        out[:, first : first + AT_ONCE] = error[:, :, 0]
        mean += np.matmul(lead.transpose(0, 2, 1), error)
        covariance -= np.matmul(lead.transpose(0, 2, 1), lead)
    return out.T


def _scores(model: Model, joint: Joint, residuals: Residuals) -> Floats:
    """Each unit's contribution to the score of β, week effects profiled out, (U, Q)."""
    units = model.group.shape[0]
    blocks = model.blocks
    pick = sparse.coo_array(
        (residuals.blocks, (blocks.unit, np.arange(blocks.count))), shape=(units, blocks.count)
    ).tocsr()
    score = (pick @ model.columns.a).toarray()
    for g in range(len(model.members)):
        mine = model.group == g
        score[mine] -= residuals.e[:, mine].T @ joint.slope[g].T
    return np.asarray(score)


def _sandwich(model: Model, joint: Joint, scores: Floats, settings: Settings, found: list[Check]) -> Floats:
    """Clustered over model standard error of every solution's effect, (S,)."""
    columns = model.columns
    out = np.ones(columns.theta.shape[0])
    used = np.flatnonzero(columns.theta >= 0)
    if not used.size:
        return out
    sigma = joint.beta.covariance
    rows_ = columns.effect_rows(used) @ sigma
    clustered = np.square(rows_ @ scores.T).sum(axis=1) + (np.square(rows_) * joint.beta.prior).sum(axis=1)
    model_based = (rows_ * columns.effect_rows(used)).sum(axis=1)
    out[used] = np.sqrt(clustered / np.maximum(model_based, 1e-300))
    info = np.sqrt(np.clip(out[used], 0, None))
    typical = float(np.median(info**2))
    found.append(
        Check(
            code="clustered_errors",
            passed=typical <= settings.sandwich_ratio,
            value=typical,
            limit=f"ratio at most {settings.sandwich_ratio}",
        )
    )
    return out


def _leave_out(
    model: Model,
    beliefs: Beliefs,
    joint: Joint,
    readings: Readings,
    scores: Floats,
    panel: Panel,
    actions: Actions,
    used: Uses,
) -> dict[int, float]:
    """Smallest P(Θ>0) (or mirror) over units and regions left out, for candidates of evidence 5."""
    info = information_share(model, beliefs)
    wanted = [
        k
        for k, mine in enumerate(used.by_solution)
        if info[k] >= 0.6
        and mine.size >= 15
        and np.unique(actions.unit[mine]).size >= 8
        and np.unique(panel.region[actions.unit[mine]]).size >= 2
    ]
    if not wanted:
        return {}
    rows_ = model.columns.effect_rows(np.asarray(wanted))
    place = (np.cumsum(model.columns.theta >= 0) - 1)[wanted]  # among the used solutions
    beta = joint.beta
    effect = rows_ @ beta.mean
    sign = np.where(effect >= 0, 1.0, -1.0)
    worst = np.ones(len(wanted))
    lead = rows_ @ beta.covariance
    base = (lead * rows_).sum(axis=1)
    spoken, shift = model.columns.a @ lead.T, scores @ lead.T
    own = _row_products(model, scores @ beta.covariance)
    for bucket, n in zip(model.buckets, joint.info.inverse, strict=True):
        size = bucket.index.shape[1]
        weight = np.matmul(n, bucket.s)
        weight = 0.5 * (weight + weight.transpose(0, 2, 1))
        # (Σ^-1 − A'WA)^-1 by Woodbury, with the unit's score taken out
        between = readings.between[bucket.square[:, None] + np.arange(size * size)].reshape(weight.shape)
        core = np.eye(size) - np.matmul(weight, between)
        reach = spoken[bucket.index]
        gain = np.matmul(np.linalg.solve(core, weight), reach)
        variance = base + (reach * gain).sum(axis=1)
        mean = effect - shift[model.blocks.unit[bucket.index[:, 0]]]
        mean -= (gain * own[bucket.index][:, :, None]).sum(axis=1)
        p = np.where(variance > 0, special.ndtr(sign * mean / np.sqrt(np.maximum(variance, 1e-300))), 0.0)
        worst = np.minimum(worst, p.min(axis=0))
    for left in leave_groups_out(model, joint.info):
        mean, covariance = beliefs.without(left, model.columns, model.settings)
        sd = np.sqrt(np.maximum(np.diagonal(covariance)[place], 1e-300))
        worst = np.minimum(worst, special.ndtr(sign * mean[place] / sd))
    return {k: float(p) for k, p in zip(wanted, worst, strict=True)}


def _row_products(model: Model, of_unit: Floats) -> Floats:
    """Each block's row of A times the vector of its unit, (B,); of_unit is (U, Q)."""
    a = model.columns.a
    block = np.repeat(np.arange(model.blocks.count), np.diff(a.indptr))
    terms = a.data * of_unit[model.blocks.unit[block], a.indices]
    return np.asarray(np.bincount(block, terms, minlength=model.blocks.count), dtype=np.float64)


def _reactivity(
    model: Model, risks: placebo.Risk, readings: Readings, panel: Panel, plain: Plain, found: list[Check]
) -> None:
    """How strongly uptake follows dips, and the naive bias it brings."""
    slope = placebo.hazard_slope(model, risks, panel, model.settings)
    if slope is not None:
        found.append(Check(code="reactive_uptake", passed=True, value=slope[0], limit="for information"))
    raw = readings.raw[model.done.of_action] / model.statistics.noise.scale
    gap = (plain.naive - raw)[np.isfinite(plain.naive) & np.isfinite(raw)]
    if gap.shape[0] >= 10:
        found.append(Check(code="naive_bias", passed=True, value=float(gap.mean()), limit="for information"))
