"""What the page of an action tells of its tasks, check-ins and proofs."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from apps.core.formats import day_as_said
from apps.planning.ageing import Aged, aged_action, is_aged_task, new_day
from apps.planning.focuses import planning_rules
from apps.planning.models import Action, CheckIn, Proof, Task
from apps.planning.rhythm import check_in_due, next_check_in
from apps.planning.states import IN_EFFECT

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    pk: int
    updated_at: datetime
    title: str
    assignee: str
    when: str
    is_done: bool
    is_late: bool
    is_aged: bool
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInRow:
    when: str
    person: str
    happening: str
    working: str
    obstacle: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """`due_on` is the check-in that is asked for now; `new_day` what a tap on "reschedule" sets."""

    tasks: tuple[TaskRow, ...]
    done_count: int
    check_ins: tuple[CheckInRow, ...]
    proofs: tuple[Proof, ...]
    may_check_in: bool
    due_on: date | None
    next_on: date | None
    aged: Aged | None
    new_day: date


def followed(action: Action, *, as_of: date) -> Followed:
    """Four queries; expects `with_solutions`."""
    rules = planning_rules()
    tasks = list(action.tasks.select_related("assignee", "done_by").order_by("position", "pk"))
    check_ins = list(action.check_ins.select_related("person").order_by("-made_on", "-pk")[:SHOWN])
    every = action.plan.rhythm_weeks if action.plan else None
    runs = action.state in IN_EFFECT and action.effective_on is not None
    due_on = next_on = None
    if action.state == Action.State.APPLIED and action.effective_on is not None:
        last_on = check_ins[0].made_on if check_ins else None
        due_on = check_in_due(action.effective_on, every_weeks=every, last_on=last_on, as_of=as_of)
        next_on = next_check_in(action.effective_on, every_weeks=every, as_of=as_of)
    return Followed(
        tasks=tuple(
            TaskRow(
                pk=task.pk,
                updated_at=task.updated_at,
                title=task.title,
                assignee=str(task.assignee or ""),
                when=_when(task, as_of),
                is_done=task.done_at is not None,
                is_late=task.done_at is None and task.due_on is not None and task.due_on < as_of,
                is_aged=is_aged_task(task, rules=rules, as_of=as_of),
                is_first=number == 0,
                is_last=number == len(tasks) - 1,
            )
            for number, task in enumerate(tasks)
        ),
        done_count=sum(task.done_at is not None for task in tasks),
        check_ins=tuple(_row(made, as_of) for made in check_ins),
        proofs=tuple(action.proofs.order_by("-created_at", "-pk")[:SHOWN]),
        may_check_in=runs,
        due_on=due_on,
        next_on=next_on,
        aged=aged_action(action, rules=rules, as_of=as_of),
        new_day=new_day(as_of),
    )


def _when(task: Task, as_of: date) -> str:
    if task.done_at is not None:
        return _("done %(day)s") % {"day": day_as_said(task.done_at.date(), as_of)}
    return _("due %(day)s") % {"day": day_as_said(task.due_on, as_of)} if task.due_on else ""


def _row(made: CheckIn, as_of: date) -> CheckInRow:
    return CheckInRow(
        when=day_as_said(made.made_on, as_of),
        person=str(made.person or ""),
        happening=made.get_happening_display(),
        working=made.get_working_display(),
        obstacle="" if made.obstacle == CheckIn.Obstacle.NONE else made.get_obstacle_display(),
        note=made.note,
    )
