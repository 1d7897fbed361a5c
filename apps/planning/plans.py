"""Changes to plans that were not applied yet, each one with its audit row."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.ideas.models import Idea
from apps.library.models import Solution
from apps.planning.focuses import FocusLimit, check_focus
from apps.planning.freezing import AppliedSolution, codes, freeze
from apps.planning.holding import held_plan, insert_action, locked, locked_plan, record_action, set_fields
from apps.planning.models import Action, Plan
from apps.planning.pilots import is_tried_with, let_go_of_idea
from apps.planning.rules import PlanIncomplete, require_current, require_solutions
from apps.planning.selectors import solutions_of
from apps.planning.states import Step, next_state
from apps.taxonomy.models import Challenge


class AlreadyPlanned(CxplanError):
    code = "already_planned"


class PlanChanges(TypedDict, total=False):
    """What may change before an action is applied; a key that is absent stays as it is."""

    solutions: Sequence[Solution]
    owner: User | None
    intention: str
    intended_effect: Decimal | None
    planned_on: date | None


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
    focus_reason: str = "",
    focus: FocusLimit | None = None,
    idea: Idea | None = None,
    actor: User | None,
) -> Plan:
    """Decide to apply `solutions` to `challenge`: one planned action in each of `units`.

    With `idea` they try it out, when its solution is among them.

    Raises PlanIncomplete, ChallengeNotCurrent, SolutionNotUsable, AlreadyPlanned; TooManyFocuses with a
    limit and without a reason.
    """
    units, solutions = list(dict.fromkeys(units)), list(dict.fromkeys(solutions))
    if not units:
        raise PlanIncomplete(_("Choose where: at least one unit."), field="units")
    require_solutions(solutions)
    require_current(challenge)
    # Held so that a double tap, or a colleague at the same moment, does not plan the same thing twice.
    list(Unit.objects.select_for_update(no_key=True).filter(pk__in=[u.pk for u in units]).order_by("pk"))
    refuse_duplicates(challenge=challenge, units=units, solutions=solutions)
    if focus is not None:
        check_focus(units=units, challenge=challenge, limit=focus, reason=focus_reason)
    plan = Plan.objects.create(
        challenge=challenge,
        target_metric=challenge.metric,
        owner=owner,
        intention=intention.strip(),
        intended_effect=intended_effect,
        is_randomised=is_randomised,
        focus_reason=focus_reason.strip(),
    )
    plan.solutions.set(solutions)
    if idea is not None and not is_tried_with(idea, solutions):
        idea = None
    data = {"challenge": challenge.code, "idea": idea.pk if idea else None}
    record(event="planning.plan.created", actor=actor, subject=plan, data=data)
    for unit in units:
        action = insert_action(
            external_id=None,
            plan=plan,
            unit=unit,
            challenge=challenge,
            state=Action.State.PLANNED,
            planned_on=planned_on,
            owner=owner,
            is_randomised=is_randomised,
            idea=idea,
        )
        record_action("planned", action, actor, {"planned_on": planned_on, "solutions": codes(solutions)})
    return plan


@transaction.atomic
def change_plan(
    *, action: Action, changes: PlanChanges, actor: User | None, seen_at: datetime | None = None
) -> Action:
    """Change what is planned; solutions, intention and intended effect hold for all units of the plan."""
    plan = locked_plan(action)
    action = locked(action, seen_at=seen_at)
    next_state(Step.CHANGE, action.state)
    before, after = set_fields(action, ("planned_on", "owner"), changes)
    if "solutions" in changes:
        require_solutions(changes["solutions"])
        old_codes, new_codes = codes(solutions_of(action)), codes(changes["solutions"])
        if old_codes != new_codes:
            before["solutions"], after["solutions"] = old_codes, new_codes
            _plan_solutions(action, plan, changes["solutions"])
    if plan is not None:
        old, new = set_fields(plan, ("intention", "intended_effect"), changes)
        before, after = before | old, after | new
        plan.save(update_fields=["intention", "intended_effect", "updated_at"])
        if after.keys() - {"planned_on", "owner"}:
            # Who has another unit's action of this plan open is told, too, that it changed.
            plan.actions.exclude(pk=action.pk).update(updated_at=Now())
    action.save(update_fields=["planned_on", "owner", "updated_at"])
    if after:
        record_action("changed", action, actor, {"before": before, "after": after})
    return action


@transaction.atomic
def withdraw_action(
    *, action: Action, reason: str = "", actor: User | None, seen_at: datetime | None = None
) -> None:
    """Take back an action that was never applied; its plan goes with its last action."""
    plan = locked_plan(action)
    action = locked(action, seen_at=seen_at)
    next_state(Step.WITHDRAW, action.state)
    record_action(
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
def withdraw_plan(*, plan: Plan, reason: str = "", actor: User | None, seen_at: datetime | None = None) -> int:
    """Take back every action of the plan that was not applied yet, and tell how many.

    Raises PlanGone, PlanChanged.
    """
    plan = held_plan(plan, seen_at=seen_at)
    waiting = list(plan.actions.filter(state__in=[Action.State.DRAFT, Action.State.PLANNED]).order_by("pk"))
    for action in waiting:
        withdraw_action(action=action, reason=reason, actor=actor)
    return len(waiting)


def _plan_solutions(action: Action, plan: Plan | None, solutions: Sequence[Solution]) -> None:
    """Change what is planned; an action without a plan names its solutions itself."""
    if plan is not None:
        plan.solutions.set(solutions)
        let_go_of_idea(plan, solutions)
        return
    action.solutions.all().delete()
    freeze(action, [AppliedSolution(solution=solution) for solution in solutions])


def refuse_duplicates(
    *, challenge: Challenge, units: Sequence[Unit], solutions: Sequence[Solution], without: Plan | None = None
) -> None:
    """Raises AlreadyPlanned when the same waits in one of the units, in another plan than `without`."""
    wanted = {solution.pk for solution in solutions}
    waiting = Action.objects.filter(
        challenge__in=Challenge.objects.standing_for(challenge),
        unit__in=units,
        state__in=[Action.State.DRAFT, Action.State.PLANNED],
        plan__isnull=False,
    )
    if without is not None:
        waiting = waiting.exclude(plan=without)
    for action in waiting.select_related("unit", "plan").prefetch_related("plan__solutions"):
        assert action.plan is not None
        if {solution.pk for solution in action.plan.solutions.all()} == wanted:
            raise AlreadyPlanned(
                _("This is already planned in %(unit)s as %(id)s.")
                % {"unit": action.unit.display_name, "id": action.external_id},
                field="units",
            )
