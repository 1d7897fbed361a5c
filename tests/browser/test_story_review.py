"""A lead reviews a measured action: returns what the team makes of it from a phone, accepts it at a desk."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import Role, Unit
from apps.impact.models import Effect, Reading
from apps.impact.readings import write_reading
from apps.impact.tasks import refresh_stale
from apps.planning.models import Action
from tests.browser.chain import bring_in, small_chain
from tests.browser.conftest import Visitor, until
from tests.factories import MembershipFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
MEASURED_SECONDS = 180.0
SAID = "The early shift did it every day, the late shift not."


@pytest.fixture
def action(transactional_db: None, worker: None) -> Action:
    """A greeter whose effect is measured, in a branch whose manager wrote what the team makes of it."""
    for kind, content in small_chain(today=timezone.localdate()).files.items():
        bring_in(kind, content)
    company = Unit.objects.get(code="RENTAL")
    MembershipFactory(user__email="lea@example.org", user__name="Lea Lead", unit=company, role=Role.LEAD)
    found = Action.objects.get(external_id="OLD-1")
    author = MembershipFactory(user__name="Max Manager", unit=found.unit, role=Role.MANAGER).user
    refresh_stale.delay()
    measured = Effect.objects.on_target().filter(action=found, status=Effect.Status.ESTIMATED)
    until(measured.exists, seconds=MEASURED_SECONDS)
    write_reading(action=found, text=SAID, at=timezone.now(), actor=author)
    return found


def test_a_lead_reads_a_result_and_accepts_the_teams_reading(
    action: Action, visit: Callable[..., Visitor]
) -> None:
    phone = visit(width=360, is_touching=True, scheme="dark")
    phone.sign_in("lea@example.org")
    returns_it_with_a_question(phone, action)
    author = Reading.objects.get(action=action).author
    assert author is not None
    write_reading(action=action, text=SAID, at=timezone.now(), actor=author)

    lead = visit(width=1280)
    lead.sign_in("lea@example.org")
    page = lead.page
    page.goto(f"/actions/{action.external_id}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("A greeter in the queue")
    result = page.locator("#action-effect")
    expect(result).to_contain_text("likely between")
    verdict = result.get_by_text(re.compile("Improved|Probably improved|Hard to tell")).first.inner_text()

    readings = page.locator("#readings")
    readings.scroll_into_view_if_needed()
    expect(readings).to_contain_text(SAID)
    expect(readings).to_contain_text("Max Manager")
    lead.look()
    readings.get_by_label("What do you say to it?").fill("Thank you. Tell the late shift, too.")
    readings.get_by_role("button", name="Accept").click()
    expect(readings).to_contain_text("Thank you. Tell the late shift, too.")
    expect(readings.get_by_role("button", name="Accept")).to_have_count(0)
    lead.look()

    page.reload()
    expect(page.locator("#readings")).to_contain_text("Lea Lead")
    expect(page.locator("#action-effect")).to_contain_text(verdict)
    states = list(Reading.objects.filter(action=action).order_by("pk").values_list("state", "text"))
    assert states == [(Reading.State.RETURNED, SAID), (Reading.State.ACCEPTED, SAID)]


def returns_it_with_a_question(phone: Visitor, action: Action) -> None:
    page = phone.page
    page.goto(f"/actions/{action.external_id}/")
    readings = page.locator("#readings")
    readings.scroll_into_view_if_needed()
    expect(readings).to_contain_text(SAID)
    phone.look()
    readings.get_by_label("What do you say to it?").fill("On which days?")
    readings.get_by_role("button", name="Return it").tap()
    expect(readings).to_contain_text("On which days?")
    phone.look()
