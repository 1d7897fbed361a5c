"""Pages of changes that colleagues ask for."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.library.edit_views import told
from apps.library.forms import ChangeRequestForm, refusals
from apps.library.models import ChangeRequest
from apps.library.pages import languages_of
from apps.library.requests import accept_request, decline_request, request_change
from apps.library.selectors import change_requests
from apps.library.services import newest_version
from apps.library.texts import LANGUAGES, MAIN_LANGUAGE
from apps.library.versions import request_differences
from apps.library.views import solution_in_reach

PAGE_ROWS = 20


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def change_request_new(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    version = newest_version(shown)
    if version is None:
        raise Http404
    language = request.GET.get("language") or (get_language() or MAIN_LANGUAGE)[:2]
    if language not in languages_of(version):
        language = MAIN_LANGUAGE
    form = ChangeRequestForm(
        request.POST if request.method == "POST" else None, version=version, language=language
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            asked = request_change(
                solution=shown,
                language=language,
                changes=form.changes(),
                reason=form.cleaned_data["reason"],
                at=timezone.now(),
                actor=request.user,
            )
            messages.success(request, _("Thank you. You are told what becomes of it."))
            return redirect("library:change-request", asked.pk)
    context = {
        "form": form,
        "solution": shown,
        "language_label": LANGUAGES[language],
        "others": [(one, LANGUAGES[one]) for one in languages_of(version) if one != language],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "library/change_request_form.html", context, status=status)


@require_safe
@require_role(Role.STAFF)
def change_request_list(request: PersonRequest) -> HttpResponse:
    """What waits for leads; for others, what they asked for themselves."""
    is_lead = request.person.has(Role.LEAD)
    rows = change_requests(author=None if is_lead else request.user)
    context = {"page": Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page")), "is_lead": is_lead}
    return render(request, "library/change_request_list.html", context)


@require_safe
@require_role(Role.STAFF)
def change_request(request: PersonRequest, pk: int) -> HttpResponse:
    shown = _request_in_reach(request, pk)
    context = {
        "request_shown": shown,
        "parts": request_differences(shown),
        "is_open": shown.state == ChangeRequest.State.OPEN,
        "is_lead": request.person.has(Role.LEAD),
        "language_label": LANGUAGES[shown.language],
    }
    return render(request, "library/change_request.html", context)


@require_POST
@require_role(Role.LEAD)
def change_request_decide(request: PersonRequest, pk: int) -> HttpResponse:
    shown = _request_in_reach(request, pk)
    decision = request.POST.get("decision", "")[:2_000]
    with told(request):
        if request.POST.get("then") == "accept":
            accept_request(request=shown, decision=decision, at=timezone.now(), actor=request.user)
            messages.success(request, _("Taken over as a new version that names its author."))
        else:
            decline_request(request=shown, decision=decision, at=timezone.now(), actor=request.user)
            messages.success(request, _("Declined. The author is told why."))
    return redirect("library:change-request", shown.pk)


def _request_in_reach(request: PersonRequest, pk: int) -> ChangeRequest:
    """Leads see them all, others their own."""
    rows = ChangeRequest.objects.select_related("solution", "version", "author", "decided_by", "result")
    if not request.person.has(Role.LEAD):
        rows = rows.filter(author=request.user)
    return get_object_or_404(rows, pk=pk)
