"""A unit's page: how it does on its metrics and what its customers say."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.feedback import charts, selectors
from apps.taxonomy.models import Metric


def _unit_or_404(request: PersonRequest, code: str) -> Unit:
    unit = Unit.objects.in_scope(request.person.scope()).filter(code__iexact=code).first()
    if unit is None:
        raise Http404
    return unit


@require_safe
@require_role(Role.STAFF)
def chosen(request: PersonRequest) -> HttpResponse:
    """The page of the unit the person looks at."""
    if not request.unit:
        raise Http404
    return redirect("feedback:unit", request.unit.code)


@require_safe
@require_role(Role.STAFF)
def unit(request: PersonRequest, code: str) -> HttpResponse:
    place = _unit_or_404(request, code)
    found = selectors.unit_trends(
        unit=place, minimum=settings.MINIMUM_CUSTOMERS_SHOWN, weeks=selectors.HALF_A_YEAR_WEEKS, period_weeks=2
    )
    quotes = selectors.recent_quotes(unit=place, last_week=found.last_week) if found.last_week else []
    context = {
        "place": place,
        "found": found,
        "groups": _groups(found),
        "quotes": quotes,
        "minimum": settings.MINIMUM_CUSTOMERS_SHOWN,
    }
    return render(request, "feedback/unit.html", context)


def _groups(found: selectors.UnitTrends) -> list[tuple[str, str, list[selectors.MetricTrend]]]:
    """Heading, what is counted, and the trends of each kind of metric."""
    headings = {
        Metric.Kind.PERCEPTION: _("What customers said"),
        Metric.Kind.OPERATIONAL: _("What operations did"),
    }
    return [
        (heading, charts.counted_label(trends[0].metric), trends)
        for kind, heading in headings.items()
        if (trends := [trend for trend in found.trends if trend.metric.kind == kind])
    ]


@require_safe
@require_role(Role.STAFF)
def unit_metric(request: PersonRequest, code: str, metric: str) -> HttpResponse:
    """One metric over two years; as a fragment, the unit's line on a challenge's page."""
    place = _unit_or_404(request, code)
    found = selectors.unit_trends(
        unit=place, minimum=settings.MINIMUM_CUSTOMERS_SHOWN, metrics=Metric.objects.filter(code__iexact=metric)
    )
    trend = found.trends[0] if found.trends else None
    context: dict[str, object] = {"place": place, "trend": trend, "minimum": settings.MINIMUM_CUSTOMERS_SHOWN}
    if request.headers.get("HX-Request"):
        return render(request, "feedback/_glance.html", context)
    named = Metric.objects.filter(code__iexact=metric).first()
    if named is None:
        raise Http404
    context |= {"metric": named, "counted_label": charts.counted_label(named)}
    if named.kind == Metric.Kind.PERCEPTION:
        context["note"] = _("Points of fewer than %(minimum)s answers are left out.") % context
    if trend is not None:
        columns, rows = charts.trend_table(trend)
        context |= {"spec": charts.trend_spec(trend), "columns": columns, "rows": rows}
    return render(request, "feedback/unit_metric.html", context)
