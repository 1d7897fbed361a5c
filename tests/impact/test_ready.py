"""Before a plan is agreed, its checklist tells what the data allow, and what would make it better."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role, Unit
from apps.core.periods import week_of
from apps.impact.comparison import comparison, ground_of, in_waves
from apps.impact.models import Effect
from apps.impact.readiness import data_checks
from apps.planning.models import Action, Plan
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    CellFactory,
    ChallengeFactory,
    MembershipFactory,
    PlanFactory,
    SolutionFactory,
    UnitFactory,
)

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
MONDAY = week_of(TODAY)
START = MONDAY + timedelta(weeks=1)


@pytest.fixture
def plan() -> Plan:
    challenge = ChallengeFactory(metric__name="Counter")
    found: Plan = PlanFactory(challenge=challenge, stage=Plan.Stage.READY)
    found.solutions.add(SolutionFactory(lag_days=0))
    return found


def answering(plan: Plan, count: int, *, region: str = "West", weeks: int = 8) -> list[Unit]:
    """Units with answers up to last week."""
    units = [UnitFactory(region=region) for _number in range(count)]
    for unit in units:
        for back in range(1, weeks + 1):
            CellFactory(unit=unit, metric=plan.challenge.metric, week=MONDAY - timedelta(weeks=back))
    return units


def drafted(plan: Plan, units: list[Unit]) -> None:
    for unit in units:
        ActionFactory(
            plan=plan, unit=unit, challenge=plan.challenge, state="draft", effective_on=None, planned_on=START
        )


def check(plan: Plan, units: list[Unit], number: int = 1):
    starts = {unit.pk: START for unit in units}
    return data_checks(plan=plan, units=units, starts=starts, lag_days=0, as_of=TODAY)[number]


def busy(plan: Plan, units: list[Unit], **fields) -> list[Action]:
    return [
        ActionFactory(**{"unit": unit, "challenge": plan.challenge, "effective_on": MONDAY} | fields)
        for unit in units
    ]


def test_ten_units_that_do_nothing_are_enough(plan):
    units = answering(plan, 11)
    found = check(plan, units[:1])
    assert (found.state, found.note, found.url) == (
        "done",
        "In each week at least 10 units do nothing about it.",
        "",
    )


def test_nine_units_are_too_few_and_the_week_is_named(plan):
    units = answering(plan, 12)
    busy(plan, units[1:3], effective_on=START + timedelta(weeks=2))
    found = check(plan, units[:1])
    assert found.state == "warn"
    named = START + timedelta(weeks=2)
    assert f"In the week of {named.day} {named:%B}" in found.note
    assert "only 9 units would do nothing about it; it takes 10 units." in found.note


def test_a_later_day_is_proposed_and_holds(plan):
    units = answering(plan, 12)
    busy(plan, units[1:4])
    found = comparison(
        plan=plan, metric=plan.challenge.metric, starts={units[0].pk: START}, lag_days=0, as_of=TODAY
    )
    assert found.later_on == MONDAY + timedelta(weeks=15)
    ground = ground_of(
        plan=plan, metric=plan.challenge.metric, starts={units[0].pk: START}, lag_days=0, as_of=TODAY
    )
    assert ground.thinnest({units[0].pk: found.later_on}).is_enough
    assert not ground.thinnest({units[0].pk: found.later_on - timedelta(weeks=1)}).is_enough
    shown = check(plan, units[:1])
    assert f"With a start on {found.later_on.day} {found.later_on:%B}" in shown.note
    assert (shown.url, shown.step) == (reverse("planning:guide-concrete", args=[plan.pk]), "Choose another day")


@pytest.mark.parametrize(
    ("what", "is_free"),
    [
        ({"effective_on": START - timedelta(weeks=15)}, True),
        ({"effective_on": START - timedelta(weeks=14)}, False),
        ({"effective_on": START - timedelta(weeks=10), "ended_on": START - timedelta(days=7)}, True),
        ({"effective_on": None, "state": "planned", "planned_on": START + timedelta(weeks=14)}, False),
        ({"effective_on": None, "state": "planned", "planned_on": START + timedelta(weeks=15)}, True),
        ({"effective_on": None, "state": "draft", "planned_on": None}, True),
    ],
)
def test_a_unit_is_free_outside_the_weeks_that_judge_its_own_action(plan, what, is_free):
    units = answering(plan, 11)
    busy(plan, units[1:2], **what)
    assert (check(plan, units[:1]).state == "done") is is_free


def test_what_aims_elsewhere_leaves_a_unit_free(plan):
    units = answering(plan, 11)
    ActionFactory(unit=units[1], effective_on=START)
    assert check(plan, units[:1]).state == "done"


def test_units_that_seldom_answer_are_no_comparison(plan):
    units = answering(plan, 10) + answering(plan, 3, weeks=3)
    assert "only 9 units" in check(plan, units[:1]).note


def test_a_large_region_is_compared_within_itself_and_a_small_one_with_all(plan):
    west, south = answering(plan, 12), answering(plan, 4, region="South")
    busy(plan, west[1:5])
    assert "only 7 units of the region West" in check(plan, west[:1]).note
    assert check(plan, south[:1]).note == "In each week at least 11 units do nothing about it."


def test_a_roll_out_that_starts_everywhere_at_once_leaves_too_few(plan):
    units = answering(plan, 24)
    drafted(plan, units)
    found = check(plan, units)
    assert found.state == "warn"
    assert "all would be at it; it takes 10 units that do nothing about it." in found.note
    assert "start dates" in found.note
    assert (found.url, found.step) == (
        reverse("planning:rollout-draw", args=[plan.pk]),
        "Let the lot decide who starts first",
    )


def test_the_waves_that_are_proposed_leave_enough(plan):
    units = answering(plan, 24)
    starts = {unit.pk: START for unit in units}
    asked = {"plan": plan, "metric": plan.challenge.metric, "starts": starts, "lag_days": 0, "as_of": TODAY}
    found = comparison(**asked)
    assert found.waves is not None
    assert ground_of(**asked).thinnest(in_waves(starts, START, found.waves)).is_enough


def test_a_roll_out_in_a_part_of_the_chain_is_fine(plan):
    units = answering(plan, 24)
    drafted(plan, units[:8])
    assert check(plan, units[:8]).note == "In each week at least 16 units do nothing about it."


def test_a_roll_out_in_waves_counts_those_who_wait(plan):
    units = answering(plan, 24)
    starts = in_waves([unit.pk for unit in units], START, (2, 15))
    found = data_checks(plan=plan, units=units, starts=starts, lag_days=0, as_of=TODAY)[1]
    assert found.note == "In each week at least 12 units do nothing about it."


def test_a_chain_too_small_has_no_day_that_would_do(plan):
    units = answering(plan, 6)
    found = check(plan, units[:1])
    assert found.note.endswith("the result can only be told together with uses elsewhere.")
    assert found.url == ""


def test_solutions_that_show_late_are_judged_for_longer(plan):
    units = answering(plan, 11)
    busy(plan, units[1:2], effective_on=None, state="planned", planned_on=START + timedelta(weeks=16))
    starts = {units[0].pk: START}
    assert data_checks(plan=plan, units=units[:1], starts=starts, lag_days=0, as_of=TODAY)[1].state == "done"
    assert data_checks(plan=plan, units=units[:1], starts=starts, lag_days=42, as_of=TODAY)[1].state == "warn"


def test_a_short_baseline_and_a_silent_metric_are_said(plan):
    units = answering(plan, 12, weeks=2)
    assert "That is too little for a result of its own" in check(plan, units[:1], 0).note
    assert check(plan, units[:1], 2).state == "done"
    silent = UnitFactory()
    assert "Nothing for more than four weeks in" in check(plan, [silent], 2).note


def test_a_challenge_without_an_outcome_says_so(plan):
    plan.challenge.metric = None
    assert "no outcome yet" in check(plan, [UnitFactory()], 0).note


def test_the_page_of_the_step_shows_it_in_as_many_queries_for_many_units(plan, client):
    units = answering(plan, 30)
    drafted(plan, units[:1])
    root = UnitFactory()
    Unit.objects.filter(pk__in=[unit.pk for unit in units]).update(path=f"{root.path}1.")
    client.force_login(MembershipFactory(unit=root, role=Role.MANAGER).user)
    address = reverse("impact:ready", args=[plan.pk])
    with CaptureQueriesContext(
        connection,
    ) as few:
        html = client.get(address).content.decode()
    assert "In each week at least 29 units do nothing about it." in re.sub(r"\s+", " ", html)
    drafted(plan, units[1:24])
    for action in busy(plan, units[24:26]):
        ActionSolutionFactory(action=action)
    with CaptureQueriesContext(connection) as many:
        html = client.get(address).content.decode()
    assert reverse("planning:rollout-draw", args=[plan.pk]) in html
    assert len(many) == len(few)
    assert not Effect.objects.exists()


def ask_of_draw(client, plan, **asked) -> str:
    response = client.get(reverse("impact:draw-comparison", args=[plan.pk]), asked)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def drawer(client):
    """Answers, drafts, and who may draw all of them."""

    def build(plan: Plan, count: int) -> list[Unit]:
        units = answering(plan, count)
        drafted(plan, units)
        root = UnitFactory()
        Unit.objects.filter(pk__in=plan.actions.values("unit")).update(path=f"{root.path}1.")
        client.force_login(MembershipFactory(unit=root, role=Role.MANAGER).user)
        return units

    return build


def test_the_draw_says_how_many_units_are_left_to_compare_with(plan, client, drawer):
    drawer(plan, 24)
    few = ask_of_draw(client, plan, steps=4, gap_weeks=3, first_on=START)
    assert "all would be at it; it takes 10 units that do nothing about it." in few
    assert "With 2 start dates" in few
    assert "href" not in few
    enough = ask_of_draw(client, plan, steps=2, gap_weeks=15, first_on=START)
    assert "In each week at least 12 units do nothing about it." in enough


def test_a_draw_counts_units_of_the_plan_that_have_begun_as_busy(plan, client, drawer):
    units = drawer(plan, 24)
    for unit in units[:3]:
        Action.objects.filter(unit=unit).update(state="applied", effective_on=START - timedelta(weeks=2))
    shown = ask_of_draw(client, plan, steps=2, gap_weeks=15, first_on=START)
    assert "In each week at least 10 units do nothing about it." in shown, (
        "24 without 3 that began and 11 that start"
    )


@pytest.mark.parametrize(
    "asked", [{"steps": "x"}, {"steps": 40}, {"gap_weeks": 0}, {"first_on": ""}, {"first_on": "2026-02-31"}]
)
def test_a_draw_that_is_not_filled_in_yet_says_nothing(plan, client, drawer, asked):
    drawer(plan, 6)
    assert ask_of_draw(client, plan, **({"steps": 2, "gap_weeks": 3, "first_on": START} | asked)) == ""


def test_the_check_of_a_draw_takes_as_many_queries_for_many_units(plan, client, drawer):
    asked = {"steps": 2, "gap_weeks": 3, "first_on": START}
    drawer(plan, 6)
    with CaptureQueriesContext(connection) as few:
        ask_of_draw(client, plan, **asked)
    drawer(plan, 24)
    with CaptureQueriesContext(connection) as many:
        ask_of_draw(client, plan, **asked)
    assert len(many) == len(few)
