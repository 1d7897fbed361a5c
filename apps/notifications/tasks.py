"""What workers do for the mails on their way; beat has them look."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.notifications.outbox import forget_old, send_due_mails


@shared_task(name="notifications.send_mails", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def send_mails(**_: object) -> None:
    send_due_mails(clock=timezone.now)


@shared_task(name="notifications.forget", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def forget(**_: object) -> None:
    forget_old(now=timezone.now())
