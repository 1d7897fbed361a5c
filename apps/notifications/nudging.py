"""When is a person nudged, about what, and when are they left in peace? Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """What a nudge can be about; the first that holds is the one that is said."""

    READY = "ready"
    QUIET = "quiet"
    NOT_APPLIED = "not_applied"
    NO_FOCUS = "no_focus"
    UNSEEN = "unseen"


class Silence(StrEnum):
    """Why a person is not nudged."""

    NOT_WANTED = "not_wanted"
    THIS_WEEK = "this_week"
    IGNORED = "ignored"
    TOO_FEW_ANSWERS = "too_few_answers"
    CONVERSATION = "conversation"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    minimum_answers: int
    ignored_before_mute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a person and their unit stand; `ignored` counts the last nudges in a row that nobody opened."""

    is_wanted: bool
    was_nudged_this_week: bool
    ignored: int
    answers: int
    is_talking: bool
    holding: frozenset[Condition]


def decide(standing: Standing, limits: Limits) -> Condition | Silence:
    if not standing.is_wanted:
        return Silence.NOT_WANTED
    if standing.was_nudged_this_week:
        return Silence.THIS_WEEK
    if standing.ignored >= limits.ignored_before_mute:
        return Silence.IGNORED
    if standing.answers < limits.minimum_answers:
        return Silence.TOO_FEW_ANSWERS
    if standing.is_talking:
        return Silence.CONVERSATION
    return next((condition for condition in Condition if condition in standing.holding), Silence.NOTHING)


def ignored_in_a_row(was_read: Sequence[bool]) -> int:
    """How many of the last nudges, the newest first, were not opened."""
    return next((count for count, read in enumerate(was_read) if read), len(was_read))
