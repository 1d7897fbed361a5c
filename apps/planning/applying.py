"""What freezes an action: applying what was planned, and noting what was done already."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.core.errors import CxplanError
from apps.ideas.models import Idea
from apps.planning.drawing import review_marks
from apps.planning.events import NotedEvent, create_event
from apps.planning.following import add_checklist, add_proof
from apps.planning.freezing import AppliedSolution, freeze, snapshot
from apps.planning.holding import insert_action, locked, record_action
from apps.planning.models import Action, Event
from apps.planning.pilots import is_tried_with
from apps.planning.rules import PlanIncomplete, check_effective_on, check_period
from apps.planning.selectors import is_undoable
from apps.planning.states import Step, next_state
from apps.taxonomy.models import Challenge


class ExternalIdTaken(CxplanError):
    code = "external_id_taken"


class TooLateToUndo(CxplanError):
    code = "too_late_to_undo"


@transaction.atomic
def log_action(
    *,
    external_id: str | None,
    unit: Unit,
    challenge: Challenge,
    solutions: Sequence[AppliedSolution],
    effective_on: date,
    ended_on: date | None = None,
    planned_on: date | None = None,
    owner: User | None = None,
    owner_label: str = "",
    cost: Decimal | None = None,
    note: str = "",
    stop_reason: str = "",
    is_randomised: bool = False,
    idea: Idea | None = None,
    as_of: date,
    actor: User | None,
) -> Action:
    """Note something that was done already, without a plan; stopped when it has an end.

    With `idea` it tried it out, when its solution is among them.

    Raises ExternalIdTaken, PlanIncomplete, SolutionNotUsable, DateNotPossible, FidelityOutOfRange.
    """
    check_effective_on(effective_on, unit=unit, as_of=as_of)
    check_period(effective_on, ended_on)
    if external_id and Action.objects.filter(external_id__iexact=external_id).exists():
        raise ExternalIdTaken(
            _("There is an action %(id)s already. Correct that one, or choose another id.") % {"id": external_id},
            field="external_id",
        )
    action = insert_action(
        external_id=external_id,
        unit=unit,
        challenge=challenge,
        target_metric=challenge.metric,
        state=Action.State.STOPPED if ended_on else Action.State.APPLIED,
        planned_on=planned_on,
        effective_on=effective_on,
        ended_on=ended_on,
        stop_reason=stop_reason.strip(),
        owner=owner,
        owner_label=owner_label,
        cost=cost,
        note=note.strip(),
        is_randomised=is_randomised,
        idea=idea if idea is not None and is_tried_with(idea, [one.solution for one in solutions]) else None,
    )
    freeze(action, solutions)
    record_action("logged", action, actor, snapshot(action))
    return action


@transaction.atomic
def log_actions(*, units: Sequence[Unit], **told: Any) -> list[Action]:
    """Note the same in each of `units`, in all of them or in none; takes and raises what `log_action` does."""
    if not units:
        raise PlanIncomplete(_("Choose where: at least one unit."), field="units")
    return [log_action(external_id=None, unit=unit, **told) for unit in dict.fromkeys(units)]


@transaction.atomic
def apply_action(
    *,
    action: Action,
    effective_on: date,
    solutions: Sequence[AppliedSolution],
    note: str = "",
    cost: Decimal | None = None,
    events: Sequence[Event] = (),
    noted: NotedEvent | None = None,
    proof: "File[bytes] | None" = None,
    steps: Sequence[Mapping[str, object]] = (),
    as_of: date,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Action:
    """Put a planned action in place: what was done, since when, and how well, is frozen from now on.

    With an `effective_on` after `as_of` the action is applied too, but has an effect only from that day.
    Raises StepNotPossible, ActionChanged, PlanIncomplete, SolutionNotUsable, DateNotPossible,
    FidelityOutOfRange, EventExists, EventEndsTooEarly, UploadRefused.
    """
    action = locked(action, seen_at=seen_at)
    state = next_state(Step.APPLY, action.state)
    check_effective_on(effective_on, unit=action.unit, as_of=as_of)
    action.state = state
    action.effective_on = effective_on
    action.target_metric = action.challenge.standing.metric
    action.note, action.cost = note.strip(), cost
    action.save(update_fields=["state", "effective_on", "target_metric", "note", "cost", "updated_at"])
    # A planned action that came in by file or API names its solutions itself; they are frozen only now.
    action.solutions.all().delete()
    freeze(action, solutions)
    if noted is not None:
        events = [*events, create_event(unit=action.unit, **asdict(noted), actor=actor)]
    action.events.set(events)
    record_action("applied", action, actor, snapshot(action))
    if proof is not None:
        add_proof(action=action, file=proof, actor=actor)
    if steps:
        add_checklist(action=action, steps=steps, actor=actor)
    review_marks(units=[action.unit], actor=actor)
    action.refresh_from_db(fields=["is_randomised", "updated_at"])
    return action


@transaction.atomic
def undo_application(
    *, action: Action, at: datetime, actor: User | None, seen_at: datetime | None = None
) -> Action:
    """Back to planned, within a day of applying or while the effective date is still to come.

    Raises ActionChanged, StepNotPossible, TooLateToUndo.
    """
    action = locked(action, seen_at=seen_at)
    state = next_state(Step.UNDO, action.state)
    if not is_undoable(action, at=at):
        raise TooLateToUndo(
            _("An application can be undone within a day. Now stop the action, or correct it with a reason.")
        )
    undone = snapshot(action)
    if action.plan is not None:
        action.solutions.all().delete()
    action.events.clear()
    action.planned_on = action.planned_on or action.effective_on
    action.state, action.effective_on, action.target_metric = state, None, None
    action.note, action.cost = "", None
    action.save(
        update_fields=["state", "planned_on", "effective_on", "target_metric", "note", "cost", "updated_at"]
    )
    record_action("undone", action, actor, undone)
    review_marks(units=[action.unit], actor=actor)
    action.refresh_from_db(fields=["is_randomised", "updated_at"])
    return action
