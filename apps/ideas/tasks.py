"""What beat has workers look for among the ideas."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.ideas.decisions import settle_overdue


@shared_task(
    name="ideas.settle_overdue",
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def settle_overdue_ideas(**_: object) -> None:
    settle_overdue(at=timezone.now())
