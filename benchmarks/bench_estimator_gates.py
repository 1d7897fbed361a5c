"""Is the engine right on average, in chains where managers act after bad weeks?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from apps.impact.stats.fit import fit_metric
from benchmarks.table import Row, write_figures
from tests.impact.stats.simulator import Chain, simulate

NAME = "estimator gates"
BASE = {"units": 300, "weeks": 104, "actions": 500, "solutions": 20, "regions": 5}
SCENARIOS: dict[str, dict[str, float]] = {
    "base": {},
    "stronger selection": {"reactive": 2.0},
    "few answers": {"answers": 3.0},
    "dense combinations": {"combination": 0.7},
    "uneven uses": {"between_uses": 0.25},
    "one region": {"regions": 1},
    "nothing works": {"null": 1.0},
    "40 units, 80 actions": {"units": 40, "actions": 80, "solutions": 6, "regions": 2},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Solutions: truth, estimate, low, high, works, naive claim, gls, gls se; actions: raw z, covered."""

    solutions: np.ndarray
    actions: np.ndarray
    placebo: tuple[float, float]


def one(changes: dict[str, float], seed: int) -> Run:
    """Simulate, measure, compare."""
    parameters = {**BASE, **changes}
    whole = {
        k: int(v) if k in ("units", "weeks", "actions", "solutions", "regions") else v
        for k, v in parameters.items()
    }
    chain: Chain = simulate(1000 + seed, **whole)
    fit = fit_metric(chain.panel, chain.actions)
    naive = _naive(chain, [effect.naive_change for effect in fit.actions])
    table = [
        (
            chain.theta[s.solution],
            s.interval.effect,
            s.interval.low,
            s.interval.high,
            s.verdict == "works",
            naive[s.solution],
            np.nan if s.gls is None else s.gls,
            np.nan if s.gls_se is None else s.gls_se,
        )
        for s in fit.solutions
        if s.interval is not None
    ]
    read = [
        (
            (effect.raw - chain.effect[effect.action]) / effect.raw_se,
            effect.interval.low <= chain.effect[effect.action] <= effect.interval.high,
        )
        for effect in fit.actions
        if effect.interval is not None
        and effect.raw is not None
        and effect.raw_se is not None
        and effect.weeks_after == 12
        and "merged" not in effect.flags
    ]
    found = {check.code: check.value for check in fit.checks}
    return Run(
        solutions=np.asarray(table, dtype=float).reshape(-1, 8),
        actions=np.asarray(read, dtype=float).reshape(-1, 2),
        placebo=(found.get("placebo_mean") or 0.0, found.get("placebo_spread") or 1.0),
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
    """The base over 16 seeds, every other scenario over 5."""
    rows: list[Row] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for scenario, changes in SCENARIOS.items():
            seeds = 3 if quick else 16 if scenario == "base" else 5
            runs = list(pool.map(partial(one, changes), range(seeds)))
            rows.extend(_figures(scenario, runs))
    if not quick:
        write_figures("methods.md", "gates", rows)
    return rows


def _figures(scenario: str, runs: list[Run]) -> list[Row]:
    s = np.concatenate([each.solutions for each in runs])
    truth, estimate, low, high, works, naive, gls, se = s.T
    useless = truth == 0
    limits: list[tuple[str, float, float, Callable[[float, float], bool], str]] = [
        ("95 % intervals cover", float(np.mean((low <= truth) & (truth <= high))), 0.92, float.__ge__, "at least"),
        (
            "unshrunk intervals cover",
            float(np.nanmean(np.abs(gls - truth) < 1.96 * se)),
            0.94,
            float.__ge__,
            "at least",
        ),
        (
            "bias on useless solutions",
            float(abs(np.mean((estimate - truth)[useless]))),
            0.03,
            float.__le__,
            "at most",
        ),
        ("useless solutions called works", float(np.mean(works[useless])), 0.04, float.__le__, "at most"),
    ]
    if scenario == "base":
        limits.append(
            (
                "root mean squared error",
                float(np.sqrt(np.mean((estimate - truth) ** 2))),
                0.066,
                float.__le__,
                "at most",
            )
        )
    a = np.concatenate([each.actions for each in runs])
    if a.shape[0] >= 100:
        limits += [
            (
                "one action, own data: covers",
                float(np.mean(np.abs(a[:, 0]) < 1.96)),
                0.93,
                float.__ge__,
                "at least",
            ),
            ("one action, all data: covers", float(np.mean(a[:, 1])), 0.90, float.__ge__, "at least"),
        ]
    rows = [
        Row(
            bench=NAME,
            what=f"{scenario}: {what}",
            value=value,
            reference=word,
            against=limit,
            passed=bool(holds(value, limit)) if scenario == "base" else None,
        )
        for what, value, limit, holds, word in limits
    ]
    rows.append(
        Row(
            bench=NAME,
            what=f"{scenario}: useless ones naive before/after calls effective",
            value=float(np.mean(naive[useless])),
            reference="called works here",
            against=float(np.mean(works[useless])) or None,
        )
    )
    rows.append(
        Row(
            bench=NAME,
            what=f"{scenario}: spread of placebos",
            value=float(np.mean([r.placebo[1] for r in runs])),
            reference="ideal",
            against=1.0,
        )
    )
    return rows
