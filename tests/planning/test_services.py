"""Planning, applying, undoing: what is kept, what is refused, what the audit says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import AuditEvent, User
from apps.library.models import Solution, SolutionLink
from apps.planning.applying import TooLateToUndo, apply_action, log_action, undo_application
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action, Plan
from apps.planning.plans import AlreadyPlanned, change_plan, create_plan, withdraw_action, withdraw_plan
from apps.planning.rules import (
    ChallengeNotCurrent,
    DateNotPossible,
    FidelityOutOfRange,
    PlanIncomplete,
    SolutionNotUsable,
)
from apps.planning.states import StepNotPossible
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, ActionSolutionFactory, ChallengeFactory, SolutionFactory
from tests.planning.conftest import TODAY, new_version
from tests.planning.helpers import apply, events_of, last_data, plan_arguments, use

State = Action.State


# Planning


def test_a_plan_has_one_planned_action_per_unit(
    chain: Chain, challenge: Challenge, training: Solution, kiosk: Solution, lead: User
) -> None:
    plan = create_plan(
        challenge=challenge,
        units=[chain.lille, chain.reims, chain.lille],
        solutions=[training, kiosk],
        owner=lead,
        intention=" In the morning ",
        planned_on=date(2024, 6, 10),
        intended_effect=Decimal("2.5"),
        actor=lead,
    )

    actions = plan.actions.order_by("unit__code")
    assert [(a.unit, a.state, a.planned_on) for a in actions] == [
        (chain.lille, State.PLANNED, date(2024, 6, 10)),
        (chain.reims, State.PLANNED, date(2024, 6, 10)),
    ]
    assert set(plan.solutions.all()) == {training, kiosk}
    assert (plan.target_metric, plan.intention) == (challenge.metric, "In the morning")
    # Nothing is frozen before it is applied.
    assert {a.target_metric for a in actions} == {None}
    assert [events_of(a) for a in actions] == [["planning.action.planned"]] * 2
    assert AuditEvent.objects.about(plan).get().actor == lead


def test_ids_are_short_sort_by_age_and_pass_over_imported_ones(
    chain: Chain, challenge: Challenge, training: Solution, lead: User
) -> None:
    arguments = plan_arguments(chain, challenge, training, lead) | {"units": [chain.lille, chain.reims]}
    first, second = create_plan(**arguments).actions.order_by("pk")
    ActionFactory(external_id=f"a-{second.pk + 2:06d}", pk=10_000_000)
    third, fourth = create_plan(**arguments | {"units": [chain.nice, chain.arles]}).actions.order_by("pk")

    ids = [a.external_id for a in (first, second, third, fourth)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 4
    assert all(len(one) == 8 for one in ids)


@pytest.mark.parametrize("missing", ["units", "solutions"])
def test_a_plan_needs_a_place_and_a_remedy(
    chain: Chain, challenge: Challenge, training: Solution, lead: User, missing: str
) -> None:
    with pytest.raises(PlanIncomplete) as refusal:
        create_plan(**plan_arguments(chain, challenge, training, lead) | {missing: []})
    assert refusal.value.field == missing


@pytest.mark.parametrize("status", [Solution.Status.DRAFT, Solution.Status.RETIRED])
def test_a_solution_that_is_not_published_cannot_be_planned(
    chain: Chain, challenge: Challenge, training: Solution, lead: User, status: str
) -> None:
    training.status = status
    training.save()
    with pytest.raises(SolutionNotUsable, match="Queue training"):
        create_plan(**plan_arguments(chain, challenge, training, lead))


def test_a_merged_challenge_names_the_one_to_plan_for(
    chain: Chain, challenge: Challenge, training: Solution, lead: User
) -> None:
    challenge.merged_into = ChallengeFactory(name="Slow service")
    challenge.save()
    with pytest.raises(ChallengeNotCurrent, match="Slow service"):
        create_plan(**plan_arguments(chain, challenge, training, lead))


def test_a_retired_challenge_cannot_be_planned_for(
    chain: Chain, challenge: Challenge, training: Solution, lead: User
) -> None:
    challenge.retired_on = date(2024, 1, 1)
    challenge.save()
    with pytest.raises(ChallengeNotCurrent):
        create_plan(**plan_arguments(chain, challenge, training, lead))


def test_the_same_plan_twice_is_refused_with_the_first_one_named(
    chain: Chain, plan: Plan, challenge: Challenge, training: Solution, kiosk: Solution, manager: User
) -> None:
    arguments = plan_arguments(chain, challenge, training, manager)
    with pytest.raises(AlreadyPlanned, match=plan.actions.get().external_id):
        create_plan(**arguments)
    create_plan(**arguments | {"solutions": [training, kiosk]})
    assert Plan.objects.count() == 2


def test_what_is_planned_can_change_and_the_audit_keeps_both(
    planned: Action, kiosk: Solution, manager: User
) -> None:
    changed = change_plan(
        action=planned,
        changes={"planned_on": date(2024, 7, 1), "intention": "At noon", "solutions": [kiosk]},
        actor=manager,
    )

    assert changed.planned_on == date(2024, 7, 1)
    assert changed.plan is not None
    assert list(changed.plan.solutions.all()) == [kiosk]
    assert last_data(planned) == {
        "before": {
            "planned_on": "2024-06-10",
            "intention": "On Mondays at the counter",
            "solutions": ["training"],
        },
        "after": {"planned_on": "2024-07-01", "intention": "At noon", "solutions": ["kiosk"]},
    }


def test_a_change_that_changes_nothing_leaves_no_trace(planned: Action, training: Solution) -> None:
    change_plan(action=planned, changes={"planned_on": planned.planned_on, "solutions": [training]}, actor=None)
    assert events_of(planned) == ["planning.action.planned"]


def test_withdrawing_the_last_action_takes_the_plan_along(plan: Plan, planned: Action, manager: User) -> None:
    withdraw_action(action=planned, reason="Not needed", actor=manager)

    assert not Plan.objects.exists()
    assert not Action.objects.exists()
    assert events_of(planned)[-1] == "planning.action.withdrawn"
    assert last_data(planned)["reason"] == "Not needed"
    assert last_data(planned)["external_id"] == planned.external_id


def test_withdrawing_a_plan_leaves_what_was_applied(
    chain: Chain, challenge: Challenge, training: Solution, lead: User
) -> None:
    arguments = plan_arguments(chain, challenge, training, lead) | {"units": [chain.lille, chain.reims]}
    plan = create_plan(**arguments)
    done = apply(plan.actions.get(unit=chain.lille), training)

    assert withdraw_plan(plan=plan, actor=lead) == 1
    assert list(plan.actions.all()) == [done]


# Applying


def test_applying_freezes_versions_metric_and_date(
    planned: Action, training: Solution, kiosk: Solution, manager: User
) -> None:
    newest = new_version(training)
    action = apply_action(
        action=planned,
        effective_on=date(2024, 6, 3),
        solutions=[
            AppliedSolution(solution=training, dose=" 8 people ", fidelity=80, adaptation="Half a day"),
            AppliedSolution(solution=kiosk),
        ],
        note="Went well",
        cost=Decimal("120.50"),
        as_of=TODAY,
        actor=manager,
    )

    action.refresh_from_db()
    assert (action.state, action.effective_on) == (State.APPLIED, date(2024, 6, 3))
    assert (action.note, action.cost) == ("Went well", Decimal("120.50"))
    assert action.target_metric == action.challenge.metric
    used = action.solutions.get(version=newest)
    assert (used.dose, used.fidelity, used.adaptation) == ("8 people", 80, "Half a day")
    assert action.solutions.count() == 2
    assert events_of(action) == ["planning.action.planned", "planning.action.applied"]
    assert last_data(action)["solutions"][1] == {
        "code": "training", "version": 2, "dose": "8 people", "fidelity": 80, "adaptation": "Half a day",
    }  # fmt: skip


def test_what_changes_later_does_not_reach_an_applied_action(
    applied: Action, challenge: Challenge, training: Solution
) -> None:
    metric = applied.target_metric
    new_version(training)
    challenge.metric = ChallengeFactory().metric
    challenge.save()

    applied.refresh_from_db()
    assert applied.target_metric == metric
    assert applied.solutions.get().version.number == 1


def test_a_solution_new_to_the_challenge_is_linked_as_seen_in_use(
    planned: Action, challenge: Challenge, training: Solution, kiosk: Solution
) -> None:
    SolutionLink.objects.filter(solution=kiosk).delete()
    apply(planned, training, kiosk)

    links = SolutionLink.objects.filter(challenge=challenge).order_by("solution__code")
    assert list(links.values_list("solution__code", "is_seen_in_use")) == [("kiosk", True), ("training", False)]


def test_a_challenge_without_an_outcome_leaves_no_target(
    planned: Action, challenge: Challenge, training: Solution
) -> None:
    challenge.metric = None
    challenge.save()
    assert apply(planned, training).target_metric is None


def test_an_effective_date_may_lie_ahead(planned: Action, training: Solution) -> None:
    action = apply(planned, training, on=TODAY + timedelta(days=14))
    assert action.state == State.APPLIED


@pytest.mark.parametrize(
    ("opened", "closed", "on"),
    [
        (None, None, TODAY + timedelta(days=1000)),
        (date(2024, 6, 1), None, date(2024, 5, 31)),
        (None, date(2024, 6, 1), date(2024, 6, 1)),
    ],
)
def test_a_date_that_cannot_be_is_refused(
    planned: Action, training: Solution, opened: date | None, closed: date | None, on: date
) -> None:
    planned.unit.opened_on, planned.unit.closed_on = opened, closed
    planned.unit.save()
    with pytest.raises(DateNotPossible) as refusal:
        apply(planned, training, on=on)
    assert refusal.value.field == "effective_on"


def test_a_solution_without_text_cannot_be_frozen(planned: Action) -> None:
    with pytest.raises(SolutionNotUsable, match="library"):
        apply(planned, SolutionFactory())
    planned.refresh_from_db()
    assert planned.state == State.PLANNED


def test_applying_nothing_is_refused(planned: Action) -> None:
    with pytest.raises(PlanIncomplete):
        apply(planned)


@pytest.mark.parametrize("fidelity", [-1, 101])
def test_fidelity_stays_between_0_and_100(planned: Action, training: Solution, fidelity: int) -> None:
    with pytest.raises(FidelityOutOfRange):
        apply_action(
            action=planned, effective_on=TODAY, solutions=use(training, fidelity=fidelity), as_of=TODAY, actor=None
        )


def test_an_action_is_applied_once(applied: Action, training: Solution) -> None:
    with pytest.raises(StepNotPossible):
        apply(applied, training)


# Undoing


def test_undo_puts_everything_back_and_is_audited(applied: Action, manager: User) -> None:
    action = undo_application(action=applied, at=datetime.now(UTC), actor=manager)

    action.refresh_from_db()
    assert (action.state, action.effective_on, action.target_metric) == (State.PLANNED, None, None)
    assert not action.solutions.exists()
    assert events_of(action)[-1] == "planning.action.undone"
    assert last_data(action)["solutions"][0]["dose"] == "8 people"


def test_after_a_day_it_is_too_late_to_undo(applied: Action) -> None:
    with pytest.raises(TooLateToUndo):
        undo_application(action=applied, at=datetime.now(UTC) + timedelta(hours=25), actor=None)


def test_while_the_effective_date_is_ahead_it_can_be_undone(planned: Action, training: Solution) -> None:
    action = apply(planned, training, on=TODAY + timedelta(days=30))
    at = datetime(2024, 6, 20, tzinfo=UTC)
    AuditEvent.objects.about(action).update(at=at - timedelta(days=10))
    assert undo_application(action=action, at=at, actor=None).state == State.PLANNED


# Without a plan, as files and programs bring them in


def test_a_planned_action_without_a_plan_is_applied_with_the_newest_versions(
    chain: Chain, challenge: Challenge, training: Solution
) -> None:
    action = ActionFactory(
        unit=chain.lille, challenge=challenge, state=State.PLANNED, planned_on=TODAY, effective_on=None
    )
    ActionSolutionFactory(action=action, version=training.versions.get())
    newest = new_version(training)

    apply(action, training)
    assert action.solutions.get().version == newest


def test_undoing_one_without_a_plan_keeps_its_solutions_and_its_day(
    chain: Chain, challenge: Challenge, training: Solution
) -> None:
    day = TODAY + timedelta(days=10)
    action = log_action(
        external_id=None, unit=chain.lille, challenge=challenge, solutions=use(training), effective_on=day,
        as_of=TODAY, actor=None,
    )  # fmt: skip
    undone = undo_application(action=action, at=datetime(2024, 6, 6, tzinfo=UTC), actor=None)
    assert (undone.state, undone.planned_on, undone.effective_on) == (State.PLANNED, day, None)
    assert undone.solutions.get().version.solution == training


def test_the_solutions_of_one_without_a_plan_can_change(
    chain: Chain, challenge: Challenge, training: Solution, kiosk: Solution
) -> None:
    action = ActionFactory(
        unit=chain.lille, challenge=challenge, state=State.PLANNED, planned_on=TODAY, effective_on=None
    )
    ActionSolutionFactory(action=action, version=training.versions.get())
    change_plan(action=action, changes={"solutions": [kiosk]}, actor=None)
    assert action.solutions.get().version.solution == kiosk
    assert last_data(action)["after"] == {"solutions": ["kiosk"]}
