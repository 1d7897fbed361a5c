"""Pages on which an action is applied, changed, corrected, kept, stopped or withdrawn."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.planning import selectors
from apps.planning.action_forms import ApplyForm, CorrectForm, StopForm, WithdrawForm
from apps.planning.applying import apply_action, undo_application
from apps.planning.corrections import correct_action, stop_action, sustain_action
from apps.planning.forms import ChangeForm
from apps.planning.pages import (
    action_in_scope,
    back,
    decide,
    entered,
    is_fragment,
    refused,
    seen_at_of,
    to_action,
    today_in,
    told,
)
from apps.planning.plans import change_plan, withdraw_action
from apps.planning.states import Step, is_possible


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_apply(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    if not is_possible(Step.APPLY, action.state):
        return refused(request, action, Step.APPLY)
    form = ApplyForm(
        entered(request),
        request.FILES or None,
        action=action,
        as_of=today_in(action.unit),
        initial={"effective_on": today_in(action.unit)},
    )
    return decide(
        request,
        form,
        lambda: apply_action(action=action, **form.application(), as_of=today_in(action.unit), actor=request.user),
        template="planning/_apply.html" if is_fragment(request) else "planning/apply.html",
        context={"action": action},
        done=_("Applied. What it changes is measured against comparable units."),
        then=lambda: to_action(action, request),
    )


@require_POST
@require_role(Role.MANAGER)
def action_undo(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    with told(request):
        undo_application(action=action, at=timezone.now(), actor=request.user, seen_at=seen_at_of(request))
        messages.success(request, _("Taken back: it is planned again."))
    return to_action(action)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_change(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    if not is_possible(Step.CHANGE, action.state):
        return refused(request, action, Step.CHANGE)
    form = ChangeForm(entered(request), action=action, person=request.user)
    return decide(
        request,
        form,
        lambda: change_plan(
            action=action, changes=form.changes(), actor=request.user, seen_at=form.cleaned_data["seen_at"]
        ),
        template="planning/change.html",
        context={"action": action, "siblings": selectors.siblings(action, scope=request.person.scope())},
        done=_("Changed."),
        then=lambda: to_action(action),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_correct(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    if not is_possible(Step.CORRECT, action.state):
        return refused(request, action, Step.CORRECT)
    as_of = today_in(action.unit)
    form = CorrectForm(entered(request), action=action, person=request.user, as_of=as_of)
    return decide(
        request,
        form,
        lambda: correct_action(
            action=action,
            changes=form.changes(),
            as_of=as_of,
            actor=request.user,
            **{name: form.cleaned_data[name] for name in ("reason", "seen_at")},
        ),
        template="planning/correct.html",
        context={"action": action},
        done=_("Corrected. The result is measured again."),
        then=lambda: to_action(action),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_stop(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    if not is_possible(Step.STOP, action.state):
        return refused(request, action, Step.STOP)
    as_of = today_in(action.unit)
    form = StopForm(entered(request), initial={"ended_on": as_of, "seen_at": action.updated_at.isoformat()})
    return decide(
        request,
        form,
        lambda: stop_action(action=action, **form.cleaned_data, as_of=as_of, actor=request.user),
        template="planning/stop.html",
        context={"action": action},
        done=_("Stopped. What it changed until then still counts."),
        then=lambda: to_action(action),
    )


@require_POST
@require_role(Role.MANAGER)
def action_sustain(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    with told(request):
        as_of = today_in(action.unit)
        sustain_action(action=action, as_of=as_of, actor=request.user, seen_at=seen_at_of(request))
        messages.success(request, _("Kept as the standard of this unit."))
    return back(request, action)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def action_withdraw(request: PersonRequest, external_id: str) -> HttpResponse:
    action = action_in_scope(request, external_id, Role.MANAGER)
    if not is_possible(Step.WITHDRAW, action.state):
        return refused(request, action, Step.WITHDRAW)
    form = WithdrawForm(entered(request), initial={"seen_at": action.updated_at.isoformat()})
    return decide(
        request,
        form,
        lambda: withdraw_action(action=action, **form.cleaned_data, actor=request.user),
        template="planning/withdraw.html",
        context={"action": action},
        done=_("Withdrawn."),
        then=lambda: redirect("planning:action-list"),
    )
