"""A small chain with known truth, in which managers act after bad weeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.impact.stats.data import Actions, Floats, Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A panel, its actions and the truth.

    Attributes
    ----------
    panel, actions
        What the engine sees.
    theta : (S,) float
        Mean effect of each solution in the primary window.
    effect : (J,) float
        Realised effect of each action there.
    """

    panel: Panel
    actions: Actions
    theta: Floats
    effect: Floats


def simulate(
    seed: int,
    *,
    units: int = 120,
    weeks: int = 60,
    solutions: int = 12,
    actions: int = 200,
    regions: int = 3,
    null: float = 0.5,
    reactive: float = 1.0,
    answers: float = 15.0,
    combination: float = 0.2,
    between_uses: float = 0.1,
) -> Chain:
    """Scores with unit levels, AR(1) states, season, region shocks; uptake follows observed dips."""
    r = np.random.default_rng([seed, 77])
    region, kind = r.integers(0, regions, units), r.integers(0, 2, units)
    theta = np.where(r.random(solutions) < null, 0.0, np.where(r.random(solutions) < 0.8, 1.0, -0.5))
    theta *= r.gamma(4.0, 0.0625, solutions)
    if null < 1 and not theta.any():
        theta[0] = 0.25

    def ar(shape: tuple[int, ...], rho: float, sd: float) -> Floats:
        x = np.empty((*shape, weeks))
        x[..., 0] = r.normal(0, sd, shape)
        for t in range(1, weeks):
            x[..., t] = rho * x[..., t - 1] + r.normal(0, sd * np.sqrt(1 - rho**2), shape)
        return x

    base = 7.5 + r.normal(0, 0.4, units)[:, None] + 0.2 * np.sin(np.arange(weeks) * 2 * np.pi / 52)
    base = base + ar((regions,), 0.7, 0.06)[region] + ar((units,), 0.8, 0.25)
    rate = answers * np.exp(r.normal(0, 0.4, units))
    extra = np.zeros((units, weeks))
    y, n = np.full((units, weeks), np.nan), np.zeros((units, weeks))
    last = np.full(units, -99)
    log: list[tuple[int, int, list[int], float]] = []
    first, final = 14, weeks - 6
    for t in range(weeks):
        n[:, t] = r.poisson(rate)
        seen = n[:, t] > 0
        noise = r.normal(0, 2.2, units) / np.sqrt(np.maximum(n[:, t], 1))
        y[seen, t] = (base[:, t] + extra[:, t] + noise)[seen]
        if not first <= t < final:
            continue
        past, recent = n[:, : t + 1] > 0, n[:, t - 3 : t + 1] > 0
        dip = np.where(past, y[:, : t + 1], 0.0).sum(axis=1) / np.maximum(past.sum(axis=1), 1)
        dip -= np.where(recent, y[:, t - 3 : t + 1], 0.0).sum(axis=1) / np.maximum(recent.sum(axis=1), 1)
        dip = np.where(recent.any(axis=1), dip, 0.0)
        p = np.exp(np.clip(reactive * (dip - dip.mean()) / dip.std(), -6, 3)) * (t - last > 12)
        count = min(int(r.poisson(actions / (final - first))), int((p > 0).sum()))
        for u in r.choice(units, count, replace=False, p=p / p.sum()) if count else []:
            chosen = {int(r.integers(solutions))}
            if r.random() < combination:
                chosen.add(int(r.integers(solutions)))
            effect = sum(theta[k] + r.normal(0, between_uses) for k in chosen)
            start = t + 1 + int(r.integers(1, 3))
            if start < weeks - 1:
                ramp = np.clip((np.arange(weeks) - start + 1) / 3, 0, 1)
                extra[u] += effect * ramp
                last[u] = t
                log.append((int(u), start, sorted(chosen), float(effect)))
    incidence = np.zeros((len(log), solutions), dtype=np.bool_)
    for j, (_, _, chosen_list, _) in enumerate(log):
        incidence[j, chosen_list] = True
    panel = Panel(y=y, n=n, within_variance=2.2**2, region=region.astype(np.int64), kind=kind.astype(np.int64))
    done = Actions(
        unit=np.array([row[0] for row in log], dtype=np.int64),
        start=np.array([row[1] for row in log], dtype=np.int64),
        end=np.full(len(log), 10**6, dtype=np.int64),
        aimed=np.ones(len(log), dtype=np.bool_),
        solutions=incidence,
        lag=np.zeros(len(log), dtype=np.int64),
        randomised=np.zeros(len(log), dtype=np.bool_),
        fidelity=np.full(len(log), np.nan),
    )
    return Chain(panel=panel, actions=done, theta=theta, effect=np.array([row[3] for row in log]))
