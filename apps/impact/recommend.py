"""Which few solutions should a unit look at first against a challenge, and why these?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Scope, Unit
from apps.accounts.person import EVERYWHERE
from apps.core import formats
from apps.core.periods import WEEK, week_of
from apps.core.trees import path_prefixes
from apps.feedback.models import Cell
from apps.impact import rankings, words
from apps.impact.cards import SolutionCard
from apps.impact.focus import WEEKS, FocusRow, focus_rows
from apps.impact.models import Effect, RankedSolution
from apps.planning.dismissal import Dismissal
from apps.planning.dismissals import Dismissed, Refusals, dismissed_by, refusals_of
from apps.planning.models import Plan
from apps.taxonomy.models import Challenge, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a solution changed in one group of units; the careful interval of a single claim."""

    label: str
    effect: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A card that is shown first, with what speaks for it here."""

    card: SolutionCard
    reason: str
    seen: tuple[Seen, ...]
    effort: str
    add_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the unit, or the group above it when too few answered, stands on the challenge."""

    text: str
    is_of_group: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    code: str
    unit: Unit
    standing: Standing | None
    offers: tuple[Offer, ...]
    dismissed: tuple[Dismissed, ...]
    refusals: tuple[Refusals, ...]
    reasons: Sequence[tuple[str, Any]]
    may_plan: bool
    count: int
    refusal: words.Words | None
    all_url: str


def recommend(
    *,
    challenge: Challenge,
    unit: Unit,
    as_of: date,
    may_plan: bool,
    leads: Scope,
    plan: Plan | None = None,
) -> Recommendation:
    """At most three solutions for the unit, in a constant number of queries.

    `leads` is where the reader is a CX lead, who sees how many units there refused what; with `plan`, a card is
    added to that plan instead of starting a new one.
    """
    ranking = rankings.challenge_ranking(challenge=challenge, unit=unit, may_plan=may_plan)
    dismissed = dismissed_by(unit=unit, challenge=challenge)
    refused = {one.solution_id: one.units for one in refusals_of(scope=EVERYWHERE, challenge=challenge)}
    picked = rankings.pick(ranking.ranked, ranking.pool, without=dismissed, refusals=refused)
    seen = _seen(challenge, unit, [card.solution_id for card in picked])
    alike = _units_alike(challenge, unit, [card.solution_id for card in picked])
    asked = {"unit": unit.code, "rest": "1"}
    return Recommendation(
        code=challenge.code,
        unit=unit,
        standing=_standing(challenge, unit, as_of),
        offers=tuple(
            Offer(
                # The sentence stands above the card's strip, the button below the card.
                card=replace(card, why="", plan_url=""),
                reason=_reason(card, unit, alike.get(card.solution_id, 0)),
                seen=seen.get(card.solution_id, ()),
                effort=_effort(card),
                add_url=_add_url(card, plan) if may_plan else "",
            )
            for card in picked
        ),
        dismissed=tuple(dismissed.values()),
        refusals=tuple(refusals_of(scope=leads, challenge=challenge)) if leads.paths else (),
        reasons=Dismissal.Reason.choices,
        may_plan=may_plan,
        count=len(ranking.ranked) + len(ranking.pool),
        refusal=ranking.refusal,
        all_url=f"{reverse('impact:challenge-ranking', args=[challenge.code])}?{urlencode(asked)}",
    )


def _add_url(card: SolutionCard, plan: Plan | None) -> str:
    if plan is None:
        return card.plan_url
    return f"{reverse('planning:guide-choose', args=[plan.pk])}?{urlencode({'solutions': card.code})}"


def _seen(challenge: Challenge, unit: Unit, solution_ids: Sequence[int]) -> Mapping[int, tuple[Seen, ...]]:
    """What units like this one saw, and all units; as they were ranked, nothing is pooled anew."""
    rows = RankedSolution.objects.filter(
        challenge=challenge, solution__in=solution_ids, context__in={"", unit.kind}, effect__isnull=False
    ).order_by("solution", "-context")
    found: dict[int, list[Seen]] = {}
    for row in rows:
        low = row.claim_low if row.claim_low is not None else row.low
        high = row.claim_high if row.claim_high is not None else row.high
        if row.effect is None or low is None or high is None or not row.evidence:
            continue
        is_alike = bool(row.context)
        if is_alike and not row.context_count:
            continue
        label = _("Units like yours (%(kind)s)") % {"kind": row.context} if is_alike else _("All units together")
        found.setdefault(row.solution_id, []).append(Seen(label=label, effect=row.effect, low=low, high=high))
    # One group alone is what the strip says already.
    return {key: tuple(groups) for key, groups in found.items() if len(groups) > 1}


def _units_alike(challenge: Challenge, unit: Unit, solution_ids: Sequence[int]) -> Mapping[int, int]:
    """In how many other units of the kind each solution was used and its effect on the outcome is known."""
    if not unit.kind:
        return {}
    uses = (
        Effect.objects.on_target()
        .filter(
            metric=challenge.metric_id,
            status=Effect.Status.ESTIMATED,
            action__unit__kind=unit.kind,
            action__solutions__version__solution__in=solution_ids,
        )
        .exclude(action__unit=unit)
        .values_list("action__solutions__version__solution_id", "action__unit_id")
        .distinct()
    )
    counts: dict[int, int] = {}
    for solution_id, _unit_id in uses:
        counts[solution_id] = counts.get(solution_id, 0) + 1
    return counts


def _reason(card: SolutionCard, unit: Unit, alike: int) -> str:
    """One sentence on why it is shown, nearest to the unit first."""
    if card.needs_testing:
        if not card.is_measured:
            return _("Nobody knows yet what it changes: the first use tells all units.")
        return ngettext(
            "Promising after %(count)d measured use: one more, here, would tell most.",
            "Promising after %(count)d measured uses: one more, here, would tell most.",
            card.actions,
        ) % {"count": card.actions}
    if alike:
        sentence = (
            ngettext(
                "Works in units like yours: measured in %(count)d other (%(kind)s).",
                "Works in units like yours: measured in %(count)d others (%(kind)s).",
                alike,
            )
            if card.verdict == RankedSolution.Verdict.WORKS
            else ngettext(
                "Likely works in units like yours: measured in %(count)d other (%(kind)s).",
                "Likely works in units like yours: measured in %(count)d others (%(kind)s).",
                alike,
            )
        )
        return sentence % {"count": alike, "kind": formats.code_as_said(unit.kind)}
    return ngettext(
        "Proven in %(count)d unit of another kind; yours would be the first of its kind.",
        "Proven in %(count)d units of other kinds; yours would be the first of its kind.",
        card.units,
    ) % {"count": card.units}


def _effort(card: SolutionCard) -> str:
    if card.effort_hours is None:
        return ""
    return _("about %(hours)s h of work") % {"hours": formats.number(card.effort_hours)}


def _standing(challenge: Challenge, unit: Unit, as_of: date) -> Standing | None:
    """What the challenge costs the unit, or the group above it when too few answered here."""
    metric = challenge.metric
    if metric is None:
        return None
    place, is_of_group = unit, False
    if metric.kind == Metric.Kind.PERCEPTION and _answers(unit, metric, as_of) < settings.MINIMUM_CUSTOMERS_SHOWN:
        above = path_prefixes(unit.path)[:-1]
        group = Unit.objects.filter(path__in=above).order_by("-path").first()
        if group is None:
            return None
        place, is_of_group = group, True
    row = next((one for one in focus_rows(unit=place, as_of=as_of) if one.code == challenge.code), None)
    text = _told(row, place) if row is not None else ""
    if is_of_group:
        too_few = _("Too few customers answered in %(unit)s to show its own result.") % {"unit": unit.display_name}
        text = f"{too_few} {text}".strip()
    return Standing(text=text, is_of_group=is_of_group) if text else None


def _answers(unit: Unit, metric: Metric, as_of: date) -> int:
    first = week_of(as_of) - (WEEKS - 1) * WEEK
    cells = Cell.objects.filter(unit__path__startswith=unit.path, metric=metric, week__gte=first)
    return int(cells.aggregate(count=Sum("n"))["count"] or 0)


def _told(row: FocusRow, place: Unit) -> str:
    if row.level is None or row.benchmark is None or row.answers < settings.MINIMUM_CUSTOMERS_SHOWN:
        return ""
    said = {
        "unit": place.display_name,
        "metric": row.metric,
        "level": formats.level(row.level, row.unit),
        "benchmark": formats.level(row.benchmark, row.unit),
        "share": formats.percent(row.share),
    }
    if row.gain:
        return (
            _(
                "%(share)s of what %(unit)s loses is lost here: %(level)s on “%(metric)s”, where the better half "
                "has %(benchmark)s."
            )
            % said
        )
    return _("%(unit)s is not behind here: %(level)s on “%(metric)s”; the better half has %(benchmark)s.") % said
