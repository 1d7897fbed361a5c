"""One search over challenges, solutions, ideas and units: what it finds, counts, orders and hides."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.person import person_of
from apps.library.models import Solution
from apps.search.comparison import bubbles_spec, compare
from apps.search.forms import question_of
from apps.search.question import Question
from apps.search.selectors import find
from apps.taxonomy.models import Challenge
from tests.factories import (
    AliasFactory,
    ChallengeFactory,
    MetricFactory,
    RankedSolutionFactory,
    SolutionFactory,
    SolutionLinkFactory,
    SolutionVersionFactory,
)
from tests.ideas_factories import IdeaFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(db):
    wait = MetricFactory(code="wait", name="Waiting time")
    queue = ChallengeFactory(
        code="queue", name="Waiting at the counter", name_fr="Attente au guichet", metric=wait
    )
    fees = ChallengeFactory(code="fees", name="Surprising fees", name_fr="Frais imprévus")
    AliasFactory(challenge=fees, label="hidden costs")
    solutions = {}
    for code, title, french, challenge, facts in (
        ("greeter", "A greeter at the door", "Accueil à l’entrée", queue, {"kind": "sop", "cost": 1}),
        ("kiosk", "Self-service kiosk", "Borne en libre-service", queue, {"kind": "asset", "cost": 5}),
        ("price-card", "Price card on the counter", "", fees, {"kind": "communication", "cost": 2}),
    ):
        solutions[code] = SolutionFactory(
            code=code, title=title, title_fr=french, summary=f"About {title}.", **facts
        )
        SolutionVersionFactory(solution=solutions[code], title=title)
        SolutionLinkFactory(challenge=challenge, solution=solutions[code])
    SolutionFactory(code="half", title="Half a greeter", status=Solution.Status.DRAFT)
    ranked(queue, solutions["greeter"], wait, evidence=4, verdict="works", effect=0.6)
    ranked(queue, solutions["kiosk"], wait, evidence=2, verdict="unknown", effect=0.9)
    return solutions


def ranked(challenge, solution, metric, *, effect, **facts):
    for context in ("", "airport"):
        RankedSolutionFactory(
            challenge=challenge,
            solution=solution,
            metric=metric,
            context=context,
            context_count=3 if context else 0,
            effect=effect,
            se=0.1,
            low=effect - 0.2,
            high=effect + 0.2,
            action_count=6,
            unit_count=5,
            **facts,
        )


def asked(query):
    return question_of(QueryDict(query))


def asked_titles(query, user):
    return [hit.title for hit in find(asked(query), person=person_of(user)).sections[0].hits]


def codes(query, user):
    found = find(asked(query), person=person_of(user))
    return [hit.code for section in found.sections for hit in section.hits]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("q=greeter", "greeter"),
        ("q=greter", "greeter"),
        ("q=GREETER", "greeter"),
        ("q=accueil+a+l'entree", "greeter"),
        ("q=bornes", "kiosk"),
        ("q=price+cards", "price-card"),
        ("q=kio", "kiosk"),
        ("q=surprising", "fees"),
        ("q=frais+imprevus", "fees"),
        ("q=hidden+costs", "fees"),
        ("q=hiden+costs", "fees"),
        ("q=greter+dor", "greeter"),
        ("q=kiosc+servise", "kiosk"),
        ("q=acueil+entre", "greeter"),
        ("q=atente+guichet", "queue"),
        ("q=price+card+unicorn", "price-card"),
        ("q=the+greeter+at+a+doir", "greeter"),
    ],
)
def test_words_are_found_in_both_languages_with_slips_and_without_accents(library, staff, query, first):
    assert codes(query, staff)[0] == first


@pytest.mark.parametrize("text", ["%", "_", "'", '"', "\\", "a & | ! b", "<script>", "((", "é" * 200, "-", "NULL"])
def test_no_text_breaks_the_search(library, client, staff, text):
    client.force_login(staff)
    assert client.get(reverse("search:search"), {"q": text}).status_code == 200


def test_a_slip_is_forgiven_only_where_no_word_is_meant(library, staff):
    SolutionFactory(code="grater", title="Cheese grater for the canteen")
    assert codes("q=grater", staff) == ["grater"]
    assert set(codes("q=greter&what=solutions", staff)) >= {"greeter"}


def test_words_in_a_title_come_before_words_below_it(library, staff):
    SolutionFactory(code="desk", title="A desk", summary="Where the greeter stands.")
    assert codes("q=greeter&what=solutions", staff) == ["greeter", "desk"]


def notes(query, user):
    sections = find(asked(query), person=person_of(user)).sections
    return {section.what: section.note for section in sections if section.hits}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=price+card", ""),
        ("q=kiosc+servise", ""),
        ("q=the+greeter+at+a+door", ""),
        ("q=price+card+unicorn", "Nothing has all of these words. This was found without “unicorn”."),
        (
            "q=unicorn+price+zeppelin",
            "Nothing has all of these words. This was found without “unicorn”, “zeppelin”.",
        ),
        ("q=greeter+kiosk", "Nothing has all of these words. Each of these has 1 of 2."),
        (
            "q=price+card+on+the+counter+" + "+".join(f"foreign{n}x" for n in "abcdefg"),
            (
                "Nothing has all of these words. This was found without “foreignax”, “foreignbx”, “foreigncx”, "
                "“foreigndx”, “foreignex”, “foreignfx”, “foreigngx”."
            ),
        ),
    ],
)
def test_words_that_were_left_out_are_named(library, staff, query, said):
    assert notes(f"{query}&what=solutions", staff)["solutions"] == said


def test_words_that_were_left_out_are_named_for_challenges_and_ideas_too(library, client, staff):
    IdeaFactory(title="Umbrellas at the return", problem="Rain on the car park")
    assert notes("q=waiting+counter&what=challenges", staff) == {"challenges": ""}
    assert notes("q=hidden+costs&what=challenges", staff) == {"challenges": ""}
    without = "Nothing has all of these words. This was found without “unicorn”."
    assert notes("q=waiting+unicorn&what=challenges", staff) == {"challenges": without}
    assert notes("q=umbrela+unicorn&what=ideas", staff) == {"ideas": without}
    fewer = "Nothing has all of these words. Each of these has 1 of 2."
    assert notes("q=waiting+fees&what=challenges", staff) == {"challenges": fewer}
    client.force_login(staff)
    page = client.get(reverse("search:search"), {"q": "price card unicorn"}).content.decode()
    assert without in page


def test_ideas_are_found_with_slips_too(library, staff):
    IdeaFactory(title="Umbrellas at the return", problem="Rain on the car park")
    assert asked_titles("q=umbrela&what=ideas", staff) == ["Umbrellas at the return"]
    assert asked_titles("q=rain+park&what=ideas", staff) == ["Umbrellas at the return"]


def test_what_is_proven_comes_before_what_is_only_alike(library, staff):
    SolutionFactory(code="greeter-too", title="A greeter at the gate")
    assert codes("q=a+greeter+at+the", staff)[:2] == ["greeter", "greeter-too"]


def test_each_facet_counts_what_it_would_leave(library, staff):
    found = find(asked("what=solutions&kind=sop"), person=person_of(staff))
    facets = {facet.name: {value.value: value.count for value in facet.values} for facet in found.facets}
    assert facets["kind"] == {"sop": 1, "asset": 1, "communication": 1}
    assert facets["cost"] == {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}
    assert facets["challenge"] == {"queue": 1}
    assert facets["verdict"] == {"works": 1}
    assert facets["unit_kind"] == {"airport": 1}
    assert facets["language"] == {"fr": 1}
    assert "status" not in facets


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("evidence=3", {"greeter"}),
        ("evidence=1", {"greeter", "kiosk"}),
        ("verdict=works", {"greeter"}),
        ("cost=2", {"greeter", "price-card"}),
        ("unit_kind=airport", {"greeter", "kiosk"}),
        ("what=solutions&challenge=FEES", {"price-card"}),
        ("language=en", {"price-card"}),
        ("kind=asset&cost=2", set()),
        ("kind=nonsense", {"greeter", "kiosk", "price-card", "queue", "fees"}),
    ],
)
def test_facets_narrow_down(library, staff, query, left):
    assert set(codes(query, staff)) == left


def test_merged_challenges_count_under_the_one_that_stands_for_them(library, staff):
    old = ChallengeFactory(code="old-queue", merged_into=Challenge.objects.get(code="queue"))
    SolutionLinkFactory(challenge=old, solution=library["price-card"])
    found = find(asked("what=solutions"), person=person_of(staff))
    facets = {facet.name: {value.value: value.count for value in facet.values} for facet in found.facets}
    assert facets["challenge"] == {"queue": 3, "fees": 1}
    assert set(codes("what=solutions&challenge=queue", staff)) == {"greeter", "kiosk", "price-card"}
    assert set(codes("what=solutions&challenge=old-queue", staff)) == {"greeter", "kiosk", "price-card"}


def test_drafts_are_for_leads_who_ask_for_them(library, staff, lead):
    assert codes("status=draft", lead) == ["half"]
    assert "half" not in codes("q=greeter", lead)
    assert "half" not in codes("status=draft", staff)


def test_leads_see_how_many_wait_in_each_status(library, lead):
    found = find(asked("what=solutions&q=greeter"), person=person_of(lead))
    status = next(facet for facet in found.facets if facet.name == "status")
    assert {value.value: value.count for value in status.values} == {"draft": 1, "published": 1, "retired": 0}
    assert [value.value for value in status.values if value.is_chosen] == ["published"]


@pytest.mark.parametrize(
    ("order", "first"),
    [("evidence", "greeter"), ("impact", "kiosk"), ("cost", "greeter"), ("newest", "price-card")],
)
def test_the_order_is_the_one_asked_for(library, staff, order, first):
    assert codes(f"what=solutions&order={order}", staff)[0] == first


def test_an_address_keeps_what_was_chosen_and_starts_again_at_page_one():
    question = asked("q=a+b&kind=sop&page=3&pin=x&pin=y")
    assert question.page == 3
    again = asked(question.address(cost=2)[1:])
    assert again == Question(q="a b", kind="sop", cost=2, pin=("x", "y"))
    assert asked(question.with_pin("x")[1:]).pin == ("y",)
    assert asked(question.with_pin("z")[1:]).pin == ("x", "y", "z")


def test_pages_go_on_where_the_last_one_ended(staff):
    for number in range(45):
        SolutionFactory(code=f"s{number:02}", title=f"Sign {number:02}")
    pages = [codes(f"what=solutions&page={page}", staff) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [20, 20, 5]
    assert len({code for page in pages for code in page}) == 45


def test_the_number_of_queries_does_not_grow(library, lead):
    def queries(query):
        with CaptureQueriesContext(connection) as captured:
            find(asked(query), person=person)
        return len(captured)

    def add(numbers):
        for number in numbers:
            challenge = ChallengeFactory(code=f"c{number}", name=f"Sign {number}")
            solution = SolutionFactory(code=f"s{number}", title=f"Sign {number}")
            SolutionLinkFactory(challenge=challenge, solution=solution)

    person = person_of(lead)
    asked_for = (
        "q=sign",
        "what=solutions",
        "what=challenges&q=sign",
        "what=ideas",
        "q=sign&challenge=c1",
        "q=sgin",
    )
    add(range(3))
    changed = [queries("what=solutions")]
    before = [queries(query) for query in asked_for]
    add(range(3, 60))
    changed.append(queries("what=solutions"))
    after = [queries(query) for query in asked_for]
    # One more for each table that has changed.
    assert changed == [8, 7]
    assert after == before
    assert max(after) <= 11
    assert queries("q=sign") <= 9


def test_bubbles_compare_on_one_outcome_and_say_the_same_as_a_table(library, client, staff):
    client.force_login(staff)
    page = client.get(reverse("search:search"), {"view": "bubbles", "pin": "kiosk"}).content.decode()
    assert "Effect on “Waiting time” by cost" in page
    assert page.count("<tr>") == 3
    assert "Unpin" in page
    assert "Not drawn" in page


def test_comparing_takes_the_outcome_asked_for(library, staff):
    other = MetricFactory(code="tone", name="Tone")
    ranked(ChallengeFactory(code="tone"), library["price-card"], other, evidence=1, verdict="unknown", effect=0.1)
    pks = [solution.pk for solution in library.values()]
    assert compare(asked("view=bubbles"), pks=pks).outcome == "Waiting time"
    asked_for = compare(asked("view=bubbles&metric=TONE"), pks=pks)
    assert [bubble.code for bubble in asked_for.bubbles] == ["price-card"]
    assert asked_for.unmeasured == 2


def test_nothing_measured_and_nothing_found_say_what_to_do(client, staff):
    client.force_login(staff)
    assert "The library is empty" in client.get(reverse("search:search")).content.decode()
    assert "propose what is missing" in client.get(reverse("search:search"), {"q": "zzzz"}).content.decode()
    SolutionFactory(code="x")
    assert "nothing to draw" in client.get(reverse("search:search"), {"view": "bubbles"}).content.decode()
    assert "Drop all choices" in client.get(reverse("search:search"), {"kind": "asset"}).content.decode()


def test_each_choice_is_shown_above_what_it_left_and_can_be_taken_back(library, client, staff):
    client.force_login(staff)
    page = client.get(reverse("search:search"), {"kind": "sop", "cost": "2"}).content.decode()
    shown = page.split('class="cx-chosen"')[1].split("</ul>")[0]
    assert shown.count("Drop this choice") == 2
    assert 'href="?cost=2"' in shown
    assert 'href="?kind=sop"' in shown
    assert "cx-chosen" not in client.get(reverse("search:search"), {"what": "solutions"}).content.decode()


def test_bubbles_of_one_cost_stand_side_by_side_and_no_layer_is_empty(library):
    comparison = compare(asked("view=bubbles"), pks=[solution.pk for solution in library.values()])
    Solution.objects.update(cost=1)
    same = compare(asked("view=bubbles"), pks=[solution.pk for solution in library.values()])
    assert [round(value["at"], 2) for value in bubbles_spec(same)["data"]["values"]] == [0.92, 1.08]
    assert not [layer for layer in bubbles_spec(comparison)["layer"] if "transform" in layer]
    pinned = compare(asked("view=bubbles&pin=kiosk"), pks=[solution.pk for solution in library.values()])
    assert [layer for layer in bubbles_spec(pinned)["layer"] if "transform" in layer]


def test_units_in_scope_are_found_too(client, staff):
    client.force_login(staff)
    assert (
        reverse("feedback:unit", args=["LILLE"])
        in client.get(reverse("search:search"), {"q": "lille"}).content.decode()
    )
    assert (
        reverse("feedback:unit", args=["NICE"])
        not in client.get(reverse("search:search"), {"q": "nice"}).content.decode()
    )


def test_a_program_gets_the_same_answer(library, api, staff):
    found = api(staff).get("/api/v1/search/", {"q": "greter", "what": "solutions"}).json()
    assert [hit["code"] for hit in found["sections"][0]["hits"]] == ["greeter"]
    facets = {
        facet["name"]: {value["value"]: value["count"] for value in facet["values"]} for facet in found["facets"]
    }
    assert facets["kind"] == {"sop": 1}
    assert found["sections"][0]["without"] == []
    found = api(staff).get("/api/v1/search/", {"q": "greeter unicorn", "what": "solutions"}).json()
    assert found["sections"][0]["without"] == ["unicorn"]
