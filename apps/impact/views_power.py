"""Fragments that say what a plan could show, asked for by the pages on which it is made."""

import math
from datetime import date

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.impact import power, selectors
from apps.planning.models import Action, Plan
from apps.taxonomy.models import Challenge, Metric

MOST_STEPS, MOST_WEEKS = 12, 26


@require_safe
@require_role(Role.STAFF)
def chance(request: PersonRequest) -> HttpResponse:
    units = _units(request)
    found = power.action_chance(
        metric=_metric(request.GET), unit=units[0], wanted=_wanted(request.GET.get("effect")), as_of=_as_of()
    )
    return render(request, "impact/_chance.html", {"chance": found})


@require_safe
@require_role(Role.STAFF)
def rollout_chance(request: PersonRequest) -> HttpResponse:
    found = power.rollout_chance(
        metric=_metric(request.GET),
        units=_units(request),
        wanted=_wanted(request.GET.get("effect")),
        as_of=_as_of(),
        steps=_number(request.GET.get("steps"), power.WAVES, MOST_STEPS),
        gap_weeks=_number(request.GET.get("weeks"), power.GAP_WEEKS, MOST_WEEKS),
    )
    return render(request, "impact/_chance.html", {"chance": found})


@require_safe
@require_role(Role.STAFF)
def plan_chance(request: PersonRequest, plan_id: int) -> HttpResponse:
    plan = get_object_or_404(Plan.objects.select_related("challenge__metric", "target_metric"), pk=plan_id)
    mine = Action.objects.in_scope(request.person.scope(Role.STAFF)).filter(plan=plan)
    units = list(
        {action.unit_id: action.unit for action in mine.select_related("unit").order_by("unit_id")}.values()
    )
    metric = plan.target_metric or plan.challenge.metric
    if not units:
        raise Http404
    if metric is None:
        return HttpResponse()
    wanted = float(plan.intended_effect) if plan.intended_effect else None
    if len(units) > 1:
        found = power.rollout_chance(
            metric=metric,
            units=units,
            wanted=wanted,
            as_of=_as_of(),
            steps=_number(request.GET.get("steps"), power.WAVES, MOST_STEPS),
            gap_weeks=_number(request.GET.get("gap_weeks"), power.GAP_WEEKS, MOST_WEEKS),
        )
    else:
        found = power.action_chance(metric=metric, unit=units[0], wanted=wanted, as_of=_as_of())
    return render(request, "impact/_chance.html", {"chance": found})


def _units(request: PersonRequest) -> list[Unit]:
    """The units named in the address, all of them within the person's scope."""
    codes = {code.lower() for code in request.GET.getlist("unit") if code}
    if not codes and request.unit:
        return [request.unit]
    in_scope = Unit.objects.in_scope(request.person.scope(Role.STAFF))
    units = [unit for code in sorted(codes) for unit in in_scope.filter(code__iexact=code)[:1]]
    if not units or len(units) != len(codes):
        raise Http404
    return units


def _metric(asked: QueryDict) -> Metric:
    if asked.get("metric"):
        return get_object_or_404(Metric, code__iexact=asked["metric"])
    challenge = get_object_or_404(
        Challenge.objects.select_related("metric"), code__iexact=asked.get("challenge", "")
    )
    if challenge.metric is None:
        raise Http404
    return challenge.metric


def _wanted(text: str | None) -> float | None:
    """An effect worth having: above zero, a decimal comma will do; None where nothing sensible was given."""
    try:
        value = abs(float((text or "").replace(",", ".")))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _number(text: str | None, usual: int, most: int) -> int:
    return min(int(text), most) if text and text.isdigit() and int(text) > 0 else usual


def _as_of() -> date:
    return selectors.last_measured_on() or timezone.localdate()
