"""Answers about what people were told and how they want to be told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q

from apps.accounts.models import Unit, User
from apps.notifications.models import Conversation, Mail, Notification, Preference, ResultsSeen
from apps.notifications.topics import USUAL, Delivery, Topic
from apps.notifications.tries import MANY_TRIES

COUNTED = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadCount:
    """How much news waits, as far as it is worth counting."""

    number: int

    def __bool__(self) -> bool:
        return self.number > 0

    @property
    def shown(self) -> str:
        return f"{COUNTED}+" if self.number > COUNTED else str(self.number)


def unread_count(*, user: User) -> UnreadCount:
    return UnreadCount(number=Notification.objects.of(user).unread()[: COUNTED + 1].count())


def deliveries_of(*, users: Iterable[int], topic: Topic) -> dict[int, Delivery]:
    """How each person wants to hear of a topic, by the person's id."""
    people = list(users)
    chosen = dict(Preference.objects.filter(user__in=people, topic=topic).values_list("user_id", "delivery"))
    return {pk: Delivery(chosen.get(pk, USUAL[topic])) for pk in people}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How one person wants to hear of each topic."""

    deliveries: dict[Topic, Delivery]
    muted: frozenset[Topic]

    def wants(self, topic: Topic) -> bool:
        return self.deliveries[topic] is not Delivery.OFF

    def topics_in(self, delivery: Delivery) -> list[Topic]:
        return [topic for topic, chosen in self.deliveries.items() if chosen is delivery]


def wishes_of(*, user: User) -> Wishes:
    """`muted` are the topics that were switched off because the person did not react."""
    rows = {row.topic: row for row in Preference.objects.filter(user=user)}
    return Wishes(
        deliveries={topic: Delivery(rows[topic].delivery) if topic in rows else USUAL[topic] for topic in Topic},
        muted=frozenset(Topic(topic) for topic, row in rows.items() if row.is_automatic),
    )


def newest(*, user: User, limit: int) -> list[Notification]:
    return list(Notification.objects.of(user).order_by("-created_at", "-pk")[:limit])


def news_for_digest(*, user: User, topics: Iterable[Topic], since: datetime, limit: int) -> list[Notification]:
    """What was told and not read since then."""
    rows = Notification.objects.of(user).unread().filter(topic__in=list(topics), created_at__gte=since)
    return list(rows.order_by("-created_at", "-pk")[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCounts:
    """Mails that did not go out: all that wait, those of them tried for half an hour, those given up."""

    waiting: int
    stuck: int
    failed: int

    @property
    def unsent(self) -> int:
        return self.stuck + self.failed


def mail_counts() -> MailCounts:
    waiting = Q(state=Mail.State.QUEUED)
    found = Mail.objects.exclude(state=Mail.State.SENT).aggregate(
        waiting=Count("pk", filter=waiting),
        stuck=Count("pk", filter=waiting & Q(attempt_count__gte=MANY_TRIES)),
        failed=Count("pk", filter=Q(state=Mail.State.FAILED)),
    )
    return MailCounts(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubledMail:
    mail: Mail
    may_be_tried: bool
    # None: given up, or its turn has come.
    next_try_at: datetime | None


def troubled_mails(mails: Iterable[Mail], *, now: datetime) -> list[TroubledMail]:
    """How it goes on with each of them."""
    return [
        TroubledMail(
            mail=mail,
            may_be_tried=mail.may_be_tried(now),
            next_try_at=None if mail.is_failed or mail.next_try_at <= now else mail.next_try_at,
        )
        for mail in mails
    ]


def open_conversation(*, unit: Unit, on: date) -> Conversation | None:
    """The team conversation that goes on in a unit, or in one above it."""
    return (
        Conversation.objects.filter(unit__in=[unit.pk, *unit.ancestor_ids], starts_on__lte=on, ends_on__gt=on)
        .order_by("-ends_on")
        .first()
    )


def results_seen_at(*, user: User, unit: Unit) -> datetime | None:
    return ResultsSeen.objects.filter(user=user, unit=unit).values_list("seen_at", flat=True).first()
