"""Telling people what happened, and what they do with it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.notifications.links import absolute
from apps.notifications.mails import LINK, Draft, addressed, write_draft
from apps.notifications.models import Mail, Notification, Preference
from apps.notifications.selectors import deliveries_of
from apps.notifications.topics import Delivery, Topic, deliveries_for, topic_of

TITLE_LENGTH = 300


class DeliveryUnknown(CxplanError):
    code = "delivery_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said, as plain text in the language that is active."""

    title: str
    body: str = ""


@transaction.atomic
def notify(*, to: Iterable[User], kind: str, say: Callable[[], Message], url: str, at: datetime) -> int:
    """Tell people something, each in their language, in the app and by mail as they wish it.

    `say` is called once a language, with that language active; `url` is a path of ours. Whoever has not read
    the same kind of news of the same page yet gets it renewed instead of a second time, and no mail unless
    the words are new. Returns the number of people who were told.
    """
    people = {user.pk: user for user in to if user.is_active}
    messages = _said(say, {user.language for user in people.values()})
    topic = topic_of(kind)
    unread = Notification.objects.unread().filter(user__in=people, kind=kind, url=url)
    known, changed = set(), set()
    for notification in unread.select_for_update().order_by("pk"):
        message = messages[people[notification.user_id].language]
        known.add(notification.user_id)
        if (notification.title, notification.body) != (message.title, message.body):
            changed.add(notification.user_id)
        notification.title, notification.body, notification.created_at = message.title, message.body, at
        notification.save(update_fields=["title", "body", "created_at"])
    Notification.objects.bulk_create(
        [
            Notification(
                user=user,
                kind=kind,
                topic=topic,
                title=messages[user.language].title,
                body=messages[user.language].body,
                url=url,
                created_at=at,
            )
            for user in people.values()
            if user.pk not in known
        ],
        # Somebody else may have told the same a moment ago.
        ignore_conflicts=True,
    )
    fresh = unread.filter(user__in=[pk for pk in people if pk not in known or pk in changed])
    _write_mails(list(fresh), people, topic=topic, messages=messages, at=at)
    return len(people)


def _said(say: Callable[[], Message], languages: Iterable[str]) -> dict[str, Message]:
    messages = {}
    for language in languages:
        with translation.override(language):
            message = say()
            # Plain strings from here on: a lazy text would be said again in whatever language is active then.
            messages[language] = Message(title=str(message.title)[:TITLE_LENGTH], body=str(message.body))
    return messages


def _write_mails(
    notifications: Iterable[Notification],
    people: Mapping[int, User],
    *,
    topic: Topic,
    messages: Mapping[str, Message],
    at: datetime,
) -> None:
    wishes = deliveries_of(users=people, topic=topic)
    drafts: dict[str, Draft] = {}
    mails = []
    for notification in notifications:
        if wishes[notification.user_id] is not Delivery.AT_ONCE:
            continue
        user = people[notification.user_id]
        if user.language not in drafts:
            message = messages[user.language]
            drafts[user.language] = write_draft(
                topic=topic,
                language=user.language,
                subject=message.title,
                name="news",
                context={"message": message, "link": LINK},
            )
        link = absolute(reverse("notifications:notification", args=[notification.pk]))
        mails.append(addressed(draft=drafts[user.language], user=user, at=at, link=link))
    Mail.objects.bulk_create(mails, batch_size=500)


@transaction.atomic
def read_notification(*, notification: Notification, at: datetime) -> Notification:
    """Reading is private to the reader, so it leaves no audit row."""
    if notification.read_at is None:
        notification.read_at = at
        notification.save(update_fields=["read_at"])
    return notification


@transaction.atomic
def read_all(*, user: User, at: datetime) -> int:
    return Notification.objects.of(user).unread().update(read_at=at)


@transaction.atomic
def choose_delivery(
    *, user: User, topic: Topic, delivery: Delivery, at: datetime, actor: User | None, is_automatic: bool = False
) -> Preference:
    if delivery not in deliveries_for(topic):
        raise DeliveryUnknown(f"{topic} is not delivered {delivery}.", field=topic)
    preference, _created = Preference.objects.update_or_create(
        user=user,
        topic=topic,
        defaults={"delivery": delivery, "is_automatic": is_automatic, "changed_at": at},
    )
    record(
        event="notifications.preference.chosen",
        actor=actor,
        subject=user,
        data={"topic": topic, "delivery": delivery, "is_automatic": is_automatic},
    )
    return preference


@transaction.atomic
def choose_deliveries(
    *, user: User, deliveries: Mapping[Topic, Delivery], at: datetime, actor: User | None
) -> None:
    for topic, delivery in deliveries.items():
        choose_delivery(user=user, topic=topic, delivery=delivery, at=at, actor=actor)
