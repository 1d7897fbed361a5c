"""Which gates does the engine pass in a simulated world? The same table for every simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.impact.stats.fit import MetricFit
from benchmarks.table import Row

HEAD = (
    "world", "seeds", "95 % covers", "unshrunk covers", "bias, useless", "useless called works",
    "useful called works", "error", "rank corr.", "action alone: covers", "its z: sd", "action: covers",
    "placebo z: sd", "beyond the gates",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One fit against the truth.

    Attributes
    ----------
    solutions : (n, 9) float
        Truth, useless, estimate, low, high, unshrunk, its standard error, works, naive claim.
    peers : (n, 2) float
        Two-way fixed effects and imputation; NaN where they were not computed.
    actions : (n, 2) float
        z of the raw effect, whether the posterior interval covers.
    placebo : (2,) float
        Mean and spread of the placebos.
    """

    solutions: np.ndarray
    peers: np.ndarray
    actions: np.ndarray
    placebo: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one world has to meet where that differs from the others: None asks nothing."""

    cover: float = 0.92
    most_cover: float | None = 0.985
    works: float = 0.04
    error: float | None = None
    useful: bool = True


def measured(fit: MetricFit, truth: np.ndarray, useless: np.ndarray, effect: np.ndarray, naive: np.ndarray,
             peers: np.ndarray) -> Run:  # fmt: skip
    """Compare a fit with the truth of solutions and actions."""
    known = [s for s in fit.solutions if s.interval is not None and s.gls is not None]
    table = [
        (truth[s.solution], useless[s.solution], s.interval.effect, s.interval.low, s.interval.high,
         s.gls, s.gls_se, s.verdict == "works", naive[s.solution])
        for s in known if s.interval is not None
    ]  # fmt: skip
    read = [
        ((a.raw - effect[a.action]) / a.raw_se, a.interval.low <= effect[a.action] <= a.interval.high)
        for a in fit.actions
        if a.interval is not None and a.raw is not None and a.raw_se is not None and "merged" not in a.flags
    ]
    found = {check.code: check.value for check in fit.checks}
    return Run(
        solutions=np.asarray(table, dtype=float).reshape(-1, 9),
        peers=peers[[s.solution for s in known]].reshape(-1, 2),
        actions=np.asarray(read, dtype=float).reshape(-1, 2),
        placebo=np.array([found.get("placebo_mean") or 0.0, found.get("placebo_spread") or np.nan]),
    )


def judge(bench: str, world: str, runs: Sequence[Run], limits: Limits) -> tuple[list[str], list[Row]]:
    """The world's line of the table, and a row for each gate."""
    s = np.concatenate([each.solutions for each in runs])
    truth, none, estimate, low, high, gls, se, works, naive = s.T
    peers = np.concatenate([each.peers for each in runs])
    actions = np.concatenate([each.actions for each in runs])
    useless = none > 0
    rows: list[Row] = []

    def gate(what: str, value: float, least: float | None, most: float | None) -> float:
        good = (least is None or value >= least) and (most is None or value <= most)
        word = "at least" if most is None else "at most" if least is None else f"{least:.3g} to"
        rows.append(
            Row(bench=bench, what=f"{world}: {what}", value=value, reference=word,
                against=least if most is None else most, passed=bool(good))
        )  # fmt: skip
        return value

    cover = gate("95 % intervals cover", float(np.mean((low <= truth) & (truth <= high))), limits.cover,
                 limits.most_cover)  # fmt: skip
    alone = gate("unshrunk intervals cover", float(np.mean(np.abs(gls - truth) < 1.96 * se)), 0.94, None)
    bias = gate("bias on useless solutions", float(abs(np.mean((estimate - truth)[useless]))), None, 0.03)
    called = gate("useless solutions called works", float(np.mean(works[useless])), None, limits.works)
    error = float(np.sqrt(np.mean((estimate - truth) ** 2)))
    two_way, imputed = (float(np.sqrt(_mean((peers[:, i] - truth) ** 2))) for i in (0, 1))
    if limits.error is not None:
        gate("root mean squared error", error, None, limits.error)
        gate("the same against two-way fixed effects", error / two_way, None, 0.9)
        gate("the same against imputation", error / imputed, None, 0.75)
        gate("useless ones naive before/after calls effective", float(np.mean(naive[useless])), 0.5, None)
    order, simple = (_mean([_spearman(r, column) for r in runs]) for column in (None, 0))
    if limits.useful and np.isfinite(peers[:, 0]).any():
        gate("rank correlation, above that of two-way fixed effects", order - simple, -0.01, None)
    raw = spread = own = np.nan
    if actions.shape[0] >= 100:
        raw = gate("one action, own data: covers", float(np.mean(np.abs(actions[:, 0]) < 1.96)), 0.93, 0.97)
        spread = gate("one action, own data: spread of z", float(np.std(actions[:, 0])), 0.95, 1.06)
        own = gate("one action, all data: covers", float(np.mean(actions[:, 1])), 0.90, None)
    placebo = np.array([r.placebo for r in runs])
    wide = gate("spread of placebos", float(np.nanmean(placebo[:, 1])), 0.85, 1.15)
    gate("placebos, mean over its error", _centred(placebo), None, 2.0)
    useful = float(np.mean(works[truth > 0.02])) if (truth > 0.02).any() else np.nan
    beyond = [row.what.split(": ", 1)[1] for row in rows if not row.passed]
    figures = [cover, alone, bias, called, useful]
    line = [world, str(len(runs)), *(_text(value) for value in figures)]
    line += [f"{error:.3f} ({two_way:.3f}, {imputed:.3f})" if np.isfinite(two_way) else f"{error:.3f}"]
    line += [f"{order:.2f} ({simple:.2f})" if np.isfinite(simple) else _text(order)]
    line += [_text(value) for value in (raw, spread, own, wide)]
    return [*line, "; ".join(beyond) or "none"], rows


def _centred(placebo: np.ndarray) -> float:
    """Mean of all placebos over its standard error; about 150 placebos a run."""
    return float(abs(placebo[:, 0].mean()) / (np.nanmean(placebo[:, 1]) / np.sqrt(150.0 * placebo.shape[0])))


def _spearman(run: Run, column: int | None) -> float:
    guess = run.solutions[:, 2] if column is None else run.peers[:, column]
    keep = np.isfinite(guess)
    if keep.sum() < 3 or np.ptp(run.solutions[keep, 0]) == 0:
        return np.nan
    a, b = (np.argsort(np.argsort(x[keep])).astype(float) for x in (guess, run.solutions[:, 0]))
    return float(np.corrcoef(a, b)[0, 1])


def _mean(values: Sequence[float] | np.ndarray) -> float:
    known = np.asarray(values)[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _text(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""
