"""Actions over the API: logged, planned, applied, stopped and corrected, safely for two callers at once."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.planning.models import Action, Plan
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    ChallengeFactory,
    PlanFactory,
    SolutionVersionFactory,
    UnitFactory,
)
from tests.ideas_factories import IdeaFactory

pytestmark = pytest.mark.django_db
ACTIONS = "/api/v1/actions/"
TODAY = timezone.now().date()
RECENT, LATER, LONG_AGO = (str(TODAY - timedelta(days=days)) for days in (60, 30, 91))


@pytest.fixture
def greeting():
    return SolutionVersionFactory(solution__code="greeting", solution__title="Greet at the door").solution


@pytest.fixture
def queue():
    return ChallengeFactory(code="queue", name="Long queue")


@pytest.fixture
def body(chain, greeting, queue):
    return {
        "external_id": "LILLE-1",
        "unit": "lille",
        "challenge": "QUEUE",
        "solutions": ["greeting"],
        "effective_on": RECENT,
        "fidelity": 80,
        "note": "Two greeters a shift.",
    }


@pytest.fixture
def planned(chain, greeting, queue):
    plan = PlanFactory(challenge=queue)
    plan.solutions.add(greeting)
    return ActionFactory(
        external_id="P-1", unit=chain.lille, challenge=queue, plan=plan, state="planned", effective_on=None
    )


@pytest.fixture
def applied(chain, queue):
    action = ActionFactory(external_id="A-1", unit=chain.lille, challenge=queue)
    ActionSolutionFactory(action=action, fidelity=70, dose="3 people")
    return action


def test_logging_an_action_answers_it_with_its_address_and_tag(api, manager, body):
    answer = api(manager).post(ACTIONS, body, format="json")
    assert answer.status_code == 201, answer.json()
    assert answer["Location"].endswith("/api/v1/actions/LILLE-1/")
    shown = api(manager).get(answer["Location"])
    assert shown.json() == answer.json()
    assert shown["ETag"] == answer["ETag"]
    row = answer.json()
    assert row["state"] == "applied"
    assert row["unit"] == "LILLE"
    assert row["solutions"] == ["greeting"]
    assert row["fidelity"] == 80
    assert row["applied"] == [{"solution": "greeting", "version": 1, "dose": "", "fidelity": 80, "adaptation": ""}]
    assert AuditEvent.objects.get(event="planning.action.logged").actor == manager


def test_an_action_without_an_id_gets_one(api, manager, body):
    del body["external_id"]
    assert api(manager).post(ACTIONS, body, format="json").json()["external_id"]


def test_a_date_in_the_future_only_plans(api, manager, body):
    plan = {name: body[name] for name in ("unit", "challenge", "solutions")}
    answer = api(manager).post(
        ACTIONS,
        {**plan, "planned_on": "2030-01-07", "intention": "On Mondays", "owner": manager.email},
        format="json",
    )
    assert answer.status_code == 201, answer.json()
    row = answer.json()
    assert (row["state"], row["effective_on"], row["planned_on"]) == ("planned", None, "2030-01-07")
    assert row["owner"] == manager.email
    assert row["solutions"] == ["greeting"]
    assert row["applied"] == []
    assert Plan.objects.get(pk=row["plan"]).intention == "On Mondays"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"unit": "NICE"}, "#/unit", "unknown_code"),
        ({"unit": "nowhere"}, "#/unit", "unknown_code"),
        ({"unit": None}, "#/unit", "null"),
        ({"challenge": "nothing"}, "#/challenge", "unknown_code"),
        ({"solutions": ["greeting", "magic"]}, "#/solutions/1", "unknown_code"),
        ({"solutions": []}, "#/solutions", "empty"),
        ({"solutions": "greeting"}, "#/solutions", "not_a_list"),
        ({"effective_on": "last week"}, "#/effective_on", "invalid"),
        ({"fidelity": 101}, "#/fidelity", "max_value"),
        ({"owner": "stranger@example.org"}, "#/owner", "unknown_person"),
        ({"external_id": "not a code!"}, "#/external_id", "invalid"),
        ({"external_id": "nul\0"}, "#/external_id", None),
        ({"note": "nul\0"}, "#/note", "null_characters_not_allowed"),
        ({"colour": "blue"}, "#/colour", "unknown_field"),
        ({"intention": "on Mondays"}, "#/intention", "not_now"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(api, manager, body, change, pointer, code):
    answer = api(manager).post(ACTIONS, {**body, **change}, format="json")
    assert answer.status_code == 400
    problem = answer.json()
    assert {error["pointer"] for error in problem["errors"]} == {pointer}
    assert code is None or problem["errors"][0]["code"] == code
    assert not Action.objects.exists()


def test_either_date_is_needed(api, manager, body):
    del body["effective_on"]
    problem = api(manager).post(ACTIONS, body, format="json").json()
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("#/effective_on", "required")]


def test_rules_of_the_domain_have_their_own_code_and_status(api, manager, body):
    client = api(manager)
    assert client.post(ACTIONS, body, format="json").status_code == 201
    again = client.post(ACTIONS, body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "external_id_taken")
    assert again.json()["errors"][0]["pointer"] == "#/external_id"
    late = client.post(ACTIONS, {**body, "external_id": "X", "effective_on": "2100-01-01"}, format="json")
    assert (late.status_code, late.json()["code"]) == (422, "date_not_possible")


def test_what_is_long_ago_is_questioned_unless_a_lead_writes_it_down(api, manager, lead, body, planned):
    old = {**body, "effective_on": LONG_AGO}
    answer = api(manager).post(ACTIONS, old, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "too_long_ago")
    answer = api(manager).patch(f"{ACTIONS}P-1/", {"effective_on": LONG_AGO}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "too_long_ago")
    assert api(lead).post(ACTIONS, old, format="json").status_code == 201


def test_a_manager_writes_down_what_is_long_ago_by_confirming_it(api, manager, body):
    old = {**body, "effective_on": LONG_AGO, "confirmed": True}
    assert api(manager).post(ACTIONS, old, format="json").status_code == 201


def test_staff_may_read_and_not_write(api, staff, body, applied):
    assert api(staff).get(f"{ACTIONS}A-1/").status_code == 200
    assert api(staff).post(ACTIONS, body, format="json").status_code == 403
    assert api(staff).patch(f"{ACTIONS}A-1/", {"note": "x"}, format="json").status_code == 403


def test_another_regions_manager_finds_nothing_to_change(api, outsider, body, applied):
    assert api(outsider).patch(f"{ACTIONS}A-1/", {"note": "x", "reason": "y"}, format="json").status_code == 404
    answer = api(outsider).post(ACTIONS, body, format="json")
    assert answer.json()["errors"][0]["code"] == "unknown_code"


def test_a_plan_is_changed_then_applied_then_stopped(api, manager, planned):
    client, address = api(manager), f"{ACTIONS}p-1/"
    answer = client.patch(address, {"planned_on": "2024-02-05", "intention": "Early shift"}, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["planned_on"] == "2024-02-05"
    answer = client.patch(address, {"effective_on": RECENT, "fidelity": 60}, format="json")
    assert answer.status_code == 200, answer.json()
    row = answer.json()
    assert (row["state"], row["fidelity"], row["solutions"]) == ("applied", 60, ["greeting"])
    assert row["target_metric"] == planned.challenge.metric.code
    answer = client.patch(address, {"ended_on": LATER}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "reason_missing")
    answer = client.patch(address, {"ended_on": LATER, "reason": "Nobody left to greet"}, format="json")
    assert answer.json()["state"] == "stopped"
    assert answer.json()["stop_reason"] == "Nobody left to greet"


def test_a_correction_keeps_what_is_not_given(api, manager, applied):
    client, address = api(manager), f"{ACTIONS}A-1/"
    answer = client.patch(address, {"fidelity": 40, "reason": "Counted again"}, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["applied"][0]["fidelity"] == 40
    assert answer.json()["applied"][0]["dose"] == "3 people"
    answer = client.patch(address, {"effective_on": RECENT, "reason": "Much later"}, format="json")
    assert answer.json()["effective_on"] == RECENT
    assert answer.json()["fidelity"] == 40
    assert AuditEvent.objects.filter(event="planning.action.corrected").count() == 2


def test_a_change_that_fails_half_way_leaves_nothing(api, manager, applied):
    answer = api(manager).patch(
        f"{ACTIONS}A-1/",
        {"ended_on": RECENT, "effective_on": LATER, "reason": "Mixed up"},
        format="json",
    )
    assert answer.status_code == 422
    applied.refresh_from_db()
    assert applied.state == "applied"
    assert applied.ended_on is None


@pytest.mark.parametrize("field", ["planned_on", "intention", "unit", "state"])
def test_what_is_frozen_cannot_be_set(api, manager, applied, field):
    answer = api(manager).patch(f"{ACTIONS}A-1/", {field: "2024-01-01", "reason": "x"}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


def test_an_edit_of_what_somebody_else_changed_is_refused(api, manager, lead, applied):
    address = f"{ACTIONS}A-1/"
    seen = api(manager).get(address)["ETag"]
    faster = api(lead).patch(address, {"note": "Mine", "reason": "x"}, format="json", headers={"If-Match": seen})
    assert faster.status_code == 200
    assert faster["ETag"] != seen
    slower = api(manager).patch(
        address, {"note": "No, mine", "reason": "x"}, format="json", headers={"If-Match": seen}
    )
    assert (slower.status_code, slower.json()["code"]) == (412, "precondition_failed")
    applied.refresh_from_db()
    assert applied.note == "Mine"
    again = api(manager).patch(
        address, {"note": "Ours", "reason": "x"}, format="json", headers={"If-Match": faster["ETag"]}
    )
    assert again.status_code == 200
    assert api(manager).patch(address, {"note": "Any", "reason": "x"}, format="json").status_code == 200


def test_what_the_caller_has_is_not_sent_again(api, manager, applied):
    address = f"{ACTIONS}A-1/"
    client = api(manager)
    seen = client.get(address)["ETag"]
    answer = client.get(address, headers={"If-None-Match": seen})
    assert (answer.status_code, answer.content) == (304, b"")
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_planned_and_applied_actions_are_found_by_their_solutions(api, manager, planned, applied, chain):
    client = api(manager)
    code = applied.solutions.get().version.solution.code
    found = client.get(ACTIONS, {"solutions": f"greeting,{code}"}).json()["results"]
    assert [row["external_id"] for row in found] == ["A-1", "P-1"]
    found = client.get(ACTIONS, {"solutions": "Greeting"}).json()["results"]
    assert [row["external_id"] for row in found] == ["P-1"]


def test_dates_bound_the_list(api, manager, applied):
    client = api(manager)
    assert applied.effective_on == date(2024, 3, 4)
    for query, count in (
        ("effective_from=2024-03-04", 1),
        ("effective_from=2024-03-05", 0),
        ("effective_before=2024-03-04", 0),
        ("effective_before=2024-03-05", 1),
        ("state=applied&state=stopped", 1),
        ("state=stopped", 0),
    ):
        assert len(client.get(f"{ACTIONS}?{query}").json()["results"]) == count, query


def test_an_action_that_tries_out_an_idea_says_so(api, manager, body, greeting, queue):
    idea = IdeaFactory(challenge=queue, solution=greeting, state="pilot")
    logged = api(manager).post(ACTIONS, {**body, "idea": idea.pk}, format="json")
    assert (logged.status_code, logged.json()["idea"]) == (201, idea.pk)
    assert Action.objects.get(external_id="LILLE-1").idea == idea
    plan = {name: body[name] for name in ("unit", "challenge", "solutions")}
    planned = (
        api(manager).post(ACTIONS, {**plan, "planned_on": "2030-01-07", "idea": idea.pk}, format="json").json()
    )
    assert planned["idea"] == idea.pk
    ActionFactory(challenge=queue)
    assert len(api(manager).get(ACTIONS, {"idea": idea.pk}).json()["results"]) == 2


def test_an_idea_that_nobody_may_read_or_nothing_given_tries_out_is_refused(api, manager, body, greeting, queue):
    hidden = IdeaFactory(solution=greeting, let_in_at=None, unit=UnitFactory())
    other = IdeaFactory(challenge=queue)
    for pk, code in (
        (hidden.pk, "unknown_idea"),
        (10**30, "unknown_idea"),
        (-1, "unknown_idea"),
        (other.pk, "not_tried"),
    ):
        refused = api(manager).post(ACTIONS, {**body, "idea": pk}, format="json")
        assert refused.status_code == 400
        error = refused.json()["errors"][0]
        assert (error["pointer"], error["code"]) == ("#/idea", code)
    assert not Action.objects.exists()
