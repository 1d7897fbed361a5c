"""What workers do with responses, and what beat has them look for."""

from celery import shared_task
from django.db import OperationalError

from apps.feedback.coding import code_label, labels_to_code


@shared_task(name="feedback.code_labels", ignore_result=True, autoretry_for=(OperationalError,), max_retries=3)
def code_labels(**_: object) -> None:
    for label_id in labels_to_code():
        coded = code_label(label_id=label_id, actor=None)
        while coded is not None and not coded.is_done:
            coded = code_label(label_id=label_id, actor=None)
