"""A new plan: what the form offers, accepts and refuses; what else happens around a date."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.library.models import Solution
from apps.planning.models import Action, Plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ChallengeFactory, EventFactory, UnitFactory
from tests.planning.conftest import linked
from tests.planning.helpers import SignIn, text_of

State = Action.State


# A new plan


def plan_entries(*solutions: Solution, **fields: Any) -> dict[str, Any]:
    return {
        "units": ["LILLE"],
        "solutions": [solution.code for solution in solutions],
        "intention": "Early shift",
        "planned_on": (timezone.localdate() + timedelta(days=5)).isoformat(),
        "then": "plan",
    } | fields


def test_a_plan_starts_from_the_problem(
    signed_in: SignIn, challenge: Challenge, training: Solution, kiosk: Solution, manager: User
) -> None:
    response = signed_in(manager).get("/plans/new/?challenge=WAITING&solution=kiosk")
    form = response.context["form"]
    assert list(form.fields["solutions"].queryset) == [kiosk, training]
    assert form["solutions"].value() == ["kiosk"]
    assert form["planned_on"].value().weekday() == 0
    assert form["planned_on"].value() > timezone.localdate()
    assert "Waiting too long at the counter" in text_of(response)


def test_without_a_challenge_the_problems_are_listed(
    signed_in: SignIn, challenge: Challenge, manager: User
) -> None:
    response = signed_in(manager).get("/plans/new/?solution=kiosk")
    assert "?solution=kiosk&amp;challenge=waiting" in response.content.decode()


def test_a_challenge_that_only_holds_others_is_no_choice(
    signed_in: SignIn, challenge: Challenge, manager: User
) -> None:
    challenge.parent = ChallengeFactory(code="branch", name="At the branch", metric=None)
    challenge.save()
    page = signed_in(manager).get("/plans/new/").content.decode()
    assert "At the branch" in page
    assert "challenge=branch" not in page
    assert "challenge=waiting" in page


def test_planning_leads_to_the_action(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    response = signed_in(manager).post(
        "/plans/new/?challenge=waiting", plan_entries(training, owner=manager.pk), follow=True
    )
    action = Action.objects.get()
    assert response.redirect_chain == [(f"/actions/{action.external_id}/", 302)]
    assert (action.state, action.owner, action.unit.code) == (State.PLANNED, manager, "LILLE")
    assert "Planned. When it is in place" in text_of(response)


def test_already_in_place_leads_to_the_sheet_that_applies_it(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    entries = plan_entries(training, owner=manager.pk, then="apply", planned_on="")
    response = signed_in(manager).post("/plans/new/?challenge=waiting", entries)
    action = Action.objects.get()
    assert response.headers["Location"] == f"/actions/{action.external_id}/apply/"
    assert action.planned_on is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"solutions": []}, "Choose at least one solution."),
        ({"planned_on": ""}, "Choose a day, so that it does not slip."),
        ({"planned_on": "2020-01-01"}, "This day is over."),
        ({"planned_on": "2020-13-45"}, "Enter a date such as"),
        ({"units": []}, "Choose where: at least one unit."),
        ({"units": ["NICE"]}, "NICE is not one of the available choices."),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_lost(
    signed_in: SignIn,
    challenge: Challenge,
    training: Solution,
    manager: User,
    change: dict[str, Any],
    message: str,
) -> None:
    entries = plan_entries(training, owner=manager.pk) | change
    response = signed_in(manager).post("/plans/new/?challenge=waiting", entries)
    assert response.status_code == 422
    assert message in text_of(response)
    assert "Early shift" in response.content.decode()
    assert not Plan.objects.exists()


def test_the_same_plan_twice_is_refused_in_the_form(
    signed_in: SignIn, planned: Action, training: Solution, manager: User
) -> None:
    entries = plan_entries(training, owner=manager.pk)
    response = signed_in(manager).post("/plans/new/?challenge=waiting", entries)
    assert response.status_code == 422
    assert f"already planned in Lille as {planned.external_id}" in text_of(response)


def test_several_units_can_be_chosen_at_once(
    signed_in: SignIn, challenge: Challenge, training: Solution, lead: User
) -> None:
    client = signed_in(lead)
    page = client.get("/plans/new/?challenge=waiting&unit=NORTH")
    assert [row.unit.code for row in page.context["units"].rows] == ["LILLE", "REIMS"]
    client.post("/plans/new/?challenge=waiting", plan_entries(training, owner=lead.pk, units=["LILLE", "REIMS"]))
    assert sorted(Action.objects.values_list("unit__code", flat=True)) == ["LILLE", "REIMS"]


def test_staff_do_not_plan(signed_in: SignIn, challenge: Challenge, staff: User) -> None:
    assert signed_in(staff).get("/plans/new/?challenge=waiting").status_code == 404


# What else happens around a date


def test_overlaps_and_events_nearby_are_told_before(
    signed_in: SignIn, chain: Chain, applied: Action, challenge: Challenge, manager: User
) -> None:
    EventFactory(unit=chain.lille, name="Works at the counter", starts_on=date(2024, 6, 20))
    EventFactory(unit=None, name="Summer campaign", starts_on=date(2024, 7, 1), ends_on=date(2024, 8, 31))
    EventFactory(unit=chain.nice, name="Elsewhere", starts_on=date(2024, 7, 1))
    client = signed_in(manager)

    text = text_of(client.get("/plans/nearby/?challenge=waiting&units=LILLE&planned_on=2024-07-01"))
    assert "Queue training" in text
    assert "Works at the counter" in text
    assert "Summer campaign" in text
    assert "Elsewhere" not in text
    later = text_of(client.get("/plans/nearby/?challenge=waiting&units=LILLE&planned_on=2024-12-01"))
    assert "Queue training" not in later
    itself = client.get(
        f"/plans/nearby/?challenge=waiting&units=LILLE&effective_on=2024-07-01&without={applied.external_id}"
    )
    assert "Queue training" not in text_of(itself)


@pytest.mark.parametrize("query", ["", "challenge=waiting", "challenge=waiting&units=NICE&planned_on=2024-07-01",
                                   "challenge=waiting&units=LILLE&planned_on=2024-99-99"])  # fmt: skip
def test_nearby_is_silent_when_there_is_nothing_to_tell(
    signed_in: SignIn, challenge: Challenge, manager: User, query: str
) -> None:
    response = signed_in(manager).get(f"/plans/nearby/?{query}")
    assert (response.status_code, response.content.strip()) == (200, b"")


def test_a_new_plan_asks_the_same_number_of_questions_however_much_there_is_to_choose(
    signed_in: SignIn,
    django_assert_num_queries: Any,
    chain: Chain,
    challenge: Challenge,
    training: Solution,
    lead: User,
) -> None:
    client = signed_in(lead)
    with CaptureQueriesContext(connection) as few:
        client.get("/plans/new/?challenge=waiting")
    for number in range(8):
        linked(challenge, code=f"more-{number}", title=f"More {number}")
        UnitFactory(parent=chain.north)
    with django_assert_num_queries(len(few)):
        client.get("/plans/new/?challenge=waiting")
