"""Tasks, check-ins and proofs over the API."""

from tests.planning_factories import ProofFactory, TaskFactory

TASKS, CHECK_INS = "/api/v1/tasks/", "/api/v1/check-ins/"


def test_a_task_is_added_changed_ticked_and_removed(api, manager, planned):
    client = api(manager)
    body = {"action": planned.external_id.lower(), "title": "Print the card", "assignee": manager.email}
    made = client.post(TASKS, body, format="json")
    assert made.status_code == 201
    address = made["Location"]
    changed = client.patch(
        address, {"due_on": "2024-06-20", "done": True}, format="json", headers={"If-Match": made["ETag"]}
    )
    assert (changed.json()["due_on"], changed.json()["done_by"]) == ("2024-06-20", manager.email)
    assert client.get(f"{TASKS}?open=true").json()["results"] == []
    assert client.delete(address).status_code == 204
    assert not planned.tasks.exists()


def test_a_change_on_top_of_anothers_is_refused(api, manager, planned):
    task = TaskFactory(action=planned)
    client = api(manager)
    stale = client.get(f"{TASKS}{task.pk}/")["ETag"]
    client.patch(f"{TASKS}{task.pk}/", {"title": "Print two cards"}, format="json")
    late = client.patch(f"{TASKS}{task.pk}/", {"title": "Print three"}, format="json", headers={"If-Match": stale})
    assert late.status_code == 412
    task.refresh_from_db()
    assert task.title == "Print two cards"


def test_the_same_key_adds_one_task(api, manager, planned):
    client = api(manager)
    body = {"action": planned.external_id, "title": "Print the card"}
    for _ in range(2):
        made = client.post(TASKS, body, format="json", headers={"Idempotency-Key": "k1"})
        assert made.status_code == 201
    assert planned.tasks.count() == 1


def test_an_action_of_others_is_none(api, outsider, planned):
    refused = api(outsider).post(TASKS, {"action": planned.external_id, "title": "x"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_action")


def test_staff_check_in(api, staff, applied, planned):
    body = {"action": applied.external_id, "happening": "yes", "working": "yes", "obstacle": "none"}
    made = api(staff).post(CHECK_INS, body, format="json")
    assert (made.status_code, made.json()["person"]) == (201, staff.email)
    assert api(staff).get(f"{CHECK_INS}?action={applied.external_id}").json()["results"] == [made.json()]


def test_a_proof_gives_its_file(api, staff, applied):
    proof = ProofFactory(action=applied)
    client = api(staff)
    assert client.get("/api/v1/proofs/").json()["results"][0]["name"] == "poster.pdf"
    content = client.get(f"/api/v1/proofs/{proof.pk}/content/")
    assert b"".join(content.streaming_content).startswith(b"%PDF")
    assert content["X-Content-Type-Options"] == "nosniff"
