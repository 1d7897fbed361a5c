"""The fragment of a result on which a team says what it makes of it, and a lead signs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.errors import CxplanError
from apps.impact.models import Effect, Reading
from apps.impact.readings import readings_of, settle_reading, write_reading
from apps.planning.models import Action


@require_safe
@require_role(Role.STAFF)
def readings(request: PersonRequest, external_id: str) -> HttpResponse:
    return _shown(request, _action(request, external_id, Role.STAFF))


@require_POST
@require_role(Role.MANAGER)
def reading_write(request: PersonRequest, external_id: str) -> HttpResponse:
    action = _action(request, external_id, Role.MANAGER)
    text = request.POST.get("text", "")
    try:
        write_reading(action=action, text=text, at=timezone.now(), actor=request.user)
    except CxplanError as error:
        return _shown(request, action, text=text, error=error.message)
    return _done(request, action)


@require_POST
@require_role(Role.LEAD)
def reading_settle(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Reading.objects.in_scope(request.person.scope(Role.LEAD)).select_related("action__unit")
    reading = get_object_or_404(rows, pk=pk)
    try:
        settle_reading(
            reading=reading,
            accept=request.POST.get("decision") == "accept",
            reason=request.POST.get("reason", ""),
            at=timezone.now(),
            actor=request.user,
        )
    except CxplanError as error:
        return _shown(request, reading.action, error=error.message)
    return _done(request, reading.action)


def _action(request: PersonRequest, external_id: str, role: Role) -> Action:
    rows = Action.objects.in_scope(request.person.scope(role)).select_related("unit")
    found: Action = get_object_or_404(rows, external_id__iexact=external_id)
    return found


def _done(request: PersonRequest, action: Action) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _shown(request, action)
    return redirect("impact:action-effect", action.external_id)


def _shown(request: PersonRequest, action: Action, *, text: str = "", error: str = "") -> HttpResponse:
    if error and not request.headers.get("HX-Request"):
        messages.error(request, error)
        return redirect("impact:action-effect", action.external_id)
    context = {
        "action": action,
        "readings": readings_of(action),
        "has_result": Effect.objects.on_target().filter(action=action).exists(),
        "may_write": request.person.holds(Role.MANAGER, action.unit.path),
        "may_settle": request.person.holds(Role.LEAD, action.unit.path),
        "me": request.user.pk,
        "text": text,
        "error": error,
    }
    return render(request, "impact/_readings.html", context, status=422 if error else 200)
