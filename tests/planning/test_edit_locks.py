"""Two people with the same page open: the second is told, and nothing of either is lost."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.regrouping import merge_units
from apps.library.models import Solution
from apps.planning.drafts import choose_solutions, start_plan
from apps.planning.focuses import FocusLimit
from apps.planning.models import Action, Event, Plan
from apps.planning.plans import create_plan
from apps.planning.rollouts import move_start
from apps.planning.tasklist import add_task, change_task, finish_task
from apps.taxonomy.models import Challenge
from tests.conftest import Chain
from tests.factories import EventFactory, UnitFactory
from tests.planning.conftest import TODAY
from tests.planning.helpers import SignIn, text_of

TOLD = "Somebody changed this"


def hidden_seen_at(page: Any, address: str) -> str:
    """What the lone button's form at `address` carries along."""
    html = page.content.decode()
    form = html[html.index(f'action="{address}"') :]
    return form.split('name="seen_at" value="', 1)[1].split('"', 1)[0].replace("&#x2B;", "+")


def test_an_event_that_somebody_else_changed_comes_back_with_both_kept(
    signed_in: SignIn, chain: Chain, manager: User
) -> None:
    event = EventFactory(unit=chain.lille, name="Works", kind="works", starts_on=date(2024, 5, 6))
    client, address = signed_in(manager), f"/events/{event.pk}/"
    form = client.get(address).context["form"]
    mine = {"seen_at": form["seen_at"].value(), "kind": "works", "unit": "LILLE", "starts_on": "2024-05-06"}
    assert client.post(address, {**mine, "name": "Works in the hall"}).status_code == 302
    late = client.post(address, {**mine, "name": "Works outside"})
    assert late.status_code == 422
    assert TOLD in text_of(late)
    assert 'value="Works outside"' in late.content.decode()
    event.refresh_from_db()
    assert event.name == "Works in the hall"
    again = {**mine, "name": "Works outside", "seen_at": late.context["form"]["seen_at"].value()}
    assert client.post(address, again).status_code == 302
    event.refresh_from_db()
    assert event.name == "Works outside"


def test_an_event_that_somebody_changed_is_not_removed_unseen(
    signed_in: SignIn, chain: Chain, manager: User
) -> None:
    event = EventFactory(unit=chain.lille)
    client = signed_in(manager)
    seen_at = hidden_seen_at(client.get(f"/events/{event.pk}/"), f"/events/{event.pk}/remove/")
    event.save(update_fields=["updated_at"])
    answer = client.post(f"/events/{event.pk}/remove/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    assert Event.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize("step", ["sustain", "undo"])
def test_a_lone_button_is_refused_on_top_of_anothers_change(
    signed_in: SignIn, applied: Action, manager: User, step: str
) -> None:
    applied.effective_on = timezone.localdate()
    applied.save(update_fields=["effective_on", "updated_at"])
    client, page = signed_in(manager), f"/actions/{applied.external_id}/"
    seen_at = hidden_seen_at(client.get(page), f"{page}{step}/")
    applied.note = "Two more people"
    applied.save(update_fields=["note", "updated_at"])
    answer = client.post(f"{page}{step}/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    applied.refresh_from_db()
    assert (applied.state, applied.note) == ("applied", "Two more people")
    seen_at = hidden_seen_at(answer, f"{page}{step}/")
    client.post(f"{page}{step}/", {"seen_at": seen_at})
    applied.refresh_from_db()
    assert applied.state == {"sustain": "sustained", "undo": "planned"}[step]


def test_a_plan_that_somebody_changed_is_not_withdrawn_unseen(
    signed_in: SignIn, planned: Action, manager: User
) -> None:
    client, address = signed_in(manager), f"/actions/{planned.external_id}/withdraw/"
    seen_at = client.get(address).context["form"]["seen_at"].value()
    planned.planned_on = date(2024, 7, 1)
    planned.save(update_fields=["planned_on", "updated_at"])
    late = client.post(address, {"seen_at": seen_at, "reason": "Nobody has time"})
    assert late.status_code == 422
    assert TOLD in text_of(late)
    assert "Nobody has time" in late.content.decode()
    seen_at = late.context["form"]["seen_at"].value()
    assert client.post(address, {"seen_at": seen_at, "reason": "Nobody has time"}).status_code == 302
    assert not Action.objects.filter(pk=planned.pk).exists()


@pytest.fixture
def left_alone(planned: Action) -> Action:
    """A start that is long over, so that the page asks what becomes of it."""
    planned.planned_on = timezone.localdate() - timedelta(days=60)
    planned.save(update_fields=["planned_on", "updated_at"])
    return planned


@pytest.mark.parametrize("step", ["put-off", "let-go"])
def test_what_is_asked_about_an_old_plan_is_not_answered_on_top_of_anothers_change(
    signed_in: SignIn, left_alone: Action, manager: User, step: str
) -> None:
    client, page = signed_in(manager), f"/actions/{left_alone.external_id}/"
    seen_at = hidden_seen_at(client.get(page), f"{page}{step}/")
    day = timezone.localdate() - timedelta(days=50)
    left_alone.planned_on = day
    left_alone.save(update_fields=["planned_on", "updated_at"])
    answer = client.post(f"{page}{step}/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    assert Action.objects.get(pk=left_alone.pk).planned_on == day
    client.post(f"{page}{step}/", {"seen_at": hidden_seen_at(answer, f"{page}{step}/")})
    kept = Action.objects.filter(pk=left_alone.pk).first()
    assert (kept is None) if step == "let-go" else (kept is not None and kept.planned_on > timezone.localdate())


def test_a_draft_that_somebody_worked_on_is_not_thrown_away(
    signed_in: SignIn, chain: Chain, challenge: Challenge, training: Solution, manager: User
) -> None:
    limit = FocusLimit(at_most=2, as_of=TODAY)
    plan = start_plan(challenge=challenge, units=[chain.lille], owner=manager, focus=limit, actor=manager)
    client, page = signed_in(manager), f"/plans/{plan.pk}/choose/"
    seen_at = hidden_seen_at(client.get(page), f"/plans/{plan.pk}/discard/")
    choose_solutions(plan=plan, solutions=[training], actor=manager)
    answer = client.post(f"/plans/{plan.pk}/discard/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    assert list(Plan.objects.get().solutions.all()) == [training]
    seen_at = hidden_seen_at(answer, f"/plans/{plan.pk}/discard/")
    client.post(f"/plans/{plan.pk}/discard/", {"seen_at": seen_at})
    assert not Plan.objects.exists()


def test_a_tick_on_an_old_page_does_not_take_back_anothers_tick(
    signed_in: SignIn, applied: Action, manager: User
) -> None:
    task = add_task(action=applied, title="Print the card", actor=manager)
    client, page = signed_in(manager), f"/actions/{applied.external_id}/"
    old = client.get(page)
    seen_at = hidden_seen_at(old, f"/tasks/{task.pk}/done/")
    finish_task(task=task, at=timezone.now(), actor=None)
    answer = client.post(f"/tasks/{task.pk}/done/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    task.refresh_from_db()
    assert task.done_at is not None


def test_a_task_that_somebody_rewrote_is_not_moved_unseen_and_two_moves_by_one_person_are(
    signed_in: SignIn, applied: Action, manager: User
) -> None:
    first, second, third = (add_task(action=applied, title=title, actor=manager) for title in ("A", "B", "C"))
    client, page = signed_in(manager), f"/actions/{applied.external_id}/"
    address = f"/tasks/{third.pk}/move/"
    seen_at = hidden_seen_at(client.get(page), address)
    for _turn in range(2):
        client.post(address, {"seen_at": seen_at, "by": "up"})
    assert list(applied.tasks.order_by("position")) == [third, first, second]
    change_task(task=third, changes={"title": "Not before the others"}, actor=None)
    assert TOLD in text_of(client.post(address, {"seen_at": seen_at, "by": "down"}, follow=True))
    assert list(applied.tasks.order_by("position")) == [third, first, second]


@pytest.mark.parametrize("step", ["put-off", "remove"])
def test_an_old_task_is_not_settled_on_top_of_anothers_words(
    signed_in: SignIn, applied: Action, manager: User, step: str
) -> None:
    task = add_task(action=applied, title="Print", due_on=date(2024, 1, 8), actor=manager)
    client, page = signed_in(manager), f"/actions/{applied.external_id}/"
    seen_at = hidden_seen_at(client.get(page), f"/tasks/{task.pk}/{step}/")
    change_task(task=task, changes={"title": "Print ten cards"}, actor=None)
    answer = client.post(f"/tasks/{task.pk}/{step}/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    task.refresh_from_db()
    assert (task.title, task.due_on) == ("Print ten cards", date(2024, 1, 8))


@pytest.fixture
def rollout(chain: Chain, challenge: Challenge, training: Solution, lead: User) -> Plan:
    return create_plan(
        challenge=challenge,
        units=[UnitFactory(code=f"B{number}", parent=chain.north) for number in range(7)],
        solutions=[training],
        owner=lead,
        planned_on=timezone.localdate() + timedelta(days=7),
        actor=lead,
    )


def put_off_one(plan: Plan) -> Action:
    """What somebody else does meanwhile."""
    action = plan.actions.order_by("pk")[0]
    day = timezone.localdate() + timedelta(days=40)
    move_start(action=action, planned_on=day, as_of=timezone.localdate(), actor=None)
    return action


def test_starts_for_all_do_not_overwrite_one_that_was_moved_meanwhile(
    signed_in: SignIn, rollout: Plan, lead: User
) -> None:
    client, page = signed_in(lead), f"/plans/{rollout.pk}/rollout/"
    seen_at = client.get(page).context["starts_form"]["seen_at"].value()
    moved = put_off_one(rollout)
    first_on = (timezone.localdate() + timedelta(days=14)).isoformat()
    late = client.post(f"{page}starts/", {"seen_at": seen_at, "scheme": "same", "first_on": first_on})
    assert late.status_code == 422
    assert TOLD in text_of(late)
    assert first_on in late.content.decode()
    moved.refresh_from_db()
    assert moved.planned_on == timezone.localdate() + timedelta(days=40)
    again = late.context["starts_form"]["seen_at"].value()
    assert (
        client.post(f"{page}starts/", {"seen_at": again, "scheme": "same", "first_on": first_on}).status_code
        == 302
    )


def test_one_start_is_not_moved_on_top_of_anothers_move(signed_in: SignIn, rollout: Plan, lead: User) -> None:
    client, page = signed_in(lead), f"/plans/{rollout.pk}/rollout/"
    action = rollout.actions.order_by("pk")[0]
    address = f"/actions/{action.external_id}/start/"
    seen_at = hidden_seen_at(client.get(page), address)
    put_off_one(rollout)
    day = timezone.localdate() + timedelta(days=21)
    answer = client.post(address, {"seen_at": seen_at, "planned_on": day.isoformat()}, follow=True)
    assert TOLD in text_of(answer)
    action.refresh_from_db()
    assert action.planned_on == timezone.localdate() + timedelta(days=40)


def test_a_draw_and_more_units_are_not_made_from_an_old_page(
    signed_in: SignIn, chain: Chain, rollout: Plan, lead: User
) -> None:
    client, page = signed_in(lead), f"/plans/{rollout.pk}/rollout/"
    draw = client.get(f"{page}draw/").context["form"]
    join = client.get(f"{page}units/").context["form"]
    put_off_one(rollout)
    day = (timezone.localdate() + timedelta(days=14)).isoformat()
    drawn = {"seen_at": draw["seen_at"].value(), "steps": 2, "gap_weeks": 3, "first_on": day}
    joined = {"seen_at": join["seen_at"].value(), "units": [chain.nice.code], "planned_on": day}
    for address, entries in ((f"{page}draw/", drawn), (f"{page}units/", joined)):
        late = client.post(address, entries)
        assert late.status_code == 422, address
        assert TOLD in text_of(late)
        assert day in late.content.decode()
    assert not rollout.draws.exists()
    assert rollout.actions.count() == 7


def test_units_that_are_due_are_not_applied_from_an_old_page(signed_in: SignIn, rollout: Plan, lead: User) -> None:
    rollout.actions.update(planned_on=timezone.localdate())
    client, page = signed_in(lead), f"/plans/{rollout.pk}/rollout/"
    seen_at = hidden_seen_at(client.get(page), f"{page}apply/")
    put_off_one(rollout)
    answer = client.post(f"{page}apply/", {"seen_at": seen_at}, follow=True)
    assert TOLD in text_of(answer)
    assert set(rollout.actions.values_list("state", flat=True)) == {"planned"}
    client.post(f"{page}apply/", {"seen_at": hidden_seen_at(answer, f"{page}apply/")})
    assert rollout.actions.filter(state="applied").count() == 6


def test_an_action_of_a_closed_unit_is_not_handed_over_from_an_old_page(
    signed_in: SignIn, chain: Chain, planned: Action, lead: User
) -> None:
    today = timezone.localdate()
    merge_units(units=[chain.lille], into=chain.nice, on=today, as_of=today, actor=lead)
    client, page = signed_in(lead), f"/actions/{planned.external_id}/"
    seen_at = hidden_seen_at(client.get(page), f"{page}hand-over/")
    planned.save(update_fields=["updated_at"])
    answer = client.post(f"{page}hand-over/", {"seen_at": seen_at, "unit": "NICE"}, follow=True)
    assert TOLD in text_of(answer)
    planned.refresh_from_db()
    assert planned.unit == chain.lille
    client.post(f"{page}hand-over/", {"seen_at": hidden_seen_at(answer, f"{page}hand-over/"), "unit": "NICE"})
    planned.refresh_from_db()
    assert planned.unit == chain.nice
