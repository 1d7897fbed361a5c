"""Logging, correcting, stopping, keeping, and two people at once."""

from datetime import date, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.library.models import Solution, SolutionLink
from apps.planning.applying import ExternalIdTaken, apply_action, log_action
from apps.planning.corrections import correct_action, stop_action, sustain_action
from apps.planning.holding import ActionChanged, ActionGone
from apps.planning.models import Action
from apps.planning.plans import change_plan, create_plan, withdraw_action
from apps.planning.rules import (
    DateNotPossible,
    ReasonMissing,
)
from apps.planning.states import StepNotPossible
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ChallengeFactory
from tests.planning.conftest import TODAY, new_version
from tests.planning.helpers import apply, events_of, last_data, plan_arguments, use

State = Action.State


# Logging what was done already


def log(chain: Chain, challenge: Challenge, solution: Solution, **fields: Any) -> Action:
    return log_action(
        **{
            "external_id": None,
            "unit": chain.lille,
            "challenge": challenge,
            "solutions": use(solution),
            "effective_on": date(2022, 3, 7),
            "as_of": TODAY,
            "actor": None,
        }
        | fields
    )


def test_something_done_long_ago_is_logged_without_a_plan(
    chain: Chain, challenge: Challenge, training: Solution, lead: User
) -> None:
    action = log(chain, challenge, training, external_id="OLD-7", actor=lead, owner_label="J. Martin")

    assert (action.external_id, action.state, action.plan) == ("OLD-7", State.APPLIED, None)
    assert (action.target_metric, action.owner_label) == (challenge.metric, "J. Martin")
    assert action.solutions.get().version.solution == training
    assert events_of(action) == ["planning.action.logged"]


def test_logged_with_an_end_it_is_stopped(chain: Chain, challenge: Challenge, training: Solution) -> None:
    action = log(chain, challenge, training, ended_on=date(2022, 6, 6))
    assert action.state == State.STOPPED


def test_an_end_before_the_start_is_refused(chain: Chain, challenge: Challenge, training: Solution) -> None:
    with pytest.raises(DateNotPossible) as refusal:
        log(chain, challenge, training, ended_on=date(2022, 3, 7))
    assert refusal.value.field == "ended_on"


def test_an_id_in_use_is_refused_whatever_its_case(chain: Chain, challenge: Challenge, training: Solution) -> None:
    log(chain, challenge, training, external_id="Old-7")
    with pytest.raises(ExternalIdTaken, match="OLD-7"):
        log(chain, challenge, training, external_id="OLD-7")


# Correcting


def correct(action: Action, reason: str = "Typing error", **changes: Any) -> Action:
    return correct_action(action=action, changes=changes, reason=reason, as_of=TODAY, actor=None)  # type: ignore[arg-type]


def test_a_correction_keeps_the_old_and_the_new(applied: Action) -> None:
    action = correct(applied, effective_on=date(2024, 5, 27), note="Earlier than I said")

    assert (action.effective_on, action.state) == (date(2024, 5, 27), State.APPLIED)
    assert last_data(action) == {
        "reason": "Typing error",
        "before": {"effective_on": "2024-06-03", "note": ""},
        "after": {"effective_on": "2024-05-27", "note": "Earlier than I said"},
    }


def test_a_correction_without_a_reason_is_refused(applied: Action) -> None:
    with pytest.raises(ReasonMissing):
        correct(applied, reason="  ", effective_on=date(2024, 5, 27))
    applied.refresh_from_db()
    assert applied.effective_on == date(2024, 6, 3)


def test_a_solution_that_stays_keeps_its_version(applied: Action, training: Solution, kiosk: Solution) -> None:
    new_version(training)
    new_version(kiosk)
    action = correct(applied, solutions=[*use(training, fidelity=50), *use(kiosk)])

    used = action.solutions.order_by("version__solution__code")
    assert [(u.version.solution, u.version.number, u.fidelity) for u in used] == [
        (kiosk, 2, None),
        (training, 1, 50),
    ]


def test_another_challenge_brings_its_target_metric_and_a_link(applied: Action, training: Solution) -> None:
    other = ChallengeFactory()
    action = correct(applied, challenge=other)

    assert action.target_metric == other.metric
    assert SolutionLink.objects.get(challenge=other).is_seen_in_use
    assert SolutionLink.objects.get(challenge=other).solution == training


def test_a_correction_that_changes_nothing_leaves_no_trace(applied: Action) -> None:
    correct(applied, effective_on=applied.effective_on, note="")
    assert events_of(applied)[-1] == "planning.action.applied"


def test_a_planned_action_is_changed_not_corrected(planned: Action) -> None:
    with pytest.raises(StepNotPossible):
        correct(planned, note="x")


def test_an_applied_action_is_corrected_not_changed(applied: Action) -> None:
    with pytest.raises(StepNotPossible):
        change_plan(action=applied, changes={"planned_on": TODAY}, actor=None)
    with pytest.raises(StepNotPossible):
        withdraw_action(action=applied, actor=None)


def test_clearing_the_end_puts_a_stopped_action_back_in_place(applied: Action) -> None:
    stopped = stop_action(action=applied, ended_on=TODAY, reason="Too costly", as_of=TODAY, actor=None)
    action = correct(stopped, ended_on=None)
    assert (action.state, action.ended_on, action.stop_reason) == (State.APPLIED, None, "")


def test_a_correction_does_not_stop_an_action(applied: Action) -> None:
    with pytest.raises(DateNotPossible):
        correct(applied, ended_on=TODAY)


# Stopping and keeping


def test_stopping_needs_a_reason_and_a_possible_date(applied: Action) -> None:
    with pytest.raises(ReasonMissing):
        stop_action(action=applied, ended_on=TODAY, reason=" ", as_of=TODAY, actor=None)
    for day in (date(2024, 6, 3), TODAY + timedelta(days=1)):
        with pytest.raises(DateNotPossible) as refusal:
            stop_action(action=applied, ended_on=day, reason="Too costly", as_of=TODAY, actor=None)
        assert refusal.value.field == "ended_on"


def test_stopping_is_kept_with_its_reason(applied: Action, manager: User) -> None:
    action = stop_action(action=applied, ended_on=TODAY, reason=" Too costly ", as_of=TODAY, actor=manager)
    assert (action.state, action.ended_on, action.stop_reason) == (State.STOPPED, TODAY, "Too costly")
    assert last_data(action) == {"ended_on": "2024-06-05", "reason": "Too costly"}


def test_a_standard_is_kept_and_can_still_be_stopped(applied: Action) -> None:
    action = sustain_action(action=applied, as_of=TODAY, actor=None)
    assert action.state == State.SUSTAINED
    assert stop_action(action=action, ended_on=TODAY, reason="x", as_of=TODAY, actor=None).state == State.STOPPED


def test_what_has_not_taken_effect_cannot_become_a_standard(planned: Action, training: Solution) -> None:
    action = apply(planned, training, on=TODAY + timedelta(days=7))
    with pytest.raises(DateNotPossible):
        sustain_action(action=action, as_of=TODAY, actor=None)


# Two people at once


def test_the_second_editor_is_told(planned: Action, training: Solution, manager: User) -> None:
    opened = planned.updated_at
    change_plan(action=planned, changes={"planned_on": date(2024, 7, 1)}, actor=manager, seen_at=opened)
    with pytest.raises(ActionChanged, match="entries are still here"):
        change_plan(action=planned, changes={"planned_on": date(2024, 8, 5)}, actor=None, seen_at=opened)
    with pytest.raises(ActionChanged):
        apply_action(
            action=planned, effective_on=TODAY, solutions=use(training), as_of=TODAY, actor=None, seen_at=opened
        )
    planned.refresh_from_db()
    assert planned.planned_on == date(2024, 7, 1)


def test_an_action_withdrawn_meanwhile_is_named_so(planned: Action, training: Solution) -> None:
    stale = Action.objects.get(pk=planned.pk)
    withdraw_action(action=planned, actor=None)
    with pytest.raises(ActionGone):
        apply(stale, training)


def test_who_has_another_unit_of_the_plan_open_is_told_too(
    chain: Chain, challenge: Challenge, training: Solution, lead: User
) -> None:
    arguments = plan_arguments(chain, challenge, training, lead) | {"units": [chain.lille, chain.reims]}
    here, there = create_plan(**arguments).actions.order_by("pk")
    opened = there.updated_at
    change_plan(action=here, changes={"planned_on": date(2024, 8, 5)}, actor=lead)
    there.refresh_from_db()
    assert there.updated_at == opened

    change_plan(action=here, changes={"intention": "At noon"}, actor=lead)
    with pytest.raises(ActionChanged):
        change_plan(action=there, changes={"intention": "At night"}, actor=lead, seen_at=opened)
