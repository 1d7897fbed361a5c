"""What is a solution to a manager who weighs it: its numbers, what it rests on, what the unit tried already."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Unit
from apps.impact import sheets, words
from apps.impact.models import Effect, RankedSolution
from apps.library.models import Solution, SolutionLink
from apps.planning.models import Action
from apps.taxonomy.models import Challenge, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedHere:
    """A use of a solution in the unit that is looked at."""

    external_id: str
    solution_id: int
    effective_on: date | None
    is_running: bool
    verdict: str
    effect: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionCard:
    """A solution as a manager weighs it; `low` and `high` are the careful interval of a single claim."""

    solution_id: int
    code: str
    url: str
    title: str
    summary: str
    kind: str
    kind_label: str
    effect: float | None
    low: float | None
    high: float | None
    low_10: float | None
    unit: str
    sign: int
    evidence: int
    actions: int
    units: int
    cost: int | None
    effort_hours: float | None
    lag_days: int
    verdict: str
    standing: str
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    tier: int | None
    p_best: float | None
    expected_rank: float | None
    better: Mapping[str, float]
    naive_change: float | None
    try_next: float | None
    side_effects: tuple[str, ...]
    is_worth_trying: bool
    is_safe_pick: bool
    is_retired: bool
    needs_testing: bool
    why: str
    persistence: str
    refusal: words.Words | None
    sheet: tuple[sheets.Line, ...]
    always_with: tuple[str, ...]
    uses_alike: int
    tried: tuple[TriedHere, ...]
    plan_url: str

    @property
    def is_measured(self) -> bool:
        return self.evidence > 0 and self.effect is not None

    @property
    def naive_text(self) -> str:
        return "" if self.naive_change is None else words.change(self.naive_change, self.unit, self.sign)

    @property
    def place_text(self) -> str:
        """Where it likely stands among the ranked ones, and how likely it is the best."""
        if self.rank_low is None or self.rank_high is None:
            return ""
        if self.rank_low == self.rank_high:
            return _("place %(low)s for sure") % {"low": self.rank_low}
        return _("likely place %(low)s to %(high)s") % {"low": self.rank_low, "high": self.rank_high}

    @property
    def careful_text(self) -> str:
        """The effect that is reached in nine of ten cases."""
        return "" if self.low_10 is None else words.change(self.low_10, self.unit, self.sign)

    @property
    def gain_text(self) -> str:
        """What choosing would gain for the customer if its effect were known for sure."""
        return "" if not self.try_next else words.change(self.try_next, self.unit, self.sign)


def tried_here(unit: Unit, challenge: Challenge) -> Mapping[int, tuple[TriedHere, ...]]:
    """What this unit did already with the challenge's solutions, newest first."""
    links = SolutionLink.objects.filter(challenge__in=Challenge.objects.standing_for(challenge)).values("solution")
    done = (
        Action.objects.took_effect()
        .filter(unit=unit, solutions__version__solution__in=links)
        .order_by("-effective_on", "-pk")
        .values_list("pk", "external_id", "effective_on", "ended_on", "solutions__version__solution_id")
    )
    actions = list(done)
    effects = {
        effect.action_id: effect
        for effect in Effect.objects.filter(action__in={row[0] for row in actions}, metric=challenge.metric_id)
        .only("action_id", "status", "reason", "p_positive", "effect", "low", "high")
        .on_target()
    }
    tried: dict[int, list[TriedHere]] = {}
    for pk, external_id, effective_on, ended_on, solution_id in actions:
        effect = effects.get(pk)
        tried.setdefault(solution_id, []).append(
            TriedHere(
                external_id=external_id,
                solution_id=solution_id,
                effective_on=effective_on,
                is_running=ended_on is None,
                verdict=words.action_verdict(effect.status, effect.p_positive, effect.reason)
                if effect
                else "not_estimable",
                effect=effect.effect if effect else None,
                low=effect.low if effect else None,
                high=effect.high if effect else None,
            )
        )
    return {solution_id: tuple(uses) for solution_id, uses in tried.items()}


def card_of(
    row: RankedSolution,
    metric: Metric | None,
    challenge: Challenge,
    unit: Unit | None,
    tried: Mapping[int, tuple[TriedHere, ...]],
    titles: Mapping[int, str],
    names: Mapping[str, str],
) -> SolutionCard:
    harms = [entry for entry in row.side_effects if entry.get("is_harm")]
    reason = row.reason or ("always_together" if row.aliases else "")
    if row.rank is None and not reason:
        reason = "low_information"
    card = _plain_card(row.solution, metric, challenge, unit, tried)
    return replace(
        card,
        effect=row.effect,
        low=row.claim_low if row.claim_low is not None else row.low,
        high=row.claim_high if row.claim_high is not None else row.high,
        low_10=row.low_10,
        evidence=row.evidence,
        actions=row.action_count,
        units=row.unit_count,
        verdict=row.verdict,
        standing=row.standing,
        rank=row.rank,
        rank_low=row.rank_low,
        rank_high=row.rank_high,
        tier=row.tier,
        p_best=row.p_best,
        expected_rank=row.expected_rank,
        better=row.better,
        naive_change=row.naive_change,
        try_next=row.try_next,
        side_effects=tuple(_("worse: %(metric)s") % {"metric": names[entry["metric"]]} for entry in harms),
        is_worth_trying=row.is_worth_trying,
        is_safe_pick=row.is_safe_pick,
        why=_why(row),
        persistence=_persistence(row.persistence),
        refusal=words.refusal(reason) if row.rank is None else None,
        sheet=sheets.evidence_sheet(row.evidence_parts),
        always_with=tuple(titles[pk] for pk in row.aliases if pk in titles),
        uses_alike=row.context_count if row.context else 0,
    )


def _plain_card(
    solution: Solution,
    metric: Metric | None,
    challenge: Challenge,
    unit: Unit | None,
    tried: Mapping[int, tuple[TriedHere, ...]],
) -> SolutionCard:
    asked = {"challenge": challenge.code, "solution": solution.code}
    if unit is not None:
        asked["unit"] = unit.code
    return SolutionCard(
        solution_id=solution.pk,
        code=solution.code,
        url=reverse("library:solution", args=[solution.code]),
        title=solution.display_title,
        summary="",
        kind=solution.kind,
        kind_label=solution.get_kind_display(),
        effect=None,
        low=None,
        high=None,
        low_10=None,
        unit=metric.display_unit if metric else "",
        sign=metric.sign if metric else 1,
        evidence=0,
        actions=0,
        units=0,
        cost=solution.cost,
        effort_hours=float(solution.effort_hours) if solution.effort_hours is not None else None,
        lag_days=solution.lag_days,
        verdict=RankedSolution.Verdict.UNKNOWN,
        standing=RankedSolution.Standing.NOT_RANKABLE,
        rank=None,
        rank_low=None,
        rank_high=None,
        tier=None,
        p_best=None,
        expected_rank=None,
        better={},
        naive_change=None,
        try_next=None,
        side_effects=(),
        is_worth_trying=False,
        is_safe_pick=False,
        is_retired=solution.status == Solution.Status.RETIRED,
        needs_testing=False,
        why="",
        persistence="",
        refusal=words.refusal("never_used"),
        sheet=(),
        always_with=(),
        uses_alike=0,
        tried=tried.get(solution.pk, ()),
        plan_url=f"{reverse('planning:plan-new')}?{urlencode(asked)}",
    )


def unmeasured_cards(
    challenge: Challenge, metric: Metric | None, unit: Unit | None, tried: Mapping[int, tuple[TriedHere, ...]]
) -> list[SolutionCard]:
    """The linked solutions while nothing was measured."""
    links = SolutionLink.objects.filter(challenge__in=Challenge.objects.standing_for(challenge)).values("solution")
    known = Solution.objects.filter(pk__in=links).exclude(status=Solution.Status.DRAFT)
    solutions = sorted(known, key=lambda solution: solution.code)
    return [_plain_card(solution, metric, challenge, unit, tried) for solution in solutions]


def _why(row: RankedSolution) -> str:
    """One sentence on what it rests on, nearest to the reader first."""
    if row.context and row.context_count:
        return ngettext(
            "Used and measured %(count)d time in units like yours (%(kind)s).",
            "Used and measured %(count)d times in units like yours (%(kind)s).",
            row.context_count,
        ) % {"count": row.context_count, "kind": row.context}
    if row.action_count and row.context:
        return _("Measured elsewhere, not yet in units like yours (%(kind)s).") % {"kind": row.context}
    return ""


def _persistence(kept: Mapping[str, Any] | None) -> str:
    if not kept:
        return ""
    if kept.get("fades"):
        return _("The effect fades: after half a year probably less than half of it is left.")
    late = kept.get("late2")
    if late and late.get("low") is not None and late["low"] > 0:
        return _("The effect still shows after half a year.")
    return ""
