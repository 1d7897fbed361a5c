"""What an action keeps of its solutions for good, and what the audit keeps of an action."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.library.models import Solution, SolutionLink, SolutionVersion
from apps.planning.models import Action, ActionSolution
from apps.planning.rules import FidelityOutOfRange, SolutionNotUsable, require_solutions
from apps.taxonomy.models import Challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSolution:
    """How one solution was put in place; without a `version` the newest one is frozen."""

    solution: Solution
    version: SolutionVersion | None = None
    dose: str = ""
    fidelity: int | None = None
    adaptation: str = ""


def freeze(
    action: Action, solutions: Sequence[AppliedSolution], *, kept: dict[int, SolutionVersion] | None = None
) -> None:
    """Keep with the action the text and the manner in which each solution was applied."""
    require_solutions([applied.solution for applied in solutions], retired_too=True)
    keys = [applied.solution.pk for applied in solutions]
    newest = SolutionVersion.objects.filter(solution__in=keys).order_by("solution", "-number").distinct("solution")
    versions = {version.solution_id: version for version in newest} | (kept or {})
    rows = []
    for applied in {applied.solution.pk: applied for applied in solutions}.values():
        version = applied.version or versions.get(applied.solution.pk)
        if version is None or version.solution_id != applied.solution.pk:
            raise SolutionNotUsable(
                _("%(solution)s has no text yet. Describe it in the library first.")
                % {"solution": applied.solution.display_title},
                field="solutions",
            )
        if applied.fidelity is not None and not 0 <= applied.fidelity <= 100:
            raise FidelityOutOfRange(_("Fidelity is a number from 0 to 100."), field="fidelity")
        rows.append(
            ActionSolution(
                action=action,
                version=version,
                dose=applied.dose.strip(),
                fidelity=applied.fidelity,
                adaptation=applied.adaptation.strip(),
            )
        )
    ActionSolution.objects.bulk_create(rows)
    link_solutions(action.challenge, keys)


def link_solutions(challenge: Challenge, solution_ids: Iterable[int]) -> None:
    """A solution used for a challenge it was not known for becomes known for it, marked as seen in use."""
    SolutionLink.objects.bulk_create(
        [SolutionLink(challenge=challenge, solution_id=key, is_seen_in_use=True) for key in solution_ids],
        ignore_conflicts=True,
    )


def snapshot(action: Action) -> dict[str, Any]:
    """What the audit keeps of an applied action."""
    used = action.solutions.select_related("version__solution").order_by("version__solution__code")
    return {
        "effective_on": plain(action.effective_on),
        "ended_on": plain(action.ended_on),
        "challenge": action.challenge.code,
        "target_metric": action.target_metric.code if action.target_metric else None,
        "owner": plain(action.owner),
        "cost": plain(action.cost),
        "note": action.note,
        "events": sorted(event.name for event in action.events.all()),
        "solutions": [
            {
                "code": row.version.solution.code,
                "version": row.version.number,
                "dose": row.dose,
                "fidelity": row.fidelity,
                "adaptation": row.adaptation,
            }
            for row in used
        ],
    }


def codes(solutions: Iterable[Solution]) -> list[str]:
    return sorted(solution.code for solution in solutions)


def plain(value: object) -> str | None:
    if isinstance(value, User):
        return value.email
    return None if value is None else str(value)
