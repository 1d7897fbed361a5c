"""Somebody looks after a solution: reviews, watchers, files, and what colleagues would write differently."""

from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.library.care import mark_reviewed, remind_of_reviews, tell_watchers, unwatch, watch
from apps.library.differences import difference
from apps.library.files import add_file, delete_file
from apps.library.models import ChangeRequest
from apps.library.requests import (
    RequestDecided,
    RequestNotUsable,
    accept_request,
    decline_request,
    request_change,
)
from apps.library.services import create_solution
from apps.library.texts import RecipeText
from apps.notifications.models import Notification
from tests.factories import SolutionFactory, SolutionVersionFactory, UserFactory
from tests.library_factories import (
    ChangeRequestFactory,
    LearningFactory,
    LearningUseFactory,
    PlaybookSolutionFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def greeter(lead):
    return create_solution(
        code="greet",
        text=RecipeText(title="Greet", summary="Look up.", why="Being seen."),
        facts={"kind": "sop", "owner": lead, "review_every_months": 6},
        status="published",
        as_of=date(2026, 5, 1),
        actor=lead,
    )


def told(user):
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


def test_the_owner_is_told_once_for_each_due_date(greeter, lead):
    assert remind_of_reviews(as_of=date(2026, 10, 31), at=NOW) == 0
    assert remind_of_reviews(as_of=date(2026, 11, 1), at=NOW) == 1
    assert remind_of_reviews(as_of=date(2026, 11, 22), at=NOW) == 0
    assert told(lead) == ["library.review.due"]
    mark_reviewed(solution=greeter, on=date(2026, 11, 22), actor=lead)
    assert remind_of_reviews(as_of=date(2027, 5, 22), at=NOW) == 1


def test_without_an_owner_the_leads_are_told_and_what_is_retired_rests(lead, manager):
    SolutionFactory(review_every_months=6, review_due_on=date(2026, 1, 1))
    SolutionFactory(review_every_months=6, review_due_on=date(2026, 1, 1), status="retired")
    assert remind_of_reviews(as_of=date(2026, 11, 1), at=NOW) == 1
    assert (told(lead), told(manager)) == (["library.review.due"], [])


def test_watchers_hear_of_changes_but_not_of_their_own(greeter, lead, manager):
    watch(solution=greeter, user=lead)
    watch(solution=greeter, user=manager)
    watch(solution=greeter, user=manager)
    tell_watchers(solution=greeter, what="revised", at=NOW, actor=lead)
    assert (told(lead), told(manager)) == ([], ["library.solution.revised"])
    unwatch(solution=greeter, user=manager)
    assert tell_watchers(solution=greeter, what="retired", at=NOW, actor=lead) == 0


def asked(solution, staff, **changes):
    return request_change(
        solution=solution, language="en", changes=changes, reason="We tried it.", at=NOW, actor=staff
    )


def test_an_accepted_change_becomes_a_version_of_its_author(greeter, lead, staff):
    request = asked(greeter, staff, why="Being greeted.", summary="Look up.")
    assert (request.changes, told(lead)) == ({"why": "Being greeted."}, ["library.change_request.opened"])
    accepted = accept_request(request=request, at=NOW, actor=lead)
    newest = greeter.versions.get(number=2)
    assert (newest.why, newest.summary, newest.author) == ("Being greeted.", "Look up.", staff)
    assert (accepted.result, accepted.state) == (newest, ChangeRequest.State.ACCEPTED)
    assert told(staff) == ["library.change_request.accepted"]
    with pytest.raises(RequestDecided):
        decline_request(request=request, decision="No.", at=NOW, actor=lead)


def test_a_change_is_declined_with_a_reason_that_its_author_reads(greeter, lead, staff):
    request = asked(greeter, staff, why="Because.")
    with pytest.raises(RequestNotUsable):
        decline_request(request=request, decision=" ", at=NOW, actor=lead)
    decline_request(request=request, decision="It says why already.", at=NOW, actor=lead)
    assert Notification.objects.get(user=staff).body == "It says why already."
    assert greeter.versions.count() == 1


@pytest.mark.parametrize("changes", [{}, {"why": "Being seen."}, {"nonsense": "x"}, {"title": "x" * 201}])
def test_a_change_of_nothing_is_refused(greeter, staff, changes):
    with pytest.raises(RequestNotUsable):
        asked(greeter, staff, **changes)


def test_a_deleted_file_leaves_its_name_in_the_audit_and_nothing_on_disk(
    greeter, lead, django_capture_on_commit_callbacks
):
    kept = add_file(solution=greeter, file=SimpleUploadedFile("sheet.txt", b"Look up.\n"), actor=lead)
    storage, path = kept.file.storage, kept.file.name
    assert storage.exists(path)
    with django_capture_on_commit_callbacks(execute=True):
        delete_file(file=kept, actor=lead)
    assert not storage.exists(path)
    assert AuditEvent.objects.get(event="library.file.deleted").data["name"] == "sheet.txt"


def test_a_difference_is_told_word_by_word():
    pieces = [(piece.text, piece.change.value) for piece in difference("Look up at once.", "Look up and smile.")]
    assert pieces == [
        ("Look up ", "same"),
        ("at once", "removed"),
        ("and smile", "added"),
        (".", "same"),
    ]
    assert difference("same", "same")[0].change.value == "same"


def test_the_second_editor_keeps_their_text_and_may_save_again(client, greeter, lead):
    client.force_login(lead)
    address = reverse("library:solution-edit", args=["greet"])
    sent = {"en_title": "Mine", "kind": "sop", "seen_at": "2026-01-01T00:00:00+00:00"}
    answer = client.post(address, sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Somebody changed this solution" in page
    assert 'value="Mine"' in page
    greeter.refresh_from_db()
    assert f'value="{greeter.updated_at.isoformat()}"' in page
    assert client.post(address, sent | {"seen_at": greeter.updated_at.isoformat()}).status_code == 302
    greeter.refresh_from_db()
    assert greeter.title == "Mine"


def test_a_french_reader_gets_french_where_it_is_given(client, lead, staff):
    create_solution(
        code="two",
        text=RecipeText(title="Greet", why="Being seen.", who="Everybody."),
        translations={"fr": RecipeText(title="Accueillir", why="Être vu.")},
        facts={"kind": "sop"},
        status="published",
        actor=lead,
    )
    staff.language = "fr"
    staff.save(update_fields=["language"])
    client.force_login(staff)
    page = client.get(reverse("library:solution", args=["two"])).content.decode()
    assert "Être vu." in page
    assert '<div class="cx-prose" lang="en"><p>Everybody.</p>' in page
    assert "Being seen." not in page
    assert client.get(reverse("library:solution-pdf", args=["two"])).content.startswith(b"%PDF-")


@pytest.mark.parametrize("name", ["solution-list", "playbook-list", "change-request-list"])
def test_lists_take_as_many_queries_however_long_they_are(client, lead, name, django_assert_max_num_queries):
    def grow(count):
        for _ in range(count):
            step = PlaybookSolutionFactory()
            ChangeRequestFactory(version=SolutionVersionFactory(solution=step.solution), author=UserFactory())

    client.force_login(lead)
    grow(2)
    with django_assert_max_num_queries(30) as few:
        client.get(reverse(f"library:{name}"))
    grow(8)
    with django_assert_max_num_queries(len(few)):
        client.get(reverse(f"library:{name}"))


def test_a_page_takes_as_many_queries_however_much_is_known(client, staff, greeter, django_assert_max_num_queries):
    client.force_login(staff)
    address = reverse("library:solution", args=["greet"])
    LearningUseFactory(learning=LearningFactory(solution=greeter))
    with django_assert_max_num_queries(30) as few:
        client.get(address)
    for _ in range(5):
        LearningUseFactory(learning=LearningFactory(solution=greeter))
        SolutionVersionFactory(solution=greeter, author=UserFactory())
        PlaybookSolutionFactory(solution=greeter)
    with django_assert_max_num_queries(len(few)):
        client.get(address)
