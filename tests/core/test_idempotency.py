"""A POST with an Idempotency-Key happens once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.idempotency import KEPT_FOR, digest_of
from apps.core.models import IdempotentRequest
from apps.planning.models import Action
from tests.factories import ChallengeFactory, SolutionVersionFactory

ACTIONS = "/api/v1/actions/"
RECENT = str(timezone.now().date() - timedelta(days=30))


@pytest.fixture
def body(chain):
    return {
        "unit": "LILLE",
        "challenge": ChallengeFactory().code,
        "solutions": [SolutionVersionFactory().solution.code],
        "effective_on": RECENT,
    }


def post(client, body, key="one"):
    return client.post(ACTIONS, body, format="json", headers={"Idempotency-Key": key})


def test_the_second_call_answers_as_the_first_and_changes_nothing(api, manager, body):
    client = api(manager)
    first, second = post(client, body), post(client, body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Location"] == first["Location"]
    assert second["ETag"] == first["ETag"]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Action.objects.count() == 1


def test_without_a_key_every_call_counts(api, manager, body):
    client = api(manager)
    for _ in range(2):
        assert client.post(ACTIONS, body, format="json").status_code == 201
    assert Action.objects.count() == 2
    assert not IdempotentRequest.objects.exists()


def test_a_key_belongs_to_one_request(api, manager, body):
    client = api(manager)
    post(client, body)
    answer = post(client, {**body, "note": "other"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert post(client, {**body, "note": "other"}, key="two").status_code == 201


def test_a_key_belongs_to_one_person(api, manager, lead, body):
    assert post(api(manager), body).status_code == 201
    assert post(api(lead), body).status_code == 201
    assert Action.objects.count() == 2


def test_a_call_that_failed_may_be_tried_again_with_the_same_key(api, manager, body):
    client = api(manager)
    assert post(client, {**body, "unit": "NOWHERE"}).status_code == 400
    assert not IdempotentRequest.objects.exists()
    assert post(client, body).status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "caf\xe9", "tab\there"])
def test_a_key_must_be_plain(api, manager, body, key):
    answer = post(api(manager), body, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


def test_old_keys_are_forgotten(api, manager, body):
    client = api(manager)
    post(client, body)
    IdempotentRequest.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    assert "Idempotency-Replayed" not in post(client, body)
    assert IdempotentRequest.objects.count() == 1


def test_parts_of_a_request_do_not_run_together():
    assert digest_of(b"ab", b"c") != digest_of(b"a", b"bc")


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_moment_happen_once(api, manager, body):
    clients = [api(manager) for _ in range(6)]

    def call(client):
        try:
            return post(client, body)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(call, clients))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["external_id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert Action.objects.count() == 1
