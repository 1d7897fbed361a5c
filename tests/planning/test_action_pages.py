"""One action: what is told of it, and the sheets that apply, correct, stop or withdraw it."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.library.models import Solution
from apps.planning.corrections import stop_action
from apps.planning.models import Action
from apps.planning.plans import change_plan, create_plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.planning.conftest import TODAY, linked
from tests.planning.helpers import SignIn, text_of

State = Action.State


# One action


def test_the_action_page_tells_what_where_and_since_when(signed_in: SignIn, applied: Action, staff: User) -> None:
    text = text_of(signed_in(staff).get(f"/actions/{applied.external_id.lower()}/"))
    for words in (
        "Queue training",
        "Lille",
        "since 3 June 2024",
        "version 1",
        "8 people",
        "90 % done as described",
    ):
        assert words in text
    assert "Max Manager put it in place" in text


MANAGED = {"correct", "stop", "sustain", "undo", "tasks", "check-in", "proof"}


@pytest.mark.parametrize(
    ("who", "buttons"),
    [("manager", MANAGED), ("staff", {"check-in"}), ("lead", MANAGED)],
)
def test_only_those_who_manage_the_unit_get_buttons(
    signed_in: SignIn, applied: Action, request: pytest.FixtureRequest, who: str, buttons: set[str]
) -> None:
    page = signed_in(request.getfixturevalue(who)).get(f"/actions/{applied.external_id}/").content.decode()
    assert set(re.findall(rf"/actions/{applied.external_id}/([\w-]+)/\"", page)) - {"effect"} == buttons


PAGES = ("", "apply/", "change/", "correct/", "stop/", "withdraw/")


@pytest.mark.parametrize("page", PAGES)
def test_another_scopes_action_does_not_exist(
    signed_in: SignIn, planned: Action, outsider: User, page: str
) -> None:
    assert signed_in(outsider).get(f"/actions/{planned.external_id}/{page}").status_code == 404


@pytest.mark.parametrize("page", ["apply/", "change/", "undo/", "correct/", "stop/", "sustain/", "withdraw/"])
def test_staff_change_nothing(signed_in: SignIn, planned: Action, staff: User, page: str) -> None:
    assert signed_in(staff).post(f"/actions/{planned.external_id}/{page}", {}).status_code == 404


@pytest.mark.parametrize("page", ["apply/", "change/", "withdraw/"])
def test_a_step_that_is_not_possible_leads_back_with_the_reason(
    signed_in: SignIn, applied: Action, manager: User, page: str
) -> None:
    response = signed_in(manager).get(f"/actions/{applied.external_id}/{page}", follow=True)
    assert response.redirect_chain == [(f"/actions/{applied.external_id}/", 302)]
    assert "Correct it with a reason" in text_of(response)


# Applying


def sheet_entries(client: Client, action: Action, step: str = "apply", **fields: Any) -> dict[str, Any]:
    """What the browser would send when nothing is touched, and `fields` over it."""
    form = client.get(f"/actions/{action.external_id}/{step}/").context["form"]
    entries: dict[str, Any] = {}
    for bound in [*form, *(field for row in form.solutions for field in row), *form.solutions.management_form]:
        value = bound.value()
        if value not in (None, False):
            entries[bound.html_name] = "on" if value is True else getattr(value, "pk", value)
    return entries | fields


def test_the_sheet_applies_what_was_planned(signed_in: SignIn, planned: Action, manager: User) -> None:
    client = signed_in(manager)
    entries = sheet_entries(
        client, planned, **{"used-0-dose": "8 people", "used-0-fidelity": "90", "cost": "12.50"}
    )
    response = client.post(f"/actions/{planned.external_id}/apply/", entries, follow=True)

    planned.refresh_from_db()
    assert (planned.state, planned.effective_on) == (State.APPLIED, timezone.localdate())
    used = planned.solutions.get()
    assert (used.dose, used.fidelity, str(planned.cost)) == ("8 people", 90, "12.50")
    assert f'action="/actions/{planned.external_id}/undo/"' in response.content.decode()


def test_a_further_solution_can_be_ticked(
    signed_in: SignIn, planned: Action, kiosk: Solution, manager: User
) -> None:
    client = signed_in(manager)
    client.post(
        f"/actions/{planned.external_id}/apply/", sheet_entries(client, planned, **{"used-1-is_used": "on"})
    )
    assert set(planned.solutions.values_list("version__solution__code", flat=True)) == {"training", "kiosk"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"effective_on": ""}, "Enter a date."),
        ({"effective_on": "2020-01-06"}, "This is more than 90 days ago."),
        ({"effective_on": "2062-01-06"}, "more than two years ahead"),
        ({"used-0-is_used": ""}, "Choose at least one solution."),
        ({"used-0-fidelity": "120"}, "less than or equal to 100"),
        ({"used-0-solution": "unknown"}, "This solution is not offered here."),
        ({"cost": "-3"}, "greater than or equal to 0"),
    ],
)
def test_a_sheet_that_does_not_fit_comes_back(
    signed_in: SignIn, planned: Action, manager: User, fields: dict[str, str], message: str
) -> None:
    client = signed_in(manager)
    response = client.post(f"/actions/{planned.external_id}/apply/", sheet_entries(client, planned, **fields))
    assert response.status_code == 422
    assert message in text_of(response)
    planned.refresh_from_db()
    assert planned.state == State.PLANNED


def test_a_date_far_back_is_taken_once_it_is_confirmed(signed_in: SignIn, planned: Action, manager: User) -> None:
    client = signed_in(manager)
    entries = sheet_entries(client, planned, effective_on="2022-01-03")
    asked = client.post(f"/actions/{planned.external_id}/apply/", entries)
    assert "Yes, it has been in place since then" in text_of(asked)
    client.post(f"/actions/{planned.external_id}/apply/", {**entries, "is_sure": "on"})
    planned.refresh_from_db()
    assert planned.effective_on == date(2022, 1, 3)


def test_a_start_to_come_is_said_and_can_be_undone(signed_in: SignIn, planned: Action, manager: User) -> None:
    client = signed_in(manager)
    day = timezone.localdate() + timedelta(days=10)
    entries = sheet_entries(client, planned, effective_on=day.isoformat())
    text = text_of(client.post(f"/actions/{planned.external_id}/apply/", entries, follow=True))
    assert "starts on" in text
    assert "It counts from its first day on." in text

    client.post(f"/actions/{planned.external_id}/undo/")
    planned.refresh_from_db()
    assert (planned.state, planned.effective_on) == (State.PLANNED, None)


def test_undo_after_a_day_is_refused_in_words(
    signed_in: SignIn, applied: Action, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("apps.planning.views.timezone.now", lambda: later)
    response = signed_in(manager).post(f"/actions/{applied.external_id}/undo/", follow=True)
    assert "can be undone within a day" in text_of(response)


# Two people at once


def test_the_second_editor_is_told_and_keeps_their_entries(
    signed_in: SignIn, planned: Action, training: Solution, kiosk: Solution, manager: User
) -> None:
    client = signed_in(manager)
    entries = {
        "seen_at": planned.updated_at.isoformat(),
        "solutions": ["training", "kiosk"],
        "intention": "Mine",
        "planned_on": "2030-01-07",
        "owner": manager.pk,
    }
    change_plan(action=planned, changes={"planned_on": date(2031, 1, 6)}, actor=manager)
    response = client.post(f"/actions/{planned.external_id}/change/", entries)

    assert response.status_code == 422
    assert "Somebody changed this action after you opened it" in text_of(response)
    form = response.context["form"]
    assert (form["intention"].value(), form["solutions"].value()) == ("Mine", ["training", "kiosk"])
    planned.refresh_from_db()
    assert planned.planned_on == date(2031, 1, 6)

    again = client.post(f"/actions/{planned.external_id}/change/", entries | {"seen_at": form["seen_at"].value()})
    assert again.status_code == 302
    planned.refresh_from_db()
    assert planned.planned_on == date(2030, 1, 7)


# Correcting, stopping, keeping, withdrawing


def test_a_correction_is_shown_with_old_and_new(signed_in: SignIn, applied: Action, manager: User) -> None:
    client = signed_in(manager)
    entries = sheet_entries(client, applied, "correct", note="Only the early shift", reason="I forgot to say")
    response = client.post(f"/actions/{applied.external_id}/correct/", entries, follow=True)
    text = text_of(response)
    assert "Max Manager corrected it" in text
    assert "“I forgot to say”" in text
    assert "Note: — → Only the early shift" in text


def test_an_old_date_stays_when_something_else_is_corrected(
    signed_in: SignIn, applied: Action, manager: User
) -> None:
    client = signed_in(manager)
    entries = sheet_entries(client, applied, "correct", note="x", reason="y")
    assert client.post(f"/actions/{applied.external_id}/correct/", entries).status_code == 302
    applied.refresh_from_db()
    assert applied.effective_on == date(2024, 6, 3)


def test_a_correction_without_a_reason_comes_back(signed_in: SignIn, applied: Action, manager: User) -> None:
    client = signed_in(manager)
    response = client.post(
        f"/actions/{applied.external_id}/correct/", sheet_entries(client, applied, "correct", note="x")
    )
    assert response.status_code == 422
    assert "Say why in a few words" in text_of(response)


def test_stopping_asks_when_and_why(signed_in: SignIn, applied: Action, manager: User) -> None:
    client = signed_in(manager)
    assert client.post(f"/actions/{applied.external_id}/stop/", {"ended_on": "2024-09-02"}).status_code == 422
    client.post(f"/actions/{applied.external_id}/stop/", {"ended_on": "2024-09-02", "reason": "Too costly"})
    applied.refresh_from_db()
    assert (applied.state, applied.ended_on) == (State.STOPPED, date(2024, 9, 2))
    assert "Too costly" in text_of(client.get(f"/actions/{applied.external_id}/"))


def test_a_stopped_action_can_be_put_back_by_a_correction(
    signed_in: SignIn, applied: Action, manager: User
) -> None:
    stop_action(action=applied, ended_on=date(2024, 9, 2), reason="x", as_of=date(2024, 9, 2), actor=None)
    client = signed_in(manager)
    entries = sheet_entries(client, applied, "correct", ended_on="", reason="It went on")
    client.post(f"/actions/{applied.external_id}/correct/", entries)
    applied.refresh_from_db()
    assert (applied.state, applied.ended_on) == (State.APPLIED, None)


def test_keeping_as_standard(signed_in: SignIn, applied: Action, manager: User) -> None:
    signed_in(manager).post(f"/actions/{applied.external_id}/sustain/")
    applied.refresh_from_db()
    assert applied.state == State.SUSTAINED


def test_withdrawing_asks_why(signed_in: SignIn, planned: Action, manager: User) -> None:
    client = signed_in(manager)
    assert client.post(f"/actions/{planned.external_id}/withdraw/", {"reason": ""}).status_code == 422
    client.post(f"/actions/{planned.external_id}/withdraw/", {"reason": "No budget"})
    assert not Action.objects.exists()


def test_the_same_plan_elsewhere_is_linked(
    signed_in: SignIn, chain: Chain, challenge: Challenge, training: Solution, lead: User, manager: User
) -> None:
    plan = create_plan(
        challenge=challenge, units=[chain.lille, chain.nice], solutions=[training], owner=lead,
        planned_on=TODAY, actor=lead,
    )  # fmt: skip
    here, there = plan.actions.get(unit=chain.lille), plan.actions.get(unit=chain.nice)
    url = f"/actions/{here.external_id}/"
    assert f"/actions/{there.external_id}/" in signed_in(lead).get(url).content.decode()
    # Nice lies outside the manager's scope.
    assert f"/actions/{there.external_id}/" not in signed_in(manager).get(url).content.decode()


# Constant number of queries


@pytest.mark.parametrize("page", ["apply/", "change/"])
def test_a_sheet_asks_the_same_number_of_questions_however_much_it_offers(
    signed_in: SignIn,
    django_assert_num_queries: Any,
    planned: Action,
    challenge: Challenge,
    manager: User,
    page: str,
) -> None:
    client = signed_in(manager)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/actions/{planned.external_id}/{page}")
    for number in range(8):
        linked(challenge, code=f"more-{number}", title=f"More {number}")
    with django_assert_num_queries(len(few)):
        client.get(f"/actions/{planned.external_id}/{page}")
