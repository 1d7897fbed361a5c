"""The bell counts, the list shows the unread first, opening is reading."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.notifications.models import Notification
from tests.notification_factories import NotificationFactory

pytestmark = pytest.mark.django_db
LIST = "/notifications/"
NOW = datetime(2024, 6, 3, 9, tzinfo=UTC)


def test_the_bell_says_how_much_is_unread(client, manager, staff):
    NotificationFactory.create_batch(3, user=manager)
    NotificationFactory(user=manager, read_at=NOW)
    NotificationFactory(user=staff)
    client.force_login(manager)
    assert "3 unread notifications" in client.get(LIST).content.decode()


def test_the_bell_stops_counting_at_a_hundred(client, manager):
    NotificationFactory.create_batch(105, user=manager)
    client.force_login(manager)
    assert "99+" in client.get(LIST).content.decode()


def test_the_unread_come_first_then_the_newest(client, manager):
    NotificationFactory(user=manager, title="filed", created_at=NOW, read_at=NOW)
    NotificationFactory(user=manager, title="unread old", created_at=NOW - timedelta(days=9))
    NotificationFactory(user=manager, title="unread new", created_at=NOW)
    client.force_login(manager)
    page = client.get(LIST).content.decode()
    assert page.index("unread new") < page.index("unread old") < page.index("filed")


def test_opening_marks_as_read_and_goes_there(client, manager):
    one = NotificationFactory(user=manager, url="/focus/")
    client.force_login(manager)
    response = client.get(reverse("notifications:notification", args=[one.pk]))
    assert response["Location"] == "/focus/"
    one.refresh_from_db()
    assert timezone.now() - one.read_at < timedelta(minutes=1)


def test_a_first_reading_is_kept(client, manager):
    one = NotificationFactory(user=manager, read_at=NOW)
    client.force_login(manager)
    client.get(reverse("notifications:notification", args=[one.pk]))
    one.refresh_from_db()
    assert one.read_at == NOW


def test_one_is_marked_as_read_in_place(client, manager):
    one = NotificationFactory(user=manager)
    client.force_login(manager)
    response = client.post(
        reverse("notifications:notification-read", args=[one.pk]), headers={"HX-Request": "true"}
    )
    assert b"cx-news--unread" not in response.content
    assert Notification.objects.unread().count() == 0


def test_all_are_marked_as_read_and_nobody_elses(client, manager, staff):
    NotificationFactory.create_batch(3, user=manager)
    NotificationFactory(user=staff)
    client.force_login(manager)
    client.post(reverse("notifications:notifications-read"))
    assert list(Notification.objects.unread().values_list("user", flat=True)) == [staff.pk]


def test_an_empty_list_says_what_will_come(client, staff):
    client.force_login(staff)
    assert "Nothing yet" in client.get(LIST).content.decode()


def test_a_longer_list_costs_no_more_queries(client, manager, django_assert_max_num_queries):
    client.force_login(manager)
    NotificationFactory.create_batch(2, user=manager)
    client.get(LIST)
    with django_assert_max_num_queries(7):
        client.get(LIST)
    NotificationFactory.create_batch(60, user=manager)
    with django_assert_max_num_queries(7):
        assert client.get(LIST, {"page": 2}).status_code == 200
