"""While there is no result of an action, its page says what is waited for and until when."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.formats import exact_day
from apps.impact.models import Effect, Run
from apps.impact.waiting import waiting
from apps.planning.guide import full_result_on
from apps.planning.models import Action
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    CellFactory,
    EffectFactory,
    MembershipFactory,
    RunFactory,
)

pytestmark = pytest.mark.django_db
START = date(2024, 3, 4)
FIRST, FULL = "Monday 29 April 2024", "Monday 17 June 2024"


def applied(**fields) -> Action:
    fields = {"effective_on": START, "unit__name": "Lille", "challenge__metric__name": "Counter"} | fields
    action = ActionFactory(**fields)
    ActionSolutionFactory(action=action, version__lag_days=0)
    return action


def said(action: Action, as_of: date) -> tuple[str, str]:
    found = waiting(action, as_of=as_of)
    return found.code, " ".join((f"{found.words.title}.", found.words.text, found.words.remedy)).strip()


def test_a_planned_action_says_when_a_result_would_be_known():
    action = applied(state="planned", effective_on=None, planned_on=START)
    assert said(action, START - timedelta(days=7)) == (
        "planned",
        (
            "Planned, not in place yet. It is planned for Monday 4 March 2024. "
            f"If it starts then, a first answer comes around {FIRST} and the full result around {FULL}."
        ),
    )


def test_a_planned_start_that_is_over_promises_no_day():
    action = applied(state="planned", effective_on=None, planned_on=START)
    assert said(action, START + timedelta(days=7)) == (
        "planned",
        (
            "Planned, not in place yet. Its start was planned for Monday 4 March 2024. "
            "Apply it when it is in place: it is measured from that day on."
        ),
    )


def test_a_plan_without_a_day_asks_for_one():
    action = applied(state="draft", effective_on=None)
    assert said(action, START) == (
        "no_start",
        (
            "Planned, without a day. It is measured from the day on which it takes effect. "
            "Choose a day, and you will see when the result is known."
        ),
    )


def test_an_action_that_takes_effect_later_has_not_begun():
    assert said(applied(), START - timedelta(days=1)) == (
        "to_come",
        (
            "Not begun yet. It takes effect on Monday 4 March 2024. "
            f"A first answer comes around {FIRST}, the full result around {FULL}."
        ),
    )


@pytest.mark.parametrize("days", [0, 20, 55])
def test_an_action_that_took_effect_is_too_early_until_a_first_answer_can_be_given(days):
    assert said(applied(), START + timedelta(days=days)) == (
        "too_early",
        (
            "Too early to say. In effect since Monday 4 March 2024. A change needs time to take hold, and "
            f"customers to notice it. A first answer comes around {FIRST}, the full result around {FULL}."
        ),
    )


def test_solutions_that_show_late_put_the_day_off():
    action = applied()
    ActionSolutionFactory(action=action, version__lag_days=42)
    found = waiting(action, as_of=START)
    assert found.first_on == date(2024, 4, 29) + timedelta(weeks=3)


@pytest.mark.parametrize("lag_days", [0, 20, 42, 90])
def test_the_plan_promised_the_full_result_for_the_same_day(lag_days):
    action = applied(state="planned", effective_on=None, planned_on=START)
    ActionSolutionFactory(action=action, version__solution__lag_days=lag_days)
    promised = exact_day(full_result_on(START, lag_days=lag_days))
    assert f"the full result around {promised}." in said(action, START)[1]


def later(action: Action) -> tuple[str, str]:
    return said(action, START + timedelta(weeks=20))


def test_without_answers_since_the_start_the_newest_are_named():
    action = applied()
    assert later(action) == (
        "no_answers",
        (
            "No answers since the start. No answers about “Counter” from Lille are in. "
            "Import newer ones: the measurement then runs by itself within minutes."
        ),
    )
    CellFactory(unit=action.unit, metric=action.target_metric, week=START - timedelta(weeks=2))
    assert later(action)[1].startswith(
        "No answers since the start. The newest answers about “Counter” from Lille are of the week of Monday 19 "
        "February 2024."
    )


def with_answers() -> Action:
    action = applied()
    CellFactory(unit=action.unit, metric=action.target_metric, week=START + timedelta(weeks=9))
    return action


def test_with_the_answers_in_the_measurement_is_to_come():
    assert later(with_answers()) == (
        "soon",
        "Not measured yet. The answers are in. The measurement runs by itself within a few minutes.",
    )


def test_a_running_measurement_is_said_to_run():
    action = with_answers()
    RunFactory(metric=action.target_metric, state=Run.State.RUNNING)
    assert later(action) == (
        "measuring",
        "Being measured right now. The result is here in a few minutes; the page shows it by itself.",
    )


def test_a_failed_measurement_is_said_to_have_failed():
    action = with_answers()
    RunFactory(metric=action.target_metric, state=Run.State.FAILED)
    assert later(action) == (
        "failed",
        "The last measurement failed. It is tried again by itself. Your CX lead sees under Learn what went wrong.",
    )


def test_a_metric_that_cannot_be_measured_at_all_says_why():
    action = with_answers()
    RunFactory(metric=action.target_metric, reason="network_too_small", unit_count=6, week_count=52)
    code, text = later(action)
    assert code == "refused"
    assert "6 units" in text
    assert "Still needed: 9 units more of answers." in text


def test_a_challenge_without_an_outcome_is_never_measured():
    action = applied(challenge__metric=None, target_metric=None)
    assert later(action)[0] == "no_metric"


@pytest.fixture
def page(client):
    def text_of(action: Action) -> str:
        client.force_login(MembershipFactory(unit=action.unit, role=Role.MANAGER).user)
        response = client.get(
            reverse("impact:action-effect", args=[action.external_id]), headers={"HX-Request": "true"}
        )
        return response.content.decode()

    return text_of


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_the_page_of_a_planned_action_has_no_verdict_and_no_reading(page):
    action = applied(state="planned", effective_on=None, planned_on=timezone.localdate() + timedelta(days=7))
    html = page(action)
    assert plain(html).startswith("Planned, not in place yet It is planned for")
    assert reverse("impact:readings", args=[action.external_id]) not in html


def test_the_page_of_an_action_of_today_is_too_early_and_not_asked_again(page):
    html = page(applied(effective_on=timezone.localdate()))
    assert plain(html).startswith("Too early to say Too early to say In effect since")
    assert "every 10s" not in html


def test_the_page_asks_again_only_while_its_first_result_is_on_the_way(page):
    action = with_answers()
    RunFactory(metric=action.target_metric, state=Run.State.RUNNING)
    html = page(action)
    assert "every 10s" in html
    assert reverse("impact:readings", args=[action.external_id]) not in html
    EffectFactory(action=action, run=RunFactory(metric=action.target_metric))
    html = page(action)
    assert "every 10s" not in html
    assert "It is being measured again right now." in plain(html)
    assert reverse("impact:readings", args=[action.external_id]) in html


def test_a_measured_action_that_is_too_early_names_the_day(page):
    action = applied()
    EffectFactory(
        action=action,
        status=Effect.Status.TOO_EARLY,
        reason="too_early",
        effect=None,
        se=None,
        low=None,
        high=None,
        p_positive=None,
        weeks_after=1,
        known_on=date(2024, 4, 29),
        as_of=date(2024, 4, 8),
    )
    text = plain(page(action))
    assert "Too early to say" in text
    assert "3 weeks more: known about Monday 29 April 2024." in text
