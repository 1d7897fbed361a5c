"""What falls on which day: read-outs, events, starts, tasks and check-ins."""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, User
from apps.planning.action_filters import ActionFilters, filtered_actions
from apps.planning.models import Action, Draw, Event, Task
from apps.planning.rhythm import LONGEST_WEEKS, USUAL_WEEKS, check_in_days
from apps.planning.selectors import solutions_of, with_titles
from apps.planning.states import FROZEN, OPEN

SHOWN_A_DAY = 4
ENTRIES_A_PAGE = 50


class Kind(IntEnum):
    """What falls on a day, the rarest and most important first."""

    READ_OUT = 0
    EVENT = 1
    START = 2
    TASK = 3
    CHECK_IN = 4


class Spot(NamedTuple):
    """That something falls on a day; `number` tells the check-ins of one action apart."""

    on: date
    kind: Kind
    pk: int
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing on one day; `until` is the last day of what lasts, `key` stays the same for good."""

    key: str
    kind: str
    icon: str
    on: date
    until: date
    title: str
    where: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """`more` is how many there are besides `entries`."""

    day: date
    is_inside: bool
    is_today: bool
    entries: tuple[Entry, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    first: date
    weeks: tuple[tuple[CalendarDay, ...], ...]
    count: int

    @property
    def earlier(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def later(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def days(self) -> list[CalendarDay]:
        return [day for week in self.weeks for day in week]


def month_of(*, scope: Scope, filters: ActionFilters, first: date, as_of: date) -> Month:
    """The month that begins on `first` in whole weeks, in a constant number of queries."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    found = spots(scope=scope, filters=filters, since=weeks[0][0], until=weeks[-1][-1])
    by_day: dict[date, list[Spot]] = {}
    for spot in found:
        by_day.setdefault(spot.on, []).append(spot)
    first_of_day = {day: _first(on_day) for day, on_day in by_day.items()}
    entries: dict[date, list[Entry]] = {}
    for entry in entries_of([spot for on_day in first_of_day.values() for spot in on_day]):
        entries.setdefault(max(entry.on, weeks[0][0]), []).append(entry)
    return Month(
        first=first,
        weeks=tuple(
            tuple(
                CalendarDay(
                    day=day,
                    is_inside=day.month == first.month,
                    is_today=day == as_of,
                    entries=tuple(entries.get(day, ())),
                    more=len(by_day.get(day, ())) - len(first_of_day.get(day, ())),
                )
                for day in week
            )
            for week in weeks
        ),
        count=sum(spot.on.month == first.month for spot in found),
    )


def _first(on_day: Sequence[Spot]) -> Sequence[Spot]:
    """A single one left over takes the place of the line that would count it."""
    return on_day if len(on_day) <= SHOWN_A_DAY + 1 else on_day[:SHOWN_A_DAY]


def day_page(*, scope: Scope, filters: ActionFilters, day: date, number: str | None) -> Page[Entry]:
    """Everything that falls on one day, a page at a time."""
    found = spots(scope=scope, filters=filters, since=day, until=day)
    page = Paginator(found, ENTRIES_A_PAGE).get_page(number)
    return Page(entries_of(page.object_list), page.number, page.paginator)  # type: ignore[arg-type]  # for the spots


def spots(*, scope: Scope, filters: ActionFilters, since: date, until: date) -> list[Spot]:
    """Everything between two days, both included, in order; keys alone, whatever their number."""
    actions = filtered_actions(scope, filters)
    found = [
        *_starts(actions, since, until),
        *_check_ins(actions, since, until),
        *_tasks(scope, filters, actions, since, until),
        *_read_outs(actions, since, until),
    ]
    if filters.owner is None and not (filters.challenge or filters.state or filters.q):
        found += _events(Event.objects.in_scope(scope), filters, since, until)
    return sorted(found)


def entries_of(found: Sequence[Spot]) -> list[Entry]:
    """The spots in words, in the same order; one query a kind and what hangs on it."""
    keys = {kind: {spot.pk for spot in found if spot.kind == kind} for kind in Kind}
    wanted = keys[Kind.START] | keys[Kind.CHECK_IN]
    actions = with_titles(Action.objects.filter(pk__in=wanted)).in_bulk() if wanted else {}
    tasks = Task.objects.select_related("action__unit").in_bulk(keys[Kind.TASK])
    draws = Draw.objects.select_related("plan__challenge").in_bulk(keys[Kind.READ_OUT])
    events = Event.objects.select_related("unit").in_bulk(keys[Kind.EVENT])
    entries = []
    for spot in found:
        if spot.kind == Kind.READ_OUT and spot.pk in draws:
            entries.append(_of_read_out(draws[spot.pk]))
        elif spot.kind == Kind.EVENT and spot.pk in events:
            entries.append(_of_event(events[spot.pk]))
        elif spot.kind == Kind.TASK and spot.pk in tasks:
            entries.append(_of_task(tasks[spot.pk], spot.on))
        elif spot.pk in actions and spot.kind == Kind.START:
            entries.append(_of_start(actions[spot.pk], spot.on))
        elif spot.pk in actions and spot.kind == Kind.CHECK_IN:
            entries.append(_of_check_in(actions[spot.pk], spot))
    return entries


def entries_of_person(*, person: User, scope: Scope, since: date, until: date) -> list[Entry]:
    """What concerns one person: their actions and tasks, and events where these are."""
    mine = ActionFilters(owner=person)
    found = spots(scope=scope, filters=mine, since=since, until=until)
    own = Action.objects.in_scope(scope).filter(owner=person)
    around = Event.objects.filter(Q(unit=None) | Q(Exists(own.filter(unit=OuterRef("unit")))))
    found += _events(around.filter(pk__in=Event.objects.in_scope(scope)), ActionFilters(), since, until)
    return entries_of(sorted(found))


def _starts(actions: QuerySet[Action], since: date, until: date) -> Iterator[Spot]:
    planned = Q(state__in=OPEN, planned_on__range=(since, until))
    began = Q(state__in=FROZEN, effective_on__range=(since, until))
    day = Case(When(state__in=OPEN, then=F("planned_on")), default=F("effective_on"))
    for pk, on in actions.filter(planned | began).order_by().annotate(day=day).values_list("pk", "day"):
        yield Spot(on=on, kind=Kind.START, pk=pk)


def _check_ins(actions: QuerySet[Action], since: date, until: date) -> Iterator[Spot]:
    usual = Q()
    for weeks in USUAL_WEEKS:
        back = timedelta(weeks=weeks)
        usual |= Q(effective_on__range=(since - back, until - back))
    longest = since - timedelta(weeks=LONGEST_WEEKS)
    own = Q(plan__rhythm_weeks__isnull=False, effective_on__range=(longest, until))
    running = actions.filter(own | usual, state=Action.State.APPLIED).order_by()
    for pk, began, every in running.values_list("pk", "effective_on", "plan__rhythm_weeks"):
        assert began is not None
        for number, day in enumerate(check_in_days(began, every_weeks=every), start=1):
            if since <= day <= until:
                yield Spot(on=day, kind=Kind.CHECK_IN, pk=pk, number=number)


def _tasks(
    scope: Scope, filters: ActionFilters, actions: QuerySet[Action], since: date, until: date
) -> Iterator[Spot]:
    tasks = Task.objects.in_scope(scope).open().filter(due_on__range=(since, until))
    inside = Q(action__in=actions.order_by().values("pk"))
    if filters.owner is not None:
        own_less = filtered_actions(scope, _for_anybody(filters)).order_by().values("pk")
        inside = Q(assignee=filters.owner, action__in=own_less) | Q(assignee=None) & inside
    for pk, due_on in tasks.filter(inside).values_list("pk", "due_on"):
        assert due_on is not None
        yield Spot(on=due_on, kind=Kind.TASK, pk=pk)


def _for_anybody(filters: ActionFilters) -> ActionFilters:
    return ActionFilters(unit=filters.unit, challenge=filters.challenge, state=filters.state, q=filters.q)


def _read_outs(actions: QuerySet[Action], since: date, until: date) -> Iterator[Spot]:
    draws = Draw.objects.filter(
        Exists(actions.filter(plan=OuterRef("plan"))), replaced_at=None, reads_on__range=(since, until)
    )
    for pk, reads_on in draws.values_list("pk", "reads_on"):
        yield Spot(on=reads_on, kind=Kind.READ_OUT, pk=pk)


def _events(events: QuerySet[Event], filters: ActionFilters, since: date, until: date) -> Iterable[Spot]:
    """An event that lasts stands on its first day shown."""
    inside = events.filter(starts_on__lte=until).filter(
        Q(ends_on__gte=since) | Q(ends_on=None, starts_on__gte=since)
    )
    if filters.unit is not None:
        inside = inside.filter(Q(unit=None) | Q(unit__path__startswith=filters.unit.path))
    for pk, starts_on in inside.order_by().values_list("pk", "starts_on"):
        yield Spot(on=max(starts_on, since), kind=Kind.EVENT, pk=pk)


def _of_start(action: Action, on: date) -> Entry:
    kind, icon = (_("Planned start"), "calendar-check") if action.state in OPEN else (_("Start"), "play")
    return _of(action, key=f"start-{action.pk}", kind=kind, icon=icon, on=on, title=_named(action))


def _of_check_in(action: Action, spot: Spot) -> Entry:
    key = f"check-in-{action.pk}-{spot.number}"
    return _of(action, key=key, kind=_("Check-in"), icon="clipboard-check", on=spot.on, title=_named(action))


def _of_task(task: Task, on: date) -> Entry:
    return _of(task.action, key=f"task-{task.pk}", kind=_("Task"), icon="list-checks", on=on, title=task.title)


def _of_read_out(draw: Draw) -> Entry:
    return Entry(
        key=f"read-out-{draw.plan_id}",
        kind=_("Read-out"),
        icon="flag",
        on=draw.reads_on,
        until=draw.reads_on,
        title=draw.plan.challenge.display_name,
        where="",
        url=reverse("planning:rollout", args=[draw.plan_id]),
    )


def _of_event(event: Event) -> Entry:
    return Entry(
        key=f"event-{event.pk}",
        kind=event.get_kind_display(),
        icon="calendar-days",
        on=event.starts_on,
        until=event.ends_on or event.starts_on,
        title=event.name,
        where=event.unit.display_name if event.unit else _("Everywhere"),
        url=reverse("planning:event-list"),
    )


def _of(action: Action, *, key: str, kind: str, icon: str, on: date, title: str) -> Entry:
    return Entry(
        key=key,
        kind=kind,
        icon=icon,
        on=on,
        until=on,
        title=title,
        where=action.unit.display_name,
        url=reverse("planning:action", args=[action.external_id]),
    )


def _named(action: Action) -> str:
    solutions = " + ".join(solution.display_title for solution in solutions_of(action))
    return solutions or action.challenge.standing.display_name
