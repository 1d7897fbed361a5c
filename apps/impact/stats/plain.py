"""What do the plain numbers around an action say, and is there anything to compare it with?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blocks import Interventions, windows
from .cells import answers
from .data import Actions, Bools, Floats, Ints, Panel, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Counts and the naive change of every action; windows as in `Settings`.

    Attributes
    ----------
    naive : (J,) float
        Mean after minus mean before, metric units; NaN where a side has no answers.
    weeks_before, weeks_after : (J,) int
        Weeks covered by answering periods in the 26 weeks before and in the primary window.
    n_before, n_after : (J,) float
        Answers in the same windows.
    primary_start, primary_end : (J,) int
        Primary window, half open, cut where the action ended.
    ended : (J,) bool
        It was cut.
    compared : (J,) bool
        Every week of ramp and primary window has enough units outside any such window.
    fewest : (J,) int
        The smallest number of such units in a week.
    shared : (J,) float
        Share of the primary window inside another action's ramp or primary window, 0–1.
    disturbed : (J,) bool
        A known disturbance touches the window from 8 weeks before to its end.
    """

    naive: Floats
    weeks_before: Ints
    weeks_after: Ints
    n_before: Floats
    n_after: Floats
    primary_start: Ints
    primary_end: Ints
    ended: Bools
    compared: Bools
    fewest: Ints
    shared: Floats
    disturbed: Bools


def describe(
    panel: Panel, actions: Actions, done: Interventions, labels: Ints, period_weeks: int, settings: Settings
) -> Plain:
    """Count what surrounds each action.

    Parameters
    ----------
    panel, actions : Panel, Actions
        The metric, weekly.
    done : Interventions
        After merging.
    labels : (G,) int
        Regions large enough to be compared within themselves.
    period_weeks : int
        Length of a period: every week of an answering period counts as answering.
    settings : Settings
        Windows.
    """
    n = answers(panel)
    units, weeks = n.shape
    periods = -(-weeks // period_weeks)
    padded = np.zeros((units, periods * period_weeks))
    padded[:, :weeks] = n
    alive = np.repeat((padded.reshape(units, periods, period_weeks) > 0).any(axis=2), period_weeks, axis=1)[
        :, :weeks
    ]
    of = done.of_action
    edges = windows(done, settings)
    start = np.where(actions.aimed, edges[of, 1], actions.start) if actions.count else actions.start
    end = np.where(actions.aimed, edges[of, 2], actions.start + settings.primary_end + np.maximum(actions.lag, 0))
    ended = actions.end < end
    end = np.maximum(np.minimum(end, actions.end), start)
    y = np.where(n > 0, panel.y, 0.0)
    sums = {
        name: _cumulative(value) for name, value in (("n", n), ("ny", n * y), ("alive", alive.astype(np.float64)))
    }

    def between(name: str, lo: Ints, hi: Ints) -> Floats:
        lo, hi = np.clip(lo, 0, weeks), np.clip(hi, 0, weeks)
        return np.asarray(sums[name][actions.unit, np.maximum(hi, lo)] - sums[name][actions.unit, lo])

    begin = actions.start
    n0, n1 = between("n", begin - settings.naive_before, begin), between("n", begin, begin + settings.naive_after)
    y0, y1 = (
        between("ny", begin - settings.naive_before, begin),
        between("ny", begin, begin + settings.naive_after),
    )
    both = (n0 > 0) & (n1 > 0)
    naive = np.full(actions.count, np.nan)
    naive[both] = y1[both] / n1[both] - y0[both] / n0[both]

    busy = np.zeros((units, weeks + 1))
    aimed = np.flatnonzero(done.aimed)
    first = np.clip(done.start[aimed], 0, weeks)
    last = np.maximum(np.clip(np.minimum(edges[aimed, 2], done.end[aimed]), 0, weeks), first)
    np.add.at(busy, (done.unit[aimed], first), 1.0)
    np.add.at(busy, (done.unit[aimed], last), -1.0)
    inside = np.cumsum(busy[:, :weeks], axis=1)
    free = alive & (inside < 0.5)
    fewest = _fewest(free, alive, panel.region, labels, actions, np.minimum(end, weeks))
    shared = _shared(inside, actions, start, end)
    return Plain(
        naive=naive,
        weeks_before=between("alive", begin - settings.baseline_window, begin).astype(np.int64),
        weeks_after=between("alive", start, end).astype(np.int64),
        n_before=between("n", begin - settings.baseline_window, begin),
        n_after=between("n", start, end),
        primary_start=start,
        primary_end=end,
        ended=ended,
        compared=fewest >= settings.comparison_units,
        fewest=fewest,
        shared=shared,
        disturbed=_disturbed(panel, actions, end, settings),
    )


def _cumulative(x: Floats) -> Floats:
    return np.concatenate([np.zeros((x.shape[0], 1)), np.cumsum(x, axis=1)], axis=1)


def _fewest(free: Bools, alive: Bools, region: Ints, labels: Ints, actions: Actions, end: Ints) -> Ints:
    """Smallest weekly number of free units of the region (or anywhere, when it is small).

    Only weeks in which the action's own unit answered need a comparison; with none, all units count as free.
    """
    units, weeks = free.shape
    counts = np.stack([free[region == label].sum(axis=0) for label in labels] + [free.sum(axis=0)])
    place = np.full(units, labels.shape[0])
    for at, label in enumerate(labels):
        place[region == label] = at
    lo, hi = np.maximum(actions.start, 0), np.minimum(end, weeks)
    out = np.full(actions.count, units, dtype=np.int64)
    for step in range(int(np.max(hi - lo, initial=0))):
        week = lo + step
        mine = np.flatnonzero(week < hi)
        mine = mine[alive[actions.unit[mine], week[mine]]]
        out[mine] = np.minimum(out[mine], counts[place[actions.unit[mine]], week[mine]])
    return out


def _shared(inside: Floats, actions: Actions, start: Ints, end: Ints) -> Floats:
    """Share of each primary window that other actions' ramp or primary windows cover."""
    weeks = inside.shape[1]
    lo, hi = np.maximum(start, 0), np.minimum(end, weeks)
    mine = np.flatnonzero(hi > lo)
    out = np.zeros(actions.count)
    # One's own window covers itself.
    for is_aimed in (False, True):
        some = mine[actions.aimed[mine] == is_aimed]
        covered = _cumulative((inside - float(is_aimed) > 0.5).astype(np.float64))
        unit = actions.unit[some]
        out[some] = (covered[unit, hi[some]] - covered[unit, lo[some]]) / (hi[some] - lo[some])
    return out


def _disturbed(panel: Panel, actions: Actions, end: Ints, settings: Settings) -> Bools:
    out = np.zeros(actions.count, dtype=np.bool_)
    for u, lo, hi in zip(panel.event_unit, panel.event_start, panel.event_end, strict=True):
        out |= (actions.unit == u) & (lo < end) & (hi > actions.start - settings.naive_before)
    if panel.usable is not None:
        closed = np.concatenate([np.zeros((panel.units, 1)), np.cumsum(~panel.usable, axis=1)], axis=1)
        lo = np.clip(actions.start - settings.naive_before, 0, panel.weeks)
        hi = np.maximum(np.clip(end, 0, panel.weeks), lo)
        out |= closed[actions.unit, hi] - closed[actions.unit, lo] > 0
    return out
