"""What beat has planning look for."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.planning.reminders import due_reminders, remind


@shared_task(
    name="planning.remind",
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=3,
)
def remind_people(**_: object) -> None:
    now = timezone.now()
    for due in due_reminders(as_of=now.date()):
        remind(due=due, at=now)
