"""What people were told, their preferences, and mails on their way."""

from datetime import UTC, date, datetime

import factory
from factory.django import DjangoModelFactory

from apps.notifications.models import Conversation, Letter, Mail, Notification, Preference, ResultsSeen
from apps.notifications.topics import Delivery, Topic
from tests.factories import UnitFactory, UserFactory


class NotificationFactory(DjangoModelFactory):
    class Meta:
        model = Notification

    user = factory.SubFactory(UserFactory)
    kind = "ideas.idea.answered"
    topic = Topic.IDEAS
    title = factory.Sequence(lambda number: f"News {number}")
    url = factory.Sequence(lambda number: f"/news/{number}/")
    created_at = datetime(2024, 6, 3, 9, tzinfo=UTC)


class PreferenceFactory(DjangoModelFactory):
    class Meta:
        model = Preference

    user = factory.SubFactory(UserFactory)
    topic = Topic.IDEAS
    delivery = Delivery.IN_APP
    changed_at = datetime(2024, 6, 3, 9, tzinfo=UTC)


class MailFactory(DjangoModelFactory):
    class Meta:
        model = Mail

    user = factory.SubFactory(UserFactory)
    topic = Topic.IDEAS
    email = factory.LazyAttribute(lambda mail: mail.user.email)
    language = "en"
    subject = "News"
    text = "Something happened."
    html = "<p>Something happened.</p>"
    message_id = factory.Sequence(lambda number: f"<{number}@example.org>")
    next_try_at = datetime(2024, 6, 3, 9, tzinfo=UTC)
    created_at = datetime(2024, 6, 3, 9, tzinfo=UTC)


class LetterFactory(DjangoModelFactory):
    class Meta:
        model = Letter

    user = factory.SubFactory(UserFactory)
    week = date(2024, 6, 3)
    created_at = datetime(2024, 6, 3, 9, tzinfo=UTC)


class ConversationFactory(DjangoModelFactory):
    class Meta:
        model = Conversation

    unit = factory.SubFactory(UnitFactory)
    starts_on = date(2024, 6, 3)
    ends_on = date(2024, 7, 1)


class ResultsSeenFactory(DjangoModelFactory):
    class Meta:
        model = ResultsSeen

    user = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)
    seen_at = datetime(2024, 6, 3, 9, tzinfo=UTC)
