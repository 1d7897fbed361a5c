"""The Celery application and its timetable."""

import gc
import os
import signal

from celery import Celery
from celery.signals import worker_process_init

from cxplan.embedded.child import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxplan.settings")

# The worker itself; its pool processes are forked from it.
_WORKER = os.getpid()

app = Celery("cxplan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Beat guarantees that work found in the data is done; whoever enqueues a task only makes it sooner.
app.conf.beat_schedule = {
    # A file that was received and not imported, or whose import was cut off.
    "resume-imports": {"task": "imports.resume", "schedule": 15.0},
    # Metrics whose cells, actions or calendar week moved on since their last measurement.
    "refresh-stale": {"task": "impact.refresh_stale", "schedule": 20.0},
    # Results and verdicts that nobody was told of yet.
    "tell-news": {"task": "impact.tell_news", "schedule": 900.0, "options": {"expires": 900}},
    # Earlier days whose claims were never worked out: history for those who begin with imported years.
    "recall-claims": {"task": "impact.recall_claims", "schedule": 30.0, "options": {"expires": 30}},
    # Measurements whose process was killed, and chunks of work that nobody was told of.
    "resume-measurements": {"task": "impact.resume", "schedule": 5.0},
    # People for whom it is Monday morning and who have no letter of this week yet.
    "write-letters": {"task": "weekly.write_due_letters", "schedule": 600.0},
    # Mails that wait for their first or their next try.
    "send-mails": {"task": "notifications.send_mails", "schedule": 15.0, "options": {"expires": 15}},
    # Mails long sent and news long read.
    "forget-notifications": {"task": "notifications.forget", "schedule": 6 * 3600.0},
    # Notes that the library changed, which searches have long since read.
    "forget-noted-changes": {"task": "search.forget_changes", "schedule": 3600.0, "options": {"expires": 3600}},
    # Solutions whose review became due and whose owner was not told yet.
    "remind-of-reviews": {"task": "library.remind_of_reviews", "schedule": 3600.0},
    # Tasks and check-ins that fell due, plans and tasks left alone, of which nobody was reminded yet.
    # Units whose move, planned ahead, begins today.
    "refresh-units": {"task": "accounts.refresh_paths", "schedule": 900.0, "options": {"expires": 900}},
    # Actions in units that closed.
    "settle-closures": {"task": "planning.settle_closures", "schedule": 900.0, "options": {"expires": 900}},
    # Drawn units whose wait-list was not kept, and fair tests that can be read.
    "keep-draws": {"task": "planning.keep_draws", "schedule": 900.0, "options": {"expires": 900}},
    "remind-of-plans": {"task": "planning.remind", "schedule": 900.0, "options": {"expires": 900}},
    # Responses whose label was mapped, or mapped otherwise, since they came in.
    "code-labels": {"task": "feedback.code_labels", "schedule": 10.0},
    # Guesses that somebody accepted and that are not all mapped yet.
    "accept-guesses": {"task": "taxonomy.accept_guesses", "schedule": 10.0, "options": {"expires": 10}},
    # Solutions and ideas that are new or were reworded since they were compared with all others.
    "find-look-alikes": {"task": "curation.find_look_alikes", "schedule": 300.0, "options": {"expires": 300}},
    # Ideas whose deadline passed: nobody's silence may last longer than was promised.
    "settle-overdue-ideas": {"task": "ideas.settle_overdue", "schedule": 300.0},
}


@worker_process_init.connect
def _end_with_worker(**_: object) -> None:
    # Left alone, a pool process would finish a task that has been given to somebody else meanwhile.
    # It may be dead already: then its number is no longer that of the parent.
    die_with_parent(signal.SIGKILL, parent=None if os.getpid() == _WORKER else _WORKER)


@worker_process_init.connect
def _settle(**_: object) -> None:
    # What was imported stays until the end: looking through it for garbage took a few percent of a measurement.
    gc.freeze()
