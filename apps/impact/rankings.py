"""Which solutions of a challenge should a unit consider, and why?"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Unit
from apps.core import formats
from apps.impact import caveats, pairs, words
from apps.impact.cards import SolutionCard, card_of, tried_here, unmeasured_cards
from apps.impact.models import RankedSolution, Run
from apps.impact.selectors import in_context, ranking_order
from apps.library.models import SolutionLink, SolutionVersion
from apps.taxonomy.models import Challenge, Metric

BY_EFFECT, SAFE = "effect", "safe"
ORDERS = (BY_EFFECT, SAFE)
PROVEN = (RankedSolution.Verdict.WORKS, RankedSolution.Verdict.LIKELY_WORKS)
PROVEN_SLOTS, PROMISING_SLOTS = 2, 1
WORTH_SHOWN = 3
# What a use in the unit itself came to, after which it is not offered there again.
FAILED = ("worse", "probably_worse")
ALL_KINDS = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Neighbours that can't be told apart."""

    number: int | None
    is_tied: bool
    cards: tuple[SolutionCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
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
    orders: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    is_safe_first: bool
    as_of: date | None
    recommended: tuple[SolutionCard, ...]
    tiers: tuple[Tier, ...]
    pool: tuple[SolutionCard, ...]
    refusal: words.Words | None
    warnings: tuple[words.Words, ...]
    domain: tuple[float, float] | None
    worth_trying: tuple[SolutionCard, ...]
    pairs: tuple[pairs.PairRow, ...]

    @property
    def ranked(self) -> tuple[SolutionCard, ...]:
        return tuple(card for tier in self.tiers for card in tier.cards)


def challenge_ranking(
    *,
    challenge: Challenge,
    unit: Unit | None,
    order: str = BY_EFFECT,
    is_of_all_kinds: bool = False,
    may_plan: bool = True,
    is_rest: bool = False,
) -> ChallengeRanking:
    """A challenge’s solutions as they hold for the kind of `unit`, or for all, in a constant number of queries.

    `is_rest` leaves out the recommended ones, where they stand above already.
    """
    own_kind = unit.kind if unit is not None else ""
    kind = "" if is_of_all_kinds else own_kind
    rows = list(
        RankedSolution.objects.filter(challenge=challenge, context__in={"", own_kind}).select_related(
            "solution", "challenge"
        )
    )
    chosen = sorted(in_context(rows, kind), key=ranking_order)
    metric = challenge.metric
    run = _last_run(metric)
    tried = tried_here(unit, challenge) if unit is not None else {}
    titles = {row.solution_id: row.solution.display_title for row in rows}
    names = _metric_names(rows)
    summaries = _summaries(challenge)
    cards = [card_of(row, metric, challenge, unit, tried, titles, names) for row in chosen] or unmeasured_cards(
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
        orders=_orders(challenge, unit, order, is_of_all_kinds, is_rest),
        kinds=_kinds(challenge, unit, order, is_of_all_kinds, is_rest) if _differs(rows, own_kind) else (),
        is_safe_first=order == SAFE,
        as_of=run.as_of if run else None,
        recommended=() if is_rest else pick(ranked, pool),
        tiers=_tiers(ranked, order),
        pool=tuple(pool),
        refusal=_refusal(metric, run),
        warnings=_warnings(run),
        domain=_domain(cards),
        worth_trying=_worth_trying(cards),
        pairs=pairs.pair_table(
            [
                pairs.Entrant(solution_id=card.solution_id, rank=card.rank, title=card.title, better=card.better)
                for card in ranked
                if card.rank is not None
            ]
        ),
    )


def _address(challenge: Challenge, unit: Unit | None, order: str, is_of_all_kinds: bool, is_rest: bool) -> str:
    asked = {"unit": unit.code} if unit is not None else {}
    asked |= (
        {"order": order} | ({"kind": ALL_KINDS} if is_of_all_kinds else {}) | ({"rest": "1"} if is_rest else {})
    )
    return f"{reverse('impact:challenge-ranking', args=[challenge.code])}?{urlencode(asked)}"


def _orders(
    challenge: Challenge, unit: Unit | None, order: str, is_of_all_kinds: bool, is_rest: bool
) -> tuple[Choice, ...]:
    labels = {BY_EFFECT: _("By effect"), SAFE: _("Safe pick first")}
    return tuple(
        Choice(
            label=labels[choice],
            url=_address(challenge, unit, choice, is_of_all_kinds, is_rest),
            is_current=choice == order,
        )
        for choice in ORDERS
    )


def _kinds(
    challenge: Challenge, unit: Unit | None, order: str, is_of_all_kinds: bool, is_rest: bool
) -> tuple[Choice, ...]:
    """The switch between units like the reader's and all units."""
    like = _("In units like yours (%(kind)s)") % {
        "kind": formats.code_as_said(unit.kind) if unit is not None else ""
    }
    return tuple(
        Choice(
            label=label,
            url=_address(challenge, unit, order, everywhere, is_rest),
            is_current=everywhere == is_of_all_kinds,
        )
        for label, everywhere in ((like, False), (_("In all units"), True))
    )


def _differs(rows: Iterable[RankedSolution], kind: str) -> bool:
    return bool(kind) and any(row.context == kind for row in rows)


def _worth_trying(cards: Sequence[SolutionCard]) -> tuple[SolutionCard, ...]:
    """What a next use would teach most, as long as nobody retired it."""
    open_ones = [card for card in cards if card.is_worth_trying and card.try_next and not card.is_retired]
    return tuple(sorted(open_ones, key=lambda card: -(card.try_next or 0.0))[:WORTH_SHOWN])


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
    return tuple(caveats.check(check["code"], check["value"]) for check in checks if caveats.worries(check))


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


def pick(
    ranked: Sequence[SolutionCard],
    pool: Sequence[SolutionCard],
    *,
    without: Container[int] = (),
    refusals: Mapping[int, int] | None = None,
) -> tuple[SolutionCard, ...]:
    """Two proven ones, and one promising one that a use here would teach everybody something about.

    `without` are solutions the unit does not want; of promising ones, those that fewer units refused come first.
    """
    refused = refusals or {}

    def usable(card: SolutionCard) -> bool:
        failed = any(use.verdict in FAILED for use in card.tried)
        is_running = any(use.is_running for use in card.tried)
        return not (card.is_retired or is_running or failed or card.solution_id in without)

    proven = [card for card in ranked if card.verdict in PROVEN and usable(card)][:PROVEN_SLOTS]
    shown = {card.code for card in proven}
    open_verdicts = (*PROVEN, RankedSolution.Verdict.UNKNOWN)
    candidates = [
        card
        for card in (*ranked, *pool)
        if card.code not in shown and card.verdict in open_verdicts and usable(card)
    ]
    candidates.sort(
        key=lambda card: (
            not card.is_worth_trying,
            refused.get(card.solution_id, 0),
            -(card.try_next or 0.0),
            card.cost or 3,
            card.code,
        )
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
