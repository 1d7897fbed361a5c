"""People are told once, in their language, in the app and by mail as they wish."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import get_language, gettext_lazy

from apps.notifications.models import Mail, Notification
from apps.notifications.services import Message, notify
from apps.notifications.topics import Delivery, Topic
from tests.factories import UserFactory
from tests.notification_factories import PreferenceFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 6, 3, 9, tzinfo=UTC)


def hello() -> Message:
    return Message(title=f"Hello in {get_language()}", body="Come & see <this>.")


def tell(*people, kind="ideas.idea.answered", say=hello, url="/ideas/7/", at=NOW) -> int:
    return notify(to=people, kind=kind, say=say, url=url, at=at)


def test_each_person_reads_it_in_their_language():
    anglophone, francophone = UserFactory(language="en"), UserFactory(language="fr")
    assert tell(anglophone, francophone) == 2
    titles = dict(Notification.objects.values_list("user_id", "title"))
    assert titles == {anglophone.pk: "Hello in en", francophone.pk: "Hello in fr"}
    assert get_language() == "en"


def test_words_are_made_once_a_language():
    said = []

    def say() -> Message:
        said.append(get_language())
        return Message(title="News")

    tell(*UserFactory.create_batch(3), UserFactory(language="fr"), say=say)
    assert sorted(said) == ["en", "fr"]


def test_a_lazy_text_keeps_the_language_it_was_said_in():
    tell(UserFactory(language="fr"), say=lambda: Message(title=gettext_lazy("Language")))
    assert Notification.objects.get().title == "Langue"


def test_nobody_is_told_twice_in_one_call():
    user = UserFactory()
    assert tell(user, user) == 1
    assert Notification.objects.count() == 1


def test_an_unread_piece_of_news_is_renewed_not_repeated():
    user = UserFactory()
    tell(user)
    tell(user, at=NOW + timedelta(days=1))
    assert Notification.objects.get().created_at == NOW + timedelta(days=1)
    assert Mail.objects.count() == 1


def test_new_words_about_the_same_page_are_mailed_again():
    user = UserFactory()
    tell(user)
    tell(user, say=lambda: Message(title="Your idea is in the library"))
    assert Notification.objects.get().title == "Your idea is in the library"
    assert list(Mail.objects.order_by("pk").values_list("subject", flat=True)) == [
        "Hello in en",
        "Your idea is in the library",
    ]


def test_news_of_a_page_that_was_read_is_news_again():
    user = UserFactory()
    tell(user)
    Notification.objects.update(read_at=NOW)
    tell(user)
    assert Notification.objects.count() == 2


def test_whoever_left_is_not_told():
    assert tell(UserFactory(is_active=False)) == 0
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("delivery", "mails"), [(Delivery.AT_ONCE, 1), (Delivery.WEEKLY, 0), (Delivery.IN_APP, 0)]
)
def test_a_mail_is_written_as_the_person_wishes(delivery, mails):
    user = UserFactory()
    PreferenceFactory(user=user, topic=Topic.IDEAS, delivery=delivery)
    tell(user)
    assert Notification.objects.count() == 1
    assert Mail.objects.count() == mails


def test_plans_come_weekly_unless_asked_otherwise():
    tell(UserFactory(), kind="planning.action.due")
    assert not Mail.objects.exists()


def test_the_mail_has_both_parts_with_the_way_in_and_the_way_out(settings):
    settings.PUBLIC_URL = "https://cx.example.org/"
    settings.DEFAULT_FROM_EMAIL = "cxplan <cx@example.org>"
    user = UserFactory(language="fr")
    tell(user)
    mail, notification = Mail.objects.get(), Notification.objects.get()
    assert (mail.email, mail.subject, mail.state) == (user.email, "Hello in fr", Mail.State.QUEUED)
    for part in (mail.text, mail.html):
        assert f"https://cx.example.org/notifications/{notification.pk}/" in part
        assert "https://cx.example.org/unsubscribe/" in part
        assert "\ue000" not in part
    assert "Come & see <this>." in mail.text
    assert "Come &amp; see &lt;this&gt;." in mail.html
    assert '<html lang="fr">' in mail.html
    assert mail.message_id.endswith("@example.org>")


def test_telling_many_costs_as_many_queries_as_telling_few(django_assert_num_queries):
    few, many = UserFactory.create_batch(2), UserFactory.create_batch(30)
    with django_assert_num_queries(7):
        tell(*few)
    with django_assert_num_queries(7):
        tell(*many)
