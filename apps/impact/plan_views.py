"""Fragments that tell a plan being made what the data say."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.impact.readiness import data_checks
from apps.planning import guide


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
