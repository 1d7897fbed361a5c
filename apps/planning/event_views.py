"""Pages of known disturbances."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.planning import selectors
from apps.planning.events import change_event, create_event, remove_event
from apps.planning.forms import EventForm, refusals, shown_units
from apps.planning.models import Event
from apps.planning.pages import seen_at_of, told


@require_GET
@require_role(Role.STAFF)
def event_list(request: PersonRequest) -> HttpResponse:
    person = request.person
    events = Event.objects.in_scope(person.scope()).select_related("unit").order_by("-starts_on", "-pk")
    page = Paginator(events, selectors.PAGE_ROWS).get_page(request.GET.get("page"))
    may_edit_all = selectors.answers_for_all(scope=person.scope(Role.LEAD))
    scope = person.scope(Role.MANAGER)
    rows = [
        selectors.event_row(event, may_edit=scope.holds(event.unit.path) if event.unit else may_edit_all)
        for event in page.object_list
    ]
    context = {"page": page, "rows": rows, "may_add": person.has(Role.MANAGER)}
    return render(request, "planning/event_list.html", context)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def event_new(request: PersonRequest) -> HttpResponse:
    form = _form(request, None)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            create_event(**form.entries(), actor=request.user)
            messages.success(request, _("Noted. It is shown beside the results of these weeks."))
            return redirect("planning:event-list")
    return render(request, "planning/event.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@require_role(Role.MANAGER)
def event(request: PersonRequest, pk: int) -> HttpResponse:
    noted = _event(request, pk)
    form = _form(request, noted)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            seen_at = form.cleaned_data["seen_at"]
            change_event(event=noted, **form.entries(), actor=request.user, seen_at=seen_at)
            messages.success(request, _("Changed."))
            return redirect("planning:event-list")
    context = {"form": form, "event": noted}
    return render(request, "planning/event.html", context, status=422 if form.is_bound else 200)


@require_POST
@require_role(Role.MANAGER)
def event_remove(request: PersonRequest, pk: int) -> HttpResponse:
    noted = _event(request, pk)
    with told(request):
        remove_event(event=noted, actor=request.user, seen_at=seen_at_of(request))
        messages.success(request, _("Removed."))
    return redirect("planning:event-list")


def _event(request: PersonRequest, pk: int) -> Event:
    """An event of the person's units, or of all units for those who answer for all."""
    scope = request.person.scope(Role.MANAGER)
    events = Event.objects.in_scope(scope)
    if not selectors.answers_for_all(scope=request.person.scope(Role.LEAD)):
        events = events.exclude(unit=None)
    found: Event = get_object_or_404(events.select_related("unit"), pk=pk)
    return found


def _form(request: PersonRequest, noted: Event | None) -> EventForm:
    scope = request.person.scope(Role.MANAGER)
    looked_at = request.unit
    shown = shown_units(scope=scope, below=looked_at if looked_at and scope.holds(looked_at.path) else None)
    if noted is not None and noted.unit is not None and noted.unit not in shown:
        shown = [noted.unit, *shown]
    return EventForm(
        request.POST if request.method == "POST" else None,
        initial=EventForm.initial_of(noted),
        units=selectors.units_within(scope=scope),
        shown=shown,
        everywhere=selectors.answers_for_all(scope=request.person.scope(Role.LEAD)),
    )
