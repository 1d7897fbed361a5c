"""Who is told when a result became known or changed? The row of what was told keeps news from coming twice."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Membership, Role, User
from apps.core.formats import exact_day
from apps.ideas.promotion import mark_told
from apps.ideas.selectors import authors_to_tell, solutions_awaited
from apps.impact import words
from apps.impact.models import Effect, RankedSolution, SolutionClaim, Told
from apps.impact.results import sentence_of
from apps.library.care import watchers
from apps.library.models import Solution
from apps.notifications.services import Message, notify
from apps.planning.models import Action

# Nobody hears of one thing more than once a week, however often a verdict moves.
AT_MOST_EVERY = timedelta(days=7)
# A result of something older was not waited for: history that came in by file is no news.
AWAITED = timedelta(weeks=39)
# Fifteen weeks after the start a result is known, or can't be.
KNOWN_AFTER = timedelta(weeks=15)
AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A solution of which something else is said than was told."""

    solution: Solution
    verdict: str
    evidence: int


def is_settled_in(*, at: datetime) -> bool:
    """Whether anything was known a week ago: else all is new at once, and none of it is news."""
    return SolutionClaim.objects.filter(made_at__lt=at - AT_MOST_EVERY).exists()


def changed_results(*, as_of: date, at: datetime) -> list[Effect]:
    """At most `AT_ONCE` effects whose verdict is another one than was told; the rest is found the next time."""
    said = Told.objects.filter(action=OuterRef("action"))
    effects = (
        Effect.objects.on_target()
        .exclude(status=Effect.Status.TOO_EARLY)
        .filter(Q(status=Effect.Status.ESTIMATED) | Q(action__effective_on__lte=as_of - KNOWN_AFTER))
        .annotate(told_verdict=Subquery(said.values("verdict")), told_at=Subquery(said.values("told_at")))
        .filter(Q(told_at=None) | Q(told_at__lte=at - AT_MOST_EVERY))
        .defer("series", "quality_parts")
        .select_related("action__unit", "action__owner", "action__challenge", "metric")
        .order_by("pk")
    )
    found = []
    for effect in effects.iterator(chunk_size=2000):
        if verdict_of(effect) != getattr(effect, "told_verdict", None):  # annotated
            found.append(effect)
            if len(found) == AT_ONCE:
                break
    return found


def verdict_of(effect: Effect) -> str:
    return words.action_verdict(effect.status, effect.p_positive, effect.reason)


@transaction.atomic
def tell_result(*, effect: Effect, as_of: date, at: datetime, is_news: bool = True) -> bool:
    """Tell who owns the action and who manages its unit; whoever comes second finds the row of the first."""
    action, verdict = effect.action, verdict_of(effect)
    row, is_new = Told.objects.select_for_update().get_or_create(
        action=action, defaults={"verdict": verdict, "told_at": at}
    )
    if not is_new:
        if row.verdict == verdict or row.told_at > at - AT_MOST_EVERY:
            return False
        row.verdict, row.told_at = verdict, at
        row.save(update_fields=["verdict", "told_at"])
    began = action.effective_on or as_of
    if is_new and (not is_news or began < as_of - AWAITED):
        return False
    kind = "impact.result.ready" if is_new else "impact.result.changed"
    url = reverse("planning:action", args=[action.external_id])
    notify(to=_concerned(action), kind=kind, say=lambda: _result_said(effect, verdict, is_new), url=url, at=at)
    return True


def _concerned(action: Action) -> list[User]:
    managers = Membership.objects.filter(unit=action.unit_id, role=Role.MANAGER, user__is_active=True)
    named = Q(pk=action.owner_id) if action.owner_id else Q(pk=None)
    return list(User.objects.filter(named | Q(pk__in=managers.values("user")), is_active=True))


def _result_said(effect: Effect, verdict: str, is_new: bool) -> Message:
    where = {"unit": effect.action.unit.display_name, "challenge": effect.action.challenge.display_name}
    title = (
        _("A result is known: %(challenge)s, %(unit)s")
        if is_new
        else _("A result changed: %(challenge)s, %(unit)s")
    )
    if effect.status == Effect.Status.ESTIMATED:
        return Message(
            title=title % where, body=f"{sentence_of(effect, verdict, effect.action)} {words.next_step(verdict)}"
        )
    refusal = words.refusal(effect.reason)
    if is_new:
        title = _("It was to be known by now, and can’t be: %(challenge)s, %(unit)s")
    began = effect.action.effective_on
    since = _("In effect since %(day)s.") % {"day": exact_day(began)} if began else ""
    return Message(title=title % where, body=f"{refusal.title}. {refusal.remedy} {since}".strip())


def changed_solutions(*, at: datetime) -> list[Change]:
    """Solutions of which another verdict or level of evidence is best known than was told."""
    best = (
        RankedSolution.objects.filter(context="", evidence__gt=0)
        .order_by("solution", F("evidence").desc(), F("action_count").desc(), "pk")
        .distinct("solution")
        .select_related("solution")
    )
    told = {row.solution_id: row for row in Told.objects.exclude(solution=None)}
    changes = []
    for row in best:
        before = told.get(row.solution_id)
        if before is not None:
            is_same = (before.verdict, before.evidence) == (row.verdict, row.evidence)
            if is_same or before.told_at > at - AT_MOST_EVERY:
                continue
        changes.append(Change(solution=row.solution, verdict=row.verdict, evidence=row.evidence))
    return changes[:AT_ONCE]


@transaction.atomic
def tell_evidence(*, change: Change, at: datetime, is_news: bool = True) -> bool:
    """Tell who watches the solution and who uses it now, once for each change."""
    row, is_new = Told.objects.select_for_update().get_or_create(
        solution=change.solution,
        defaults={"verdict": change.verdict, "evidence": change.evidence, "told_at": at},
    )
    if not is_new:
        is_same = (row.verdict, row.evidence) == (change.verdict, change.evidence)
        if is_same or row.told_at > at - AT_MOST_EVERY:
            return False
        row.verdict, row.evidence, row.told_at = change.verdict, change.evidence, at
        row.save(update_fields=["verdict", "evidence", "told_at"])
    if is_new and not is_news:
        return False
    users = Action.objects.filter(
        state__in=[Action.State.APPLIED, Action.State.SUSTAINED],
        ended_on=None,
        solutions__version__solution=change.solution,
        owner__is_active=True,
    )
    using = User.objects.filter(pk__in=users.values("owner"))
    notify(
        to={*watchers(change.solution), *using},
        kind="impact.evidence.changed",
        say=lambda: _evidence_said(change, is_new),
        url=reverse("library:solution", args=[change.solution.code]),
        at=at,
    )
    return True


def _evidence_said(change: Change, is_new: bool) -> Message:
    title = _("First evidence on “%(solution)s”") if is_new else _("What is known of “%(solution)s” changed")
    return Message(
        title=title % {"solution": change.solution.display_title},
        body=_("It is now rated: %(verdict)s, evidence %(evidence)s of 5.")
        % {"verdict": RankedSolution.Verdict(change.verdict).label, "evidence": change.evidence},
    )


def first_results() -> list[Effect]:
    """The first known effect of each solution whose author waits for one."""
    effects = (
        Effect.objects.on_target()
        .filter(status=Effect.Status.ESTIMATED, action__solutions__version__solution__in=solutions_awaited())
        .annotate(awaited=F("action__solutions__version__solution"))
        .defer("series", "quality_parts")
        .select_related("action__unit", "metric")
        .order_by("awaited", "action__effective_on", "pk")
        .distinct("awaited")
    )
    return list(effects)


def tell_authors_of(*, effect: Effect, solution_id: int, at: datetime) -> int:
    """Tell those whose ideas became the solution what its first use changed."""
    verdict = verdict_of(effect)
    return sum(
        mark_told(idea=idea, result=lambda: sentence_of(effect, verdict, effect.action), at=at)
        for idea in authors_to_tell([solution_id])
    )


def tell_news(*, as_of: date, at: datetime) -> int:
    """Tell all that is new; each piece of news in a transaction of its own."""
    is_news = is_settled_in(at=at)
    told = sum(
        tell_result(effect=one, as_of=as_of, at=at, is_news=is_news) for one in changed_results(as_of=as_of, at=at)
    )
    told += sum(tell_evidence(change=one, at=at, is_news=is_news) for one in changed_solutions(at=at))
    for effect in first_results():
        told += tell_authors_of(effect=effect, solution_id=getattr(effect, "awaited"), at=at)  # noqa: B009  # annotated
    return told
