"""Is the engine right on average, in chains where managers act after bad weeks?"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from apps.impact.stats.fit import fit_metric
from benchmarks.gates import HEAD, Limits, Run, judge, measured
from benchmarks.table import Row, write_table
from tests.impact.stats.simulator import Chain, simulate

NAME = "estimator gates"
BASE = {"units": 300, "weeks": 104, "actions": 500, "solutions": 20, "regions": 5}
WHOLE = ("units", "weeks", "actions", "solutions", "regions")
WORLDS: dict[str, dict[str, float]] = {
    "base": {},
    "stronger selection": {"reactive": 2.0},
    "few answers": {"answers": 3.0},
    "dense combinations": {"combination": 0.7},
    "uneven uses": {"between_uses": 0.25},
    "one region": {"regions": 1},
    "nothing works": {"null": 1.0},
    "40 units, 80 actions": {"units": 40, "actions": 80, "solutions": 6, "regions": 2},
}
LIMITS = {"nothing works": Limits(most_cover=None, works=0.02, useful=False)}
SEEDS = 16
MORE_SEEDS = {
    "base": 24,
    "stronger selection": 24,
    "uneven uses": 24,
    "nothing works": 24,
    "40 units, 80 actions": 48,
}
FIRST = 4000  # nothing was tried on these


def one(changes: dict[str, float], seed: int) -> Run:
    """Simulate, measure, compare."""
    chain: Chain = simulate(
        FIRST + seed, **{k: int(v) if k in WHOLE else v for k, v in {**BASE, **changes}.items()}
    )
    fit = fit_metric(chain.panel, chain.actions)
    return measured(
        fit,
        chain.theta,
        chain.theta == 0,
        chain.effect,
        _naive(chain, [effect.naive_change for effect in fit.actions]),
        np.full((chain.theta.shape[0], 2), np.nan),
    )


def _naive(chain: Chain, change: list[float | None]) -> np.ndarray:
    """Whether averaging plain before/after changes would call each solution effective."""
    out = np.zeros(chain.theta.shape[0])
    for k in range(out.shape[0]):
        x = np.array(
            [c for c, used in zip(change, chain.actions.solutions[:, k], strict=True) if used and c is not None]
        )
        out[k] = x.shape[0] > 2 and x.mean() > 1.96 * x.std(ddof=1) / np.sqrt(x.shape[0])
    return out


def run(*, quick: bool) -> list[Row]:
    """Every world over its seeds."""
    rows: list[Row] = []
    lines: list[list[str]] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for world, changes in WORLDS.items():
            seeds = 2 if quick else MORE_SEEDS.get(world, SEEDS)
            runs = list(pool.map(partial(one, changes), range(seeds)))
            line, found = judge(NAME, world, runs, LIMITS.get(world, Limits()))
            lines.append(line)
            rows.extend(found)
            print(" | ".join(line), file=sys.stderr, flush=True)
            if not quick:
                write_table("methods.md", "gates", HEAD, lines)
    return rows
