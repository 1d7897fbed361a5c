"""The list of solutions, the page of one, its versions and its files."""

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.uploads import IMAGES, send_upload
from apps.library import selectors
from apps.library.care import unwatch, watch
from apps.library.documents import recipe_pdf
from apps.library.forms import LearningForm, LearningStateForm, SolutionFilterForm, UseForm
from apps.library.models import Solution, SolutionFile, Status
from apps.library.pages import solution_page
from apps.library.versions import version_page


def solution_in_reach(request: PersonRequest, code: str) -> Solution:
    """The solution if the person may see it: drafts are for leads."""
    solutions = Solution.objects.seen_by(is_lead=request.person.has(Role.LEAD)).select_related("owner")
    return get_object_or_404(solutions, code__iexact=code)


@require_safe
@require_role(Role.STAFF)
def solution_list(request: PersonRequest) -> HttpResponse:
    form = SolutionFilterForm(request.GET)
    form.is_valid()
    is_lead = request.person.has(Role.LEAD)
    # A choice that does not exist is left out, as if it had not been asked for.
    asked = {name: form.cleaned_data.get(name) for name in ("q", "kind", "cost", "status")}
    if not is_lead:
        asked["status"] = ""
    page = selectors.solution_list(
        query=(asked["q"] or "").strip(),
        kind=asked["kind"] or "",
        cost=asked["cost"],
        status=asked["status"] or "",
        page=request.GET.get("page"),
    )
    context = {
        "form": form,
        "page": page,
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "may_plan": request.person.has(Role.MANAGER),
        "is_lead": is_lead,
        "statuses": Status.choices,
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(request, "library/_solutions.html" if is_fragment else "library/solution_list.html", context)


@require_safe
@require_role(Role.STAFF)
def solution(request: PersonRequest, code: str) -> HttpResponse:
    is_lead = request.person.has(Role.LEAD)
    page = solution_page(code, reader=request.user, as_of=timezone.now().date())
    if page is None or (page.is_draft and not is_lead):
        raise Http404
    context = {
        "page": page,
        "is_lead": is_lead,
        "may_plan": request.person.has(Role.MANAGER) and not page.is_retired,
        "learning_form": LearningForm() if is_lead else None,
        "use_form": UseForm() if is_lead else None,
        "state_form": LearningStateForm() if is_lead else None,
        "has_aside": True,
    }
    return render(request, "library/solution.html", context)


@require_safe
@require_role(Role.STAFF)
def solution_pdf(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    page = solution_page(shown.code, reader=request.user, as_of=timezone.now().date())
    assert page is not None
    document = recipe_pdf(page, language=get_language() or "en", as_of=timezone.now().date())
    response = HttpResponse(document, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{page.code}.pdf"'
    return response


@require_safe
@require_role(Role.STAFF)
def solution_version(request: PersonRequest, code: str, number: int) -> HttpResponse:
    shown = solution_in_reach(request, code)
    against = request.GET.get("against", "")
    page = version_page(shown, number, against=int(against) if against.isascii() and against.isdigit() else None)
    if page is None:
        raise Http404
    context = {"page": page, "is_lead": request.person.has(Role.LEAD)}
    return render(request, "library/version.html", context)


@require_POST
@require_role(Role.STAFF)
def solution_watch(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    if request.POST.get("watch") == "no":
        unwatch(solution=shown, user=request.user)
        messages.success(request, _("You are no longer told when it changes."))
    else:
        watch(solution=shown, user=request.user)
        messages.success(request, _("You are told when its text or its evidence changes."))
    return redirect("library:solution", shown.code)


@require_safe
@require_role(Role.STAFF)
def solution_file(request: PersonRequest, pk: int) -> FileResponse:
    solutions = Solution.objects.seen_by(is_lead=request.person.has(Role.LEAD))
    kept = get_object_or_404(SolutionFile, pk=pk, solution__in=solutions)
    return send_upload(
        kept.file, name=kept.name, content_type=kept.content_type, is_shown=kept.content_type in IMAGES
    )
