"""Plans and tasks left alone: stop them, or set a new day, with one tap each."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.planning.models import Action, PlanningRules, Task
from apps.planning.plans import change_plan, withdraw_action
from apps.planning.states import Step, next_state
from apps.planning.tasklist import change_task

PUT_OFF = timedelta(weeks=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What is asked about an action left alone, and the day one tap would set."""

    text: str
    new_day: date


def aged_action(action: Action, *, rules: PlanningRules, as_of: date) -> Aged | None:
    """None while there is no reason to ask."""
    if action.state == Action.State.PLANNED and action.planned_on is not None:
        days = (as_of - action.planned_on).days
        if days > rules.slip_days:
            text = ngettext(
                "Its start was planned for %(days)s day ago. Is it still going to happen?",
                "Its start was planned for %(days)s days ago. Is it still going to happen?",
                days,
            )
            return Aged(text=text % {"days": days}, new_day=new_day(as_of))
    if action.state == Action.State.DRAFT:
        days = (as_of - action.updated_at.date()).days
        if days > rules.draft_days:
            text = ngettext(
                "Nobody has touched this draft for %(days)s day. Do you still want it?",
                "Nobody has touched this draft for %(days)s days. Do you still want it?",
                days,
            )
            return Aged(text=text % {"days": days}, new_day=new_day(as_of))
    return None


def is_aged_task(task: Task, *, rules: PlanningRules, as_of: date) -> bool:
    since = task.due_on or task.created_at.date()
    return task.done_at is None and since < as_of - timedelta(days=rules.task_days)


def new_day(as_of: date) -> date:
    """The Monday after the next: soon, and not tomorrow."""
    return as_of - timedelta(days=as_of.weekday()) + PUT_OFF


@transaction.atomic
def put_off(*, action: Action, as_of: date, actor: User | None, seen_at: datetime | None = None) -> Action:
    """Set the start anew. Raises StepNotPossible, ActionChanged, ActionGone."""
    next_state(Step.CHANGE, action.state)
    return change_plan(action=action, changes={"planned_on": new_day(as_of)}, actor=actor, seen_at=seen_at)


@transaction.atomic
def let_go(*, action: Action, actor: User | None, seen_at: datetime | None = None) -> None:
    """Raises StepNotPossible, ActionChanged, ActionGone."""
    reason = _("Let go of when asked: it had been left alone.")
    withdraw_action(action=action, reason=reason, actor=actor, seen_at=seen_at)


@transaction.atomic
def put_off_task(*, task: Task, as_of: date, actor: User | None, seen_at: datetime | None = None) -> Task:
    """Raises TaskGone, EditConflict."""
    return change_task(task=task, changes={"due_on": new_day(as_of)}, actor=actor, seen_at=seen_at)
