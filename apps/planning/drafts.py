"""A plan made step by step: every step is saved, and the last one turns the draft into a plan."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.ideas.models import Idea
from apps.library.models import Playbook, Solution
from apps.planning.focuses import FocusLimit, check_focus
from apps.planning.freezing import codes
from apps.planning.holding import PlanChanged, held_plan, insert_action, record_action, set_fields
from apps.planning.models import Action, Plan, ReadyItem, ReadyScore, ReadyTick
from apps.planning.pilots import let_go_of_idea
from apps.planning.plans import refuse_duplicates
from apps.planning.rules import DateNotPossible, PlanIncomplete, require_current, require_solutions
from apps.planning.states import Step, StepNotPossible, next_state
from apps.planning.tasklist import set_open_tasks
from apps.taxonomy.models import Challenge

Stage = Plan.Stage
ORDER = list(Stage)


class Details(TypedDict):
    """What makes a plan concrete."""

    occasion: str
    place: str
    intention: str
    planned_on: date | None
    owner: User | None
    intended_effect: Decimal | None
    rhythm_weeks: int | None
    tasks: Sequence[str]


@transaction.atomic
def start_plan(
    *,
    challenge: Challenge,
    units: Sequence[Unit],
    solutions: Sequence[Solution] = (),
    owner: User | None,
    focus_reason: str = "",
    focus: FocusLimit,
    idea: Idea | None = None,
    actor: User | None,
) -> Plan:
    """Take on a challenge in `units`: a draft that waits at the choice of solutions.

    Raises PlanIncomplete, ChallengeNotCurrent, TooManyFocuses.
    """
    units = list(dict.fromkeys(units))
    if not units:
        raise PlanIncomplete(_("Choose where: at least one unit."), field="units")
    require_current(challenge)
    # Held so that a double tap, or a colleague at the same moment, does not pass the limit twice.
    list(Unit.objects.select_for_update(no_key=True).filter(pk__in=[u.pk for u in units]).order_by("pk"))
    check_focus(units=units, challenge=challenge, limit=focus, reason=focus_reason)
    plan = Plan.objects.create(
        challenge=challenge,
        target_metric=challenge.metric,
        owner=owner,
        stage=Stage.CHOOSE,
        focus_reason=focus_reason.strip(),
    )
    plan.solutions.set(solutions)
    data = {
        "challenge": challenge.code,
        "focus_reason": focus_reason.strip(),
        "idea": idea.pk if idea else None,
    }
    record(event="planning.plan.started", actor=actor, subject=plan, data=data)
    for unit in units:
        action = insert_action(external_id=None, plan=plan, unit=unit, challenge=challenge, owner=owner, idea=idea)
        record_action("drafted", action, actor, data)
    return plan


@transaction.atomic
def choose_solutions(
    *,
    plan: Plan,
    solutions: Sequence[Solution],
    playbook: Playbook | None = None,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Plan:
    """Raises PlanGone, PlanChanged, StepNotPossible, PlanIncomplete, SolutionNotUsable."""
    plan = _held(plan, seen_at=seen_at)
    require_solutions(solutions)
    before = codes(plan.solutions.all())
    plan.solutions.set(solutions)
    let_go_of_idea(plan, solutions)
    plan.playbook = playbook
    _advance(plan, Stage.CONCRETE, "playbook")
    data = {"before": {"solutions": before}, "after": {"solutions": codes(solutions)}}
    record(event="planning.plan.solutions_chosen", actor=actor, subject=plan, data=data)
    return plan


@transaction.atomic
def make_concrete(*, plan: Plan, details: Details, actor: User | None, seen_at: datetime | None = None) -> Plan:
    """Say who, when, where and how; the tasks and the start hold for every unit of the plan.

    Raises PlanGone, PlanChanged, StepNotPossible.
    """
    plan = _held(plan, seen_at=seen_at)
    names = ("occasion", "place", "intention", "owner", "intended_effect", "rhythm_weeks")
    before, after = set_fields(plan, names, details)
    _advance(plan, Stage.READY, *names)
    drafts = _drafts(plan)
    # Starts that were set apart, or drawn, stay: the one day entered here is for all units alike.
    is_one_start = len({action.planned_on for action in drafts}) <= 1
    told = ("planned_on", "owner") if is_one_start else ("owner",)
    for action in drafts:
        old, new = set_fields(action, told, details)
        action.save(update_fields=["planned_on", "owner", "updated_at"])
        before, after = before | old, after | new
        set_open_tasks(action=action, titles=details["tasks"])
    if after:
        data = {"before": before, "after": after}
        record(event="planning.plan.made_concrete", actor=actor, subject=plan, data=data)
    return plan


@transaction.atomic
def tick_ready(
    *,
    plan: Plan,
    items: Sequence[ReadyItem],
    scores: Mapping[str, int] | None = None,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Plan:
    """Keep which questions are answered with yes, and the scores by aspect (None leaves them as they are).

    No score is asked for and none is too low. Raises PlanGone, PlanChanged, StepNotPossible.
    """
    plan = _held(plan, seen_at=seen_at)
    if scores is not None:
        plan.ready_scores.all().delete()
        rows = [ReadyScore(plan=plan, aspect=aspect, score=score) for aspect, score in scores.items()]
        ReadyScore.objects.bulk_create(rows)
    plan.ready_ticks.exclude(item__in=items).delete()
    ReadyTick.objects.bulk_create([ReadyTick(plan=plan, item=item) for item in items], ignore_conflicts=True)
    _advance(plan, Stage.AGREE)
    data: dict[str, object] = {"ticked": [item.label for item in items]}
    if scores is not None:
        data["scores"] = dict(scores)
    record(event="planning.plan.readiness_checked", actor=actor, subject=plan, data=data)
    return plan


@transaction.atomic
def agree_plan(*, plan: Plan, as_of: date, actor: User | None, seen_at: datetime | None = None) -> list[Action]:
    """The draft becomes a plan in each of its units; only a missing start or solution stands against it.

    Raises PlanGone, PlanChanged, StepNotPossible, PlanIncomplete, SolutionNotUsable, DateNotPossible,
    ChallengeNotCurrent, AlreadyPlanned.
    """
    plan = _held(plan, seen_at=seen_at)
    solutions = list(plan.solutions.all())
    require_solutions(solutions)
    require_current(plan.challenge)
    actions = _drafts(plan)
    units = [action.unit for action in actions]
    list(Unit.objects.select_for_update(no_key=True).filter(pk__in=[u.pk for u in units]).order_by("pk"))
    refuse_duplicates(challenge=plan.challenge, units=units, solutions=solutions, without=plan)
    for action in actions:
        if action.planned_on is None:
            raise PlanIncomplete(_("Choose a day, so that it does not slip."), field="planned_on")
        if action.planned_on < as_of:
            raise DateNotPossible(_("The planned start is over. Choose a day to come."), field="planned_on")
        action.state = next_state(Step.PLAN, action.state)
        action.save(update_fields=["state", "updated_at"])
        data = {"planned_on": action.planned_on, "solutions": codes(solutions)}
        record_action("planned", action, actor, data)
    plan.target_metric = plan.challenge.metric
    _advance(plan, Stage.AGREED, "target_metric")
    data = {"challenge": plan.challenge.code, "solutions": codes(solutions)}
    record(event="planning.plan.created", actor=actor, subject=plan, data=data)
    return actions


def _held(plan: Plan, *, seen_at: datetime | None) -> Plan:
    """The draft as it stands in the database, held until the end of the transaction."""
    current = held_plan(plan)
    if current.stage == Stage.AGREED:
        raise StepNotPossible(_("This plan is agreed already. Change it on the page of its action."))
    if seen_at is not None and current.updated_at != seen_at:
        raise PlanChanged(version=current.updated_at.isoformat())
    return current


def _drafts(plan: Plan) -> list[Action]:
    actions = plan.actions.select_for_update(of=("self",)).filter(state=Action.State.DRAFT)
    return list(actions.select_related("unit", "owner").order_by("pk"))


def _advance(plan: Plan, stage: Stage, *fields: str) -> None:
    """Save, and move on to `stage` unless the plan is further already."""
    plan.stage = max(Stage(plan.stage), stage, key=ORDER.index)
    plan.save(update_fields=["stage", "updated_at", *fields])
