"""Who can be asked about a solution, and how an idea's links lead to a plan or a note."""

from datetime import date

import pytest
from django.urls import reverse

from apps.accounts.person import EVERYWHERE
from apps.planning.dismissals import refusals_of
from apps.planning.models import Action
from apps.planning.people import units_to_ask
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    ChallengeFactory,
    MetricFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
)
from tests.ideas_factories import IdeaFactory
from tests.planning_factories import DismissalFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return SolutionVersionFactory(solution__code="greeter")


@pytest.fixture
def challenge():
    return ChallengeFactory(code="queue", metric=MetricFactory())


@pytest.fixture
def piloted(chain, challenge):
    version = SolutionVersionFactory(solution__code="draft", solution__status="draft")
    SolutionLinkFactory(challenge=challenge, solution=version.solution)
    return IdeaFactory(
        unit=chain.lille, challenge=challenge, state="pilot", solution=version.solution, title="A bell at the door"
    )


def test_units_that_used_it_are_named_with_their_managers(chain, manager, outsider, lead, client, version):
    for unit in (chain.lille, chain.nice, chain.nice):
        ActionSolutionFactory(action=ActionFactory(unit=unit), version=version)
    client.force_login(manager)
    page = client.get(reverse("planning:solution-people", args=["greeter"])).content.decode()
    assert manager.email in page
    assert outsider.email not in page
    client.force_login(lead)
    page = client.get(reverse("planning:solution-people", args=["greeter"])).content.decode()
    assert page.count(outsider.email) == 1


def test_people_are_found_in_two_queries(chain, lead, version, django_assert_num_queries):
    for unit in (chain.lille, chain.nice, chain.arles):
        ActionSolutionFactory(action=ActionFactory(unit=unit), version=version)
    with django_assert_num_queries(2):
        assert len(units_to_ask(solution=version.solution, scope=EVERYWHERE)) == 3
    for unit in (chain.lille, chain.reims):
        DismissalFactory(unit=unit, solution=version.solution)
    with django_assert_num_queries(1):
        assert refusals_of(scope=EVERYWHERE, solution=version.solution)[0].units == 2


def test_a_draft_that_is_tried_out_can_be_planned(chain, manager, client, piloted):
    client.force_login(manager)
    address = f"{reverse('planning:plan-new')}?idea={piloted.pk}&challenge=queue&solution=draft&unit=LILLE"
    page = client.get(address).content.decode()
    assert "A bell at the door" in page
    planned = {
        "solutions": "draft",
        "units": "LILLE",
        "planned_on": "2099-01-05",
        "owner": manager.pk,
        "then": "plan",
    }
    response = client.post(address, planned)
    assert response.status_code == 302, response.content.decode()
    assert Action.objects.get().plan.solutions.get().code == "draft"


def test_another_draft_can_not(chain, manager, client, piloted):
    other = SolutionVersionFactory(solution__code="secret", solution__status="draft").solution
    client.force_login(manager)
    address = f"{reverse('planning:plan-new')}?challenge=queue&solution=secret&unit=LILLE"
    assert other.title not in client.get(address).content.decode()


def test_a_use_that_was_observed_is_noted_since_its_day(chain, manager, client, piloted):
    client.force_login(manager)
    query = f"?idea={piloted.pk}&challenge=queue&solution=draft&unit=LILLE&effective_on=2026-10-01"
    response = client.get(f"{reverse('planning:plan-new')}{query}", follow=True)
    page = response.content.decode()
    assert response.redirect_chain[-1][0].startswith(reverse("planning:log"))
    assert 'value="2026-10-01"' in page
    assert "A bell at the door" in page
    noted = {"solutions": "draft", "units": "LILLE", "effective_on": "2026-10-01", "is_sure": "on"}
    assert client.post(response.redirect_chain[-1][0], noted).status_code == 302
    assert Action.objects.get().effective_on == date(2026, 10, 1)
