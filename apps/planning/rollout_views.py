"""Pages of a plan in many units: choosing them, their starts, the draw of their order, applying those due."""

import secrets
from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.planning import places, rollout_rows, selectors
from apps.planning.closures import choices_of, hand_over
from apps.planning.drafts import start_plan
from apps.planning.drawing import draw_plan
from apps.planning.draws import FEWEST_UNITS, SEEDS
from apps.planning.focuses import FocusLimit, planning_rules
from apps.planning.forms import refusals
from apps.planning.models import Action, Plan
from apps.planning.pages import (
    action_in_scope,
    decide,
    entered,
    is_fragment,
    seen_at_of,
    status_of,
    told,
)
from apps.planning.rollout_forms import LISTED_AT_ONCE, DrawForm, JoinForm, RolloutForm, StartForm, StartsForm
from apps.planning.rollouts import add_units, apply_due, move_start, set_starts
from apps.taxonomy.choosing import entry_of


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def rollout_new(request: PersonRequest) -> HttpResponse:
    scope = request.person.scope(Role.MANAGER)
    form = RolloutForm(
        entered(request), scope=scope, initial={"challenge": entry_of(request.GET.get("challenge", ""))}
    )
    today = timezone.localdate()
    plans: list[Plan] = []
    return decide(
        request,
        form,
        lambda: plans.append(
            start_plan(
                challenge=form.cleaned_data["challenge"],
                units=form.chosen(),
                owner=request.user,
                focus_reason=form.cleaned_data["focus_reason"],
                focus=FocusLimit(at_most=planning_rules().focus_limit, as_of=today),
                actor=request.user,
            )
        ),
        template="planning/rollout_new.html",
        context=_units_context(request),
        then=lambda: redirect("planning:guide-choose", plans[0].pk),
    )


@require_GET
@require_role(Role.MANAGER)
def rollout_options(request: PersonRequest) -> HttpResponse:
    """The units to choose from, narrowed by search, region and kind."""
    return render(request, "planning/_unit_options.html", _units_context(request))


@require_GET
@require_role(Role.STAFF)
def rollout(request: PersonRequest, pk: int) -> HttpResponse:
    return _rollout_page(request, pk)


@require_POST
@require_role(Role.MANAGER)
def rollout_starts(request: PersonRequest, pk: int) -> HttpResponse:
    """One start for all, or waves."""
    plan = _managed(request, pk)
    form = StartsForm(request.POST)
    if not form.is_valid():
        return _rollout_page(request, pk, starts_form=form)
    waiting = rollout_rows.waiting_actions(plan)
    starts = {action.pk: day for action, day in zip(waiting, form.days(len(waiting)), strict=True)}
    seen_at = form.cleaned_data["seen_at"]
    with refusals(form):
        set_starts(plan=plan, starts=starts, as_of=timezone.localdate(), actor=request.user, seen_at=seen_at)
    if form.errors:
        return _rollout_page(request, pk, starts_form=form)
    messages.success(request, _("Saved."))
    return redirect("planning:rollout", pk)


@require_POST
@require_role(Role.MANAGER)
def rollout_start(request: PersonRequest, external_id: str) -> HttpResponse:
    """Another start in one unit."""
    action = action_in_scope(request, external_id, Role.MANAGER)
    if action.plan_id is None:
        return redirect("planning:action", action.external_id)
    form = StartForm(request.POST)
    if not form.is_valid():
        return _rollout_page(request, action.plan_id, starts_form=form)
    with told(request):
        move_start(action=action, **form.cleaned_data, as_of=timezone.localdate(), actor=request.user)
        messages.success(request, _("Saved."))
    return redirect("planning:rollout", action.plan_id)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def rollout_join(request: PersonRequest, pk: int) -> HttpResponse:
    """More units for the plan."""
    plan, today = _managed(request, pk), timezone.localdate()
    scope = request.person.scope(Role.MANAGER)
    initial = {"planned_on": _next_monday(today), "seen_at": plan.updated_at.isoformat()}
    form = JoinForm(entered(request), scope=scope, initial=initial)
    return decide(
        request,
        form,
        lambda: add_units(
            plan=plan,
            units=form.chosen(),
            planned_on=form.cleaned_data["planned_on"],
            focus=FocusLimit(at_most=planning_rules().focus_limit, as_of=today),
            focus_reason=form.cleaned_data["focus_reason"],
            actor=request.user,
            seen_at=form.cleaned_data["seen_at"],
        ),
        template="planning/rollout_join.html",
        context={"plan": plan, **_units_context(request)},
        then=lambda: redirect("planning:rollout", pk),
        done=_("Added."),
    )


@require_POST
@require_role(Role.MANAGER)
def rollout_apply(request: PersonRequest, pk: int) -> HttpResponse:
    """What is due is in place today, where the person manages."""
    plan = get_object_or_404(rollout_rows.plans_seen(request.person.scope(Role.MANAGER)), pk=pk)
    today = timezone.localdate()
    due = rollout_rows.due_actions(plan, scope=request.person.scope(Role.MANAGER), as_of=today)
    with told(request):
        seen_at = seen_at_of(request)
        done = len(apply_due(plan=plan, actions=due, as_of=today, actor=request.user, seen_at=seen_at))
        said = ngettext("Applied in %(count)s unit.", "Applied in %(count)s units.", done)
        messages.success(request, said % {"count": done})
    return redirect("planning:rollout", pk)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def rollout_draw(request: PersonRequest, pk: int) -> HttpResponse:
    """The fair-test assistant: how many start dates, how far apart, and what could be seen then."""
    plan, today = _managed(request, pk), timezone.localdate()
    waiting = rollout_rows.waiting_actions(plan)
    standing = plan.draws.filter(replaced_at=None).first()
    first_on = max(_next_monday(today), min((a.planned_on for a in waiting if a.planned_on), default=today))
    form = DrawForm(
        entered(request), plan=plan, units=len(waiting), first_on=first_on, is_again=standing is not None
    )
    return decide(
        request,
        form,
        lambda: draw_plan(
            plan=plan,
            **form.cleaned_data,
            seed=secrets.randbelow(SEEDS),
            at=timezone.now(),
            actor=request.user,
        ),
        template="planning/rollout_draw.html",
        context={"plan": plan, "count": len(waiting), "least": FEWEST_UNITS, "draw": standing},
        then=lambda: redirect("planning:rollout", pk),
        done=_("The order is drawn. It is kept with its seed, so that anybody can check it."),
    )


@require_POST
@require_role(Role.MANAGER)
def action_hand_over(request: PersonRequest, external_id: str) -> HttpResponse:
    """To a successor of the action's closed unit."""
    action = action_in_scope(request, external_id, Role.MANAGER)
    code = request.POST.get("unit", "").lower()
    to = next((unit for unit in choices_of(action) if unit.code.lower() == code), None)
    with told(request):
        if to is not None:
            hand_over(action=action, to=to, actor=request.user, seen_at=seen_at_of(request))
            messages.success(request, _("Handed over to %(unit)s.") % {"unit": to.display_name})
    seen = Action.objects.in_scope(request.person.scope()).filter(pk=action.pk).exists()
    return redirect("planning:action", external_id) if seen else redirect("planning:action-list")


def _rollout_page(
    request: PersonRequest, pk: int, *, starts_form: StartsForm | StartForm | None = None
) -> HttpResponse:
    scope, today = request.person.scope(), timezone.localdate()
    plan = get_object_or_404(rollout_rows.plans_seen(scope), pk=pk)
    managed = request.person.scope(Role.MANAGER)
    manages_all = rollout_rows.plans_managed(managed).filter(pk=pk).exists()
    shown = rollout_rows.rollout(plan=plan, scope=scope, number=request.GET.get("page"), as_of=today)
    is_whole = isinstance(starts_form, StartsForm)
    context = {
        "plan": plan,
        "solutions": list(plan.solutions.all()),
        "rollout": shown,
        "page": shown.page,
        "starts_form": starts_form
        if is_whole
        else StartsForm(initial={"first_on": _next_monday(today), "seen_at": plan.updated_at.isoformat()}),
        "start_errors": starts_form.errors if starts_form and not is_whole else None,
        "may_change": manages_all,
        "may_edit": request.person.has(Role.MANAGER) and bool(managed.paths),
        "is_draft": plan.stage != Plan.Stage.AGREED,
        "can_draw": manages_all and shown.waiting >= FEWEST_UNITS,
        "is_fragment": is_fragment(request),
    }
    return render(request, "planning/rollout.html", context, status=status_of(request))


def _units_context(request: PersonRequest) -> dict[str, object]:
    scope = request.person.scope(Role.MANAGER)
    asked = request.POST if request.method == "POST" else request.GET
    regions, kinds = rollout_rows.regions_and_kinds(selectors.plannable_units(scope=scope))
    return {
        "units": places.unit_choices(
            scope=scope,
            query=asked.get("unit_q", "").strip(),
            region=asked.get("region", ""),
            kind=asked.get("kind", ""),
            chosen=asked.getlist("units"),
            limit=LISTED_AT_ONCE,
        ),
        "regions": regions,
        "kinds": kinds,
        "asked": {name: asked.get(name, "") for name in ("unit_q", "region", "kind")},
    }


def _managed(request: PersonRequest, pk: int) -> Plan:
    """The plan, when the person manages all of its units."""
    plan: Plan = get_object_or_404(rollout_rows.plans_managed(request.person.scope(Role.MANAGER)), pk=pk)
    return plan


def _next_monday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
