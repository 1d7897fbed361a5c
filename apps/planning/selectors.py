"""Which actions there are, who may own one, and what else happens around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    DateField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import OrderBy
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AuditEvent, Scope, Unit, UnitPlacement, User
from apps.core.formats import short_day
from apps.core.searching import Searchable
from apps.core.trees import path_prefixes
from apps.library.models import Solution, SolutionVersion
from apps.planning.models import Action, ActionSolution, Event
from apps.planning.pilots import tried_out
from apps.planning.states import FROZEN, OPEN
from apps.taxonomy.models import Challenge, Metric
from apps.taxonomy.selectors import matching

PAGE_ROWS = 25
CHALLENGES_SHOWN = 60
# Two actions aimed at one metric within the primary window of measurement can hardly be told apart.
OVERLAP = timedelta(weeks=15)
EVENTS_BEFORE = timedelta(weeks=8)
UNDO_WITHIN = timedelta(days=1)

STATE_HEADINGS = {
    Action.State.DRAFT: gettext_lazy("Drafts"),
    Action.State.PLANNED: gettext_lazy("Planned"),
    Action.State.APPLIED: gettext_lazy("In place"),
    Action.State.SUSTAINED: gettext_lazy("Kept as standard"),
    Action.State.STOPPED: gettext_lazy("Stopped"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    """One action in a list, in words."""

    external_id: str
    unit: str
    challenge: str
    solutions: tuple[str, ...]
    state: str
    state_label: str
    when: str
    is_overdue: bool
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedSolution:
    """A solution of one action: as planned, or with the version and manner that were frozen."""

    solution: Solution
    version: SolutionVersion | None
    dose: str
    fidelity: int | None
    adaptation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Another action in the unit aimed at the same metric within 15 weeks."""

    external_id: str
    unit: str
    solutions: tuple[str, ...]
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    pk: int
    unit: str
    kind_label: str
    name: str
    period: str
    may_edit: bool = False

    @property
    def key(self) -> str:
        """How a form names it."""
        return str(self.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """What else happens in the units around a date."""

    overlaps: tuple[Overlap, ...]
    events: tuple[EventRow, ...]


def day(value: date, *, as_of: date | None = None) -> str:
    """A date as people say it, on one line; without the year when it is that of `as_of`."""
    said = short_day(value, as_of) if as_of else date_format(value, "j F Y")
    return said.replace(" ", "\u00a0")


def actions_of_page(actions: QuerySet[Action], *, number: str | None, rows: int) -> tuple[Page[int], list[Action]]:
    """One page of ordered actions with everything a row says about them.

    Keys are put in order first: to sort whole rows of a large chain takes ten times as long.
    """
    page = Paginator(actions.values_list("pk", flat=True), rows).get_page(number)
    found = {action.pk: action for action in with_titles(Action.objects.filter(pk__in=list(page.object_list)))}
    return page, [found[pk] for pk in page.object_list if pk in found]


def with_solutions(actions: QuerySet[Action]) -> QuerySet[Action]:
    """Everything a row or a page says about an action, in a constant number of queries."""
    return actions.select_related("unit", "challenge__merged_into__metric", "owner", "plan").prefetch_related(
        "plan__solutions", "solutions__version__solution", "events"
    )


def with_titles(actions: QuerySet[Action]) -> QuerySet[Action]:
    """What a row of a list says about an action: titles of its solutions, without the text of their recipes."""
    titles = Solution.objects.only("code", "title", "title_fr")
    applied = ActionSolution.objects.select_related("version__solution").only(
        "action_id",
        "version__solution__code",
        "version__solution__title",
        "version__solution__title_fr",
    )
    return actions.select_related("unit", "challenge__merged_into", "owner", "plan").prefetch_related(
        Prefetch("plan__solutions", titles), Prefetch("solutions", applied)
    )


def solutions_of(action: Action) -> tuple[Solution, ...]:
    """The solutions as applied, or before that as planned; expects `with_solutions`."""
    if action.state in FROZEN or action.plan is None:
        used = [row.version.solution for row in action.solutions.all()]
    else:
        used = list(action.plan.solutions.all())
    return tuple(sorted(used, key=lambda solution: solution.display_title.casefold()))


def used_solutions(action: Action) -> list[UsedSolution]:
    """Expects `with_solutions`."""
    rows = {row.version.solution_id: row for row in action.solutions.all()}
    used = []
    for solution in solutions_of(action):
        row = rows.get(solution.pk)
        used.append(
            UsedSolution(
                solution=solution,
                version=row.version if row else None,
                dose=row.dose if row else "",
                fidelity=row.fidelity if row else None,
                adaptation=row.adaptation if row else "",
            )
        )
    return used


def when(action: Action, *, as_of: date) -> str:
    """Where the action stands in time, in words."""
    if action.state == Action.State.STOPPED and action.ended_on and action.effective_on:
        return _("%(since)s to %(until)s") % {
            "since": day(action.effective_on, as_of=as_of),
            "until": day(action.ended_on, as_of=as_of),
        }
    if action.effective_on and action.effective_on > as_of:
        return _("starts on %(date)s") % {"date": day(action.effective_on, as_of=as_of)}
    if action.effective_on:
        return _("since %(date)s") % {"date": day(action.effective_on, as_of=as_of)}
    if action.planned_on is None:
        return _("no date yet")
    return _("planned for %(date)s") % {"date": day(action.planned_on, as_of=as_of)}


def is_overdue(action: Action, *, as_of: date) -> bool:
    due_on = action.planned_on or action.effective_on
    return action.state in OPEN and due_on is not None and due_on < as_of


def is_undoable(action: Action, *, at: datetime) -> bool:
    """Whether an application can still be taken back: for a day, or until it takes effect."""
    if action.state != Action.State.APPLIED:
        return False
    if action.effective_on is not None and action.effective_on > at.date():
        return True
    applied = AuditEvent.objects.about(action).filter(event="planning.action.applied", at__gt=at - UNDO_WITHIN)
    return applied.exists()


def nearby(*, units: Sequence[Unit], challenge: Challenge, on: date, without: Action | None = None) -> Nearby:
    """Other actions aimed at the challenge's metric around `on`, and events that may blur a result."""
    overlaps = overlapping(units=units, metric=challenge.metric, on=on, without=without)
    events = (
        Event.objects.filter(Q(unit__in=units) | Q(unit=None))
        .filter(Q(ends_on=None) | Q(ends_on__gte=on - EVENTS_BEFORE), starts_on__lte=on + OVERLAP)
        .select_related("unit")
        .order_by("starts_on", "pk")[:PAGE_ROWS]
    )
    return Nearby(
        overlaps=tuple(
            Overlap(
                external_id=action.external_id,
                unit=action.unit.display_name,
                solutions=tuple(solution.display_title for solution in solutions_of(action)),
                when=when(action, as_of=on),
            )
            for action in overlaps
        ),
        events=tuple(event_row(event) for event in events),
    )


def overlapping(
    *, units: Sequence[Unit], metric: Metric | None, on: date, without: Action | None = None
) -> list[Action]:
    """Actions in `units` aimed at `metric` that took effect, or are planned, within 15 weeks of `on`."""
    if metric is None:
        return []
    window = (on - OVERLAP, on + OVERLAP)
    near = Q(target_metric=metric, state__in=FROZEN, effective_on__range=window) | Q(
        Q(planned_on__range=window) | Q(effective_on__range=window),
        challenge__in=Challenge.objects.measured_by(metric),
        state__in=OPEN,
    )
    actions = Action.objects.filter(near, unit__in=units)
    if without is not None:
        actions = actions.exclude(pk=without.pk)
    return list(with_solutions(actions).order_by("effective_on", "pk")[:PAGE_ROWS])


def events_of_unit(unit: Unit) -> QuerySet[Event]:
    """The unit's own events, and those of all units."""
    return Event.objects.filter(Q(unit=unit) | Q(unit=None)).order_by("-starts_on", "-pk")


def event_row(event: Event, *, may_edit: bool = False) -> EventRow:
    return EventRow(
        pk=event.pk,
        unit=event.unit.display_name if event.unit else _("Everywhere"),
        kind_label=event.get_kind_display(),
        name=event.name,
        period=_period(event),
        may_edit=may_edit,
    )


def plannable_units(*, scope: Scope, below: Unit | None = None) -> QuerySet[Unit]:
    """Open units in `scope` that hold no other unit: the places where something can be put in place."""
    inner = UnitPlacement.objects.filter(parent=OuterRef("pk"), valid__upper_inf=True)
    units = Unit.objects.in_scope(scope).filter(~Exists(inner), closed_on=None)
    if below is not None:
        units = units.below(below)
    return units.order_by("name", "pk")


def units_within(*, scope: Scope) -> QuerySet[Unit]:
    """Every unit in `scope`, groups too."""
    return Unit.objects.in_scope(scope).order_by("name", "pk")


def answers_for_all(*, scope: Scope) -> bool:
    """Whether no unit lies outside `scope`."""
    return bool(scope.paths) and not Unit.objects.exclude(scope.condition()).exists()


def possible_owners(*, units: Sequence[Unit], person: User, also: User | None = None) -> QuerySet[User]:
    """Those who hold a role in one of the units or above it, the person asking, and an owner of before."""
    paths = {prefix for unit in units for prefix in path_prefixes(unit.path)}
    members = Q(memberships__unit__path__in=paths, is_active=True)
    named = Q(pk__in=[user.pk for user in (person, also) if user is not None])
    return User.objects.filter(members | named).distinct().order_by("name", "email")


def usable_solutions(*, challenge: Challenge, also: Sequence[str] = ()) -> QuerySet[Solution]:
    """Published solutions known for the challenge, and those of the given codes, which come first.

    A draft that is tried out somewhere can be asked for by its code.
    """
    codes = Q()
    for code in also:
        codes |= Q(code__iexact=code)
    is_chosen = Case(When(codes, then=Value(0)), default=Value(1)) if codes else Value(0)
    known = Q(links__challenge__in=Challenge.objects.standing_for(challenge))
    in_use = Q(status=Solution.Status.PUBLISHED)
    if codes:
        in_use |= codes & Q(status=Solution.Status.DRAFT, pk__in=tried_out().values("solution"))
    return (
        Solution.objects.filter(in_use)
        .filter(known | codes if codes else known)
        .distinct()
        .order_by(is_chosen, "title", "pk")
    )


def siblings(action: Action, *, scope: Scope) -> list[Action]:
    """The same plan's actions in other units of `scope`."""
    if action.plan_id is None:
        return []
    others = Action.objects.in_scope(scope).filter(plan=action.plan_id).exclude(pk=action.pk)
    return list(others.select_related("unit").order_by("unit__name", "pk")[:PAGE_ROWS])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeChoices:
    """Challenges with whether each may be chosen; `has_more` when the list was cut, `query` what narrows it."""

    rows: tuple[tuple[Challenge, bool], ...]
    has_more: bool
    query: str

    @property
    def is_searched(self) -> bool:
        return self.has_more or bool(self.query)


def challenges_to_choose(*, query: str = "", chosen: str = "") -> ChallengeChoices:
    """The current challenges in the order of their tree, or those a few letters may mean; always the chosen one.

    One that only holds others may not be chosen. A constant number of queries.
    """
    current = Challenge.objects.current().select_related("metric")
    if query:
        asked: Any = Searchable(Value(query))  # the stubs know only of texts
        likeness = TrigramWordSimilarity(asked, "search_name")
        found = current.filter(pk__in=matching(query).values("pk")).annotate(likeness=likeness)
        rows = list(found.order_by("-likeness", "path")[: CHALLENGES_SHOWN + 1])
    else:
        rows = list(current.order_by("path")[: CHALLENGES_SHOWN + 1])
    has_more, rows = len(rows) > CHALLENGES_SHOWN, rows[:CHALLENGES_SHOWN]
    if chosen and all(row.code.lower() != chosen.lower() for row in rows):
        rows = [*current.filter(code__iexact=chosen), *rows]
    shown = [row.pk for row in rows]
    holders = set(Challenge.objects.current().filter(parent__in=shown).values_list("parent_id", flat=True))
    return ChallengeChoices(
        rows=tuple((row, row.metric is not None or row.pk not in holders) for row in rows),
        has_more=has_more,
        query=query,
    )


def in_order(state: str) -> list[OrderBy]:
    """What is planned comes by its date, the rest by when it took effect, the newest first."""
    newest = [F("effective_on").desc(nulls_last=True), F("pk").desc()]
    if state in OPEN:
        return [F("planned_on").asc(nulls_last=True), F("pk").desc()]
    if state:
        return newest
    due = Case(When(state__in=OPEN, then=F("planned_on")), default=Value(None), output_field=DateField(null=True))
    return [due.asc(nulls_last=True), *newest]


def action_row(action: Action, *, as_of: date) -> ActionRow:
    """Expects `with_titles`."""
    return ActionRow(
        external_id=action.external_id,
        unit=action.unit.display_name,
        challenge=action.challenge.standing.display_name,
        solutions=tuple(solution.display_title for solution in solutions_of(action)),
        state=action.state,
        state_label=action.get_state_display(),
        when=when(action, as_of=as_of),
        is_overdue=is_overdue(action, as_of=as_of),
        owner=str(action.owner or action.owner_label),
    )


def _period(event: Event) -> str:
    if event.ends_on is None:
        return _("since %(date)s") % {"date": day(event.starts_on)}
    if event.ends_on == event.starts_on:
        return day(event.starts_on)
    return _("%(since)s to %(until)s") % {"since": day(event.starts_on), "until": day(event.ends_on)}
