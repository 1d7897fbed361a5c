"""Challenges, aliases and labels over the API."""

import pytest

from apps.taxonomy.models import Alias, Challenge
from tests.factories import ActionFactory, ChallengeFactory
from tests.taxonomy_factories import UnmappedLabelFactory

pytestmark = pytest.mark.django_db
CHALLENGES = "/api/v1/challenges/"


@pytest.fixture
def program(api, lead):
    return api(lead)


def test_a_challenge_is_made_moved_and_described(program):
    ChallengeFactory(code="top")
    made = program.post(CHALLENGES, {"code": "queue", "name": "Queue", "parent": "TOP"}, format="json")
    assert (made.status_code, made.json()["parent"]) == (201, "top")
    tag = made["ETag"]
    changed = program.patch(f"{CHALLENGES}queue/", {"name_fr": "File"}, format="json", headers={"If-Match": tag})
    assert changed.json()["name_fr"] == "File"
    late = program.post(f"{CHALLENGES}queue/move/", {"parent": None}, format="json", headers={"If-Match": tag})
    assert late.status_code == 412
    moved = program.post(f"{CHALLENGES}queue/move/", {"parent": None}, format="json")
    assert moved.json()["parent"] is None
    undone = program.post(f"{CHALLENGES}queue/undo/", {}, format="json")
    assert undone.json()["parent"] == "top"


def test_records_of_a_merged_challenge_are_listed_under_the_one_that_stands_for_it(program, lead, chain):
    old, new = ChallengeFactory(code="old"), ChallengeFactory(code="new")
    ActionFactory(external_id="A-1", unit=chain.lille, challenge=old)
    ActionFactory(external_id="A-2", unit=chain.lille, challenge=new)
    answer = program.post(f"{CHALLENGES}old/merge/", {"into": "new"}, format="json")
    assert answer.json()["merged_into"] == "new"
    listed = program.get("/api/v1/actions/", {"challenge": "new"}).json()["results"]
    assert [row["external_id"] for row in listed] == ["A-1", "A-2"]


def test_a_split_makes_the_parts_that_have_a_name(program):
    ChallengeFactory(code="old")
    ChallengeFactory(code="wait")
    parts = [{"code": "wait"}, {"code": "queue", "name": "Queue"}]
    answer = program.post(f"{CHALLENGES}old/split/", {"parts": parts}, format="json")
    assert answer.json()["parts"] == ["queue", "wait"]
    assert Challenge.objects.filter(code="queue").exists()


def test_a_refusal_has_its_code_and_changes_nothing(program):
    top = ChallengeFactory(code="top")
    ChallengeFactory(code="leaf", parent=top)
    refused = program.post(f"{CHALLENGES}top/move/", {"parent": "leaf"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "term_misplaced")


def test_a_repeated_call_with_one_key_happens_once(program):
    body, key = {"code": "queue", "name": "Queue"}, {"Idempotency-Key": "once"}
    first = program.post(CHALLENGES, body, format="json", headers=key)
    again = program.post(CHALLENGES, body, format="json", headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert Challenge.objects.count() == 1


def test_an_alias_maps_a_label_and_leaves_again(program):
    ChallengeFactory(code="queue")
    UnmappedLabelFactory(label="Long line")
    labels = "/api/v1/unmapped-labels/"
    assert len(program.get(labels, {"state": "waiting"}).json()["results"]) == 1
    made = program.post(
        "/api/v1/aliases/", {"source": "helpdesk", "label": "long line", "challenge": "queue"}, format="json"
    )
    assert made.status_code == 201
    assert program.get(labels, {"state": "waiting"}).json()["results"] == []
    again = program.post(
        "/api/v1/aliases/", {"source": "HELPDESK", "label": "Long Line", "challenge": "queue"}, format="json"
    )
    assert (again.status_code, again.json()["code"]) == (409, "alias_taken")
    assert program.delete(made["Location"]).status_code == 204
    assert Alias.objects.count() == 0


def test_a_form_is_taken_like_json(program):
    ChallengeFactory(code="queue")
    ChallengeFactory(code="waiting")
    merged = program.post(f"{CHALLENGES}queue/merge/", {"into": "waiting"}, headers={"Idempotency-Key": "m"})
    assert (merged.status_code, merged.json()["merged_into"]) == (200, "waiting")
