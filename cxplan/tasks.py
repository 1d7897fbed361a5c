"""Monday's letters: beat looks who is due, workers write."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone
from django.utils.dateparse import parse_date

from apps.accounts.models import User
from apps.notifications.letters import due_readers
from cxplan.mail_chart import trend_picture
from cxplan.weekly import write_letter

# A hint that waited longer than beat's interval has been given again since.
HINT_SECONDS = 600


@shared_task(name="weekly.write_due_letters", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def write_due_letters(**_: object) -> None:
    for reader in due_readers(now=timezone.now()):
        hint = {"user_id": reader.user_id, "week": reader.week.isoformat()}
        write_one_letter.apply_async(kwargs=hint, expires=HINT_SECONDS)


@shared_task(name="weekly.write_letter", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def write_one_letter(*, user_id: int, week: str, **_: object) -> None:
    user, monday = User.objects.filter(pk=user_id, is_active=True).first(), parse_date(week)
    if user is not None and monday is not None:
        write_letter(user=user, week=monday, now=timezone.now(), draw=trend_picture)
