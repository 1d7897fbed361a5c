"""What does each solution change in the metric? Read off draws from the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from . import draws as drawing
from .actions import Readings
from .beliefs import FLAT_SD, Beliefs
from .blocks import PRIMARY, SIDE
from .data import Actions, Bools, Floats, Ints, Panel, Settings
from .information import Model
from .narrow import Normal
from .plain import Plain
from .results import Interval, KindEffect, SideEffect, SolutionEffect
from .robust import robust_half_width
from .rules import NOT_RANKABLE, SolutionFacts, evidence, standing, verdict
from .sampler import fresh as drawn_fresh

FADES = 0.9  # sure enough of an effect, and that half of it goes, to say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """Measured uses of each solution: aimed actions with answers in their primary window.

    Attributes
    ----------
    measured : (J,) bool
        The action counts as a use.
    by_solution : tuple of (n,) int
        Rows of Actions, one array a solution.
    """

    measured: Bools
    by_solution: tuple[Ints, ...]


def uses(model: Model, actions: Actions) -> Uses:
    """Which actions measure which solution."""
    primary = np.zeros(model.done.unit.shape[0], dtype=np.bool_)
    primary[model.blocks.intervention[model.blocks.kind == PRIMARY]] = True
    measured = actions.aimed & primary[model.done.of_action] if actions.count else np.zeros(0, dtype=np.bool_)
    return Uses(
        measured=measured,
        by_solution=tuple(
            np.flatnonzero(measured & actions.solutions[:, k]) for k in range(actions.solution_count)
        ),
    )


def information_share(model: Model, beliefs: Beliefs) -> Floats:
    """1 − Var(θ_k|y)/w² of every solution; 0 for unused ones, (S,)."""
    out = np.zeros(model.columns.theta.shape[0])
    out[model.columns.theta >= 0] = beliefs.resolved
    return out


def aliases(model: Model, flat: Normal, settings: Settings) -> tuple[tuple[int, ...], ...]:
    """Solutions whose unshrunk effects are correlated beyond the limit."""
    count = model.columns.theta.shape[0]
    used = np.flatnonzero(model.columns.theta >= 0)
    rows = model.columns.effect_rows(used)
    covariance = rows @ flat.covariance @ rows.T
    sd = np.sqrt(np.maximum(np.diagonal(covariance), 1e-300))
    high = np.abs(covariance / sd[:, None] / sd[None, :]) > settings.alias_correlation
    np.fill_diagonal(high, False)
    out: list[tuple[int, ...]] = [()] * count
    for i, k in enumerate(used):
        out[int(k)] = tuple(int(m) for m in used[high[i]])
    return tuple(out)


def heterogeneity(model: Model, readings: Readings, used: Uses, actions: Actions) -> Floats:
    """Between-use standard deviation of each solution on the reference scale, (S,)."""
    out = np.zeros(len(used.by_solution))
    of = model.done.of_action
    for k, rows in enumerate(used.by_solution):
        who = np.unique(of[rows])
        if who.size:
            square = np.square(readings.deviation[who]) + readings.deviation_variance[who]
            out[k] = np.sqrt(np.nanmean(square / model.done.size[who]))
    return out


def describe(
    model: Model,
    beliefs: Beliefs,
    readings: Readings,
    plain: Plain,
    panel: Panel,
    actions: Actions,
    used: Uses,
    factor: Floats,
    smallest: float,
    leave_out: Mapping[int, float],
    placebo_green: bool,
) -> tuple[SolutionEffect, ...]:
    """Everything about every solution.

    Parameters
    ----------
    model, beliefs, readings, plain, panel, actions, used
        The fit.
    factor : (S,) float
        Inflation of each solution's standard errors, 1 or more.
    smallest : float
        Smallest effect worth having, metric units.
    leave_out : mapping
        Smallest leave-one-out probability, where it was computed.
    placebo_green : bool
        Placebos behaved.
    """
    settings, columns, beta = model.settings, model.columns, beliefs.beta
    scale = model.statistics.noise.scale
    count = columns.theta.shape[0]
    known = np.flatnonzero(
        (columns.theta >= 0) & np.array([rows.size > 0 for rows in used.by_solution], dtype=bool)
    )
    out: list[SolutionEffect] = [_unknown(k, used.by_solution[k].size) for k in range(count)]
    if known.size == 0:
        return tuple(out)
    rows = columns.effect_rows(known)
    now, then = drawing.linear(beta, rows), drawing.linear(beta, columns.late_rows(known, 1))
    reading = drawing.read(now, factor[known])
    spans = drawing.intervals(reading, scale, settings.level)
    worth = reading.above(smallest * scale)
    flat = beliefs.flat
    gls = rows @ flat.mean
    gls_se = np.sqrt(np.maximum(((rows @ flat.covariance) * rows).sum(axis=1), 0.0)) * factor[known]
    info = information_share(model, beliefs)
    alias = aliases(model, flat, settings)
    uneven = heterogeneity(model, readings, used, actions)
    late1 = drawing.linear(beta, columns.late_rows(known, 0))
    late = [_late(model, draws, known, which, factor, scale) for which, draws in enumerate((late1, then))]
    fading = _faded(now, then)
    kinds = _by_kind(model, beta, panel, actions, used, known, factor, scale)
    z = float(special.ndtri(0.5 + 0.5 * settings.proof_level))
    several = np.unique(panel.region).shape[0] > 1
    for i, k in enumerate(int(k) for k in known):
        mine = used.by_solution[k]
        span = spans[i]
        half = robust_half_width(float(gls_se[i]), beliefs.width) / scale
        units = np.unique(actions.unit[mine])
        regions, shares = np.unique(panel.region[actions.unit[mine]], return_counts=True)
        facts = SolutionFacts(
            p_positive=span.p_positive,
            p_worthwhile=float(worth[i]),
            claim_low=min(span.low, span.effect - half),
            claim_high=max(span.high, span.effect + half),
            alone_low=float(gls[i] - z * gls_se[i]) / scale,
            alone_high=float(gls[i] + z * gls_se[i]) / scale,
            effect=span.effect,
            heterogeneity=float(uneven[k]) / scale,
            information=float(info[k]),
            actions=int(mine.size),
            units=int(units.size),
            regions=int(regions.size),
            largest_region=float(shares.max() / shares.sum()) if several else 0.0,
            newest=int(panel.weeks - actions.start[mine].max()),
            aliased=bool(alias[k]),
            leave_out=leave_out.get(k),
            placebo_green=placebo_green,
        )
        level, parts = evidence(facts, settings)
        naive = plain.naive[mine]
        naive = naive[np.isfinite(naive)]
        place = standing(facts.information, facts.aliased, settings)
        unshrunk = gls_se[i] < FLAT_SD / 3.0
        p_fades = fading[i] if late[1][i] is not None else None
        out[k] = SolutionEffect(
            solution=k,
            status="estimated",
            reason="always_together" if alias[k] else None,
            detail=f"always together with {alias[k]}" if alias[k] else None,
            interval=span,
            claim_low=facts.claim_low,
            claim_high=facts.claim_high,
            p_worthwhile=float(worth[i]),
            gls=float(gls[i]) / scale if unshrunk else None,
            gls_se=float(gls_se[i]) / scale if unshrunk else None,
            late1=late[0][i],
            late2=late[1][i],
            p_fades=p_fades,
            fades=p_fades is not None and p_fades >= FADES and span.p_positive >= FADES,
            by_kind=kinds[k],
            heterogeneity=facts.heterogeneity,
            information=facts.information,
            standing=place,
            actions=facts.actions,
            units=facts.units,
            regions=facts.regions,
            naive_change=float(naive.mean()) if naive.size else None,
            verdict=verdict(facts, settings),
            evidence=level,
            evidence_parts=parts,
            aliased_with=alias[k],
        )
    return tuple(out)


def side_effects(model: Model, beta: Floats, factor: float) -> tuple[SideEffect, ...]:
    """Effects on this metric of solutions aimed at others."""
    columns = model.columns
    known = np.flatnonzero(columns.side >= 0)
    if known.size == 0:
        return ()
    rows = np.zeros((known.size, columns.count))
    rows[np.arange(known.size), columns.side[known]] = 1.0
    spans = drawing.intervals(
        drawing.read(drawing.linear(beta, rows), factor), model.statistics.noise.scale, model.settings.level
    )
    blocks = model.blocks.intervention[model.blocks.kind == SIDE]
    contribute = model.done.solutions[blocks].sum(axis=0)
    return tuple(
        SideEffect(solution=int(k), actions=int(contribute[k]), interval=span, p_harm=1.0 - span.p_positive)
        for k, span in zip(known, spans, strict=True)
    )


def draw_effects(model: Model, beliefs: Beliefs, factor: Floats) -> tuple[Floats, Mapping[int, Floats]]:
    """Draws of Θ for all solutions, used or not, metric units, (draws, S), and of Θ + φ by kind of unit.

    What was never used, or never in that kind, is drawn from its prior. No kinds where there is one.

    Parameters
    ----------
    model : Model
        The fit's.
    beliefs : Beliefs
        Draws of β.
    factor : (S,) float
        Inflation of each solution's standard errors.
    """
    columns, beta, w_c = model.columns, beliefs.beta, beliefs.spreads.between[2]
    effects = drawing.linear(beta, columns.effect_rows(np.arange(columns.theta.shape[0])))
    rng = np.random.default_rng(model.settings.seed + 1)
    fresh = columns.theta < 0
    effects[fresh] = drawn_fresh(beliefs.sample, int(fresh.sum()), model.settings, rng).T
    wide = np.flatnonzero(factor != 1.0)

    def told(draws: Floats) -> Floats:
        centre = draws[wide].mean(axis=1, keepdims=True)
        draws[wide] = centre + (draws[wide] - centre) * factor[wide, None]
        return np.asarray(draws / model.statistics.noise.scale).T

    kinds: dict[int, Floats] = {}
    for c, label in enumerate(columns.kinds if columns.kinds.shape[0] > 1 else ()):
        known = columns.phi[:, c] >= 0
        here = effects.copy()
        here[known] += beta[columns.phi[known, c]]
        here[~known] += w_c * rng.standard_normal((int((~known).sum()), effects.shape[1]))
        kinds[int(label)] = told(here)
    return told(effects), kinds


def _late(
    model: Model, draws: Floats, known: Ints, which: int, factor: Floats, scale: float
) -> list[Interval | None]:
    """Effect in a late block, from its draws (K, N); None without any use observed there."""
    seen = np.flatnonzero(model.columns.late[known, which] >= 0)
    out: list[Interval | None] = [None] * known.size
    if seen.size:
        spans = drawing.intervals(drawing.read(draws[seen], factor[known[seen]]), scale, model.settings.level)
        for i, span in zip(seen.tolist(), spans, strict=True):
            out[i] = span
    return out


def _faded(now: Floats, then: Floats) -> list[float]:
    """P(Θ_late2 / Θ < .5) from draws of both."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return [float(p) for p in (np.where(now != 0, then / now, 1.0) < 0.5).mean(axis=1)]


def _by_kind(
    model: Model,
    beta: Floats,
    panel: Panel,
    actions: Actions,
    used: Uses,
    known: Ints,
    factor: Floats,
    scale: float,
) -> dict[int, tuple[KindEffect, ...]]:
    """Effect of each solution in each kind of unit where it was used, now and later."""
    columns = model.columns
    solution, c = np.nonzero(columns.phi[known] >= 0)
    solution = known[solution]
    out: dict[int, tuple[KindEffect, ...]] = {int(k): () for k in known}
    if not solution.size:
        return out
    local = np.zeros((solution.shape[0], columns.count))
    local[np.arange(solution.shape[0]), columns.phi[solution, c]] = 1.0
    now = drawing.linear(beta, columns.effect_rows(solution) + local)
    spans = drawing.intervals(drawing.read(now, factor[solution]), scale, model.settings.level)
    late: list[dict[int, Interval]] = []
    chance: dict[int, float] = {}
    for which in (0, 1):
        seen = np.flatnonzero(columns.late[solution, which] >= 0)
        late.append({})
        if seen.size:
            then = drawing.linear(beta, columns.late_rows(solution[seen], which) + local[seen])
            found = drawing.intervals(drawing.read(then, factor[solution[seen]]), scale, model.settings.level)
            late[which] = dict(zip(seen.tolist(), found, strict=True))
            if which:
                chance = dict(zip(seen.tolist(), _faded(now[seen], then), strict=True))
    for i, k in enumerate(solution.tolist()):
        label = columns.kinds[c[i]]
        out[k] += (
            KindEffect(
                kind=int(label),
                uses=int((panel.kind[actions.unit[used.by_solution[k]]] == label).sum()),
                interval=spans[i],
                late1=late[0].get(i),
                late2=late[1].get(i),
                p_fades=chance.get(i),
                fades=chance.get(i, 0.0) >= FADES and spans[i].p_positive >= FADES,
            ),
        )
    return out


def _unknown(k: int, measured: int) -> SolutionEffect:
    return empty(k, "never_used" if measured == 0 else "not_estimable", None, None, measured)


def empty(k: int, reason: str, detail: str | None, naive: float | None, measured: int) -> SolutionEffect:
    """A solution about which nothing is known on this metric."""
    return SolutionEffect(
        solution=k,
        status="not_estimable",
        reason=reason,
        detail=detail,
        interval=None,
        claim_low=None,
        claim_high=None,
        p_worthwhile=None,
        gls=None,
        gls_se=None,
        late1=None,
        late2=None,
        p_fades=None,
        fades=False,
        by_kind=(),
        heterogeneity=None,
        information=None,
        standing=NOT_RANKABLE,
        actions=measured,
        units=0,
        regions=0,
        naive_change=naive,
        verdict="unknown",
        evidence=0,
        evidence_parts=(),
        aliased_with=(),
    )
