"""The same model written out with full matrices, for small panels: the oracle of the fast engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.impact.stats.blocks import AFTER, EVENT, LATE2, SIDE, rows
from apps.impact.stats.cells import Scaling, cells
from apps.impact.stats.data import Floats, Panel
from apps.impact.stats.information import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """All observed cells in one vector.

    Attributes
    ----------
    y : (N,) float
        Cells.
    x : (N, B) float
        Blocks.
    a : (B, Q) float
        Rows of β.
    v : (N, N) float
        Noise, region shocks included.
    local : (B, B) float
        Λ.
    z : (N, T') float
        Week dummies.
    unit, period : (N,) int
        Where each cell sits.
    """

    y: Floats
    x: Floats
    a: Floats
    v: Floats
    local: Floats
    z: Floats
    unit: Floats
    period: Floats

    def projector(self, v: Floats) -> Floats:
        """V^-1 with the weeks taken out."""
        w = np.linalg.inv(v)
        wz = w @ self.z
        return np.asarray(w - wz @ np.linalg.solve(self.z.T @ wz, wz.T))


def build(model: Model, panel: Panel, spread: Floats) -> Dense:
    """Write the model of a fit out in full."""
    noise = model.statistics.noise
    cell = cells(
        panel, Scaling(scale=noise.scale, sampling=noise.sampling, period_weeks=noise.period_weeks), noise.origin
    )
    period, unit = np.nonzero(cell.n)
    count = period.shape[0]
    blocks = model.blocks
    x_rows = rows(blocks.unit, blocks.start, blocks.end, cell)
    x = np.where(unit[:, None] == blocks.unit[None, :], x_rows[period], 0.0)
    same_unit = unit[:, None] == unit[None, :]
    lag = np.abs(period[:, None] - period[None, :])
    v = same_unit * (noise.v_a + noise.v_s * noise.rho**lag)
    v[np.arange(count), np.arange(count)] += noise.sampling / cell.n[period, unit] + noise.nu2
    if model.shocks:
        group = model.group[unit]
        shock = (group[:, None] == group[None, :]) & (group < model.shocks)[:, None]
        v = v + shock * noise.v_g * noise.rho_g**lag
    local = np.zeros((blocks.count, blocks.count))
    size = np.where(blocks.intervention >= 0, model.done.size[np.maximum(blocks.intervention, 0)], 1.0)
    for i in range(blocks.count):
        for j in range(blocks.count):
            if (
                blocks.intervention[i] == blocks.intervention[j] >= 0
                and max(blocks.kind[i], blocks.kind[j]) <= LATE2
            ):
                local[i, j] = size[i] * spread[0] ** 2
        if blocks.kind[i] <= LATE2:
            local[i, i] += size[i] * spread[1] ** 2
        elif blocks.kind[i] == SIDE:
            local[i, i] += size[i] * spread[2] ** 2
        elif blocks.kind[i] in (AFTER, EVENT):
            local[i, i] += size[i]
    live = np.unique(period)
    return Dense(
        y=cell.y[period, unit],
        x=x,
        a=model.columns.a.toarray(),
        v=v,
        local=local,
        z=(period[:, None] == live[None, :]).astype(float),
        unit=unit,
        period=period,
    )
