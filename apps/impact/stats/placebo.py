"""Would the engine see effects where nobody acted? Risk-set placebos.

For each chosen action a pseudo-action is put on a unit that could have acted in the same week, whose
dip was nearest, and whose future is not looked at. With X_p its blocks (flat) and P the precision of
y with everything else integrated out, the raw effect is (X_p'P X_p)^-1 X_p'P y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import semiseparable
from .actions import Joint
from .blocks import rows
from .cells import Scaling, answers, cells, precision
from .data import Bools, Floats, Ints, Panel, Settings
from .information import Model, dense_rows, local_variance, some_rows

TRAIL = 4  # weeks a manager looks back on
TRIES = 6  # at-risk units looked at per action, nearest dip first


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebos:
    """Raw effects of pseudo-actions, reference scale.

    Attributes
    ----------
    effect, se : (N,) float
        Primary window.
    """

    effect: Floats
    se: Floats

    @property
    def z(self) -> Floats:
        """Standardised effects, (N,)."""
        return np.asarray(self.effect / self.se)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Who could have acted, and how badly the last weeks had gone.

    Attributes
    ----------
    dip : (U, T) float
        Own past mean minus the mean of the last weeks, in standard deviations of a unit's weeks;
        NaN without enough past.
    at_risk : (U, T) bool
        Answering, with a past, no aimed action begun within ramp and primary windows before.
    """

    dip: Floats
    at_risk: Bools


def risk(model: Model, panel: Panel, settings: Settings) -> Risk:
    """Dips and risk sets from what was known at the time."""
    n = answers(panel)
    y = np.where(n > 0, panel.y, 0.0)
    sums = np.cumsum(n * y, axis=1)
    counts = np.cumsum(n, axis=1)
    trail = max(TRAIL, model.statistics.noise.period_weeks * 2)
    recent_y, recent_n = sums.copy(), counts.copy()
    recent_y[:, trail:] -= sums[:, :-trail]
    recent_n[:, trail:] -= counts[:, :-trail]
    seen = np.cumsum(n > 0, axis=1) * model.statistics.noise.period_weeks
    enough = (recent_n > 0) & (seen >= settings.baseline_weeks)
    gap = sums / np.maximum(counts, 1e-12) - recent_y / np.maximum(recent_n, 1e-12)
    spread = float(np.std(gap[enough])) if enough.any() else 0.0
    dip = np.where(enough, gap / spread if spread > 0 else 0.0, np.nan)
    busy = np.zeros((panel.units, panel.weeks + 1))
    aimed = model.done.aimed
    first = np.clip(model.done.start[aimed], 0, panel.weeks)
    last = np.clip(model.done.start[aimed] + settings.primary_end + model.done.lag[aimed], 0, panel.weeks)
    np.add.at(busy, (model.done.unit[aimed], first), 1.0)
    np.add.at(busy, (model.done.unit[aimed], last), -1.0)
    free = np.cumsum(busy[:, :-1], axis=1) < 0.5
    return Risk(dip=dip, at_risk=enough & free)


def choose(model: Model, risks: Risk, panel: Panel, settings: Settings) -> tuple[Ints, Ints]:
    """Units and weeks of pseudo-actions, one for each of up to `placebo_actions` actions.

    Where nobody aims at the metric, the weeks are those of actions that can have a side effect on it.
    """
    done = model.done
    acting = done.aimed if done.aimed.any() else np.ones_like(done.aimed)
    room = settings.primary_end
    week = done.start - 1
    able = np.flatnonzero(acting & (week >= settings.baseline_weeks) & (done.start + room <= panel.weeks))
    rng = np.random.default_rng(settings.seed + 2)
    if able.size > settings.placebo_actions:
        able = np.sort(rng.choice(able, size=settings.placebo_actions, replace=False))
    taken: set[tuple[int, int]] = set()
    units: list[int] = []
    weeks: list[int] = []
    for i in able:
        t, u = int(week[i]), int(done.unit[i])
        wanted = risks.dip[u, t]
        pool = np.flatnonzero(risks.at_risk[:, t] & np.isfinite(risks.dip[:, t]))
        pool = pool[pool != u]
        if not pool.size or not np.isfinite(wanted):
            continue
        nearest = pool[np.argsort(np.abs(risks.dip[pool, t] - wanted), kind="stable")[:TRIES]]
        for candidate in nearest:
            spot = (int(candidate), t // settings.primary_end)
            if spot not in taken:
                taken.add(spot)
                units.append(int(candidate))
                weeks.append(t + 1)
                break
    return np.asarray(units, dtype=np.int64), np.asarray(weeks, dtype=np.int64)


def measure(model: Model, joint: Joint, panel: Panel, units: Ints, weeks: Ints, settings: Settings) -> Placebos:
    """Raw effects of pseudo-actions at the given units and weeks."""
    noise, stats = model.statistics.noise, model.statistics
    distinct, local = np.unique(units, return_inverse=True)
    part = Panel(
        y=panel.y[distinct],
        n=panel.n[distinct],
        within_variance=panel.within_variance,
        region=panel.region[distinct],
        kind=panel.kind[distinct],
        usable=None if panel.usable is None else panel.usable[distinct],
    )
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    cell = cells(part, scaled, noise.origin)
    factors = semiseparable.factorise(
        d=precision(cell.n, noise.sampling, noise.nu2), v_a=noise.v_a, v_s=noise.v_s, rho=noise.rho
    )
    edges = weeks[:, None] + np.array([0, settings.ramp_weeks, settings.primary_end, settings.late_end, 10**9])
    count = units.shape[0]
    start, end = edges[:, :4].ravel(), edges[:, 1:].ravel()
    x_all = rows(np.repeat(local, 4), start, np.minimum(end, panel.weeks), cell)
    wx_all = semiseparable.apply(factors.take(np.repeat(local, 4)), x_all)
    offset = np.concatenate([[0], np.cumsum(stats.block_count)])
    place = {int(b.index.shape[1]): k for k, b in enumerate(model.buckets)}
    effect, se = np.full(count, np.nan), np.full(count, np.nan)
    sigma, beta = joint.beta.covariance, joint.beta.mean
    for i in range(count):
        unit = int(units[i])
        x = x_all[:, 4 * i : 4 * i + 4]
        keep = np.abs(wx_all[:, 4 * i : 4 * i + 4]).max(axis=0) > 0
        if not keep[1]:
            continue
        x, wx = x[:, keep], wx_all[:, 4 * i : 4 * i + 4][:, keep].T
        at = int(keep[0])
        g = int(model.group[unit])
        y = cell.y[:, local[i]] - joint.weeks[g]
        information, score = wx @ x, wx @ y
        size = int(stats.block_count[unit])
        beta_part = np.zeros((x.shape[1], beta.shape[0]))
        if size:
            bucket = model.buckets[place[size]]
            row = int(np.searchsorted(bucket.index[:, 0], offset[unit]))
            index = bucket.index[row]
            prior = local_variance(some_rows(bucket, slice(row, row + 1)), joint.info.spread)[0]
            n = joint.info.inverse[place[size]][row]
            blocks = rows(np.full(size, local[i]), model.blocks.start[index], model.blocks.end[index], cell)
            across = wx @ blocks
            r = prior @ n
            resid = stats.cy[index] - stats.c[index] @ joint.weeks[g]
            a = dense_rows(model.columns.a, int(index[0]), size)
            information = information - across @ r @ across.T
            beta_part = (across - across @ r @ bucket.s[row]) @ a
            score = score - across @ (r @ resid) - beta_part @ beta
            wx = wx - across @ r @ stats.c[index]
        along = beta_part - wx @ joint.slope[g].T
        information = information - wx @ joint.gamma[g] @ wx.T - along @ sigma @ along.T
        information = 0.5 * (information + information.T)
        try:
            lower = np.linalg.cholesky(information)
        except np.linalg.LinAlgError:
            continue
        inverse = np.linalg.inv(lower)
        covariance = inverse.T @ inverse
        effect[i] = float(covariance[at] @ score)
        se[i] = float(np.sqrt(covariance[at, at]))
    good = np.isfinite(effect) & np.isfinite(se) & (se > 0) & (se < 1e3)
    return Placebos(effect=effect[good], se=se[good])


def hazard_slope(model: Model, risks: Risk, panel: Panel, settings: Settings) -> tuple[float, float] | None:
    """How uptake reacts to dips: log hazard ratio per standard deviation and its SE.

    Conditional on the number of actions in each week (Cox partial likelihood, Newton).
    None with fewer than ten actions at risk.
    """
    done = model.done
    aimed = np.flatnonzero(done.aimed & (done.start >= 1) & (done.start <= panel.weeks))
    week, unit = done.start[aimed] - 1, done.unit[aimed]
    dip = np.clip(risks.dip, -6.0, 6.0)
    able = risks.at_risk[unit, week] & np.isfinite(risks.dip[unit, week])
    week, unit = week[able], unit[able]
    if week.shape[0] < 10:
        return None
    pools = [dip[risks.at_risk[:, t] & np.isfinite(dip[:, t]), t] for t in np.unique(week)]
    count = np.unique(week, return_counts=True)[1]
    total = float(dip[unit, week].sum())
    slope, information = 0.0, 0.0
    for _ in range(25):
        gradient, information = total, 1e-9
        for cases, pool in zip(count.tolist(), pools, strict=True):
            weight = np.exp(slope * pool - np.max(slope * pool))
            weight /= weight.sum()
            mean = float(weight @ pool)
            gradient -= cases * mean
            information += cases * float(weight @ np.square(pool - mean))
        step = min(max(gradient / information, -1.0), 1.0)
        slope = min(max(slope + step, -5.0), 5.0)
        if abs(step) < 1e-8:
            break
    return slope, float(1.0 / np.sqrt(information))
