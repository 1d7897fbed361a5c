"""The fragment that recommends solutions for a challenge in a unit, and the taps on its cards."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.core.errors import CxplanError
from apps.impact.recommend import recommend
from apps.impact.selectors import last_measured_on
from apps.library.models import Solution
from apps.planning import guide
from apps.planning.dismissals import dismiss_solution, take_back_dismissal
from apps.planning.models import Plan
from apps.taxonomy.models import Challenge


@require_safe
@require_role(Role.STAFF)
def recommended(request: PersonRequest, code: str) -> HttpResponse:
    challenge = _challenge(code)
    unit = _unit(request, request.GET.get("unit", ""), Role.STAFF)
    return _answer(request, challenge, unit, _plan(request, request.GET.get("plan", "")))


@require_POST
@require_role(Role.MANAGER)
def dismiss(request: PersonRequest, code: str) -> HttpResponse:
    """Not for us: remembered for the unit; with `again` it is offered again."""
    challenge = _challenge(code)
    unit = _unit(request, request.POST.get("unit", "") or "-", Role.MANAGER)
    solution = get_object_or_404(Solution.objects.all(), code__iexact=request.POST.get("solution", ""))
    about: dict[str, Any] = {"unit": unit, "challenge": challenge, "solution": solution, "actor": request.user}
    try:
        if "again" in request.POST:
            take_back_dismissal(**about)
        else:
            dismiss_solution(**about, reason=request.POST.get("reason", ""))
    except CxplanError as error:
        messages.error(request, error.message)
    if not request.headers.get("HX-Request"):
        return redirect("taxonomy:challenge", challenge.code)
    return _answer(request, challenge, unit, _plan(request, request.POST.get("plan", "")))


def _answer(request: PersonRequest, challenge: Challenge, unit: Unit | None, plan: Plan | None) -> HttpResponse:
    found = None
    if unit is not None:
        found = recommend(
            challenge=challenge,
            unit=unit,
            as_of=last_measured_on() or timezone.localdate(),
            may_plan=request.person.holds(Role.MANAGER, unit.path) and challenge.retired_on is None,
            leads=request.person.scope(Role.LEAD),
            plan=plan,
        )
    name = "_recommended" if request.headers.get("HX-Request") else "recommended"
    return render(request, f"impact/{name}.html", {"recommendation": found, "challenge": challenge, "plan": plan})


def _challenge(code: str) -> Challenge:
    rows = Challenge.objects.select_related("metric", "merged_into__metric")
    found: Challenge = get_object_or_404(rows, code__iexact=code)
    return found.standing


def _unit(request: PersonRequest, code: str, role: Role) -> Unit | None:
    """The unit that is named, where the person holds `role`, else the one they look at."""
    if not code:
        # The middleware's lazy object is not None even where it stands for None.
        return request.unit or None
    found: Unit = get_object_or_404(Unit.objects.in_scope(request.person.scope(role)), code__iexact=code)
    return found


def _plan(request: PersonRequest, key: str) -> Plan | None:
    if not key.isdecimal():
        return None
    return guide.drafts_in(request.person.scope(Role.MANAGER)).filter(pk=key).first()
