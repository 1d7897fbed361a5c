"""What was claimed when, and did it hold up against uses that began later?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import NormalDist
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg

from apps.impact.models import ActionClaim, Effect, RankedSolution, SolutionClaim
from apps.impact.words import action_verdict

# A number is another claim when an end of its interval, or it itself, moved by this share of the interval's width.
MOVED = 0.10
# A claim that was computed so long after its day could not be read on it.
HINDSIGHT_AFTER = timedelta(weeks=2)
BATCH = 2000
TARGET = Effect.Role.TARGET.value
_NORMAL = NormalDist()
Z95 = _NORMAL.inv_cdf(0.975)

Span = tuple[float, float, float]
# A verdict, and low, middle and high of its interval.
Said = tuple[str, Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedClaim:
    """A past claim beside the pooled raw effect of uses that began after it, in the metric's unit.

    None of the later figures went into the claim: raw effects rest on the weeks of their own unit. `kept_chance`
    is the claim's own probability that the later effect would be above zero, given how few uses there were;
    `is_kept` is whether it was on the side the claim said. `is_inside` is whether the later effect lies where the
    claim expected it with 95 %. `is_hindsight` marks a claim that was worked out later, from what was known then.
    """

    solution_id: int
    metric_id: int
    claimed_on: date
    verdict: str
    effect: float
    low: float
    high: float
    p_positive: float
    later_uses: int
    later_effect: float
    later_se: float
    later_low: float
    later_high: float
    kept_chance: float
    is_kept: bool
    is_inside: bool
    is_hindsight: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedClaim:
    """The first and the newest thing said of an action."""

    action_id: int
    metric_id: int
    first_on: date
    first_verdict: str
    first_p: float
    last_on: date
    last_verdict: str
    last_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterUse:
    """A use of a solution alone: when it began, and what its own unit's weeks say of it."""

    began_on: date
    effect: float
    se: float


def solution_claims(ranked: Iterable[RankedSolution], *, as_of: date, made_at: datetime) -> list[SolutionClaim]:
    """What is said of solutions now, one claim per solution and metric; only where there is a number."""
    said: dict[tuple[int, int], SolutionClaim] = {}
    for row in ranked:
        if row.context or row.effect is None or row.se is None or row.low is None or row.high is None:
            continue
        if row.p_positive is None or not row.action_count:
            continue
        said[row.solution_id, row.metric_id] = SolutionClaim(
            solution_id=row.solution_id,
            metric_id=row.metric_id,
            as_of=as_of,
            verdict=row.verdict,
            effect=row.effect,
            se=row.se,
            low=row.low,
            high=row.high,
            p_positive=row.p_positive,
            heterogeneity=row.heterogeneity,
            action_count=row.action_count,
            unit_count=row.unit_count,
            evidence=row.evidence,
            method=row.method,
            fingerprint=row.fingerprint,
            made_at=made_at,
        )
    return list(said.values())


def action_claims(effects: Mapping[str, Any], *, as_of: date, made_at: datetime) -> list[ActionClaim]:
    """What is said of actions on their target metric and was not said before; only where there is a number.

    `effects` are the columns of one metric's effects, each with a value for every action.
    """
    metric_id = effects["metric_id"]
    names = ("action_id", "role", "status", "p_positive", "low", "effect", "high")
    before = {
        action_id: (verdict, (low, middle, high))
        for action_id, verdict, low, middle, high in ActionClaim.objects.filter(metric=metric_id, as_of__lte=as_of)
        .order_by("action_id", "-as_of")
        .distinct("action_id")
        .values_list("action_id", "verdict", "low", "effect", "high")
    }
    claims = []
    for action_id, role, status, p, low, effect, high in zip(*(effects[name] for name in names), strict=True):
        if role != TARGET or effect is None:
            continue
        verdict = action_verdict(status, p)
        if _moved(before.get(action_id), (verdict, (low, effect, high))):
            claims.append(
                ActionClaim(
                    action_id=action_id,
                    metric_id=metric_id,
                    as_of=as_of,
                    verdict=verdict,
                    effect=effect,
                    low=low,
                    high=high,
                    p_positive=p,
                    method=effects["method"],
                    fingerprint=effects["fingerprint"],
                    made_at=made_at,
                )
            )
    return claims


def keep_claims(solutions: Sequence[SolutionClaim], actions: Sequence[ActionClaim]) -> int:
    """Write the claims about actions, and those about solutions that say something new; how many were written."""
    news = _new_solution_claims(solutions) if solutions else []
    SolutionClaim.objects.bulk_create(
        news,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["solution", "metric", "as_of"],
        update_fields=[
            "verdict", "effect", "se", "low", "high", "p_positive", "heterogeneity", "action_count", "unit_count",
            "evidence", "method", "fingerprint", "made_at",
        ],
    )  # fmt: skip
    ActionClaim.objects.bulk_create(
        actions,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["action", "metric", "as_of"],
        update_fields=["verdict", "effect", "low", "high", "p_positive", "method", "fingerprint", "made_at"],
    )
    return len(news) + len(actions)


def _new_solution_claims(claims: Sequence[SolutionClaim]) -> list[SolutionClaim]:
    before = {
        (last.solution_id, last.metric_id): last
        for last in SolutionClaim.objects.filter(
            solution__in={claim.solution_id for claim in claims}, as_of__lte=max(claim.as_of for claim in claims)
        )
        .order_by("solution_id", "metric_id", "-as_of")
        .distinct("solution_id", "metric_id")
    }
    return [claim for claim in claims if says_more(before.get((claim.solution_id, claim.metric_id)), claim)]


def says_more(last: SolutionClaim | None, claim: SolutionClaim) -> bool:
    """Whether `claim` says something that `last`, the one before it, did not."""
    said = None if last is None else (last.verdict, (last.low, last.effect, last.high))
    return _moved(said, (claim.verdict, (claim.low, claim.effect, claim.high)))


def _moved(last: Said | None, now: Said) -> bool:
    if last is None or last[0] != now[0]:
        return True
    low, middle, high = last[1]
    most = MOVED * (high - low)
    return abs(now[1][0] - low) > most or abs(now[1][1] - middle) > most or abs(now[1][2] - high) > most


def judge_claims(*, made_by: date) -> list[JudgedClaim]:
    """The newest claim about each solution and metric as of `made_by` or before, against later uses.

    Only uses of the solution alone count: what each part of a combination did can't be read off one unit.
    Claims nobody has acted on since are left out.
    """
    newest = (
        SolutionClaim.objects.filter(as_of__lte=made_by)
        .order_by("solution_id", "metric_id", "-as_of")
        .distinct("solution_id", "metric_id")
    )
    uses = _uses()
    judged = []
    for claim in newest:
        later = [use for use in uses.get((claim.solution_id, claim.metric_id), []) if use.began_on > claim.as_of]
        if later:
            judged.append(judge(claim, later))
    return judged


def _uses() -> Mapping[tuple[int, int], list[LaterUse]]:
    """Raw effects of actions that used one solution alone, by solution and metric."""
    rows = (
        Effect.objects.on_target()
        .filter(raw_effect__isnull=False, raw_se__gt=0, action__effective_on__isnull=False)
        .annotate(used=ArrayAgg("action__solutions__version__solution_id", distinct=True, default=[]))
        .order_by("pk")
        .values_list("used", "metric_id", "action__effective_on", "raw_effect", "raw_se")
    )
    uses: dict[tuple[int, int], list[LaterUse]] = {}
    for used, metric_id, began_on, effect, se in rows:
        if len(used) == 1 and began_on is not None and effect is not None and se is not None:
            uses.setdefault((used[0], metric_id), []).append(LaterUse(began_on=began_on, effect=effect, se=se))
    return uses


def judge(claim: SolutionClaim, later: Sequence[LaterUse]) -> JudgedClaim:
    """A claim against the effects of later uses, which differ by their error and from use to use.

    Pooled with weights 1 / (se² + h²), h the heterogeneity between uses that was claimed along.
    """
    between = (claim.heterogeneity or 0.0) ** 2
    weights = [1.0 / (use.se**2 + between) for use in later]
    total = sum(weights)
    effect = sum(weight * use.effect for weight, use in zip(weights, later, strict=True)) / total
    se = total**-0.5
    spread = (claim.se**2 + se**2) ** 0.5
    return JudgedClaim(
        solution_id=claim.solution_id,
        metric_id=claim.metric_id,
        claimed_on=claim.as_of,
        verdict=claim.verdict,
        effect=claim.effect,
        low=claim.low,
        high=claim.high,
        p_positive=claim.p_positive,
        later_uses=len(later),
        later_effect=effect,
        later_se=se,
        later_low=effect - Z95 * se,
        later_high=effect + Z95 * se,
        kept_chance=_NORMAL.cdf(abs(claim.effect) / spread),
        is_kept=(effect > 0) == (claim.effect > 0),
        is_inside=abs(effect - claim.effect) <= Z95 * spread,
        is_hindsight=claim.made_at.date() - claim.as_of > HINDSIGHT_AFTER,
    )


def moved_claims(*, made_by: date) -> list[MovedClaim]:
    """First and newest claim of every action whose first one was made as of `made_by` or before, in one query.

    A sound probability does not drift: over many actions the newest ones average what the first ones said.
    """
    history: dict[tuple[int, int], list[ActionClaim]] = {}
    for claim in ActionClaim.objects.order_by("action_id", "metric_id", "as_of"):
        history.setdefault((claim.action_id, claim.metric_id), []).append(claim)
    return [
        MovedClaim(
            action_id=claims[0].action_id,
            metric_id=claims[0].metric_id,
            first_on=claims[0].as_of,
            first_verdict=claims[0].verdict,
            first_p=claims[0].p_positive,
            last_on=claims[-1].as_of,
            last_verdict=claims[-1].verdict,
            last_p=claims[-1].p_positive,
        )
        for claims in history.values()
        if claims[0].as_of <= made_by
    ]
