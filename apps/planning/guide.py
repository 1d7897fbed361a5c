"""What a plan made step by step shows: its steps, what may be chosen, what becomes a task, whether it is ready."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, Unit
from apps.core.formats import day_as_said, weeks_of_days
from apps.library.models import Playbook, PlaybookSolution, Solution, SolutionVersion
from apps.planning.models import Action, Plan, ReadyItem, ReadyScore, Task
from apps.planning.procedures import lines_of
from apps.planning.selectors import OVERLAP, Nearby, nearby
from apps.taxonomy.models import Challenge

# A change takes hold within three weeks; they are the first of those in `OVERLAP`.
RAMP_WEEKS = 3
Stage = Plan.Stage
STAGES = (Stage.FOCUS, Stage.CHOOSE, Stage.CONCRETE, Stage.READY, Stage.AGREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStep:
    label: str
    state: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the checklist; an open point warns, it never blocks."""

    label: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    checks: tuple[Check, ...]
    nearby: Nearby


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectScore:
    """One line of the small profile: `score` of 5."""

    label: str
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookChoice:
    code: str
    title: str
    rationale: str
    solutions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What will be looked at, and when it can be known; `metric` is empty where nothing can be measured."""

    metric: str
    planned_on: date | None
    shows_on: date | None
    known_on: date | None
    lag_weeks: int


def drafts_in(scope: Scope) -> QuerySet[Plan]:
    """Plans still being made, all of whose units lie in `scope`."""
    actions = Action.objects.filter(plan=OuterRef("pk"))
    inside = Action.objects.in_scope(scope).filter(plan=OuterRef("pk"))
    return (
        Plan.objects.exclude(stage=Stage.AGREED)
        .filter(Exists(inside))
        .exclude(Exists(actions.exclude(scope.condition("unit__"))))
        .select_related("challenge__metric", "challenge__merged_into", "owner", "playbook")
    )


def units_of(plan: Plan) -> list[Unit]:
    return list(Unit.objects.filter(pk__in=plan.actions.values("unit")).order_by("name", "pk"))


def planned_start(plan: Plan) -> date | None:
    days = plan.actions.exclude(planned_on=None).order_by("planned_on").values_list("planned_on", flat=True)
    return days.first()


def starts_of(plan: Plan, *, usual: date) -> dict[int, date]:
    """The planned start in each unit, by the unit's id; `usual` where there is none, or it is over."""
    rows = plan.actions.order_by("planned_on", "pk").values_list("unit", "planned_on")
    return {unit: max(day, usual) if day else usual for unit, day in rows}


def lag_of(solutions: Iterable[Solution]) -> int:
    """The longest time one of the solutions takes to show, in days."""
    return max((solution.lag_days for solution in solutions), default=0)


def full_result_on(start: date, *, lag_days: int) -> date:
    """When all weeks that judge an action are over; what shows within the ramp puts nothing off."""
    return start + OVERLAP + timedelta(weeks=max(0, -(-lag_days // 7) - RAMP_WEEKS))


def open_task_titles(plan: Plan) -> list[str]:
    """What is to be done in the plan's first unit, in order."""
    first = plan.actions.order_by("pk").values("pk")[:1]
    return list(
        Task.objects.open().filter(action__in=first).order_by("position", "pk").values_list("title", flat=True)
    )


def steps_of(plan: Plan | None, *, here: Stage) -> list[GuideStep]:
    """The stepper; a step that was reached can be gone back to."""
    reached = STAGES.index(Stage(plan.stage)) if plan else 0
    steps = []
    for position, stage in enumerate(STAGES):
        state = "current" if stage == here else "done" if position < reached else "future"
        is_open = plan is not None and stage not in (here, Stage.FOCUS) and position <= reached
        url = reverse(f"planning:guide-{stage.value}", args=[plan.pk]) if plan and is_open else ""
        steps.append(GuideStep(label=str(stage.label), state=state, url=url))
    return steps


def playbooks_for(challenge: Challenge) -> list[PlaybookChoice]:
    """Published playbooks with a solution known for the challenge, all of whose solutions are in use."""
    unusable = PlaybookSolution.objects.filter(playbook=OuterRef("pk")).exclude(
        solution__status=Solution.Status.PUBLISHED
    )
    found = (
        Playbook.objects.published()
        .filter(Q(solutions__links__challenge=challenge), ~Exists(unusable))
        .distinct()
        .order_by("title", "pk")
        .prefetch_related(Prefetch("solutions", Solution.objects.order_by("title", "pk")))
    )
    return [
        PlaybookChoice(
            code=playbook.code,
            title=playbook.display_title,
            rationale=playbook.display_rationale,
            solutions=tuple(solution.display_title for solution in playbook.solutions.all()),
        )
        for playbook in found[:10]
    ]


def procedure_lines(solutions: Sequence[Solution]) -> list[str]:
    """What the newest recipes say is to be done, in the reader's language where it is written in it."""
    language = (get_language() or "en")[:2]
    newest = (
        SolutionVersion.objects.filter(solution__in=solutions)
        .order_by("solution", "-number")
        .distinct("solution")
        .prefetch_related("translations")
    )
    lines: list[str] = []
    for version in newest:
        told = next((one for one in version.translations.all() if one.language[:2] == language), None)
        own = lines_of(told.procedure, body=told.body) if told else []
        lines += own or lines_of(version.procedure, body=version.body)
    return list(dict.fromkeys(lines))


def prospect(plan: Plan, *, solutions: Sequence[Solution], planned_on: date | None) -> Prospect:
    lag = lag_of(solutions)
    metric = plan.challenge.metric
    return Prospect(
        metric=metric.display_name if metric else "",
        planned_on=planned_on,
        shows_on=planned_on + timedelta(days=lag) if planned_on and lag else None,
        known_on=full_result_on(planned_on, lag_days=lag) if planned_on and metric else None,
        lag_weeks=weeks_of_days(lag),
    )


def readiness(plan: Plan, *, units: Sequence[Unit], planned_on: date | None, as_of: date) -> Readiness:
    """What planning can check by itself; what the data say is told by whoever sees them."""
    around = nearby(units=units, challenge=plan.challenge, on=planned_on or as_of)
    own = set(plan.actions.values_list("external_id", flat=True))
    overlaps = [one for one in around.overlaps if one.external_id not in own]
    is_dated = planned_on is not None and planned_on >= as_of
    checks = (
        Check(
            label=_("It has a start"),
            state="done" if is_dated else "warn",
            note=day_as_said(planned_on, as_of)
            if is_dated and planned_on
            else _("Without a day to come the plan can't be agreed."),
        ),
        Check(
            label=_("Somebody sees to it"),
            state="done" if plan.owner else "warn",
            note=str(plan.owner or _("Nobody yet.")),
        ),
        Check(
            label=_("It says when, where and how"),
            state="done" if plan.occasion and plan.place and plan.intention else "warn",
            note="" if plan.occasion and plan.place else _("Plans that say this are kept far more often."),
        ),
        Check(
            label=_("Nothing else aims at the same measure around then"),
            state="warn" if overlaps else "done",
            note=_("Two things at once can't be told apart: %(names)s.")
            % {"names": ", ".join(sorted({" + ".join(one.solutions) for one in overlaps}))}
            if overlaps
            else "",
        ),
        Check(
            label=_("No event in these weeks"),
            state="warn" if around.events else "done",
            note=", ".join(f"{event.name} ({event.period})" for event in around.events[:5]),
        ),
    )
    return Readiness(checks=checks, nearby=around)


def profile_of(plan: Plan | None) -> list[AspectScore]:
    """Where those who talked about the plan see it; aspects nobody scored are left out."""
    if plan is None:
        return []
    scores = {row.aspect: row.score for row in plan.ready_scores.all()}
    return [
        AspectScore(label=str(aspect.label), score=scores[aspect])
        for aspect in ReadyScore.Aspect
        if aspect in scores
    ]


def ready_items() -> list[ReadyItem]:
    """The questions leads want asked before a start."""
    return list(ReadyItem.objects.filter(retired_at=None).order_by("position", "pk"))
