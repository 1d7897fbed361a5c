"""Pages of ideas and calls: who sees what, and what they lead to."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.ideas.anonymity import author_key
from apps.ideas.models import Call, Comment, Idea, Vote
from apps.ideas.services import vote
from apps.taxonomy.models import Challenge
from tests.factories import AliasFactory, ChallengeFactory, SolutionFactory, UnitFactory
from tests.ideas.helpers import text_of
from tests.ideas_factories import CallFactory, CommentFactory, IdeaFactory, VoteFactory

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "</textarea><script>alert(1)</script>",
    "[x](javascript:alert(1))",
]


def test_four_fields_propose_an_idea_with_a_photo(signed_in, chain, staff, challenge):
    client = signed_in(staff)
    response = client.post(
        "/ideas/new/",
        {
            "problem": "People wait at the desk",
            "challenge": "waiting",
            "text": "Put a greeter at the door. They sort the queue.",
            "is_tried": "on",
            "tried_on": "2024-05-01",
            "tried_unit": "LILLE",
            "photo": SimpleUploadedFile("sam-staff.png", PNG, "image/png"),
        },
    )
    idea = Idea.objects.get()
    assert response["Location"] == f"/ideas/{idea.pk}/"
    assert (idea.title, idea.challenge, idea.unit) == ("Put a greeter at the door", challenge, chain.lille)
    assert (idea.tried_on, idea.tried_unit) == (date(2024, 5, 1), chain.lille)
    assert "sam" not in idea.photo.name
    photo = client.get(f"/ideas/{idea.pk}/photo/")
    assert b"".join(photo.streaming_content).startswith(b"\x89PNG")
    assert photo["X-Content-Type-Options"] == "nosniff"
    page = text_of(client.get(f"/ideas/{idea.pk}/"))
    assert "It waits until the CX lead of Lille lets it in." in page
    assert "otherwise it goes one level up" in page


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"text": ""}, "text"),
        ({"is_tried": "on"}, "tried_on"),
        ({"photo": SimpleUploadedFile("x.png", b"<svg onload=alert(1)>", "image/png")}, "photo"),
    ],
)
def test_what_is_missing_or_no_photo_is_said_beside_its_field(signed_in, chain, staff, fields, named):
    response = signed_in(staff).post("/ideas/new/", {"text": "A greeter", **fields})
    assert response.status_code == 422
    assert named in response.context["form"].errors
    assert not Idea.objects.exists()


def test_a_call_brings_its_challenge_along(signed_in, chain, staff, challenge):
    call = CallFactory(challenge=challenge, title="How would you shorten the wait?")
    client = signed_in(staff)
    assert "How would you shorten the wait?" in text_of(client.get(f"/ideas/new/?call={call.pk}"))
    client.post(f"/ideas/new/?call={call.pk}", {"text": "A greeter", "listed": "waiting"})
    assert Idea.objects.get().call == call


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("long wait counter", True),
        ("we have a loong waitt at the conter", True),
        ("longue attente comptoire", True),
        ("queue too slow", True),
        ("the coffee is cold", False),
    ],
)
def test_a_problem_in_own_words_is_guessed(signed_in, chain, staff, challenge, typed, found):
    AliasFactory(challenge=challenge, label="Slow queue")
    ChallengeFactory(code="invoice", name="Unclear invoice", name_fr="Facture obscure")
    response = signed_in(staff).get("/ideas/guesses/", {"problem": typed})
    assert [guess.code for guess in response.context["guesses"]][:1] == (["waiting"] if found else [])


def test_what_exists_already_is_shown_while_typing(signed_in, chain, staff, idea):
    SolutionFactory(code="host", title="A host welcomes customers")
    IdeaFactory(title="A greeter at the doors", let_in_at=None)
    IdeaFactory(title="Free coffee for everybody")
    response = signed_in(staff).get("/ideas/similar/", {"text": "someone who greets at the door, a greeter"})
    found = response.context["similar"]
    assert [row.title for row in found.ideas] == ["A greeter at the door"]
    assert (
        signed_in(staff)
        .get("/ideas/similar/", {"text": "host welcoming customer"})
        .context["similar"]
        .solutions[0]
        .code
        == "host"
    )


def test_my_vote_is_shown_and_can_be_taken_back(signed_in, idea, colleague):
    client = signed_in(colleague)
    fragment = client.post(f"/ideas/{idea.pk}/vote/", headers={"HX-Request": "true"})
    assert 'aria-pressed="true"' in fragment.content.decode()
    assert client.get("/ideas/").context["page"].object_list[0].is_voted
    assert "1 colleague has this problem" in text_of(client.get(f"/ideas/{idea.pk}/"))
    back = client.post(f"/ideas/{idea.pk}/vote/", {"withdraw": "1", "next": "/ideas/?q=x"})
    assert back["Location"] == "/ideas/?q=x"
    assert not Vote.objects.exists()


def test_whoever_writes_the_same_votes_beside_the_form_and_goes_on_writing(signed_in, idea, colleague):
    client = signed_in(colleague)
    address = f"/ideas/{idea.pk}/vote/?in=similar"
    found = client.get("/ideas/similar/", {"text": idea.title}, headers={"HX-Request": "true"}).content.decode()
    assert f'hx-post="{address}"' in found
    assert 'type="submit"' not in found
    voted = client.post(address, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="true"' in voted
    assert "1 vote" in voted
    assert 'name="withdraw"' in voted
    back = client.post(address, {"withdraw": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="false"' in back
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    "asked", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_a_vote_never_leads_elsewhere(signed_in, idea, colleague, asked):
    response = signed_in(colleague).post(f"/ideas/{idea.pk}/vote/", {"next": asked})
    assert response["Location"] == f"/ideas/{idea.pk}/"


def test_held_and_hidden_ideas_are_seen_by_their_author_and_lead_alone(signed_in, chain, staff, colleague, lead):
    for fields in ({"let_in_at": None}, {"hidden_at": datetime(2024, 6, 4, tzinfo=UTC)}):
        idea = IdeaFactory(unit=chain.lille, author=staff, **fields)
        codes = [signed_in(who).get(f"/ideas/{idea.pk}/").status_code for who in (staff, lead, colleague)]
        assert codes == [200, 200, 404]
        assert signed_in(colleague).get("/ideas/?show=all").context["page"].object_list == []


def test_an_anonymous_author_is_named_nowhere_and_recognised(signed_in, chain, staff, lead, admin_user):
    idea = IdeaFactory(unit=chain.lille, author=None, author_key=author_key(staff), state="needs_info")
    CommentFactory(idea=idea, author=None, is_from_author=True)
    mine = signed_in(staff).get(f"/ideas/{idea.pk}/")
    assert "You, without your name" in text_of(mine)
    assert "You are asked something" in text_of(mine)
    assert signed_in(staff).get("/ideas/?show=mine").context["page"].object_list[0].pk == idea.pk
    for who in (lead, admin_user):
        for address in (f"/ideas/{idea.pk}/", "/ideas/?show=all", "/ideas/board/"):
            page = signed_in(who).get(address).content.decode()
            assert staff.email not in page
            assert staff.name not in page
    for address in (f"/support/ideas/idea/{idea.pk}/change/", "/support/ideas/idea/"):
        page = signed_in(admin_user).get(address).content.decode()
        assert staff.email not in page
        assert idea.author_key not in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_people_write_runs_in_a_browser(signed_in, chain, staff, lead, attack):
    idea = IdeaFactory(unit=chain.lille, author=staff, title=attack, problem=attack, text=attack)
    CommentFactory(idea=idea, author=staff, text=attack)
    held = CommentFactory(idea=idea, author=staff, text=attack, let_in_at=None)
    call = CallFactory(title=attack, text=attack)
    client = signed_in(lead)
    for address in (
        "/ideas/", "/ideas/board/", "/ideas/moderation/", "/ideas/home/", f"/ideas/{idea.pk}/",
        f"/ideas/{idea.pk}/edit/", f"/ideas/{idea.pk}/promote/", f"/ideas/comments/{held.pk}/hide/",
        "/calls/", f"/calls/{call.pk}/", f"/calls/{call.pk}/change/", f"/ideas/?q={attack}",
    ):  # fmt: skip
        page = client.get(address).content.decode()
        for living in ("<script>alert", "<img src=x", "<svg/onload", 'href="javascript:'):
            assert living not in page, address


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=greeter", True),
        ("q=greter+at+dor", True),
        ("q=GREETÉR", True),
        ("q=invoice", False),
        ("state=new", True),
        ("state=declined", False),
        ("state=nonsense", True),
        ("unit=LILLE", True),
        ("unit=NICE", False),
        ("challenge=waiting", True),
        ("challenge=other", False),
        ("show=mine", False),
        ("show=decide", True),
    ],
)
def test_filters_narrow_the_list(signed_in, idea, challenge, lead, query, found):
    Idea.objects.filter(pk=idea.pk).update(challenge=challenge)
    rows = signed_in(lead).get(f"/ideas/?{query}").context["page"].object_list
    assert [row.pk for row in rows] == ([idea.pk] if found else [])


def test_what_is_needed_most_comes_first(signed_in, idea, colleague, staff):
    wanted = IdeaFactory(title="Wanted", unit=idea.unit)
    vote(idea=wanted, actor=colleague)
    newest = IdeaFactory(title="Newest", unit=idea.unit)
    client = signed_in(staff)
    assert [row.pk for row in client.get("/ideas/").context["page"].object_list] == [wanted.pk, newest.pk, idea.pk]
    rows = client.get("/ideas/?sort=newest").context["page"].object_list
    assert [row.pk for row in rows] == [newest.pk, wanted.pk, idea.pk]


def test_empty_lists_say_what_to_do_next(signed_in, chain, staff, lead):
    assert 'href="/ideas/new/"' in signed_in(staff).get("/ideas/").content.decode()
    assert "You have not proposed anything yet" in text_of(signed_in(staff).get("/ideas/?show=mine"))
    assert "Take a filter away" in text_of(signed_in(staff).get("/ideas/?q=zzz"))
    assert 'href="/calls/new/"' in signed_in(lead).get("/calls/").content.decode()
    assert "Nothing waits" in text_of(signed_in(lead).get("/ideas/moderation/"))


def test_a_lead_takes_an_idea_through_its_pages(signed_in, idea, chain, challenge, lead, staff):
    client = signed_in(lead)
    client.post(f"/ideas/{idea.pk}/review/")
    client.post(f"/ideas/{idea.pk}/ask/", {"reason": "At which hours?"})
    signed_in(staff).post(f"/ideas/{idea.pk}/comment/", {"text": "In the morning"})
    assert Comment.objects.filter(kind="reply").exists()
    client.post(f"/ideas/{idea.pk}/pilot/", {"units": ["LILLE"], "reason": "Two weeks"})
    twin = IdeaFactory(title="Greeters at the door", unit=chain.nice)
    assert str(idea.title) in text_of(client.get(f"/ideas/{twin.pk}/merge/"))
    client.post(f"/ideas/{twin.pk}/merge/", {"into": idea.pk})
    assert "Undo" in text_of(client.get(f"/ideas/{twin.pk}/"))
    client.post(
        f"/ideas/{idea.pk}/promote/",
        {"title": "A greeter", "summary": "Meets.", "kind": "sop", "challenge": "waiting", "lag_days": "14",
         "then": "publish"},
    )  # fmt: skip
    idea.refresh_from_db()
    assert (idea.state, idea.solution.title) == ("in_library", "A greeter")
    page = text_of(signed_in(staff).get(f"/ideas/{idea.pk}/"))
    assert "It is a solution in the library now." in page
    assert "Greeters at the door" in page


def test_a_recipe_is_written_in_both_languages_part_by_part(signed_in, idea, challenge, lead):
    client = signed_in(lead)
    entered = {
        "title": "A greeter", "summary": "Meets.", "procedure": "1. Greet.", "kind": "sop", "challenge": "waiting",
        "lag_days": "14", "title_fr": "Un accueil", "procedure_fr": "1. Saluer.", "then": "draft",
    }  # fmt: skip
    client.post(f"/ideas/{idea.pk}/promote/", entered)
    idea.refresh_from_db()
    version = idea.solution.versions.get()
    assert version.procedure == "1. Greet."
    french = version.translations.get(language="fr")
    assert (french.title, french.procedure, french.summary) == ("Un accueil", "1. Saluer.", "")
    form = client.get(f"/ideas/{idea.pk}/promote/").context["form"]
    assert form["procedure_fr"].value() == "1. Saluer."
    client.post(f"/ideas/{idea.pk}/promote/", {**entered, "title_fr": "", "procedure_fr": ""})
    newest = idea.solution.versions.order_by("-number").first()
    assert not newest.translations.exists()


def test_a_call_is_made_from_a_challenge_changed_and_closed(signed_in, challenge, lead, chain):
    client = signed_in(lead)
    assert f'value="{challenge.name}"' in client.get("/calls/new/?challenge=waiting").content.decode()
    client.post(
        "/calls/new/",
        {
            "title": "Ideas?",
            "challenge": "waiting",
            "unit": "",
            "opens_on": "2024-01-01",
            "closes_on": "2099-01-01",
        },
    )
    call = Call.objects.get()
    client.post(f"/calls/{call.pk}/close/")
    assert Call.objects.get().closed_at is not None
    client.post(f"/calls/{call.pk}/change/", {"title": "Ideas!", "closes_on": "2099-02-01"})
    call.refresh_from_db()
    assert (call.title, call.closed_at, call.closes_on) == ("Ideas!", None, date(2099, 2, 1))


def test_a_lead_of_a_region_calls_their_own_alone(signed_in, challenge, north_lead, chain):
    client = signed_in(north_lead)
    fields = {"title": "Ideas?", "challenge": "waiting", "opens_on": "2024-01-01", "closes_on": "2099-01-01"}
    assert client.post("/calls/new/", {**fields, "unit": ""}).status_code == 422
    assert client.post("/calls/new/", {**fields, "unit": "NICE"}).status_code == 422
    assert client.post("/calls/new/", {**fields, "unit": "NORTH"}).status_code == 302
    assert client.get(f"/calls/{CallFactory(challenge=challenge).pk}/change/").status_code == 404


def test_a_lead_of_another_region_reads_and_does_not_decide(signed_in, chain, north_lead):
    idea = IdeaFactory(unit=chain.nice)
    client = signed_in(north_lead)
    assert client.get(f"/ideas/{idea.pk}/").status_code == 200
    assert client.get(f"/ideas/{idea.pk}/decline/").status_code == 404
    assert client.post(f"/ideas/{idea.pk}/review/").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/ideas/",
        "/ideas/?q=idea",
        "/ideas/?show=all",
        "/ideas/board/",
        "/ideas/moderation/",
        "/ideas/home/",
        "/calls/",
    ],
)
def test_lists_ask_the_same_number_of_questions_however_long(
    signed_in, chain, lead, django_assert_num_queries: Any, address
):
    client = signed_in(lead)

    def grow(count: int) -> None:
        for _ in range(count):
            idea = IdeaFactory(unit=chain.lille, author=lead, challenge=ChallengeFactory())
            VoteFactory(idea=idea)
            CommentFactory(idea=idea, let_in_at=None)
            IdeaFactory(unit=chain.nice, let_in_at=None)
            CallFactory()

    grow(2)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    grow(4)
    with django_assert_num_queries(len(few)):
        client.get(address)


def test_the_page_of_an_idea_asks_the_same_number_of_questions_however_much_is_said(
    signed_in, idea, lead, django_assert_num_queries: Any
):
    client = signed_in(lead)

    def grow(count: int) -> None:
        for _ in range(count):
            CommentFactory(idea=idea)
            IdeaFactory(unit=idea.unit, state="merged", merged_into=idea)

    grow(2)
    client.get(f"/ideas/{idea.pk}/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"/ideas/{idea.pk}/")
    grow(4)
    with django_assert_num_queries(len(few)):
        client.get(f"/ideas/{idea.pk}/")


@pytest.mark.parametrize("entry", ["waiting", "WAITING", "Long wait at the counter"])
def test_a_challenge_is_looked_up_by_its_code_or_name(signed_in, challenge, staff, chain, entry):
    signed_in(staff).post("/ideas/new/", {"text": "A greeter", "listed": entry})
    assert Idea.objects.get().challenge == challenge


def test_a_challenge_nobody_knows_comes_back_with_what_was_written(signed_in, challenge, staff, chain):
    page = signed_in(staff).post("/ideas/new/", {"text": "A greeter", "listed": "Unicorns"})
    assert page.status_code == 422
    assert "No challenge in use has this code or name." in page.content.decode()
    assert "A greeter" in page.content.decode()
    assert "Unicorns" in page.content.decode()


def test_a_form_is_as_small_with_many_challenges(signed_in, challenge, staff, chain):
    client = signed_in(staff)
    few = len(client.get("/ideas/new/").content)
    ChallengeFactory.create_batch(40)
    assert abs(len(client.get("/ideas/new/").content) - few) < 200
    offered = client.get("/taxonomy/terms/", {"listed": "long wait"}).content.decode()
    assert "Long wait at the counter" in offered
    assert offered.count("<option") < 20


def test_an_idea_keeps_a_challenge_that_is_no_longer_in_use(signed_in, challenge, staff, chain):
    idea = IdeaFactory(author=staff, unit=chain.lille, challenge=challenge, state="new")
    Challenge.objects.filter(pk=challenge.pk).update(retired_on=date(2024, 1, 1))
    client = signed_in(staff)
    form = client.get(f"/ideas/{idea.pk}/edit/").context["form"]
    entries = {name: form[name].value() for name in ("seen_at", "title", "problem", "text", "challenge")}
    assert client.post(f"/ideas/{idea.pk}/edit/", {**entries, "title": "A better title"}).status_code == 302
    idea.refresh_from_db()
    assert (idea.title, idea.challenge) == ("A better title", challenge)


@pytest.mark.parametrize(
    ("entry", "is_found"), [("Lille", True), ("lille", True), ("Nice", False), ("Nowhere", False)]
)
def test_where_it_was_tried_is_looked_up_among_ones_own_units(signed_in, staff, chain, entry, is_found):
    entries = {"text": "A greeter", "is_tried": "on", "tried_on": "2024-05-01", "tried_unit": entry}
    page = signed_in(staff).post("/ideas/new/", entries)
    assert page.status_code == (302 if is_found else 422)
    assert Idea.objects.filter(tried_unit=chain.lille).exists() is is_found


def test_units_of_ones_own_are_offered_and_the_form_is_as_small_with_many(signed_in, lead, staff, chain):
    client = signed_in(lead)
    few = len(client.get("/calls/new/").content)
    UnitFactory(code="LILLE2", name="Lille", parent=chain.north)
    UnitFactory.create_batch(40, parent=chain.north)
    assert abs(len(client.get("/calls/new/").content) - few) < 200
    offered = client.get("/unit/offers/", {"unit": "lille"}).content.decode()
    assert 'value="LILLE"' in offered, "two have the name, so the code is entered"
    assert 'value="LILLE2"' in offered
    assert "Nice" not in signed_in(staff).get("/unit/offers/", {"unit": "nice"}).content.decode()


def test_a_name_that_two_units_share_is_asked_back(signed_in, lead, chain, challenge):
    for code in ("E-1", "E-2"):
        UnitFactory(code=code, name="Station East", parent=chain.north)
    fields = {
        "title": "Less waiting?",
        "challenge": "waiting",
        "opens_on": "2030-01-01",
        "closes_on": "2030-01-20",
    }
    client = signed_in(lead)
    page = client.post("/calls/new/", {**fields, "unit": "Station East"})
    assert (page.status_code, "Several units have this name." in page.content.decode()) == (422, True)
    client.post("/calls/new/", {**fields, "unit": "e-2"})
    assert Call.objects.get().unit.code == "E-2"
