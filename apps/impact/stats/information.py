"""What do the data say about β once local deviations and week effects are integrated out?

Given per-unit S = X'WX, C = X'W, c = X'Wy and local deviations τ = Aβ + ξ, ξ ~ N(0, Λ):

    N = (I + SΛ)^-1,  R = ΛN,   X'W~X = NS,  X'W~ = NC,  X'W~y = Nc,  W~ = W - C'RC

where W~ is the precision with ξ integrated out. Week effects are eliminated region by region
(`groups`), which leaves the information (M, h) about β.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from . import groups
from .blocks import AFTER, EVENT, LATE2, SIDE, Blocks, Interventions
from .columns import Columns
from .data import Floats, Ints, Settings
from .groups import WeekSystem
from .sufficient import UnitStatistics

V_P, V_B, V_SB = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Units with the same number of blocks b, stacked.

    Attributes
    ----------
    index : (N, b) int
        Rows of the blocks.
    s : (N, b, b) float
        X'WX.
    shared : (N, b, b) float
        Solutions of the intervention where two blocks belong to one aimed action, else 0.
    own, side, wide : (N, b) float
        Factors of v_b², v_sb² and the fixed variance on the diagonal.
    flat : slice
        Where the squares of this bucket sit in ragged storage.
    """

    index: Ints
    s: Floats
    shared: Floats
    own: Floats
    side: Floats
    wide: Floats
    flat: slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Everything about a metric that does not depend on the standard deviations of effects.

    Attributes
    ----------
    statistics : UnitStatistics
        Merged over all units.
    blocks, done, columns
        Layout of what was done.
    buckets : tuple of Bucket
        Units by number of blocks.
    square_rows, square_cols : (ΣB²,) int
        Row and column of every stored square entry, bucket by bucket.
    group : (U,) int
        Group of each unit.
    shocks : int
        Groups with shocks of their own.
    w : (G, P, P) float
        ΣW by group.
    wy : (G, P) float
        ΣWy by group.
    members : tuple of (n,) int
        Blocks of each group.
    member_rows : tuple of (Q, n) sparse
        A' of each group's blocks.
    settings : Settings
        Constants.
    """

    statistics: UnitStatistics
    blocks: Blocks
    done: Interventions
    columns: Columns
    buckets: tuple[Bucket, ...]
    square_rows: Ints
    square_cols: Ints
    group: Ints
    shocks: int
    w: Floats
    wy: Floats
    members: tuple[Ints, ...]
    member_rows: tuple[sparse.csr_array, ...]
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What the data say about β, local deviations and week effects integrated out.

    Attributes
    ----------
    spread : (3,) float
        v_p, v_b, v_sb.
    m, h : (Q, Q), (Q,) float
        Information about β.
    constant : float
        log evidence without the part of β.
    inverse : tuple of (N, b, b) float
        N by bucket.
    system : WeekSystem
        Week effects.
    b : (G, Q, P) float
        A'X'W~ by group.
    wy : (G, P) float
        Σ W~y by group.
    w : (G, P, P) float
        Σ W~ by group.
    middle : (B, B) sparse
        NS of all units.
    score : (B,) float
        Nc of all units.
    """

    spread: Floats
    m: Floats
    h: Floats
    constant: float
    inverse: tuple[Floats, ...]
    system: WeekSystem
    b: Floats
    wy: Floats
    w: Floats
    middle: sparse.csr_array
    score: Floats


def build(
    statistics: UnitStatistics,
    blocks: Blocks,
    done: Interventions,
    columns: Columns,
    region: Ints,
    labels: Ints,
    settings: Settings,
) -> Model:
    """Stack units by size and sum the information of their groups."""
    group = groups.membership(region, labels)
    count = labels.shape[0] + 1
    periods = statistics.w.shape[1]
    w, wy = np.zeros((count, periods, periods)), np.zeros((count, periods))
    of_label = groups.membership(statistics.regions, labels)
    for position in range(statistics.regions.shape[0]):
        w[of_label[position]] += statistics.w[position]
        wy[of_label[position]] += statistics.wy[position]
    sizes = statistics.block_count
    offset = np.concatenate([[0], np.cumsum(sizes)])
    square = np.concatenate([[0], np.cumsum(sizes**2)])
    size = np.append(done.size, 1.0)[blocks.intervention]  # −1, a disturbance, reads the last
    buckets, rows, cols, begin = [], [], [], 0
    for b in np.unique(sizes[sizes > 0]):
        units = np.flatnonzero(sizes == b)
        index = offset[units][:, None] + np.arange(b)
        owner, kind, k = blocks.intervention[index], blocks.kind[index], size[index]
        aimed = kind <= LATE2
        same = (owner[:, :, None] == owner[:, None, :]) & aimed[:, :, None] & aimed[:, None, :]
        length = units.shape[0] * int(b) ** 2
        buckets.append(
            Bucket(
                index=index,
                s=statistics.s[square[units][:, None] + np.arange(b * b)].reshape(-1, b, b),
                shared=np.where(same, k[:, :, None], 0.0),
                own=np.where(aimed, k, 0.0),
                side=np.where(kind == SIDE, k, 0.0),
                wide=np.where((kind == AFTER) | (kind == EVENT), k * settings.block_sd**2, 0.0),
                flat=slice(begin, begin + length),
            )
        )
        rows.append(np.repeat(index, b, axis=1).ravel())
        cols.append(np.tile(index, (1, int(b))).ravel())
        begin += length
    of_block = group[blocks.unit]
    members = tuple(np.flatnonzero(of_block == g) for g in range(count))
    return Model(
        statistics=statistics,
        blocks=blocks,
        done=done,
        columns=columns,
        buckets=tuple(buckets),
        square_rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
        square_cols=np.concatenate(cols) if cols else np.zeros(0, dtype=np.int64),
        group=group,
        shocks=int(labels.shape[0]),
        w=w,
        wy=wy,
        members=members,
        member_rows=tuple(columns.a[rows_].T.tocsr() for rows_ in members),
        settings=settings,
    )


def one_row(bucket: Bucket, row: int) -> Bucket:
    """The bucket of one unit, for its Λ."""
    only = slice(row, row + 1)
    return Bucket(
        index=bucket.index[only],
        s=bucket.s[only],
        shared=bucket.shared[only],
        own=bucket.own[only],
        side=bucket.side[only],
        wide=bucket.wide[only],
        flat=slice(0, 0),
    )


def local_variance(bucket: Bucket, spread: Floats) -> Floats:
    """Λ of the units of a bucket, (N, b, b)."""
    v = np.square(spread)
    out = bucket.shared * v[V_P]
    at = np.arange(bucket.index.shape[1])
    out[:, at, at] += bucket.own * v[V_B] + bucket.side * v[V_SB] + bucket.wide
    return np.asarray(out)


def dense_rows(a: sparse.csr_array, first: int, count: int) -> Floats:
    """Some rows of a sparse matrix one after the other, (count, Q); many times faster than slicing it."""
    out = np.zeros((count, a.shape[1]))
    place = a.indptr[first : first + count + 1]
    entries = slice(place[0], place[-1])
    out[np.repeat(np.arange(count), np.diff(place)), a.indices[entries]] = a.data[entries]
    return out


def integrate(model: Model, spread: Floats) -> Information:
    """Information about β for given v_p, v_b, v_sb."""
    stats, noise = model.statistics, model.statistics.noise
    blocks, periods = model.blocks.count, model.w.shape[1]
    ns = np.zeros(model.square_rows.shape[0])
    nc, rc = np.zeros((blocks, periods)), np.zeros((blocks, periods))
    ncy, rcy = np.zeros(blocks), np.zeros(blocks)
    inverse: list[Floats] = []
    log_det = float(stats.log_det.sum())
    for bucket in model.buckets:
        size = bucket.index.shape[1]
        prior = local_variance(bucket, spread)
        inner = np.eye(size) + np.matmul(bucket.s, prior)
        log_det += float(np.linalg.slogdet(inner)[1].sum())
        n = np.linalg.inv(inner)
        inverse.append(n)
        product = np.matmul(n, bucket.s)
        ns[bucket.flat] = (0.5 * (product + product.transpose(0, 2, 1))).ravel()
        here = np.matmul(n, stats.c[bucket.index])
        nc[bucket.index] = here
        rc[bucket.index] = np.matmul(prior, here)
        here_y = np.matmul(n, stats.cy[bucket.index][:, :, None])
        ncy[bucket.index] = here_y[:, :, 0]
        rcy[bucket.index] = np.matmul(prior, here_y)[:, :, 0]
    a, at = model.columns.a, model.columns.at
    count, width = len(model.members), model.columns.count
    w, wy = model.w.copy(), model.wy.copy()
    b = np.zeros((count, width, periods))
    for g, rows in enumerate(model.members):
        if rows.size:
            c = stats.c[rows]
            correction = c.T @ rc[rows]
            w[g] -= 0.5 * (correction + correction.T)
            wy[g] -= c.T @ rcy[rows]
            b[g] = model.member_rows[g] @ nc[rows]
    system = groups.week_system(w, shocks=model.shocks, v_g=noise.v_g, rho_g=noise.rho_g)
    middle = sparse.coo_array((ns, (model.square_rows, model.square_cols)), shape=(blocks, blocks)).tocsr()
    m, h = _profile((at @ (middle @ a)).toarray(), at @ ncy, b, wy, system)
    quad = float(stats.yy.sum()) - float(stats.cy @ rcy)
    wy1 = np.einsum("gij,gj->i", system.f, wy)
    quad -= float(np.einsum("gi,gij,gj->", wy, system.omega_f, wy)) + float(wy1 @ system.h_inverse @ wy1)
    return Information(
        spread=np.asarray(spread, dtype=np.float64),
        m=m,
        h=h,
        constant=-0.5 * (log_det + system.log_det + quad),
        inverse=tuple(inverse),
        system=system,
        b=b,
        wy=wy,
        w=w,
        middle=middle,
        score=ncy,
    )


def _profile(m: Floats, h: Floats, b: Floats, wy: Floats, system: WeekSystem) -> tuple[Floats, Floats]:
    """Take the week effects out of the information about β."""
    for g in range(b.shape[0]):
        if system.omega_f[g].any():
            own = b[g] @ system.omega_f[g]
            m = m - own @ b[g].T
            h = h - own @ wy[g]
    b1 = np.matmul(b, system.f.transpose(0, 2, 1)).sum(axis=0)
    m = m - b1 @ system.h_inverse @ b1.T
    h = h - b1 @ (system.h_inverse @ np.einsum("gij,gj->i", system.f, wy))
    return np.asarray(0.5 * (m + m.T)), np.asarray(h)


def leave_groups_out(model: Model, info: Information) -> Iterator[Information]:
    """The information about β, (M, h) alone, without the units of each group with shocks, one after the other."""
    a, system = model.columns.a, info.system
    width = model.columns.count
    each_m, each_h = np.zeros((len(model.members), width, width)), np.zeros((len(model.members), width))
    informed = info.middle @ a  # a unit's blocks meet only its own: rows of a group hold all that is its
    for g, rows in enumerate(model.members):
        if rows.size:
            part = a[rows]
            each_m[g] = (part.T @ informed[rows]).toarray()
            each_h[g] = part.T @ info.score[rows]
        own = info.b[g] @ system.omega_f[g]
        each_m[g] -= own @ info.b[g].T
        each_h[g] -= own @ info.wy[g]
    # the regions' own eliminations stay as they are, only the sum over regions changes
    each_w, each_b = np.matmul(system.f, info.w), np.matmul(info.b, system.f.transpose(0, 2, 1))
    each_wy = np.einsum("gij,gj->gi", system.f, info.wy)
    for left in range(model.shocks):
        others = [g for g in range(len(model.members)) if g != left]
        live = np.diagonal(info.w[others].sum(axis=0)) > 0
        h_inverse, _ = groups.invert(each_w[others].sum(axis=0), live)
        b1 = each_b[others].sum(axis=0)
        m = each_m[others].sum(axis=0) - b1 @ h_inverse @ b1.T
        h = each_h[others].sum(axis=0) - b1 @ (h_inverse @ each_wy[others].sum(axis=0))
        yield replace(info, m=0.5 * (m + m.T), h=h)
