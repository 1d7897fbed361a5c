"""Which state an action may go to next, and what each step is called."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from apps.core.errors import CxplanError
from apps.planning.models import Action

State = Action.State


class Step(StrEnum):
    """What a person does to an action; `move` maps it to the state that follows."""

    PLAN = "plan"
    CHANGE = "change"
    WITHDRAW = "withdraw"
    APPLY = "apply"
    UNDO = "undo"
    CORRECT = "correct"
    SUSTAIN = "sustain"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """`to` is None when the step leaves the state as it is, or removes the action."""

    sources: tuple[State, ...]
    to: State | None


OPEN = (State.DRAFT, State.PLANNED)
IN_EFFECT = (State.APPLIED, State.SUSTAINED)
FROZEN = (State.APPLIED, State.SUSTAINED, State.STOPPED)

MOVES: dict[Step, Move] = {
    Step.PLAN: Move(sources=(State.DRAFT,), to=State.PLANNED),
    Step.CHANGE: Move(sources=OPEN, to=None),
    Step.WITHDRAW: Move(sources=OPEN, to=None),
    Step.APPLY: Move(sources=OPEN, to=State.APPLIED),
    Step.UNDO: Move(sources=(State.APPLIED,), to=State.PLANNED),
    Step.CORRECT: Move(sources=FROZEN, to=None),
    Step.SUSTAIN: Move(sources=(State.APPLIED,), to=State.SUSTAINED),
    Step.STOP: Move(sources=IN_EFFECT, to=State.STOPPED),
}


class StepNotPossible(CxplanError):
    code = "step_not_possible"


def is_possible(step: Step, state: str) -> bool:
    return state in MOVES[step].sources


def next_state(step: Step, state: str) -> State:
    """The state after `step`; raises StepNotPossible when `state` does not allow it."""
    move = MOVES[step]
    if state not in move.sources:
        raise StepNotPossible(_refusal(step, State(state)), field="state")
    return move.to or State(state)


def _refusal(step: Step, state: State) -> str:
    if step in (Step.CHANGE, Step.WITHDRAW):
        return _("This action has been applied, so its plan is frozen. Correct it with a reason instead.")
    if step == Step.CORRECT:
        return _("This action has not been applied yet. Change its plan instead.")
    if step == Step.APPLY and state in IN_EFFECT:
        return _("This action is already applied. Correct it with a reason if something is wrong.")
    if state in OPEN:
        return _("This action has not been applied yet. Apply it first.")
    if state == State.STOPPED:
        return _("This action was stopped. Plan a new one to take it up again.")
    return _("This is not possible while the action is “%(state)s”.") % {"state": state.label}
