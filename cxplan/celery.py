"""The Celery application and its timetable."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxplan.settings")

app = Celery("cxplan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Beat guarantees that work found in the data is done; whoever enqueues a task only makes it sooner.
app.conf.beat_schedule = {
    # A file that was received and not imported, or whose import was cut off.
    "resume-imports": {"task": "imports.resume", "schedule": 15.0},
    # Metrics whose cells, actions or calendar week moved on since their last measurement.
    "refresh-stale": {"task": "impact.refresh_stale", "schedule": 20.0},
}
