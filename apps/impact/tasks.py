"""What workers measure, and what beat has them look for."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.impact import hindsight, news
from apps.impact.chunks import take_chunk
from apps.impact.selectors import waiting_chunks
from apps.impact.services import MeasurementBusy, measure_metric
from apps.impact.staleness import cut_off_metrics, due_metrics
from apps.taxonomy.models import Metric

# A hint that waited longer than beat's interval has been given again since.
HINT_SECONDS, RESUME_SECONDS = 20, 5
# Hints at chunks; a worker that takes one goes on until no chunk waits.
MOST_HELPERS = 16


@shared_task(name="impact.refresh_stale", ignore_result=True)
def refresh_stale(**_: object) -> None:
    now = timezone.now()
    for item in due_metrics(as_of=now.date(), now=now):
        measure.apply_async(kwargs={"metric_id": item.metric_id}, expires=HINT_SECONDS)


@shared_task(name="impact.resume", ignore_result=True)
def resume(**_: object) -> None:
    """Runs whose process was killed, and chunks nobody was told of."""
    for metric_id in cut_off_metrics():
        measure.apply_async(kwargs={"metric_id": metric_id}, expires=RESUME_SECONDS)
    ask_for_help(waiting_chunks() + 1)


def ask_for_help(count: int) -> None:
    """Hint at chunks; whoever leads the run does one of them itself."""
    for _ in range(min(count - 1, MOST_HELPERS)):
        help_out.apply_async(expires=RESUME_SECONDS)


@shared_task(name="impact.help_out", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=True)
def help_out(**_: object) -> None:
    while take_chunk(now=timezone.now()):
        continue


@shared_task(name="impact.recall_claims", ignore_result=True)
def recall_claims(**_: object) -> None:
    now = timezone.now()
    day = hindsight.day_to_recall(now=now)
    if day is not None:
        hindsight.recall_claims(as_of=day, made_at=now)


@shared_task(name="impact.tell_news", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=True)
def tell_news(**_: object) -> None:
    now = timezone.now()
    news.tell_news(as_of=now.date(), at=now)


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
        measure_metric(metric=metric, as_of=timezone.now().date(), ask=ask_for_help)
    except MeasurementBusy:
        # Whoever measures it now, or the next look of beat, sees to it.
        return
