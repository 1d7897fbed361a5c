"""The frame around every page: search, sheets, theme, toasts, lists that answer while one types, charts."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from apps.accounts.models import User
from apps.core.periods import WEEK
from tests.browser.conftest import Visitor
from tests.conftest import Chain
from tests.factories import (
    MONDAY,
    CellFactory,
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
Visit = Callable[..., Visitor]


@pytest.fixture
def shop(chain: Chain) -> Chain:
    """Lille with half a year of answers, one challenge and one proven solution."""
    metric = MetricFactory(code="welcome", name="Welcome at the desk", is_overall=True)
    for ago in range(26):
        CellFactory(unit=chain.lille, metric=metric, week=MONDAY - ago * WEEK, n=20, value=Decimal(7 + ago % 3))
    challenge = ChallengeFactory(code="cold", name="A cold welcome", metric=metric)
    ChallengeFactory(code="queue", name="Long queue", metric=metric)
    solution = SolutionFactory(code="greet", title="Greet within ten seconds")
    SolutionVersionFactory(solution=solution, summary="Look up.", body="1. Look up.\n2. Smile.")
    RankedSolutionFactory(challenge=challenge, solution=solution, evidence=4, effect=0.42, low=0.21, high=0.63)
    return chain


def test_a_slash_goes_to_the_search_from_anywhere(visit: Visit, shop: Chain, manager: User) -> None:
    visitor = visit(width=1280)
    visitor.sign_in(manager.email)
    page = visitor.page
    page.keyboard.press("/")
    expect(page.locator("#rail-search")).to_be_focused()
    page.keyboard.type("welcom")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="A cold welcome")).to_be_visible()
    visitor.look()


def test_the_first_stop_of_the_tab_key_skips_to_the_content(visit: Visit, shop: Chain, manager: User) -> None:
    visitor = visit(width=1280)
    visitor.sign_in(manager.email)
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#main")).to_be_focused()


def test_a_phone_has_the_areas_at_the_thumb_and_the_rest_in_a_sheet(visit: Visit, shop: Chain, lead: User) -> None:
    visitor = visit(width=360, scheme="dark")
    visitor.sign_in(lead.email)
    page = visitor.page
    bar = page.get_by_role("navigation", name="Areas")
    expect(bar.get_by_role("link")).to_have_count(4)
    bar.get_by_role("button", name="More").click()
    sheet = page.get_by_role("dialog", name="More")
    expect(sheet.get_by_role("link", name="Settings")).to_be_visible()
    visitor.look()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Search").click()
    page.locator("#sheet-search").fill("queue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Long queue")).to_be_visible()
    visitor.look()


def test_a_chosen_theme_stays_on_the_device(visit: Visit, shop: Chain, manager: User) -> None:
    visitor = visit(width=1280)
    visitor.sign_in(manager.email)
    page = visitor.page
    page.goto("/settings/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(paper) != light
    page.goto("/challenges/")
    assert page.evaluate(paper) != light
    page.goto("/settings/")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="As the device").click()
    assert page.evaluate(paper) == light


def test_what_happened_is_said_in_a_toast_that_can_be_closed(visit: Visit, shop: Chain, manager: User) -> None:
    visitor = visit(width=360)
    visitor.sign_in(manager.email)
    page = visitor.page
    page.goto("/settings/")
    page.get_by_label("Name").fill("Maxine")
    page.locator("form", has=page.get_by_label("Name")).get_by_role("button", name="Save").click()
    toast = page.locator(".cx-toast")
    expect(toast).to_contain_text("Saved.")
    visitor.look()
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)


def test_lists_answer_while_one_types(visit: Visit, shop: Chain, lead: User) -> None:
    visitor = visit(width=1280)
    visitor.sign_in(lead.email)
    page = visitor.page
    page.goto("/challenges/")
    page.get_by_label("Find a challenge").press_sequentially("queu")
    expect(page.get_by_role("link", name="A cold welcome")).to_have_count(0)
    expect(page.get_by_role("link", name="Long queue")).to_be_visible()
    assert "q=queu" in page.url
    page.goto("/unit/?next=/challenges/")
    page.get_by_label("Name, code or region").press_sequentially("arles")
    expect(page.get_by_role("button", name="Nice")).to_have_count(0)
    page.get_by_role("button", name="Arles").click()
    page.wait_for_url("**/challenges/")
    expect(page.locator(".cx-rail .cx-unit")).to_contain_text("Arles")


def test_evidence_arrives_in_the_list_of_solutions(visit: Visit, shop: Chain, staff: User) -> None:
    visitor = visit(width=360)
    visitor.sign_in(staff.email)
    visitor.page.goto("/solutions/")
    expect(visitor.page.get_by_text("+0.42")).to_be_visible()
    visitor.look()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_a_chart_is_drawn_and_has_its_table(
    visit: Visit, shop: Chain, manager: User, width: int, scheme: str
) -> None:
    visitor = visit(width=width, scheme=scheme)
    visitor.sign_in(manager.email)
    page = visitor.page
    page.goto("/units/LILLE/metrics/welcome/")
    expect(page.locator(".cx-chart__drawing svg")).to_be_visible()
    page.get_by_text("Show as a table").click()
    expect(page.get_by_role("table")).to_be_visible()
    visitor.look()
    page.goto("/units/LILLE/")
    visitor.look()
    page.goto("/challenges/cold/")
    expect(page.get_by_text("Greet within ten seconds").first).to_be_visible()
    visitor.look()
    page.goto("/solutions/greet/")
    expect(page.get_by_text("Smile.")).to_be_visible()
    visitor.look()
