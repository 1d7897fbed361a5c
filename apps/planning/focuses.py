"""How many problems a unit works on at a time, and what leads decided about planning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.translation import ngettext

from apps.accounts.models import Unit
from apps.core.errors import CxplanError
from apps.planning.models import Action, PlanningRules
from apps.planning.selectors import OVERLAP
from apps.planning.states import OPEN
from apps.taxonomy.models import Challenge


class TooManyFocuses(CxplanError):
    code = "too_many_focuses"


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusLimit:
    """How many challenges a unit may work on at a time, seen from `as_of`."""

    at_most: int
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """A challenge a unit is busy with: planned, or applied and its result not known yet."""

    unit: str
    challenge: str
    external_id: str


def planning_rules() -> PlanningRules:
    return PlanningRules.objects.first() or PlanningRules()


def open_focuses(*, units: Sequence[Unit], as_of: date) -> list[Focus]:
    """One row a unit and challenge, in one query."""
    return [
        Focus(
            unit=action.unit.display_name,
            challenge=action.challenge.display_name,
            external_id=action.external_id,
        )
        for action in _busy(units, as_of=as_of)
    ]


def check_focus(*, units: Sequence[Unit], challenge: Challenge, limit: FocusLimit, reason: str) -> None:
    """Raises TooManyFocuses when a unit would work on too many challenges at a time, and nobody says why."""
    if not reason.strip() and (crowded := crowding(units=units, challenge=challenge, limit=limit)):
        raise TooManyFocuses(crowded, field="focus_reason")


def crowding(*, units: Sequence[Unit], challenge: Challenge, limit: FocusLimit) -> str:
    """In words, which unit would work on too many challenges at a time; empty where none would."""
    busy: dict[int, list[Action]] = {}
    for action in _busy(units, as_of=limit.as_of):
        busy.setdefault(action.unit_id, []).append(action)
    for actions in busy.values():
        if len(actions) >= limit.at_most and challenge.pk not in {action.challenge_id for action in actions}:
            message = ngettext(
                "%(unit)s works on %(count)s problem already: %(names)s. Say why one more is right now.",
                "%(unit)s works on %(count)s problems already: %(names)s. Say why one more is right now.",
                len(actions),
            )
            names = ", ".join(action.challenge.display_name for action in actions)
            return message % {"unit": actions[0].unit.display_name, "count": len(actions), "names": names}
    return ""


def _busy(units: Sequence[Unit], *, as_of: date) -> list[Action]:
    waits = Q(state__in=OPEN) | Q(state=Action.State.APPLIED, effective_on__gt=as_of - OVERLAP)
    actions = Action.objects.filter(waits, unit__in=units).select_related("unit", "challenge")
    return list(actions.order_by("unit", "challenge", "pk").distinct("unit", "challenge"))
