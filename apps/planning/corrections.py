"""What may still change once an action is frozen: corrections with a reason, keeping it, stopping it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.planning.freezing import AppliedSolution, freeze, link_solutions, snapshot
from apps.planning.holding import locked, record_action, set_fields
from apps.planning.models import Action, Event
from apps.planning.rules import DateNotPossible, check_effective_on, check_period, require_reason
from apps.planning.states import Step, next_state
from apps.taxonomy.models import Challenge


class ActionChanges(TypedDict, total=False):
    """What a correction may change; a key that is absent stays as it is."""

    effective_on: date
    ended_on: date | None
    challenge: Challenge
    solutions: Sequence[AppliedSolution]
    owner: User | None
    cost: Decimal | None
    note: str
    events: Sequence[Event]


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
    action = locked(action, seen_at=seen_at)
    next_state(Step.CORRECT, action.state)
    require_reason(reason)
    before = snapshot(action)
    set_fields(action, ("effective_on", "ended_on", "owner", "cost"), changes)
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
    if "events" in changes:
        action.events.set(changes["events"])
    after = snapshot(action)
    changed = [name for name in after if before[name] != after[name]]
    if changed:
        record_action(
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
def sustain_action(*, action: Action, as_of: date, actor: User | None, seen_at: datetime | None = None) -> Action:
    """Keep what was applied as the unit's standard. Raises ActionChanged, StepNotPossible, DateNotPossible."""
    action = locked(action, seen_at=seen_at)
    state = next_state(Step.SUSTAIN, action.state)
    if action.effective_on is not None and action.effective_on > as_of:
        raise DateNotPossible(
            _("It has not taken effect yet. Decide once it has been in place for a while."), field="effective_on"
        )
    action.state = state
    action.save(update_fields=["state", "updated_at"])
    record_action("sustained", action, actor, {})
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
    action = locked(action, seen_at=seen_at)
    state = next_state(Step.STOP, action.state)
    require_reason(reason)
    if ended_on > as_of:
        raise DateNotPossible(_("An end lies in the past or today."), field="ended_on")
    check_period(action.effective_on, ended_on)
    action.state, action.ended_on, action.stop_reason = state, ended_on, reason.strip()
    action.save(update_fields=["state", "ended_on", "stop_reason", "updated_at"])
    record_action("stopped", action, actor, {"ended_on": ended_on, "reason": reason.strip()})
    return action
