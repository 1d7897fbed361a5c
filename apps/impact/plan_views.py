"""Fragments that tell a plan being made what the data say."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.impact.readiness import data_checks, draw_check
from apps.planning import guide, rollout_rows
from apps.planning.draws import MOST_STEPS, MOST_WEEKS
from apps.planning.rules import PLANNED_AHEAD


@require_safe
@require_role(Role.MANAGER)
def ready(request: PersonRequest, pk: int) -> HttpResponse:
    plan = get_object_or_404(guide.drafts_in(request.person.scope(Role.MANAGER)), pk=pk)
    today = timezone.localdate()
    units = guide.units_of(plan)
    checks = data_checks(
        plan=plan,
        units=units,
        starts=guide.starts_of(plan, usual=today),
        lag_days=guide.lag_of(plan.solutions.all()),
        as_of=today,
    )
    return render(request, "impact/_ready.html", {"checks": checks})


@require_safe
@require_role(Role.MANAGER)
def draw_comparison(request: PersonRequest, pk: int) -> HttpResponse:
    """Beside the form of a draw; empty while the form says nothing that can be drawn."""
    plan = get_object_or_404(rollout_rows.plans_managed(request.person.scope(Role.MANAGER)), pk=pk)
    steps, gap_weeks = (_count(request.GET.get(name)) for name in ("steps", "gap_weeks"))
    first_on = _day(request.GET.get("first_on"))
    if not (first_on and 2 <= steps <= MOST_STEPS and 1 <= gap_weeks <= MOST_WEEKS):
        return HttpResponse()
    check = draw_check(
        plan=plan,
        waiting=rollout_rows.waiting_actions(plan),
        steps=steps,
        gap_weeks=gap_weeks,
        first_on=first_on,
        as_of=timezone.localdate(),
    )
    return render(request, "impact/_ready.html", {"checks": [check]}) if check else HttpResponse()


def _count(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 5 else 0


def _day(text: str | None) -> date | None:
    """A day to come that a plan may begin on."""
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    today = timezone.localdate()
    return day if day and today <= day <= today + PLANNED_AHEAD else None
