"""A plan made step by step: saved at every step, resumed anywhere, frozen by nobody before it is agreed."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import AuditEvent, User
from apps.library.models import Playbook, PlaybookSolution, Solution
from apps.planning.drafts import agree_plan, choose_solutions, start_plan
from apps.planning.focuses import FocusLimit, TooManyFocuses
from apps.planning.holding import PlanChanged
from apps.planning.models import Action, Plan, PlanningRules
from apps.planning.plans import AlreadyPlanned, create_plan
from apps.planning.rules import DateNotPossible, PlanIncomplete
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import (
    ActionFactory,
    ActionSolutionFactory,
    ChallengeFactory,
    EventFactory,
    PlanFactory,
    UnitFactory,
)
from tests.planning.conftest import TODAY, linked
from tests.planning.helpers import SignIn, plan_arguments, text_of
from tests.planning_factories import ReadyItemFactory

Stage = Plan.Stage
State = Action.State
LIMIT = FocusLimit(at_most=2, as_of=TODAY)


@pytest.fixture
def draft(chain: Chain, challenge: Challenge, training: Solution, manager: User) -> Plan:
    return start_plan(challenge=challenge, units=[chain.lille], owner=manager, focus=LIMIT, actor=manager)


@pytest.fixture
def recipe(training: Solution) -> Solution:
    training.versions.update(procedure="Print the card\n- Show it to **everybody**", body="")
    return training


def entries_of(response: Any, **fields: Any) -> dict[str, Any]:
    form = response.context["form"]
    return {"seen_at": form["seen_at"].value()} | fields


def next_week() -> str:
    return (timezone.localdate() + timedelta(days=7)).isoformat()


def concrete_entries(page: Any, owner: User, **fields: Any) -> dict[str, Any]:
    return (
        entries_of(
            page,
            owner=owner.pk,
            occasion="Every morning",
            place="At the counter",
            intention="The early shift does it",
            planned_on=next_week(),
            lines=["Print the card"],
            more="Tell the night shift\n\n",
        )
        | fields
    )


# The whole way


def test_five_steps_lead_to_a_planned_action(
    signed_in: SignIn, challenge: Challenge, recipe: Solution, manager: User
) -> None:
    client = signed_in(manager)
    question = ReadyItemFactory(label="Does everybody on shift know?")
    chosen = client.post("/plans/guide/", {"units": ["LILLE"], "challenge": "waiting"})
    plan = Plan.objects.get()
    assert chosen.url == f"/plans/{plan.pk}/choose/"
    page = client.get(chosen.url)
    concrete = client.post(chosen.url, entries_of(page, solutions=["training"]))
    assert concrete.url == f"/plans/{plan.pk}/concrete/"
    page = client.get(concrete.url)
    assert [choice.choice_label for choice in page.context["form"]["lines"]] == [
        "Print the card",
        "Show it to everybody",
    ]
    ready = client.post(concrete.url, concrete_entries(page, manager))
    assert ready.url == f"/plans/{plan.pk}/ready/"
    page = client.get(ready.url)
    assert "Does everybody on shift know?" in text_of(page)
    agree = client.post(ready.url, entries_of(page, items=[question.pk]))
    page = client.get(agree.url)
    for words in ("Queue training", "Every morning", "At the counter", "Print the card", "Tell the night shift"):
        assert words in text_of(page)
    done = client.post(agree.url, entries_of(page))
    action = Action.objects.get()
    assert done.url == f"/actions/{action.external_id}/"
    plan.refresh_from_db()
    assert (plan.stage, action.state) == (Stage.AGREED, State.PLANNED)
    assert action.planned_on == date.fromisoformat(next_week())
    tasks = list(action.tasks.order_by("position").values_list("title", "assignee", "due_on"))
    assert tasks == [
        ("Print the card", manager.pk, action.planned_on),
        ("Tell the night shift", manager.pk, action.planned_on),
    ]
    assert list(plan.ready_ticks.values_list("item", flat=True)) == [question.pk]


def test_the_guide_takes_a_chosen_challenge_and_solution_along(
    signed_in: SignIn, challenge: Challenge, training: Solution, manager: User
) -> None:
    client = signed_in(manager)
    page = client.get("/plans/guide/?challenge=waiting&solution=training")
    assert page.context["form"]["challenge"].value() == "waiting"
    client.post("/plans/guide/?challenge=waiting&solution=training", {"units": ["LILLE"], "challenge": "waiting"})
    assert list(Plan.objects.get().solutions.all()) == [training]


def test_a_draft_is_taken_up_where_it_was_left(
    signed_in: SignIn, draft: Plan, training: Solution, manager: User
) -> None:
    choose_solutions(plan=draft, solutions=[training], actor=manager)
    client = signed_in(manager)
    assert client.get(f"/plans/{draft.pk}/").url == f"/plans/{draft.pk}/concrete/"
    action = draft.actions.get()
    assert f'href="/plans/{draft.pk}/"' in client.get(f"/actions/{action.external_id}/").content.decode()
    # A step that is not reached yet leads to the one at which the plan waits.
    assert client.get(f"/plans/{draft.pk}/agree/").url == f"/plans/{draft.pk}/concrete/"


def test_later_saves_and_leaves(signed_in: SignIn, draft: Plan, training: Solution, manager: User) -> None:
    client = signed_in(manager)
    page = client.get(f"/plans/{draft.pk}/choose/")
    left = client.post(f"/plans/{draft.pk}/choose/", entries_of(page, solutions=["training"], then="later"))
    assert left.url == "/plans/"
    draft.refresh_from_db()
    assert (draft.stage, list(draft.solutions.all())) == (Stage.CONCRETE, [training])


def test_going_back_does_not_lose_what_was_reached(
    signed_in: SignIn, draft: Plan, training: Solution, kiosk: Solution, manager: User
) -> None:
    Plan.objects.filter(pk=draft.pk).update(stage=Stage.AGREE)
    client = signed_in(manager)
    page = client.get(f"/plans/{draft.pk}/choose/")
    client.post(f"/plans/{draft.pk}/choose/", entries_of(page, solutions=["kiosk"]))
    draft.refresh_from_db()
    assert (draft.stage, list(draft.solutions.all())) == (Stage.AGREE, [kiosk])


def test_a_playbook_brings_its_solutions(
    signed_in: SignIn, draft: Plan, training: Solution, kiosk: Solution, manager: User
) -> None:
    playbook = Playbook.objects.create(code="both", title="Train and automate")
    for position, solution in enumerate([training, kiosk]):
        PlaybookSolution.objects.create(playbook=playbook, solution=solution, position=position)
    client = signed_in(manager)
    page = client.get(f"/plans/{draft.pk}/choose/")
    assert "Train and automate" in text_of(page)
    client.post(f"/plans/{draft.pk}/choose/", entries_of(page, playbook="both"))
    draft.refresh_from_db()
    assert draft.playbook == playbook
    assert set(draft.solutions.all()) == {training, kiosk}


def test_nothing_chosen_comes_back(signed_in: SignIn, draft: Plan, manager: User) -> None:
    client = signed_in(manager)
    page = client.get(f"/plans/{draft.pk}/choose/")
    refused = client.post(f"/plans/{draft.pk}/choose/", entries_of(page))
    assert refused.status_code == 422
    assert "Choose at least one solution." in text_of(refused)


def test_an_agreed_plan_is_no_draft_any_more(signed_in: SignIn, plan: Plan, manager: User) -> None:
    assert signed_in(manager).get(f"/plans/{plan.pk}/").status_code == 404


def test_a_draft_with_a_unit_of_somebody_else_does_not_exist(
    signed_in: SignIn, draft: Plan, chain: Chain, challenge: Challenge, manager: User, outsider: User
) -> None:
    assert signed_in(outsider).get(f"/plans/{draft.pk}/choose/").status_code == 404
    ActionFactory(plan=draft, unit=chain.nice, challenge=challenge, state=State.DRAFT, effective_on=None)
    assert signed_in(manager).get(f"/plans/{draft.pk}/choose/").status_code == 404


def test_a_draft_can_be_thrown_away(signed_in: SignIn, draft: Plan, manager: User) -> None:
    signed_in(manager).post(f"/plans/{draft.pk}/discard/")
    assert not Plan.objects.exists()
    assert AuditEvent.objects.filter(event="planning.plan.withdrawn").exists()


# Agreeing


def test_only_a_missing_start_holds_a_plan_up(
    signed_in: SignIn, draft: Plan, training: Solution, manager: User
) -> None:
    choose_solutions(plan=draft, solutions=[training], actor=manager)
    with pytest.raises(PlanIncomplete, match="Choose a day"):
        agree_plan(plan=draft, as_of=TODAY, actor=manager)
    draft.actions.update(planned_on=TODAY - timedelta(days=1))
    with pytest.raises(DateNotPossible, match="The planned start is over"):
        agree_plan(plan=draft, as_of=TODAY, actor=manager)
    draft.actions.update(planned_on=TODAY)
    agree_plan(plan=draft, as_of=TODAY, actor=manager)
    assert draft.actions.get().state == State.PLANNED


def test_what_is_planned_already_is_not_agreed_again(
    plan: Plan, challenge: Challenge, chain: Chain, training: Solution, manager: User
) -> None:
    draft = start_plan(
        challenge=challenge, units=[chain.lille], solutions=[training], owner=manager, focus=LIMIT, actor=manager
    )
    draft.actions.update(planned_on=TODAY)
    with pytest.raises(AlreadyPlanned):
        agree_plan(plan=draft, as_of=TODAY, actor=manager)


def test_the_checklist_warns_of_overlaps_and_events(
    signed_in: SignIn, draft: Plan, applied: Action, chain: Chain, training: Solution, manager: User
) -> None:
    EventFactory(unit=chain.lille, name="Roadworks", starts_on=TODAY)
    draft.actions.update(planned_on=TODAY)
    Plan.objects.filter(pk=draft.pk).update(stage=Stage.READY)
    page = signed_in(manager).get(f"/plans/{draft.pk}/ready/")
    checks = {check.label: check for check in page.context["checked"].checks}
    assert checks["It has a start"].state == "warn"  # the day is over
    assert checks["Nothing else aims at the same measure around then"].state == "warn"
    assert "Queue training" in checks["Nothing else aims at the same measure around then"].note
    assert "Roadworks" in checks["No event in these weeks"].note


# Two people, one draft


def test_the_second_of_two_is_told_and_loses_nothing(
    signed_in: SignIn, draft: Plan, training: Solution, kiosk: Solution, manager: User, lead: User
) -> None:
    client = signed_in(manager)
    address = f"/plans/{draft.pk}/choose/"
    stale = entries_of(client.get(address), solutions=["kiosk"])
    choose_solutions(plan=draft, solutions=[training], actor=lead)
    told = client.post(address, stale)
    assert told.status_code == 422
    assert "Somebody changed this plan after you opened it." in text_of(told)
    assert told.context["form"]["solutions"].value() == ["kiosk"]
    again = client.post(address, {**stale, "seen_at": told.context["form"]["seen_at"].value()})
    assert again.status_code == 302
    assert list(draft.solutions.all()) == [kiosk]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_agree_at_once_one_is_told(draft: Plan, training: Solution, manager: User, lead: User) -> None:
    choose_solutions(plan=draft, solutions=[training], actor=manager)
    draft.actions.update(planned_on=TODAY)
    seen_at = Plan.objects.get().updated_at

    def agree(person: User) -> str:
        try:
            agree_plan(plan=draft, as_of=TODAY, actor=person, seen_at=seen_at)
        except Exception as error:  # noqa: BLE001 -- what it is, is what the test asks
            return type(error).__name__
        finally:
            connection.close()
        return "agreed"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(agree, [manager, lead]))
    assert outcomes == ["StepNotPossible", "agreed"]
    assert AuditEvent.objects.filter(event="planning.action.planned").count() == 1


def test_a_stale_step_is_refused(draft: Plan, training: Solution, manager: User) -> None:
    seen_at = draft.updated_at
    choose_solutions(plan=draft, solutions=[training], actor=manager, seen_at=seen_at)
    with pytest.raises(PlanChanged):
        choose_solutions(plan=draft, solutions=[training], actor=manager, seen_at=seen_at)


# Two problems at a time


@pytest.fixture
def busy(chain: Chain, manager: User) -> list[Challenge]:
    """Lille plans one thing and waits for the result of another."""
    found = [ChallengeFactory(code=code, name=code.title()) for code in ("fees", "keys")]
    ActionFactory(unit=chain.lille, challenge=found[0], state=State.PLANNED, effective_on=None, planned_on=TODAY)
    ActionFactory(unit=chain.lille, challenge=found[1], effective_on=TODAY - timedelta(weeks=14))
    return found


def test_a_third_problem_needs_a_reason_which_is_kept(
    chain: Chain, challenge: Challenge, busy: list[Challenge], manager: User
) -> None:
    arguments: dict[str, Any] = {
        "challenge": challenge,
        "units": [chain.lille],
        "owner": manager,
        "focus": LIMIT,
        "actor": manager,
    }
    with pytest.raises(TooManyFocuses, match="Lille works on 2 problems already: Fees, Keys"):
        start_plan(**arguments)
    plan = start_plan(**arguments, focus_reason="The regional campaign starts")
    assert plan.focus_reason == "The regional campaign starts"
    started = AuditEvent.objects.about(plan).get(event="planning.plan.started")
    assert started.data["focus_reason"] == "The regional campaign starts"


def test_a_known_result_frees_the_place(chain: Chain, challenge: Challenge, busy: list[Challenge]) -> None:
    Action.objects.filter(challenge=busy[1]).update(effective_on=TODAY - timedelta(weeks=15))
    start_plan(challenge=challenge, units=[chain.lille], owner=None, focus=LIMIT, actor=None)


def test_one_more_plan_for_the_same_problem_is_no_new_focus(chain: Chain, busy: list[Challenge]) -> None:
    start_plan(challenge=busy[0], units=[chain.lille], owner=None, focus=LIMIT, actor=None)


def test_leads_set_the_limit(
    signed_in: SignIn, challenge: Challenge, busy: list[Challenge], manager: User
) -> None:
    PlanningRules.objects.create(focus_limit=3)
    client = signed_in(manager)
    Action.objects.filter(state=State.APPLIED).update(effective_on=timezone.localdate())
    assert client.post("/plans/guide/", {"units": ["LILLE"], "challenge": "waiting"}).status_code == 302


def test_the_quick_way_asks_for_the_reason_too(
    signed_in: SignIn,
    chain: Chain,
    challenge: Challenge,
    training: Solution,
    busy: list[Challenge],
    manager: User,
) -> None:
    Action.objects.filter(state=State.APPLIED).update(effective_on=timezone.localdate())
    client = signed_in(manager)
    entries = {
        "units": ["LILLE"],
        "solutions": ["training"],
        "planned_on": next_week(),
        "owner": manager.pk,
        "then": "plan",
    }
    # Where there is no choice of units, it is asked before anything is sent.
    first_seen = text_of(client.get("/plans/new/?challenge=waiting"))
    assert "Why one more now?" in first_seen
    assert "works on 2 problems already" in first_seen
    asked = client.post("/plans/new/?challenge=waiting", entries)
    assert asked.status_code == 422
    assert "Why one more now?" in text_of(asked)
    entries["focus_reason"] = "It can't wait"
    assert client.post("/plans/new/?challenge=waiting", entries).status_code == 302
    assert Plan.objects.get().focus_reason == "It can't wait"
    # The problem it is busy with is none more.
    assert "Why one more now?" not in text_of(client.get("/plans/new/?challenge=waiting"))
    # What is in place already is noted, not taken on.
    other = ChallengeFactory(code="noise")
    linked(other, code="carpet", title="Carpet")
    noted = client.post(
        "/plans/new/?challenge=noise", {**entries, "solutions": ["carpet"], "focus_reason": "", "then": "apply"}
    )
    assert noted.status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_plans_at_once_do_not_pass_the_limit_together(chain: Chain, manager: User) -> None:
    challenges = [ChallengeFactory(code=f"c{number}") for number in range(4)]

    def start(challenge: Challenge) -> bool:
        try:
            start_plan(challenge=challenge, units=[chain.lille], owner=manager, focus=LIMIT, actor=manager)
        except TooManyFocuses:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, challenges)) == [False, False, True, True]


def test_a_plan_without_a_limit_is_not_counted(
    chain: Chain, challenge: Challenge, training: Solution, busy: list[Challenge], manager: User
) -> None:
    create_plan(**plan_arguments(chain, challenge, training, manager))


# Many units


def test_units_are_searched_and_those_ticked_stay(signed_in: SignIn, chain: Chain, lead: User) -> None:
    for number in range(60):
        UnitFactory(code=f"U{number:02}", name=f"Unit {number:02}", parent=chain.north)
    client = signed_in(lead)
    first = client.get("/plans/units/").context["units"]
    assert (len(first.rows), first.has_more) == (50, True)
    found = client.get("/plans/units/?unit_q=arl&units=U59").context["units"]
    assert [(row.unit.code, row.is_chosen) for row in found.rows] == [("U59", True), ("ARLES", False)]


def test_nobody_finds_units_of_others(signed_in: SignIn, manager: User) -> None:
    found = signed_in(manager).get("/plans/units/?unit_q=nice&units=NICE").context["units"]
    assert found.rows == ()


@pytest.mark.parametrize("step", ["choose", "concrete", "ready", "agree"])
def test_a_step_costs_the_same_queries_however_much_there_is(
    signed_in: SignIn, draft: Plan, recipe: Solution, chain: Chain, challenge: Challenge, manager: User, step: str
) -> None:
    choose_solutions(plan=draft, solutions=[recipe], actor=manager)
    Plan.objects.filter(pk=draft.pk).update(stage=Stage.AGREE)
    draft.actions.update(planned_on=timezone.localdate())
    client = signed_in(manager)
    address = f"/plans/{draft.pk}/{step}/"
    use_once = ActionFactory(unit=chain.lille, challenge=challenge, effective_on=timezone.localdate())
    ActionSolutionFactory(action=use_once)
    ReadyItemFactory()
    before = queries_of(client, address)
    for number in range(8):
        linked(challenge, code=f"s{number}", title=f"Solution {number}")
        EventFactory(unit=chain.lille, starts_on=timezone.localdate())
        PlanFactory(challenge=challenge)
        ReadyItemFactory()
        more = ActionFactory(unit=chain.lille, challenge=challenge, effective_on=timezone.localdate())
        ActionSolutionFactory(action=more)
    assert queries_of(client, address) == before


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_every_step_leaves_its_trace(signed_in: SignIn, draft: Plan, recipe: Solution, manager: User) -> None:
    client = signed_in(manager)
    for step, fields in (("choose", {"solutions": ["training"]}), ("ready", {})):
        Plan.objects.filter(pk=draft.pk).update(stage=Stage.AGREE)
        page = client.get(f"/plans/{draft.pk}/{step}/")
        client.post(f"/plans/{draft.pk}/{step}/", entries_of(page, **fields))
    page = client.get(f"/plans/{draft.pk}/concrete/")
    client.post(f"/plans/{draft.pk}/concrete/", concrete_entries(page, manager))
    events = list(AuditEvent.objects.about(draft).order_by("pk").values_list("event", flat=True))
    assert [re.sub("planning.plan.", "", event) for event in events] == [
        "started",
        "solutions_chosen",
        "readiness_checked",
        "made_concrete",
    ]
