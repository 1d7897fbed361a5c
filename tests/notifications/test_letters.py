"""Once a week, on Monday morning where a person works."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts.models import Role
from apps.notifications.letters import claim_letter, due_readers, ignored_nudges, week_due
from apps.notifications.topics import Delivery, Topic
from tests.factories import MembershipFactory, UnitFactory, UserFactory
from tests.notification_factories import LetterFactory, NotificationFactory, PreferenceFactory

pytestmark = pytest.mark.django_db
MONDAY = date(2024, 6, 3)
MORNING = datetime(2024, 6, 3, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "week"),
    [
        (datetime(2024, 6, 3, 6, 59, tzinfo=UTC), "UTC", None),
        (datetime(2024, 6, 3, 7, 0, tzinfo=UTC), "UTC", MONDAY),
        (datetime(2024, 6, 3, 5, 0, tzinfo=UTC), "Europe/Paris", MONDAY),
        (datetime(2024, 6, 2, 19, 0, tzinfo=UTC), "Pacific/Auckland", MONDAY),
        (datetime(2024, 6, 3, 8, 0, tzinfo=UTC), "America/New_York", None),
        (datetime(2024, 6, 4, 18, 59, tzinfo=UTC), "UTC", MONDAY),
        (datetime(2024, 6, 4, 19, 0, tzinfo=UTC), "UTC", None),
        (datetime(2024, 6, 3, 8, 0, tzinfo=UTC), "Not/AZone", MONDAY),
    ],
)
def test_it_is_due_on_monday_morning_and_until_tuesday_evening(moment, zone, week):
    assert week_due(moment, zone) == week


def test_readers_are_due_by_the_time_zone_of_their_unit():
    here = MembershipFactory(unit=UnitFactory(timezone="Europe/Paris"))
    MembershipFactory(unit=UnitFactory(timezone="America/New_York"))
    MembershipFactory(unit=UnitFactory(timezone="Europe/Paris"), user__is_active=False)
    assert [(reader.user_id, reader.week) for reader in due_readers(now=MORNING)] == [(here.user_id, MONDAY)]


def test_whoever_has_a_letter_of_the_week_is_not_due():
    member = MembershipFactory()
    LetterFactory(user=member.user, week=MONDAY)
    assert list(due_readers(now=MORNING)) == []
    assert len(list(due_readers(now=MORNING + timedelta(days=7)))) == 1


def test_a_person_with_two_places_is_due_once():
    user = UserFactory()
    for zone in ("Europe/Paris", "Europe/Berlin"):
        MembershipFactory(user=user, unit=UnitFactory(timezone=zone), role=Role.MANAGER)
    assert len(list(due_readers(now=MORNING))) == 1


def test_a_letter_is_claimed_once():
    user = UserFactory()
    assert claim_letter(user=user, week=MONDAY, at=MORNING) is not None
    assert claim_letter(user=user, week=MONDAY, at=MORNING) is None


def test_unopened_nudges_count_until_one_is_opened():
    user = UserFactory()
    for ago, read_at in ((1, None), (2, None), (3, MORNING), (4, None)):
        LetterFactory(
            user=user,
            week=MONDAY - timedelta(weeks=ago),
            nudge="unseen",
            notification=NotificationFactory(user=user, read_at=read_at),
        )
    assert ignored_nudges(user=user, before=MONDAY) == 2


def test_choosing_to_have_them_starts_the_count_again():
    user = UserFactory()
    LetterFactory(user=user, week=MONDAY, nudge="unseen", notification=NotificationFactory(user=user))
    PreferenceFactory(
        user=user, topic=Topic.NUDGES, delivery=Delivery.AT_ONCE, changed_at=MORNING + timedelta(days=2)
    )
    assert ignored_nudges(user=user, before=MONDAY + timedelta(days=7)) == 0
