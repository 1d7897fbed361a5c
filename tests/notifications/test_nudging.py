"""A nudge is rare, about something, and never in the way: the rules alone."""

from dataclasses import replace

import pytest

from apps.notifications.nudging import Condition, Limits, Silence, Standing, decide, ignored_in_a_row

LIMITS = Limits(minimum_answers=30, ignored_before_mute=3)
STANDING = Standing(
    is_wanted=True,
    was_nudged_this_week=False,
    ignored=0,
    answers=30,
    is_talking=False,
    holding=frozenset(Condition),
)


def test_the_most_pressing_condition_is_said():
    assert decide(STANDING, LIMITS) is Condition.READY
    assert decide(replace(STANDING, holding=frozenset({Condition.UNSEEN, Condition.QUIET})), LIMITS) == "quiet"


@pytest.mark.parametrize("condition", list(Condition))
def test_each_condition_can_be_said(condition):
    assert decide(replace(STANDING, holding=frozenset({condition})), LIMITS) is condition


@pytest.mark.parametrize(
    ("change", "silence"),
    [
        ({"is_wanted": False}, Silence.NOT_WANTED),
        ({"was_nudged_this_week": True}, Silence.THIS_WEEK),
        ({"ignored": 3}, Silence.IGNORED),
        ({"answers": 29}, Silence.TOO_FEW_ANSWERS),
        ({"is_talking": True}, Silence.CONVERSATION),
        ({"holding": frozenset()}, Silence.NOTHING),
    ],
)
def test_any_one_reason_keeps_it_quiet(change, silence):
    assert decide(replace(STANDING, **change), LIMITS) is silence


def test_whoever_does_not_want_any_is_not_muted_for_it():
    assert decide(replace(STANDING, is_wanted=False, ignored=9), LIMITS) is Silence.NOT_WANTED


@pytest.mark.parametrize(
    ("was_read", "count"), [([], 0), ([False, False, True, False], 2), ([True, False], 0), ([False] * 4, 4)]
)
def test_only_the_last_ones_in_a_row_count_as_ignored(was_read, count):
    assert ignored_in_a_row(was_read) == count
