"""Home answers for each role; search finds challenges, solutions and units in scope."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.person import person_of
from apps.core.periods import WEEK
from apps.impact.models import Effect, RankedSolution
from apps.notifications.models import Preference
from apps.planning.models import Action
from apps.taxonomy.models import Metric
from cxplan.home import lead_home, overall_trend
from tests.factories import (
    MONDAY,
    ActionFactory,
    ActionSolutionFactory,
    CellFactory,
    ChallengeFactory,
    EffectFactory,
    MetricFactory,
    PlanFactory,
    RankedSolutionFactory,
    RunFactory,
    SolutionFactory,
    SolutionVersionFactory,
)
from tests.notification_factories import MailFactory, NotificationFactory
from tests.planning_factories import CheckInFactory, TaskFactory
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db


def home_of(client, user):
    client.force_login(user)
    response = client.get(reverse("home"))
    assert response.status_code == 200
    return response.content.decode()


def planned(unit, on, title="Greet within ten seconds"):
    plan = PlanFactory()
    plan.solutions.add(SolutionFactory(title=title))
    return ActionFactory(
        unit=unit,
        plan=plan,
        challenge=plan.challenge,
        state=Action.State.PLANNED,
        planned_on=on,
        effective_on=None,
    )


@pytest.fixture
def overall(chain):
    metric = MetricFactory(name="Overall satisfaction", is_overall=True)
    for ago in range(20):
        CellFactory(unit=chain.lille, metric=metric, week=MONDAY - ago * WEEK, n=20, value=Decimal("7.5"))
    return metric


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("manager", "Where you can gain most"),
        ("lead", "Acting, last 90 days"),
        ("staff", "What we are working on"),
    ],
)
def test_each_role_has_its_home(request, client, chain, who, sentence):
    assert sentence in home_of(client, request.getfixturevalue(who))


@pytest.mark.parametrize("who", ["manager", "lead", "staff"])
def test_home_shows_the_overall_score_with_how_sure_it_is(request, client, chain, overall, who):
    page = home_of(client, request.getfixturevalue(who))
    assert "Overall satisfaction" in page
    assert "7.50" in page


@pytest.mark.parametrize("who", ["manager", "lead", "staff"])
def test_home_takes_few_queries(request, client, chain, overall, who, django_assert_max_num_queries):
    for number in range(6):
        action = ActionFactory(unit=chain.lille, challenge=ChallengeFactory(code=f"c{number}"))
        ActionSolutionFactory(action=action)
        EffectFactory(action=action)
        planned(chain.lille, timezone.localdate())
        RankedSolutionFactory()
    client.force_login(request.getfixturevalue(who))
    with django_assert_max_num_queries(32):
        client.get(reverse("home"))


def test_a_manager_is_led_through_the_first_round_until_it_is_done(client, manager, chain, overall):
    assert "cx-stepper__step--done" not in home_of(client, manager)
    client.post(reverse("notifications:results-seen", args=["LILLE"]))
    page = home_of(client, manager)
    assert "cx-stepper__step--done" in page
    assert page.index('aria-current="step"') < page.index("Pick one challenge")
    action = ActionFactory(unit=chain.lille)
    page = home_of(client, manager)
    assert page.index("Apply a solution") < page.index('aria-current="step"') < page.index("Check the result")
    EffectFactory(action=action)
    assert "cx-stepper" not in home_of(client, manager)


def test_a_manager_sees_the_challenge_that_costs_most(client, manager, chain):
    metric = MetricFactory(name="Waiting", code="wait")
    challenge = ChallengeFactory(name="Long queue", metric=metric)
    run = RunFactory(metric=metric, as_of=MONDAY, benchmark={"level": 8.0, "spread": 1.0})
    ranked = RankedSolutionFactory(challenge=challenge, metric=metric, run=run, effect=0.42, low=0.2, high=0.6)
    for ago in range(20):
        CellFactory(unit=chain.lille, metric=metric, week=MONDAY - ago * WEEK, n=20, value=Decimal(6))
    page = home_of(client, manager)
    assert "Long queue" in page
    assert "100% of what is lost here" in page
    assert ranked.solution.title in page


def test_a_manager_is_reminded_of_what_should_be_in_place(client, manager, chain):
    planned(chain.lille, timezone.localdate() - timedelta(days=2), title="Greet within ten seconds")
    planned(chain.lille, timezone.localdate() + timedelta(days=40), title="Something for later")
    planned(chain.nice, timezone.localdate(), title="Somebody else’s plan")
    page = home_of(client, manager)
    assert "Greet within ten seconds" in page
    assert "Is it in place?" in page
    assert "Something for later" not in page
    assert "Somebody else’s plan" not in page


def test_a_manager_sees_when_a_result_will_be_known(client, manager, chain):
    known_on = timezone.localdate() + timedelta(days=3)
    EffectFactory(
        action=ActionFactory(unit=chain.lille, effective_on=date(2024, 5, 6)),
        status=Effect.Status.TOO_EARLY,
        effect=None,
        se=None,
        low=None,
        high=None,
        p_positive=None,
        known_on=known_on,
    )
    assert f'datetime="{known_on.isoformat()}"' in home_of(client, manager)


def test_results_are_those_of_one_s_units(client, staff, chain):
    here = ActionFactory(unit=chain.lille)
    ActionSolutionFactory(action=here, version=SolutionVersionFactory(solution__title="Ours"))
    EffectFactory(action=here)
    there = ActionFactory(unit=chain.nice)
    ActionSolutionFactory(action=there, version=SolutionVersionFactory(solution__title="Theirs"))
    EffectFactory(action=there)
    page = home_of(client, staff)
    assert "Ours" in page
    assert "Theirs" not in page


def test_a_lead_is_warned_of_what_does_harm(client, lead, chain):
    RankedSolutionFactory(
        solution=SolutionFactory(title="Numbered tickets"),
        verdict=RankedSolution.Verdict.HARMFUL,
        effect=-0.4,
        low=-0.6,
        high=-0.2,
    )
    page = home_of(client, lead)
    assert "do harm" in page
    assert "Numbered tickets" in page


def test_adoption_counts_units_that_hold_no_other(lead, chain):
    today = timezone.localdate()
    ActionFactory(unit=chain.lille, effective_on=today - timedelta(days=5))
    ActionFactory(unit=chain.lille, effective_on=today - timedelta(days=6))
    ActionFactory(unit=chain.nice, effective_on=today - timedelta(days=300))
    adoption = lead_home(person=person_of(lead), unit=chain.organisation, today=today).adoption
    assert (adoption.acting, adoption.units, adoption.applied) == (1, 4, 2)


def test_there_is_no_overall_score_without_an_overall_metric(chain):
    CellFactory(unit=chain.lille, metric=MetricFactory())
    assert not Metric.objects.filter(is_overall=True).exists()
    assert overall_trend(chain.lille) is None


def test_search_finds_challenges_solutions_and_units_in_scope(client, manager, chain):
    ChallengeFactory(code="queue", name="Long queue in Lille")
    SolutionVersionFactory(solution__title="A host for the Lille queue")
    client.force_login(manager)
    page = client.get(reverse("search:search"), {"q": "lille"}).content.decode()
    assert "Long queue in Lille" in page
    assert "A host for the Lille queue" in page
    assert reverse("feedback:unit", args=["LILLE"]) in page
    assert (
        reverse("feedback:unit", args=["NICE"])
        not in client.get(reverse("search:search"), {"q": "nice"}).content.decode()
    )


def test_a_search_for_nothing_asks_and_one_without_hits_says_so(client, manager, chain):
    client.force_login(manager)
    assert client.get(reverse("search:search")).status_code == 200
    assert "Nothing answers to that" in client.get(reverse("search:search"), {"q": "zzzz"}).content.decode()


@pytest.mark.parametrize("name", ["500.html", "403.html"])
def test_pages_of_last_resort_need_nothing_of_the_request(name):
    assert "Go to Home" in render_to_string(name)


def test_the_first_steps_can_be_put_away_and_brought_back(client, manager, chain, overall):
    assert "cx-stepper" in home_of(client, manager)
    client.post(reverse("notifications:guide-hide"))
    assert "cx-stepper" not in home_of(client, manager)
    Preference.objects.all().delete()
    assert "cx-stepper" in home_of(client, manager)


def test_the_feed_joins_what_was_told_and_results_the_newest_first(client, manager, chain):
    EffectFactory(action=ActionFactory(unit=chain.lille, effective_on=date(2024, 1, 1)), as_of=date(2024, 5, 6))
    NotificationFactory(user=manager, title="Later news", created_at=datetime(2024, 5, 20, tzinfo=UTC))
    NotificationFactory(user=manager, title="Older news", created_at=datetime(2023, 5, 20, tzinfo=UTC))
    page = home_of(client, manager)
    assert page.index("Later news") < page.index("cx-feed__result") < page.index("Older news")


def test_a_manager_owes_tasks_and_a_word_about_what_runs(client, manager, chain):
    today = timezone.localdate()
    TaskFactory(
        title="Print the cards",
        assignee=manager,
        due_on=today - timedelta(days=1),
        action=planned(chain.lille, None),
    )
    TaskFactory(title="Somebody else’s", due_on=today, action=planned(chain.lille, None))
    ActionFactory(unit=chain.lille, effective_on=today - timedelta(days=30))
    page = home_of(client, manager)
    assert "Print the cards" in page
    assert "Somebody else’s" not in page
    assert "Is it happening?" in page
    spoken = ActionFactory(unit=chain.nice, effective_on=today - timedelta(days=30))
    CheckInFactory(action=spoken, made_on=today)
    assert page.count("Is it happening?") == home_of(client, manager).count("Is it happening?")


def test_staff_see_their_own_tasks(client, staff, chain):
    TaskFactory(
        title="Try the tablet", assignee=staff, due_on=timezone.localdate(), action=planned(chain.lille, None)
    )
    assert "Try the tablet" in home_of(client, staff)


def test_a_lead_is_told_of_mails_that_failed(client, lead, chain):
    MailFactory(state="failed")
    assert "1 mail could not be sent." in home_of(client, lead)


def test_sharing_results_with_the_team_opens_a_conversation(client, manager, chain, overall):
    page = home_of(client, manager)
    address = reverse("notifications:conversation-open", args=["LILLE"])
    assert f'"{address}"' in page
    client.post(address)
    page = home_of(client, manager)
    assert "You are talking these results over" in page
    assert f'"{address}"' not in page


@pytest.mark.parametrize("who", ["manager", "lead", "staff"])
def test_every_home_has_the_ideas(request, client, chain, who):
    assert f'hx-get="{reverse("ideas:home")}"' in home_of(client, request.getfixturevalue(who))


def test_how_far_measurement_is_comes_after_the_page(client, lead, chain, overall):
    assert f'hx-get="{reverse("measuring")}"' in home_of(client, lead)
    assert "up to date" in client.get(reverse("measuring")).content.decode()
    ChallengeFactory()
    fragment = client.get(reverse("measuring")).content.decode()
    assert "0 of 1 metrics" in fragment
    assert 'hx-trigger="every 5s"' in fragment


def test_a_long_queue_is_counted_no_further_than_it_is_told(client, lead, chain, monkeypatch):
    UnmappedLabelFactory.create_batch(4)
    assert "4 entries need a word from you" in home_of(client, lead)
    monkeypatch.setattr("cxplan.views.WAITING_COUNTED", 3)
    assert "More than 3 entries need a word from you" in home_of(client, lead)


@pytest.mark.parametrize("who", ["manager", "lead", "staff"])
@pytest.mark.parametrize("name", ["home", "digest"])
def test_home_costs_no_more_queries_when_there_is_more(request, client, chain, overall, who, name):
    client.force_login(request.getfixturevalue(who))

    def add():
        for _ in range(4):
            challenge = ChallengeFactory()
            action = ActionFactory(unit=chain.lille, challenge=challenge)
            ActionSolutionFactory(action=action)
            EffectFactory(action=action)
            EffectFactory(
                action=ActionFactory(unit=chain.lille, challenge=challenge, effective_on=timezone.localdate()),
                status=Effect.Status.TOO_EARLY,
                effect=None,
                se=None,
                low=None,
                high=None,
                p_positive=None,
            )
            TaskFactory(action=planned(chain.lille, timezone.localdate()), due_on=timezone.localdate())
            RankedSolutionFactory()

    add()
    client.get(reverse(name))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse(name))
    add()
    client.get(reverse(name))
    with CaptureQueriesContext(connection) as many:
        client.get(reverse(name))
    assert len(many) <= len(few)
