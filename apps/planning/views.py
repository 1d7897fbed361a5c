"""Pages of plans and actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Scope, Unit
from apps.core.errors import CxplanError
from apps.planning import selectors
from apps.planning.applying import apply_action, undo_application
from apps.planning.corrections import correct_action, stop_action, sustain_action
from apps.planning.forms import (
    ApplyForm,
    ChangeForm,
    CorrectForm,
    PlanForm,
    StopForm,
    WithdrawForm,
    refusals,
    shown_units,
)
from apps.planning.history import history
from apps.planning.models import Action
from apps.planning.plans import change_plan, create_plan, withdraw_action
from apps.planning.states import FROZEN, Step, is_possible, next_state
from apps.taxonomy.models import Challenge

# The primary window of measurement ends this long after an action takes effect.
RESULT_AFTER = timedelta(weeks=15)


@require_GET
@require_role(Role.STAFF)
def action_list(request: PersonRequest) -> HttpResponse:
    scope = request.person.scope()
    filters = selectors.ActionFilters(
        unit=_unit_asked_for(request, scope),
        challenge=request.GET.get("challenge", ""),
        state=request.GET.get("state", "") if request.GET.get("state") in Action.State.values else "",
        q=request.GET.get("q", "").strip(),
    )
    today = timezone.localdate()
    context: dict[str, object] = {
        "filters": filters,
        "challenges": selectors.challenges_in_use(scope=scope),
        "may_plan": request.person.has(Role.MANAGER),
        "states": [(state, heading) for state, heading in selectors.STATE_HEADINGS.items()],
    }
    if filters.state:
        page = selectors.action_page(scope=scope, filters=filters, number=request.GET.get("page"), as_of=today)
        context |= {"page": page, "is_empty": not page.object_list}
    else:
        board = selectors.action_board(scope=scope, filters=filters, as_of=today)
        context |= {"board": board, "is_empty": not any(column.count for column in board)}
    fragment = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    return render(request, "planning/_actions.html" if fragment else "planning/action_list.html", context)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def plan_new(request: PersonRequest) -> HttpResponse:
    challenge = _challenge_asked_for(request)
    if challenge is None:
        return render(request, "planning/choose_challenge.html", {"challenges": selectors.challenges_to_choose()})
    scope = request.person.scope(Role.MANAGER)
    shown = shown_units(scope=scope, below=_unit_asked_for(request, scope))
    if not shown:
        return render(request, "planning/no_unit.html", {"challenge": challenge})
    today = _today(shown[0])
    form = PlanForm(
        request.POST if request.method == "POST" else None,
        challenge=challenge,
        units=selectors.plannable_units(scope=scope),
        shown=shown,
        person=request.user,
        also=request.GET.getlist("solution"),
        as_of=today,
        initial={
            "solutions": [code for code in request.GET.getlist("solution") if code],
            "units": [shown[0].code] if len(shown) == 1 else [],
            "planned_on": today + timedelta(days=7 - today.weekday()),
            "owner": request.user,
        },
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            return _planned(request, form, challenge)
    context = {"form": form, "challenge": challenge, "shown": shown, "is_single": len(shown) == 1}
    return render(request, "planning/plan_new.html", context, status=_status(request))


def _planned(request: PersonRequest, form: PlanForm, challenge: Challenge) -> HttpResponse:
    entered = form.cleaned_data
    plan = create_plan(
        challenge=challenge,
        units=list(entered["units"]),
        solutions=list(entered["solutions"]),
        owner=entered["owner"],
        intention=entered["intention"],
        planned_on=entered["planned_on"],
        intended_effect=entered["intended_effect"],
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
    challenge = _challenge_asked_for(request)
    day = _day(request.GET.get("effective_on") or request.GET.get("planned_on"))
    units = list(Unit.objects.in_scope(scope).filter(code__in=request.GET.getlist("units")))
    if challenge is None or day is None or not units:
        return render(request, "planning/_nearby.html", {})
    without = Action.objects.in_scope(scope).filter(external_id__iexact=request.GET.get("without", "")).first()
    found = selectors.nearby(units=units, challenge=challenge, on=day, without=without)
    return render(request, "planning/_nearby.html", {"nearby": found})


@require_GET
@require_role(Role.STAFF)
def action(request: PersonRequest, external_id: str) -> HttpResponse:
    shown = _action(request, external_id, Role.STAFF)
    today = _today(shown.unit)
    manages = request.person.holds(Role.MANAGER, shown.unit.path)
    context = {
        "action": shown,
        "used": selectors.used_solutions(shown),
        "when": selectors.when(shown, as_of=today),
        "is_overdue": selectors.is_overdue(shown, as_of=today),
        "is_to_come": shown.effective_on is not None and shown.effective_on > today,
        "steps": {step.value: True for step in Step if is_possible(step, shown.state)} if manages else {},
        "may_undo": manages and selectors.is_undoable(shown, at=timezone.now()),
        "is_frozen": shown.state in FROZEN,
        "known_on": (shown.effective_on or shown.planned_on or today) + RESULT_AFTER,
        "siblings": selectors.siblings(shown, scope=request.person.scope()),
        "history": history(shown),
    }
    return render(request, "planning/action.html", context)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_apply(request: PersonRequest, external_id: str) -> HttpResponse:
    planned = _action(request, external_id, Role.MANAGER)
    if not is_possible(Step.APPLY, planned.state):
        return _refused(request, planned, Step.APPLY)
    today = _today(planned.unit)
    form = ApplyForm(
        request.POST if request.method == "POST" else None,
        action=planned,
        as_of=today,
        may_backdate=request.person.holds(Role.LEAD, planned.unit.path),
        initial={"effective_on": today},
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            apply_action(
                action=planned,
                solutions=form.applied(),
                as_of=today,
                actor=request.user,
                **{name: form.cleaned_data[name] for name in ("effective_on", "note", "cost", "seen_at")},
            )
            messages.success(request, _("Applied. What it changes is measured against comparable units."))
            return redirect("planning:action", planned.external_id)
    context = {"form": form, "action": planned}
    return render(request, "planning/apply.html", context, status=_status(request))


@require_POST
@require_role(Role.MANAGER)
def action_undo(request: PersonRequest, external_id: str) -> HttpResponse:
    applied = _action(request, external_id, Role.MANAGER)
    with _told(request):
        undo_application(action=applied, at=timezone.now(), actor=request.user)
        messages.success(request, _("Taken back: it is planned again."))
    return redirect("planning:action", applied.external_id)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_change(request: PersonRequest, external_id: str) -> HttpResponse:
    planned = _action(request, external_id, Role.MANAGER)
    if not is_possible(Step.CHANGE, planned.state):
        return _refused(request, planned, Step.CHANGE)
    form = ChangeForm(request.POST if request.method == "POST" else None, action=planned, person=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            seen_at = form.cleaned_data["seen_at"]
            change_plan(action=planned, changes=form.changes(), actor=request.user, seen_at=seen_at)
            messages.success(request, _("Changed."))
            return redirect("planning:action", planned.external_id)
    context = {
        "form": form,
        "action": planned,
        "siblings": selectors.siblings(planned, scope=request.person.scope()),
    }
    return render(request, "planning/change.html", context, status=_status(request))


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_correct(request: PersonRequest, external_id: str) -> HttpResponse:
    applied = _action(request, external_id, Role.MANAGER)
    if not is_possible(Step.CORRECT, applied.state):
        return _refused(request, applied, Step.CORRECT)
    today = _today(applied.unit)
    form = CorrectForm(
        request.POST if request.method == "POST" else None,
        action=applied,
        person=request.user,
        as_of=today,
        may_backdate=request.person.holds(Role.LEAD, applied.unit.path),
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            correct_action(
                action=applied,
                changes=form.changes(),
                as_of=today,
                actor=request.user,
                **{name: form.cleaned_data[name] for name in ("reason", "seen_at")},
            )
            messages.success(request, _("Corrected. The result is measured again."))
            return redirect("planning:action", applied.external_id)
    return render(request, "planning/correct.html", {"form": form, "action": applied}, status=_status(request))


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_stop(request: PersonRequest, external_id: str) -> HttpResponse:
    applied = _action(request, external_id, Role.MANAGER)
    if not is_possible(Step.STOP, applied.state):
        return _refused(request, applied, Step.STOP)
    today = _today(applied.unit)
    form = StopForm(
        request.POST if request.method == "POST" else None,
        initial={"ended_on": today, "seen_at": applied.updated_at.isoformat()},
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            stop_action(action=applied, **form.cleaned_data, as_of=today, actor=request.user)
            messages.success(request, _("Stopped. What it changed until then still counts."))
            return redirect("planning:action", applied.external_id)
    return render(request, "planning/stop.html", {"form": form, "action": applied}, status=_status(request))


@require_POST
@require_role(Role.MANAGER)
def action_sustain(request: PersonRequest, external_id: str) -> HttpResponse:
    applied = _action(request, external_id, Role.MANAGER)
    with _told(request):
        sustain_action(action=applied, as_of=_today(applied.unit), actor=request.user)
        messages.success(request, _("Kept as the standard of this unit."))
    return redirect("planning:action", applied.external_id)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_withdraw(request: PersonRequest, external_id: str) -> HttpResponse:
    planned = _action(request, external_id, Role.MANAGER)
    if not is_possible(Step.WITHDRAW, planned.state):
        return _refused(request, planned, Step.WITHDRAW)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            withdraw_action(action=planned, reason=form.cleaned_data["reason"], actor=request.user)
            messages.success(request, _("Withdrawn."))
            return redirect("planning:action-list")
    return render(request, "planning/withdraw.html", {"form": form, "action": planned}, status=_status(request))


def _action(request: PersonRequest, external_id: str, role: Role) -> Action:
    """The action if it lies where the person holds `role`; else it does not exist for them."""
    actions = Action.objects.in_scope(request.person.scope(role))
    rows = selectors.with_solutions(actions).select_related("challenge__metric", "target_metric")
    found: Action = get_object_or_404(rows, external_id__iexact=external_id)
    return found


def _unit_asked_for(request: PersonRequest, scope: Scope) -> Unit | None:
    """The unit named in the address, else the one looked at."""
    code = request.GET.get("unit", "")
    if code:
        return Unit.objects.in_scope(scope).filter(code__iexact=code).first()
    looked_at: Unit | None = request.unit
    return looked_at if looked_at and scope.holds(looked_at.path) else None


def _challenge_asked_for(request: PersonRequest) -> Challenge | None:
    code = request.GET.get("challenge", "")
    return Challenge.objects.select_related("metric", "merged_into").filter(code__iexact=code).first()


def _today(unit: Unit) -> date:
    """Today where the unit is."""
    return timezone.localdate(timezone=ZoneInfo(unit.timezone))


def _day(text: str | None) -> date | None:
    try:
        return parse_date(text or "")
    except ValueError:
        return None


def _status(request: PersonRequest) -> int:
    """A form that comes back was not accepted."""
    return 422 if request.method == "POST" else 200


def _refused(request: PersonRequest, shown: Action, step: Step) -> HttpResponse:
    with _told(request):
        next_state(step, shown.state)
    return redirect("planning:action", shown.external_id)


@contextmanager
def _told(request: PersonRequest) -> Iterator[None]:
    """Say why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        messages.error(request, error.message)
