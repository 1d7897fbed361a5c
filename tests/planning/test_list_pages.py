"""The list of plans and actions: whose, in which order, narrowed how."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.library.models import Solution
from apps.planning.applying import apply_action
from apps.planning.board import BOARD_ROWS
from apps.planning.corrections import stop_action
from apps.planning.freezing import AppliedSolution
from apps.planning.models import Action
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, ActionSolutionFactory, PlanFactory
from tests.planning.conftest import TODAY
from tests.planning.helpers import SignIn, text_of

State = Action.State


# The list


def test_the_board_groups_what_a_person_may_see_by_state(
    signed_in: SignIn, chain: Chain, planned: Action, applied: Action, staff: User
) -> None:
    ActionFactory(unit=chain.nice, external_id="FOREIGN-1")
    response = signed_in(staff).get("/plans/")

    columns = {column.state: column for column in response.context["board"]}
    assert [column.count for column in columns.values()] == [0, 1, 0, 0]
    assert columns["applied"].cards[0].row.solutions == ("Queue training",)
    assert "FOREIGN-1" not in text_of(response)


def test_the_board_shows_the_first_of_many_and_links_to_all(
    signed_in: SignIn, chain: Chain, challenge: Challenge, manager: User
) -> None:
    ActionFactory.create_batch(BOARD_ROWS + 3, unit=chain.lille, challenge=challenge)
    client = signed_in(manager)
    board = client.get("/plans/")
    column = next(column for column in board.context["board"] if column.state == "applied")
    assert (column.count, len(column.cards)) == (BOARD_ROWS + 3, BOARD_ROWS)
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
    rows = [card.row for card in response.context["page"].object_list]
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
    assert 'href="/plans/guide/"' in client.get("/plans/").content.decode()
    assert "Take a filter away" in text_of(client.get("/plans/?q=zzz"))
    assert 'href="/plans/guide/"' not in signed_in(staff).get("/plans/").content.decode()


def test_a_filter_asked_by_htmx_gets_the_list_alone(signed_in: SignIn, planned: Action, manager: User) -> None:
    response = signed_in(manager).get("/plans/?q=queue", headers={"HX-Request": "true"})
    assert response.content.decode().strip().startswith('<div id="actions"')


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


def test_a_row_of_a_list_reads_no_recipe(signed_in: SignIn, applied: Action, manager: User) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = signed_in(manager)
    for url in ("/plans/", "/plans/?state=applied", "/plans/table/", "/plans/timeline/", "/plans/calendar/"):
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        assert not any('"library_solutionversion"."why"' in query["sql"] for query in captured)
