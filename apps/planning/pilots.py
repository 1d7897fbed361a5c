"""Which drafts of the library may be planned: those of ideas that are tried out, or were tried already."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from apps.accounts.person import Person
from apps.ideas.models import Idea
from apps.ideas.selectors import readable_ideas
from apps.ideas.states import UNDECIDED, State
from apps.library.models import Solution


def tried_out() -> QuerySet[Idea]:
    """Ideas with a recipe, of which the use in a unit says something."""
    return Idea.objects.filter(
        Q(state=State.PILOT) | Q(state__in=UNDECIDED, tried_on__isnull=False), solution__isnull=False
    )


def plannable_drafts(solutions: Iterable[Solution]) -> set[int]:
    """The ids of those drafts that may be planned all the same."""
    drafts = [solution.pk for solution in solutions if solution.status == Solution.Status.DRAFT]
    return set(tried_out().filter(solution__in=drafts).values_list("solution_id", flat=True)) if drafts else set()


def idea_asked_for(person: Person, key: str) -> Idea | None:
    """The idea an address names, when the person may read it."""
    return readable_ideas(person).filter(pk=key).first() if key.isdecimal() else None
