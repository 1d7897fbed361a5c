"""The letter of a week: who is due for one, and that nobody gets two."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.accounts.models import Membership, User
from apps.notifications.models import Letter, Mail, Notification, Preference
from apps.notifications.nudging import ignored_in_a_row
from apps.notifications.services import Message, choose_delivery
from apps.notifications.topics import Delivery, Topic

# Monday morning where the person works; whoever was missed then gets it until Tuesday evening.
HOUR = time(7)
CATCH_UP = timedelta(hours=36)
NUDGES_LOOKED_AT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReader:
    user_id: int
    week: date


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def week_due(now: datetime, zone: str) -> date | None:
    """The week whose letter is due at this moment in a time zone."""
    local = now.astimezone(_zone(zone))
    monday = local.date() - timedelta(days=local.weekday())
    start = datetime.combine(monday, HOUR, tzinfo=local.tzinfo)
    return monday if start <= local < start + CATCH_UP else None


def due_readers(*, now: datetime) -> Iterator[DueReader]:
    """People for whom it is Monday morning and who have no letter of this week; one query a time zone."""
    zones = Membership.objects.values_list("unit__timezone", flat=True).distinct()
    told: set[int] = set()
    for zone in sorted(zones):
        week = week_due(now, zone)
        if week is None:
            continue
        has_letter = Exists(Letter.objects.filter(user=OuterRef("user"), week=week))
        members = Membership.objects.filter(~has_letter, unit__timezone=zone, user__is_active=True)
        for user_id in members.order_by("user_id").values_list("user_id", flat=True).distinct():
            if user_id not in told:
                told.add(user_id)
                yield DueReader(user_id=user_id, week=week)


def claim_letter(*, user: User, week: date, at: datetime) -> Letter | None:
    """The letter of this week, once; None when somebody wrote it. Call it in the transaction that fills it."""
    letter, is_new = Letter.objects.get_or_create(user=user, week=week, defaults={"created_at": at})
    return letter if is_new else None


def ignored_nudges(*, user: User, before: date) -> int:
    """The last nudges in a row that were not opened, since the person last chose whether to have them."""
    letters = Letter.objects.filter(user=user, week__lt=before).exclude(nudge="").order_by("-week")
    chosen_at = (
        Preference.objects.filter(user=user, topic=Topic.NUDGES).values_list("changed_at", flat=True).first()
    )
    if chosen_at is not None:
        letters = letters.filter(created_at__gte=chosen_at)
    read = letters.values_list("notification", "notification__read_at")[:NUDGES_LOOKED_AT]
    return ignored_in_a_row([pk is None or read_at is not None for pk, read_at in read])


@transaction.atomic
def put_nudge(*, letter: Letter, condition: str, message: Message, url: str, at: datetime) -> Notification:
    """The nudge of a week as a notification; an unread one of the same kind and page is renewed."""
    kind = f"notifications.nudge.{condition}"
    notification, _is_new = Notification.objects.unread().update_or_create(
        user_id=letter.user_id,
        kind=kind,
        url=url,
        defaults={"topic": Topic.NUDGES, "title": message.title, "body": message.body, "created_at": at},
    )
    letter.nudge, letter.notification = condition, notification
    letter.save(update_fields=["nudge", "notification"])
    return notification


@transaction.atomic
def mute_nudges(*, user: User, at: datetime) -> None:
    """Nobody looked at the last ones: they stop, and the person is told how to have them back."""
    choose_delivery(user=user, topic=Topic.NUDGES, delivery=Delivery.OFF, at=at, actor=None, is_automatic=True)


@transaction.atomic
def put_mail(*, letter: Letter, mail: Mail) -> Mail:
    mail.save()
    letter.mail = mail
    letter.save(update_fields=["mail"])
    return mail
