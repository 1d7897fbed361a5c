"""Which weeks does each action own, and through which coefficients does it speak?

An action aimed at the metric has four blocks of weeks since its effective date (ramp, primary,
late1, late2), one more after it ended; an action aimed elsewhere has one side block; a known
disturbance has one nuisance block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cells import Cells, fold
from .data import Actions, Bools, Floats, Ints, Panel, Settings

RAMP, PRIMARY, LATE1, LATE2, SIDE, AFTER, EVENT = range(7)
AIMED = (RAMP, PRIMARY, LATE1, LATE2)
FOREVER = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Interventions:
    """What was done, after logs close together became one.

    Attributes
    ----------
    unit, start, end, lag : (I,) int
        Row of the panel; first week; first week in which nothing of it runs any more; shift.
    aimed : (I,) bool
        At this metric.
    solutions : (I, S) bool
        Union over the logs.
    size : (I,) float
        Number of solutions, at least 1.
    of_action : (J,) int
        The intervention each action became.
    """

    unit: Ints
    start: Ints
    end: Ints
    lag: Ints
    aimed: Bools
    solutions: Bools
    size: Floats
    of_action: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Blocks with at least one answering week, ordered by unit.

    Attributes
    ----------
    unit : (B,) int
        Row of the panel.
    intervention : (B,) int
        Row of Interventions; −1 for a disturbance.
    kind : (B,) int
        RAMP … EVENT.
    start, end : (B,) int
        Half-open weeks.
    """

    unit: Ints
    intervention: Ints
    kind: Ints
    start: Ints
    end: Ints

    @property
    def count(self) -> int:
        """Number of blocks B."""
        return int(self.unit.shape[0])


def interventions(actions: Actions, settings: Settings) -> Interventions:
    """Merge aimed logs of one unit that start within `merge_weeks` of the first of them."""
    order = np.lexsort((np.arange(actions.count), actions.start, actions.unit))
    aimed, others = order[actions.aimed[order]], order[~actions.aimed[order]]
    unit, start = actions.unit[aimed], actions.start[aimed]
    opens = np.ones(aimed.size, dtype=np.bool_)
    opens[1:] = (np.diff(unit) != 0) | (np.diff(start) > settings.merge_weeks)
    first = 0
    for i in np.flatnonzero(~opens).tolist():
        # near the log before it, yet perhaps not near the first one
        first = i - 1 if opens[i - 1] else first
        opens[i] = start[i] - start[first] > settings.merge_weeks
    of_action = np.empty(actions.count, dtype=np.int64)
    of_action[aimed] = np.cumsum(opens) - 1
    of_action[others] = opens.sum() + np.arange(others.size)
    lead, joined = np.concatenate([aimed[opens], others]), aimed[~opens]
    solutions, end, lag = actions.solutions[lead], actions.end[lead], np.maximum(actions.lag[lead], 0)
    np.logical_or.at(solutions, of_action[joined], actions.solutions[joined])
    np.maximum.at(end, of_action[joined], actions.end[joined])
    np.maximum.at(lag, of_action[joined], actions.lag[joined])
    return Interventions(
        unit=actions.unit[lead],
        start=actions.start[lead],
        end=end,
        lag=lag,
        aimed=actions.aimed[lead],
        solutions=solutions,
        size=np.maximum(solutions.sum(axis=1), 1).astype(np.float64),
        of_action=of_action,
    )


def windows(done: Interventions, settings: Settings) -> Ints:
    """Edges of ramp, primary, late1, late2 and the end, (I, 5) weeks, the last one open."""
    s = done.start
    return np.stack(
        [
            s,
            s + settings.ramp_weeks + done.lag,
            s + settings.primary_end + done.lag,
            s + settings.late_end + done.lag,
            np.full_like(s, FOREVER),
        ],
        axis=1,
    )


def lay_out(panel: Panel, done: Interventions, weekly: Floats, settings: Settings) -> Blocks:
    """All blocks that hold at least one answering week."""
    weeks = weekly.shape[1]
    edges = windows(done, settings)
    unit, owner, kind, start, end = [], [], [], [], []
    index = np.arange(done.unit.shape[0], dtype=np.int64)

    def add(rows: Ints, code: int, lo: Ints, hi: Ints, who: Ints, units: Ints) -> None:
        unit.append(units)
        owner.append(who)
        kind.append(np.full(rows.shape[0], code, dtype=np.int64))
        start.append(np.clip(lo, 0, weeks))
        end.append(np.clip(hi, 0, weeks))

    aimed = index[done.aimed]
    for code in AIMED:
        add(
            aimed,
            code,
            edges[aimed, code],
            np.minimum(edges[aimed, code + 1], np.maximum(done.end[aimed], edges[aimed, code])),
            aimed,
            done.unit[aimed],
        )
    ended = aimed[done.end[aimed] < weeks]
    add(
        ended,
        AFTER,
        np.maximum(done.end[ended], done.start[ended]),
        np.full_like(ended, weeks),
        ended,
        done.unit[ended],
    )
    side = index[~done.aimed]
    add(side, SIDE, done.start[side], np.maximum(done.end[side], done.start[side]), side, done.unit[side])
    add(
        panel.event_unit,
        EVENT,
        panel.event_start,
        panel.event_end,
        np.full_like(panel.event_unit, -1),
        panel.event_unit,
    )
    all_unit, all_owner = np.concatenate(unit), np.concatenate(owner)
    all_kind, all_start, all_end = np.concatenate(kind), np.concatenate(start), np.concatenate(end)
    seen = np.concatenate([np.zeros((weekly.shape[0], 1)), np.cumsum(weekly > 0, axis=1)], axis=1)
    held = seen[all_unit, np.maximum(all_end, all_start)] - seen[all_unit, all_start]
    keep = np.flatnonzero(held > 0)
    begun = np.where(all_owner >= 0, np.append(done.start, 0)[all_owner], all_start)
    order = keep[np.lexsort((all_kind[keep], all_owner[keep], begun[keep], all_unit[keep]))]
    return Blocks(
        unit=all_unit[order],
        intervention=all_owner[order],
        kind=all_kind[order],
        start=all_start[order],
        end=all_end[order],
    )


def rows(unit: Ints, start: Ints, end: Ints, cells: Cells) -> Floats:
    """Share of each period's answers that falls into a block, (P, B)."""
    weeks = cells.weekly.shape[1]
    week = np.arange(weeks)[:, None]
    inside = ((week >= start) & (week < end)).astype(np.float64)
    if cells.period_weeks == 1:
        return inside
    length = cells.period_weeks
    periods = cells.n.shape[0]
    weighted = np.zeros((periods * length, unit.shape[0]))
    weighted[:weeks] = inside * cells.weekly.T[:, unit]
    total = weighted.reshape(periods, length, -1).sum(axis=1)
    n = cells.n[:, unit]
    return np.where(n > 0, total / np.where(n > 0, n, 1.0), 0.0)


def levels(blocks: Blocks, tau: Floats, cells: Cells) -> Floats:
    """What the blocks of each unit add up to, X τ for all of them, (P, U)."""
    weeks = cells.weekly.shape[1]
    step = np.zeros((weeks + 1, cells.weekly.shape[0]))
    np.add.at(step, (np.clip(blocks.start, 0, weeks), blocks.unit), tau)
    np.subtract.at(step, (np.clip(blocks.end, 0, weeks), blocks.unit), tau)
    level = np.cumsum(step[:-1], axis=0)
    if cells.period_weeks == 1:
        return level
    total = fold(level.T * cells.weekly, cells.period_weeks).sum(axis=2).T
    return np.asarray(total / np.where(cells.n > 0, cells.n, 1.0))


def sums(blocks: Blocks, x: Floats, cells: Cells) -> Floats:
    """What (P, U) adds up to in each block, X'x, (B,)."""
    weeks = cells.weekly.shape[1]
    if cells.period_weeks > 1:
        each = x / np.where(cells.n > 0, cells.n, 1.0)
        x = np.repeat(each, cells.period_weeks, axis=0)[:weeks] * cells.weekly.T
    until = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    start, end = np.clip(blocks.start, 0, weeks), np.clip(blocks.end, 0, weeks)
    return np.asarray(until[np.maximum(start, end), blocks.unit] - until[start, blocks.unit])
