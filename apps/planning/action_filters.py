"""Which actions are asked for, and what they can be narrowed to."""

from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from apps.accounts.models import Scope, Unit, User
from apps.library.models import Solution
from apps.planning.models import Action, ActionSolution, Plan
from apps.taxonomy.models import Challenge

OWNERS_SHOWN = 100
WORDS_AT_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFilters:
    """What to list; an empty field filters nothing."""

    unit: Unit | None = None
    challenge: str = ""
    state: str = ""
    q: str = ""
    owner: User | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether more than the unit is asked for."""
        return bool(self.challenge or self.state or self.q or self.owner or self.since or self.until)


def filtered_actions(scope: Scope, filters: ActionFilters) -> QuerySet[Action]:
    actions: QuerySet[Action] = Action.objects.in_scope(scope)
    if filters.unit is not None:
        actions = actions.filter(unit__path__startswith=filters.unit.path)
    if filters.challenge:
        actions = actions.filter(challenge__in=Challenge.objects.standing_for_codes([filters.challenge]))
    if filters.state:
        actions = actions.filter(state=filters.state)
    for word in filters.q.split()[:WORDS_AT_MOST]:
        actions = actions.filter(_mentions(word))
    if filters.owner is not None:
        actions = actions.filter(owner=filters.owner)
    if filters.since is not None:
        lasts = Q(effective_on__isnull=False) & (Q(ended_on=None) | Q(ended_on__gt=filters.since))
        actions = actions.filter(Q(planned_on__gte=filters.since, effective_on=None) | lasts)
    if filters.until is not None:
        actions = actions.filter(
            Q(effective_on=None, planned_on__lte=filters.until) | Q(effective_on__lte=filters.until)
        )
    return actions


def challenges_in_use(*, scope: Scope) -> QuerySet[Challenge]:
    used = Challenge.objects.filter(pk__in=Action.objects.in_scope(scope).values("challenge"))
    standing = used.annotate(stands_as=Coalesce("merged_into", "pk")).values("stands_as")
    return Challenge.objects.filter(pk__in=standing).order_by("name", "pk")


def owners_in(*, scope: Scope, also: User | None = None) -> list[User]:
    """Who sees to an action in `scope`; only `also` when there are more than can be chosen from a list."""
    owned = Action.objects.in_scope(scope).exclude(owner=None).order_by("owner")
    found = list(owned.values_list("owner", flat=True).distinct()[: OWNERS_SHOWN + 1])
    if len(found) > OWNERS_SHOWN:
        return [also] if also is not None else []
    return list(User.objects.filter(pk__in=found).order_by("name", "email"))


def _mentions(word: str) -> Q:
    """In one of its names; the names of few rows are read instead of those of every action."""

    def named(*fields: str) -> Q:
        return reduce(or_, (Q(**{f"{field}__unaccent__icontains": word}) for field in fields))

    solutions = Solution.objects.filter(named("title", "title_fr")).values("pk")
    applied = ActionSolution.objects.filter(version__solution__in=solutions).values("action")
    planned = Plan.solutions.through.objects.filter(solution__in=solutions).values("plan")
    return (
        Q(external_id__icontains=word)
        | Q(unit__in=Unit.objects.filter(named("name", "name_fr") | Q(code__icontains=word)).values("pk"))
        | Q(challenge__in=Challenge.objects.filter(named("name", "name_fr")).values("pk"))
        | Q(owner__in=User.objects.filter(named("name")).values("pk"))
        | Q(pk__in=applied)
        | Q(plan__in=planned)
    )
