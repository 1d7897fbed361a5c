"""What does each unit contribute? Additive statistics, a chunk of units at a time.

With W = V^-1 of a unit and X its blocks: S = X'WX, C = X'W, c = X'Wy; per region the sums of W
and Wy. Sums over units are made of numbers rounded to a common quantum, hence exact: any chunking
gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import semiseparable
from .blocks import interventions, lay_out, rows
from .cells import Scaling, cells, precision
from .data import Actions, Floats, Ints, Panel, Settings
from .errors import NotEstimable
from .noise import Noise

SPARE_BITS = 17  # sums of up to 2**17 units stay exact
MANTISSA_BITS = 52  # of a double


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatistics:
    """Additive information of a set of units on the reference scale (opaque to callers).

    Attributes
    ----------
    units : (U,) int
        Ids of the units, ascending.
    block_count : (U,) int
        Blocks of each unit.
    s : (ΣB²,) float
        X'WX of each unit, row by row, one unit after the other.
    c : (ΣB, P) float
        X'W.
    cy : (ΣB,) float
        X'Wy.
    yy : (U,) float
        y'Wy.
    log_det : (U,) float
        log|V|.
    regions : (G,) int
        Labels.
    w : (G, P, P) float
        Exact sums of W by region.
    wy : (G, P) float
        Exact sums of Wy by region.
    noise : Noise
        The noise they were made with.
    """

    units: Ints
    block_count: Ints
    s: Floats
    c: Floats
    cy: Floats
    yy: Floats
    log_det: Floats
    regions: Ints
    w: Floats
    wy: Floats
    noise: Noise


def quantum_of(noise: Noise) -> float:
    """Quantum of the exact sums, a power of two."""
    return noise.peak * 2.0 ** (SPARE_BITS - MANTISSA_BITS)


def compute(
    panel: Panel, actions: Actions, noise: Noise, settings: Settings, units: Ints | None
) -> UnitStatistics:
    """Statistics of the units in `panel`, whose ids are `units` (default 0 … U−1)."""
    ids = np.arange(panel.units, dtype=np.int64) if units is None else np.asarray(units, dtype=np.int64)
    if ids.shape[0] != panel.units or (np.diff(ids) <= 0).any():
        raise NotEstimable("bad_chunk", "unit ids must ascend and match the panel's rows")
    scaled = Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks)
    cell = cells(panel, scaled, noise.origin)
    done = interventions(actions, settings)
    blocks = lay_out(panel, done, cell.weekly, settings)
    d = precision(cell.n, noise.sampling, noise.nu2)
    factors = semiseparable.factorise(d=d, v_a=noise.v_a, v_s=noise.v_s, rho=noise.rho)
    wy = semiseparable.apply(factors, cell.y)
    x = rows(blocks.unit, blocks.start, blocks.end, cell)
    wx = semiseparable.apply_to_columns(factors, blocks.unit, x)
    xt = np.ascontiguousarray(x.T)
    count = np.bincount(blocks.unit, minlength=panel.units).astype(np.int64)
    offset = np.concatenate([[0], np.cumsum(count)])
    square = np.concatenate([[0], np.cumsum(count**2)])
    s = np.zeros(int(square[-1]))
    for size in np.unique(count[count > 0]):
        members = np.flatnonzero(count == size)
        index = offset[members][:, None] + np.arange(size)
        product = np.matmul(xt[index], wx[index].transpose(0, 2, 1))
        product = 0.5 * (product + product.transpose(0, 2, 1))
        s[square[members][:, None] + np.arange(size * size)] = product.reshape(members.shape[0], -1)
    labels, group = np.unique(panel.region, return_inverse=True)
    indicator = np.zeros((panel.units, labels.shape[0]))
    indicator[np.arange(panel.units), group] = 1.0
    quantum = quantum_of(noise)
    return UnitStatistics(
        units=ids,
        block_count=count,
        s=s,
        c=wx,
        cy=(wx * np.ascontiguousarray(cell.y.T)[blocks.unit]).sum(axis=1),
        yy=semiseparable.column_sums(wy * cell.y),
        log_det=factors.log_det,
        regions=labels.astype(np.int64),
        w=semiseparable.grouped_sum(factors, indicator, quantum),
        wy=((np.rint(wy / quantum) @ indicator) * quantum).T.copy(),
        noise=noise,
    )


def merge_statistics(parts: Sequence[UnitStatistics]) -> UnitStatistics:
    """Put chunks of units together again, in any order."""
    if not parts:
        raise NotEstimable("bad_chunk", "there is nothing to merge")
    noise = parts[0].noise
    if any(part.noise != noise or part.c.shape[1] != parts[0].c.shape[1] for part in parts):
        raise NotEstimable("bad_chunk", "chunks were made with different noise or different weeks")
    units = np.concatenate([part.units for part in parts])
    order = np.argsort(units, kind="stable")
    if np.unique(units).shape[0] != units.shape[0]:
        raise NotEstimable("bad_chunk", "a unit is in two chunks")
    count = np.concatenate([part.block_count for part in parts])
    block = _ragged(count, order)
    square = _ragged(count**2, order)
    labels = np.unique(np.concatenate([part.regions for part in parts]))
    periods = parts[0].w.shape[1]
    w, wy = np.zeros((labels.shape[0], periods, periods)), np.zeros((labels.shape[0], periods))
    for part in parts:
        at = np.searchsorted(labels, part.regions)
        w[at] += part.w
        wy[at] += part.wy
    return UnitStatistics(
        units=units[order],
        block_count=count[order],
        s=np.concatenate([part.s for part in parts])[square],
        c=np.concatenate([part.c for part in parts])[block],
        cy=np.concatenate([part.cy for part in parts])[block],
        yy=np.concatenate([part.yy for part in parts])[order],
        log_det=np.concatenate([part.log_det for part in parts])[order],
        regions=labels,
        w=w,
        wy=wy,
        noise=noise,
    )


def _ragged(count: Ints, order: Ints) -> Ints:
    """Index that reorders ragged rows of the given lengths."""
    offset = np.concatenate([[0], np.cumsum(count)])
    lengths = count[order]
    total = int(lengths.sum())
    begin = np.repeat(offset[order] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return np.asarray(begin + np.arange(total), dtype=np.int64)
