"""Do the people of the demonstration chain talk in every way the pages can show?"""

from datetime import UTC, date, datetime, time

import pytest
from django.db.models import Count

from apps.ideas.models import Call, Idea
from apps.library.models import ChangeRequest, Learning, Playbook, VersionTranslation, Watch
from apps.notifications.models import Notification
from apps.planning.models import Action, CheckIn, Event, Plan, Proof, Task
from cxplan import demonstration
from tests.demo.conftest import END
from tests.demo.test_demonstration import generate, home, quiet

__all__ = ["home"]
NOW = datetime.combine(END, time(9), tzinfo=UTC)


@pytest.fixture
def talked(home: object, db: None) -> None:
    truth = generate()
    demonstration.load(progress=quiet)
    demonstration.open_sign_ins(truth=truth)
    assert demonstration.people_talk(at=NOW) >= 15


def test_every_page_has_something_to_show(talked: None) -> None:
    assert set(Idea.objects.values_list("state", flat=True)) == set(Idea.State.values)
    assert Idea.objects.filter(author=None).count() >= 2
    assert Idea.objects.filter(let_in_at=None).exists()
    assert [call.is_open_on(END) for call in Call.objects.order_by("pk")] == [True, False]
    assert Playbook.objects.count() >= 3
    assert set(ChangeRequest.objects.values_list("state", flat=True)) == set(ChangeRequest.State.values)
    assert Learning.objects.filter(uses__is_supporting=False).exists()
    assert VersionTranslation.objects.filter(language="fr").exclude(procedure="").count() >= 8
    assert Plan.objects.alias(places=Count("actions")).filter(places__gte=4).exists()
    for model in (Watch, Task, CheckIn, Proof, Event):
        assert model._default_manager.exists(), model
    told = set(Notification.objects.filter(read_at=None).values_list("user__email", flat=True))
    assert told >= {"lead@rivage.example", "manager@rivage.example", "staff@rivage.example"}


def test_nothing_is_dated_after_today(talked: None) -> None:
    ideas = Idea.objects.order_by("created_at")
    assert ideas[0].created_at.date() < date(2026, 5, 1)
    assert all(idea.created_at <= idea.state_since <= NOW for idea in ideas)
    assert not Notification.objects.filter(created_at__gt=NOW).exists()
    assert not Action.objects.filter(state="planned", planned_on__lt=END).exists()


def test_a_second_time_nobody_repeats_himself(talked: None) -> None:
    count = Notification.objects.count()
    assert demonstration.people_talk(at=NOW) == 0
    assert Notification.objects.count() == count
