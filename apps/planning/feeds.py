"""The secret address of a person's calendar: made, renewed, taken back, and read."""

import secrets

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import record, token_digest
from apps.planning.models import CalendarFeed


@transaction.atomic
def renew_feed(*, user: User, actor: User) -> str:
    """A new secret, shown once; an older one no longer works."""
    secret = secrets.token_urlsafe(32)
    feed, is_new = CalendarFeed.objects.update_or_create(user=user, defaults={"digest": token_digest(secret)})
    record(event=f"planning.calendar_feed.{'created' if is_new else 'renewed'}", actor=actor, subject=feed)
    return secret


@transaction.atomic
def revoke_feed(*, user: User, actor: User) -> bool:
    feed = CalendarFeed.objects.select_for_update().filter(user=user).first()
    if feed is None:
        return False
    record(event="planning.calendar_feed.revoked", actor=actor, subject=feed)
    feed.delete()
    return True


def reader_of(secret: str) -> User | None:
    """Whose calendar the address opens, while the person may sign in."""
    feed = CalendarFeed.objects.select_related("user").filter(digest=token_digest(secret)).first()
    return feed.user if feed is not None and feed.user.is_active else None
