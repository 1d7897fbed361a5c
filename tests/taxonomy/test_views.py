"""The tree of challenges, its search, and the page of one."""

from datetime import date

import pytest
from django.urls import reverse

from apps.taxonomy.models import Challenge
from tests.factories import AliasFactory, ChallengeFactory, MetricFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree(db):
    branch = ChallengeFactory(code="branch", name="At the branch", metric=None)
    counter = ChallengeFactory(code="counter", name="At the counter", parent=branch, metric=None)
    ChallengeFactory(code="queue", name="Long queue", name_fr="Longue attente", parent=counter)
    ChallengeFactory(code="welcome", name="Cold welcome", parent=counter)
    ChallengeFactory(code="web", name="Before the trip", metric=None)
    return counter


def shown(client, **query):
    return client.get(reverse("taxonomy:challenge-list"), query).content.decode()


def test_the_tree_shows_every_current_challenge(client, staff, tree):
    ChallengeFactory(code="gone", name="Gone problem", parent=tree, retired_on=date(2024, 1, 1))
    client.force_login(staff)
    page = shown(client)
    assert "Long queue" in page
    assert "Cold welcome" in page
    assert "Gone problem" not in page


@pytest.mark.parametrize("query", ["queue", "QUEU", "longue attente", "D1 waiting"])
def test_a_search_keeps_the_branch_of_what_it_finds(client, staff, tree, query):
    AliasFactory(label="D1 waiting time", challenge=Challenge.objects.get(code="queue"))
    client.force_login(staff)
    page = shown(client, q=query)
    assert "Long queue" in page
    assert "At the branch" in page
    assert "Before the trip" not in page


def test_a_found_branch_shows_what_it_holds(client, staff, tree):
    client.force_login(staff)
    assert "Cold welcome" in shown(client, q="counter")


def test_a_search_that_finds_nothing_offers_a_way_back(client, staff, tree):
    client.force_login(staff)
    page = shown(client, q="zzzz")
    assert "No challenge speaks of" in page
    assert "Show all challenges" in page


def test_without_challenges_the_page_says_where_they_come_from(client, staff):
    client.force_login(staff)
    assert "There are no challenges yet" in shown(client)


def test_what_was_searched_for_can_not_bring_markup_along(client, staff, tree):
    client.force_login(staff)
    assert "<script>alert" not in shown(client, q="<script>alert(1)</script>")


def test_names_are_in_the_person_s_language(client, staff, tree):
    staff.language = "fr"
    staff.save()
    client.force_login(staff)
    assert "Longue attente" in shown(client)


def test_the_list_is_made_in_a_constant_number_of_queries(client, staff, tree, django_assert_num_queries):
    client.force_login(staff)
    for number in range(30):
        ChallengeFactory(code=f"c{number}", parent=tree)
    with django_assert_num_queries(8):
        shown(client)


def test_a_challenge_is_found_whatever_the_case_of_its_code(client, staff, tree):
    client.force_login(staff)
    page = client.get(reverse("taxonomy:challenge", args=["QUEUE"])).content.decode()
    assert "Long queue" in page
    assert "At the counter" in page
    assert reverse("impact:challenge-ranking", args=["queue"]) in page


def test_a_challenge_asks_for_the_unit_that_is_looked_at(client, staff, tree):
    metric = MetricFactory(code="wait")
    ChallengeFactory(code="wait", metric=metric)
    client.force_login(staff)
    page = client.get(reverse("taxonomy:challenge", args=["wait"])).content.decode()
    assert reverse("feedback:unit-metric", args=["LILLE", "wait"]) in page


@pytest.mark.parametrize(("who", "is_offered"), [("manager", True), ("staff", False)])
def test_only_those_who_may_plan_are_offered_to(request, client, tree, who, is_offered):
    client.force_login(request.getfixturevalue(who))
    page = client.get(reverse("taxonomy:challenge", args=["queue"])).content.decode()
    assert (f"{reverse('planning:plan-new')}?challenge=queue&amp;unit=LILLE" in page) == is_offered


def test_a_merged_challenge_leads_to_the_one_that_took_it_in(client, staff, tree):
    old = ChallengeFactory(code="old", merged_into=Challenge.objects.get(code="queue"))
    client.force_login(staff)
    assert client.get(reverse("taxonomy:challenge", args=[old.code])).url == reverse(
        "taxonomy:challenge", args=["queue"]
    )


def test_a_retired_challenge_keeps_its_page_and_takes_no_plan(client, manager, tree):
    ChallengeFactory(code="gone", retired_on=date(2024, 1, 1))
    client.force_login(manager)
    page = client.get(reverse("taxonomy:challenge", args=["gone"])).content.decode()
    assert "was retired" in page
    assert f"{reverse('planning:plan-new')}?challenge" not in page


def test_a_challenge_nobody_knows_is_not_found(client, staff):
    client.force_login(staff)
    assert client.get(reverse("taxonomy:challenge", args=["nope"])).status_code == 404


def test_a_large_tree_is_folded_and_shows_a_branch_when_asked(client, staff, tree, monkeypatch):
    monkeypatch.setattr("apps.taxonomy.selectors.UNFOLDED_MOST", 1)
    client.force_login(staff)
    folded = client.get(reverse("taxonomy:challenge-list"))
    branches = [branch for branch in folded.context["branches"] if branch.count]
    assert branches
    assert not any(branch.leaves for branch in branches)
    code = branches[0].code
    page = client.get(reverse("taxonomy:challenge-list"), {"under": code.upper()})
    (unfolded,) = [branch for branch in page.context["branches"] if branch.leaves]
    assert unfolded.code == code
    leaves = client.get(
        reverse("taxonomy:challenge-list"), {"under": code}, headers={"HX-Request": "true"}
    ).content.decode()
    assert unfolded.leaves[0].name in leaves
    assert "<html" not in leaves
    nothing = client.get(reverse("taxonomy:challenge-list"), {"under": "nowhere"}, headers={"HX-Request": "true"})
    assert "<li" not in nothing.content.decode()
