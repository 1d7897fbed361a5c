"""Addresses in mails: absolute, and signed where they work without signing in."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

from apps.notifications.topics import Topic

SALT = "notifications.unsubscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who may be written to about what, as a signed link says it."""

    user_id: int
    topic: Topic


def absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def unsubscribe_url(*, user_id: int, topic: Topic) -> str:
    """Works for as long as the mail exists, signed in or not."""
    token = signing.dumps([user_id, topic.value], salt=SALT)
    return absolute(reverse("notifications:unsubscribe", args=[token]))


def read_token(token: str) -> Subscription | None:
    try:
        user_id, topic = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return Subscription(user_id=user_id, topic=Topic(topic))
