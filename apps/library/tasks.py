"""Background work of the library, found in the data by beat."""

from typing import Any

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.library.care import remind_of_reviews


@shared_task(name="library.remind_of_reviews", autoretry_for=(OperationalError,), retry_backoff=True)
def remind(**_: Any) -> None:
    now = timezone.now()
    remind_of_reviews(as_of=now.date(), at=now)
