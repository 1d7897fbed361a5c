"""What beat has workers look for in the library."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.curation.likeness import compare_all


@shared_task(
    name="curation.find_look_alikes",
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=3,
)
def find_look_alikes(**_: object) -> None:
    compare_all(at=timezone.now())
