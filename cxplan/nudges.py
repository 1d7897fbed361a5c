"""Which of the conditions of a nudge hold for a manager's unit, and how each is said."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.core import formats
from apps.impact.focus import FocusRow, Result
from apps.impact.models import Effect
from apps.notifications.letters import ignored_nudges
from apps.notifications.nudging import Condition, Limits, Silence, Standing, decide
from apps.notifications.selectors import open_conversation, results_seen_at
from apps.planning.models import Action, CheckIn
from apps.planning.selectors import solutions_of, with_solutions
from apps.planning.states import FROZEN, OPEN

SEEN_LATELY = timedelta(days=35)
READY_LATELY = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Intro, why you get it, one concrete thing this week, the reason for it, and where to do it."""

    condition: Condition
    title: str
    why: str
    thing: str
    reason: str
    url: str

    @property
    def text(self) -> str:
        return "\n".join(part for part in (self.thing, self.reason, self.why) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What is known of a unit when the letter of a week is written."""

    answers: int
    challenges: tuple[FocusRow, ...]
    results: tuple[Result, ...]


def choose_nudge(
    *, user: User, unit: Unit, facts: UnitFacts, is_wanted: bool, week: date, now: datetime
) -> Nudge | Silence:
    """One thing for this week, or why there is none; a constant number of queries."""
    today = timezone.localdate(now, ZoneInfo(unit.timezone))
    said = _sayings(user=user, unit=unit, facts=facts, today=today, now=now)
    decision = decide(
        Standing(
            is_wanted=is_wanted,
            was_nudged_this_week=False,
            ignored=ignored_nudges(user=user, before=week),
            answers=facts.answers,
            is_talking=open_conversation(unit=unit, on=today) is not None,
            holding=frozenset(said),
        ),
        Limits(
            minimum_answers=settings.NUDGE_MINIMUM_ANSWERS,
            ignored_before_mute=settings.NUDGES_IGNORED_BEFORE_MUTE,
        ),
    )
    return said[decision]() if isinstance(decision, Condition) else decision


def _sayings(
    *, user: User, unit: Unit, facts: UnitFacts, today: date, now: datetime
) -> dict[Condition, Callable[[], Nudge]]:
    """The conditions that hold, each with how it is said."""
    actions = with_solutions(Action.objects.filter(unit__path__startswith=unit.path))
    waiting = actions.filter(state__in=OPEN).order_by("planned_on", "pk").first()
    quiet = _quiet_action(unit, today)
    has_acted = actions.filter(state__in=FROZEN).exists()
    ready = next((result for result in facts.results if result.ready_on >= today - READY_LATELY), None)
    seen_at = results_seen_at(user=user, unit=unit)
    said: dict[Condition, Callable[[], Nudge]] = {}
    if ready is not None:
        said[Condition.READY] = lambda: _ready(ready)
    if quiet is not None:
        said[Condition.QUIET] = lambda: _quiet(quiet, today)
    if waiting is not None and not has_acted:
        said[Condition.NOT_APPLIED] = lambda: _not_applied(waiting, today)
    if seen_at is None or seen_at < now - SEEN_LATELY:
        said[Condition.UNSEEN] = lambda: _unseen(unit, facts)
    elif waiting is None and not has_acted and facts.challenges:
        said[Condition.NO_FOCUS] = lambda: _no_focus(unit, facts.challenges[0])
    return said


def _quiet_action(unit: Unit, today: date) -> Action | None:
    """An action in effect that is not judged yet and that nobody wrote about for a month."""
    since = today - timedelta(days=settings.NUDGE_QUIET_DAYS)
    known = Effect.objects.on_target().filter(action=OuterRef("pk"), status=Effect.Status.ESTIMATED)
    spoken = CheckIn.objects.filter(action=OuterRef("pk"), made_on__gt=since)
    return (
        with_solutions(Action.objects.filter(~Exists(known), ~Exists(spoken), unit__path__startswith=unit.path))
        .filter(state=Action.State.APPLIED, effective_on__lte=since, updated_at__date__lte=since)
        .order_by("-effective_on", "pk")
        .first()
    )


def _names(action: Action) -> str:
    return " + ".join(solution.display_title for solution in solutions_of(action)) or action.challenge.display_name


def _ready(result: Result) -> Nudge:
    return Nudge(
        condition=Condition.READY,
        title=_("A result is ready: %(solution)s") % {"solution": " + ".join(result.solutions)},
        why=_("You get this because your unit put it in place and its effect is now measured."),
        thing=_("This week: read the result and decide whether to keep it, change it or stop it."),
        reason=_("%(unit)s, %(challenge)s: compared with similar units that did not do it.")
        % {"unit": result.unit_name, "challenge": result.challenge},
        url=reverse("planning:action", args=[result.external_id]),
    )


def _quiet(action: Action, today: date) -> Nudge:
    days = (today - action.effective_on).days if action.effective_on else 0
    return Nudge(
        condition=Condition.QUIET,
        title=_("Is it still happening? %(solution)s") % {"solution": _names(action)},
        why=_("You get this because nobody wrote about it for a month."),
        thing=_("This week: ask the people on the spot, and note in a minute what you hear."),
        reason=_("It is in place for %(days)s. A solution that is not done cannot show an effect.")
        % {"days": formats.counted(days, "day")},
        url=reverse("planning:action", args=[action.external_id]),
    )


def _not_applied(action: Action, today: date) -> Nudge:
    planned = (
        _("It was planned for %(day)s.") % {"day": formats.short_day(action.planned_on, today)}
        if action.planned_on
        else _("It has no day yet.")
    )
    return Nudge(
        condition=Condition.NOT_APPLIED,
        title=_("Ready to start? %(solution)s") % {"solution": _names(action)},
        why=_("You get this because you chose a challenge and nothing is in place yet."),
        thing=_("This week: put it in place in one shift, and mark the day."),
        reason=planned,
        url=reverse("planning:action", args=[action.external_id]),
    )


def _no_focus(unit: Unit, row: FocusRow) -> Nudge:
    proven = (
        _("Best proven against it: %(solution)s.") % {"solution": row.best_solution} if row.best_solution else ""
    )
    share = _("It is %(share)s of what %(unit)s loses.") % {
        "share": formats.percent(row.share),
        "unit": unit.display_name,
    }
    return Nudge(
        condition=Condition.NO_FOCUS,
        title=_("One challenge to pick: %(challenge)s") % {"challenge": row.name},
        why=_("You get this because you looked at your results and chose nothing to work on yet."),
        thing=_("This week: open it and pick one solution to try."),
        reason=" ".join(part for part in (share, proven) if part),
        url=reverse("taxonomy:challenge", args=[row.code]),
    )


def _unseen(unit: Unit, facts: UnitFacts) -> Nudge:
    return Nudge(
        condition=Condition.UNSEEN,
        title=_("What your customers said: %(unit)s") % {"unit": unit.display_name},
        why=_("You get this because you have not looked at the results of your unit for a month."),
        thing=_("This week: take five minutes to read them, and share one with your team."),
        reason=_("%(answers)s in the last 12 weeks.") % {"answers": formats.counted(facts.answers, "answer")},
        url=reverse("feedback:unit", args=[unit.code]),
    )
