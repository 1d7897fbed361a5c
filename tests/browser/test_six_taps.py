"""From Home to an applied solution that was recommended: six taps with a thumb, or the keyboard alone."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, TimeoutError, expect  # noqa: A004

from apps.accounts.models import Role, Unit
from apps.impact.models import RankedSolution
from apps.impact.tasks import refresh_stale
from apps.planning.models import Action
from tests.browser.chain import BEHIND, bring_in, small_chain
from tests.browser.conftest import Visitor, until
from tests.factories import MembershipFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
MEASURED_SECONDS = 180.0
MOST_TAPS = 6
FINGER = 44
MOST_TABS = 120
HURTS, CHOSEN = "Long wait at the counter", "A greeter in the queue"
# Each touch of the screen, wherever it lands: a list that opens or a sheet that is closed counts, too.
COUNT_TAPS = """
addEventListener("pointerdown", (event) => {
  if (event.pointerType === "touch") window.noteTap(event.target.textContent.trim().slice(0, 60));
}, {capture: true});
"""
# What can be tapped and has less room than a finger needs, as far as the page answers around its middle; a link
# amid the words of a sentence may have.
SMALL_TARGETS = """(least) => {
  const found = [];
  const amidWords = (one) => one.matches("a") && getComputedStyle(one).display === "inline" &&
    one.parentElement.textContent.trim() !== one.textContent.trim();
  const answers = (one, x, y) => {
    const hit = document.elementFromPoint(x, y);
    const target = hit?.closest("a[href], button, summary, label, input, select, textarea");
    return target === one || (target?.matches("label") && target.control === one);
  };
  const reach = (one, x, y, dx, dy) => {
    let steps = 0;
    while (steps < least && answers(one, x + dx * (steps + 1), y + dy * (steps + 1))) steps += 1;
    return steps;
  };
  const before = scrollY;
  const root = document.querySelector("dialog:modal") ?? document;
  for (const one of root.querySelectorAll("a[href], button, input, select, textarea, summary")) {
    if (one.closest("dialog:not([open]), .visually-hidden, .visually-hidden-focusable") || one.type === "hidden" ||
      !one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) || amidWords(one)) continue;
    one.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    const box = one.getClientRects()[0];
    if (!box || box.width < 2) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    // News may lie over a link for some seconds, never over what decides.
    const isUnderNews = document.elementFromPoint(x, y)?.closest(".cx-toasts") && !one.closest(".cx-toasts");
    if (isUnderNews && !one.matches(".btn-primary")) continue;
    const wide = reach(one, x, y, -1, 0) + reach(one, x, y, 1, 0) + 1;
    const tall = reach(one, x, y, 0, -1) + reach(one, x, y, 0, 1) + 1;
    if (wide < least - 1 || tall < least - 1)
      found.push(`${one.tagName} ${one.className} “${(one.textContent || one.name).trim()}” ${wide}×${tall}`);
  }
  scrollTo(0, before);
  return found;
}"""
HAS_FOCUS_RING = """() => {
  // The calendar's button within a date field has the focus, and a ring, of its own.
  if (document.activeElement.type === "date" && !document.activeElement.matches(":focus")) return true;
  const style = getComputedStyle(document.activeElement);
  return document.activeElement.matches(":focus-visible") &&
    ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none");
}"""


@pytest.fixture
def branches(transactional_db: None, worker: None) -> list[Unit]:
    """Two branches that lag behind at the counter, and what the chain has learnt about it."""
    for kind, content in small_chain(today=timezone.localdate()).files.items():
        bring_in(kind, content)
    units = [Unit.objects.get(code=code) for code in BEHIND]
    for unit in units:
        MembershipFactory(user__email=f"{unit.code}@example.org", unit=unit, role=Role.MANAGER)
    refresh_stale.delay()
    until(RankedSolution.objects.filter(evidence__gt=0).exists, seconds=MEASURED_SECONDS)
    return units


def test_six_taps_or_the_keyboard_alone_lead_to_an_applied_solution(
    branches: list[Unit], visit: Callable[..., Visitor], record_testsuite_property: Callable[[str, object], None]
) -> None:
    thumb = visit(width=360, is_touching=True)
    taps: list[str] = []

    def note(where: str) -> None:
        taps.append(where)

    thumb.context.expose_function("noteTap", note)
    thumb.context.add_init_script(COUNT_TAPS)
    thumb.sign_in(f"{BEHIND[0]}@example.org")
    taps.clear()
    began = time.monotonic()
    goes_with_a_thumb(thumb)
    record_testsuite_property("seconds_without_thinking", round(time.monotonic() - began, 1))
    record_testsuite_property("taps", taps)
    assert 0 < len(taps) <= MOST_TAPS, taps
    is_applied(branches[0])

    keyboard = visit(width=1280)
    keyboard.sign_in(f"{BEHIND[1]}@example.org")
    goes_by_keyboard(keyboard.page)
    keyboard.look()
    is_applied(branches[1])


def goes_with_a_thumb(thumb: Visitor) -> None:
    page = thumb.page
    gains = page.get_by_role("region", name="Where you can gain most")
    taps_on(thumb, gains.get_by_role("link", name=HURTS).first)
    expect(page.get_by_role("heading", level=1)).to_have_text(HURTS)
    taps_on(thumb, page.get_by_role("link", name=re.compile(f"Add to plan.*{CHOSEN}")))
    expect(page.get_by_role("checkbox", name=re.compile(CHOSEN))).to_be_checked()
    decides(thumb, page.get_by_role("button", name="Plan it"))
    expect(page.get_by_role("heading", level=1)).to_have_text(CHOSEN)
    decides(thumb, page.get_by_role("link", name="Apply"))
    sheet = page.get_by_role("dialog", name="It is in place")
    decides(thumb, sheet.get_by_role("button", name="Apply"))
    expect(page.get_by_role("region", name="What it changed")).to_be_visible()
    expect(page.locator("[data-toasts]")).to_contain_text("Applied.")
    everything_fits_a_finger(thumb)


def taps_on(thumb: Visitor, target: Locator) -> None:
    target.wait_for()
    everything_fits_a_finger(thumb)
    target.tap()


def decides(thumb: Visitor, target: Locator) -> None:
    """What decides is within the thumb's reach before anything is scrolled."""
    target.wait_for()
    everything_fits_a_finger(thumb)
    box = target.bounding_box()
    screen = thumb.page.viewport_size
    assert box is not None
    assert screen is not None
    assert screen["height"] / 2 < box["y"] < screen["height"] - box["height"], (box, screen)
    target.tap()


def everything_fits_a_finger(thumb: Visitor) -> None:
    thumb.look()
    small = thumb.page.evaluate(SMALL_TARGETS, FINGER)
    assert not small, (thumb.page.url, small)


def goes_by_keyboard(page: Page) -> None:
    tabs_to(page, "link", HURTS)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(HURTS)
    expect(page.get_by_role("link", name=re.compile(f"Add to plan.*{CHOSEN}"))).to_be_visible()
    tabs_to(page, "link", f"Add to plan: {CHOSEN}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name=re.compile(CHOSEN))).to_be_checked()
    tabs_to(page, "button", "Plan it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(CHOSEN)
    opener = tabs_to(page, "link", "Apply")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="It is in place")
    expect(sheet.get_by_label("In place since")).to_have_value(timezone.localdate().isoformat())
    leaves_the_sheet_and_returns(page, sheet, opener)
    tabs_to(page, "button", "Apply")
    page.keyboard.press("Enter")
    expect(page.locator("[data-toasts]")).to_contain_text("Applied.")


def leaves_the_sheet_and_returns(page: Page, sheet: Locator, opener: str) -> None:
    """Nobody is locked in: Escape closes the sheet, and the focus is where it was; what was entered stays."""
    since = sheet.get_by_label("In place since")
    since.evaluate("one => { one.dataset.mine = 'kept'; }")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert focused(page)["name"] == opener
    page.keyboard.press("Enter")
    expect(since).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(since).to_have_attribute("data-mine", "kept")


def tabs_to(page: Page, role: str, name: str) -> str:
    """Tab by Tab, each stop seen, none held for ever; the name of the stop looked for."""
    page.wait_for_load_state("networkidle")
    stops: list[str] = []
    for _turn in range(MOST_TABS):
        page.keyboard.press("Tab")
        stop = focused(page)
        stops.append(stop["name"])
        if stop["name"] != "BODY":
            shows_focus(page, stop)
        if stop["role"] == role and name in stop["name"]:
            return stop["name"]
        # A date field has four stops of its own.
        assert len(stops) < 6 or len(set(stops[-6:])) > 1, f"held at {stop}"
    raise AssertionError(f"no {role} “{name}” among {stops}")


def shows_focus(page: Page, stop: dict[str, Any]) -> None:
    """Within a second, as a ring fades in."""
    try:
        page.wait_for_function(HAS_FOCUS_RING, timeout=1_000)
    except TimeoutError as error:
        raise AssertionError(f"{stop} shows no focus") from error


def focused(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """() => {
          const one = document.activeElement;
          const roles = {A: "link", BUTTON: "button", INPUT: one.type, SELECT: "list", TEXTAREA: "text"};
          const name = one.getAttribute("aria-label") ?? one.textContent.replace(/\\s+/g, " ").trim();
          const role = roles[one.tagName] ?? one.tagName;
          return {role, name: one === document.body ? "BODY" : name || one.name};
        }"""
    )
    return found


def is_applied(unit: Unit) -> None:
    action = Action.objects.get(unit=unit, plan__isnull=False)
    assert action.state == Action.State.APPLIED
    assert action.effective_on == timezone.localdate()
    assert [used.version.solution.code for used in action.solutions.select_related("version__solution")] == [
        "greeter"
    ]
