"""Programs read and mark the notifications of their own person, and choose deliveries."""

import pytest
from django.urls import reverse

from apps.notifications.models import Notification
from apps.notifications.selectors import wishes_of
from apps.notifications.topics import Delivery, Topic
from tests.notification_factories import NotificationFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/notifications/"


def test_only_ones_own_are_listed_the_newest_first(api, manager, staff):
    mine = NotificationFactory.create_batch(2, user=manager)
    NotificationFactory(user=staff)
    results = api(manager).get(LIST).json()["results"]
    assert sorted(row["id"] for row in results) == sorted(one.pk for one in mine)


def test_somebody_elses_does_not_exist(api, manager, staff):
    one = NotificationFactory(user=staff)
    assert api(manager).get(reverse("notification-detail", args=[one.pk])).status_code == 404


def test_unread_ones_are_filtered(api, manager):
    unread = NotificationFactory(user=manager)
    NotificationFactory(user=manager, read_at=unread.created_at)
    assert [row["id"] for row in api(manager).get(LIST, {"is_read": "false"}).json()["results"]] == [unread.pk]


def test_one_is_marked_as_read(api, manager):
    one = NotificationFactory(user=manager)
    address = reverse("notification-detail", args=[one.pk])
    assert api(manager).patch(address, {"is_read": False}, format="json").status_code == 400
    assert api(manager).patch(address, {"is_read": True}, format="json").json()["read_at"]
    assert not Notification.objects.unread().exists()


def test_preferences_are_read_and_chosen(api, staff):
    client = api(staff)
    rows = {row["topic"]: row for row in client.get("/api/v1/preferences/").json()}
    assert rows["ideas"]["delivery"] == "at_once"
    assert rows["digest"]["may_be"] == ["weekly", "off"]
    answer = client.patch("/api/v1/preferences/ideas/", {"delivery": "in_app"}, format="json")
    assert answer.json()["delivery"] == "in_app"
    assert wishes_of(user=staff).deliveries[Topic.IDEAS] is Delivery.IN_APP


def test_what_a_topic_is_not_delivered_by_is_a_problem(api, staff):
    answer = api(staff).patch("/api/v1/preferences/digest/", {"delivery": "at_once"}, format="json")
    assert answer.status_code in (400, 422)
    assert api(staff).patch("/api/v1/preferences/nothing/", {"delivery": "off"}, format="json").status_code == 404


def test_a_list_costs_as_many_queries_with_many(api, manager, django_assert_max_num_queries):
    client = api(manager)
    NotificationFactory.create_batch(30, user=manager)
    with django_assert_max_num_queries(5):
        client.get(LIST)
