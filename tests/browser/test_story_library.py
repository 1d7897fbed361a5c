"""A lead at a desk finds a solution in spite of a typo, and takes over the change that a colleague asks for."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import User
from apps.library.models import Solution
from apps.library.requests import request_change
from tests.browser.conftest import Visitor
from tests.factories import (
    ChallengeFactory,
    MetricFactory,
    RankedSolutionFactory,
    SolutionFactory,
    SolutionVersionFactory,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture
def solution(staff: User) -> Solution:
    """A measured solution of two, and a change to it that waits."""
    challenge = ChallengeFactory(code="cold", name="A cold welcome", metric=MetricFactory(code="welcome"))
    greet = SolutionFactory(code="greet", title="Greet within ten seconds", kind="training")
    SolutionVersionFactory(solution=greet, title=greet.title, who="All desk staff.")
    RankedSolutionFactory(challenge=challenge, solution=greet, evidence=4, effect=0.42, low=0.21, high=0.63)
    card = SolutionFactory(code="card", title="Greeting card at the door", kind="asset")
    SolutionVersionFactory(solution=card, title=card.title)
    request_change(
        solution=greet,
        language="en",
        changes={"who": "All desk staff, and whoever covers for them."},
        reason="The relief staff were never told.",
        at=timezone.now(),
        actor=staff,
    )
    return greet


def test_a_lead_finds_a_solution_and_takes_a_change_over(
    visit: Callable[..., Visitor], solution: Solution, lead: User
) -> None:
    visitor = visit(width=1280)
    visitor.sign_in(lead.email)
    page = visitor.page
    page.goto("/search/?what=solutions")
    page.keyboard.press("/")
    page.keyboard.type("greet within secnds")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Greet within ten seconds")).to_be_visible()
    visitor.look()

    page.goto("/search/?what=solutions")
    facet = page.get_by_role("complementary", name="Narrow down")
    facet.get_by_role("link", name="Training").click()
    found = page.locator("#found")
    expect(found.get_by_role("link", name="Greet within ten seconds")).to_be_visible()
    expect(found.get_by_role("link", name="Greeting card at the door")).to_have_count(0)
    visitor.look()
    found.get_by_role("link", name="Greet within ten seconds").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Greet within ten seconds")
    visitor.look()

    page.goto("/library/changes/")
    visitor.look()
    page.get_by_role("link", name="Greet within ten seconds").click()
    expect(page.get_by_text("The relief staff were never told.")).to_be_visible()
    visitor.look()
    page.get_by_role("button", name="Take it over").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Accepted")
    visitor.look()
    page.goto("/solutions/greet/")
    expect(page.get_by_text("All desk staff, and whoever covers for them.")).to_be_visible()
    visitor.look()
