"""What workers do in the vocabulary, and what beat has them look for."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.taxonomy.accepting import accept_portion


@shared_task(
    name="taxonomy.accept_guesses", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=True
)
def accept_guesses(**_: object) -> None:
    while accept_portion(at=timezone.now()):
        continue
