"""What of a fit is needed to draw the weeks around actions later, and for some units only?

What all units share and what a group of them shares is kept once; a portion holds some units. None
of it grows with the number of other units, so that one drawing reads little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .actions import Joint
from .arrays import Arrays, pack, unpack
from .data import Bools, Floats, Ints, Panel
from .errors import NotEstimable
from .information import Model, local_variance
from .noise import Noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all units of a fit have in common.

    Attributes
    ----------
    noise : Noise
        The fit's.
    live : (P,) bool
        Periods with answers somewhere.
    beta, sigma : (Q,), (Q, Q) float
        Mean and covariance of β.
    inflation : float
        Factor on the width of bands.
    """

    noise: Noise
    live: Bools
    beta: Floats
    sigma: Floats
    inflation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What the units of one group have in common.

    Attributes
    ----------
    weeks : (P,) float
        Week effects.
    across : (Q, P) float
        ΣJ'.
    error : (P, P) float
        Covariance of the week effects, β's part included.
    """

    weeks: Floats
    across: Floats
    error: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Some units of a fit.

    Attributes
    ----------
    panel : Panel
        Their cells.
    group : (U,) int
        Group of each.
    unit : (B,) int
        Row of the panel of each block, ascending.
    intervention, start, end : (B,) int
        Of each block.
    prior : (ΣB²,) float
        Λ of each unit, one after the other.
    place, column, value : (B+1,), (N,), (N,)
        Rows of β of each block, compressed.
    """

    panel: Panel
    group: Ints
    unit: Ints
    intervention: Ints
    start: Ints
    end: Ints
    prior: Floats
    place: Ints
    column: Ints
    value: Floats

    def rows_of(self, unit: int) -> slice:
        """Where the blocks of a unit are."""
        return slice(*np.searchsorted(self.unit, [unit, unit + 1]).tolist())

    def prior_of(self, unit: int) -> Floats:
        """Λ of a unit, (b, b)."""
        size = np.square(np.bincount(self.unit, minlength=unit + 1)[: unit + 1])
        begin, b = int(size[:unit].sum()), self.rows_of(unit)
        return self.prior[begin : begin + int(size[unit])].reshape(b.stop - b.start, -1)

    def rows_of_beta(self, unit: int, width: int) -> Floats:
        """Rows of β of a unit's blocks, (b, Q)."""
        b = self.rows_of(unit)
        first, last = int(self.place[b.start]), int(self.place[b.stop])
        shape = (b.stop - b.start, width)
        parts = (self.value[first:last], self.column[first:last], self.place[b.start : b.stop + 1] - first)
        return np.asarray(sparse.csr_array(parts, shape=shape).toarray(), dtype=np.float64)


def common(model: Model, joint: Joint, inflation: float) -> Common:
    """What all units share."""
    return Common(
        noise=model.statistics.noise,
        live=joint.info.weeks.system.live,
        beta=joint.beta.mean,
        sigma=joint.beta.covariance,
        inflation=inflation,
    )


def group(joint: Joint, number: int) -> Group:
    """What the units of a group share."""
    across = np.matmul(joint.beta.covariance, joint.slope[number])
    return Group(
        weeks=joint.weeks[number],
        across=across,
        error=joint.gamma[number] + np.matmul(joint.slope[number].T, across),
    )


def portions(model: Model, joint: Joint, panel: Panel, edges: Ints) -> Iterator[Portion]:
    """The units between one edge and the next, one portion after the other."""
    blocks, a = model.blocks, model.columns.a
    prior, square = _priors(model, joint)
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        units = slice(first, last)
        mine = slice(*np.searchsorted(blocks.unit, [first, last]).tolist())
        place = a.indptr[mine.start : mine.stop + 1].astype(np.int64)
        entries = slice(int(place[0]), int(place[-1]))
        yield Portion(
            panel=Panel(
                y=panel.y[units],
                n=panel.n[units],
                within_variance=panel.within_variance,
                region=panel.region[units],
                kind=panel.kind[units],
                usable=None if panel.usable is None else panel.usable[units],
            ),
            group=model.group[units],
            unit=blocks.unit[mine] - first,
            intervention=blocks.intervention[mine],
            start=blocks.start[mine],
            end=blocks.end[mine],
            prior=prior[square[first] : square[last]],
            place=place - place[0],
            column=a.indices[entries].astype(np.int64),
            value=a.data[entries],
        )


def _priors(model: Model, joint: Joint) -> tuple[Floats, Ints]:
    """Λ of all units one after the other, and where each begins."""
    square = np.concatenate([[0], np.cumsum(np.square(model.statistics.block_count))])
    out = np.zeros(int(square[-1]))
    for bucket in model.buckets:
        size = bucket.index.shape[1]
        begin = square[model.blocks.unit[bucket.index[:, 0]]]
        values = local_variance(bucket, joint.info.spread).reshape(begin.shape[0], -1)
        out[begin[:, None] + np.arange(size * size)] = values
    return out, square


def common_to_bytes(whole: Common, **facts: Any) -> bytes:
    """With facts of whoever keeps it."""
    known = {"noise": asdict(whole.noise), "inflation": whole.inflation, **facts}
    return pack(known, {"live": whole.live, "beta": whole.beta, "sigma": whole.sigma})


def common_from_bytes(data: bytes) -> tuple[Common, dict[str, Any]]:
    """What `common_to_bytes` wrote, and the facts that came with it."""
    facts, arrays = unpack(data)
    try:
        noise, inflation = Noise(**facts.pop("noise")), float(facts.pop("inflation"))
        return Common(
            noise=noise, live=arrays["live"], beta=arrays["beta"], sigma=arrays["sigma"], inflation=inflation
        ), facts
    except (KeyError, TypeError) as error:
        raise NotEstimable("bad_chunk", f"these bytes are of something else: {error}") from error


def group_to_bytes(whole: Group) -> bytes:
    """To the bit."""
    return pack({}, {"weeks": whole.weeks, "across": whole.across, "error": whole.error})


def group_from_bytes(data: bytes) -> Group:
    """What `group_to_bytes` wrote."""
    arrays = unpack(data)[1]
    try:
        return Group(weeks=arrays["weeks"], across=arrays["across"], error=arrays["error"])
    except KeyError as error:
        raise NotEstimable("bad_chunk", f"these bytes are of something else: {error}") from error


_OF_PANEL = ("y", "n", "region", "kind")
_OF_PORTION = ("group", "unit", "intervention", "start", "end", "prior", "place", "column", "value")


def portion_to_bytes(whole: Portion, extra: Arrays) -> bytes:
    """With arrays of whoever keeps it."""
    arrays = {name: getattr(whole.panel, name) for name in _OF_PANEL}
    if whole.panel.usable is not None:
        arrays["usable"] = whole.panel.usable
    arrays |= {name: getattr(whole, name) for name in _OF_PORTION}
    return pack({"within_variance": whole.panel.within_variance}, {**arrays, **extra})


def portion_from_bytes(data: bytes) -> tuple[Portion, Arrays]:
    """What `portion_to_bytes` wrote, and the arrays that came with it."""
    facts, arrays = unpack(data)
    try:
        of_panel: dict[str, Any] = {name: arrays.pop(name) for name in _OF_PANEL}
        within, usable = facts["within_variance"], arrays.pop("usable", None)
        of_portion: dict[str, Any] = {name: arrays.pop(name) for name in _OF_PORTION}
    except KeyError as error:
        raise NotEstimable("bad_chunk", f"these bytes are of something else: {error}") from error
    return Portion(panel=Panel(**of_panel, within_variance=within, usable=usable), **of_portion), arrays
