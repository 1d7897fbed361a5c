"""What happened lately that concerns a person, the newest first: from what they were told and from results."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.urls import reverse

from apps.accounts.models import Unit
from apps.accounts.person import Person
from apps.impact.focus import Result, results_ready
from apps.notifications.models import Notification
from apps.notifications.selectors import newest

LISTED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """`result` is there when the news is a measured result, which is shown with its estimate."""

    title: str
    text: str
    url: str
    icon: str
    at: datetime
    is_unread: bool
    result: Result | None = None

    @property
    def on(self) -> date:
        return self.at.date()


def feed_of(*, person: Person, unit: Unit, limit: int = LISTED) -> tuple[FeedItem, ...]:
    """At most three queries, however much happened."""
    news = newest(user=person.user, limit=limit)
    told = {notification.url for notification in news}
    results = [_of_result(result) for result in results_ready(person=person, unit=unit, limit=limit)]
    items = [_of_news(notification) for notification in news]
    items += [item for item in results if item.url not in told]
    return tuple(sorted(items, key=lambda item: item.at, reverse=True)[:limit])


def _of_news(notification: Notification) -> FeedItem:
    return FeedItem(
        title=notification.title,
        text=notification.body.split("\n", 1)[0],
        url=reverse("notifications:notification", args=[notification.pk]),
        icon=notification.icon,
        at=notification.created_at,
        is_unread=notification.read_at is None,
    )


def _of_result(result: Result) -> FeedItem:
    return FeedItem(
        title=" + ".join(result.solutions) or result.challenge,
        text=f"{result.unit_name} · {result.challenge}",
        url=reverse("planning:action", args=[result.external_id]),
        icon="flag",
        at=datetime.combine(result.ready_on, time.min, tzinfo=UTC),
        is_unread=False,
        result=result,
    )
