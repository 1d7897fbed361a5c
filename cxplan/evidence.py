"""The best proven effect of each of many solutions, for lists that do not ask about one challenge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.impact.focus import VERDICT_ORDER
from apps.impact.models import RankedSolution
from apps.library.models import Solution
from apps.taxonomy.models import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What the evidence strip of one solution says, and the metric it is about."""

    pk: int
    cost: int | None
    lag_days: int
    evidence: int
    effect: float | None
    low: float | None
    high: float | None
    unit: str
    sign: int
    actions: int
    units: int
    side_effects: tuple[str, ...]
    metric_name: str
    verdict: str


def strips(*, pks: Sequence[int]) -> list[Strip]:
    """One strip a solution, about the outcome that most is known of; at most three queries."""
    solutions = Solution.objects.published().filter(pk__in=pks)
    ranked = RankedSolution.objects.filter(solution__in=pks, context="").select_related("metric")
    best: dict[int, RankedSolution] = {}
    for row in sorted(ranked, key=_knowledge):
        best.setdefault(row.solution_id, row)
    names = _names_of_harmed(best.values())
    return [_strip(solution, best.get(solution.pk), names) for solution in solutions]


def _names_of_harmed(rows: Iterable[RankedSolution]) -> Mapping[str, str]:
    codes = {entry["metric"] for row in rows for entry in row.side_effects if entry.get("is_harm")}
    return {metric.code: metric.display_name for metric in Metric.objects.filter(code__in=codes)} if codes else {}


def _knowledge(row: RankedSolution) -> tuple[float, ...]:
    return (-row.evidence, VERDICT_ORDER.index(RankedSolution.Verdict(row.verdict)), -row.action_count, row.pk)


def _strip(solution: Solution, row: RankedSolution | None, names: Mapping[str, str]) -> Strip:
    return Strip(
        pk=solution.pk,
        cost=solution.cost,
        lag_days=solution.lag_days,
        evidence=row.evidence if row else 0,
        effect=row.effect if row else None,
        low=(row.claim_low if row.claim_low is not None else row.low) if row else None,
        high=(row.claim_high if row.claim_high is not None else row.high) if row else None,
        unit=row.metric.display_unit if row else "",
        sign=row.metric.sign if row else 1,
        actions=row.action_count if row else 0,
        units=row.unit_count if row else 0,
        side_effects=tuple(
            names.get(entry["metric"], entry["metric"]) for entry in row.side_effects if entry.get("is_harm")
        )
        if row
        else (),
        metric_name=row.metric.display_name if row and row.evidence else "",
        verdict=row.verdict if row else "",
    )
