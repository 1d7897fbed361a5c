"""Which state an idea may go to next, who takes the step, and how long it may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

from apps.core.errors import CxplanError
from apps.ideas.models import Idea

State = Idea.State


class Step(StrEnum):
    """What a person, or the clock, does to an idea; `MOVES` tells the state that follows."""

    EDIT = "edit"
    REVIEW = "review"
    ASK = "ask"
    REPLY = "reply"
    RESUME = "resume"
    PILOT = "pilot"
    PROMOTE = "promote"
    PUBLISH = "publish"
    DECLINE = "decline"
    REOPEN = "reopen"
    MERGE = "merge"
    UNMERGE = "unmerge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """`to` is None when the step leaves the state as it is, or brings back the one before."""

    sources: tuple[State, ...]
    to: State | None


UNDECIDED = (State.NEW, State.IN_REVIEW, State.NEEDS_INFO, State.PILOT)

MOVES: Mapping[Step, Move] = {
    Step.EDIT: Move(sources=(*UNDECIDED, State.IN_LIBRARY, State.DECLINED), to=None),
    Step.REVIEW: Move(sources=(State.NEW,), to=State.IN_REVIEW),
    Step.ASK: Move(sources=(State.NEW, State.IN_REVIEW, State.PILOT), to=State.NEEDS_INFO),
    Step.REPLY: Move(sources=(State.NEEDS_INFO,), to=State.IN_REVIEW),
    Step.RESUME: Move(sources=(State.NEEDS_INFO,), to=State.IN_REVIEW),
    Step.PILOT: Move(sources=UNDECIDED, to=State.PILOT),
    Step.PROMOTE: Move(sources=UNDECIDED, to=None),
    Step.PUBLISH: Move(sources=UNDECIDED, to=State.IN_LIBRARY),
    Step.DECLINE: Move(sources=UNDECIDED, to=State.DECLINED),
    Step.REOPEN: Move(sources=(State.DECLINED,), to=State.IN_REVIEW),
    Step.MERGE: Move(sources=UNDECIDED, to=State.MERGED),
    Step.UNMERGE: Move(sources=(State.MERGED,), to=None),
}
# Steps of whoever decides; the others are the author's or the clock's.
DECISIONS = (Step.REVIEW, Step.ASK, Step.PILOT, Step.PROMOTE, Step.DECLINE, Step.REOPEN, Step.MERGE)


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


def deadline(state: str, *, days: Mapping[str, int], at: datetime) -> datetime | None:
    """By when something must happen to an idea that came to `state` at `at`; None once it is settled."""
    return at + timedelta(days=days[state]) if state in days else None


def _refusal(step: Step, state: State) -> str:
    if state == State.MERGED:
        return _("This idea was merged into another one. Decide on that one.")
    if step == Step.UNMERGE:
        return _("This idea was not merged.")
    if step in (Step.REPLY, Step.RESUME):
        return _("Nobody waits for an answer on this idea any more.")
    if step == Step.REOPEN:
        return _("Only a declined idea can be taken up again.")
    if state == State.IN_LIBRARY:
        return _("This idea is in the library already. Change its solution instead.")
    if state == State.DECLINED:
        return _("This idea was declined. Take it up again first.")
    return _("This is not possible while the idea is “%(state)s”.") % {"state": state.label}
