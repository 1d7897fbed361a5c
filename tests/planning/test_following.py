"""While an action runs: tasks, check-ins, proofs, reminders that never come twice, and what was left alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import AuditEvent, User
from apps.library.models import Solution
from apps.notifications.models import Notification
from apps.planning.ageing import new_day
from apps.planning.holding import EditConflict
from apps.planning.models import Action, CheckIn, Event, Plan, Proof, Reminder, Task
from apps.planning.reminders import Due, by_person, due_reminders, remind
from apps.planning.rhythm import check_in_due, next_check_in, usual_windows
from apps.planning.tasklist import add_task, change_task, move_task
from apps.planning.tasks import remind_people
from tests.conftest import Chain
from tests.factories import ActionFactory, ActionSolutionFactory, EventFactory
from tests.planning.conftest import TODAY
from tests.planning.helpers import SignIn, events_of, last_data, text_of
from tests.planning_factories import CheckInFactory, ProofFactory, TaskFactory

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
AT = datetime(2024, 6, 5, 9, tzinfo=UTC)
TAPS = {"happening": "partly", "working": "unclear", "obstacle": "time"}
HTMX = {"HX-Request": "true"}


# Tasks


def test_tasks_are_added_ticked_and_moved(signed_in: SignIn, planned: Action, manager: User) -> None:
    client = signed_in(manager)
    for title in ("Print the card", "Tell everybody"):
        client.post(f"/actions/{planned.external_id}/tasks/", {"title": title, "assignee": manager.pk})
    first, second = planned.tasks.order_by("position")
    page = client.post(f"/tasks/{second.pk}/move/", {"by": "up"}, headers=HTMX)
    assert [row.title for row in page.context["follow"].tasks] == ["Tell everybody", "Print the card"]
    client.post(f"/tasks/{first.pk}/done/")
    first.refresh_from_db()
    assert first.done_by == manager
    client.post(f"/tasks/{first.pk}/done/")
    first.refresh_from_db()
    assert (first.done_at, first.done_by) == (None, None)
    assert events_of(planned)[-5:] == [
        "planning.action.task_added",
        "planning.action.task_added",
        "planning.action.task_moved",
        "planning.action.task_done",
        "planning.action.task_reopened",
    ]


def test_an_untold_task_comes_back(signed_in: SignIn, planned: Action, manager: User) -> None:
    refused = signed_in(manager).post(f"/actions/{planned.external_id}/tasks/", {"title": " "}, headers=HTMX)
    assert refused.status_code == 422
    assert "Say what is to be done." in text_of(refused)


def test_staff_tick_and_do_not_change(signed_in: SignIn, planned: Action, staff: User, manager: User) -> None:
    task = add_task(action=planned, title="Print the card", actor=manager)
    client = signed_in(staff)
    assert client.post(f"/tasks/{task.pk}/done/").status_code == 302
    for address in ("", "move/", "remove/", "put-off/"):
        assert client.post(f"/tasks/{task.pk}/{address}").status_code == 404


def test_the_second_who_changes_a_task_is_told(
    signed_in: SignIn, planned: Action, manager: User, lead: User
) -> None:
    task = add_task(action=planned, title="Print the card", actor=manager)
    client = signed_in(manager)
    seen_at = client.get(f"/tasks/{task.pk}/").context["form"]["seen_at"].value()
    change_task(task=task, changes={"title": "Print two cards"}, actor=lead)
    told = client.post(f"/tasks/{task.pk}/", {"title": "Print three cards", "seen_at": seen_at})
    assert told.status_code == 422
    assert "Somebody changed this after you opened it." in text_of(told)
    with pytest.raises(EditConflict):
        change_task(task=task, changes={"title": "x"}, actor=lead, seen_at=task.updated_at)
    kept = {"title": "Print three cards", "seen_at": told.context["form"]["seen_at"].value()}
    assert client.post(f"/tasks/{task.pk}/", kept).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_tasks_added_at_once_get_places_of_their_own(planned: Action, manager: User) -> None:
    def add(number: int) -> None:
        add_task(action=planned, title=f"Task {number}", actor=manager)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(8)))
    assert sorted(planned.tasks.values_list("position", flat=True)) == list(range(8))


def test_a_place_beyond_the_end_is_the_end(planned: Action, manager: User) -> None:
    tasks = [add_task(action=planned, title=title, actor=manager) for title in "abc"]
    move_task(task=tasks[0], position=99, actor=manager)
    assert list(planned.tasks.order_by("position").values_list("title", flat=True)) == ["b", "c", "a"]


# Check-ins


@pytest.mark.parametrize(
    ("weeks", "due_after"), [(1, None), (2, 2), (5, 2), (6, 6), (7, 6), (12, 12), (15, 12), (17, None)]
)
def test_it_is_asked_after_2_6_and_12_weeks(weeks: int, due_after: int | None) -> None:
    start = date(2024, 1, 1)
    due = check_in_due(start, as_of=start + timedelta(weeks=weeks))
    assert due == (start + timedelta(weeks=due_after) if due_after else None)


def test_a_rhythm_asks_every_so_many_weeks() -> None:
    start = date(2024, 1, 1)
    assert check_in_due(start, every_weeks=4, as_of=start + timedelta(weeks=9)) == start + timedelta(weeks=8)
    assert next_check_in(start, every_weeks=4, as_of=start + timedelta(weeks=9)) == start + timedelta(weeks=12)


def test_who_checked_in_is_not_asked_again() -> None:
    start = date(2024, 1, 1)
    on = start + timedelta(weeks=7)
    assert check_in_due(start, last_on=start + timedelta(weeks=6), as_of=on) is None


def test_three_taps_check_in(signed_in: SignIn, applied: Action, staff: User) -> None:
    client = signed_in(staff)
    assert client.post(f"/actions/{applied.external_id}/check-in/", {}).status_code == 422
    client.post(f"/actions/{applied.external_id}/check-in/", TAPS | {"note": "Short of staff on Mondays"})
    made = CheckIn.objects.get()
    assert (made.happening, made.working, made.obstacle, made.person) == ("partly", "unclear", "time", staff)
    page = text_of(client.get(f"/actions/{applied.external_id}/"))
    assert "Short of staff on Mondays" in page
    assert "in the way: Time" in page
    assert last_data(applied)["happening"] == "partly"


def test_what_is_not_in_place_has_no_check_in(signed_in: SignIn, planned: Action, manager: User) -> None:
    refused = signed_in(manager).post(f"/actions/{planned.external_id}/check-in/", TAPS)
    assert refused.status_code == 422
    assert "nothing to check in on" in text_of(refused)


# Proofs


def test_a_photo_is_kept_and_shown_in_scope_only(
    signed_in: SignIn, applied: Action, manager: User, outsider: User
) -> None:
    client = signed_in(manager)
    file = SimpleUploadedFile("counter.png", PIXEL, content_type="text/html")
    client.post(f"/actions/{applied.external_id}/proof/", {"file": file, "note": "The new counter"})
    proof = Proof.objects.get()
    assert (proof.kind, proof.content_type, proof.added_by) == ("photo", "image/png", manager)
    shown = client.get(f"/proofs/{proof.pk}/?shown=1")
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Disposition"].startswith("inline")
    assert f"/proofs/{proof.pk}/" in client.get(f"/actions/{applied.external_id}/").content.decode()
    assert signed_in(outsider).get(f"/proofs/{proof.pk}/").status_code == 404


def test_a_file_that_is_not_what_it_says_is_refused(signed_in: SignIn, applied: Action, manager: User) -> None:
    file = SimpleUploadedFile("photo.png", b"<script>alert(1)</script>", content_type="image/png")
    refused = signed_in(manager).post(f"/actions/{applied.external_id}/proof/", {"file": file})
    assert refused.status_code == 422
    assert not Proof.objects.exists()


def test_applying_takes_a_proof_the_steps_done_and_the_events(
    signed_in: SignIn, planned: Action, training: Solution, chain: Chain, manager: User
) -> None:
    training.versions.update(procedure="Print the card\nShow it")
    works = EventFactory(unit=chain.lille, name="Roadworks", starts_on=timezone.localdate())
    client = signed_in(manager)
    page = client.get(f"/actions/{planned.external_id}/apply/")
    assert "Roadworks" in text_of(page)
    form = page.context["form"]
    client.post(
        f"/actions/{planned.external_id}/apply/",
        {
            "seen_at": form["seen_at"].value(),
            "effective_on": timezone.localdate().isoformat(),
            "used-TOTAL_FORMS": "1",
            "used-INITIAL_FORMS": "1",
            "used-0-solution": "training",
            "used-0-is_used": "on",
            "proof": SimpleUploadedFile("counter.png", PIXEL),
            "steps": ["Show it"],
            "events": [works.pk],
            "event_name": "A strike",
            "event_kind": "other",
            "event_starts_on": timezone.localdate().isoformat(),
        },
    )
    planned.refresh_from_db()
    assert planned.state == Action.State.APPLIED
    assert set(planned.events.values_list("name", flat=True)) == {"Roadworks", "A strike"}
    assert Event.objects.get(name="A strike").unit == chain.lille
    steps = planned.proofs.get(kind="checklist").steps
    assert steps == [{"text": "Print the card", "is_done": False}, {"text": "Show it", "is_done": True}]
    assert planned.proofs.filter(kind="photo").count() == 1


def test_a_proof_can_be_removed(
    signed_in: SignIn, applied: Action, manager: User, django_capture_on_commit_callbacks
) -> None:
    proof = ProofFactory(action=applied)
    path = proof.file.name
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(manager).post(f"/proofs/{proof.pk}/remove/")
    assert not Proof.objects.exists()
    assert not proof.file.storage.exists(path)
    assert events_of(applied)[-1] == "planning.action.proof_removed"


# Reminders


def kinds_due(as_of: date = TODAY) -> list[str]:
    return [due.kind.value for due in due_reminders(as_of=as_of)]


def test_a_task_is_called_to_mind_on_its_day(planned: Action, manager: User) -> None:
    task = TaskFactory(action=planned, due_on=TODAY, assignee=manager)
    assert kinds_due(TODAY - timedelta(days=1)) == []
    assert kinds_due() == ["task"]
    assert kinds_due(TODAY + timedelta(days=15)) == []
    task.done_at = AT
    task.save()
    assert kinds_due() == []


def test_a_check_in_is_asked_for(applied: Action) -> None:
    assert kinds_due(date(2024, 6, 16)) == []
    assert kinds_due(date(2024, 6, 17)) == ["check_in"]
    CheckInFactory(action=applied, made_on=date(2024, 6, 17))
    assert kinds_due(date(2024, 6, 18)) == []


def test_plans_and_tasks_left_alone_are_asked_about(planned: Action, plan: Plan, manager: User) -> None:
    start = date(2024, 6, 10)
    assert kinds_due(start + timedelta(days=30)) == []
    assert kinds_due(start + timedelta(days=31)) == ["start"]
    TaskFactory(action=planned, due_on=start)
    assert set(kinds_due(start + timedelta(days=91))) == {"start", "old_task"}
    Action.objects.update(state="draft", updated_at=AT)
    Task.objects.all().delete()
    assert kinds_due(AT.date() + timedelta(days=60)) == []
    assert kinds_due(AT.date() + timedelta(days=61)) == ["draft"]


def test_nobody_is_reminded_twice(planned: Action, manager: User) -> None:
    TaskFactory(action=planned, due_on=TODAY, assignee=manager)
    dues = due_reminders(as_of=TODAY)
    assert [remind(dues=dues, at=AT) for _ in range(2)] == [1, 0]
    assert kinds_due() == []
    told = Notification.objects.get()
    assert (told.user, told.kind, told.url) == (manager, "planning.task.due", f"/actions/{planned.external_id}/")
    assert told.title == "Due: Print the card that explains the fee"


def test_a_new_day_is_called_to_mind_again(planned: Action, manager: User) -> None:
    task = TaskFactory(action=planned, due_on=TODAY, assignee=manager)
    remind(dues=due_reminders(as_of=TODAY), at=AT)
    change_task(task=task, changes={"due_on": TODAY + timedelta(days=3)}, actor=manager)
    assert kinds_due(TODAY + timedelta(days=3)) == ["task"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_remind_once(planned: Action, manager: User) -> None:
    TaskFactory(action=planned, due_on=TODAY, assignee=manager)
    due = due_reminders(as_of=TODAY)[0]

    def tell(one: Due) -> int:
        try:
            return remind(dues=[one], at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tell, [due, due])) == [0, 1]
    assert Notification.objects.count() == 1
    assert Reminder.objects.count() == 1


def test_beat_reminds_from_the_rows(planned: Action, manager: User) -> None:
    TaskFactory(action=planned, due_on=timezone.now().date(), assignee=manager)
    remind_people()
    remind_people()
    told = Notification.objects.get()
    assert (told.kind, told.title) == ("planning.several.due", "2 things wait for you")
    assert "Due: Print the card that explains the fee" in told.body


def test_after_an_upgrade_nobody_is_flooded(chain: Chain, manager: User, lead: User) -> None:
    for number in range(12):
        ActionFactory(unit=chain.lille, owner=manager, state="planned", planned_on=date(2024, 1, 1 + number))
    ActionFactory(unit=chain.lille, owner=lead, state="planned", planned_on=date(2024, 2, 1))
    at = datetime(2024, 6, 5, 9, tzinfo=UTC)
    for dues in by_person(due_reminders(as_of=TODAY)):
        remind(dues=dues, at=at)
    told = Notification.objects.get(user=manager)
    assert told.title == "5 things wait for you"
    assert told.body.count("still going to happen?") == 5
    assert Notification.objects.get(user=lead).kind == "planning.start.due"
    assert due_reminders(as_of=TODAY) == []
    assert len(due_reminders(as_of=TODAY + timedelta(days=1))) == 5


def test_the_usual_windows_are_those_in_which_a_check_in_is_due() -> None:
    started = [TODAY - timedelta(days=days) for days in range(200)]
    inside = {day for first, last in usual_windows(TODAY) for day in started if first <= day <= last}
    assert {day for day in started if check_in_due(day, as_of=TODAY)} <= inside


def test_the_look_for_reminders_costs_the_same_for_many_actions(chain: Chain, manager: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            due_reminders(as_of=TODAY)
        return len(queries)

    def more(count: int) -> None:
        for _ in range(count):
            used = ActionSolutionFactory(
                action=ActionFactory(unit=chain.lille, owner=manager, effective_on=TODAY - timedelta(days=15))
            )
            TaskFactory(action=used.action, due_on=TODAY)

    more(2)
    before = cost()
    more(10)
    assert cost() == before


# Left alone


def test_one_tap_sets_a_new_start(signed_in: SignIn, planned: Action, manager: User) -> None:
    client = signed_in(manager)
    assert "Is it still going to happen?" in text_of(client.get(f"/actions/{planned.external_id}/"))
    client.post(f"/actions/{planned.external_id}/put-off/")
    planned.refresh_from_db()
    assert planned.planned_on == new_day(timezone.localdate())
    assert planned.planned_on.weekday() == 0
    assert "Is it still going to happen?" not in text_of(client.get(f"/actions/{planned.external_id}/"))


def test_one_tap_lets_go(signed_in: SignIn, planned: Action, manager: User) -> None:
    signed_in(manager).post(f"/actions/{planned.external_id}/let-go/")
    assert not Action.objects.exists()
    withdrawn = AuditEvent.objects.get(event="planning.action.withdrawn")
    assert withdrawn.data["reason"] == "Let go of when asked: it had been left alone."


def test_one_tap_sets_a_new_day_for_an_old_task(signed_in: SignIn, planned: Action, manager: User) -> None:
    task = TaskFactory(action=planned, due_on=TODAY)
    client = signed_in(manager)
    assert client.get(f"/actions/{planned.external_id}/").context["follow"].tasks[0].is_aged
    client.post(f"/tasks/{task.pk}/put-off/")
    task.refresh_from_db()
    assert task.due_on == new_day(timezone.localdate())


def test_the_page_costs_the_same_queries_however_much_was_told(
    signed_in: SignIn, applied: Action, manager: User
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            TaskFactory(action=applied, assignee=manager)
            CheckInFactory(action=applied, person=manager)
            ProofFactory(action=applied, added_by=manager)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/actions/{applied.external_id}/")
        return len(queries)

    client = signed_in(manager)
    add(1)
    before = cost()
    add(9)
    assert cost() == before
