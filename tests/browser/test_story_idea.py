"""An idea's story on phones: proposed, voted for, joined, tried, written down; its author hears of it."""

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from apps.accounts.models import Role, Unit
from apps.ideas.models import Idea
from tests.browser.conftest import Visitor
from tests.factories import ChallengeFactory, MembershipFactory, MetricFactory, UnitFactory
from tests.ideas_factories import IdeaFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
# One pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TEXT = "Sort tomorrow's contracts by hour. Whoever is at the desk takes the next one."
TITLE = "Sort tomorrow's contracts by hour"


@pytest.fixture
def shop(transactional_db: None) -> Unit:
    """One shop with a staff member, a colleague and a lead; an idea much like the one to come waits already."""
    unit = UnitFactory(code="lille", name="Lille")
    ChallengeFactory(code="queue", name="Long queue", metric=MetricFactory(code="wait", name="Waiting time"))
    for name, role in (("ines", Role.STAFF), ("tom", Role.STAFF), ("lea", Role.LEAD)):
        MembershipFactory(user__email=f"{name}@example.org", user__name=name.title(), unit=unit, role=role)
    IdeaFactory(title="A box for tomorrow's contracts", text="Sort contracts the day before.", unit=unit)
    return unit


def test_an_idea_goes_from_a_phone_into_the_library_and_its_author_hears_of_it(
    shop: Unit, visit: Callable[..., Visitor]
) -> None:
    author, colleague, lead = visit(width=360), visit(width=360, scheme="dark"), visit(width=360)
    for visitor, name in ((author, "ines"), (colleague, "tom"), (lead, "lea")):
        visitor.sign_in(f"{name}@example.org")

    proposes_with_a_photo(author)
    idea = Idea.objects.get(title=TITLE)
    lets_it_in(lead, idea)
    votes(colleague, idea)
    joins_the_twin(lead)
    has_it_tried(lead, idea)
    makes_it_a_solution(lead, idea)
    hears_what_became_of_it(author)


def proposes_with_a_photo(author: Visitor) -> None:
    page = author.page
    page.goto("/ideas/")
    author.look()
    page.get_by_role("link", name="Propose an idea").first.click()
    page.get_by_label("What is the problem?").fill("Customers watch us search for papers")
    page.get_by_label("What would you do?").fill(TEXT)
    page.locator("[name=photo]").set_input_files({"name": "tray.png", "mimeType": "image/png", "buffer": PICTURE})
    author.look()
    reach_by_keyboard(author, "Propose it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    expect(page.get_by_role("img", name="Photo that came with the idea")).to_be_visible()
    author.look()


def lets_it_in(lead: Visitor, idea: Idea) -> None:
    page = lead.page
    page.goto("/ideas/moderation/")
    lead.look()
    page.goto(f"/ideas/{idea.pk}/")
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("button", name="Take into review")).to_be_visible()


def votes(colleague: Visitor, idea: Idea) -> None:
    page = colleague.page
    page.goto("/ideas/")
    page.get_by_role("link", name=TITLE).click()
    reach_by_keyboard(colleague, "I have this problem too")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 colleague has this problem")).to_be_visible()
    colleague.look()
    idea.refresh_from_db()
    assert idea.vote_count == 1


def joins_the_twin(lead: Visitor) -> None:
    page = lead.page
    twin = Idea.objects.get(title="A box for tomorrow's contracts")
    page.goto(f"/ideas/{twin.pk}/merge/?q=contracts")
    page.get_by_role("radio", name=re.compile(TITLE)).check()
    lead.look()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    lead.look()


def has_it_tried(lead: Visitor, idea: Idea) -> None:
    page = lead.page
    page.goto(f"/ideas/{idea.pk}/")
    page.get_by_role("link", name="Have it tried").click()
    page.get_by_role("checkbox", name="Lille").check()
    lead.look()
    page.get_by_role("button", name="Ask them").click()
    expect(page.get_by_role("main")).to_contain_text("Pilot")


def makes_it_a_solution(lead: Visitor, idea: Idea) -> None:
    page = lead.page
    page.goto(f"/ideas/{idea.pk}/promote/")
    page.locator("[name=challenge]").select_option("queue")
    page.locator("[name=kind]").select_option("sop")
    lead.look()
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_role("main")).to_contain_text("In library")
    lead.look()
    idea.refresh_from_db()
    assert idea.solution is not None
    assert idea.solution.author == idea.author


def hears_what_became_of_it(author: Visitor) -> None:
    page = author.page
    page.goto("/ideas/?show=mine")
    mine = page.locator("#ideas")
    expect(mine).to_contain_text(TITLE)
    expect(mine).to_contain_text("In library")
    author.look()
    page.goto("/notifications/")
    expect(page.get_by_role("main")).to_contain_text(f"Your idea is in the library: {TITLE}")
    author.look()


def reach_by_keyboard(visitor: Visitor, name: str) -> None:
    """Tab from the top of the page until the button called `name` has the focus."""
    page = visitor.page
    page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")
    button = page.get_by_role("button", name=name).first
    for _ in range(60):
        page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"“{name}” can't be reached with the Tab key")
