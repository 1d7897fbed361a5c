"""Fragments of the pages of solutions and ideas that say where they were used."""

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.library.models import Solution
from apps.planning.dismissals import refusals_of
from apps.planning.models import Action
from apps.planning.people import units_to_ask
from apps.planning.pilots import idea_asked_for, trials_of


@require_safe
@require_role(Role.STAFF)
def solution_people(request: PersonRequest, code: str) -> HttpResponse:
    """Units in the person's scope that used it, and to leads how many units said no to it."""
    scope = request.person.scope(Role.STAFF)
    used = Action.objects.in_scope(scope).filter(solutions__version__solution=OuterRef("pk"))
    seen = Solution.objects.all()
    if not request.person.has(Role.LEAD):
        seen = seen.filter(~Q(status=Solution.Status.DRAFT) | Exists(used))
    solution = get_object_or_404(seen, code__iexact=code)
    context = {
        "units": units_to_ask(solution=solution, scope=scope),
        "refusals": refusals_of(scope=request.person.scope(Role.LEAD), solution=solution),
    }
    return render(request, "planning/_solution_people.html", context)


@require_safe
@require_role(Role.STAFF)
def idea_trials(request: PersonRequest, pk: int) -> HttpResponse:
    """The actions that try out an idea: those in the person's scope, and how many there are beyond."""
    idea = idea_asked_for(request.person, str(pk))
    if idea is None:
        raise Http404
    trials = trials_of(idea, scope=request.person.scope(Role.STAFF))
    return render(request, "planning/_idea_trials.html", {"trials": trials})
