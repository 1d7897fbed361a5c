"""What of a fit is needed to draw the weeks of some units, and nothing of the others?

A whole fit grows with all units; a portion travels to the worker that draws its units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from . import series
from .actions import Joint
from .blocks import Blocks, Interventions
from .data import Ints, Panel
from .errors import NotEstimable
from .fit import MetricFit
from .groups import WeekSystem
from .information import Bucket, Information, Model
from .results import Series
from .sufficient import UnitStatistics

T = TypeVar("T", UnitStatistics, Interventions, Information, WeekSystem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Some units of a fit, picklable.

    Attributes
    ----------
    panel : Panel
        Their cells, in the order asked for.
    model, joint : Model, Joint
        Cut down to them; whatever only the whole fit needs is empty.
    intervention : (A,) int
        Of each action asked for.
    inflation : float
        Factor on the width of bands.
    """

    panel: Panel
    model: Model
    joint: Joint
    intervention: Ints
    inflation: float


def cut(fit: MetricFit, panel: Panel, units: Ints, actions: Ints) -> Portion:
    """The portion of a fit for some units.

    Parameters
    ----------
    fit : MetricFit
        With a state.
    panel : Panel
        The panel it was fitted on.
    units : (U,) int
        Rows of the panel, ascending.
    actions : (A,) int
        Actions of these units that have an estimate.

    Raises
    ------
    NotEstimable
        The fit's own reason when nothing was estimated.
    """
    if fit.state is None:
        raise NotEstimable(fit.reason or "not_estimable", fit.detail or "nothing was estimated")
    model, joint = fit.state.model, fit.state.joint
    blocks = model.blocks
    kept = np.flatnonzero(np.isin(blocks.unit, units))
    place = np.full(blocks.count, -1, dtype=np.int64)
    place[kept] = np.arange(kept.shape[0])
    row = np.full(panel.units, -1, dtype=np.int64)
    row[units] = np.arange(units.shape[0])
    group, of_unit = np.unique(model.group[units], return_inverse=True)
    nothing = np.zeros(0, dtype=np.int64)
    empty = sparse.csr_array((0, 0))
    system = joint.info.system
    return Portion(
        panel=Panel(
            y=panel.y[units],
            n=panel.n[units],
            within_variance=panel.within_variance,
            region=panel.region[units],
            kind=panel.kind[units],
            usable=None if panel.usable is None else panel.usable[units],
        ),
        model=replace(
            model,
            statistics=_emptied(
                model.statistics, "s", "c", "cy", "yy", "log_det", "w", "wy", "units", "block_count", "regions"
            ),
            blocks=Blocks(
                unit=row[blocks.unit[kept]],
                intervention=blocks.intervention[kept],
                kind=blocks.kind[kept],
                start=blocks.start[kept],
                end=blocks.end[kept],
            ),
            done=replace(
                _emptied(model.done, "start", "end", "lag", "aimed", "solutions", "size", "of_action"),
                unit=row[model.done.unit],
            ),
            columns=replace(model.columns, a=model.columns.a[kept], at=empty),
            buckets=tuple(_some(bucket, place) for bucket in model.buckets if _has(bucket, place)),
            group=of_unit.astype(np.int64),
            w=np.zeros(0),
            wy=np.zeros(0),
            members=(),
            member_rows=(),
            square_rows=nothing,
            square_cols=nothing,
        ),
        joint=replace(
            joint,
            info=replace(
                _emptied(joint.info, "m", "h", "b", "wy", "w", "score"),
                inverse=(),
                middle=empty,
                system=replace(_emptied(system, "f", "omega_f", "h_inverse"), gamma=system.gamma[group]),
            ),
            weeks=joint.weeks[group],
            slope=joint.slope[group],
        ),
        intervention=model.done.of_action[actions],
        inflation=fit.inflation,
    )


def draw(portion: Portion) -> tuple[Series, ...]:
    """The weeks around each of the portion's actions in their order, to the bit as from the whole fit."""
    return series.draw(portion.model, portion.joint, portion.panel, portion.intervention, portion.inflation)


def _emptied(whole: T, *names: str) -> T:
    """A record of arrays without some of them."""
    empty: dict[str, Any] = {name: np.zeros(0, dtype=getattr(whole, name).dtype) for name in names}
    return replace(whole, **empty)


def _has(bucket: Bucket, place: Ints) -> bool:
    return bool((place[bucket.index[:, 0]] >= 0).any()) if bucket.index.shape[1] else False


def _some(bucket: Bucket, place: Ints) -> Bucket:
    rows = np.flatnonzero(place[bucket.index[:, 0]] >= 0)
    return replace(
        bucket,
        index=place[bucket.index[rows]],
        s=np.zeros(0),
        shared=bucket.shared[rows],
        own=bucket.own[rows],
        side=bucket.side[rows],
        wide=bucket.wide[rows],
    )
