"""What workers measure, and what beat has them look for."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.impact.services import MeasurementBusy, measure_metric
from apps.impact.staleness import due_metrics
from apps.taxonomy.models import Metric

# A hint that waited longer than beat's interval has been given again since.
HINT_SECONDS = 20


@shared_task(name="impact.refresh_stale", ignore_result=True)
def refresh_stale(**_: object) -> None:
    now = timezone.now()
    for item in due_metrics(as_of=now.date(), now=now):
        measure.apply_async(kwargs={"metric_id": item.metric_id}, expires=HINT_SECONDS)


@shared_task(
    name="impact.measure_metric",
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def measure(*, metric_id: int, **_: object) -> None:
    metric = Metric.objects.select_related("touchpoint").filter(pk=metric_id).first()
    if metric is None:
        return
    try:
        measure_metric(metric=metric, as_of=timezone.now().date())
    except MeasurementBusy:
        # Whoever measures it now, or the next look of beat, sees to it.
        return
