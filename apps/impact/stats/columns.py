"""Through which coefficients does a block speak? The rows of β = (m, r, θ, λ, φ, ψ).

ramp     Σ_k m_r + r_k
primary  Σ_k m_p + θ_k + φ_k,c(u)
late b   Σ_k m_p + θ_k + φ_k,c(u) + m_b + λ_k,b
side     Σ_k ψ_k
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .blocks import LATE1, LATE2, PRIMARY, RAMP, SIDE, Blocks, Interventions
from .data import Floats, Ints, Settings

FIXED, W, W_L, W_C, W_SD = range(5)  # which standard deviation rules a column's prior


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each coefficient sits; −1 where there is none.

    Attributes
    ----------
    group : (P,) int
        FIXED, W, W_L, W_C or W_SD.
    fixed_variance : (P,) float
        Prior variance of FIXED columns, 0 elsewhere.
    mean : (4,) int
        m_r, m_p, m_late1, m_late2.
    theta, side : (S,) int
        θ_k, ψ_k.
    late : (S, 2) int
        λ_k,1 and λ_k,2.
    challenge : (S,) int
        The mean of the solution's challenge around m_p.
    kinds : (C,) int
        Labels of the kinds of unit.
    phi : (S, C) int
        φ_k,c.
    a, at : (B, P), (P, B) sparse
        Rows of β for each block, and the transpose.
    """

    group: Ints
    fixed_variance: Floats
    mean: Ints
    theta: Ints
    side: Ints
    late: Ints
    challenge: Ints
    kinds: Ints
    phi: Ints
    a: sparse.csr_array
    at: sparse.csr_array

    @property
    def count(self) -> int:
        """Number of columns P."""
        return int(self.group.shape[0])

    def prior_variance(self, spread: Floats) -> Floats:
        """Prior variances (P,) for spread = (w, w_l, w_c, w_sd)."""
        squares = np.concatenate([[0.0], np.square(spread)])
        return np.asarray(self.fixed_variance + squares[self.group])

    def effect_rows(self, solutions: Ints) -> Floats:
        """Rows (R, P) that read Θ_k = m_p (+ its challenge) + θ_k off β."""
        rows = np.zeros((solutions.shape[0], self.count))
        rows[:, self.mean[1]] = 1.0
        at = np.arange(solutions.shape[0])
        for index in (self.theta[solutions], self.challenge[solutions]):
            rows[at[index >= 0], index[index >= 0]] = 1.0
        return rows

    def late_rows(self, solutions: Ints, which: int) -> Floats:
        """Rows that read the effect in late block `which` (0 or 1)."""
        rows = self.effect_rows(solutions)
        rows[:, self.mean[2 + which]] = 1.0
        index = self.late[solutions, which]
        at = np.arange(solutions.shape[0])
        rows[at[index >= 0], index[index >= 0]] = 1.0
        return rows


def lay_columns(
    blocks: Blocks, done: Interventions, unit_kind: Ints, challenge: Ints | None, settings: Settings
) -> Columns:
    """Give a column to every coefficient that some block speaks of."""
    solution_count = done.solutions.shape[1]
    kinds, kind_of = np.unique(unit_kind, return_inverse=True)
    owned = np.flatnonzero(blocks.intervention >= 0)
    owner = blocks.intervention[owned]
    local, sol = np.nonzero(done.solutions[owner]) if owned.size else (np.zeros(0, int), np.zeros(0, int))
    row, code = owned[local], blocks.kind[owned[local]]
    group: list[int] = []
    variance: list[float] = []

    def new(kind: int, fixed: float = 0.0) -> int:
        group.append(kind)
        variance.append(fixed)
        return len(group) - 1

    mean = np.array([new(FIXED, settings.mean_sd**2) for _ in range(4)])

    def one_each(present: Ints, kind: int, fixed: float = 0.0) -> Ints:
        index = np.full(solution_count, -1, dtype=np.int64)
        for k in np.unique(present):
            index[k] = new(kind, fixed)
        return index

    settled = np.isin(code, (PRIMARY, LATE1, LATE2))
    ramp = one_each(sol[code == RAMP], FIXED, settings.ramp_sd**2)
    theta = one_each(sol[settled], W)
    late = np.stack([one_each(sol[code == LATE1], W_L), one_each(sol[code == LATE2], W_L)], axis=1)
    side = one_each(sol[code == SIDE], W_SD)
    phi = np.full((solution_count, kinds.shape[0]), -1, dtype=np.int64)
    unit_of_row = blocks.unit[row]
    if kinds.shape[0] > 1:
        met = np.zeros(phi.shape, dtype=np.bool_)
        met[sol[settled], kind_of[unit_of_row[settled]]] = True
        for k, c in np.argwhere(met).tolist():
            phi[k, c] = new(W_C)
    home = np.full(solution_count, -1, dtype=np.int64)
    if challenge is not None:
        used = np.flatnonzero((theta >= 0) & (challenge >= 0))
        labels = np.unique(challenge[used])
        if labels.shape[0] >= settings.challenge_min:
            column = {int(label): new(FIXED, settings.challenge_sd**2) for label in labels}
            home[used] = [column[int(challenge[k])] for k in used]

    rows: list[Ints] = []
    cols: list[Ints] = []

    def put(where: Ints, column: Ints) -> None:
        rows.append(where[column >= 0])
        cols.append(column[column >= 0])

    is_ramp = code == RAMP
    put(row[is_ramp], np.full(int(is_ramp.sum()), mean[0]))
    put(row[is_ramp], ramp[sol[is_ramp]])
    put(row[settled], np.full(int(settled.sum()), mean[1]))
    put(row[settled], theta[sol[settled]])
    put(row[settled], home[sol[settled]])
    put(row[settled], phi[sol[settled], kind_of[unit_of_row[settled]]])
    for which, block in enumerate((LATE1, LATE2)):
        here = code == block
        put(row[here], np.full(int(here.sum()), mean[2 + which]))
        put(row[here], late[sol[here], which])
    put(row[code == SIDE], side[sol[code == SIDE]])
    for k, other in _pairs(done, settings):
        joint = new(FIXED, settings.interaction_sd**2)
        both = owned[(done.solutions[owner, k] & done.solutions[owner, other])]
        both = both[np.isin(blocks.kind[both], (PRIMARY, LATE1, LATE2))]
        put(both, np.full(both.shape[0], joint))
    all_rows = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    all_cols = np.concatenate(cols) if cols else np.zeros(0, dtype=np.int64)
    a = sparse.coo_array((np.ones(all_rows.shape[0]), (all_rows, all_cols)), shape=(blocks.count, len(group)))
    return Columns(
        group=np.asarray(group, dtype=np.int64),
        fixed_variance=np.asarray(variance),
        mean=mean,
        theta=theta,
        side=side,
        late=late,
        challenge=home,
        kinds=kinds.astype(np.int64),
        phi=phi,
        a=a.tocsr(),
        at=a.T.tocsr(),
    )


def _pairs(done: Interventions, settings: Settings) -> list[tuple[int, int]]:
    """Pairs of solutions seen together, and each without the other, often enough."""
    used = done.solutions[done.aimed].astype(np.float64)
    together = used.T @ used
    alone = np.diagonal(together)[:, None] - together
    least = settings.interaction_min
    good = (together >= least) & (alone >= least) & (least <= alone.T)
    return [(int(k), int(m)) for k, m in np.argwhere(np.triu(good, 1))]
