"""Pages of plans and actions."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.ideas.models import Idea
from apps.planning import selectors
from apps.planning.board import action_board, card_page
from apps.planning.closures import choices_of
from apps.planning.filter_bar import filter_bar
from apps.planning.focuses import FocusLimit, crowding, planning_rules
from apps.planning.follow import followed
from apps.planning.follow_forms import TaskForm
from apps.planning.forms import PlanForm, refusals
from apps.planning.guide import full_result_on, lag_of, profile_of
from apps.planning.history import history
from apps.planning.models import Action, Plan
from apps.planning.pages import (
    action_in_scope,
    challenge_asked_for,
    challenges_offered,
    day_in,
    is_fragment,
    status_of,
    today_in,
    today_of,
    unit_asked_for,
)
from apps.planning.pilots import idea_asked_for
from apps.planning.places import unit_choices
from apps.planning.plans import create_plan
from apps.planning.rollout_rows import mark_of
from apps.planning.states import FROZEN, OPEN, Step, is_possible
from apps.taxonomy.models import Challenge


@require_GET
@require_role(Role.STAFF)
def action_list(request: PersonRequest) -> HttpResponse:
    scope = request.person.scope()
    context = filter_bar(request, scope, view="board")
    filters = context["filters"]
    today = today_of(request)
    asked = {"scope": scope, "filters": filters, "as_of": today, "managed": request.person.scope(Role.MANAGER)}
    if filters.state:
        page = card_page(number=request.GET.get("page"), **asked)
        context |= {"page": page, "is_empty": not page.object_list}
    else:
        board = action_board(**asked)
        context |= {"board": board, "is_empty": not any(column.count for column in board)}
    return render(
        request, "planning/_actions.html" if is_fragment(request) else "planning/action_list.html", context
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def plan_new(request: PersonRequest) -> HttpResponse:
    if request.GET.get("effective_on"):
        # In place already: that is noted, not planned.
        return redirect(f"{reverse('planning:log')}?{request.GET.urlencode()}")
    challenge = challenge_asked_for(request)
    if challenge is None:
        return render(request, "planning/choose_challenge.html", {"challenges": challenges_offered(request)})
    scope = request.person.scope(Role.MANAGER)
    units = unit_choices(
        scope=scope,
        below=unit_asked_for(request, scope),
        query=request.GET.get("unit_q", "").strip(),
        chosen=(request.POST or request.GET).getlist("units"),
    )
    if not units.rows and not units.query:
        return render(request, "planning/no_unit.html", {"challenge": challenge})
    first = units.rows[0].unit if units.rows else selectors.plannable_units(scope=scope)[0]
    today = today_in(first)
    form = PlanForm(
        request.POST if request.method == "POST" else None,
        challenge=challenge,
        units=selectors.plannable_units(scope=scope),
        first=first,
        person=request.user,
        also=request.GET.getlist("solution"),
        as_of=today,
        initial={
            "solutions": [code for code in request.GET.getlist("solution") if code],
            "planned_on": today + timedelta(days=7 - today.weekday()),
            "owner": request.user,
        },
    )
    idea = idea_asked_for(request.person, request.GET.get("idea", ""))
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            return _planned(request, form, challenge, idea, as_of=today)
    crowded = crowding(
        # Where there is no choice of units, the question comes before the answer.
        units=[first] if units.is_single else [],
        challenge=challenge,
        limit=FocusLimit(at_most=planning_rules().focus_limit, as_of=today),
    )
    context = {"form": form, "challenge": challenge, "units": units, "idea": idea, "crowded": crowded}
    return render(request, "planning/plan_new.html", context, status=status_of(request))


def _planned(
    request: PersonRequest, form: PlanForm, challenge: Challenge, idea: Idea | None, *, as_of: date
) -> HttpResponse:
    entered = form.cleaned_data
    plan = create_plan(
        challenge=challenge,
        units=list(entered["units"]),
        solutions=list(entered["solutions"]),
        owner=entered["owner"],
        intention=entered["intention"],
        planned_on=entered["planned_on"],
        intended_effect=entered["intended_effect"],
        focus_reason=entered["focus_reason"],
        # What is in place already is a fact to note, not a focus to take on.
        focus=None if form.is_in_place else FocusLimit(at_most=planning_rules().focus_limit, as_of=as_of),
        idea=idea,
        actor=request.user,
    )
    first = plan.actions.select_related("unit").order_by("unit__name", "pk")[0]
    if form.is_in_place:
        return redirect("planning:action-apply", first.external_id)
    messages.success(request, _("Planned. When it is in place, come back and apply it."))
    return redirect("planning:action", first.external_id)


@require_GET
@require_role(Role.MANAGER)
def nearby(request: PersonRequest) -> HttpResponse:
    """What else happens in the chosen units around the chosen date."""
    scope = request.person.scope(Role.MANAGER)
    challenge = challenge_asked_for(request)
    day = day_in(request.GET.get("effective_on") or request.GET.get("planned_on"))
    units = list(Unit.objects.in_scope(scope).filter(code__in=request.GET.getlist("units")))
    if challenge is None or day is None or not units:
        return render(request, "planning/_nearby.html", {})
    without = Action.objects.in_scope(scope).filter(external_id__iexact=request.GET.get("without", "")).first()
    context = {
        "nearby": selectors.nearby(units=units, challenge=challenge, on=day, without=without),
        "picked": set(request.GET.getlist("events")),
        "may_pick": "pick" in request.GET,
    }
    return render(request, "planning/_nearby.html", context)


@require_GET
@require_role(Role.STAFF)
def action(request: PersonRequest, external_id: str) -> HttpResponse:
    shown = action_in_scope(request, external_id, Role.STAFF)
    today = today_in(shown.unit)
    manages = request.person.holds(Role.MANAGER, shown.unit.path)
    context = {
        "action": shown,
        "used": selectors.used_solutions(shown),
        "when": selectors.when(shown, as_of=today),
        "is_overdue": selectors.is_overdue(shown, as_of=today),
        "is_to_come": shown.effective_on is not None and shown.effective_on > today,
        "steps": {step.value: True for step in Step if is_possible(step, shown.state)} if manages else {},
        "may_undo": manages and selectors.is_undoable(shown, at=timezone.now()),
        "may_go_on": manages and shown.plan is not None and shown.plan.stage != Plan.Stage.AGREED,
        "is_frozen": shown.state in FROZEN,
        "known_on": full_result_on(shown.planned_on or today, lag_days=lag_of(selectors.solutions_of(shown))),
        "siblings": selectors.siblings(shown, scope=request.person.scope()),
        "drawn": mark_of(shown),
        "closes": manages and shown.state in OPEN and shown.unit.closed_on is not None,
        "successors": choices_of(shown) if manages else [],
        "history": history(shown),
        "profile": profile_of(shown.plan),
        "idea": idea_asked_for(request.person, str(shown.idea_id or "")),
        "manages": manages,
        "follow": followed(shown, as_of=today),
        "task_form": TaskForm(action=shown, person=request.user) if manages else None,
    }
    return render(request, "planning/action.html", context)
