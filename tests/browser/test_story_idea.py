"""An idea's story on phones, from the staff member who proposes it to the effect that was measured of it."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import Role, Unit
from apps.ideas.models import Idea
from apps.impact.models import Effect
from apps.impact.tasks import refresh_stale, tell_news
from apps.notifications.models import Notification
from apps.planning.models import Action
from tests.browser.chain import csv_of, feedback_on
from tests.browser.conftest import Visitor, until
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
# The first shop is where the idea comes from; those that copy it do so for so many weeks.
SHOPS = (
    "Lille",
    "Reims",
    "Nice",
    "Arles",
    "Dijon",
    "Lyon",
    "Metz",
    "Nantes",
    "Paris",
    "Rouen",
    "Tours",
    "Brest",
    "Caen",
    "Nimes",
    "Pau",
    "Vannes",
)
COPIES = {"Reims": 15, "Nice": 14, "Arles": 12, "Dijon": 11}
WEEKS, OWN_WEEKS, LIFT = 44, 12, 1.5
MEASURED_SECONDS = 120.0


@pytest.fixture
def shop(transactional_db: None) -> Unit:
    """One shop of a chain with its people and a lead; an idea much like the one to come waits already."""
    company = UnitFactory(code="ALL", name="All shops", kind="company")
    shops = [UnitFactory(code=name.upper(), name=name, parent=company) for name in SHOPS]
    metric = MetricFactory(code="wait", name="Waiting time", kind="perception", scale_min=0, scale_max=10)
    ChallengeFactory(code="queue", name="Long queue", metric=metric)
    people = (
        ("ines", Role.STAFF, shops[0]),
        ("tom", Role.STAFF, shops[0]),
        ("max", Role.MANAGER, shops[0]),
        ("lea", Role.LEAD, company),
    )
    for name, role, unit in people:
        MembershipFactory(user__email=f"{name}@example.org", user__name=name.title(), unit=unit, role=role)
    IdeaFactory(title="A box for tomorrow's contracts", text="Sort contracts the day before.", unit=shops[0])
    return shops[0]


def test_an_idea_goes_from_a_phone_into_the_library_and_its_author_sees_what_it_changed(
    shop: Unit, worker: None, visit: Callable[..., Visitor]
) -> None:
    author, colleague, lead = visit(width=360), visit(width=360, scheme="dark"), visit(width=360)
    manager = visit(width=360)
    for visitor, name in ((author, "ines"), (colleague, "tom"), (lead, "lea"), (manager, "max")):
        visitor.sign_in(f"{name}@example.org")

    proposes_with_a_photo(author)
    idea = Idea.objects.get(title=TITLE)
    lets_it_in(lead, idea)
    votes(colleague, idea)
    joins_the_twin(lead)
    has_it_tried(lead, idea)
    makes_it_a_solution(lead, idea)
    hears_what_became_of_it(author)
    plans_and_applies_it(manager)
    brings_in_what_other_shops_did_and_customers_said(lead, idea)
    refresh_stale.delay()
    until(is_measured, seconds=MEASURED_SECONDS)
    tell_news.delay()
    until(Notification.objects.filter(kind="ideas.idea.measured").exists, seconds=MEASURED_SECONDS)
    sees_what_it_changed(author)


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
    page.locator("[name=challenge]").fill("queue")
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


def plans_and_applies_it(manager: Visitor) -> None:
    page = manager.page
    page.goto("/notifications/")
    page.get_by_role("link", name=re.compile("You are asked to try an idea")).first.click()
    page.get_by_role("link", name=TITLE).first.click()
    page.get_by_role("link", name="Plan it").click()
    page.get_by_label("When, where and how exactly?").fill("Every evening, whoever closes")
    page.get_by_role("button", name="Plan it").click()
    page.get_by_role("link", name="Apply").click()
    page.get_by_label("In place since").fill(started(OWN_WEEKS))
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    manager.look()


def brings_in_what_other_shops_did_and_customers_said(lead: Visitor, idea: Idea) -> None:
    assert idea.solution is not None
    actions = csv_of(
        ["external_id", "unit", "challenge", "solutions", "effective_on", "fidelity"],
        [(f"LOG-{n}", n.upper(), "queue", idea.solution.code, started(w), 100) for n, w in COPIES.items()],
    )
    lifted = {name.upper(): weeks for name, weeks in {SHOPS[0]: OWN_WEEKS, **COPIES}.items()}
    answers = feedback_on(
        "wait",
        units=[name.upper() for name in SHOPS],
        weeks=WEEKS,
        lifted=lifted,
        lift=LIFT,
        today=timezone.localdate(),
    )
    page = lead.page
    for kind, content in (("actions", actions), ("feedback", answers)):
        page.goto("/data/import/")
        page.get_by_label("What the file holds").select_option(kind)
        page.locator("[name=file]").set_input_files(
            {"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": content}
        )
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_role("main")).to_contain_text(
            re.compile("finished|imported", re.IGNORECASE), timeout=60_000
        )


def started(weeks: int) -> str:
    """The Monday since which it has been done for so many weeks."""
    today = timezone.localdate()
    return (today - timedelta(days=today.weekday(), weeks=weeks - 1)).isoformat()


def is_measured() -> bool:
    known = Effect.objects.on_target().filter(status=Effect.Status.ESTIMATED)
    return known.count() == Action.objects.count() == 1 + len(COPIES)


def sees_what_it_changed(author: Visitor) -> None:
    page = author.page
    page.goto("/notifications/")
    page.get_by_role("link", name=f"The first effect of your idea is measured: {TITLE}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLE)
    changed = page.get_by_role("region", name="What it changed")
    changed.scroll_into_view_if_needed()
    expect(changed).to_contain_text("Effect on “Waiting time”")
    expect(changed).to_contain_text("likely between")
    author.look()
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("main")).to_contain_text(f"{1 + len(COPIES)} measured uses in {1 + len(COPIES)} units")
    expect(page.get_by_role("main")).to_contain_text("Ines")
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
