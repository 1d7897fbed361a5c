"""Plans over the API: started, made concrete, agreed and drawn by lot, safely for two callers at once."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.planning.models import Action, Draw, Plan
from tests.factories import ActionFactory, PlanFactory, UnitFactory
from tests.ideas_factories import IdeaFactory
from tests.library_factories import PlaybookFactory, PlaybookSolutionFactory
from tests.planning_factories import ReadyItemFactory

pytestmark = pytest.mark.django_db
PLANS, PROOFS = "/api/v1/plans/", "/api/v1/proofs/"
SOON = str(timezone.now().date() + timedelta(days=14))
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def draft(chain, challenge, training, manager):
    plan = PlanFactory(challenge=challenge, stage="concrete", owner=manager)
    plan.solutions.add(training)
    ActionFactory(unit=chain.lille, challenge=challenge, plan=plan, state="draft", effective_on=None)
    return plan


@pytest.fixture
def rollout(chain, challenge, training, lead):
    plan = PlanFactory(challenge=challenge, owner=lead)
    plan.solutions.add(training)
    for number in range(6):
        unit = UnitFactory(code=f"B{number}", region="North", parent=chain.north)
        ActionFactory(unit=unit, challenge=challenge, plan=plan, state="planned", effective_on=None)
    return plan


def test_a_plan_goes_from_a_draft_to_agreed(api, chain, manager, challenge, training):
    client = api(manager)
    body = {"challenge": "WAITING", "units": ["lille"], "solutions": ["training"]}
    made = client.post(PLANS, body, format="json")
    assert made.status_code == 201, made.json()
    assert (made.json()["stage"], made.json()["owner"]) == ("concrete", manager.email)
    address = made["Location"]
    details = {"occasion": "Every day from 7 to 9", "planned_on": SOON, "tasks": ["Print the card"]}
    changed = client.patch(address, details, format="json", headers={"If-Match": made["ETag"]})
    assert changed.status_code == 200, changed.json()
    assert (changed.json()["planned_on"], changed.json()["stage"]) == (SOON, "ready")
    again = client.patch(address, {"place": "At the door"}, format="json").json()
    assert (again["occasion"], again["place"], again["planned_on"]) == (details["occasion"], "At the door", SOON)
    action = Action.objects.get(plan=made.json()["id"])
    assert list(action.tasks.values_list("title", flat=True)) == ["Print the card"]
    agreed = client.post(f"{address}agree/")
    assert (agreed.status_code, agreed.json()["stage"]) == (200, "agreed")
    action.refresh_from_db()
    assert action.state == "planned"
    late = client.patch(address, {"place": "Elsewhere"}, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "step_not_possible")


def test_a_playbook_brings_its_solutions(api, chain, manager, challenge, training, kiosk):
    playbook = PlaybookFactory(code="together")
    for solution in (training, kiosk):
        PlaybookSolutionFactory(playbook=playbook, solution=solution)
    body = {"challenge": "waiting", "units": ["LILLE"], "playbook": "together"}
    made = api(manager).post(PLANS, body, format="json")
    assert made.status_code == 201, made.json()
    assert (made.json()["playbook"], made.json()["solutions"]) == ("together", ["kiosk", "training"])


def test_the_same_key_starts_one_plan(api, chain, manager, challenge):
    client, body = api(manager), {"challenge": "waiting", "units": ["LILLE"]}
    first, second = (client.post(PLANS, body, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, second.json()) == (201, first.json())
    assert Plan.objects.count() == 1


def test_units_of_others_and_groups_are_named_where_they_stand(api, chain, manager, challenge):
    body = {"challenge": "waiting", "units": ["LILLE", "NICE", "NORTH"]}
    refused = api(manager).post(PLANS, body, format="json")
    assert refused.status_code == 400
    found = [(error["pointer"], error["code"]) for error in refused.json()["errors"]]
    assert found == [("#/units/1", "unknown_code"), ("#/units/2", "unknown_code")]
    assert not Plan.objects.exists()


def test_a_change_on_top_of_anothers_is_refused(api, manager, draft):
    client, address = api(manager), f"{PLANS}{draft.pk}/"
    stale = {"If-Match": client.get(address)["ETag"]}
    assert client.patch(address, {"place": "At the door"}, format="json").status_code == 200
    assert client.patch(address, {"place": "Inside"}, format="json", headers=stale).status_code == 412
    assert client.post(f"{address}agree/", headers=stale).status_code == 412
    draft.refresh_from_db()
    assert draft.place == "At the door"


def test_what_is_missing_is_said(api, manager, draft):
    client, address = api(manager), f"{PLANS}{draft.pk}/"
    refused = client.post(f"{address}agree/")
    assert (refused.status_code, refused.json()["code"]) == (422, "plan_incomplete")
    assert refused.json()["errors"][0]["pointer"] == "#/planned_on"
    refused = client.patch(address, {"solutions": []}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "plan_incomplete")
    refused = client.patch(address, {"owner": "nobody@example.org"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_person")
    client.patch(address, {"planned_on": "2020-01-06"}, format="json")
    refused = client.post(f"{address}agree/")
    assert (refused.status_code, refused.json()["code"]) == (422, "date_not_possible")


def test_a_plan_is_changed_by_who_manages_all_of_its_units(api, chain, manager, outsider, staff, draft):
    address = f"{PLANS}{draft.pk}/"
    assert api(outsider).patch(address, {"place": "x"}, format="json").status_code == 404
    assert api(outsider).post(f"{address}agree/").status_code == 404
    assert api(staff).patch(address, {"place": "x"}, format="json").status_code == 403
    ActionFactory(unit=chain.reims, challenge=draft.challenge, plan=draft, state="draft", effective_on=None)
    assert api(manager).get(address).status_code == 200
    assert api(manager).patch(address, {"place": "x"}, format="json").status_code == 404


def test_an_order_is_drawn_kept_and_drawn_again_with_a_reason(api, lead, rollout):
    client, address = api(lead), f"{PLANS}{rollout.pk}/draw/"
    assert client.get(address).status_code == 404
    design = {"steps": 3, "gap_weeks": 2, "first_on": SOON}
    drawn = client.post(address, design, format="json", headers={"Idempotency-Key": "d"})
    assert drawn.status_code == 201, drawn.json()
    assert client.post(address, design, format="json", headers={"Idempotency-Key": "d"}).json() == drawn.json()
    assert client.get(address).json() == drawn.json()
    assert drawn.json()["drawn_by"] == lead.email
    assert drawn.json()["seed"] == Draw.objects.get().seed
    assert sorted(unit["step"] for unit in drawn.json()["units"]) == [0, 0, 1, 1, 2, 2]
    one_day = client.patch(f"{PLANS}{rollout.pk}/", {"planned_on": SOON}, format="json")
    assert (one_day.status_code, one_day.json()["code"]) == (400, "not_now")
    chosen = client.post(address, {**design, "seed": 7}, format="json")
    assert (chosen.status_code, chosen.json()["errors"][0]["code"]) == (400, "unknown_field")
    refused = client.post(address, design, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_missing")
    again = client.post(address, {**design, "reason": "A branch joined"}, format="json")
    assert (again.status_code, again.json()["reason"]) == (201, "A branch joined")
    assert Draw.objects.count() == 2


def test_too_few_units_are_not_drawn(api, manager, draft):
    design = {"steps": 2, "gap_weeks": 2, "first_on": SOON}
    refused = api(manager).post(f"{PLANS}{draft.pk}/draw/", design, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "draw_not_possible")


def test_a_proof_is_uploaded_once_and_judged_by_its_content(api, manager, applied):
    client = api(manager)
    for _ in range(2):
        made = client.post(
            PROOFS,
            {"action": applied.external_id, "note": "At the door", "file": SimpleUploadedFile("p.pdf", PDF)},
            format="multipart",
            headers={"Idempotency-Key": "p"},
        )
        assert made.status_code == 201, made.json()
    assert (made.json()["kind"], made.json()["content_type"]) == ("document", "application/pdf")
    assert client.get(made["Location"]).json()["note"] == "At the door"
    assert applied.proofs.count() == 1
    other = {"action": applied.external_id, "file": SimpleUploadedFile("p.pdf", b"<script>alert(1)</script>")}
    refused = client.post(PROOFS, other, format="multipart")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/file")


def test_a_proof_needs_an_action_of_ones_own_that_is_applied(api, manager, outsider, planned):
    def send(person):
        body = {"action": planned.external_id, "file": SimpleUploadedFile("p.pdf", PDF)}
        return api(person).post(PROOFS, body, format="multipart")

    assert send(outsider).json()["code"] == "unknown_action"
    assert (send(manager).status_code, send(manager).json()["code"]) == (409, "step_not_possible")


def test_what_is_asked_before_a_start_is_answered_and_kept(api, manager, draft):
    asked, other = ReadyItemFactory(label="Does everybody know?"), ReadyItemFactory(label="Is there a budget?")
    client, address = api(manager), f"{PLANS}{draft.pk}/"
    early = client.patch(address, {"ready": [asked.pk]}, format="json")
    assert (early.status_code, early.json()["code"]) == (422, "plan_incomplete"), early.json()
    body = {"occasion": "Every day", "planned_on": SOON, "ready": [asked.pk], "talk": {"need": 5, "fit": 2}}
    told = client.patch(address, body, format="json")
    assert told.status_code == 200, told.json()
    assert (told.json()["ready"], told.json()["talk"]) == ([asked.pk], {"fit": 2, "need": 5})
    assert told.json()["stage"] == "agree"
    assert client.patch(address, {"talk": {"need": 4}}, format="json").json()["ready"] == [asked.pk]
    again = client.patch(address, {"ready": [other.pk]}, format="json").json()
    assert (again["ready"], again["talk"]) == ([other.pk], {"need": 4})
    assert client.patch(address, {"ready": [], "talk": {}}, format="json").json()["talk"] == {}
    assert client.post(f"{address}agree/").json()["stage"] == "agreed"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ready": [999_999]}, "#/ready/0"),
        ({"talk": {"luck": 3}}, "#/talk"),
        ({"talk": {"need": 6}}, "#/talk/need"),
        ({"talk": {"need": 0}}, "#/talk/need"),
    ],
)
def test_answers_to_questions_nobody_asked_are_refused(api, manager, draft, body, pointer):
    refused = api(manager).patch(f"{PLANS}{draft.pk}/", body, format="json")
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


def test_a_question_that_was_retired_is_not_answered(api, manager, draft):
    retired = ReadyItemFactory(retired_at=timezone.now())
    assert api(manager).patch(f"{PLANS}{draft.pk}/", {"ready": [retired.pk]}, format="json").status_code == 400


def test_a_plan_that_tries_out_an_idea_says_so(api, manager, challenge, training):
    idea = IdeaFactory(challenge=challenge, solution=training, state="pilot")
    hidden = IdeaFactory(let_in_at=None)
    body = {"challenge": "waiting", "units": ["LILLE"], "solutions": ["training"], "idea": idea.pk}
    made = api(manager).post(PLANS, body, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["idea"] == idea.pk
    refused = api(manager).post(PLANS, {**body, "idea": hidden.pk}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "#/idea")
