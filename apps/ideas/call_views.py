"""Pages of calls for ideas."""

from typing import cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.accounts.selectors import covers_everything
from apps.ideas import selectors
from apps.ideas.call_selectors import call_page, call_summary, managed_calls
from apps.ideas.calls import CallChanges, change_call, close_call, create_call
from apps.ideas.forms import CallForm, refusals
from apps.ideas.models import Call
from apps.ideas.views import told


@require_GET
@require_role(Role.STAFF)
def call_list(request: PersonRequest) -> HttpResponse:
    page = call_page(number=request.GET.get("page"), as_of=timezone.localdate())
    return render(request, "ideas/call_list.html", {"page": page, "may_call": request.person.has(Role.LEAD)})


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def call_new(request: PersonRequest) -> HttpResponse:
    scope = request.person.scope(Role.LEAD)
    today = timezone.localdate()
    form = CallForm(
        request.POST if request.method == "POST" else None,
        scope=scope,
        everywhere=covers_everything(scope),
        challenge=request.GET.get("challenge", ""),
        as_of=today,
    )
    if form.is_bound and form.is_valid():
        with refusals(form):
            call = create_call(**form.cleaned_data, as_of=today, actor=request.user)
            messages.success(request, _("Open. Everybody who is asked sees it on their first page."))
            return redirect("ideas:call", call.pk)
    return render(request, "ideas/call_form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_GET
@require_role(Role.STAFF)
def call(request: PersonRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Call.objects.select_related("challenge", "unit", "owner"), pk=pk)
    now, today = timezone.now(), timezone.localdate()
    filters = selectors.IdeaFilters(show="all", call=shown.pk)
    context = {
        "call": shown,
        "summary": call_summary(shown),
        "page": selectors.idea_page(
            person=request.person, filters=filters, number=request.GET.get("page"), at=now
        ),
        "filters": filters,
        "is_open": shown.is_open_on(today),
        "is_to_come": shown.opens_on > today and shown.closed_at is None,
        "may_change": managed_calls(request.person).filter(pk=pk).exists(),
    }
    return render(request, "ideas/call.html", context)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def call_change(request: PersonRequest, pk: int) -> HttpResponse:
    changed = _managed(request, pk)
    today = timezone.localdate()
    form = CallForm(
        request.POST if request.method == "POST" else None,
        call=changed,
        scope=request.person.scope(Role.LEAD),
        everywhere=False,
        as_of=today,
    )
    if form.is_bound and form.is_valid():
        with refusals(form):
            change_call(
                call=changed, changes=cast(CallChanges, form.cleaned_data), as_of=today, actor=request.user
            )
            messages.success(request, _("Saved."))
            return redirect("ideas:call", pk)
    context = {"form": form, "call": changed}
    return render(request, "ideas/call_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@require_role(Role.LEAD)
def call_close(request: PersonRequest, pk: int) -> HttpResponse:
    with told(request):
        close_call(call=_managed(request, pk), at=timezone.now(), actor=request.user)
        messages.success(request, _("Closed. What was proposed stays."))
    return redirect("ideas:call", pk)


def _managed(request: PersonRequest, pk: int) -> Call:
    found: Call = get_object_or_404(managed_calls(request.person), pk=pk)
    return found
