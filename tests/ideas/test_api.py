"""Ideas over the API: proposing, voting, commenting, and no name where none was given."""

import pytest

from apps.accounts.models import AuditEvent, Role
from apps.core.models import IdempotentRequest
from apps.ideas.anonymity import author_key
from apps.ideas.models import Comment, Idea
from tests.factories import MembershipFactory, UnitFactory
from tests.ideas_factories import IdeaFactory

pytestmark = pytest.mark.django_db


def test_a_program_proposes_once_in_the_name_of_its_person(api, chain, staff, challenge):
    client = api(staff)
    body = {"text": "Put a greeter at the door", "unit": "LILLE", "challenge": "WAITING"}
    first = client.post("/api/v1/ideas/", body, format="json", headers={"Idempotency-Key": "1"})
    again = client.post("/api/v1/ideas/", body, format="json", headers={"Idempotency-Key": "1"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    row = Idea.objects.get()
    assert (row.author, row.is_held, first.json()["held"], first.json()["challenge"]) == (
        staff,
        True,
        True,
        "waiting",
    )


def test_a_unit_of_others_is_unknown(api, chain, staff):
    response = api(staff).post("/api/v1/ideas/", {"text": "x", "unit": "NICE"}, format="json")
    assert (response.status_code, response.json()["code"]) == (400, "unknown_code")


def test_a_vote_is_given_and_taken_back(api, idea, colleague):
    client = api(colleague)
    given = client.put(f"/api/v1/ideas/{idea.pk}/vote/").json()
    assert (given["votes"], given["voted"]) == (1, True)
    taken = client.delete(f"/api/v1/ideas/{idea.pk}/vote/").json()
    assert (taken["votes"], taken["voted"]) == (0, False)


def test_an_author_edits_while_it_is_new_and_nobody_over_others(api, idea, staff, colleague):
    assert api(colleague).patch(f"/api/v1/ideas/{idea.pk}/", {"title": "x"}, format="json").status_code == 403
    client = api(staff)
    tag = client.get(f"/api/v1/ideas/{idea.pk}/")["ETag"]
    changed = client.patch(
        f"/api/v1/ideas/{idea.pk}/", {"title": "Host"}, format="json", headers={"If-Match": tag}
    )
    assert changed.json()["title"] == "Host"
    late = client.patch(f"/api/v1/ideas/{idea.pk}/", {"title": "y"}, format="json", headers={"If-Match": tag})
    assert late.status_code == 412
    Idea.objects.update(state="in_review")
    assert client.patch(f"/api/v1/ideas/{idea.pk}/", {"title": "z"}, format="json").status_code == 403


def test_comments_are_read_and_written(api, idea, manager):
    client = api(manager)
    made = client.post(f"/api/v1/ideas/{idea.pk}/comments/", {"text": "Works", "experience": True}, format="json")
    assert (made.status_code, made.json()["kind"]) == (201, "experience")
    assert [row["text"] for row in client.get(f"/api/v1/ideas/{idea.pk}/comments/").json()["results"]] == ["Works"]


def test_no_name_where_none_was_given(api, chain, staff, admin_user):
    idea = IdeaFactory(unit=chain.lille, author=None, author_key=author_key(staff), state="needs_info")
    refused = api(staff).post(
        f"/api/v1/ideas/{idea.pk}/comments/", {"text": "x"}, format="json", headers={"Idempotency-Key": "1"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "not_open_to_all")
    assert not IdempotentRequest.objects.exists()
    assert not Comment.objects.exists()
    shown = api(admin_user).get(f"/api/v1/ideas/{idea.pk}/")
    assert shown.json()["author"] == ""
    assert idea.author_key not in shown.content.decode()
    anonymous = api(staff).post(
        "/api/v1/ideas/", {"text": "x", "unit": "LILLE", "is_anonymous": True}, format="json"
    )
    assert anonymous.json()["code"] == "unknown_field"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"unit": "LILLE"}, "text"),
        ({"text": " ", "unit": "LILLE"}, "text"),
        ({"text": "x" * 5_001, "unit": "LILLE"}, "text"),
        ({"text": "a\0b", "unit": "LILLE"}, "text"),
        ({"text": "x"}, "unit"),
        ({"text": "x", "unit": "LILLE", "challenge": "nowhere"}, "challenge"),
        ({"text": "x", "unit": "LILLE", "title": "x" * 201}, "title"),
        ({"text": "x", "unit": "LILLE", "author": "lead@example.org"}, "author"),
        ({"text": "x", "unit": "LILLE", "state": "in_library"}, "state"),
    ],
)
def test_what_can_not_be_an_idea_is_refused_by_the_name_of_the_field(api, chain, staff, body, field):
    refused = api(staff).post("/api/v1/ideas/", body, format="json")
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    assert [error["pointer"] for error in refused.json()["errors"]] == [f"#/{field}"]
    assert not Idea.objects.exists()


def test_an_idea_belongs_to_a_challenge_until_it_does_not(api, idea, challenge, north_lead):
    client, address = api(north_lead), f"/api/v1/ideas/{idea.pk}/"
    assert client.patch(address, {"challenge": "WAITING"}, format="json").json()["challenge"] == "waiting"
    assert client.patch(address, {"challenge": None}, format="json").json()["challenge"] is None


def test_nobody_votes_twice_nor_for_what_is_not_open_to_all(api, idea, colleague, staff):
    client, address = api(colleague), f"/api/v1/ideas/{idea.pk}/vote/"
    assert [client.put(address).json()["votes"] for _ in range(2)] == [1, 1]
    assert [client.delete(address).json()["votes"] for _ in range(2)] == [0, 0]
    Idea.objects.update(let_in_at=None)
    assert client.put(address).status_code == 404
    held = api(staff).put(address)
    assert (held.status_code, held["Content-Type"]) == (422, "application/problem+json")


def test_a_token_that_only_reads_proposes_nothing(api, chain, staff):
    client = api(staff, scopes=["read"])
    assert client.post("/api/v1/ideas/", {"text": "x", "unit": "LILLE"}, format="json").status_code == 403


# Decisions of leads


def decide(client, idea, step, body=None, **headers):
    return client.post(f"/api/v1/ideas/{idea.pk}/{step}/", body or {}, format="json", headers=headers)


def test_a_lead_reviews_asks_pilots_and_publishes(api, idea, lead, chain, challenge):
    client = api(lead)
    assert decide(client, idea, "review").json()["state"] == "in_review"
    assert decide(client, idea, "ask", {"question": "Which door?"}).json()["state"] == "needs_info"
    piloted = decide(client, idea, "pilot", {"units": ["lille"], "reason": "Try it in June."})
    assert (piloted.status_code, piloted.json()["state"]) == (200, "pilot")
    assert [pilot.unit for pilot in idea.pilots.all()] == [chain.lille]
    draft = decide(
        client,
        idea,
        "promote",
        {
            "title": "A greeter at the door",
            "procedure": "Stand there.",
            "translations": {"fr": {"title": "Accueil"}},
            "challenges": [challenge.code],
            "cost": 2,
        },
    ).json()
    assert (draft["state"], bool(draft["solution"])) == ("pilot", True)
    idea.refresh_from_db()
    solution = idea.solution
    assert (solution.title, solution.title_fr, solution.cost, solution.status) == (
        "A greeter at the door", "Accueil", 2, "draft",
    )  # fmt: skip
    decide(client, idea, "promote", {"title": "A greeter at each door", "challenges": [challenge.code]})
    solution.refresh_from_db()
    assert (solution.title, solution.title_fr, solution.cost) == ("A greeter at each door", "Accueil", 2)
    assert decide(client, idea, "publish").json()["state"] == "in_library"
    events = set(AuditEvent.objects.about(idea).filter(actor=lead).values_list("event", flat=True))
    assert events >= {f"ideas.idea.{what}" for what in ("reviewed", "asked", "piloted", "promoted", "published")}


def test_a_lead_declines_with_a_reason_and_takes_it_up_again(api, idea, lead):
    client = api(lead)
    refused = decide(client, idea, "decline", {"reason": "because", "text": "No"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "#/reason")
    assert decide(client, idea, "decline", {"reason": "later"}).status_code == 400
    declined = decide(client, idea, "decline", {"reason": "later", "text": "After the summer."}).json()
    assert (declined["state"], declined["decided_reason"]) == ("declined", "later")
    again = decide(client, idea, "decline", {"reason": "later", "text": "Really."})
    assert (again.status_code, again.json()["code"]) == (409, "step_not_possible")
    assert decide(client, idea, "reopen", {"reason": "A new budget."}).json()["state"] == "in_review"


def test_a_lead_joins_two_ideas_and_takes_it_back(api, idea, lead, chain):
    other = IdeaFactory(unit=chain.reims)
    hidden = IdeaFactory(unit=UnitFactory(), let_in_at=None)
    client = api(lead)
    for into in (hidden.pk + 1000, -1, 10**30):
        refused = decide(client, idea, "merge", {"into": into})
        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_idea")
    assert decide(client, idea, "merge", {"into": idea.pk}).json()["code"] == "merge_not_possible"
    merged = decide(client, idea, "merge", {"into": other.pk}).json()
    assert (merged["state"], merged["merged_into"]) == ("merged", other.pk)
    assert decide(client, other, "merge", {"into": idea.pk}).json()["code"] == "unknown_idea"
    assert decide(client, idea, "unmerge").json()["merged_into"] is None


def test_a_lead_hides_and_lets_in(api, idea, lead, colleague):
    client = api(lead)
    assert decide(client, idea, "hide", {"reason": "Names a customer."}).status_code == 200
    assert api(colleague).get(f"/api/v1/ideas/{idea.pk}/").status_code == 404
    assert decide(client, idea, "let-in").status_code == 200
    assert api(colleague).get(f"/api/v1/ideas/{idea.pk}/").status_code == 200
    assert decide(client, idea, "let-in").json()["code"] == "not_held"


def test_nobody_decides_on_ideas_of_units_they_do_not_lead(api, idea, manager, chain):
    stranger = MembershipFactory(unit=chain.south, role=Role.LEAD).user
    for user in (manager, stranger):
        assert decide(api(user), idea, "decline", {"reason": "later", "text": "No"}).status_code == 403
    foreign = decide(api(stranger), IdeaFactory(unit=chain.nice), "pilot", {"units": ["LILLE"]})
    assert (foreign.status_code, foreign.json()["code"]) == (400, "unknown_code")
    idea.refresh_from_db()
    assert idea.state == "new"


def test_a_decision_on_what_was_read_before_a_change_is_refused_and_a_repeated_one_decides_once(api, idea, lead):
    client = api(lead)
    tag = client.get(f"/api/v1/ideas/{idea.pk}/")["ETag"]
    Idea.objects.filter(pk=idea.pk).update(title="Something else")
    assert decide(client, idea, "review", **{"If-Match": tag}).status_code == 412
    first, again = (decide(client, idea, "review", **{"Idempotency-Key": "r"}) for _turn in range(2))
    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
    assert AuditEvent.objects.filter(event="ideas.idea.reviewed").count() == 1
