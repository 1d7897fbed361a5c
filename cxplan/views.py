"""Home, the evidence of listed solutions, and whether the service is alive and ready."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.accounts.selectors import chosen_unit
from apps.curation.queue import queue_count
from apps.impact.selectors import measurement_progress
from apps.planning.pages import today_of
from cxplan.digest import digest_of
from cxplan.evidence import strips
from cxplan.home import lead_home, manager_home, staff_home

STRIPS_AT_ONCE = 100
# Of what waits for a curator; beyond it the number says no more.
WAITING_COUNTED = 99


@require_safe
@require_role(Role.STAFF)
def home(request: PersonRequest) -> HttpResponse:
    person, unit, today = request.person, request.unit, today_of(request)
    if not unit:
        return render(request, "home/no_unit.html")
    if person.has(Role.LEAD):
        count = queue_count(person=person, at=timezone.now(), at_most=WAITING_COUNTED + 1)
        context = {
            "home": lead_home(person=person, unit=unit, today=today),
            "waiting_count": min(count, WAITING_COUNTED),
            "waits_more": count > WAITING_COUNTED,
        }
        return render(request, "home/lead.html", context)
    if person.has(Role.MANAGER):
        return render(request, "home/manager.html", {"home": manager_home(person=person, unit=unit, today=today)})
    return render(request, "home/staff.html", {"home": staff_home(person=person, unit=unit, today=today)})


@require_safe
@require_role(Role.LEAD)
def measuring(request: PersonRequest) -> HttpResponse:
    """How far measurement is: it reads a digest of all data, so that Home does not wait for it."""
    progress = measurement_progress(as_of=timezone.now().date())
    return render(request, "home/_measuring.html", {"progress": progress})


@require_safe
@require_role(Role.STAFF)
def digest(request: PersonRequest) -> HttpResponse:
    """What the weekly mail would say now, about the person's own unit as the mail is."""
    unit = chosen_unit(person=request.person, code=None)
    if not unit:
        return render(request, "home/no_unit.html")
    found = digest_of(person=request.person, unit=unit, now=timezone.now())
    return render(request, "home/digest.html", {"digest": found})


@require_safe
@require_role(Role.STAFF)
def solution_strips(request: PersonRequest) -> HttpResponse:
    """Evidence strips that find their own place in a list of solutions."""
    pks = [int(value) for value in request.GET.getlist("pk")[:STRIPS_AT_ONCE] if value.isdecimal()]
    return render(request, "home/_strips.html", {"strips": strips(pks=pks)})


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can do its work: the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
