"""Results, evidence and first uses of ideas are told once, to those concerned, and at most once a week."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts.models import AuditEvent
from apps.impact.models import RankedSolution, Reading, Told
from apps.impact.news import tell_news
from apps.impact.readings import ReadingNotPossible, ReadingSettled, settle_reading, write_reading
from apps.library.care import watch
from apps.notifications.models import Notification
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    EffectFactory,
    MetricFactory,
    RankedSolutionFactory,
    SolutionVersionFactory,
)
from tests.ideas_factories import IdeaFactory
from tests.impact_factories import ReadingFactory, SolutionClaimFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TODAY = NOW.date()
WEEK = timedelta(days=8)


@pytest.fixture
def settled_in():
    """Something was known long ago."""
    SolutionClaimFactory(made_at=NOW - timedelta(days=100))


@pytest.fixture
def effect(chain, manager, staff):
    version = SolutionVersionFactory(solution__code="greeter")
    action = ActionFactory(
        unit=chain.lille, owner=staff, effective_on=date(2026, 6, 1), challenge__metric=MetricFactory()
    )
    ActionSolutionFactory(action=action, version=version)
    return EffectFactory(action=action)


def news_of(kind):
    return sorted(Notification.objects.filter(kind=f"impact.{kind}").values_list("user__email", flat=True))


def test_owner_and_manager_hear_of_a_result_once(settled_in, effect, manager, staff):
    assert tell_news(as_of=TODAY, at=NOW) == 1
    assert tell_news(as_of=TODAY, at=NOW + timedelta(hours=1)) == 0
    assert tell_news(as_of=TODAY, at=NOW + WEEK) == 0
    assert news_of("result.ready") == sorted([manager.email, staff.email])


def test_a_new_verdict_is_told_a_week_later_at_the_earliest(settled_in, effect, manager, staff):
    tell_news(as_of=TODAY, at=NOW)
    effect.p_positive = 0.5
    effect.save()
    assert tell_news(as_of=TODAY, at=NOW + timedelta(days=2)) == 0
    assert tell_news(as_of=TODAY, at=NOW + WEEK) == 1
    assert news_of("result.changed") == sorted([manager.email, staff.email])


def test_history_that_comes_in_is_no_news(effect):
    assert tell_news(as_of=TODAY, at=NOW) == 0
    assert Told.objects.filter(action=effect.action).exists()
    assert not Notification.objects.exists()


def test_an_old_result_measured_late_is_no_news(settled_in, effect):
    effect.action.effective_on = date(2024, 1, 1)
    effect.action.save()
    assert tell_news(as_of=TODAY, at=NOW) == 0
    assert not Notification.objects.exists()


def test_a_day_on_which_it_was_to_be_known_passes_with_the_reason(settled_in, effect, staff):
    type(effect).objects.update(
        status="not_estimable", reason="too_few_answers", effect=None, low=None, high=None, p_positive=None
    )
    assert tell_news(as_of=TODAY, at=NOW) == 1
    notification = Notification.objects.get(user=staff)
    assert "was to be known by now" in notification.title
    assert "Too few answers" in notification.body


def test_who_watches_or_uses_a_solution_hears_when_its_rating_changes(settled_in, effect, lead, staff):
    solution = effect.action.solutions.get().version.solution
    watch(solution=solution, user=lead)
    ranked = RankedSolutionFactory(solution=solution, evidence=2, verdict="likely_works")
    tell_news(as_of=TODAY, at=NOW)
    assert news_of("evidence.changed") == sorted([lead.email, staff.email])
    Notification.objects.all().delete()
    RankedSolution.objects.filter(pk=ranked.pk).update(verdict="works", evidence=3)
    tell_news(as_of=TODAY, at=NOW + timedelta(days=1))
    assert news_of("evidence.changed") == []
    tell_news(as_of=TODAY, at=NOW + WEEK)
    tell_news(as_of=TODAY, at=NOW + WEEK + timedelta(hours=1))
    assert news_of("evidence.changed") == sorted([lead.email, staff.email])


def test_who_had_the_idea_hears_of_its_first_result_once(effect, chain, outsider):
    solution = effect.action.solutions.get().version.solution
    idea = IdeaFactory(
        unit=chain.nice, author=outsider, state="in_library", solution=solution, challenge=effect.action.challenge
    )
    tell_news(as_of=TODAY, at=NOW)
    idea.refresh_from_db()
    assert idea.told_effect_at == NOW
    tell_news(as_of=TODAY, at=NOW + WEEK)
    assert Notification.objects.filter(user=outsider, kind="ideas.idea.measured").count() == 1


def test_a_lead_is_told_of_a_reading_and_the_author_of_the_answer(effect, manager, lead):
    reading = write_reading(action=effect.action, text="It helped on Mondays.", at=NOW, actor=manager)
    assert reading.verdict == "improved"
    assert news_of("reading.written") == [lead.email]
    settle_reading(reading=reading, accept=False, reason="And the late shift?", at=NOW, actor=lead)
    assert news_of("reading.returned") == [manager.email]
    again = write_reading(action=effect.action, text="The late shift, too.", at=NOW, actor=manager)
    settle_reading(reading=again, accept=True, at=NOW, actor=lead)
    assert [one.state for one in Reading.objects.order_by("pk")] == ["returned", "accepted"]
    events = AuditEvent.objects.filter(event__startswith="impact.reading").order_by("pk")
    assert [one.event.rsplit(".", 1)[1] for one in events] == ["written", "returned", "written", "accepted"]
    effect.refresh_from_db()
    assert effect.p_positive == 0.99


def test_a_reading_written_anew_keeps_the_one_before(effect, manager):
    for text in ("First.", "Second."):
        write_reading(action=effect.action, text=text, at=NOW, actor=manager)
    assert [(one.text, one.state) for one in Reading.objects.order_by("pk")] == [
        ("First.", "replaced"),
        ("Second.", "waiting"),
    ]


def test_a_return_needs_a_reason_and_nobody_signs_their_own(effect, manager, lead):
    reading = write_reading(action=effect.action, text="It helped.", at=NOW, actor=lead)
    with pytest.raises(ReadingNotPossible):
        settle_reading(reading=reading, accept=True, at=NOW, actor=lead)
    reading = write_reading(action=effect.action, text="It helped.", at=NOW, actor=manager)
    with pytest.raises(ReadingNotPossible):
        settle_reading(reading=reading, accept=False, at=NOW, actor=lead)
    settle_reading(reading=reading, accept=True, at=NOW, actor=lead)
    with pytest.raises(ReadingSettled):
        settle_reading(reading=reading, accept=True, at=NOW, actor=lead)


def test_without_a_result_there_is_nothing_to_read(chain, manager):
    action = ActionFactory(unit=chain.lille)
    with pytest.raises(ReadingNotPossible):
        write_reading(action=action, text="It helped.", at=NOW, actor=manager)


def test_the_page_shows_what_was_said_and_lets_a_lead_answer(effect, client, lead, manager):
    ReadingFactory(action=effect.action, author=manager)
    client.force_login(lead)
    address = f"/actions/{effect.action.external_id}/readings/"
    page = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "The early shift did it" in page
    assert 'value="accept"' in page
    client.force_login(manager)
    assert 'value="accept"' not in client.get(address).content.decode()


def test_over_the_api_a_manager_writes_and_a_lead_answers(effect, api, manager, lead):
    told = {"action": effect.action.external_id, "text": "It helped.", "verdict": "worse"}
    assert api(manager).post("/api/v1/readings/", told, format="json").status_code == 400
    del told["verdict"]
    made = api(manager).post("/api/v1/readings/", told, format="json")
    assert (made.status_code, made.data["verdict"]) == (201, "improved")
    address = f"/api/v1/readings/{made.data['id']}/"
    assert api(manager).patch(address, {"state": "accepted"}, format="json").status_code == 404
    assert api(lead).patch(address, {"state": "returned"}, format="json").status_code == 422
    assert api(lead).patch(address, {"state": "accepted"}, format="json").data["state"] == "accepted"
