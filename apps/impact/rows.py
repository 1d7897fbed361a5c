"""How do an engine's results become rows?"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from apps.core.periods import WEEK
from apps.impact.models import Effect, RankedSolution, Run, SideEffect
from apps.impact.panel import MetricData
from apps.impact.portions import portion_of
from apps.impact.stats import fit as engine
from apps.impact.stats.data import Settings
from apps.impact.stats.fit import MetricFit
from apps.impact.stats.results import Interval, Part, Ranked, Ranking, SolutionEffect
from apps.impact.stats.rules import QUALITY

# The benchmark looks back on half a year.
WEEKS_BACK = 26
DECIMALS = 5
NEVER_USED = "never_used"
TOO_EARLY, TARGET = Effect.Status.TOO_EARLY.value, Effect.Role.TARGET.value
# A better half needs more than one unit on either side.
BENCHMARK_UNITS = 4


def benchmark(data: MetricData, sign: int) -> dict[str, float] | None:
    """Where the better half of the units stood in the last half year, and how far units are apart."""
    n = data.panel.n[:, -WEEKS_BACK:]
    total = n.sum(axis=1)
    seen = total > 0
    if seen.sum() < BENCHMARK_UNITS:
        return None
    y = np.nan_to_num(data.panel.y[:, -WEEKS_BACK:])
    means = (n * y).sum(axis=1)[seen] / total[seen]
    better = means >= np.median(means)
    weights = total[seen][better]
    level = float((means[better] * weights).sum() / weights.sum())
    return {"level": sign * level, "spread": float(means.std())}


def finite(value: float | None) -> float | None:
    """The number as it can be stored; what is not a number does not exist."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def parts(sheet: Sequence[Part]) -> list[dict[str, Any]]:
    return [
        {"code": part.code, "got": finite(part.got), "of": finite(part.of), "detail": part.detail}
        for part in sheet
    ]


def effect_columns(*, run: Run, data: MetricData, fit: MetricFit) -> dict[str, Any]:
    """Columns of the effects, one row a logged action; what is the same for all is given once.

    The weeks around those aimed at the metric are drawn when somebody asks.
    """
    told, unit = fit.actions, data.actions.unit.tolist()
    return {
        "run_id": run.pk,
        "action_id": [log.pk for log in data.logs],
        "metric_id": run.metric_id,
        "role": told.role,
        "status": told.status,
        "reason": [reason or "" for reason in told.reason],
        "detail": [detail or "" for detail in told.detail],
        "known_on": [
            # The answers of a week are there when it is over.
            data.monday(week) + WEEK if status == TOO_EARLY and week is not None else None
            for status, week in zip(told.status, told.known_from, strict=True)
        ],
        "effect": told.effect,
        "se": told.se,
        "low": told.low,
        "high": told.high,
        "p_positive": told.p_positive,
        "raw_effect": told.raw,
        "raw_se": told.raw_se,
        "naive_change": told.naive_change,
        "weeks_before": told.weeks_before,
        "weeks_after": told.weeks_after,
        "n_before": [round(n) for n in told.n_before],
        "n_after": [round(n) for n in told.n_after],
        "placebo_p": told.placebo_p,
        "quality": told.quality,
        "quality_parts": [_sheet(points) for points in told.points],
        "flags": told.flags,
        "method": run.method,
        "fingerprint": run.fingerprint,
        "as_of": run.as_of,
        "portion": [
            portion_of(row) if effect is not None and role == TARGET else None
            for row, effect, role in zip(unit, told.effect, told.role, strict=True)
        ],
        "series": None,
    }


@cache
def _sheet(points: tuple[float, ...]) -> list[dict[str, Any]]:
    return [
        {"code": code, "got": got, "of": of}
        for (code, of), got in zip(QUALITY if points else (), points, strict=True)
    ]


def side_effect_rows(*, run: Run, data: MetricData, fit: MetricFit) -> list[SideEffect]:
    return [
        SideEffect(
            run=run,
            metric_id=run.metric_id,
            solution_id=data.solution_ids[side.solution],
            effect=side.interval.effect,
            se=side.interval.se,
            low=side.interval.low,
            high=side.interval.high,
            p_harm=side.p_harm,
            action_count=side.actions,
        )
        for side in fit.side_effects
    ]


def ranked_rows(
    *,
    run: Run,
    data: MetricData,
    fit: MetricFit | None,
    linked: Mapping[int, Sequence[int]],
    settings: Settings,
) -> list[RankedSolution]:
    """A place for each solution linked to each challenge, for all kinds of unit and for each kind.

    `linked` gives the solutions of every challenge whose outcome is the metric.
    """
    contexts: list[tuple[str, MetricFit | None, Callable[[SolutionEffect], int]]] = [
        ("", fit, lambda s: s.actions)
    ]
    if fit is not None and fit.reason is None:
        for label, kind in enumerate(data.kinds):
            if kind:
                contexts.append((kind, in_kind(fit, label), _uses_in(label)))
    column = {pk: index for index, pk in enumerate(data.solution_ids)}
    rows = []
    for context, seen, uses in contexts:
        for challenge_id, solution_ids in linked.items():
            subset = [column[pk] for pk in solution_ids]
            ranking = engine.rank(seen, subset, settings) if seen is not None and subset else None
            places = {place.solution: place for place in ranking.entries} if ranking else {}
            for pk in solution_ids:
                solution = seen.solutions[column[pk]] if seen is not None else None
                row = _ranked(run, data, solution, places.get(column[pk]), ranking)
                row.challenge_id, row.solution_id, row.context = challenge_id, pk, context
                row.context_count = uses(solution) if solution else 0
                rows.append(row)
    return rows


def _ranked(
    run: Run, data: MetricData, solution: SolutionEffect | None, place: Ranked | None, ranking: Ranking | None
) -> RankedSolution:
    row = RankedSolution(
        run=run, metric_id=run.metric_id, method=run.method, fingerprint=run.fingerprint, as_of=run.as_of
    )
    if solution is None:
        row.reason = run.reason or NEVER_USED
        row.detail = run.detail
        return row
    row.reason, row.detail = solution.reason or "", solution.detail or ""
    if solution.interval is not None:
        row.effect, row.se = finite(solution.interval.effect), finite(solution.interval.se)
        row.low, row.high = finite(solution.interval.low), finite(solution.interval.high)
        row.p_positive = finite(solution.interval.p_positive)
        row.claim_low, row.claim_high = finite(solution.claim_low), finite(solution.claim_high)
    if place is not None:
        row.rank, row.tier = place.rank, place.tier
        row.rank_low, row.rank_high = place.rank_low, place.rank_high
        row.p_best, row.expected_rank = finite(place.p_best), finite(place.expected_rank)
        row.low_10, row.try_next = finite(place.safe), finite(place.expected_gain)
        row.is_worth_trying = place.worth_trying
        row.better = _better(ranking, place, data) if ranking is not None else {}
        row.is_safe_pick = ranking is not None and ranking.safe_pick == place.solution
    row.information, row.standing = finite(solution.information), solution.standing
    row.action_count, row.unit_count, row.region_count = solution.actions, solution.units, solution.regions
    row.heterogeneity = finite(solution.heterogeneity)
    row.persistence = _persistence(solution)
    row.aliases = [data.solution_ids[other] for other in solution.aliased_with]
    row.evidence, row.evidence_parts = solution.evidence, parts(solution.evidence_parts)
    row.own_verdict = row.verdict = solution.verdict
    row.naive_change = finite(solution.naive_change)
    return row


def _better(ranking: Ranking, place: Ranked, data: MetricData) -> dict[str, float]:
    """P(better than another) by the other's id; only among those that are rankable."""
    rankable = [entry.solution for entry in ranking.entries if entry.rank is not None]
    if place.solution not in rankable:
        return {}
    chances = ranking.better[rankable.index(place.solution)]
    return {
        str(data.solution_ids[other]): round(float(chance), DECIMALS)
        for other, chance in zip(rankable, chances, strict=True)
        if other != place.solution
    }


def _persistence(solution: SolutionEffect) -> dict[str, Any] | None:
    if solution.late1 is None and solution.late2 is None:
        return None
    return {
        "late1": _interval(solution.late1),
        "late2": _interval(solution.late2),
        "p_fades": finite(solution.p_fades),
        "fades": solution.fades,
    }


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    return {name: finite(getattr(interval, name)) for name in Interval.__slots__}


def _uses_in(label: int) -> Callable[[SolutionEffect], int]:
    return lambda solution: next((kind.uses for kind in solution.by_kind if kind.kind == label), 0)


def in_kind(fit: MetricFit, label: int) -> MetricFit:
    """The fit as it reads for one kind of unit: its draws, and each solution's effect where it was used there."""
    solutions = []
    for solution in fit.solutions:
        here = next((kind.interval for kind in solution.by_kind if kind.kind == label), None)
        if here is None or solution.interval is None:
            solutions.append(solution)
            continue
        # The robust interval is one of all kinds together.
        solutions.append(replace(solution, interval=here, claim_low=None, claim_high=None))
    return replace(fit, solutions=tuple(solutions), draws=fit.draws_in.get(label, fit.draws))
