"""What falls on which day: starts, check-ins, tasks, events and read-outs."""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, User
from apps.planning.action_filters import ActionFilters, filtered_actions
from apps.planning.models import Action, Draw, Event, Task
from apps.planning.rhythm import LONGEST_WEEKS, USUAL_WEEKS, check_in_days
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import FROZEN, OPEN

# Of each kind in a month; more can't be read and are found with the filters.
ENTRIES_AT_MOST = 300
SHOWN_A_DAY = 4


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
    day: date
    is_inside: bool
    is_today: bool
    entries: tuple[Entry, ...]

    @property
    def first(self) -> tuple[Entry, ...]:
        return self.entries[:SHOWN_A_DAY]

    @property
    def more(self) -> tuple[Entry, ...]:
        return self.entries[SHOWN_A_DAY:]


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
    found = entries(scope=scope, filters=filters, since=weeks[0][0], until=weeks[-1][-1])
    by_day: dict[date, list[Entry]] = {}
    for entry in found:
        by_day.setdefault(max(entry.on, weeks[0][0]), []).append(entry)
    return Month(
        first=first,
        weeks=tuple(
            tuple(
                CalendarDay(
                    day=day,
                    is_inside=day.month == first.month,
                    is_today=day == as_of,
                    entries=tuple(by_day.get(day, ())),
                )
                for day in week
            )
            for week in weeks
        ),
        count=len(found),
    )


def entries(*, scope: Scope, filters: ActionFilters, since: date, until: date) -> list[Entry]:
    """Everything between two days, both included, in order."""
    actions = filtered_actions(scope, filters)
    found = [
        *_starts(actions, since, until),
        *_check_ins(actions, since, until),
        *_tasks(scope, filters, actions, since, until),
        *_read_outs(actions, since, until),
    ]
    if filters.owner is None and not (filters.challenge or filters.state or filters.q):
        found += _events(Event.objects.in_scope(scope), filters, since, until)
    return sorted(found, key=lambda entry: (entry.on, entry.kind, entry.title, entry.key))


def entries_of_person(*, person: User, scope: Scope, since: date, until: date) -> list[Entry]:
    """What concerns one person: their actions and tasks, and events where these are."""
    mine = ActionFilters(owner=person)
    found = entries(scope=scope, filters=mine, since=since, until=until)
    own = Action.objects.in_scope(scope).filter(owner=person)
    around = Event.objects.filter(Q(unit=None) | Q(Exists(own.filter(unit=OuterRef("unit")))))
    found += _events(around.filter(pk__in=Event.objects.in_scope(scope)), ActionFilters(), since, until)
    return sorted(found, key=lambda entry: (entry.on, entry.key))


def _starts(actions: QuerySet[Action], since: date, until: date) -> Iterator[Entry]:
    planned = Q(state__in=OPEN, planned_on__range=(since, until))
    began = Q(state__in=FROZEN, effective_on__range=(since, until))
    for action in with_solutions(actions.filter(planned | began)).order_by("pk")[:ENTRIES_AT_MOST]:
        day = action.planned_on if action.state in OPEN else action.effective_on
        assert day is not None
        kind, icon = (_("Planned start"), "calendar-check") if action.state in OPEN else (_("Start"), "play")
        yield _of(action, key=f"start-{action.pk}", kind=kind, icon=icon, on=day, title=_named(action))


def _check_ins(actions: QuerySet[Action], since: date, until: date) -> Iterator[Entry]:
    usual = Q()
    for weeks in USUAL_WEEKS:
        back = timedelta(weeks=weeks)
        usual |= Q(effective_on__range=(since - back, until - back))
    longest = since - timedelta(weeks=LONGEST_WEEKS)
    own = Q(plan__rhythm_weeks__isnull=False, effective_on__range=(longest, until))
    running = actions.filter(own | usual, state=Action.State.APPLIED)
    for action in with_solutions(running).order_by("-effective_on", "pk")[:ENTRIES_AT_MOST]:
        assert action.effective_on is not None
        every = action.plan.rhythm_weeks if action.plan else None
        for number, day in enumerate(check_in_days(action.effective_on, every_weeks=every), start=1):
            if since <= day <= until:
                key = f"check-in-{action.pk}-{number}"
                yield _of(
                    action, key=key, kind=_("Check-in"), icon="clipboard-check", on=day, title=_named(action)
                )


def _tasks(
    scope: Scope, filters: ActionFilters, actions: QuerySet[Action], since: date, until: date
) -> Iterator[Entry]:
    tasks = Task.objects.in_scope(scope).open().filter(due_on__range=(since, until))
    inside = Q(action__in=actions.values("pk"))
    if filters.owner is not None:
        own_less = filtered_actions(scope, _for_anybody(filters)).values("pk")
        inside = Q(assignee=filters.owner, action__in=own_less) | Q(assignee=None) & inside
    for task in tasks.filter(inside).select_related("action__unit").order_by("due_on", "pk")[:ENTRIES_AT_MOST]:
        assert task.due_on is not None
        key = f"task-{task.pk}"
        yield _of(task.action, key=key, kind=_("Task"), icon="list-checks", on=task.due_on, title=task.title)


def _for_anybody(filters: ActionFilters) -> ActionFilters:
    return ActionFilters(unit=filters.unit, challenge=filters.challenge, state=filters.state, q=filters.q)


def _read_outs(actions: QuerySet[Action], since: date, until: date) -> Iterator[Entry]:
    draws = Draw.objects.filter(
        Exists(actions.filter(plan=OuterRef("plan"))), replaced_at=None, reads_on__range=(since, until)
    )
    for draw in draws.select_related("plan__challenge").order_by("reads_on", "pk")[:ENTRIES_AT_MOST]:
        yield Entry(
            key=f"read-out-{draw.plan_id}",
            kind=_("Read-out"),
            icon="flag",
            on=draw.reads_on,
            until=draw.reads_on,
            title=draw.plan.challenge.display_name,
            where="",
            url=reverse("planning:rollout", args=[draw.plan_id]),
        )


def _events(events: QuerySet[Event], filters: ActionFilters, since: date, until: date) -> Iterable[Entry]:
    inside = events.filter(starts_on__lte=until).filter(
        Q(ends_on__gte=since) | Q(ends_on=None, starts_on__gte=since)
    )
    if filters.unit is not None:
        inside = inside.filter(Q(unit=None) | Q(unit__path__startswith=filters.unit.path))
    for event in inside.select_related("unit").order_by("starts_on", "pk")[:ENTRIES_AT_MOST]:
        yield Entry(
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
