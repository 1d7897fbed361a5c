"""What beat has planning look for."""

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.planning.closures import end_with_unit, ended_with_their_unit, left_behind, tell_owner
from apps.planning.drawing import draws_to_review, due_read_outs, read_out, review_marks
from apps.planning.reminders import by_person, due_reminders, remind


@shared_task(
    name="planning.remind",
    ignore_result=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=3,
)
def remind_people(**_: object) -> None:
    now = timezone.now()
    for dues in by_person(due_reminders(as_of=now.date())):
        remind(dues=dues, at=now)


@shared_task(name="planning.keep_draws", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=True)
def keep_draws(**_: object) -> None:
    """Marks of drawn units that are no longer deserved, and tests that can be read."""
    now = timezone.now()
    review_marks(draws=draws_to_review(as_of=now.date()), actor=None)
    for draw in due_read_outs(as_of=now.date()):
        read_out(draw=draw, at=now)


@shared_task(
    name="planning.settle_closures", ignore_result=True, autoretry_for=(OperationalError,), retry_backoff=True
)
def settle_closures(**_: object) -> None:
    """Actions in units that closed: those in place end, owners of those to come are asked."""
    now = timezone.now()
    for action in ended_with_their_unit(as_of=now.date()):
        end_with_unit(action=action, at=now)
    for action in left_behind(as_of=now.date()):
        tell_owner(action=action, at=now)
