"""A lead moves challenges in the tree: with the pointer, with the keyboard, and takes a move back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts.models import Role
from apps.taxonomy.models import Challenge
from tests.browser.conftest import Visitor
from tests.factories import ChallengeFactory, MembershipFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture
def tree(transactional_db: None) -> None:
    MembershipFactory(user__email="lead@example.org", user__name="Lea Lead", role=Role.LEAD)
    desk = ChallengeFactory(code="desk", name="At the desk")
    ChallengeFactory(code="queue", name="Long queue", parent=desk)
    ChallengeFactory(code="fees", name="Unexpected fees")


def parent_of(code: str) -> str | None:
    parent = Challenge.objects.select_related("parent").get(code=code).parent
    return parent.code if parent else None


def test_a_challenge_is_moved_by_keyboard_and_pointer_and_back(tree: None, visit: Callable[..., Visitor]) -> None:
    lead = visit(width=1280)
    lead.sign_in("lead@example.org")
    page = lead.page
    page.goto("/taxonomy/")
    lead.look()

    page.get_by_role("treeitem", name="At the desk").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("treeitem", name="Long queue")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("treeitem", name="Long queue")).to_be_focused()
    page.keyboard.press("m")
    expect(page.get_by_role("status").filter(has_text="Picked up “Long queue”")).to_be_attached()
    page.keyboard.press("End")
    expect(page.get_by_role("treeitem", name="Unexpected fees")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved. You can undo it for a day.")).to_be_visible()
    assert parent_of("queue") == "fees"
    lead.look()

    fees = page.get_by_role("treeitem", name="Unexpected fees").locator("[data-row]").first
    fees.drag_to(page.get_by_role("treeitem", name="At the desk").locator("[data-row]").first)
    expect(page.get_by_text("“Unexpected fees” was moved")).to_be_visible()
    assert parent_of("fees") == "desk"

    page.get_by_role("button", name="Undo: “Unexpected fees” was moved").click()
    expect(page.get_by_text("Undone: everything is as it was before.")).to_be_visible()
    assert parent_of("fees") is None


def test_a_phone_moves_by_a_form(tree: None, visit: Callable[..., Visitor]) -> None:
    lead = visit(width=360, scheme="dark")
    lead.sign_in("lead@example.org")
    page = lead.page
    page.goto("/taxonomy/")
    page.get_by_role("link", name="Unexpected fees").click()
    lead.look()
    page.get_by_role("link", name="Move").click()
    page.get_by_label("Under").fill("desk")
    lead.look()
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_text("Moved. You can undo it for a day.")).to_be_visible()
    assert parent_of("fees") == "desk"
    for address in ("/taxonomy/labels/", "/taxonomy/aliases/", "/taxonomy/journeys/", "/taxonomy/new/"):
        page.goto(address)
        lead.look()
