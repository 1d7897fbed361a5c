"""The table of states: every pair of step and state is either allowed or refused with a way out."""

import pytest

from apps.planning.models import Action
from apps.planning.states import Step, StepNotPossible, is_possible, next_state

State = Action.State
ALLOWED = {
    (Step.PLAN, State.DRAFT): State.PLANNED,
    (Step.CHANGE, State.DRAFT): State.DRAFT,
    (Step.CHANGE, State.PLANNED): State.PLANNED,
    (Step.WITHDRAW, State.DRAFT): State.DRAFT,
    (Step.WITHDRAW, State.PLANNED): State.PLANNED,
    (Step.APPLY, State.DRAFT): State.APPLIED,
    (Step.APPLY, State.PLANNED): State.APPLIED,
    (Step.UNDO, State.APPLIED): State.PLANNED,
    (Step.CORRECT, State.APPLIED): State.APPLIED,
    (Step.CORRECT, State.SUSTAINED): State.SUSTAINED,
    (Step.CORRECT, State.STOPPED): State.STOPPED,
    (Step.SUSTAIN, State.APPLIED): State.SUSTAINED,
    (Step.STOP, State.APPLIED): State.STOPPED,
    (Step.STOP, State.SUSTAINED): State.STOPPED,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
def test_each_step_leads_where_the_table_says_or_is_refused(step: Step, state: State) -> None:
    expected = ALLOWED.get((step, state))

    assert is_possible(step, state) is (expected is not None)
    if expected is not None:
        assert next_state(step, state) == expected
    else:
        with pytest.raises(StepNotPossible) as refusal:
            next_state(step, state)
        assert refusal.value.message.endswith(".")
