"""Which step is possible in which state."""

import pytest

from apps.ideas.states import MOVES, State, Step, StepNotPossible, is_possible, next_state

ALLOWED = {
    Step.EDIT: "new in_review needs_info pilot in_library declined",
    Step.REVIEW: "new",
    Step.ASK: "new in_review pilot",
    Step.REPLY: "needs_info",
    Step.RESUME: "needs_info",
    Step.PILOT: "new in_review needs_info pilot",
    Step.PROMOTE: "new in_review needs_info pilot",
    Step.PUBLISH: "new in_review needs_info pilot",
    Step.DECLINE: "new in_review needs_info pilot",
    Step.REOPEN: "declined",
    Step.MERGE: "new in_review needs_info pilot",
    Step.UNMERGE: "merged",
}
AFTER = {
    Step.REVIEW: "in_review",
    Step.ASK: "needs_info",
    Step.REPLY: "in_review",
    Step.RESUME: "in_review",
    Step.PILOT: "pilot",
    Step.PUBLISH: "in_library",
    Step.DECLINE: "declined",
    Step.REOPEN: "in_review",
    Step.MERGE: "merged",
}


def test_every_step_is_in_the_tables():
    assert set(MOVES) == set(Step) == set(ALLOWED)


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", State)
def test_a_step_leads_where_the_table_says_or_is_refused(step, state):
    if state in ALLOWED[step].split():
        assert is_possible(step, state)
        assert next_state(step, state) == AFTER.get(step, state)
    else:
        assert not is_possible(step, state)
        with pytest.raises(StepNotPossible) as refused:
            next_state(step, state)
        assert refused.value.field == "state"
        assert len(refused.value.message) > 20
