"""What does a person owe today or within a week: starts, tasks and check-ins?"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Role, Unit
from apps.accounts.person import Person
from apps.core import formats
from apps.impact.models import Effect
from apps.planning.models import Action, CheckIn, Task
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import OPEN

DUE_SOON = timedelta(days=7)
# A word about an action is asked for two weeks after its start and then every four, until its result is known.
CHECK_IN_AFTER, CHECK_IN_EVERY = timedelta(days=14), timedelta(days=28)
LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One thing that is owed; `when` says its day or asks for it."""

    title: str
    text: str
    when: str
    url: str
    icon: str
    due_on: date
    is_due: bool


def duties_of(*, person: Person, unit: Unit, today: date) -> tuple[Duty, ...]:
    """What a manager owes in a unit and below it, and their own tasks anywhere; the longest due first."""
    found = [
        *_starts(person, unit, today),
        *_check_ins(person, unit, today),
        *tasks_of(person=person, today=today),
    ]
    return tuple(sorted(found, key=lambda duty: (duty.due_on, duty.url))[:LISTED])


def tasks_of(*, person: Person, today: date) -> tuple[Duty, ...]:
    tasks = (
        Task.objects.open()
        .in_scope(person.scope())
        .filter(assignee=person.user, due_on__lte=today + DUE_SOON)
        .select_related("action__unit")
        .order_by("due_on", "pk")[:LISTED]
    )
    return tuple(
        Duty(
            title=task.title,
            text=task.action.unit.display_name,
            when=_when(task.due_on, today),
            url=reverse("planning:action", args=[task.action.external_id]),
            icon="clock-alert" if task.due_on <= today else "square-check",
            due_on=task.due_on,
            is_due=task.due_on <= today,
        )
        for task in tasks
        if task.due_on is not None
    )


def _when(due_on: date | None, today: date) -> str:
    return _("Due: %(day)s") % {"day": formats.day_as_said(due_on, today)} if due_on else ""


def _starts(person: Person, unit: Unit, today: date) -> list[Duty]:
    actions = (
        Action.objects.in_scope(person.scope(Role.MANAGER))
        .filter(unit__path__startswith=unit.path, state__in=OPEN, planned_on__lte=today + DUE_SOON)
        .order_by("planned_on", "pk")
    )
    return [_start(action, today) for action in with_solutions(actions)[:LISTED]]


def _start(action: Action, today: date) -> Duty:
    planned_on = action.planned_on or today
    is_due = planned_on <= today
    day = formats.day_as_said(planned_on, today)
    said = _("Was to start %(day)s. Is it in place?") if is_due else _("Starts %(day)s.")
    return Duty(
        title=_names(action),
        text=_where(action),
        when=said % {"day": day},
        url=reverse("planning:action", args=[action.external_id]),
        icon="clock-alert" if is_due else "calendar",
        due_on=planned_on,
        is_due=is_due,
    )


def _check_ins(person: Person, unit: Unit, today: date) -> list[Duty]:
    spoken = CheckIn.objects.filter(action=OuterRef("pk"), made_on__gt=today - CHECK_IN_EVERY)
    known = Effect.objects.on_target().filter(action=OuterRef("pk"), status=Effect.Status.ESTIMATED)
    actions = (
        Action.objects.in_scope(person.scope(Role.MANAGER))
        .filter(
            ~Exists(spoken),
            ~Exists(known),
            unit__path__startswith=unit.path,
            state=Action.State.APPLIED,
            effective_on__range=(today - timedelta(days=182), today - CHECK_IN_AFTER),
        )
        .order_by("effective_on", "pk")
    )
    return [
        Duty(
            title=_names(action),
            text=_where(action),
            when=_("Is it happening? A word from you helps to judge it."),
            url=reverse("planning:action", args=[action.external_id]),
            icon="message-circle-question-mark",
            due_on=(action.effective_on or today) + CHECK_IN_AFTER,
            is_due=True,
        )
        for action in with_solutions(actions)[:LISTED]
    ]


def _names(action: Action) -> str:
    solutions = " + ".join(solution.display_title for solution in solutions_of(action))
    return solutions or action.challenge.standing.display_name


def _where(action: Action) -> str:
    return f"{action.unit.display_name} · {action.challenge.standing.display_name}"
