"""A manager's story, told by two of them: one with a phone, one at a desk."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import Role, Unit
from apps.impact.models import Effect, RankedSolution
from apps.impact.tasks import refresh_stale
from apps.planning.models import Action
from tests.browser.chain import BEHIND, EFFECTS, SmallChain, bring_in, small_chain
from tests.browser.conftest import Visitor, until
from tests.factories import MembershipFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
MEASURED_SECONDS = 180.0
WIDTHS = (360, 1280)


@pytest.fixture
def chain(transactional_db: None) -> SmallChain:
    """Forty-eight weeks of a chain that has tried three things, with a lead and two managers."""
    made = small_chain(today=timezone.localdate())
    for kind, content in made.files.items():
        bring_in(kind, content)
    MembershipFactory(
        user__email="lead@example.org", user__name="Lea Lead", unit=Unit.objects.get(code="RENTAL"), role=Role.LEAD
    )
    for code in BEHIND:
        MembershipFactory(user__email=f"{code}@example.org", unit=Unit.objects.get(code=code), role=Role.MANAGER)
    return made


def test_from_what_hurts_to_what_was_proven(
    chain: SmallChain, worker: None, visit: Callable[..., Visitor]
) -> None:
    refresh_stale.delay()
    until(lambda: RankedSolution.objects.filter(evidence__gt=0).exists(), seconds=MEASURED_SECONDS)

    managers = [(visit(width=width), code) for width, code in zip(WIDTHS, BEHIND, strict=True)]
    for manager, code in managers:
        manager.sign_in(f"{code}@example.org")
        opens_the_challenge_that_costs_most(manager)
        plans_the_best_solution(manager)
        applies_it(manager, chain)

    lead_imports_the_new_feedback(visit(width=1280, scheme="dark"), chain)
    refresh_stale.delay()
    until(are_measured, seconds=MEASURED_SECONDS)

    for manager, _ in managers:
        sees_what_it_changed(manager)


def opens_the_challenge_that_costs_most(manager: Visitor) -> None:
    page = manager.page
    manager.look()
    gains = page.get_by_role("region", name="Where you can gain most")
    gains.get_by_role("link", name="Long wait at the counter").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Long wait at the counter")


def plans_the_best_solution(manager: Visitor) -> None:
    page = manager.page
    offers = page.locator("#recommended")
    expect(offers).to_contain_text("A greeter in the queue")
    offers.get_by_text("All 3 solutions").click()
    ranking = page.locator("#challenge-ranking")
    expect(ranking).to_contain_text("A leaflet on waiting")
    expect(ranking).to_contain_text("likely between")
    manager.look()
    offers.get_by_role("link", name=re.compile("Add to plan.*A greeter in the queue")).click()

    expect(page.get_by_role("checkbox", name=re.compile("A greeter in the queue"))).to_be_checked()
    expect(page.get_by_role("checkbox", name=re.compile("A leaflet on waiting"))).not_to_be_checked()
    page.get_by_label("When, where and how exactly?").fill("Every morning rush, at the door")
    manager.look()
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_role("status")).to_contain_text("Planned.")
    expect(page.get_by_role("heading", level=1)).to_have_text("A greeter in the queue")
    manager.look()


def applies_it(manager: Visitor, chain: SmallChain) -> None:
    page = manager.page
    page.get_by_role("link", name="Apply").click()
    page.get_by_label("In place since").fill(chain.effective_on.isoformat())
    page.get_by_text("How much, and what was different").first.click()
    page.get_by_label("How much").first.fill("Two people a shift")
    page.get_by_label(re.compile("Done as described")).first.fill("90")
    manager.look()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_text("90 % done as described")).to_be_visible()
    manager.look()


def lead_imports_the_new_feedback(lead: Visitor, chain: SmallChain) -> None:
    lead.sign_in("lead@example.org")
    lead.look()
    page = lead.page
    page.goto("/data/import/")
    page.get_by_label("What the file holds").select_option("feedback")
    page.locator("[name=file]").set_input_files(
        {"name": "last-quarter.csv", "mimeType": "text/csv", "buffer": chain.late}
    )
    lead.look()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("main")).to_contain_text(
        re.compile("finished|imported", re.IGNORECASE), timeout=60_000
    )
    lead.look()


def are_measured() -> bool:
    actions = Action.objects.filter(unit__code__in=BEHIND)
    known = Effect.objects.on_target().filter(action__in=actions, status=Effect.Status.ESTIMATED)
    return known.count() == len(BEHIND)


def sees_what_it_changed(manager: Visitor) -> None:
    page = manager.page
    page.reload()
    result = page.locator("#action-effect")
    expect(result).to_contain_text(re.compile("Improved|Probably improved"))
    expect(result).to_contain_text("likely between")
    # Charts are drawn when they come near the window.
    result.locator("[data-chart]").first.scroll_into_view_if_needed()
    expect(result.locator("canvas, svg.marks").first).to_be_visible(timeout=20_000)
    manager.look()
    shown = Effect.objects.on_target().get(action__external_id=page.url.rstrip("/").rsplit("/", 1)[1])
    assert shown.low is not None
    assert shown.high is not None
    assert shown.low < EFFECTS["greeter"] < shown.high
    page.goto("/")
    manager.look()
