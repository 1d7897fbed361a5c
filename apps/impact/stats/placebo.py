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
from .blocks import PRIMARY, rows
from .cells import Scaling, answers, cells, precision
from .data import Bools, Floats, Ints, Panel, Settings
from .information import Model, local_variance, some_rows

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
        away = np.abs(risks.dip[pool, t] - wanted)
        near = np.argpartition(away, TRIES)[:TRIES] if away.size > TRIES else np.arange(away.size)
        for candidate in pool[near[np.lexsort((near, away[near]))]]:
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
    count, many = units.shape[0], edges.shape[1] - 1
    start, end = edges[:, :many].ravel(), edges[:, 1:].ravel()
    owner = np.repeat(local, many)
    x = rows(owner, start, np.minimum(end, panel.weeks), cell)
    wx = semiseparable.apply(factors.take(owner), x)
    x, wx = (np.ascontiguousarray(each.T).reshape(count, many, cell.y.shape[0]) for each in (x, wx))
    group = model.group[units]
    resid = cell.y.T[local] - joint.weeks[group]
    information = np.matmul(wx, x.transpose(0, 2, 1))
    score = np.matmul(wx, resid[:, :, None])[:, :, 0]
    present = np.abs(wx).max(axis=2) > 0
    along = np.zeros((count, many, joint.beta.mean.shape[0]))
    offset = np.concatenate([[0], np.cumsum(stats.block_count)])
    for bucket, inverse in zip(model.buckets, joint.info.inverse, strict=True):
        size = bucket.index.shape[1]
        here = np.flatnonzero(stats.block_count[units] == size)
        if not here.size:
            continue
        row = np.searchsorted(bucket.index[:, 0], offset[units[here]])
        index = bucket.index[row]
        of_blocks = index.ravel()
        own = rows(np.repeat(local[here], size), model.blocks.start[of_blocks], model.blocks.end[of_blocks], cell)
        across = np.matmul(wx[here], np.ascontiguousarray(own.T).reshape(here.size, size, -1).transpose(0, 2, 1))
        reach = np.matmul(
            across, np.matmul(local_variance(some_rows(bucket, row), joint.info.spread), inverse[row])
        )
        c = stats.c[index]
        left = stats.cy[index] - np.matmul(c, joint.weeks[group[here]][:, :, None])[:, :, 0]
        information[here] -= np.matmul(reach, across.transpose(0, 2, 1))
        score[here] -= np.matmul(reach, left[:, :, None])[:, :, 0]
        a = model.columns.a[of_blocks].toarray().reshape(here.size, size, -1)
        along[here] = np.matmul(across - np.matmul(reach, bucket.s[row]), a)
        wx[here] -= np.matmul(reach, c)
    score -= along @ joint.beta.mean
    for g in np.unique(group):
        mine = np.flatnonzero(group == g)
        information[mine] -= np.matmul(wx[mine] @ joint.gamma[g], wx[mine].transpose(0, 2, 1))
        along[mine] -= wx[mine] @ joint.slope[g].T
    information -= np.matmul(along @ joint.beta.covariance, along.transpose(0, 2, 1))
    return _primary(information, score, present)


def _primary(information: Floats, score: Floats, present: Bools) -> Placebos:
    """The primary block's effect of each pseudo-action; blocks without any week of theirs are left out."""
    both = present[:, :, None] & present[:, None, :]
    information = np.where(both, 0.5 * (information + information.transpose(0, 2, 1)), np.eye(present.shape[1]))
    sound = present[:, PRIMARY] & (np.linalg.eigvalsh(information)[:, 0] > 0)
    covariance = np.linalg.inv(information[sound])[:, PRIMARY]
    effect = (covariance * np.where(present, score, 0.0)[sound]).sum(axis=1)
    se = np.sqrt(covariance[:, PRIMARY])
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
    when, count = np.unique(week, return_counts=True)
    rows, of = np.nonzero((risks.at_risk & np.isfinite(dip))[:, when])
    order = np.argsort(of, kind="stable")
    pool, of = dip[rows, when[of]][order], of[order]
    first = np.searchsorted(of, np.arange(when.size))  # whoever acted was at risk: no week is empty
    total = float(dip[unit, week].sum())
    slope, information = 0.0, 0.0
    for _ in range(25):
        weight = np.exp(slope * pool - 6.0 * abs(slope))
        weight /= np.add.reduceat(weight, first)[of]
        mean = np.add.reduceat(weight * pool, first)
        gradient = total - float(count @ mean)
        information = 1e-9 + float(count @ np.add.reduceat(weight * np.square(pool - mean[of]), first))
        step = min(max(gradient / information, -1.0), 1.0)
        slope = min(max(slope + step, -5.0), 5.0)
        if abs(step) < 1e-8:
            break
    return slope, float(1.0 / np.sqrt(information))
