"""Other views of plans and actions: a table with export, a timeline by unit, a calendar and its feed."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.accounts.person import person_of
from apps.planning.action_export import csv_lines, xlsx_file
from apps.planning.action_table import columns, table_page
from apps.planning.action_timeline import timeline
from apps.planning.calendar_days import day_page, entries_of_person, month_of
from apps.planning.feeds import reader_of, renew_feed, revoke_feed
from apps.planning.filter_bar import filter_bar, filters_of
from apps.planning.icalendar import calendar_file
from apps.planning.models import CalendarFeed
from apps.planning.pages import day_in, today_of

FEED_BEFORE, FEED_AFTER = timedelta(days=60), timedelta(days=400)
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
@require_role(Role.STAFF)
def action_table(request: PersonRequest) -> HttpResponse:
    scope, sort = request.person.scope(), request.GET.get("sort", "")
    bar = filter_bar(request, scope, view="table")
    page = table_page(scope=scope, filters=bar["filters"], sort=sort, number=request.GET.get("page"))
    context = {"page": page, "columns": columns(), "sort": sort}
    return render(request, "planning/action_table.html", bar | context)


@require_GET
@require_role(Role.STAFF)
def action_export(request: PersonRequest) -> HttpResponseBase:
    """The whole table as CSV, or as XLSX."""
    scope, sort = request.person.scope(), request.GET.get("sort", "")
    filters = filters_of(request, scope)
    name = f"plans-{today_of(request):%Y-%m-%d}"
    response: HttpResponseBase
    if request.GET.get("format") == "xlsx":
        response = FileResponse(xlsx_file(scope=scope, filters=filters, sort=sort), content_type=SHEET)
        name += ".xlsx"
    else:
        lines = csv_lines(scope=scope, filters=filters, sort=sort)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name += ".csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
@require_role(Role.STAFF)
def action_timeline(request: PersonRequest) -> HttpResponse:
    scope = request.person.scope()
    bar = filter_bar(request, scope, view="timeline")
    shown = timeline(
        scope=scope,
        filters=bar["filters"],
        start=day_in(request.GET.get("from")),
        number=request.GET.get("page"),
        as_of=today_of(request),
    )
    return render(request, "planning/action_timeline.html", bar | {"timeline": shown, "page": shown.lanes})


@require_GET
@require_role(Role.STAFF)
def action_calendar(request: PersonRequest) -> HttpResponse:
    """A month, or with `day` everything of one day."""
    day = day_in(request.GET.get("day"))
    if day is None:
        return _calendar_page(request)
    scope = request.person.scope()
    bar = filter_bar(request, scope, view="calendar")
    page = day_page(scope=scope, filters=bar["filters"], day=day, number=request.GET.get("page"))
    context = {"day": day, "before": day - timedelta(days=1), "after": day + timedelta(days=1), "page": page}
    return render(request, "planning/action_day.html", bar | context)


@require_POST
@require_role(Role.STAFF)
def feed_renew(request: PersonRequest) -> HttpResponse:
    """Answers with the page itself, not with a redirect: the address is shown once and kept nowhere."""
    return _calendar_page(request, secret=renew_feed(user=request.user, actor=request.user))


@require_POST
@require_role(Role.STAFF)
def feed_revoke(request: PersonRequest) -> HttpResponse:
    if revoke_feed(user=request.user, actor=request.user):
        messages.success(request, _("The address of your calendar no longer works."))
    return redirect("planning:action-calendar")


@never_cache
@require_GET
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The days of the person to whom the secret belongs, as far as they may see them now."""
    user = reader_of(secret)
    if user is None:
        raise Http404
    now = timezone.now()
    with translation.override(user.language):
        found = entries_of_person(
            person=user,
            scope=person_of(user).scope(),
            since=now.date() - FEED_BEFORE,
            until=now.date() + FEED_AFTER,
        )
        host = request.get_host()
        root = request.build_absolute_uri("/").rstrip("/")
        body = calendar_file(found, name=_("Plans in cxplan"), root=root, host=host, at=now)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _calendar_page(request: PersonRequest, *, secret: str = "") -> HttpResponse:
    scope, today = request.person.scope(), today_of(request)
    bar = filter_bar(request, scope, view="calendar")
    first = _month(request.GET.get("month"), today)
    address = request.build_absolute_uri(reverse("planning:feed", args=[secret])) if secret else ""
    context = {
        "month": month_of(scope=scope, filters=bar["filters"], first=first, as_of=today),
        "feed_address": address,
        "has_feed": CalendarFeed.objects.filter(user=request.user).exists(),
    }
    response = render(request, "planning/action_calendar.html", bar | context)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


def _month(text: str | None, today: date) -> date:
    """The first of the month an address names, such as 2026-03."""
    asked = day_in(f"{text}-01") if text else None
    return asked if asked is not None and 2000 < asked.year < 2100 else today.replace(day=1)
