"""The order of a roll-out drawn by lot: frozen with its seed, kept honest, and read out when it can be known."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.notifications.services import Message, notify
from apps.planning.draws import FEWEST_UNITS, MOST_STEPS, MOST_WEEKS, draw_steps, start_of
from apps.planning.holding import held_plan, record_action
from apps.planning.models import Action, Draw, DrawnUnit, Plan
from apps.planning.rules import PLANNED_AHEAD, DateNotPossible, require_reason
from apps.planning.selectors import OVERLAP
from apps.planning.states import FROZEN, OPEN

Breach = DrawnUnit.Breach
AT_ONCE = 500


class DrawNotPossible(CxplanError):
    code = "draw_not_possible"


@transaction.atomic
def draw_plan(
    *,
    plan: Plan,
    steps: int,
    gap_weeks: int,
    first_on: date,
    seed: int,
    reason: str = "",
    at: datetime,
    actor: User | None,
    seen_at: datetime | None = None,
) -> Draw:
    """Draw in which step each waiting unit starts; a second draw needs a reason and keeps the first.

    Raises PlanGone, PlanChanged, DrawNotPossible, DateNotPossible, ReasonMissing.
    """
    plan = held_plan(plan, seen_at=seen_at)
    actions = _waiting(plan)
    _check_design(len(actions), steps=steps, gap_weeks=gap_weeks, first_on=first_on, as_of=at.date())
    former = plan.draws.filter(replaced_at=None).first()
    if former is not None:
        require_reason(reason)
        former.replaced_at = at
        former.save(update_fields=["replaced_at"])
    regions = {action.unit.code: action.unit.region for action in actions}
    drawn = draw_steps(regions, steps=steps, seed=seed)
    starts = {code: start_of(step, first_on=first_on, gap_weeks=gap_weeks) for code, step in drawn.items()}
    draw = Draw.objects.create(
        plan=plan,
        seed=seed,
        steps=steps,
        gap_weeks=gap_weeks,
        first_on=first_on,
        drawn_at=at,
        drawn_by=actor,
        reason=reason.strip(),
        reads_on=read_out_on(plan, last_start=max(starts.values())),
    )
    DrawnUnit.objects.bulk_create(
        [
            DrawnUnit(
                draw=draw,
                unit=action.unit,
                region=action.unit.region,
                step=drawn[action.unit.code],
                starts_on=starts[action.unit.code],
            )
            for action in actions
        ]
    )
    for action in actions:
        before = action.planned_on
        action.planned_on, action.is_randomised = starts[action.unit.code], True
        action.save(update_fields=["planned_on", "is_randomised", "updated_at"])
        data = {"before": {"planned_on": before}, "after": {"planned_on": action.planned_on}, "seed": seed}
        record_action("drawn", action, actor, data)
    plan.is_randomised = True
    plan.save(update_fields=["is_randomised", "updated_at"])
    data = {
        "seed": seed,
        "steps": steps,
        "gap_weeks": gap_weeks,
        "first_on": first_on,
        "units": [{"code": code, "region": regions[code], "step": drawn[code]} for code in sorted(drawn)],
        "intended_effect": plan.intended_effect,
        "reason": reason.strip(),
        "replaces": former.pk if former else None,
    }
    record(event="planning.plan.drawn", actor=actor, subject=plan, data=data)
    return draw


@transaction.atomic
def review_marks(*, units: Sequence[Unit] = (), draws: Sequence[Draw] = (), actor: User | None) -> int:
    """Withhold the mark “drawn by lot” where the lot no longer decided, give it back where it does again.

    Looks at the standing draws given and at those of `units`; returns how many marks changed.
    """
    standing = DrawnUnit.objects.filter(draw__replaced_at=None)
    rows = list(
        standing.filter(Q(draw__in=draws) | Q(unit__in=units)).select_related("draw__plan", "unit").order_by("pk")
    )
    if not rows:
        return 0
    actions = {
        (action.plan_id, action.unit_id): action
        for action in Action.objects.select_for_update(of=("self",)).filter(
            plan__in={row.draw.plan_id for row in rows}, unit__in={row.unit_id for row in rows}
        ).order_by("pk")
    }  # fmt: skip
    others = _others(rows)
    changed = 0
    for row in rows:
        action = actions.get((row.draw.plan_id, row.unit_id))
        breach = _breach(row, action, others.get(row.unit_id, []))
        if breach != row.breach:
            row.breach = breach
            row.save(update_fields=["breach"])
            changed += 1
            if action is not None:
                _mark(action, breach, actor)
    return changed


def draws_to_review(*, as_of: date) -> list[Draw]:
    """Standing draws whose read-out is still to come, or not long past."""
    draws = Draw.objects.filter(replaced_at=None, reads_on__gte=as_of - timedelta(weeks=4))
    return list(draws.order_by("pk")[:AT_ONCE])


def due_read_outs(*, as_of: date) -> list[Draw]:
    """Draws whose primary windows should all be over, and whose owner was not told."""
    due = Draw.objects.filter(replaced_at=None, told_at=None, reads_on__lte=as_of)
    return list(
        due.select_related("plan__owner", "plan__challenge", "drawn_by").order_by("reads_on", "pk")[:AT_ONCE]
    )


@transaction.atomic
def read_out(*, draw: Draw, at: datetime) -> bool:
    """Tell the owner, once, that the result can be read; a unit that started late puts it off."""
    held = Draw.objects.select_for_update(of=("self",)).filter(pk=draw.pk, told_at=None, replaced_at=None).first()
    if held is None:
        return False
    last = _last_start(held.plan)
    reads_on = read_out_on(held.plan, last_start=last) if last else held.reads_on
    if reads_on > at.date():
        held.reads_on = reads_on
        held.save(update_fields=["reads_on"])
        return False
    held.told_at = at
    held.save(update_fields=["told_at"])
    owner = held.plan.owner or held.drawn_by
    challenge = held.plan.challenge

    def say() -> Message:
        return Message(
            title=_("Your fair test can be read: %(challenge)s") % {"challenge": challenge.display_name},
            body=_("The last unit has been followed long enough. See what the roll-out changed."),
        )

    if owner is not None:
        notify(
            to=[owner],
            kind="planning.draw.readable",
            say=say,
            url=reverse("planning:rollout", args=[held.plan_id]),
            at=at,
        )
    return True


def read_out_on(plan: Plan, *, last_start: date) -> date:
    """When the primary window of the last start is over, the solutions' own delay included."""
    lag = max((solution.lag_days or 0 for solution in plan.solutions.all()), default=0)
    return last_start + OVERLAP + timedelta(days=-(-lag // 7) * 7)


def _waiting(plan: Plan) -> list[Action]:
    rows = plan.actions.select_for_update(of=("self",)).filter(state__in=OPEN)
    return list(rows.select_related("unit").order_by("unit__code", "pk"))


def _check_design(count: int, *, steps: int, gap_weeks: int, first_on: date, as_of: date) -> None:
    if count < FEWEST_UNITS:
        message = ngettext(
            "A fair test needs %(least)s units that have not started; this plan has %(count)s.",
            "A fair test needs %(least)s units that have not started; this plan has %(count)s.",
            count,
        )
        raise DrawNotPossible(message % {"least": FEWEST_UNITS, "count": count})
    if not 2 <= steps <= min(MOST_STEPS, count):
        most = min(MOST_STEPS, count)
        raise DrawNotPossible(_("Choose 2 to %(most)s start dates.") % {"most": most}, field="steps")
    if not 1 <= gap_weeks <= MOST_WEEKS:
        raise DrawNotPossible(_("Choose 1 to %(most)s weeks.") % {"most": MOST_WEEKS}, field="gap_weeks")
    if first_on < as_of:
        raise DateNotPossible(_("The planned start is over. Choose a day to come."), field="first_on")
    if first_on > as_of + PLANNED_AHEAD:
        raise DateNotPossible(_("This date is more than two years ahead. Check the year."), field="first_on")


def _others(rows: Sequence[DrawnUnit]) -> dict[int, list[Action]]:
    """What took effect in the drawn units, by unit."""
    found: dict[int, list[Action]] = {}
    since = min(row.draw.drawn_at for row in rows).date()
    actions = Action.objects.filter(
        unit__in={row.unit_id for row in rows}, state__in=FROZEN, effective_on__gte=since
    ).order_by("pk")
    for action in actions:
        found.setdefault(action.unit_id, []).append(action)
    return found


def _breach(row: DrawnUnit, action: Action | None, others: Sequence[Action]) -> str:
    if action is None:
        return Breach.GONE
    began = action.effective_on
    if began is not None and began < row.starts_on:
        return Breach.EARLY
    if any(_got_in_between(row, action, other) for other in others):
        return Breach.OTHER
    if began is None:
        return "" if action.planned_on == row.starts_on else Breach.MOVED
    return Breach.LATE if began >= row.starts_on + timedelta(weeks=row.draw.gap_weeks) else ""


def _got_in_between(row: DrawnUnit, action: Action, other: Action) -> bool:
    """Whether another action for the same problem took effect between the draw and the unit's own start."""
    if other.pk == action.pk or other.effective_on is None:
        return False
    plan = row.draw.plan
    aims_at = other.target_metric_id == plan.target_metric_id if plan.target_metric_id else (
        other.challenge_id == plan.challenge_id
    )  # fmt: skip
    until = action.effective_on or row.starts_on
    return aims_at and row.draw.drawn_at.date() <= other.effective_on <= until


def _mark(action: Action, breach: str, actor: User | None) -> None:
    if action.is_randomised == (not breach):
        return
    action.is_randomised = not breach
    action.save(update_fields=["is_randomised", "updated_at"])
    what = "mark_withheld" if breach else "mark_given_back"
    record_action(what, action, actor, {"reason": breach})


def _last_start(plan: Plan) -> date | None:
    days = [action.effective_on or action.planned_on for action in plan.actions.all()]
    return max((day for day in days if day is not None), default=None)
