"""An area manager takes one plan to many units by lot, at a desk, and puts it in place in order, with a phone."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import Role, Unit
from apps.planning.drawing import due_read_outs, read_out
from apps.planning.models import Action, Draw
from tests.browser.chain import bring_in, small_chain
from tests.browser.conftest import Visitor
from tests.factories import MembershipFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
# Branches that have tried nothing yet.
CHOSEN = ("B01", "B02", "B03", "B04", "B21", "B22")


@pytest.fixture
def area(transactional_db: None) -> Unit:
    """The chain, and who manages all of its branches."""
    for kind, content in small_chain(today=timezone.localdate()).files.items():
        bring_in(kind, content)
    unit = Unit.objects.get(code="RENTAL")
    MembershipFactory(user__email="ada@example.org", user__name="Ada Area", unit=unit, role=Role.MANAGER)
    return unit


def test_an_area_manager_rolls_out_as_a_fair_test(area: Unit, visit: Callable[..., Visitor]) -> None:
    manager = visit(width=1280)
    manager.sign_in("ada@example.org")
    chooses_units(manager)
    makes_the_plan(manager)
    draws_the_order(manager)
    moves_one_start(manager)

    phone = visit(width=360, is_touching=True)
    phone.sign_in("ada@example.org")
    puts_in_place_what_is_due(phone)
    starts_one_too_early(phone)
    is_told_when_it_can_be_read(phone)


def chooses_units(manager: Visitor) -> None:
    page = manager.page
    page.goto("/plans/rollout/?challenge=slow-counter")
    expect(page.get_by_role("heading", level=1)).to_have_text("One plan, many units")
    for code in CHOSEN:
        page.get_by_role("checkbox", name=re.compile(f"Branch {code}")).check()
    manager.look()
    page.get_by_role("button", name="Save and go on").click()


def makes_the_plan(manager: Visitor) -> None:
    page = manager.page
    expect(page.get_by_role("heading", level=1)).to_have_text("What will you do about it?")
    page.get_by_role("checkbox", name=re.compile("A greeter in the queue")).check()
    page.get_by_role("button", name="Save and go on").click()
    page.locator("[name=planned_on]").fill((timezone.localdate() + timedelta(days=14)).isoformat())
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_url(re.compile("/ready/$"))
    manager.look()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Agree to this plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A greeter in the queue")
    expect(page.get_by_role("main")).to_contain_text("6 units")
    manager.look()


def draws_the_order(manager: Visitor) -> None:
    page = manager.page
    page.get_by_role("link", name="Draw the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Let the lot decide who starts first")
    expect(page.locator("#chance")).to_contain_text("What could be seen")
    page.get_by_label("How many start dates?").fill("3")
    page.get_by_label("First start").fill(timezone.localdate().isoformat())
    page.get_by_label("Weeks between two starts").fill("2")
    page.get_by_label("Weeks between two starts").blur()
    expect(page.locator("#chance")).to_contain_text("What could be seen")
    manager.look()
    page.get_by_role("button", name="Draw the order").click()
    lot = page.get_by_role("region", name="A fair test: the lot decided the order")
    expect(lot).to_contain_text("3 start dates, 2 weeks apart")
    expect(lot.get_by_role("listitem")).to_have_count(3)
    expect(lot.get_by_role("listitem").first).to_contain_text("2 units")
    expect(page.locator("tbody").get_by_text("Drawn by lot")).to_have_count(len(CHOSEN))
    lot.get_by_text("How to check the draw").click()
    expect(lot).to_contain_text(f"Seed {Draw.objects.get().seed}")
    manager.look()


def moves_one_start(manager: Visitor) -> None:
    """The unit stays in the plan, and is no longer counted as drawn."""
    page = manager.page
    page.locator("tbody tr").first.get_by_text("Change", exact=False).first.click()
    row = page.locator("tbody tr").first
    row.get_by_label("Planned start").fill((timezone.localdate() + timedelta(days=90)).isoformat())
    row.get_by_role("button", name="Save").click()
    expect(page.locator("tbody").get_by_text("Not counted as drawn")).to_have_count(1)
    manager.look()
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A greeter in the queue")
    manager.look()
    drawn = Action.objects.filter(plan__isnull=False, is_randomised=True, state=Action.State.PLANNED)
    assert drawn.count() == len(CHOSEN) - 1


def puts_in_place_what_is_due(phone: Visitor) -> None:
    """The first start date is today: one of its two units is left, the other was put off."""
    page = phone.page
    page.goto(f"/plans/{Draw.objects.get().plan_id}/rollout/")
    phone.look()
    page.get_by_role("button", name="In place today in 1 unit").tap()
    expect(page.locator("[data-toasts]")).to_contain_text("Applied in 1 unit.")
    phone.look()
    (first,) = Action.objects.filter(plan__isnull=False, state=Action.State.APPLIED)
    assert (first.is_randomised, first.effective_on) == (True, timezone.localdate())
    expect(page.get_by_role("button", name=re.compile("In place today"))).to_have_count(0)


def starts_one_too_early(phone: Visitor) -> None:
    """Who waits by lot and does not wait is no comparison any more, and the page says so."""
    page = phone.page
    waits = Action.objects.filter(plan__isnull=False, state=Action.State.PLANNED, is_randomised=True)
    early = waits.order_by("-planned_on", "pk")[0]
    page.goto(f"/actions/{early.external_id}/")
    page.get_by_role("link", name="Apply").tap()
    page.get_by_role("dialog", name="It is in place").get_by_role("button", name="Apply").tap()
    expect(page.locator("[data-toasts]")).to_contain_text("Applied.")
    page.goto(f"/plans/{early.plan_id}/rollout/")
    row = page.get_by_role("row").filter(has_text="It started before the day it drew.")
    expect(row).to_have_count(1)
    lot = page.get_by_role("region", name="A fair test: the lot decided the order")
    expect(lot).to_contain_text("2 units no longer count as drawn by lot")
    phone.look()


def is_told_when_it_can_be_read(phone: Visitor) -> None:
    page, draw = phone.page, Draw.objects.get()
    assert due_read_outs(as_of=draw.reads_on - timedelta(days=1)) == []
    ready_at = timezone.now() + timedelta(weeks=60)
    (due,) = due_read_outs(as_of=ready_at.date())
    assert read_out(draw=due, at=ready_at)
    assert due_read_outs(as_of=ready_at.date()) == []
    page.goto("/notifications/")
    phone.look()
    page.get_by_role("link", name=re.compile("Your fair test can be read")).first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("A greeter in the queue")
    expect(page.get_by_role("region", name="A fair test: the lot decided the order")).to_be_visible()
