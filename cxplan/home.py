"""What each role sees first: for a manager, a lead and a member of staff."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Unit
from apps.accounts.person import Person
from apps.feedback.selectors import MetricTrend, unit_trends
from apps.impact.focus import HELPING, FocusRow, Working, focus_rows, what_works
from apps.impact.models import Effect, RankedSolution
from apps.impact.selectors import last_measured_on
from apps.imports.models import ImportBatch
from apps.notifications.models import Conversation
from apps.notifications.selectors import mail_counts, open_conversation, results_seen_at, wishes_of
from apps.notifications.topics import Topic
from apps.planning.models import Action
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import FROZEN, OPEN
from apps.taxonomy.models import Metric
from cxplan.duties import Duty, duties_of, tasks_of
from cxplan.feed import FeedItem, feed_of

TREND_WEEKS = 26
CHALLENGES_SHOWN = 2
LISTED = 5
ADOPTION_DAYS = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An applied action whose result is not known yet, and the day it will be."""

    external_id: str
    unit: str
    challenge: str
    effective_on: date
    known_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a unit works on now."""

    external_id: str
    unit: str
    challenge: str
    solutions: tuple[str, ...]
    effective_on: date | None
    planned_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """How far acting has spread in 90 days; `units` counts the open ones that hold no other."""

    acting: int
    units: int
    planned: int
    applied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """One of the four steps of a first round; `state` is done, current or future."""

    label: str
    state: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerHome:
    """`steps` is empty once the first round is done."""

    steps: tuple[FirstStep, ...]
    overall: MetricTrend | None
    challenges: tuple[FocusRow, ...]
    duties: tuple[Duty, ...]
    waiting: tuple[Waiting, ...]
    feed: tuple[FeedItem, ...]
    conversation: Conversation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadHome:
    overall: MetricTrend | None
    works: tuple[Working, ...]
    harmful: tuple[Working, ...]
    feed: tuple[FeedItem, ...]
    unsent_mails: int
    imports: tuple[ImportBatch, ...]
    adoption: Adoption


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffHome:
    overall: MetricTrend | None
    running: tuple[Running, ...]
    works: tuple[Working, ...]
    duties: tuple[Duty, ...]
    feed: tuple[FeedItem, ...]


def manager_home(*, person: Person, unit: Unit, today: date) -> ManagerHome:
    rows = focus_rows(unit=unit, as_of=last_measured_on() or today)
    overall = overall_trend(unit)
    return ManagerHome(
        steps=_first_steps(person, unit),
        overall=overall,
        challenges=tuple(row for row in rows if row.share > 0)[:CHALLENGES_SHOWN],
        duties=duties_of(person=person, unit=unit, today=today),
        waiting=_waiting(person, unit),
        feed=feed_of(person=person, unit=unit),
        conversation=open_conversation(unit=unit, on=today),
    )


def lead_home(*, person: Person, unit: Unit, today: date) -> LeadHome:
    return LeadHome(
        overall=overall_trend(unit),
        works=tuple(what_works(limit=LISTED, verdicts=HELPING)),
        harmful=tuple(what_works(limit=LISTED, verdicts=[RankedSolution.Verdict.HARMFUL])),
        feed=feed_of(person=person, unit=unit),
        unsent_mails=mail_counts().unsent if person.leads_from_the_top else 0,
        imports=tuple(ImportBatch.objects.order_by("-pk")[:LISTED]),
        adoption=_adoption(person, unit, today),
    )


def staff_home(*, person: Person, unit: Unit, today: date) -> StaffHome:
    return StaffHome(
        overall=overall_trend(unit),
        running=_running(person, unit),
        works=tuple(what_works(limit=LISTED, verdicts=HELPING)),
        duties=tasks_of(person=person, today=today),
        feed=feed_of(person=person, unit=unit),
    )


def overall_trend(unit: Unit) -> MetricTrend | None:
    """The outcome of the whole journey, week by week over half a year."""
    found = unit_trends(
        unit=unit,
        minimum=settings.MINIMUM_CUSTOMERS_SHOWN,
        metrics=Metric.objects.filter(is_overall=True),
        weeks=TREND_WEEKS,
        period_weeks=1,
    )
    return found.trends[0] if found.trends else None


def _first_steps(person: Person, unit: Unit) -> tuple[FirstStep, ...]:
    """See what customers say, pick a challenge, apply a solution, check the result; none once hidden or done."""
    if not wishes_of(user=person.user).wants(Topic.GUIDE):
        return ()
    actions = Action.objects.in_scope(person.scope()).filter(unit__path__startswith=unit.path)
    result = Effect.objects.on_target().filter(action=OuterRef("pk"), status=Effect.Status.ESTIMATED)
    found = actions.aggregate(
        planned=Count("pk"),
        applied=Count("pk", filter=Q(state__in=FROZEN)),
        known=Count("pk", filter=Exists(result)),
    )
    is_seen = found["planned"] > 0 or results_seen_at(user=person.user, unit=unit) is not None
    steps = (
        (_("See what customers say"), reverse("feedback:unit", args=[unit.code]), is_seen),
        (_("Pick one challenge"), reverse("impact:focus"), found["planned"] > 0),
        (_("Apply a solution"), reverse("planning:action-list"), found["applied"] > 0),
        (_("Check the result"), reverse("planning:action-list"), found["known"] > 0),
    )
    if all(is_done for _label, _url, is_done in steps):
        return ()
    current = next(place for place, (_label, _url, is_done) in enumerate(steps) if not is_done)
    return tuple(
        FirstStep(label=label, url=url, state="current" if place == current else "done" if is_done else "future")
        for place, (label, url, is_done) in enumerate(steps)
    )


def _waiting(person: Person, unit: Unit) -> tuple[Waiting, ...]:
    effects = (
        Effect.objects.on_target()
        .in_scope(person.scope())
        .filter(status=Effect.Status.TOO_EARLY, action__unit__path__startswith=unit.path)
        .select_related("action__unit", "action__challenge__merged_into")
        .defer("series", "quality_parts")
        .order_by("known_on", "pk")[:LISTED]
    )
    return tuple(
        Waiting(
            external_id=effect.action.external_id,
            unit=effect.action.unit.display_name,
            challenge=effect.action.challenge.standing.display_name,
            effective_on=effect.action.effective_on or effect.as_of,
            known_on=effect.known_on,
        )
        for effect in effects
    )


def _running(person: Person, unit: Unit) -> tuple[Running, ...]:
    actions = (
        Action.objects.in_scope(person.scope())
        .filter(unit__path__startswith=unit.path, state__in=[Action.State.PLANNED, Action.State.APPLIED])
        .order_by("state", "-effective_on", "-pk")
    )
    return tuple(
        Running(
            external_id=action.external_id,
            unit=action.unit.display_name,
            challenge=action.challenge.standing.display_name,
            solutions=tuple(solution.display_title for solution in solutions_of(action)),
            effective_on=action.effective_on,
            planned_on=action.planned_on,
        )
        for action in with_solutions(actions)[:LISTED]
    )


def _adoption(person: Person, unit: Unit, today: date) -> Adoption:
    recent = Q(effective_on__range=(today - ADOPTION_DAYS, today), state__in=FROZEN)
    found = (
        Action.objects.in_scope(person.scope())
        .filter(unit__path__startswith=unit.path)
        .aggregate(
            acting=Count("unit", distinct=True, filter=recent),
            applied=Count("pk", filter=recent),
            planned=Count("pk", filter=Q(state__in=OPEN)),
        )
    )
    below = list(Unit.objects.below(unit).filter(closed_on=None).values_list("path", flat=True))
    inner = {path[: path.rstrip(".").rfind(".") + 1] for path in below}
    return Adoption(units=sum(path not in inner for path in below), **found)
