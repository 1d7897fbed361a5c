"""Changes to what other systems call a solution, and to labels that nobody has mapped yet."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import Solution, SolutionAlias, Status, UnmappedSolution


class SolutionAliasTaken(CxplanError):
    code = "alias_taken"


class SolutionNotUsable(CxplanError):
    code = "solution_not_usable"


@transaction.atomic
def create_solution_alias(*, source: str, label: str, solution: Solution, actor: User | None) -> SolutionAlias:
    """Say which solution a source means by a label; a file that was rejected for it can come in again.

    Raises SolutionAliasTaken, SolutionNotUsable.
    """
    source, label = source.strip(), label.strip()
    standing = Solution.objects.select_for_update().get(pk=solution.pk)
    if standing.status == Status.RETIRED:
        raise SolutionNotUsable(
            _("“%(name)s” is retired. Choose another one.") % {"name": standing}, field="solution"
        )
    taken = SolutionAlias.objects.filter(source__iexact=source, label__iexact=label).select_related("solution")
    for other in taken:
        raise SolutionAliasTaken(
            _("“%(label)s” already stands for %(solution)s.") % {"label": other.label, "solution": other.solution},
            field="label",
        )
    alias = SolutionAlias.objects.create(source=source, label=label, solution=standing)
    record(event="library.alias.created", actor=actor, subject=alias, data=_told(alias))
    return alias


@transaction.atomic
def change_solution_alias(*, alias: SolutionAlias, solution: Solution, actor: User | None) -> SolutionAlias:
    """Let a label mean another solution from now on; what came in before stays. Raises SolutionNotUsable."""
    alias = SolutionAlias.objects.select_for_update(of=("self",)).select_related("solution").get(pk=alias.pk)
    if solution.status == Status.RETIRED:
        raise SolutionNotUsable(
            _("“%(name)s” is retired. Choose another one.") % {"name": solution}, field="solution"
        )
    before, alias.solution = alias.solution.code, solution
    if before != solution.code:
        alias.save(update_fields=["solution"])
        record(event="library.alias.changed", actor=actor, subject=alias, data={**_told(alias), "before": before})
    return alias


@transaction.atomic
def remove_solution_alias(*, alias: SolutionAlias, actor: User | None) -> None:
    record(event="library.alias.removed", actor=actor, subject=alias, data=_told(alias))
    alias.delete()


@transaction.atomic
def ignore_solution_labels(
    *, labels: Sequence[UnmappedSolution], is_ignored: bool = True, actor: User | None
) -> int:
    """Set labels aside, or bring them back; one audit row each."""
    for label in labels:
        label.is_ignored = is_ignored
        label.save(update_fields=["is_ignored"])
        record(
            event="library.label.ignored" if is_ignored else "library.label.reopened",
            actor=actor,
            subject=label,
            data={"source": label.source, "label": label.label},
        )
    return len(labels)


def _retired(solution: Solution) -> SolutionNotUsable:
    return SolutionNotUsable(
        _("“%(name)s” is retired. Choose another one.") % {"name": solution}, field="solution"
    )


def _told(alias: SolutionAlias) -> dict[str, str]:
    return {"source": alias.source, "label": alias.label, "solution": alias.solution.code}
