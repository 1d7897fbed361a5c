"""A team that talks its results over is left in peace for four weeks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.notifications.conversations import end_team_conversation, open_team_conversation
from apps.notifications.models import Conversation, ResultsSeen
from apps.notifications.selectors import open_conversation, results_seen_at
from tests.notification_factories import ConversationFactory, ResultsSeenFactory

pytestmark = pytest.mark.django_db
DAY = date(2024, 6, 3)


def test_a_window_is_open_for_28_days(chain, manager):
    window = open_team_conversation(unit=chain.lille, on=DAY, actor=manager)
    assert window.ends_on == DAY + timedelta(days=28)
    assert open_conversation(unit=chain.lille, on=DAY + timedelta(days=27)) == window
    assert open_conversation(unit=chain.lille, on=DAY + timedelta(days=28)) is None
    assert AuditEvent.objects.filter(event="notifications.conversation.opened", actor=manager).exists()


def test_opening_twice_opens_one_window(chain, manager):
    first = open_team_conversation(unit=chain.lille, on=DAY, actor=manager)
    assert open_team_conversation(unit=chain.lille, on=DAY + timedelta(days=3), actor=manager) == first
    assert Conversation.objects.count() == 1


def test_a_window_covers_the_units_below(chain):
    window = ConversationFactory(unit=chain.north, starts_on=DAY, ends_on=DAY + timedelta(days=28))
    assert open_conversation(unit=chain.lille, on=DAY) == window
    assert open_conversation(unit=chain.nice, on=DAY) is None
    assert open_conversation(unit=chain.organisation, on=DAY) is None


def test_a_window_can_be_ended(chain, manager):
    open_team_conversation(unit=chain.lille, on=DAY, actor=manager)
    end_team_conversation(unit=chain.lille, on=DAY + timedelta(days=5), actor=manager)
    assert open_conversation(unit=chain.lille, on=DAY + timedelta(days=5)) is None


def test_nobody_opens_a_window_elsewhere(client, manager, chain):
    client.force_login(manager)
    address = reverse("notifications:conversation-open", args=["NICE"])
    assert client.post(address).status_code == 404
    assert not Conversation.objects.exists()


def test_a_look_at_results_is_noted_once_a_person_and_unit(client, manager, chain):
    client.force_login(manager)
    address = reverse("notifications:results-seen", args=["lille"])
    assert [client.post(address).status_code for _ in range(2)] == [204, 204]
    assert ResultsSeen.objects.count() == 1
    assert results_seen_at(user=manager, unit=chain.lille).date() == datetime.now(UTC).date()


def test_an_older_look_is_renewed(client, manager, chain):
    ResultsSeenFactory(user=manager, unit=chain.lille)
    client.force_login(manager)
    client.post(reverse("notifications:results-seen", args=["LILLE"]))
    assert results_seen_at(user=manager, unit=chain.lille).year > 2024
