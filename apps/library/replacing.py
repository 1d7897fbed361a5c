"""One solution in place of another that turned out to be the same."""

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.errors import CxplanError
from apps.library.models import PlaybookSolution, Solution, SolutionAlias, SolutionLink, Status
from apps.library.services import link_solution, locked, retire_solution


class ReplacementNotPossible(CxplanError):
    code = "replacement_not_possible"


@transaction.atomic
def replace_solution(*, solution: Solution, by: Solution, actor: User | None) -> Solution:
    """Retire a solution in favour of another, which takes over its links, playbook places and aliases.

    Its uses, their evidence and its learnings stay where they are. Raises ReplacementNotPossible.
    """
    if solution.pk == by.pk:
        raise ReplacementNotPossible(_("A solution can't replace itself."))
    # Both are held in the order of their ids, so that two people who join crosswise don't wait for each other.
    held = {one.pk: locked(one) for one in sorted((solution, by), key=lambda one: one.pk)}
    solution, by = held[solution.pk], held[by.pk]
    if Status.RETIRED in (solution.status, by.status):
        raise ReplacementNotPossible(_("One of the two is retired already. Publish it again first."))
    linked = _take_links(solution, by, actor)
    playbooks = _take_places(solution, by)
    SolutionAlias.objects.filter(solution=solution).update(solution=by)
    retire_solution(solution=solution, reason=_("Replaced by %(code)s") % {"code": by.code}, actor=actor)
    Solution.objects.filter(Q(pk=solution.pk) | Q(replaced_by=solution)).update(replaced_by=by)
    record(
        event="library.solution.replaced",
        actor=actor,
        subject=solution,
        data={"code": solution.code, "by": by.code, "challenges": linked, "playbooks": playbooks},
    )
    solution.refresh_from_db()
    return solution


def _take_links(solution: Solution, by: Solution, actor: User | None) -> list[str]:
    own = set(SolutionLink.objects.filter(solution=by, is_seen_in_use=False).values_list("challenge", flat=True))
    links = SolutionLink.objects.filter(solution=solution, is_seen_in_use=False).exclude(challenge__in=own)
    taken = []
    for link in links.select_related("challenge").order_by("pk"):
        link_solution(solution=by, challenge=link.challenge, rationale=link.rationale, actor=actor)
        taken.append(link.challenge.code)
    return taken


def _take_places(solution: Solution, by: Solution) -> list[str]:
    """A playbook that has both keeps the place of the one that stays."""
    places = PlaybookSolution.objects.filter(solution=solution).select_related("playbook").order_by("pk")
    both = set(PlaybookSolution.objects.filter(solution=by).values_list("playbook", flat=True))
    codes = []
    for place in places:
        codes.append(place.playbook.code)
        if place.playbook_id in both:
            place.delete()
        else:
            place.solution = by
            place.save(update_fields=["solution"])
    return codes
