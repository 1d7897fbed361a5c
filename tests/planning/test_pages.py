"""Pages of plans and actions: what each person sees, what a form accepts and how it refuses."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.library.models import Solution
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action, Plan
from apps.planning.selectors import BOARD_ROWS
from apps.planning.services import apply_action, change_plan, create_plan, stop_action
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, ActionSolutionFactory, EventFactory, PlanFactory
from tests.planning.conftest import TODAY

State = Action.State


@pytest.fixture
def signed_in(client: Client) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client.force_login(user)
        return client

    return sign_in


SignIn = Callable[[User], Client]


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# The list


def test_the_board_groups_what_a_person_may_see_by_state(
    signed_in: SignIn, chain: Chain, planned: Action, applied: Action, staff: User
) -> None:
    ActionFactory(unit=chain.nice, external_id="FOREIGN-1")
    response = signed_in(staff).get("/plans/")

    columns = {column.state: column for column in response.context["board"]}
    assert [column.count for column in columns.values()] == [0, 1, 0, 0]
    assert columns["applied"].rows[0].solutions == ("Queue training",)
    assert "FOREIGN-1" not in text_of(response)


def test_the_board_shows_the_first_of_many_and_links_to_all(
    signed_in: SignIn, chain: Chain, challenge: Challenge, manager: User
) -> None:
    ActionFactory.create_batch(BOARD_ROWS + 3, unit=chain.lille, challenge=challenge)
    client = signed_in(manager)
    board = client.get("/plans/")
    column = next(column for column in board.context["board"] if column.state == "applied")
    assert (column.count, len(column.rows)) == (BOARD_ROWS + 3, BOARD_ROWS)
    assert 'href="?state=applied"' in board.content.decode()

    assert len(client.get("/plans/?state=applied").context["page"].object_list) == BOARD_ROWS + 3


def test_what_is_due_first_comes_first_and_overdue_is_said(
    signed_in: SignIn, chain: Chain, challenge: Challenge, manager: User
) -> None:
    plan = PlanFactory(challenge=challenge)
    today = timezone.localdate()
    for name, days in (("LATER", 20), ("OVERDUE", -3), ("SOON", 2)):
        ActionFactory(
            external_id=name, plan=plan, unit=chain.lille, challenge=challenge, target_metric=None,
            state=State.PLANNED, planned_on=today + timedelta(days=days), effective_on=None,
        )  # fmt: skip
    response = signed_in(manager).get("/plans/?state=planned")
    rows = response.context["page"].object_list
    assert [(row.external_id, row.is_overdue) for row in rows] == [
        ("OVERDUE", True), ("SOON", False), ("LATER", False),
    ]  # fmt: skip
    assert "(overdue)" in text_of(response)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=queue", True),
        ("q=lille", True),
        ("q=counter", True),
        ("q=kiosk", False),
        ("challenge=WAITING", True),
        ("challenge=other", False),
        ("unit=lille", True),
        ("unit=reims", False),
        ("state=planned", True),
        ("state=stopped", False),
        ("state=nonsense", True),
    ],
)
def test_filters_narrow_the_list(
    signed_in: SignIn, planned: Action, kiosk: Solution, lead: User, query: str, found: bool
) -> None:
    response = signed_in(lead).get(f"/plans/?{query}")
    assert (planned.external_id in response.content.decode()) is found


def test_the_list_is_of_the_unit_looked_at(signed_in: SignIn, chain: Chain, planned: Action, lead: User) -> None:
    client = signed_in(lead)
    assert planned.external_id in client.get("/plans/").content.decode()
    client.post("/unit/", {"unit": "SOUTH"})
    assert planned.external_id not in client.get("/plans/").content.decode()


def test_an_empty_list_says_what_to_do_next(signed_in: SignIn, manager: User, staff: User) -> None:
    client = signed_in(manager)
    assert 'href="/plans/new/"' in client.get("/plans/").content.decode()
    assert "Take a filter away" in text_of(client.get("/plans/?q=zzz"))
    assert 'href="/plans/new/"' not in signed_in(staff).get("/plans/").content.decode()


def test_a_filter_asked_by_htmx_gets_the_list_alone(signed_in: SignIn, planned: Action, manager: User) -> None:
    response = signed_in(manager).get("/plans/?q=queue", headers={"HX-Request": "true"})
    assert response.content.decode().strip().startswith('<div id="actions"')


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
    assert [unit.code for unit in page.context["shown"]] == ["LILLE", "REIMS"]
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


MANAGED = {"correct", "stop", "sustain", "undo"}


@pytest.mark.parametrize(
    ("who", "buttons"),
    [("manager", MANAGED), ("staff", set()), ("lead", MANAGED)],
)
def test_only_those_who_manage_the_unit_get_buttons(
    signed_in: SignIn, applied: Action, request: pytest.FixtureRequest, who: str, buttons: set[str]
) -> None:
    page = signed_in(request.getfixturevalue(who)).get(f"/actions/{applied.external_id}/").content.decode()
    assert set(re.findall(rf"/actions/{applied.external_id}/(\w+)/\"", page)) - {"effect"} == buttons


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


def test_a_lead_may_date_it_further_back(signed_in: SignIn, planned: Action, lead: User) -> None:
    client = signed_in(lead)
    client.post(
        f"/actions/{planned.external_id}/apply/", sheet_entries(client, planned, effective_on="2022-01-03")
    )
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


@pytest.mark.parametrize("url", ["/plans/", "/plans/?state=applied", "/plans/?q=solution"])
def test_a_list_asks_the_same_number_of_questions_however_long(
    signed_in: SignIn, django_assert_num_queries: Any, chain: Chain, challenge: Challenge, lead: User, url: str
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = signed_in(lead)
    for _ in range(2):
        for unit in (chain.lille, chain.nice):
            ActionSolutionFactory(action=ActionFactory(unit=unit, challenge=challenge))
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for unit in (chain.lille, chain.nice, chain.arles, chain.reims) * 3:
        ActionSolutionFactory(action=ActionFactory(unit=unit))
    with django_assert_num_queries(len(few)):
        client.get(url)


def test_an_action_page_asks_the_same_number_of_questions_however_long_its_story(
    signed_in: SignIn, django_assert_num_queries: Any, planned: Action, training: Solution, kiosk: Solution,
    manager: User,
) -> None:  # fmt: skip
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    action = apply_action(
        action=planned,
        effective_on=TODAY,
        solutions=[AppliedSolution(solution=training)],
        as_of=TODAY,
        actor=manager,
    )
    client = signed_in(manager)
    client.get(f"/actions/{action.external_id}/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"/actions/{action.external_id}/")
    ActionSolutionFactory(action=action, version=kiosk.versions.get())
    stop_action(action=action, ended_on=date(2024, 9, 2), reason="x", as_of=date(2024, 9, 2), actor=manager)
    with django_assert_num_queries(len(few) - 1):
        # One less: whether it can be undone is not asked of a stopped action.
        client.get(f"/actions/{action.external_id}/")
