"""The gates on the reference simulation, in easy and hard worlds, beside the estimators it brings along."""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from scipy import special

from apps.impact.stats.data import Actions, Panel
from apps.impact.stats.fit import fit_metric
from benchmarks.gates import HEAD, Limits, Run, judge, measured
from benchmarks.table import Row, write_table

NAME = "estimator reference"
SOURCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "simulation" / "sim.py"
BASE = {"n_units": 300, "n_weeks": 104, "n_actions": 500, "n_solutions": 20, "n_metrics": 1}
WORLDS: dict[str, dict[str, Any]] = {
    "base": {},
    "nothing works": {"p_null": 1.0},
    "40 units, 80 actions": {"n_units": 40, "n_actions": 80, "n_solutions": 6, "n_groups": 2},
    "region-wide launches": {"rollouts": 8, "n_actions": 300},
    "stronger selection": {"kappa": 2.0},
    "managers who know more": {"kappa_private": 1.0},
    "drifting units": {"drift_sd": 0.02},
    "unlogged actions": {"unlogged_rate": 0.3},
    "wrong dates": {"date_error": 2},
    "dense combinations": {"combo_prob": 0.7},
    "few answers": {"resp_mean": 4.0},
    "everything fades": {"decay_share": 1.0},
    "uneven uses": {"het_sd": 0.25},
    "one region": {"n_groups": 1},
    "whole answers from 0 to 10": {"scale": "likert"},
    "clipped scale": {"scale": "likert", "mu": 8.8},
}
LIMITS = {
    "base": Limits(error=0.066),
    "nothing works": Limits(most_cover=None, works=0.02, useful=False),
    "region-wide launches": Limits(cover=0.90),
}
SEEDS = 16
# Six solutions a seed say little, and the gates of some worlds lie close to their figures.
MORE_SEEDS = {
    "base": 48,
    "40 units, 80 actions": 48,
    "stronger selection": 24,
    "unlogged actions": 24,
    "dense combinations": 24,
    "everything fades": 24,
    "uneven uses": 24,
}
FIRST = 300  # nothing was tried on these: constants and rules were chosen on seeds below 200


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


def observed(d: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """True effects of solutions and actions as the answers show them: a clipped scale shrinks them."""
    theta, effect = d["truth"]["theta_pop"], d["truth"]["act_effect"]
    if d["params"]["scale"] != "likert":
        return theta, effect
    middle = np.linspace(0.0, 14.0, 1401)
    steps = np.arange(0.5, 10.0)
    mean = special.ndtr((middle[:, None] - steps) / d["params"]["sigma_w"]).sum(axis=1)
    base = d["truth"]["base"][:, 0]

    def shown(level: np.ndarray, change: np.ndarray | float) -> np.ndarray:
        return np.asarray(np.interp(level + change, middle, mean) - np.interp(level, middle, mean))

    at = base[d["act_unit"]].mean(axis=1)
    return np.array([shown(base, float(value)).mean() for value in theta]), shown(at, effect)


def one(changes: dict[str, Any], seed: int) -> Run:
    """Simulate, measure, compare."""
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
    naive, naive_se = sim.solution_means(d, sim.before_after(d)[0])
    truth, effect = observed(d)
    return measured(
        fit_metric(panel, actions),
        truth,
        d["truth"]["is_null"],
        effect,
        naive > 1.96 * naive_se,
        np.column_stack([sim.twfe(d, windowed=True)[0], sim.did_impute(d)[0]]),
    )


def run(*, quick: bool) -> list[Row]:
    """Every world over its seeds; nothing where the simulation is absent."""
    if not SOURCE.exists():
        print(f"{NAME}: skipped, the reference simulation is not beside the clone", file=sys.stderr)
        return []
    rows: list[Row] = []
    lines: list[list[str]] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for world, changes in WORLDS.items():
            seeds = 2 if quick else MORE_SEEDS.get(world, SEEDS)
            runs = list(pool.map(partial(one, changes), range(FIRST, FIRST + seeds)))
            line, found = judge(NAME, world, runs, LIMITS.get(world, Limits()))
            lines.append(line)
            rows.extend(found)
            print(" | ".join(line), file=sys.stderr, flush=True)
            if not quick:
                write_table("methods.md", "reference", HEAD, lines)
    return rows
