"""Who used a solution and can be asked about it?"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts.models import Membership, Role, Scope
from apps.library.models import Solution
from apps.planning.models import Action

SHOWN = 6
# The newest uses are read; who used it long ago remembers least.
USES_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitToAsk:
    """A unit in which the solution was used, and who answers for it."""

    unit: str
    external_id: str
    people: tuple[tuple[str, str], ...]


def units_to_ask(*, solution: Solution, scope: Scope) -> Sequence[UnitToAsk]:
    """The units in `scope` that used the solution last, with their managers or else the action's owner."""
    actions = (
        Action.objects.took_effect()
        .in_scope(scope)
        .filter(solutions__version__solution=solution)
        .select_related("unit", "owner")
        .order_by("-effective_on", "-pk")[:USES_READ]
    )
    newest: dict[int, Action] = {}
    for action in actions:
        newest.setdefault(action.unit_id, action)
    shown = list(newest.values())[:SHOWN]
    managers: dict[int, list[tuple[str, str]]] = {}
    members = Membership.objects.filter(
        unit__in=[action.unit_id for action in shown], role=Role.MANAGER, user__is_active=True
    )
    for member in members.select_related("user").order_by("user__name", "pk"):
        managers.setdefault(member.unit_id, []).append((str(member.user), member.user.email))
    return [
        UnitToAsk(
            unit=action.unit.display_name,
            external_id=action.external_id,
            people=tuple(managers.get(action.unit_id, ()))
            or (((str(action.owner), action.owner.email),) if action.owner and action.owner.is_active else ()),
        )
        for action in shown
    ]
