"""Ideas over the API: proposing, voting, commenting, and no name where none was given."""

import pytest

from apps.core.models import IdempotentRequest
from apps.ideas.anonymity import author_key
from apps.ideas.models import Comment, Idea
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
