"""Which gates does the engine pass in a simulated world? The same table for every simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

from apps.impact.stats.fit import MetricFit
from benchmarks.table import Row

HEAD = (
    "world", "seeds", "95 % covers", "unshrunk covers", "bias, useless", "useless called works",
    "useful called works", "error", "rank corr.", "rank corr. gained", "regret", "action alone: covers",
    "its z: sd", "action: covers", "placebo z: mean", "its sd", "beyond the gates",
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


Figure = Callable[[Sequence[Run]], float]
SOLUTION = ("truth", "useless", "estimate", "low", "high", "gls", "gls_se", "works", "naive")
# Sixteen fits of 150 placebos scatter so much around zero; fixed, so that more seeds don't move the gate.
PLACEBO_CENTRE = 2.0 / np.sqrt(16.0 * 150.0)


def judge(bench: str, world: str, runs: Sequence[Run], limits: Limits) -> tuple[list[str], list[Row]]:
    """The world's line of the table, and a row for each gate.

    A gate is judged by the figure over all seeds; its standard error, by leaving out one seed after the other,
    is told beside it.
    """
    rows: list[Row] = []
    beyond: list[str] = []
    cells: dict[str, str] = {}

    def gate(what: str, figure: Figure, least: float | None, most: float | None, cell: str = "") -> None:
        value, error = _jackknife(figure, runs)
        good = (least is None or value >= least) and (most is None or value <= most)
        if not good:
            beyond.append(f"{what} {_text(value)} ± {_text(error)}")
        word = "at least" if most is None else "at most" if least is None else f"{least:.3g} to"
        rows.append(
            Row(bench=bench, what=f"{world}: {what} (± {error:.2g})", value=value, reference=word,
                against=least if most is None else most, passed=bool(good))
        )  # fmt: skip
        cells[cell or what] = _with_error(value, error)

    def tell(cell: str, figure: Figure) -> None:
        cells[cell] = _with_error(*_jackknife(figure, runs))

    gate("intervals cover", _covers, limits.cover, limits.most_cover)
    gate("unshrunk intervals cover", _unshrunk_covers, 0.94, None)
    gate("bias on useless solutions", lambda r: abs(_bias(r)), None, 0.03)
    tell("bias on useless solutions", _bias)
    gate("useless solutions called works", _called, None, limits.works)
    tell("useful called works", _useful_called)
    errors = [_jackknife(partial(_error, column=column), runs) for column in (None, 0, 1)]
    if limits.error is not None:
        gate("error", _error, None, limits.error)
        gate("error against two-way fixed effects", partial(_against, column=0), None, 0.9)
        gate("error against imputation", partial(_against, column=1), None, 0.75)
        gate("useless ones naive before/after calls effective", _naive, 0.5, None)
    if limits.useful and np.isfinite(_order(runs, column=0)):
        gate("rank correlation above that of two-way fixed effects", _order_gained, -0.01, None)
    if sum(run.actions.shape[0] for run in runs) >= 100:
        gate("one action, own data: covers", _alone_covers, 0.93, 0.97)
        gate("one action, own data: spread of z", _alone_spread, 0.95, 1.06)
        gate("one action, all data: covers", _action_covers, 0.90, None)
    gate("spread of placebos", _placebo_spread, 0.85, 1.15)
    gate("mean of placebos", _placebo_mean, -PLACEBO_CENTRE, PLACEBO_CENTRE)
    order, simple = (_jackknife(partial(_order, column=column), runs) for column in (None, 0))
    line = [
        world,
        str(len(runs)),
        *(cells[name] for name in (
            "intervals cover", "unshrunk intervals cover", "bias on useless solutions",
            "useless solutions called works", "useful called works",
        )),
        _beside(errors),
        _beside([order, simple]),
        cells.get("rank correlation above that of two-way fixed effects", ""),
        _beside([_jackknife(partial(_regret, column=column), runs) for column in (None, 0, 1)]),
        *(cells.get(name, "") for name in (
            "one action, own data: covers", "one action, own data: spread of z", "one action, all data: covers",
            "mean of placebos", "spread of placebos",
        )),
        "; ".join(beyond) or "none",
    ]  # fmt: skip
    return line, rows


def _jackknife(figure: Figure, runs: Sequence[Run]) -> tuple[float, float]:
    """A figure and its standard error, from leaving out one seed at a time (Efron 1982, eq. 3.13)."""
    value, count = figure(runs), len(runs)
    if count < 2:
        return value, np.nan
    without = np.array([figure([*runs[:i], *runs[i + 1 :]]) for i in range(count)])
    return value, float(np.sqrt((count - 1) / count * np.square(without - without.mean()).sum()))


def _column(runs: Sequence[Run], name: str) -> np.ndarray:
    return np.concatenate([run.solutions[:, SOLUTION.index(name)] for run in runs])


def _useless(runs: Sequence[Run]) -> np.ndarray:
    return np.asarray(_column(runs, "useless") > 0)


def _covers(runs: Sequence[Run]) -> float:
    truth = _column(runs, "truth")
    return _mean((_column(runs, "low") <= truth) & (truth <= _column(runs, "high")))


def _unshrunk_covers(runs: Sequence[Run]) -> float:
    return _mean(np.abs(_column(runs, "gls") - _column(runs, "truth")) < 1.96 * _column(runs, "gls_se"))


def _bias(runs: Sequence[Run]) -> float:
    return _mean((_column(runs, "estimate") - _column(runs, "truth"))[_useless(runs)])


def _called(runs: Sequence[Run]) -> float:
    return _mean(_column(runs, "works")[_useless(runs)])


def _useful_called(runs: Sequence[Run]) -> float:
    return _mean(_column(runs, "works")[_column(runs, "truth") > 0.02])


def _naive(runs: Sequence[Run]) -> float:
    return _mean(_column(runs, "naive")[_useless(runs)])


def _error(runs: Sequence[Run], column: int | None = None) -> float:
    """Root mean squared error of the engine, or of a peer."""
    guess = _column(runs, "estimate") if column is None else np.concatenate([r.peers[:, column] for r in runs])
    return float(np.sqrt(_mean(np.square(guess - _column(runs, "truth")))))


def _against(runs: Sequence[Run], column: int) -> float:
    return _error(runs) / _error(runs, column)


def _order(runs: Sequence[Run], column: int | None) -> float:
    return _mean([_spearman(run, column) for run in runs])


def _order_gained(runs: Sequence[Run]) -> float:
    """Seed by seed, so that what makes a seed hard for both cancels."""
    return _mean([_spearman(run, None) - _spearman(run, 0) for run in runs])


def _regret(runs: Sequence[Run], column: int | None = None) -> float:
    """What is lost by taking the solution that came out best instead of the one that is, on average."""
    lost = []
    for run in runs:
        truth = run.solutions[:, 0]
        guess = run.solutions[:, SOLUTION.index("estimate")] if column is None else run.peers[:, column]
        if np.isfinite(guess).any():
            lost.append(truth.max() - truth[np.nanargmax(guess)])
    return _mean(lost)


def _alone_covers(runs: Sequence[Run]) -> float:
    return _mean(np.abs(np.concatenate([run.actions[:, 0] for run in runs])) < 1.96)


def _alone_spread(runs: Sequence[Run]) -> float:
    return float(np.std(np.concatenate([run.actions[:, 0] for run in runs])))


def _action_covers(runs: Sequence[Run]) -> float:
    return _mean(np.concatenate([run.actions[:, 1] for run in runs]))


def _placebo_mean(runs: Sequence[Run]) -> float:
    return _mean([run.placebo[0] for run in runs])


def _placebo_spread(runs: Sequence[Run]) -> float:
    return _mean([run.placebo[1] for run in runs])


def _spearman(run: Run, column: int | None) -> float:
    """Equal truths share their mean rank: among useless solutions there is no order to be found."""
    guess = run.solutions[:, SOLUTION.index("estimate")] if column is None else run.peers[:, column]
    keep = np.isfinite(guess)
    if keep.sum() < 3 or np.ptp(run.solutions[keep, 0]) == 0:
        return np.nan
    return float(np.corrcoef(stats.rankdata(guess[keep]), stats.rankdata(run.solutions[keep, 0]))[0, 1])


def _mean(values: Sequence[float] | np.ndarray) -> float:
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else np.nan


def _with_error(value: float, error: float) -> str:
    return f"{_text(value)} ± {_text(error)}" if np.isfinite(value) else ""


def _beside(figures: Sequence[tuple[float, float]]) -> str:
    """The engine's figure, those of the peers in brackets."""
    (own, error), peers = figures[0], [value for value, _ in figures[1:] if np.isfinite(value)]
    told = _with_error(own, error)
    return f"{told} ({', '.join(_text(value) for value in peers)})" if peers and told else told


def _text(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""
