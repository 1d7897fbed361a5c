"""The same gates on the reference simulation, beside the estimators it brings along."""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from apps.impact.stats.data import Actions, Panel
from apps.impact.stats.fit import fit_metric
from benchmarks.table import Row, write_figures

NAME = "estimator reference"
SOURCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "simulation" / "sim.py"
BASE = {"n_units": 300, "n_weeks": 104, "n_actions": 500, "n_solutions": 20, "n_metrics": 1}
SCENARIOS: dict[str, dict[str, float]] = {
    "base": {},
    "nothing works": {"p_null": 1.0},
    "40 units, 80 actions": {"n_units": 40, "n_actions": 80, "n_solutions": 6, "n_groups": 2},
    "region-wide launches": {"rollouts": 8, "n_actions": 300},
}


def load() -> ModuleType | None:
    """The simulation beside the clone, or None."""
    if not SOURCE.exists():
        return None
    spec = importlib.util.spec_from_file_location("reference_simulation", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def one(changes: dict[str, float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of solutions (truth, useless, estimate, …, naive) and of actions (z, covered)."""
    sim = load()
    assert sim is not None
    d = sim.simulate(seed, **{**BASE, **changes})
    s2, n = d["s2"][:, 0], d["n"][:, 0].astype(float)
    known = np.isfinite(s2) & (n > 1)
    variance = float(np.where(known, s2 * (n - 1), 0.0).sum() / np.where(known, n - 1, 0.0).sum())
    count = len(d["act_unit"])
    panel = Panel(
        y=d["y"][:, 0],
        n=n,
        within_variance=variance,
        region=d["group"].astype(np.int64),
        kind=d["fmt"].astype(np.int64),
    )
    actions = Actions(
        unit=d["act_unit"].astype(np.int64),
        start=d["act_t"].astype(np.int64),
        end=np.full(count, 10**6),
        aimed=np.ones(count, dtype=np.bool_),
        solutions=d["act_sol"].astype(np.bool_),
        lag=np.zeros(count, dtype=np.int64),
        randomised=np.zeros(count, dtype=np.bool_),
        fidelity=np.full(count, np.nan),
        challenge=d["sol_chal"].astype(np.int64),
    )
    fit = fit_metric(panel, actions)
    truth, useless = d["truth"]["theta_pop"], d["truth"]["is_null"]
    two_way, _ = sim.twfe(d, windowed=True)
    imputed, _, _ = sim.did_impute(d)
    naive, naive_se = sim.solution_means(d, sim.before_after(d)[0])
    table = [
        (truth[s.solution], useless[s.solution], s.interval.effect, s.interval.low, s.interval.high,
         s.gls, s.gls_se, s.verdict == "works", two_way[s.solution], imputed[s.solution],
         naive[s.solution] > 1.96 * naive_se[s.solution])
        for s in fit.solutions
        if s.interval is not None and s.gls is not None
    ]  # fmt: skip
    effect = d["truth"]["act_effect"]
    read = [
        ((a.raw - effect[a.action]) / a.raw_se, a.interval.low <= effect[a.action] <= a.interval.high)
        for a in fit.actions
        if a.interval is not None and a.raw is not None and a.raw_se is not None and "merged" not in a.flags
    ]
    return np.asarray(table, dtype=float).reshape(-1, 11), np.asarray(read, dtype=float).reshape(-1, 2)


def run(*, quick: bool) -> list[Row]:
    """The base over 16 seeds, the others over 6; nothing where the simulation is absent."""
    if not SOURCE.exists():
        print(f"{NAME}: skipped, the reference simulation is not beside the clone", file=sys.stderr)
        return []
    rows: list[Row] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for scenario, changes in SCENARIOS.items():
            seeds = 2 if quick else 16 if scenario == "base" else 6
            rows.extend(_figures(scenario, list(pool.map(partial(one, changes), range(seeds)))))
    if not quick:
        write_figures("methods.md", "reference", rows)
    return rows


def _figures(scenario: str, runs: list[tuple[np.ndarray, np.ndarray]]) -> list[Row]:
    truth, useless, estimate, low, high, gls, se, works, two_way, imputed, naive = np.concatenate(
        [r[0] for r in runs]
    ).T
    actions = np.concatenate([r[1] for r in runs])
    none = useless > 0
    rows: list[Row] = []

    def add(what: str, value: float, word: str, against: float, passed: bool | None = None) -> None:
        row = Row(
            bench=NAME, what=f"{scenario}: {what}", value=value, reference=word, against=against, passed=passed
        )
        rows.append(row)

    least = {"40 units, 80 actions": 0.92, "region-wide launches": 0.90}.get(scenario, 0.92)
    cover = float(np.mean((low <= truth) & (truth <= high)))
    add("95 % intervals cover", cover, "at least", least, cover >= least)
    called = float(np.mean(works[none]))
    most = 0.02 if scenario == "nothing works" else 0.04
    add(
        "useless solutions called works",
        called,
        "at most",
        most,
        called <= most if scenario != "40 units, 80 actions" else None,
    )
    if scenario == "base":
        unshrunk = float(np.mean(np.abs(gls - truth) < 1.96 * se))
        add("unshrunk intervals cover", unshrunk, "at least", 0.94, unshrunk >= 0.94)
        bias = float(abs(np.mean((estimate - truth)[none])))
        add("bias on useless solutions", bias, "at most", 0.03, bias <= 0.03)
        error = float(np.sqrt(np.mean((estimate - truth) ** 2)))
        add("root mean squared error", error, "at most", 0.066, error <= 0.066)
        ways = float(np.sqrt(np.nanmean((two_way - truth) ** 2)))
        add("the same, against two-way fixed effects", error, "two-way", ways, error <= 0.9 * ways)
        guess = float(np.sqrt(np.nanmean((imputed - truth) ** 2)))
        add("the same, against imputation", error, "imputation", guess, error <= 0.75 * guess)
        fooled = float(np.mean(naive[none]))
        add("useless ones that naive before/after calls effective", fooled, "at least", 0.5, fooled >= 0.5)
        covered = float(np.mean(np.abs(actions[:, 0]) < 1.96))
        add("one action, own data: covers", covered, "at least", 0.93, 0.93 <= covered <= 0.97)
        spread = float(np.std(actions[:, 0]))
        add("one action, own data: spread of z", spread, "ideal", 1.0, 0.95 <= spread <= 1.06)
        shrunk = float(np.mean(actions[:, 1]))
        add("one action, all data: covers", shrunk, "at least", 0.90, shrunk >= 0.90)
    return rows
