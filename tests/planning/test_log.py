"""What was done already is noted in one form; leads set the rules of planning."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEvent, User
from apps.library.models import Solution
from apps.planning.models import Action, PlanningRules, ReadyItem
from apps.taxonomy.models import Challenge
from tests.planning.helpers import SignIn, text_of
from tests.planning_factories import ReadyItemFactory

ADDRESS = "/plans/log/?challenge=waiting"


def entries(**fields: Any) -> dict[str, Any]:
    day = timezone.localdate() - timedelta(days=30)
    return {"units": ["LILLE"], "solutions": ["training"], "effective_on": day.isoformat()} | fields


def test_a_past_action_is_noted_and_frozen(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    client = signed_in(manager)
    assert client.get("/plans/log/").context["challenges"]
    response = client.post(ADDRESS, entries(note="With the whole team"))
    action = Action.objects.get()
    assert response.url == f"/actions/{action.external_id}/"
    assert (action.state, action.owner, action.target_metric) == ("applied", manager, challenge.metric)
    assert action.solutions.get().version.solution == training
    assert AuditEvent.objects.about(action).get().event == "planning.action.logged"


def test_one_with_an_end_is_stopped(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    signed_in(manager).post(ADDRESS, entries(ended_on=timezone.localdate().isoformat()))
    assert Action.objects.get().state == "stopped"


def test_several_units_are_noted_together_or_not_at_all(
    signed_in: SignIn, challenge: Challenge, training: Solution, lead: User
) -> None:
    client = signed_in(lead)
    client.post(ADDRESS, entries(units=["LILLE", "REIMS"]))
    assert Action.objects.count() == 2
    refused = client.post(ADDRESS, entries(units=["NICE"], ended_on="2020-01-01"))
    assert refused.status_code == 422
    assert Action.objects.count() == 2


def test_nobody_notes_for_a_unit_of_others(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    assert signed_in(manager).post(ADDRESS, entries(units=["NICE"])).status_code == 422
    assert not Action.objects.exists()


def test_a_date_far_back_is_asked_for_twice(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    client = signed_in(manager)
    asked = client.post(ADDRESS, entries(effective_on="2022-01-03"))
    assert "Yes, it has been in place since then" in text_of(asked)
    assert client.post(ADDRESS, entries(effective_on="2022-01-03", is_sure="on")).status_code == 302


# The rules


def rule_entries(page: Any, **fields: Any) -> dict[str, Any]:
    form = page.context["form"]
    names = ("seen_at", "focus_limit", "slip_days", "draft_days", "task_days")
    return {name: form[name].value() for name in names} | fields


def test_a_lead_sets_the_rules_once_for_all(signed_in: SignIn, lead: User) -> None:
    client = signed_in(lead)
    page = client.get("/plans/rules/")
    assert client.post("/plans/rules/", rule_entries(page, focus_limit=3)).status_code == 302
    assert PlanningRules.objects.get().focus_limit == 3
    told = client.post("/plans/rules/", rule_entries(page, focus_limit=5, seen_at="2020-01-01T00:00:00+00:00"))
    assert told.status_code == 422
    assert "Somebody changed this after you opened it." in text_of(told)
    assert PlanningRules.objects.get().focus_limit == 3


def test_questions_come_and_go(signed_in: SignIn, lead: User) -> None:
    client = signed_in(lead)
    client.post("/plans/rules/questions/", {"label": "Is the budget there?", "label_fr": "Le budget est-il là ?"})
    item = ReadyItem.objects.get()
    assert "Is the budget there?" in text_of(client.get("/plans/rules/"))
    client.post(f"/plans/rules/questions/{item.pk}/retire/")
    assert "Is the budget there?" not in text_of(client.get("/plans/rules/"))


@pytest.mark.parametrize("address", ["/plans/rules/", "/plans/rules/questions/"])
def test_managers_set_no_rules(signed_in: SignIn, manager: User, address: str) -> None:
    ReadyItemFactory()
    assert signed_in(manager).post(address, {"label": "x"}).status_code == 404
