"""The list of solutions, its filters and search, and the page of one."""

import pytest
from django.urls import reverse

from apps.library.models import Solution
from tests.factories import RankedSolutionFactory, SolutionFactory, SolutionLinkFactory, SolutionVersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def solutions(db):
    greet = SolutionFactory(
        code="greet", title="Greet within ten seconds", title_fr="Accueillir à l’arrivée", cost=1
    )
    SolutionVersionFactory(solution=greet, summary="Look up from the screen.", body="1. Look up.\n2. Smile.")
    kiosk = SolutionFactory(code="kiosk", title="Self-service kiosk", kind=Solution.Kind.ASSET, cost=5)
    SolutionVersionFactory(solution=kiosk, summary="Keys from a locker.")
    SolutionFactory(code="draft", title="Half an idea", status=Solution.Status.DRAFT)
    SolutionFactory(code="old", title="What we did before", status=Solution.Status.RETIRED)
    return greet


def listed(client, **query):
    return client.get(reverse("library:solution-list"), query).content.decode()


def test_the_list_shows_what_is_published(client, staff, solutions):
    client.force_login(staff)
    page = listed(client)
    assert "Greet within ten seconds" in page
    assert "Look up from the screen." in page
    assert "Half an idea" not in page
    assert "What we did before" not in page


@pytest.mark.parametrize("query", ["greet", "GREAT within", "accueil", "arrivee", "look up from"])
def test_a_search_reads_title_and_summary_in_both_languages(client, staff, solutions, query):
    client.force_login(staff)
    page = listed(client, q=query)
    assert "Greet within ten seconds" in page
    assert "Self-service kiosk" not in page


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"kind": "asset"}, "Self-service kiosk"),
        ({"cost": "2"}, "Greet within ten seconds"),
        ({"kind": "nonsense", "cost": "nonsense", "page": "nonsense"}, "Self-service kiosk"),
    ],
)
def test_filters_narrow_the_list_and_nonsense_does_not(client, staff, solutions, filters, found):
    client.force_login(staff)
    assert found in listed(client, **filters)


def test_filters_leave_out_what_does_not_fit(client, staff, solutions):
    client.force_login(staff)
    assert "Greet within" not in listed(client, kind="asset")
    assert "Self-service" not in listed(client, cost="2")


def test_a_list_without_a_hit_offers_all(client, staff, solutions):
    client.force_login(staff)
    assert "Show all solutions" in listed(client, q="zzzz")


def test_a_long_list_has_pages_that_keep_the_filter(client, staff, django_assert_num_queries):
    for number in range(45):
        SolutionVersionFactory(solution=SolutionFactory(code=f"s{number}"))
    client.force_login(staff)
    with django_assert_num_queries(7):
        page = listed(client, kind="training", page="2")
    assert "Page 2 of 3" in page
    assert "kind=training&amp;page=3" in page


def test_the_list_asks_once_for_all_its_evidence(client, staff, solutions):
    client.force_login(staff)
    page = listed(client)
    assert page.count(reverse("solution-strips")) == 1
    assert f"pk={solutions.pk}" in page
    assert f'id="evidence-{solutions.pk}"' in page


def test_evidence_finds_its_place_in_the_list(client, staff, solutions, django_assert_num_queries):
    RankedSolutionFactory(solution=solutions, evidence=4, effect=0.42, low=0.21, high=0.63)
    client.force_login(staff)
    with django_assert_num_queries(5):
        html = client.get(reverse("solution-strips"), {"pk": [solutions.pk, "x"]}).content.decode()
    assert f'id="evidence-{solutions.pk}" hx-swap-oob="innerHTML"' in html
    assert "+0.42" in html


def test_the_strip_shows_the_outcome_that_most_is_known_of(client, staff, solutions):
    RankedSolutionFactory(solution=solutions, evidence=1, effect=9.0, low=8.0, high=10.0)
    RankedSolutionFactory(solution=solutions, evidence=5, effect=0.42, low=0.21, high=0.63)
    client.force_login(staff)
    html = client.get(reverse("solution-strips"), {"pk": solutions.pk}).content.decode()
    assert "+0.42" in html
    assert "+9" not in html


def test_a_solution_shows_its_recipe_its_versions_and_what_it_answers(client, staff, solutions):
    link = SolutionLinkFactory(solution=solutions, rationale="People feel seen.")
    SolutionVersionFactory(solution=solutions, body="## How\n- Look up <b>now</b>.")
    client.force_login(staff)
    page = client.get(reverse("library:solution", args=["GREET"])).content.decode()
    assert "<li>Look up &lt;b&gt;now&lt;/b&gt;.</li>" in page
    assert "Version 2" in page
    assert "Version 1" in page
    assert link.challenge.name in page
    assert "People feel seen." in page
    assert reverse("impact:solution-evidence", args=["greet"]) in page


@pytest.mark.parametrize(("who", "status"), [("lead", 200), ("manager", 404), ("staff", 404)])
def test_a_draft_is_for_leads(request, client, solutions, who, status):
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("library:solution", args=["draft"])).status_code == status


def test_a_retired_solution_keeps_its_page_and_takes_no_plan(client, manager, solutions):
    client.force_login(manager)
    page = client.get(reverse("library:solution", args=["old"])).content.decode()
    assert "was retired" in page
    assert f"{reverse('planning:plan-new')}?solution" not in page


def test_a_manager_may_plan_it_for_their_unit(client, manager, solutions):
    link = SolutionLinkFactory(solution=solutions)
    client.force_login(manager)
    page = client.get(reverse("library:solution", args=["greet"])).content.decode()
    address = f"{reverse('planning:plan-new')}?solution=greet&amp;challenge={link.challenge.code}&amp;unit=LILLE"
    assert address in page


def test_a_solution_nobody_knows_is_not_found(client, staff):
    client.force_login(staff)
    assert client.get(reverse("library:solution", args=["nope"])).status_code == 404
