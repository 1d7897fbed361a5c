"""Which solutions a unit does not want against a challenge, why, and how many units say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, Unit, User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import Solution
from apps.planning.dismissal import Dismissal
from apps.taxonomy.models import Challenge


class ReasonUnknown(CxplanError):
    code = "reason_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissed:
    """A solution the unit does not want."""

    code: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """How many units said no to a solution, and the reason most of them gave."""

    solution_id: int
    title: str
    code: str
    units: int
    reasons: tuple[tuple[str, int], ...]


@transaction.atomic
def dismiss_solution(
    *, unit: Unit, challenge: Challenge, solution: Solution, reason: str, actor: User | None
) -> Dismissal:
    """Remember that `unit` does not want `solution`; another reason replaces the one of before."""
    if reason not in Dismissal.Reason.values:
        raise ReasonUnknown(_("Choose one of the reasons."), field="reason")
    dismissal, _is_new = Dismissal.objects.update_or_create(
        unit=unit, challenge=challenge.standing, solution=solution, defaults={"reason": reason, "person": actor}
    )
    record(event="planning.solution.dismissed", actor=actor, subject=unit, data=_told(dismissal))
    return dismissal


@transaction.atomic
def take_back_dismissal(*, unit: Unit, challenge: Challenge, solution: Solution, actor: User | None) -> bool:
    """Offer it again; False when nobody had said no."""
    rows = Dismissal.objects.select_for_update().filter(
        unit=unit, challenge__in=Challenge.objects.standing_for(challenge), solution=solution
    )
    found = list(rows)
    for dismissal in found:
        record(event="planning.solution.wanted_again", actor=actor, subject=unit, data=_told(dismissal))
    rows.delete()
    return bool(found)


def dismissed_by(*, unit: Unit, challenge: Challenge) -> Mapping[int, Dismissed]:
    """What the unit does not want against the challenge, by the solution's id."""
    rows = Dismissal.objects.filter(unit=unit, challenge__in=Challenge.objects.standing_for(challenge))
    return {
        row.solution_id: Dismissed(
            code=row.solution.code, title=row.solution.display_title, reason=row.get_reason_display()
        )
        for row in rows.select_related("solution").order_by("created_at", "pk")
    }


def refusals_of(
    *, scope: Scope, challenge: Challenge | None = None, solution: Solution | None = None
) -> Sequence[Refusals]:
    """How many units in `scope` said no, by solution, the most refused first, in one query."""
    rows = Dismissal.objects.in_scope(scope)
    if challenge is not None:
        rows = rows.filter(challenge__in=Challenge.objects.standing_for(challenge))
    if solution is not None:
        rows = rows.filter(solution=solution)
    counted = (
        rows.values("solution", "solution__code", "solution__title", "solution__title_fr", "reason")
        .annotate(units=Count("unit", distinct=True))
        .order_by("solution", "-units", "reason")
    )
    found: dict[int, Refusals] = {}
    for row in counted:
        before = found.get(row["solution"])
        said = (str(Dismissal.Reason(row["reason"]).label), row["units"])
        named = Solution(title=row["solution__title"], title_fr=row["solution__title_fr"])
        found[row["solution"]] = Refusals(
            solution_id=row["solution"],
            title=named.display_title,
            code=row["solution__code"],
            units=row["units"] + (before.units if before else 0),
            reasons=(*before.reasons, said) if before else (said,),
        )
    return sorted(found.values(), key=lambda one: (-one.units, one.code))


def _told(dismissal: Dismissal) -> dict[str, str]:
    return {
        "unit": dismissal.unit.code,
        "challenge": dismissal.challenge.code,
        "solution": dismissal.solution.code,
        "reason": dismissal.reason,
    }
