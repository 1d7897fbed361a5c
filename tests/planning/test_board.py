"""What can be done with a card of the board: put off, let go, apply, without opening the action first."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent, User
from apps.planning.ageing import new_day
from apps.planning.models import Action
from apps.planning.pages import today_in
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import ActionFactory, PlanFactory
from tests.planning.helpers import SignIn, text_of

BOARD = "/plans/?unit=lille"


@pytest.fixture
def slipped(chain: Chain, challenge: Challenge) -> Action:
    """A start that was planned for long ago."""
    found: Action = ActionFactory(
        external_id="SLIPPED", plan=PlanFactory(challenge=challenge), unit=chain.lille, challenge=challenge,
        target_metric=None, state="planned", effective_on=None,
        planned_on=today_in(chain.lille) - timedelta(days=40),
    )  # fmt: skip
    return found


def planned_for(action: Action, day: date) -> None:
    Action.objects.filter(pk=action.pk).update(planned_on=day)


def moves_on(html: str) -> list[str]:
    """The words of the steps a card offers."""
    shown = re.findall(r'class="btn btn-secondary btn-sm"[^>]*>([^<]+)<', html)
    return [words for words in shown if words != "Show"]


def entries_of(html: str, address: str) -> dict[str, str]:
    """What the form of a button sends."""
    form = re.search(rf'<form method="post" action="{address}">(.*?)</form>', html, re.DOTALL)
    assert form is not None, address
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))


def test_a_start_that_slipped_is_put_off_from_its_card(signed_in: SignIn, slipped: Action, manager: User) -> None:
    client = signed_in(manager)
    address = f"/actions/{slipped.external_id}/put-off/"
    response = client.post(address, entries_of(client.get(BOARD).content.decode(), address), follow=True)
    assert response.redirect_chain[-1][0] == BOARD, "back to the board as it was narrowed"
    assert "The start has a new day." in text_of(response)
    slipped.refresh_from_db()
    assert slipped.planned_on == new_day(today_in(slipped.unit))
    assert AuditEvent.objects.get(event="planning.action.changed").actor == manager


def test_what_nobody_wants_any_more_is_let_go_of_from_its_card(
    signed_in: SignIn, slipped: Action, manager: User
) -> None:
    client = signed_in(manager)
    address = f"/actions/{slipped.external_id}/let-go/"
    response = client.post(address, entries_of(client.get(BOARD).content.decode(), address), follow=True)
    assert response.redirect_chain[-1][0] == BOARD
    assert not Action.objects.exists()
    assert AuditEvent.objects.get(event="planning.action.withdrawn").actor == manager


@pytest.mark.parametrize("step", ["put-off", "let-go"])
def test_a_card_that_somebody_else_changed_meanwhile_says_so(
    signed_in: SignIn, slipped: Action, manager: User, step: str
) -> None:
    client = signed_in(manager)
    address = f"/actions/{slipped.external_id}/{step}/"
    seen = entries_of(client.get(BOARD).content.decode(), address)
    tomorrow = today_in(slipped.unit) + timedelta(days=1)
    slipped.planned_on = tomorrow
    slipped.save(update_fields=["planned_on", "updated_at"])
    assert "Somebody changed this action" in text_of(client.post(address, seen, follow=True))
    assert Action.objects.get().planned_on == tomorrow


def test_a_card_offers_what_its_state_and_days_allow(signed_in: SignIn, slipped: Action, manager: User) -> None:
    client = signed_in(manager)
    today = today_in(slipped.unit)
    assert [step.split(" on ")[0] for step in moves_on(client.get(BOARD).content.decode())] == [
        "Apply", "Start", "Let it go",
    ]  # fmt: skip
    planned_for(slipped, today + timedelta(days=1))
    assert [step.split(" on ")[0] for step in moves_on(client.get(BOARD).content.decode())] == [
        "Apply", "Start", "Withdraw",
    ]  # fmt: skip
    planned_for(slipped, today + timedelta(days=30))
    assert moves_on(client.get(BOARD).content.decode()) == ["Apply", "Withdraw"]
    assert moves_on(client.get(f"{BOARD}&state=planned").content.decode()) == ["Apply", "Withdraw"]


def test_who_does_not_manage_the_unit_is_offered_nothing(signed_in: SignIn, slipped: Action, staff: User) -> None:
    assert moves_on(signed_in(staff).get(BOARD).content.decode()) == []


def test_a_button_leads_to_no_foreign_page(signed_in: SignIn, slipped: Action, manager: User) -> None:
    address = f"/actions/{slipped.external_id}/put-off/"
    for asked in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
        assert signed_in(manager).post(address, {"next": asked})["Location"] == f"/actions/{slipped.external_id}/"


@pytest.mark.parametrize("address", [BOARD, f"{BOARD}&state=planned"])
def test_more_cards_cost_no_more_queries(
    signed_in: SignIn, slipped: Action, manager: User, chain: Chain, address: str
) -> None:
    client = signed_in(manager)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    plan = slipped.plan
    ActionFactory.create_batch(
        6, plan=plan, unit=chain.lille, challenge=slipped.challenge, target_metric=None, state="planned",
        planned_on=slipped.planned_on, effective_on=None,
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)
