"""The page on which something that was done already is noted."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.planning import selectors
from apps.planning.applying import log_actions
from apps.planning.log_forms import LogForm
from apps.planning.models import Action
from apps.planning.pages import (
    challenge_asked_for,
    challenges_offered,
    day_in,
    decide,
    entered,
    to_action,
    today_in,
    unit_asked_for,
)
from apps.planning.pilots import idea_asked_for
from apps.planning.places import unit_choices


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def log(request: PersonRequest) -> HttpResponse:
    challenge = challenge_asked_for(request)
    if challenge is None:
        context = {"challenges": challenges_offered(request), "is_past": True}
        return render(request, "planning/choose_challenge.html", context)
    scope = request.person.scope(Role.MANAGER)
    units = unit_choices(
        scope=scope,
        below=unit_asked_for(request, scope),
        query=request.GET.get("unit_q", "").strip(),
        chosen=(request.POST or request.GET).getlist("units"),
    )
    if not units.rows and not units.query:
        return render(request, "planning/no_unit.html", {"challenge": challenge})
    places = selectors.plannable_units(scope=scope)
    as_of = today_in(units.rows[0].unit if units.rows else places[0])
    also = request.GET.getlist("solution")
    idea = idea_asked_for(request.person, request.GET.get("idea", ""))
    since = day_in(request.GET.get("effective_on"))
    form = LogForm(entered(request), challenge=challenge, units=places, also=also, since=since, as_of=as_of)
    logged: list[Action] = []
    return decide(
        request,
        form,
        lambda: logged.extend(
            log_actions(
                challenge=challenge,
                **form.logged(),
                owner=request.user,
                idea=idea,
                as_of=as_of,
                actor=request.user,
            )
        ),
        template="planning/log.html",
        context={"challenge": challenge, "units": units, "idea": idea},
        done=_("Noted. What it changed is measured against comparable units."),
        then=lambda: to_action(logged[0]) if len(logged) == 1 else redirect("planning:action-list"),
    )
