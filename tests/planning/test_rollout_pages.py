"""A plan for many units on the screen: chosen, dated, drawn, applied."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Unit, User
from apps.library.models import Solution
from apps.planning.models import Action, Plan
from apps.planning.plans import create_plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import UnitFactory
from tests.planning.helpers import SignIn, text_of


@pytest.fixture
def places(chain: Chain) -> list[Unit]:
    return [
        UnitFactory(code=f"B{number}", name=f"Branch {number}", region="West", parent=chain.north)
        for number in range(7)
    ]


@pytest.fixture
def rollout(places: list[Unit], challenge: Challenge, training: Solution, lead: User) -> Plan:
    return create_plan(
        challenge=challenge,
        units=places,
        solutions=[training],
        owner=lead,
        planned_on=timezone.localdate() + timedelta(days=7),
        actor=lead,
    )


def page_of(plan: Plan, name: str = "rollout") -> str:
    return reverse(f"planning:{name}", args=[plan.pk])


def test_units_come_from_boxes_a_list_and_a_search(
    signed_in: SignIn, lead: User, chain: Chain, places: list[Unit], challenge: Challenge
) -> None:
    entries = {"challenge": challenge.code, "units": ["LILLE"], "listed": "nice\nArles", "region": "West"}
    client = signed_in(lead)
    client.post(reverse("planning:rollout-new"), entries | {"take_all": "on"})
    plan = Plan.objects.get()
    assert plan.stage == Plan.Stage.CHOOSE
    units = set(plan.actions.values_list("unit__code", flat=True))
    assert units == {"LILLE", "NICE", "ARLES", *(unit.code for unit in places)}


def test_a_problem_without_an_outcome_is_not_rolled_out(
    signed_in: SignIn, lead: User, chain: Chain, challenge: Challenge
) -> None:
    Challenge.objects.filter(pk=challenge.pk).update(metric=None)
    response = signed_in(lead).post(
        reverse("planning:rollout-new"), {"challenge": challenge.name, "units": ["LILLE"]}
    )
    assert response.status_code == 422
    assert "This challenge has no outcome yet" in text_of(response)


def test_a_name_nobody_knows_is_named(signed_in: SignIn, lead: User, chain: Chain, challenge: Challenge) -> None:
    entries = {"challenge": challenge.code, "listed": "Lille\nAtlantis"}
    response = signed_in(lead).post(reverse("planning:rollout-new"), entries)
    assert response.status_code == 422
    assert "atlantis" in text_of(response)


def test_a_search_narrows_by_region(signed_in: SignIn, lead: User, places: list[Unit]) -> None:
    response = signed_in(lead).get(reverse("planning:rollout-options"), {"region": "West"})
    assert "Branch 3" in text_of(response)
    assert "Lille" not in text_of(response)


def test_starts_in_waves_then_one_by_one(signed_in: SignIn, lead: User, rollout: Plan) -> None:
    first = timezone.localdate() + timedelta(days=10)
    client = signed_in(lead)
    entries = {"scheme": "staggered", "first_on": first.isoformat(), "steps": "3", "gap_weeks": "2"}
    client.post(page_of(rollout, "rollout-starts"), entries)
    days = sorted(set(rollout.actions.values_list("planned_on", flat=True)))
    assert days == [first, first + timedelta(weeks=2), first + timedelta(weeks=4)]
    action = rollout.actions.order_by("pk")[0]
    other = first + timedelta(days=1)
    client.post(reverse("planning:rollout-start", args=[action.external_id]), {"planned_on": other.isoformat()})
    action.refresh_from_db()
    assert action.planned_on == other


def test_the_order_is_drawn_on_the_page_and_shown(signed_in: SignIn, lead: User, rollout: Plan) -> None:
    client = signed_in(lead)
    assert "Make it a fair test?" in text_of(client.get(page_of(rollout)))
    first = timezone.localdate() + timedelta(days=7)
    assert client.get(page_of(rollout, "rollout-draw")).status_code == 200
    entries = {"steps": "3", "gap_weeks": "4", "first_on": first.isoformat()}
    response = client.post(page_of(rollout, "rollout-draw"), entries, follow=True)
    assert "A fair test: the lot decided the order" in text_of(response)
    assert text_of(response).count("Drawn by lot") == 7
    again = client.post(page_of(rollout, "rollout-draw"), entries | {"reason": ""})
    assert again.status_code == 422
    action = rollout.actions.order_by("pk")[0]
    assert "Drawn by lot" in text_of(client.get(reverse("planning:action", args=[action.external_id])))


def test_those_due_are_applied_with_one_button(signed_in: SignIn, lead: User, rollout: Plan) -> None:
    today = timezone.localdate()
    due = list(rollout.actions.order_by("pk").values_list("pk", flat=True)[:2])
    Action.objects.filter(pk__in=due).update(planned_on=today)
    client = signed_in(lead)
    assert "In place today in 2 units" in text_of(client.get(page_of(rollout)))
    client.post(page_of(rollout, "rollout-apply"))
    applied = rollout.actions.filter(state=Action.State.APPLIED)
    assert {(action.pk, action.effective_on) for action in applied} == {(pk, today) for pk in due}


def test_units_join_on_a_page(signed_in: SignIn, lead: User, rollout: Plan, chain: Chain) -> None:
    day = (timezone.localdate() + timedelta(days=9)).isoformat()
    signed_in(lead).post(page_of(rollout, "rollout-join"), {"units": ["NICE"], "planned_on": day})
    assert rollout.actions.get(unit=chain.nice).state == Action.State.PLANNED


def test_a_manager_sees_their_unit_alone_and_decides_nothing_for_others(
    signed_in: SignIn, outsider: User, rollout: Plan, places: list[Unit], chain: Chain, challenge: Challenge
) -> None:
    Action.objects.filter(plan=rollout, unit=places[0]).update(unit=chain.nice)
    client = signed_in(outsider)
    shown = text_of(client.get(page_of(rollout)))
    assert "Nice" in shown
    assert "Branch 3" not in shown
    assert client.get(page_of(rollout, "rollout-draw")).status_code == 404


def test_more_units_cost_no_more_queries(
    signed_in: SignIn, lead: User, rollout: Plan, chain: Chain, challenge: Challenge, training: Solution
) -> None:
    client = signed_in(lead)
    client.get(page_of(rollout))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(page_of(rollout))
    more = [UnitFactory(parent=chain.south) for _ in range(20)]
    for unit in more:
        action = rollout.actions.order_by("pk")[0]
        Action.objects.create(
            external_id=f"X-{unit.code}", plan=rollout, unit=unit, challenge=challenge, state="planned",
            planned_on=action.planned_on, owner=lead,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        client.get(page_of(rollout))
    assert len(many) == len(few)
