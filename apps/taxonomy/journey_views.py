"""Pages of the journeys, as they are and as they were."""

from datetime import date

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.middleware import PersonRequest
from apps.taxonomy import editing, journeys
from apps.taxonomy.editor_views import require_lead
from apps.taxonomy.forms import refusals
from apps.taxonomy.journey_forms import JourneyForm
from apps.taxonomy.models import Journey


@require_GET
@require_lead
def journey_list(request: PersonRequest) -> HttpResponse:
    standing = Count("touchpoints", filter=Q(touchpoints__retired_on=None), distinct=True)
    rows = Journey.objects.annotate(stage_count=standing, version_count=Count("versions", distinct=True))
    context = {
        "journeys": rows.order_by("name", "pk"),
        "changes": editing.recent_changes(at=timezone.now()),
        "has_aside": True,
    }
    return render(request, "taxonomy/journey_list.html", context)


@require_http_methods(["GET", "POST"])
@require_lead
def journey(request: PersonRequest, code: str) -> HttpResponse:
    shown, today = get_object_or_404(Journey, code__iexact=code), timezone.localdate()
    form = JourneyForm(request.POST if request.method == "POST" else None, journey=shown, today=today)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            changed = journeys.change_journey(
                journey=shown,
                entries=form.entries(),
                starts_on=form.cleaned_data["starts_on"],
                as_of=today,
                actor=request.user,
            )
            messages.success(
                request, _("Saved. You can undo it for a day.") if changed else _("Nothing was changed.")
            )
            return redirect("taxonomy:journey", shown.code)
    on = _day(request.GET.get("on", ""))
    context = {
        "journey": shown,
        "form": form,
        "then": journeys.journey_on(shown, on) if on else None,
        "on": on,
        "versions": shown.versions.order_by("-number"),
    }
    return render(request, "taxonomy/journey.html", context, status=422 if form.is_bound else 200)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
