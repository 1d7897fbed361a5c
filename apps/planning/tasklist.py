"""Changes to the tasks of an action, each one with its audit row."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypedDict

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.errors import CxplanError
from apps.planning.freezing import plain
from apps.planning.holding import EditConflict, record_action
from apps.planning.models import Action, Task

TASKS_AT_MOST = 50


class TaskUntold(CxplanError):
    code = "task_untold"


class TooManyTasks(CxplanError):
    code = "too_many_tasks"


class TaskGone(CxplanError):
    code = "task_gone"


class TaskChanges(TypedDict, total=False):
    """What may change of a task; a key that is absent stays as it is."""

    title: str
    assignee: User | None
    due_on: date | None
    position: int


def set_open_tasks(*, action: Action, titles: Sequence[str]) -> None:
    """What is to be done for a draft, in this order; a task whose words stay keeps its person and its day.

    Called within the change that the titles belong to, which leaves the audit row.
    """
    kept = {task.title: task for task in action.tasks.open()}
    wanted = list(dict.fromkeys(title.strip() for title in titles if title.strip()))[:TASKS_AT_MOST]
    action.tasks.open().exclude(title__in=wanted).delete()
    rows = []
    for position, title in enumerate(wanted):
        task = kept.get(title) or Task(action=action, title=title, assignee=action.owner)
        task.position = position
        task.due_on = task.due_on or action.planned_on
        rows.append(task)
    Task.objects.bulk_create([task for task in rows if task.pk is None])
    Task.objects.bulk_update([task for task in rows if task.pk is not None], ["position", "due_on"])


@transaction.atomic
def add_task(
    *,
    action: Action,
    title: str,
    assignee: User | None = None,
    due_on: date | None = None,
    actor: User | None,
) -> Task:
    """Raises TaskUntold, TooManyTasks."""
    # Held so that two people adding at once do not get the same place.
    Action.objects.select_for_update(no_key=True).get(pk=action.pk)
    positions = list(action.tasks.values_list("position", flat=True))
    if len(positions) >= TASKS_AT_MOST:
        raise TooManyTasks(_("This action has many tasks already. Finish some, or put several into one."))
    task = Task.objects.create(
        action=action,
        title=_said(title),
        assignee=assignee,
        due_on=due_on,
        position=max(positions, default=-1) + 1,
    )
    _record("added", task, actor, {"due_on": plain(due_on), "assignee": plain(assignee)})
    return task


@transaction.atomic
def change_task(*, task: Task, changes: TaskChanges, actor: User | None, seen_at: datetime | None = None) -> Task:
    """Raises TaskGone, EditConflict, TaskUntold."""
    task = _held(task, seen_at=seen_at)
    if "title" in changes:
        changes["title"] = _said(changes["title"])
    names = [name for name in ("title", "assignee", "due_on") if name in changes]
    before = {name: plain(getattr(task, name)) for name in names}
    for name in names:
        setattr(task, name, changes[name])
    task.save(update_fields=["title", "assignee", "due_on", "updated_at"])
    if "position" in changes:
        move_task(task=task, position=changes["position"], actor=actor)
    after = {name: plain(getattr(task, name)) for name in names}
    if before != after:
        _record("changed", task, actor, {"before": before, "after": after})
    return task


@transaction.atomic
def move_task(*, task: Task, position: int, actor: User | None, seen_at: datetime | None = None) -> None:
    """To the place `position` among the action's tasks, counted from 0. Raises TaskGone, EditConflict."""
    Action.objects.select_for_update(no_key=True).get(pk=task.action_id)
    task = _held(task, seen_at=seen_at)
    others = list(Task.objects.filter(action=task.action_id).exclude(pk=task.pk).order_by("position", "pk"))
    others.insert(max(0, min(position, len(others))), task)
    for place, one in enumerate(others):
        one.position = place
    Task.objects.bulk_update(others, ["position"])
    _record("moved", task, actor, {"position": task.position})


@transaction.atomic
def finish_task(*, task: Task, at: datetime, actor: User | None, seen_at: datetime | None = None) -> Task:
    """Tick it off; a task that is done already stays as it was. Raises TaskGone, EditConflict."""
    task = _held(task, seen_at=seen_at)
    if task.done_at is None:
        task.done_at, task.done_by = at, actor
        task.save(update_fields=["done_at", "done_by", "updated_at"])
        _record("done", task, actor, {})
    return task


@transaction.atomic
def reopen_task(*, task: Task, actor: User | None, seen_at: datetime | None = None) -> Task:
    """Raises TaskGone, EditConflict."""
    task = _held(task, seen_at=seen_at)
    if task.done_at is not None:
        task.done_at = task.done_by = None
        task.save(update_fields=["done_at", "done_by", "updated_at"])
        _record("reopened", task, actor, {})
    return task


@transaction.atomic
def remove_task(*, task: Task, actor: User | None, seen_at: datetime | None = None) -> None:
    """Raises TaskGone, EditConflict."""
    task = _held(task, seen_at=seen_at)
    _record("removed", task, actor, {})
    task.delete()


def _held(task: Task, *, seen_at: datetime | None = None) -> Task:
    rows = Task.objects.select_for_update(of=("self",)).select_related("action", "assignee")
    current = rows.filter(pk=task.pk).first()
    if current is None:
        raise TaskGone(_("Somebody removed this task meanwhile."))
    if seen_at is not None and current.updated_at != seen_at:
        raise EditConflict(version=current.updated_at.isoformat())
    return current


def _said(title: str) -> str:
    if not title.strip():
        raise TaskUntold(_("Say what is to be done."), field="title")
    return title.strip()


def _record(what: str, task: Task, actor: User | None, data: dict[str, Any]) -> None:
    record_action(f"task_{what}", task.action, actor, {"task": task.title, **data})
