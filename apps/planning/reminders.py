"""Who is to be reminded of what today, found from the rows; the row of a reminder keeps it from coming twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, TruncDate
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.formats import exact_day
from apps.notifications.services import Message, notify
from apps.planning.focuses import planning_rules
from apps.planning.models import Action, Reminder, Task
from apps.planning.rhythm import ASKED_FOR, LONGEST_WEEKS, check_in_due
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import IN_EFFECT, OPEN

Kind = Reminder.Kind
# A task is called to mind on its day, or as soon after as the machine runs again.
TASK_LATE = timedelta(days=14)
AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One reminder to give: to whom, of what, and of which day."""

    kind: Kind
    action: Action
    to: User
    due_on: date
    task: Task | None = None


def due_reminders(*, as_of: date) -> list[Due]:
    """At most `AT_ONCE` of each kind; what is left over is found again the next time."""
    rules = planning_rules()
    return [
        *_tasks(Kind.TASK, as_of - TASK_LATE, as_of),
        *_tasks(Kind.OLD_TASK, date.min, as_of - timedelta(days=rules.task_days + 1)),
        *_check_ins(as_of),
        *_starts(before=as_of - timedelta(days=rules.slip_days)),
        *_drafts(before=as_of - timedelta(days=rules.draft_days)),
    ]


@transaction.atomic
def remind(*, due: Due, at: datetime) -> bool:
    """Once: whoever comes second finds the row of the first."""
    row, is_new = Reminder.objects.get_or_create(
        kind=due.kind, action=due.action, task=due.task, due_on=due.due_on
    )
    if is_new:
        notify(
            to=[due.to],
            kind=f"planning.{row.kind}.due",
            say=_words(due),
            url=reverse("planning:action", args=[due.action.external_id]),
            at=at,
        )
    return is_new


def _tasks(kind: Kind, first: date, last: date) -> Iterator[Due]:
    told = Reminder.objects.filter(kind=kind, task=OuterRef("pk"), due_on=OuterRef("since"))
    tasks = (
        Task.objects.open()
        .annotate(since=Coalesce("due_on", TruncDate("created_at")))
        .filter(~Exists(told), since__range=(first, last), action__state__in=[*OPEN, *IN_EFFECT])
        .filter(Q(assignee__isnull=False) | Q(action__owner__isnull=False))
        .select_related("assignee", "action__owner", "action__unit", "action__challenge")
        .order_by("since", "pk")
    )
    if kind == Kind.TASK:
        tasks = tasks.exclude(due_on=None)
    for task in tasks[:AT_ONCE]:
        to = task.assignee or task.action.owner
        assert to is not None
        yield Due(kind=kind, action=task.action, to=to, due_on=task.due_on or task.created_at.date(), task=task)


def _check_ins(as_of: date) -> Iterator[Due]:
    longest = timedelta(weeks=LONGEST_WEEKS) + ASKED_FOR
    running = (
        with_solutions(Action.objects.all())
        .filter(state=Action.State.APPLIED, owner__isnull=False, effective_on__gt=as_of - longest)
        .filter(effective_on__lte=as_of - timedelta(weeks=1))
        .annotate(last_on=Max("check_ins__made_on"))
    )
    found: dict[int, Due] = {}
    for action in running.order_by("pk").iterator(chunk_size=1000):
        assert action.effective_on is not None
        every = action.plan.rhythm_weeks if action.plan else None
        last_on = getattr(action, "last_on", None)  # annotated
        day = check_in_due(action.effective_on, every_weeks=every, last_on=last_on, as_of=as_of)
        if day is not None and action.owner is not None:
            found[action.pk] = Due(kind=Kind.CHECK_IN, action=action, to=action.owner, due_on=day)
    told = set(
        Reminder.objects.filter(kind=Kind.CHECK_IN, due_on__gte=as_of - ASKED_FOR).values_list("action", "due_on")
    )
    yield from [due for key, due in found.items() if (key, due.due_on) not in told][:AT_ONCE]


def _starts(*, before: date) -> Iterator[Due]:
    told = Reminder.objects.filter(kind=Kind.START, action=OuterRef("pk"), due_on=OuterRef("planned_on"))
    slipped = _owned(Action.objects.filter(~Exists(told), state=Action.State.PLANNED, planned_on__lt=before))
    for action in slipped.order_by("planned_on", "pk")[:AT_ONCE]:
        assert action.owner is not None
        assert action.planned_on is not None
        yield Due(kind=Kind.START, action=action, to=action.owner, due_on=action.planned_on)


def _drafts(*, before: date) -> Iterator[Due]:
    told = Reminder.objects.filter(kind=Kind.DRAFT, action=OuterRef("pk"), due_on=OuterRef("touched_on"))
    drafts = Action.objects.filter(state=Action.State.DRAFT).annotate(touched_on=TruncDate("updated_at"))
    left = _owned(drafts.filter(~Exists(told), touched_on__lt=before))
    for action in left.order_by("updated_at", "pk")[:AT_ONCE]:
        assert action.owner is not None
        yield Due(kind=Kind.DRAFT, action=action, to=action.owner, due_on=action.updated_at.date())


def _owned(actions: QuerySet[Action]) -> QuerySet[Action]:
    return with_solutions(actions.filter(owner__isnull=False))


def _words(due: Due) -> Callable[[], Message]:
    def say() -> Message:
        where = due.action.unit.display_name
        what = due.action.challenge.display_name
        if due.kind in (Kind.TASK, Kind.OLD_TASK) and due.task is not None:
            title = _("Due: %(task)s") if due.kind == Kind.TASK else _("Still open: %(task)s")
            body = _("%(what)s in %(where)s, due on %(day)s.")
            values = {"what": what, "where": where, "day": exact_day(due.due_on)}
            if due.kind == Kind.OLD_TASK:
                body += " " + _("Stop it, or set a new day: one tap each.")
            return Message(title=title % {"task": due.task.title}, body=body % values)
        names = " + ".join(solution.display_title for solution in solutions_of(due.action)) or what
        if due.kind == Kind.CHECK_IN:
            return Message(
                title=_("How is “%(names)s” going?") % {"names": names},
                body=_("%(where)s: is it happening, is it working, what is in the way? Three taps.")
                % {"where": where},
            )
        if due.kind == Kind.START:
            return Message(
                title=_("Is “%(names)s” still going to happen?") % {"names": names},
                body=_("%(where)s: it was to start on %(day)s. Stop it, or set a new day: one tap each.")
                % {"where": where, "day": exact_day(due.due_on)},
            )
        return Message(
            title=_("Do you still want the draft about “%(what)s”?") % {"what": what},
            body=_("%(where)s: nobody has touched it since %(day)s. Go on, or let it go: one tap each.")
            % {"where": where, "day": exact_day(due.due_on)},
        )

    return say
