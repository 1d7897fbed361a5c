"""Each person chooses how they are told; one click ends the mails of a topic and one brings them back."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.notifications.links import unsubscribe_url
from apps.notifications.models import Preference
from apps.notifications.selectors import wishes_of
from apps.notifications.services import DeliveryUnknown, choose_delivery
from apps.notifications.topics import USUAL, Delivery, Topic, deliveries_for, topic_of
from tests.notification_factories import PreferenceFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 3, 9, tzinfo=UTC)
PAGE = "/settings/notifications/"


def path_of(user, topic=Topic.IDEAS) -> str:
    return "/" + unsubscribe_url(user_id=user.pk, topic=topic).split("/", 3)[3]


def every_choice(**changes: str) -> dict[str, str]:
    return {topic.value: USUAL[topic].value for topic in Topic} | changes


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("ideas.idea.answered", Topic.IDEAS),
        ("planning.action.due", Topic.PLANS),
        ("impact.result.ready", Topic.RESULTS),
        ("curation.review.asked", Topic.LIBRARY),
        ("imports.batch.finished", Topic.DATA),
        ("notifications.nudge.look", Topic.NUDGES),
    ],
)
def test_a_kind_belongs_to_a_topic(kind, topic):
    assert topic_of(kind) == topic


def test_what_is_usual_may_be_chosen():
    assert all(USUAL[topic] in deliveries_for(topic) for topic in Topic)


def test_choices_are_saved_and_recorded(client, manager):
    client.force_login(manager)
    response = client.post(PAGE, every_choice(plans="at_once", nudges="off"))
    assert response["Location"] == "/settings/#notifications"
    wishes = wishes_of(user=manager)
    assert wishes.deliveries[Topic.PLANS] is Delivery.AT_ONCE
    assert not wishes.wants(Topic.NUDGES)
    assert Preference.objects.count() == 2, "what is as usual needs no row"
    assert AuditEvent.objects.filter(event="notifications.preference.chosen", actor=manager).count() == 2


def test_a_delivery_that_is_none_of_a_topic_is_refused(client, manager):
    client.force_login(manager)
    assert client.post(PAGE, every_choice(digest="at_once")).status_code == 422
    with pytest.raises(DeliveryUnknown):
        choose_delivery(user=manager, topic=Topic.PLANS, delivery=Delivery.OFF, at=NOW, actor=manager)


def test_the_settings_page_holds_the_section(client, staff):
    client.force_login(staff)
    assert f'hx-get="{PAGE}"' in client.get("/settings/").content.decode()
    assert "<html" not in client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "First steps" not in client.get(PAGE).content.decode(), "only managers have them"


def test_looking_at_the_link_changes_nothing(staff):
    assert "Stop these mails?" in Client().get(path_of(staff)).content.decode()
    assert not Preference.objects.exists()


def test_one_click_of_a_mail_program_ends_the_mails(staff):
    """RFC 8058: a POST without a cookie, a sign-in or a CSRF token."""
    client = Client(enforce_csrf_checks=True)
    assert client.post(path_of(staff), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert wishes_of(user=staff).deliveries[Topic.IDEAS] is Delivery.IN_APP


@pytest.mark.parametrize("topic", list(Topic))
def test_one_click_brings_them_back(topic, staff):
    client = Client()
    client.post(path_of(staff, topic))
    assert (
        wishes_of(user=staff).deliveries[topic] not in (Delivery.AT_ONCE, Delivery.WEEKLY) or topic == Topic.GUIDE
    )
    client.post(f"{path_of(staff, topic)}return/")
    assert wishes_of(user=staff).wants(topic)


def test_a_return_ends_the_automatic_silence(staff):
    PreferenceFactory(user=staff, topic=Topic.NUDGES, delivery=Delivery.OFF, is_automatic=True)
    Client().post(f"{path_of(staff, Topic.NUDGES)}return/")
    wishes = wishes_of(user=staff)
    assert wishes.wants(Topic.NUDGES)
    assert not wishes.muted


def test_a_forged_link_opens_nothing(staff):
    path = path_of(staff)
    assert Client().post(path.replace(path[13], "x" if path[13] != "x" else "y", 1)).status_code == 404
    assert Client().get("/unsubscribe/nonsense/").status_code == 404


def test_the_page_speaks_the_language_of_its_reader(staff):
    staff.language = "fr"
    staff.save(update_fields=["language"])
    assert '<html lang="fr">' in Client().get(path_of(staff)).content.decode()


def test_the_guide_is_hidden_by_hand(client, manager):
    client.force_login(manager)
    client.post(reverse("notifications:guide-hide"))
    assert not wishes_of(user=manager).wants(Topic.GUIDE)
