"""What becomes of actions whose unit closed: those in place end, those to come are handed over or withdrawn."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import Unit, User
from apps.accounts.regrouping import successors_of
from apps.core.errors import CxplanError
from apps.core.formats import exact_day
from apps.notifications.services import Message, notify
from apps.planning.applying import undo_application
from apps.planning.corrections import stop_action
from apps.planning.drawing import review_marks
from apps.planning.holding import locked, locked_plan, record_action
from apps.planning.models import Action, Reminder
from apps.planning.plans import refuse_duplicates
from apps.planning.selectors import solutions_of
from apps.planning.states import IN_EFFECT, OPEN, Step, next_state

AT_ONCE = 500


class NoSuccessor(CxplanError):
    code = "no_successor"


def ended_with_their_unit(*, as_of: date) -> list[Action]:
    """Actions still in place in units that closed."""
    rows = Action.objects.filter(state__in=IN_EFFECT, unit__closed_on__lte=as_of)
    return list(rows.select_related("unit").order_by("pk")[:AT_ONCE])


def left_behind(*, as_of: date) -> list[Action]:
    """Actions to come in units that close, whose owner was not told of it."""
    told = Reminder.objects.filter(
        kind=Reminder.Kind.CLOSED, action=OuterRef("pk"), due_on=OuterRef("unit__closed_on")
    )
    rows = Action.objects.filter(~Exists(told), state__in=OPEN, owner__isnull=False, unit__closed_on__isnull=False)
    return list(rows.select_related("unit", "owner", "challenge").order_by("pk")[:AT_ONCE])


@transaction.atomic
def end_with_unit(*, action: Action, at: datetime) -> None:
    """Stop what was in place on the day the unit closed; what had not begun by then is planned again."""
    action = locked(action)
    closed_on = action.unit.closed_on
    if closed_on is None or action.state not in IN_EFFECT or action.effective_on is None:
        return
    if action.effective_on >= closed_on and action.effective_on > at.date():
        undo_application(action=action, at=at, actor=None)
        return
    ended_on = max(closed_on, date.fromordinal(action.effective_on.toordinal() + 1))
    if ended_on > at.date():
        return
    with translation.override(action.owner.language if action.owner else None):
        reason = _("The unit closed.")
    stop_action(action=action, ended_on=ended_on, reason=reason, as_of=at.date(), actor=None)


@transaction.atomic
def tell_owner(*, action: Action, at: datetime) -> bool:
    """Once: the action waits in a unit that closes, and two taps settle it."""
    assert action.owner is not None
    assert action.unit.closed_on is not None
    closed_on = action.unit.closed_on
    _row, is_new = Reminder.objects.get_or_create(
        kind=Reminder.Kind.CLOSED, action=action, task=None, due_on=closed_on
    )

    def say() -> Message:
        values = {"what": action.challenge.display_name, "where": action.unit.display_name}
        return Message(
            title=_("%(where)s closes: what becomes of “%(what)s”?") % values,
            body=_("It closes on %(day)s. Hand the action over to its successor, or withdraw it.")
            % {"day": exact_day(closed_on)},
        )

    if is_new:
        url = reverse("planning:action", args=[action.external_id])
        notify(to=[action.owner], kind="planning.action.unit_closed", say=say, url=url, at=at)
    return is_new


def choices_of(action: Action) -> list[Unit]:
    """The units to which an action to come can be handed over."""
    if action.state not in OPEN or action.unit.closed_on is None:
        return []
    return successors_of(action.unit)


@transaction.atomic
def hand_over(*, action: Action, to: Unit, actor: User | None, seen_at: datetime | None = None) -> Action:
    """Take an action that was not applied to a successor of its closed unit.

    Raises ActionGone, ActionChanged, StepNotPossible, NoSuccessor, AlreadyPlanned.
    """
    plan = locked_plan(action)
    action = locked(action, seen_at=seen_at)
    next_state(Step.CHANGE, action.state)
    if to not in choices_of(action):
        raise NoSuccessor(_("%(unit)s did not take over from there.") % {"unit": to.display_name})
    refuse_duplicates(challenge=action.challenge, units=[to], solutions=solutions_of(action))
    if plan is not None and plan.actions.filter(unit=to, state__in=OPEN).exists():
        raise NoSuccessor(_("The plan includes %(unit)s already. Withdraw this one.") % {"unit": to.display_name})
    former = action.unit
    action.unit = to
    action.save(update_fields=["unit", "updated_at"])
    data = {"before": {"unit": former.code}, "after": {"unit": to.code}}
    record_action("handed_over", action, actor, data)
    review_marks(units=[former, to], actor=actor)
    return action
