"""What beat has accounts look for."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.accounts.services import refresh_unit_paths


@shared_task(
    name="accounts.refresh_paths", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=True
)
def refresh_paths(**_: object) -> None:
    """A move that was planned ahead begins on its day."""
    refresh_unit_paths(as_of=timezone.now().date())
