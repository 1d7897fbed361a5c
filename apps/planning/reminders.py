"""Who is to be reminded of what today, found from the rows; the row of a reminder keeps it from coming twice."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber, TruncDate
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core.formats import exact_day
from apps.notifications.services import Message, notify
from apps.planning.focuses import planning_rules
from apps.planning.models import Action, Reminder, Task
from apps.planning.rhythm import ASKED_FOR, LONGEST_WEEKS, check_in_due, usual_windows
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import IN_EFFECT, OPEN

Kind = Reminder.Kind
# A task is called to mind on its day, or as soon after as the machine runs again.
TASK_LATE = timedelta(days=14)
AT_ONCE = 500
# More than a handful a day helps nobody; the rest is found again tomorrow.
A_DAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One reminder to give: to whom, of what, and of which day."""

    kind: Kind
    action: Action
    to: User
    due_on: date
    task: Task | None = None


def due_reminders(*, as_of: date) -> list[Due]:
    """What presses most comes first: at most `A_DAY` a person with what was given on that day already.

    At most `AT_ONCE` of each kind; what is left over is found again the next time.
    """
    rules = planning_rules()
    given = Counter(Reminder.objects.filter(given_on=as_of).values_list("person", flat=True))
    full = [person for person, count in given.items() if person is not None and count >= A_DAY]
    found = [
        *_tasks(Kind.TASK, as_of - TASK_LATE, as_of, full),
        *_check_ins(as_of, full),
        *_starts(as_of - timedelta(days=rules.slip_days), full),
        *_drafts(as_of - timedelta(days=rules.draft_days), full),
        *_tasks(Kind.OLD_TASK, date.min, as_of - timedelta(days=rules.task_days + 1), full),
    ]
    dues = []
    for due in found:
        given[due.to.pk] += 1
        if given[due.to.pk] <= A_DAY:
            dues.append(due)
    return dues


def by_person(dues: Iterable[Due]) -> list[list[Due]]:
    """The reminders of each person together, so that they come as one."""
    people: dict[int, list[Due]] = {}
    for due in dues:
        people.setdefault(due.to.pk, []).append(due)
    return list(people.values())


@transaction.atomic
def remind(*, dues: Sequence[Due], at: datetime) -> int:
    """Remind one person of all of `dues` at once, and tell how many are new.

    Once: whoever comes second finds the rows of the first.
    """
    fresh = []
    for due in dues:
        _row, is_new = Reminder.objects.get_or_create(
            kind=due.kind,
            action=due.action,
            task=due.task,
            due_on=due.due_on,
            defaults={"person": due.to, "given_on": at.date()},
        )
        if is_new:
            fresh.append(due)
    if len(fresh) == 1:
        url = reverse("planning:action", args=[fresh[0].action.external_id])
        notify(to=[fresh[0].to], kind=f"planning.{fresh[0].kind}.due", say=_words(fresh[0]), url=url, at=at)
    elif fresh:
        # A list of its own a day, so that what was not read yet is not written over.
        url = f"{reverse('planning:action-list')}?asked={at.date().isoformat()}"
        notify(to=[fresh[0].to], kind="planning.several.due", say=_words_of_several(fresh), url=url, at=at)
    return len(fresh)


def _tasks(kind: Kind, first: date, last: date, full: Sequence[int]) -> Iterator[Due]:
    told = Reminder.objects.filter(kind=kind, task=OuterRef("pk"), due_on=OuterRef("since"))
    tasks = (
        Task.objects.open()
        .annotate(since=Coalesce("due_on", TruncDate("created_at")), person=Coalesce("assignee", "action__owner"))
        .filter(~Exists(told), since__range=(first, last), action__state__in=[*OPEN, *IN_EFFECT])
        .filter(person__isnull=False)
        .exclude(person__in=full)
        .select_related("assignee", "action__owner", "action__unit", "action__challenge")
    )
    if kind == Kind.TASK:
        tasks = tasks.exclude(due_on=None)
    ranked = tasks.annotate(nth=Window(RowNumber(), partition_by=["person"], order_by=["since", "pk"]))
    for task in ranked.filter(nth__lte=A_DAY).order_by("since", "pk")[:AT_ONCE]:
        to = task.assignee or task.action.owner
        assert to is not None
        yield Due(kind=kind, action=task.action, to=to, due_on=task.due_on or task.created_at.date(), task=task)


def _check_ins(as_of: date, full: Sequence[int]) -> Iterator[Due]:
    """Three queries; of an action that is not asked about only four columns are read."""
    asked = Q(
        plan__rhythm_weeks__isnull=False, effective_on__gt=as_of - timedelta(weeks=LONGEST_WEEKS) - ASKED_FOR
    )
    for first, last in usual_windows(as_of):
        asked |= Q(effective_on__range=(first, last))
    running = (
        Action.objects.filter(asked, state=Action.State.APPLIED, owner__isnull=False, effective_on__lt=as_of)
        .exclude(owner__in=full)
        .annotate(last_on=Max("check_ins__made_on"))
        .values_list("pk", "owner", "effective_on", "plan__rhythm_weeks", "last_on")
    )
    told = set(
        Reminder.objects.filter(kind=Kind.CHECK_IN, due_on__gte=as_of - ASKED_FOR).values_list("action", "due_on")
    )
    days: dict[int, date] = {}
    taken: Counter[int] = Counter()
    for key, owner, effective_on, every, last_on in running.order_by("effective_on", "pk").iterator(
        chunk_size=2000
    ):
        assert effective_on is not None
        day = check_in_due(effective_on, every_weeks=every, last_on=last_on, as_of=as_of)
        if day is None or (key, day) in told or taken[owner] >= A_DAY:
            continue
        taken[owner] += 1
        days[key] = day
        if len(days) == AT_ONCE:
            break
    for action in with_solutions(Action.objects.filter(pk__in=days)).order_by("effective_on", "pk"):
        assert action.owner is not None
        yield Due(kind=Kind.CHECK_IN, action=action, to=action.owner, due_on=days[action.pk])


def _starts(before: date, full: Sequence[int]) -> Iterator[Due]:
    told = Reminder.objects.filter(kind=Kind.START, action=OuterRef("pk"), due_on=OuterRef("planned_on"))
    slipped = Action.objects.filter(~Exists(told), state=Action.State.PLANNED, planned_on__lt=before)
    for action in _first_of_each(slipped, full, "planned_on"):
        assert action.owner is not None
        assert action.planned_on is not None
        yield Due(kind=Kind.START, action=action, to=action.owner, due_on=action.planned_on)


def _drafts(before: date, full: Sequence[int]) -> Iterator[Due]:
    told = Reminder.objects.filter(kind=Kind.DRAFT, action=OuterRef("pk"), due_on=OuterRef("touched_on"))
    drafts = Action.objects.filter(state=Action.State.DRAFT).annotate(touched_on=TruncDate("updated_at"))
    left = drafts.filter(~Exists(told), touched_on__lt=before)
    for action in _first_of_each(left, full, "updated_at"):
        assert action.owner is not None
        yield Due(kind=Kind.DRAFT, action=action, to=action.owner, due_on=action.updated_at.date())


def _first_of_each(actions: QuerySet[Action], full: Sequence[int], order: str) -> QuerySet[Action]:
    """The first of each owner: one who left hundreds alone holds nobody else up."""
    owned = with_solutions(actions.filter(owner__isnull=False).exclude(owner__in=full))
    ranked = owned.annotate(nth=Window(RowNumber(), partition_by=["owner"], order_by=[order, "pk"]))
    return ranked.filter(nth__lte=A_DAY).order_by(order, "pk")[:AT_ONCE]


def _words_of_several(dues: Sequence[Due]) -> Callable[[], Message]:
    def say() -> Message:
        title = ngettext("%(count)s thing waits for you", "%(count)s things wait for you", len(dues))
        lines = [_words(due)().title for due in dues]
        return Message(title=title % {"count": len(dues)}, body="\n".join(lines))

    return say


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
