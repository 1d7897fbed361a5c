"""What do the data say about β once local deviations and week effects are integrated out?

Given per-unit S = X'WX, C = X'W, c = X'Wy and local deviations τ = Aβ + ξ, ξ ~ N(0, Λ):

    N = (I + SΛ)^-1,  R = ΛN,   X'W~X = NS,  X'W~ = NC,  X'W~y = Nc,  W~ = W - C'RC

where W~ is the precision with ξ integrated out. Week effects are eliminated region by region
(`groups`), which leaves the information (M, h) about β.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    square : (N,) int
        Where each unit's square begins in ragged storage.
    """

    index: Ints
    s: Floats
    shared: Floats
    own: Floats
    side: Floats
    wide: Floats
    square: Ints


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
    across, begin : (ΣB²,), (B+1,) int
        Column of every stored square entry, and where each row begins: squares of one unit after the other.
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
    place : (B,) int
        Row of each block when groups come one after the other.
    by_group : (G Q, B) sparse
        A' of each group's blocks.
    settings : Settings
        Constants.
    """

    statistics: UnitStatistics
    blocks: Blocks
    done: Interventions
    columns: Columns
    buckets: tuple[Bucket, ...]
    across: Ints
    begin: Ints
    group: Ints
    shocks: int
    w: Floats
    wy: Floats
    members: tuple[Ints, ...]
    place: Ints
    by_group: sparse.csr_array
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over units, local deviations integrated out, week effects not.

    Attributes
    ----------
    m, h : (Q, Q), (Q,) float
        A'X'W~XA and A'X'W~y.
    b : (G, Q, P) float
        A'X'W~ by group.
    w : (G, P, P) float
        W~ by group.
    wy : (G, P) float
        W~y by group.
    log_det, yy : float
        log|V + XΛX'| and y'W~y.
    """

    m: Floats
    h: Floats
    b: Floats
    w: Floats
    wy: Floats
    log_det: float
    yy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Eliminated:
    """How the week effects were taken out.

    Attributes
    ----------
    system : WeekSystem
        Their part.
    own, across : (G, Q, P) float
        A'X'W~ΩF_G and A'X'W~F_G' by group.
    """

    system: WeekSystem
    own: Floats
    across: Floats


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
    """

    spread: Floats
    m: Floats
    h: Floats
    constant: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Integral(Information):
    """The same, with what it was made of.

    Attributes
    ----------
    sums : Sums
        Before week effects were eliminated.
    weeks : Eliminated
        Week effects.
    inverse : tuple of (N, b, b) float
        N by bucket.
    middle : (B, B) sparse
        NS of all units.
    toward : (B, P) float
        NC of all units.
    score : (B,) float
        Nc of all units.
    """

    sums: Sums
    weeks: Eliminated
    inverse: tuple[Floats, ...]
    middle: sparse.csr_array
    toward: Floats
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
    buckets = []
    for b in np.unique(sizes[sizes > 0]):
        units = np.flatnonzero(sizes == b)
        index = offset[units][:, None] + np.arange(b)
        owner, kind, k = blocks.intervention[index], blocks.kind[index], size[index]
        aimed = kind <= LATE2
        same = (owner[:, :, None] == owner[:, None, :]) & aimed[:, :, None] & aimed[:, None, :]
        buckets.append(
            Bucket(
                index=index,
                s=statistics.s[square[units][:, None] + np.arange(b * b)].reshape(-1, b, b),
                shared=np.where(same, k[:, :, None], 0.0),
                own=np.where(aimed, k, 0.0),
                side=np.where(kind == SIDE, k, 0.0),
                wide=np.where((kind == AFTER) | (kind == EVENT), k * settings.block_sd**2, 0.0),
                square=square[units],
            )
        )
    of_block = group[blocks.unit]
    members = tuple(np.flatnonzero(of_block == g) for g in range(count))
    begin = np.concatenate([[0], np.cumsum(sizes[blocks.unit])])
    # row i of a unit's square speaks of the unit's blocks, which follow one another
    across = np.arange(begin[-1]) - np.repeat(begin[:-1] - offset[blocks.unit], sizes[blocks.unit])
    place = np.empty(blocks.count, dtype=np.int64)
    place[np.concatenate(members)] = np.arange(blocks.count)
    spoken = columns.a.tocoo()
    own = of_block[spoken.row] * columns.count + spoken.col
    by_group = sparse.coo_array((spoken.data, (own, spoken.row)), shape=(count * columns.count, blocks.count))
    return Model(
        statistics=statistics,
        blocks=blocks,
        done=done,
        columns=columns,
        buckets=tuple(buckets),
        across=across,
        begin=begin,
        group=group,
        shocks=int(labels.shape[0]),
        w=w,
        wy=wy,
        members=members,
        place=place,
        by_group=by_group.tocsr(),
        settings=settings,
    )


def some_rows(bucket: Bucket, only: slice | Ints) -> Bucket:
    """The bucket of some of its units, for their Λ."""
    return Bucket(
        index=bucket.index[only],
        s=bucket.s[only],
        shared=bucket.shared[only],
        own=bucket.own[only],
        side=bucket.side[only],
        wide=bucket.wide[only],
        square=bucket.square[only],
    )


def local_variance(bucket: Bucket, spread: Floats) -> Floats:
    """Λ of the units of a bucket, (N, b, b)."""
    v = np.square(spread)
    out = bucket.shared * v[V_P]
    at = np.arange(bucket.index.shape[1])
    out[:, at, at] += bucket.own * v[V_B] + bucket.side * v[V_SB] + bucket.wide
    return np.asarray(out)


def integrate(model: Model, spread: Floats) -> Integral:
    """Information about β for given v_p, v_b, v_sb.

    R = KK' with K = Λ^½ (I + Λ^½' S Λ^½)^-½', so that the sums C'RC are products of one matrix with itself.
    """
    stats = model.statistics
    blocks, periods = model.blocks.count, model.w.shape[1]
    ns = np.empty(model.across.shape[0])
    nc, kc = np.empty((blocks, periods)), np.empty((blocks, periods))
    ncy, kcy = np.empty(blocks), np.empty(blocks)
    inverse: list[Floats] = []
    log_det = float(stats.log_det.sum())
    for bucket in model.buckets:
        size = bucket.index.shape[1]
        root = np.linalg.cholesky(local_variance(bucket, spread))
        inner = np.linalg.cholesky(np.eye(size) + np.matmul(root.transpose(0, 2, 1), np.matmul(bucket.s, root)))
        log_det += 2.0 * float(np.log(np.diagonal(inner, axis1=1, axis2=2)).sum())
        k = np.linalg.solve(inner, root.transpose(0, 2, 1))
        sk = np.matmul(bucket.s, k.transpose(0, 2, 1))
        inverse.append(np.eye(size) - np.matmul(sk, k))
        product = bucket.s - np.matmul(sk, sk.transpose(0, 2, 1))
        ns[bucket.square[:, None] + np.arange(size * size)] = product.reshape(-1, size * size)
        c, cy, at = stats.c[bucket.index], stats.cy[bucket.index][:, :, None], model.place[bucket.index]
        here, here_y = np.matmul(k, c), np.matmul(k, cy)
        kc[at], kcy[at] = here, here_y[:, :, 0]
        nc[bucket.index] = c - np.matmul(sk, here)
        ncy[bucket.index] = (cy - np.matmul(sk, here_y))[:, :, 0]
    w, wy = model.w.copy(), model.wy.copy()
    last = 0
    for g, rows in enumerate(model.members):
        part = slice(last, last + rows.size)
        w[g] -= kc[part].T @ kc[part]
        wy[g] -= kc[part].T @ kcy[part]
        last += rows.size
    middle = sparse.csr_array((ns, model.across, model.begin), shape=(blocks, blocks))
    sums = Sums(
        m=(model.columns.at @ (middle @ model.columns.a)).toarray(),
        h=model.columns.at @ ncy,
        b=(model.by_group @ nc).reshape(len(model.members), model.columns.count, periods),
        w=w,
        wy=wy,
        log_det=log_det,
        yy=float(stats.yy.sum()) - float(kcy @ kcy),
    )
    weeks, found = _eliminate(model, sums, spread)
    return Integral(
        spread=found.spread,
        m=found.m,
        h=found.h,
        constant=found.constant,
        sums=sums,
        weeks=weeks,
        inverse=tuple(inverse),
        middle=middle,
        toward=nc,
        score=ncy,
    )


def along_v_p(model: Model, base: Integral, values: Sequence[float]) -> Iterator[Information]:
    """The information for other values of v_p, all else as in `base`.

    Another v_p adds δUU' to Λ, with one column of U for every aimed intervention. With the columns of a unit
    turned so that U'X'W~XU is diagonal, with s on it, what is taken off every sum is weighted by δ/(1 + δs):

        X'W~X − X'W~XU diag(δ/(1 + δs)) U'X'W~X,   log|V + XΛX'| + Σ log(1 + δs),   the others likewise.
    """
    sums, groups_, count = base.sums, len(model.members), model.columns.count
    turned, s = _aimed(model, base.middle)
    reach = base.middle @ turned
    e, ey = turned.T @ base.toward, turned.T @ base.score
    f, by_group = model.columns.at @ reach, (model.by_group @ reach).tocsr()
    of = model.group[model.done.unit[model.done.aimed]]
    mine = [np.flatnonzero(of == g) for g in range(groups_)]
    for value in values:
        spread = base.spread.copy()
        spread[V_P] = value
        delta = value**2 - float(base.spread[V_P]) ** 2
        weight = delta / (1.0 + delta * s)
        taken, taken_y = weight[:, None] * e, weight * ey
        w, wy = sums.w.copy(), sums.wy.copy()
        for g, rows in enumerate(mine):
            w[g] -= e[rows].T @ taken[rows]
            wy[g] -= e[rows].T @ taken_y[rows]
        here = Sums(
            m=sums.m - ((f * weight) @ f.T).toarray(),
            h=sums.h - f @ taken_y,
            b=sums.b - (by_group @ taken).reshape(groups_, count, -1),
            w=w,
            wy=wy,
            log_det=sums.log_det + float(np.log1p(delta * s).sum()),
            yy=sums.yy - float(ey @ taken_y),
        )
        yield _eliminate(model, here, spread)[1]


def _aimed(model: Model, middle: sparse.csr_array) -> tuple[sparse.csr_array, Floats]:
    """U of `along_v_p`, turned, (B, J) for J aimed interventions, and s, (J,)."""
    done, blocks = model.done, model.blocks
    column = np.append(np.cumsum(done.aimed) - 1, -1)  # −1, a disturbance, reads the last
    block = np.flatnonzero((blocks.kind <= LATE2) & (blocks.intervention >= 0))
    owner = blocks.intervention[block]
    count = int(done.aimed.sum())
    u = sparse.csr_array((np.sqrt(done.size[owner]), (block, column[owner])), shape=(blocks.count, count))
    between = (u.T @ (middle @ u)).tocsr()
    unit = done.unit[done.aimed]
    order = np.argsort(unit, kind="stable")
    many = np.bincount(unit)
    first = np.concatenate([[0], np.cumsum(many)])
    s = np.zeros(count)
    rows, cols, values = [], [], []
    for size in np.unique(many[many > 0]).tolist():
        at = order[first[:-1][many == size][:, None] + np.arange(size)]
        row, col = np.repeat(at, size, axis=1).ravel(), np.tile(at, (1, size)).ravel()
        square = np.asarray(between[row, col]).reshape(-1, size, size)
        s_here, vectors = np.linalg.eigh(square)
        s[at] = np.maximum(s_here, 0.0)
        rows.append(row)
        cols.append(col)
        values.append(vectors.ravel())
    if not rows:
        return u, s
    turn = sparse.csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(cols))), (count, count))
    return (u @ turn).tocsr(), s


def _eliminate(model: Model, sums: Sums, spread: Floats) -> tuple[Eliminated, Information]:
    """Take the week effects out of the information about β."""
    noise, b, wy = model.statistics.noise, sums.b, sums.wy
    system = groups.week_system(sums.w, shocks=model.shocks, v_g=noise.v_g, rho_g=noise.rho_g)
    own, across = groups.sides(system, b)
    m, h = sums.m, sums.h
    for g in range(system.shocks):
        m = m - own[g] @ b[g].T
        h = h - own[g] @ wy[g]
    b1, wy1 = across.sum(axis=0), np.einsum("gij,gj->i", system.f, wy)
    m = m - b1 @ system.h_inverse @ b1.T
    h = h - b1 @ (system.h_inverse @ wy1)
    quad = sums.yy - float(np.einsum("gi,gij,gj->", wy, system.omega_f, wy)) - float(wy1 @ system.h_inverse @ wy1)
    return Eliminated(system=system, own=own, across=across), Information(
        spread=np.asarray(spread, dtype=np.float64),
        m=np.asarray(0.5 * (m + m.T)),
        h=np.asarray(h),
        constant=-0.5 * (sums.log_det + system.log_det + quad),
    )


def leave_groups_out(model: Model, info: Integral) -> Iterator[Information]:
    """The information about β, (M, h) alone, without the units of each group with shocks, one after the other."""
    sums, system, shape = info.sums, info.weeks.system, (len(model.members), model.columns.count, -1)
    # a unit's blocks meet only its own: rows of a group hold all that is its
    each_m = (model.by_group @ (info.middle @ model.columns.a)).toarray().reshape(shape)
    each_h = (model.by_group @ info.score).reshape(shape[:2])
    each_m -= np.matmul(info.weeks.own, sums.b.transpose(0, 2, 1))
    each_h -= np.matmul(info.weeks.own, sums.wy[:, :, None])[:, :, 0]
    # the regions' own eliminations stay as they are, only the sum over regions changes
    each_wy = np.einsum("gij,gj->gi", system.f, sums.wy)
    for left in range(model.shocks):
        others = [g for g in range(len(model.members)) if g != left]
        live = np.diagonal(sums.w[others].sum(axis=0)) > 0
        h_inverse, _ = groups.invert(system.each[others].sum(axis=0), live)
        b1 = info.weeks.across[others].sum(axis=0)
        m = each_m[others].sum(axis=0) - b1 @ h_inverse @ b1.T
        h = each_h[others].sum(axis=0) - b1 @ (h_inverse @ each_wy[others].sum(axis=0))
        yield Information(spread=info.spread, m=0.5 * (m + m.T), h=h, constant=info.constant)
