"""The story of an action is told in words, not in what the records call it."""

import pytest
from django.utils import translation

from apps.accounts.models import User
from apps.planning.following import check_in
from apps.planning.history import history
from apps.planning.holding import record_action
from apps.planning.models import Action
from tests.planning.conftest import TODAY


def newest(action: Action) -> str:
    entry = history(action)[0]
    return " · ".join([entry.what, entry.reason, *entry.facts])


def test_a_check_in_is_told_in_the_words_that_were_chosen(applied: Action, manager: User) -> None:
    check_in(
        action=applied, happening="partly", working="unclear", obstacle="people", made_on=TODAY, actor=manager
    )
    told = newest(applied)
    assert told.startswith("checked in")
    assert "Is it happening?: Partly" in told
    assert "Is it working?: Can't tell yet" in told
    assert "What is in the way?: People" in told
    with translation.override("fr"):
        assert "En partie" in newest(applied)


@pytest.mark.parametrize(
    ("what", "reason", "told"),
    [
        ("mark_withheld", "moved", "no longer counts it as drawn by lot · Its day was changed after the draw."),
        ("mark_given_back", "", "counts it as drawn by lot again · "),
        ("drawn", "", "drew its start by lot · "),
        ("stopped", "No time", "stopped it · No time"),
    ],
)
def test_what_the_lot_and_people_did_is_told(applied: Action, what: str, reason: str, told: str) -> None:
    record_action(what, applied, None, {"reason": reason})
    assert newest(applied) == told
