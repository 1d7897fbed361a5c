"""Background work of imports."""

from celery import shared_task
from django.db import OperationalError

from apps.imports.models import ImportBatch
from apps.imports.services import resume_imports, run_import


@shared_task(name="imports.run", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def run(*, batch_id: int, **_: object) -> None:
    run_import(batch=ImportBatch.objects.get(pk=batch_id))


@shared_task(name="imports.resume", autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def resume(**_: object) -> None:
    resume_imports()
