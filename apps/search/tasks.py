"""What workers do for the search; beat has them look."""

from celery import shared_task
from django.db import OperationalError

from apps.search.services import forget_changes


@shared_task(name="search.forget_changes", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def forget_old_changes(**_: object) -> None:
    forget_changes()
