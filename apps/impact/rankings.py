"""Which solutions of a challenge should a unit consider, and why?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Unit
from apps.impact import caveats, sheets, words
from apps.impact.models import Effect, RankedSolution, Run
from apps.impact.selectors import in_context, ranking_order
from apps.library.models import Solution, SolutionLink, SolutionVersion
from apps.planning.models import Action
from apps.taxonomy.models import Challenge, Metric

BY_EFFECT, SAFE = "effect", "safe"
ORDERS = (BY_EFFECT, SAFE)
PROVEN = (RankedSolution.Verdict.WORKS, RankedSolution.Verdict.LIKELY_WORKS)
PROVEN_SLOTS, PROMISING_SLOTS = 2, 1


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Neighbours that can't be told apart."""

    number: int | None
    is_tied: bool
    cards: tuple[SolutionCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChoice:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRanking:
    code: str
    name: str
    metric: str
    unit_label: str
    sign: int
    unit: Unit | None
    context: str
    orders: tuple[OrderChoice, ...]
    as_of: date | None
    recommended: tuple[SolutionCard, ...]
    tiers: tuple[Tier, ...]
    pool: tuple[SolutionCard, ...]
    refusal: words.Words | None
    warnings: tuple[words.Words, ...]
    domain: tuple[float, float] | None

    @property
    def ranked(self) -> tuple[SolutionCard, ...]:
        return tuple(card for tier in self.tiers for card in tier.cards)


def challenge_ranking(
    *, challenge: Challenge, unit: Unit | None, order: str = BY_EFFECT, may_plan: bool = True
) -> ChallengeRanking:
    """A challenge's solutions as they hold for `unit`'s kind, in a constant number of queries."""
    kind = unit.kind if unit is not None else ""
    rows = list(
        RankedSolution.objects.filter(challenge=challenge, context__in={"", kind}).select_related(
            "solution", "challenge"
        )
    )
    chosen = sorted(in_context(rows, kind), key=ranking_order)
    metric = challenge.metric
    run = _last_run(metric)
    tried = _tried_here(unit, challenge) if unit is not None else {}
    titles = {row.solution_id: row.solution.display_title for row in rows}
    names = _metric_names(rows)
    summaries = _summaries(challenge)
    cards = [_card(row, metric, challenge, unit, tried, titles, names) for row in chosen] or _unmeasured(
        challenge, metric, unit, tried
    )
    cards = [
        replace(card, summary=summaries.get(card.solution_id, ""), plan_url=card.plan_url if may_plan else "")
        for card in cards
    ]
    ranked = [card for card in cards if card.rank is not None]
    pool = [card for card in cards if card.rank is None]
    if order == SAFE:
        ranked.sort(key=lambda card: (card.low_10 is None, -(card.low_10 or 0.0), card.code))
    context = kind if any(row.context == kind for row in chosen) else ""
    return ChallengeRanking(
        code=challenge.code,
        name=challenge.display_name,
        metric=metric.display_name if metric else "",
        unit_label=metric.display_unit if metric else "",
        sign=metric.sign if metric else 1,
        unit=unit,
        context=context,
        orders=_orders(challenge, unit, order),
        as_of=run.as_of if run else None,
        recommended=_recommended(ranked, pool),
        tiers=_tiers(ranked, order),
        pool=tuple(pool),
        refusal=_refusal(metric, run),
        warnings=_warnings(run),
        domain=_domain(cards),
    )


def _orders(challenge: Challenge, unit: Unit | None, order: str) -> tuple[OrderChoice, ...]:
    labels = {BY_EFFECT: _("By effect"), SAFE: _("Safe pick first")}
    asked = {"unit": unit.code} if unit is not None else {}
    address = reverse("impact:challenge-ranking", args=[challenge.code])
    return tuple(
        OrderChoice(
            label=labels[choice],
            url=f"{address}?{urlencode({**asked, 'order': choice})}",
            is_current=choice == order,
        )
        for choice in ORDERS
    )


def _last_run(metric: Metric | None) -> Run | None:
    if metric is None:
        return None
    return Run.objects.filter(metric=metric, state=Run.State.FINISHED).order_by("-pk").first()


def _refusal(metric: Metric | None, run: Run | None) -> words.Words | None:
    """Why the outcome as a whole has no results."""
    if metric is None:
        return words.refusal("no_metric")
    if run is None:
        return words.Words(
            title=_("Not measured yet"), text=_("The first measurement of this outcome is on its way.")
        )
    if run.reason:
        return words.refusal(run.reason, words.Figures(units=run.unit_count, weeks=run.week_count))
    return None


def _warnings(run: Run | None) -> tuple[words.Words, ...]:
    """Checks that failed, as far as they change what a reader may conclude."""
    checks = (run.checks or []) if run is not None else []
    return tuple(
        caveats.check(check["code"])
        for check in checks
        if not check["passed"] and check["value"] is not None and check["code"] in caveats.TOLD_TO_ALL
    )


def _summaries(challenge: Challenge) -> Mapping[int, str]:
    """The sentence that says what each linked solution is, from its newest version."""
    links = SolutionLink.objects.filter(challenge__in=Challenge.objects.standing_for(challenge)).values("solution")
    newest = SolutionVersion.objects.filter(solution__in=links).order_by("solution_id", "-number")
    return dict(newest.distinct("solution_id").values_list("solution_id", "summary"))


def _metric_names(rows: Iterable[RankedSolution]) -> Mapping[str, str]:
    codes = {entry["metric"] for row in rows for entry in row.side_effects if entry.get("is_harm")}
    if not codes:
        return {}
    return {metric.code: metric.display_name for metric in Metric.objects.filter(code__in=codes)}


def _tried_here(unit: Unit, challenge: Challenge) -> Mapping[int, tuple[TriedHere, ...]]:
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
        .only("action_id", "status", "p_positive", "effect", "low", "high")
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
                verdict=words.action_verdict(effect.status, effect.p_positive) if effect else "not_estimable",
                effect=effect.effect if effect else None,
                low=effect.low if effect else None,
                high=effect.high if effect else None,
            )
        )
    return {solution_id: tuple(uses) for solution_id, uses in tried.items()}


def _card(
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


def _unmeasured(
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


def _recommended(ranked: Sequence[SolutionCard], pool: Sequence[SolutionCard]) -> tuple[SolutionCard, ...]:
    """Two proven ones, and one promising one that a use here would teach everybody something about."""

    def usable(card: SolutionCard) -> bool:
        return not card.is_retired and not any(use.is_running for use in card.tried)

    proven = [card for card in ranked if card.verdict in PROVEN and usable(card)][:PROVEN_SLOTS]
    shown = {card.code for card in proven}
    open_verdicts = (*PROVEN, RankedSolution.Verdict.UNKNOWN)
    candidates = [
        card
        for card in (*ranked, *pool)
        if card.code not in shown and card.verdict in open_verdicts and usable(card)
    ]
    candidates.sort(
        key=lambda card: (not card.is_worth_trying, -(card.try_next or 0.0), card.cost or 3, card.code)
    )
    promising = [
        replace(card, needs_testing=True)
        for card in candidates
        if card.is_worth_trying or card.rank is None or card.verdict == RankedSolution.Verdict.UNKNOWN
    ][:PROMISING_SLOTS]
    return (*proven, *promising)


def _tiers(ranked: Sequence[SolutionCard], order: str) -> tuple[Tier, ...]:
    if order == SAFE:
        return (Tier(number=None, is_tied=False, cards=tuple(ranked)),) if ranked else ()
    grouped = [(number, tuple(cards)) for number, cards in groupby(ranked, key=lambda card: card.tier)]
    return tuple(Tier(number=number, is_tied=len(cards) > 1, cards=cards) for number, cards in grouped)


def _domain(cards: Sequence[SolutionCard]) -> tuple[float, float] | None:
    """One axis for all bars of the page, so that they can be compared by eye."""
    edges = [edge for card in cards if card.is_measured for edge in (card.low, card.high) if edge is not None]
    return (min(0.0, *edges), max(0.0, *edges)) if edges else None
