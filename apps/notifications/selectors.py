"""Answers about what people were told and how they want to be told."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.accounts.models import User
from apps.notifications.models import Notification, Preference
from apps.notifications.topics import USUAL, Delivery, Topic

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
