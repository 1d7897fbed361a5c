"""Changes to a plan in many units: a start for each, units that join, and those due applied at once."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.planning.applying import apply_action
from apps.planning.drawing import review_marks
from apps.planning.focuses import FocusLimit, check_focus
from apps.planning.freezing import AppliedSolution, codes
from apps.planning.holding import held_plan, insert_action, locked, record_action
from apps.planning.models import Action, Plan, Task
from apps.planning.plans import refuse_duplicates
from apps.planning.rules import PLANNED_AHEAD, DateNotPossible, PlanIncomplete, require_current
from apps.planning.states import OPEN


class DrawStands(CxplanError):
    code = "draw_stands"


@transaction.atomic
def set_starts(
    *, plan: Plan, starts: Mapping[int, date], as_of: date, actor: User | None, seen_at: datetime | None = None
) -> int:
    """Give waiting actions of the plan, by their id, a start each; returns how many changed.

    Raises PlanGone, PlanChanged, DateNotPossible; DrawStands when the order was drawn by lot.
    """
    plan = held_plan(plan, seen_at=seen_at)
    if plan.draws.filter(replaced_at=None).exists():
        raise DrawStands(_("The order was drawn by lot. Draw again with a reason, or change the day of one unit."))
    return _set_starts(plan, starts, as_of=as_of, actor=actor)


@transaction.atomic
def move_start(
    *, action: Action, planned_on: date, as_of: date, actor: User | None, seen_at: datetime | None = None
) -> None:
    """Another start in one unit; where it was drawn by lot, its mark is withheld from then on.

    Raises PlanGone, ActionGone, ActionChanged, DateNotPossible.
    """
    assert action.plan is not None
    plan = held_plan(action.plan)
    locked(action, seen_at=seen_at)
    _set_starts(plan, {action.pk: planned_on}, as_of=as_of, actor=actor)
    review_marks(units=[action.unit], actor=actor)


@transaction.atomic
def add_units(
    *,
    plan: Plan,
    units: Sequence[Unit],
    planned_on: date,
    focus: FocusLimit,
    focus_reason: str = "",
    actor: User | None,
    seen_at: datetime | None = None,
) -> list[Action]:
    """Take the plan to more units; those who join after a draw are no part of it.

    Raises PlanGone, PlanChanged, PlanIncomplete, ChallengeNotCurrent, AlreadyPlanned, TooManyFocuses,
    DateNotPossible.
    """
    plan = held_plan(plan, seen_at=seen_at)
    _check_start(planned_on, as_of=focus.as_of)
    require_current(plan.challenge)
    known = set(plan.actions.values_list("unit_id", flat=True))
    joining = [unit for unit in dict.fromkeys(units) if unit.pk not in known]
    if not joining:
        raise PlanIncomplete(_("Choose at least one unit that is not part of the plan yet."), field="units")
    list(Unit.objects.select_for_update(no_key=True).filter(pk__in=[u.pk for u in joining]).order_by("pk"))
    solutions = list(plan.solutions.all())
    refuse_duplicates(challenge=plan.challenge, units=joining, solutions=solutions, without=plan)
    check_focus(units=joining, challenge=plan.challenge, limit=focus, reason=focus_reason)
    is_agreed = plan.stage == Plan.Stage.AGREED
    first = plan.actions.order_by("pk").first()
    titles = list(first.tasks.order_by("position", "pk").values_list("title", flat=True)) if first else []
    added = []
    for unit in joining:
        action = insert_action(
            external_id=None,
            plan=plan,
            unit=unit,
            challenge=plan.challenge,
            state=Action.State.PLANNED if is_agreed else Action.State.DRAFT,
            planned_on=planned_on,
            owner=plan.owner,
            idea=first.idea if first else None,
        )
        Task.objects.bulk_create(
            [
                Task(action=action, title=title, assignee=plan.owner, due_on=planned_on, position=position)
                for position, title in enumerate(titles)
            ]
        )
        data = {"planned_on": planned_on, "solutions": codes(solutions)}
        record_action("planned" if is_agreed else "drafted", action, actor, data)
        added.append(action)
    plan.save(update_fields=["updated_at"])
    data = {"units": [unit.code for unit in joining]}
    record(event="planning.plan.units_added", actor=actor, subject=plan, data=data)
    return added


@transaction.atomic
def apply_due(
    *,
    plan: Plan,
    actions: Sequence[Action],
    as_of: date,
    actor: User | None,
    seen_at: datetime | None = None,
) -> list[Action]:
    """Put in place today, with the solutions as planned, those of `actions` that are due; returns them.

    Raises PlanGone, PlanChanged, and what `apply_action` raises.
    """
    plan = held_plan(plan, seen_at=seen_at)
    solutions = list(plan.solutions.all())
    due = plan.actions.filter(
        pk__in=[action.pk for action in actions], state=Action.State.PLANNED, planned_on__lte=as_of
    )
    return [
        apply_action(
            action=action,
            effective_on=as_of,
            solutions=[AppliedSolution(solution=solution) for solution in solutions],
            as_of=as_of,
            actor=actor,
        )
        for action in due.order_by("pk")
    ]


def _set_starts(plan: Plan, starts: Mapping[int, date], *, as_of: date, actor: User | None) -> int:
    changed = 0
    waiting = plan.actions.select_for_update(of=("self",)).filter(pk__in=starts, state__in=OPEN)
    for action in waiting.select_related("unit").order_by("pk"):
        start = starts[action.pk]
        if action.planned_on == start:
            continue
        _check_start(start, as_of=as_of)
        before = action.planned_on
        action.planned_on = start
        action.save(update_fields=["planned_on", "updated_at"])
        data = {"before": {"planned_on": before}, "after": {"planned_on": start}}
        record_action("changed", action, actor, data)
        changed += 1
    if changed:
        plan.save(update_fields=["updated_at"])
    return changed


def _check_start(start: date, *, as_of: date) -> None:
    if start < as_of:
        raise DateNotPossible(_("The planned start is over. Choose a day to come."), field="planned_on")
    if start > as_of + PLANNED_AHEAD:
        raise DateNotPossible(_("This date is more than two years ahead. Check the year."), field="planned_on")
