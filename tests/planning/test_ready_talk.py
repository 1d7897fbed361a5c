"""Six scales to talk a plan over: optional, kept with the plan, shown as a profile, never in the way."""

import pytest

from apps.accounts.models import AuditEvent, User
from apps.library.models import Solution
from apps.planning.drafts import choose_solutions, make_concrete, start_plan
from apps.planning.focuses import FocusLimit
from apps.planning.models import Plan
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.planning.conftest import TODAY
from tests.planning.helpers import SignIn, text_of
from tests.planning_factories import ReadyScoreFactory


@pytest.fixture
def draft(chain: Chain, challenge: Challenge, training: Solution, manager: User) -> Plan:
    limit = FocusLimit(at_most=2, as_of=TODAY)
    plan = start_plan(challenge=challenge, units=[chain.lille], owner=manager, focus=limit, actor=manager)
    choose_solutions(plan=plan, solutions=[training], actor=manager)
    details = {
        "occasion": "", "place": "", "intention": "", "planned_on": None, "owner": manager,
        "intended_effect": None, "rhythm_weeks": None, "tasks": [],
    }  # fmt: skip
    return make_concrete(plan=plan, details=details, actor=manager)  # type: ignore[arg-type]


def test_what_was_said_is_kept_and_shown(signed_in: SignIn, draft: Plan, manager: User) -> None:
    client, address = signed_in(manager), f"/plans/{draft.pk}/ready/"
    seen_at = client.get(address).context["form"]["seen_at"].value()
    said = {"seen_at": seen_at, "score_need": "5", "score_capacity": "1", "score_fit": ""}
    assert client.post(address, said).url == f"/plans/{draft.pk}/agree/"
    assert dict(draft.ready_scores.values_list("aspect", "score")) == {"need": 5, "capacity": 1}
    text = text_of(client.get(f"/plans/{draft.pk}/agree/"))
    assert "Need 5 of 5" in text
    assert "Capacity 1 of 5" in text
    assert "Resources" not in text
    action = draft.actions.get()
    assert "Capacity 1 of 5" in text_of(client.get(f"/actions/{action.external_id}/"))
    told = AuditEvent.objects.get(event="planning.plan.readiness_checked")
    assert told.data["scores"] == {"need": 5, "capacity": 1}


def test_nobody_has_to_talk(signed_in: SignIn, draft: Plan, manager: User) -> None:
    client = signed_in(manager)
    assert client.post(f"/plans/{draft.pk}/ready/", {}).status_code == 302
    assert not draft.ready_scores.exists()


def test_what_was_said_can_be_left_open_again(signed_in: SignIn, draft: Plan, manager: User) -> None:
    ReadyScoreFactory(plan=draft)
    client = signed_in(manager)
    assert 'value="4" id="id_score_need_4" checked' in client.get(f"/plans/{draft.pk}/ready/").content.decode()
    client.post(f"/plans/{draft.pk}/ready/", {"score_need": ""})
    assert not draft.ready_scores.exists()


@pytest.mark.parametrize("score", ["0", "6", "five"])
def test_a_scale_has_five_steps(signed_in: SignIn, draft: Plan, manager: User, score: str) -> None:
    assert signed_in(manager).post(f"/plans/{draft.pk}/ready/", {"score_need": score}).status_code == 422
