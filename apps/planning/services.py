"""Changes to plans and actions, each one with its audit row."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import Solution
from apps.planning.freezing import AppliedSolution, codes, freeze, link_solutions, plain, snapshot
from apps.planning.models import Action, Plan
from apps.planning.rules import (
    DateNotPossible,
    PlanIncomplete,
    check_effective_on,
    check_period,
    require_current,
    require_reason,
    require_solutions,
)
from apps.planning.selectors import is_undoable, solutions_of
from apps.planning.states import Step, next_state
from apps.taxonomy.models import Challenge


class AlreadyPlanned(CxplanError):
    code = "already_planned"


class ExternalIdTaken(CxplanError):
    code = "external_id_taken"


class ActionGone(CxplanError):
    code = "action_gone"


class TooLateToUndo(CxplanError):
    code = "too_late_to_undo"


class ActionChanged(CxplanError):
    """Somebody else saved the action after the caller had read it, at `changed_at`."""

    code = "edit_conflict"

    def __init__(self, *, changed_at: datetime) -> None:
        self.changed_at = changed_at
        super().__init__(
            _(
                "Somebody changed this action after you opened it. "
                "Your entries are still here: compare, then save again."
            )
        )


class PlanChanges(TypedDict, total=False):
    """What may change before an action is applied; a key that is absent stays as it is."""

    solutions: Sequence[Solution]
    owner: User | None
    intention: str
    intended_effect: Decimal | None
    planned_on: date | None


class ActionChanges(TypedDict, total=False):
    """What a correction may change; a key that is absent stays as it is."""

    effective_on: date
    ended_on: date | None
    challenge: Challenge
    solutions: Sequence[AppliedSolution]
    owner: User | None
    cost: Decimal | None
    note: str


@transaction.atomic
def create_plan(
    *,
    challenge: Challenge,
    units: Sequence[Unit],
    solutions: Sequence[Solution],
    owner: User | None,
    intention: str = "",
    planned_on: date | None,
    intended_effect: Decimal | None = None,
    is_randomised: bool = False,
    actor: User | None,
) -> Plan:
    """Decide to apply `solutions` to `challenge`: one planned action in each of `units`.

    Raises PlanIncomplete, ChallengeNotCurrent, SolutionNotUsable, AlreadyPlanned.
    """
    units, solutions = list(dict.fromkeys(units)), list(dict.fromkeys(solutions))
    if not units:
        raise PlanIncomplete(_("Choose where: at least one unit."), field="units")
    require_solutions(solutions)
    require_current(challenge)
    # Held so that a double tap, or a colleague at the same moment, does not plan the same thing twice.
    list(Unit.objects.select_for_update(no_key=True).filter(pk__in=[u.pk for u in units]).order_by("pk"))
    _refuse_duplicates(challenge=challenge, units=units, solutions=solutions)
    plan = Plan.objects.create(
        challenge=challenge,
        target_metric=challenge.metric,
        owner=owner,
        intention=intention.strip(),
        intended_effect=intended_effect,
        is_randomised=is_randomised,
    )
    plan.solutions.set(solutions)
    record(event="planning.plan.created", actor=actor, subject=plan, data={"challenge": challenge.code})
    for unit in units:
        action = _insert_action(
            external_id=None,
            plan=plan,
            unit=unit,
            challenge=challenge,
            state=Action.State.PLANNED,
            planned_on=planned_on,
            owner=owner,
            is_randomised=is_randomised,
        )
        _record_action("planned", action, actor, {"planned_on": planned_on, "solutions": codes(solutions)})
    return plan


@transaction.atomic
def change_plan(
    *, action: Action, changes: PlanChanges, actor: User | None, seen_at: datetime | None = None
) -> Action:
    """Change what is planned; solutions, intention and intended effect hold for all units of the plan."""
    plan = _locked_plan(action)
    action = _locked(action, seen_at=seen_at)
    next_state(Step.CHANGE, action.state)
    before, after = _set(action, ("planned_on", "owner"), changes)
    if "solutions" in changes:
        require_solutions(changes["solutions"])
        old_codes, new_codes = codes(solutions_of(action)), codes(changes["solutions"])
        if old_codes != new_codes:
            before["solutions"], after["solutions"] = old_codes, new_codes
            _plan_solutions(action, plan, changes["solutions"])
    if plan is not None:
        old, new = _set(plan, ("intention", "intended_effect"), changes)
        before, after = before | old, after | new
        plan.save(update_fields=["intention", "intended_effect", "updated_at"])
        if after.keys() - {"planned_on", "owner"}:
            # Who has another unit's action of this plan open is told, too, that it changed.
            plan.actions.exclude(pk=action.pk).update(updated_at=Now())
    action.save(update_fields=["planned_on", "owner", "updated_at"])
    if after:
        _record_action("changed", action, actor, {"before": before, "after": after})
    return action


@transaction.atomic
def withdraw_action(*, action: Action, reason: str = "", actor: User | None) -> None:
    """Take back an action that was never applied; its plan goes with its last action."""
    plan = _locked_plan(action)
    action = _locked(action)
    next_state(Step.WITHDRAW, action.state)
    _record_action(
        "withdrawn",
        action,
        actor,
        {
            "external_id": action.external_id,
            "unit": action.unit.code,
            "challenge": action.challenge.code,
            "planned_on": action.planned_on,
            "reason": reason.strip(),
        },
    )
    action.delete()
    if plan is not None and not plan.actions.exists():
        record(event="planning.plan.withdrawn", actor=actor, subject=plan, data={"reason": reason.strip()})
        plan.delete()


@transaction.atomic
def withdraw_plan(*, plan: Plan, reason: str = "", actor: User | None) -> int:
    """Take back every action of the plan that was not applied yet, and tell how many."""
    waiting = list(plan.actions.filter(state__in=[Action.State.DRAFT, Action.State.PLANNED]).order_by("pk"))
    for action in waiting:
        withdraw_action(action=action, reason=reason, actor=actor)
    return len(waiting)


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
    as_of: date,
    actor: User | None,
) -> Action:
    """Note something that was done already, without a plan; stopped when it has an end.

    Raises ExternalIdTaken, PlanIncomplete, SolutionNotUsable, DateNotPossible, FidelityOutOfRange.
    """
    check_effective_on(effective_on, unit=unit, as_of=as_of)
    check_period(effective_on, ended_on)
    if external_id and Action.objects.filter(external_id__iexact=external_id).exists():
        raise ExternalIdTaken(
            _("There is an action %(id)s already. Correct that one, or choose another id.") % {"id": external_id},
            field="external_id",
        )
    action = _insert_action(
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
    )
    freeze(action, solutions)
    _record_action("logged", action, actor, snapshot(action))
    return action


@transaction.atomic
def apply_action(
    *,
    action: Action,
    effective_on: date,
    solutions: Sequence[AppliedSolution],
    note: str = "",
    cost: Decimal | None = None,
    as_of: date,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Action:
    """Put a planned action in place: what was done, since when, and how well, is frozen from now on.

    With an `effective_on` after `as_of` the action is applied too, but has an effect only from that day.
    Raises StepNotPossible, ActionChanged, PlanIncomplete, SolutionNotUsable, DateNotPossible,
    FidelityOutOfRange.
    """
    action = _locked(action, seen_at=seen_at)
    state = next_state(Step.APPLY, action.state)
    check_effective_on(effective_on, unit=action.unit, as_of=as_of)
    action.state = state
    action.effective_on = effective_on
    action.target_metric = action.challenge.metric
    action.note, action.cost = note.strip(), cost
    action.save(update_fields=["state", "effective_on", "target_metric", "note", "cost", "updated_at"])
    # A planned action that came in by file or API names its solutions itself; they are frozen only now.
    action.solutions.all().delete()
    freeze(action, solutions)
    _record_action("applied", action, actor, snapshot(action))
    return action


@transaction.atomic
def undo_application(*, action: Action, at: datetime, actor: User | None) -> Action:
    """Back to planned, within a day of applying or while the effective date is still to come.

    Raises StepNotPossible, TooLateToUndo.
    """
    action = _locked(action)
    state = next_state(Step.UNDO, action.state)
    if not is_undoable(action, at=at):
        raise TooLateToUndo(
            _("An application can be undone within a day. Now stop the action, or correct it with a reason.")
        )
    undone = snapshot(action)
    if action.plan is not None:
        action.solutions.all().delete()
    action.planned_on = action.planned_on or action.effective_on
    action.state, action.effective_on, action.target_metric = state, None, None
    action.note, action.cost = "", None
    action.save(
        update_fields=["state", "planned_on", "effective_on", "target_metric", "note", "cost", "updated_at"]
    )
    _record_action("undone", action, actor, undone)
    return action


@transaction.atomic
def correct_action(
    *,
    action: Action,
    changes: ActionChanges,
    reason: str,
    as_of: date,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Action:
    """Set right what was recorded of an applied action; the audit row keeps the old and the new.

    A solution that stays keeps its frozen version. Another challenge brings its own target metric.
    Clearing the end of a stopped action puts it back in place.
    Raises StepNotPossible, ActionChanged, ReasonMissing and what `apply_action` raises.
    """
    action = _locked(action, seen_at=seen_at)
    next_state(Step.CORRECT, action.state)
    require_reason(reason)
    before = snapshot(action)
    _set(action, ("effective_on", "ended_on", "owner", "cost"), changes)
    if "note" in changes:
        action.note = changes["note"].strip()
    if "challenge" in changes and changes["challenge"] != action.challenge:
        action.challenge = changes["challenge"]
        action.target_metric = action.challenge.metric
    assert action.effective_on is not None
    check_effective_on(action.effective_on, unit=action.unit, as_of=as_of)
    check_period(action.effective_on, action.ended_on)
    if action.ended_on and action.state != Action.State.STOPPED:
        raise DateNotPossible(_("Only a stopped action has an end. Stop it instead."), field="ended_on")
    if action.state == Action.State.STOPPED and action.ended_on is None:
        action.state, action.stop_reason = Action.State.APPLIED, ""
    action.save(
        update_fields=[
            "effective_on", "ended_on", "owner", "cost", "note", "challenge", "target_metric", "state",
            "stop_reason", "updated_at",
        ]
    )  # fmt: skip
    if "solutions" in changes:
        kept = {used.version.solution_id: used.version for used in action.solutions.select_related("version")}
        action.solutions.all().delete()
        freeze(action, changes["solutions"], kept=kept)
    elif "challenge" in changes:
        link_solutions(
            action.challenge, [used.version.solution_id for used in action.solutions.select_related("version")]
        )
    after = snapshot(action)
    changed = [name for name in after if before[name] != after[name]]
    if changed:
        _record_action(
            "corrected",
            action,
            actor,
            {
                "reason": reason.strip(),
                "before": {name: before[name] for name in changed},
                "after": {name: after[name] for name in changed},
            },
        )
    return action


@transaction.atomic
def sustain_action(*, action: Action, as_of: date, actor: User | None) -> Action:
    """Keep what was applied as the unit's standard."""
    action = _locked(action)
    state = next_state(Step.SUSTAIN, action.state)
    if action.effective_on is not None and action.effective_on > as_of:
        raise DateNotPossible(
            _("It has not taken effect yet. Decide once it has been in place for a while."), field="effective_on"
        )
    action.state = state
    action.save(update_fields=["state", "updated_at"])
    _record_action("sustained", action, actor, {})
    return action


@transaction.atomic
def stop_action(
    *,
    action: Action,
    ended_on: date,
    reason: str,
    as_of: date,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Action:
    """End an applied action; `ended_on` is the first day without it.

    Raises StepNotPossible, ActionChanged, ReasonMissing, DateNotPossible.
    """
    action = _locked(action, seen_at=seen_at)
    state = next_state(Step.STOP, action.state)
    require_reason(reason)
    if ended_on > as_of:
        raise DateNotPossible(_("An end lies in the past or today."), field="ended_on")
    check_period(action.effective_on, ended_on)
    action.state, action.ended_on, action.stop_reason = state, ended_on, reason.strip()
    action.save(update_fields=["state", "ended_on", "stop_reason", "updated_at"])
    _record_action("stopped", action, actor, {"ended_on": ended_on, "reason": reason.strip()})
    return action


def _locked(action: Action, *, seen_at: datetime | None = None) -> Action:
    """The action as it stands in the database, held until the end of the transaction."""
    rows = Action.objects.select_for_update(of=("self",)).select_related(
        "unit", "challenge__metric", "plan", "owner"
    )
    current = rows.filter(pk=action.pk).first()
    if current is None:
        raise ActionGone(_("Somebody withdrew this action meanwhile."))
    if seen_at is not None and current.updated_at != seen_at:
        raise ActionChanged(changed_at=current.updated_at)
    return current


def _locked_plan(action: Action) -> Plan | None:
    """The plan, held; always taken before the action, so that two changes never wait for each other."""
    if action.plan_id is None:
        return None
    return Plan.objects.select_for_update().filter(pk=action.plan_id).first()


def _plan_solutions(action: Action, plan: Plan | None, solutions: Sequence[Solution]) -> None:
    """Change what is planned; an action without a plan names its solutions itself."""
    if plan is not None:
        plan.solutions.set(solutions)
        return
    action.solutions.all().delete()
    freeze(action, [AppliedSolution(solution=solution) for solution in solutions])


def _insert_action(*, external_id: str | None, **fields: Any) -> Action:
    if external_id:
        return Action.objects.create(external_id=external_id, **fields)
    with connection.cursor() as cursor:
        # Ids come from the table's own sequence, so two people at once never get the same one; an
        # imported id that happens to look like ours is passed over.
        while True:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('planning_action', 'id'))")
            key = cursor.fetchone()[0]
            external_id = f"A-{key:06d}"
            if not Action.objects.filter(external_id__iexact=external_id).exists():
                return Action.objects.create(pk=key, external_id=external_id, **fields)


def _refuse_duplicates(*, challenge: Challenge, units: Sequence[Unit], solutions: Sequence[Solution]) -> None:
    wanted = {solution.pk for solution in solutions}
    waiting = Action.objects.filter(
        challenge=challenge,
        unit__in=units,
        state__in=[Action.State.DRAFT, Action.State.PLANNED],
        plan__isnull=False,
    )
    for action in waiting.select_related("unit", "plan").prefetch_related("plan__solutions"):
        assert action.plan is not None
        if {solution.pk for solution in action.plan.solutions.all()} == wanted:
            raise AlreadyPlanned(
                _("This is already planned in %(unit)s as %(id)s.")
                % {"unit": action.unit.display_name, "id": action.external_id},
                field="units",
            )


def _set(
    target: Action | Plan, names: Sequence[str], changes: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take over the named changes; the old and the new value of each that differs."""
    differing = [name for name in names if name in changes and getattr(target, name) != changes[name]]
    before = {name: plain(getattr(target, name)) for name in differing}
    for name in differing:
        setattr(target, name, changes[name])
    return before, {name: plain(changes[name]) for name in differing}


def _record_action(what: str, action: Action, actor: User | None, data: dict[str, Any]) -> None:
    record(event=f"planning.action.{what}", actor=actor, subject=action, data=data)
