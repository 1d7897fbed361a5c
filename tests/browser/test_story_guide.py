"""A manager with a phone takes on what hurts most, step by step, and learns when the result will be known."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import Role, Unit
from apps.planning.models import Action
from tests.browser.chain import BEHIND, bring_in, small_chain
from tests.browser.conftest import Visitor
from tests.factories import MembershipFactory
from tests.planning_factories import ReadyItemFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture
def branch(transactional_db: None) -> Unit:
    """A branch that lags behind the others at the counter, and its manager."""
    for kind, content in small_chain(today=timezone.localdate()).files.items():
        bring_in(kind, content)
    unit = Unit.objects.get(code=BEHIND[0])
    MembershipFactory(user__email="maya@example.org", user__name="Maya", unit=unit, role=Role.MANAGER)
    ReadyItemFactory(label="Does everybody on shift know?")
    return unit


def test_a_manager_goes_from_home_to_an_applied_plan(branch: Unit, visit: Callable[..., Visitor]) -> None:
    manager = visit(width=360)
    manager.sign_in("maya@example.org")
    manager.look()
    page = manager.page
    page.goto("/challenges/slow-counter/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Long wait at the counter")
    manager.look()

    page.goto("/plans/guide/?challenge=slow-counter&solution=greeter")
    manager.look()
    goes_on(manager)
    expect(page.get_by_role("heading", level=1)).to_have_text("What will you do about it?")
    expect(page.get_by_role("checkbox", name=re.compile("A greeter in the queue"))).to_be_checked()
    manager.look()
    goes_on(manager)

    page.locator("[name=planned_on]").fill((timezone.localdate() + timedelta(days=7)).isoformat())
    page.locator("[name=more]").fill("Tell the night shift")
    manager.look()
    goes_on(manager)
    page.get_by_role("checkbox", name="Does everybody on shift know?").check()
    manager.look()
    goes_on(manager)
    expect(page.get_by_role("main")).to_contain_text("Tell the night shift")
    manager.look()
    page.get_by_role("button", name="Agree to this plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A greeter in the queue")
    expect(page.get_by_role("main")).to_contain_text("the full result is known around")
    manager.look()

    page.get_by_role("link", name="Apply").click()
    page.get_by_label("In place since").fill(timezone.localdate().isoformat())
    manager.look()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    result = page.get_by_role("region", name="What it changed")
    expect(result).to_contain_text("Too early to say")
    expect(result).to_contain_text(re.compile("A first answer comes around .+, the full result around"))
    manager.look()
    assert Action.objects.get(unit=branch, plan__isnull=False).state == Action.State.APPLIED


def goes_on(manager: Visitor) -> None:
    """Without a pointer: the button has the focus, Enter presses it."""
    button = manager.page.get_by_role("button", name="Save and go on")
    button.focus()
    expect(button).to_be_focused()
    manager.page.keyboard.press("Enter")
    button.or_(manager.page.get_by_role("button", name="Agree to this plan")).first.wait_for()
