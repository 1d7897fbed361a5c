"""Pages that make a plan step by step; every step is saved, so that it can be taken up on another device."""

from collections.abc import Callable
from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.library.models import Solution
from apps.planning import guide, places, selectors
from apps.planning.drafts import agree_plan, choose_solutions, make_concrete, start_plan, tick_ready
from apps.planning.focuses import FocusLimit, open_focuses, planning_rules
from apps.planning.guide_forms import ChooseForm, ConcreteForm, FocusForm, ReadyForm, StepForm
from apps.planning.models import Plan
from apps.planning.pages import (
    challenge_asked_for,
    challenges_offered,
    decide,
    entered,
    seen_at_of,
    today_in,
    told,
    unit_asked_for,
)
from apps.planning.pilots import idea_asked_for, readable_idea_of
from apps.planning.plans import withdraw_plan

Stage = Plan.Stage


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def focus(request: PersonRequest) -> HttpResponse:
    scope = request.person.scope(Role.MANAGER)
    challenge = challenge_asked_for(request)
    form = FocusForm(
        entered(request),
        units=selectors.plannable_units(scope=scope),
        initial={"challenge": challenge.code if challenge else ""},
    )
    idea = idea_asked_for(request.person, request.GET.get("idea", ""))
    choices = places.unit_choices(
        scope=scope, below=unit_asked_for(request, scope), chosen=(request.POST or request.GET).getlist("units")
    )
    if not choices.rows:
        return render(request, "planning/no_unit.html", {"challenge": challenge})
    today = today_in(choices.rows[0].unit)
    rules = planning_rules()
    context = {
        "idea": idea,
        "units": choices,
        "steps": guide.steps_of(None, here=Stage.FOCUS),
        "challenges": challenges_offered(request),
        "limit": rules.focus_limit,
        "focuses": open_focuses(units=[choices.rows[0].unit], as_of=today) if choices.is_single else [],
    }
    plans: list[Plan] = []
    return decide(
        request,
        form,
        lambda: plans.append(
            start_plan(
                **form.cleaned_data,
                solutions=list(Solution.objects.published().filter(code__in=request.GET.getlist("solution"))),
                owner=request.user,
                focus=FocusLimit(at_most=rules.focus_limit, as_of=today),
                idea=idea,
                actor=request.user,
            )
        ),
        template="planning/guide_focus.html",
        context=context,
        then=lambda: redirect("planning:guide-choose", plans[0].pk),
    )


@require_GET
@require_role(Role.MANAGER)
def resume(request: PersonRequest, pk: int) -> HttpResponse:
    """On to the step at which the plan waits."""
    plan = get_object_or_404(guide.drafts_in(request.person.scope(Role.MANAGER)), pk=pk)
    return redirect(f"planning:guide-{plan.stage}", pk)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def choose(request: PersonRequest, pk: int) -> HttpResponse:
    plan = _draft(request, pk)
    playbooks = guide.playbooks_for(plan.challenge)
    form = ChooseForm(
        entered(request), plan=plan, playbooks=playbooks, also=(request.POST or request.GET).getlist("solutions")
    )
    return _step(
        request,
        plan,
        Stage.CHOOSE,
        form,
        lambda: choose_solutions(plan=plan, **form.choice(), actor=request.user),
        {"playbooks": playbooks, "first_unit": guide.units_of(plan)[0]},
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def concrete(request: PersonRequest, pk: int) -> HttpResponse:
    plan = _draft(request, pk)
    units, solutions = guide.units_of(plan), list(plan.solutions.all())
    today = today_in(units[0])
    start = guide.planned_start(plan) or _next_monday(today)
    form = ConcreteForm(
        entered(request),
        plan=plan,
        units=units,
        lines=guide.procedure_lines(solutions),
        tasks=guide.open_task_titles(plan),
        planned_on=start,
        person=request.user,
    )
    return _step(
        request,
        plan,
        Stage.CONCRETE,
        form,
        lambda: make_concrete(
            plan=plan, details=form.details(), actor=request.user, seen_at=form.cleaned_data["seen_at"]
        ),
        {"prospect": guide.prospect(plan, solutions=solutions, planned_on=start), "solutions": solutions},
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def ready(request: PersonRequest, pk: int) -> HttpResponse:
    plan = _draft(request, pk)
    units = guide.units_of(plan)
    checked = guide.readiness(plan, units=units, planned_on=guide.planned_start(plan), as_of=today_in(units[0]))
    form = ReadyForm(entered(request), plan=plan, items=guide.ready_items())
    return _step(
        request,
        plan,
        Stage.READY,
        form,
        lambda: tick_ready(
            plan=plan,
            items=list(form.cleaned_data["items"]),
            scores=form.scores(),
            actor=request.user,
            seen_at=form.cleaned_data["seen_at"],
        ),
        {"checked": checked},
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def agree(request: PersonRequest, pk: int) -> HttpResponse:
    plan = _draft(request, pk)
    units, solutions = guide.units_of(plan), list(plan.solutions.all())
    prospect = guide.prospect(plan, solutions=solutions, planned_on=guide.planned_start(plan))
    form = StepForm(entered(request), plan=plan)
    return _step(
        request,
        plan,
        Stage.AGREE,
        form,
        lambda: agree_plan(
            plan=plan, as_of=today_in(units[0]), actor=request.user, seen_at=form.cleaned_data["seen_at"]
        ),
        {
            "prospect": prospect,
            "solutions": solutions,
            "units": units,
            "tasks": guide.open_task_titles(plan),
            "profile": guide.profile_of(plan),
        },
    )


@require_POST
@require_role(Role.MANAGER)
def discard(request: PersonRequest, pk: int) -> HttpResponse:
    plan = get_object_or_404(guide.drafts_in(request.person.scope(Role.MANAGER)), pk=pk)
    is_gone = False
    with told(request):
        withdraw_plan(
            plan=plan,
            reason=_("The draft was thrown away."),
            actor=request.user,
            seen_at=seen_at_of(request),
        )
        messages.success(request, _("Thrown away."))
        is_gone = True
    return redirect("planning:action-list") if is_gone else redirect("planning:guide-resume", pk)


@require_GET
@require_role(Role.MANAGER)
def unit_options(request: PersonRequest) -> HttpResponse:
    """The units to choose from that a search finds, those ticked first."""
    scope = request.person.scope(Role.MANAGER)
    choices = places.unit_choices(
        scope=scope, query=request.GET.get("unit_q", "").strip(), chosen=request.GET.getlist("units")
    )
    return render(request, "planning/_unit_options.html", {"units": choices})


def _draft(request: PersonRequest, pk: int) -> Plan:
    """The plan being made, when the person manages all of its units."""
    plan: Plan = get_object_or_404(guide.drafts_in(request.person.scope(Role.MANAGER)), pk=pk)
    return plan


def _step(
    request: PersonRequest,
    plan: Plan,
    stage: Stage,
    form: StepForm,
    save: Callable[[], object],
    context: dict[str, object],
) -> HttpResponse:
    """A step of the guide; one that is not reached yet leads to the step at which the plan waits."""
    position, reached = guide.STAGES.index(stage), guide.STAGES.index(Stage(plan.stage))
    if position > reached:
        return redirect(f"planning:guide-{plan.stage}", plan.pk)
    first = plan.actions.order_by("pk").values_list("external_id", flat=True)[0]
    following = guide.STAGES[position + 1] if stage != Stage.AGREE else None

    def then() -> HttpResponse:
        if following is None:
            messages.success(request, _("Planned. When it is in place, come back and apply it."))
            if plan.actions.count() > 1:
                return redirect("planning:rollout", plan.pk)
            return redirect("planning:action", first)
        if request.POST.get("then") == "later":
            messages.success(request, _("Saved. Go on whenever you like, on any device."))
            return redirect("planning:action-list")
        return redirect(f"planning:guide-{following.value}", plan.pk)

    shown = {
        "plan": plan,
        "idea": readable_idea_of(plan, request.person),
        "steps": guide.steps_of(plan, here=stage),
        **context,
    }
    if position:
        shown["back"] = guide.STAGES[position - 1].value
    template = f"planning/guide_{stage.value}.html"
    return decide(request, form, save, template=template, context=shown, then=then)


def _next_monday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
