"""Ideas that are tried out: which of their drafts may be planned, and where they are put in place."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.accounts.models import Scope
from apps.accounts.person import Person
from apps.ideas.models import Idea
from apps.ideas.selectors import readable_ideas
from apps.ideas.states import UNDECIDED, State
from apps.library.models import Solution
from apps.planning.models import Action, Plan

TRIALS_SHOWN = 20


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


def is_tried_with(idea: Idea, solutions: Iterable[Solution]) -> bool:
    """Whether what is done is what the idea proposes."""
    return idea.solution_id in {solution.pk for solution in solutions}


def idea_of_plan(plan: Plan) -> Idea | None:
    """The idea that a plan tries out."""
    return Idea.objects.filter(pk__in=plan.actions.values("idea")).first()


def readable_idea_of(plan: Plan, person: Person) -> Idea | None:
    """The idea that a plan tries out, when the person may read it."""
    return readable_ideas(person).filter(pk__in=plan.actions.values("idea")).first()


def let_go_of_idea(plan: Plan, solutions: Iterable[Solution]) -> None:
    """Once something else is planned than the idea proposes, the plan tries it no more."""
    idea = idea_of_plan(plan)
    if idea is not None and not is_tried_with(idea, solutions):
        plan.actions.update(idea=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One place in which an idea is tried."""

    external_id: str
    unit: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Where an idea is tried, as far as the reader may see it, and in how many places beyond."""

    seen: tuple[Trial, ...]
    elsewhere: int


def trials_of(idea: Idea, *, scope: Scope) -> Trials:
    """Those of ideas that were joined with it count, too."""
    actions = Action.objects.filter(Q(idea=idea) | Q(idea__merged_into=idea))
    mine = actions.in_scope(scope)
    rows = mine.select_related("unit").order_by("effective_on", "planned_on", "pk")[:TRIALS_SHOWN]
    seen = tuple(
        Trial(external_id=row.external_id, unit=row.unit.display_name, state=row.get_state_display())
        for row in rows
    )
    return Trials(seen=seen, elsewhere=actions.count() - len(seen))
