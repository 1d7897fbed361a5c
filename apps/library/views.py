"""The list of solutions and the page of one."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.library import selectors
from apps.library.forms import SolutionFilterForm
from apps.library.recipes import recipe_html


@require_safe
@require_role(Role.STAFF)
def solution_list(request: PersonRequest) -> HttpResponse:
    form = SolutionFilterForm(request.GET)
    form.is_valid()
    # A choice that does not exist is left out, as if it had not been asked for.
    asked = {name: form.cleaned_data.get(name) for name in ("q", "kind", "cost")}
    page = selectors.solution_list(
        query=(asked["q"] or "").strip(),
        kind=asked["kind"] or "",
        cost=asked["cost"],
        page=request.GET.get("page"),
    )
    context = {
        "form": form,
        "page": page,
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "may_plan": request.person.has(Role.MANAGER),
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(request, "library/_solutions.html" if is_fragment else "library/solution_list.html", context)


@require_safe
@require_role(Role.STAFF)
def solution(request: PersonRequest, code: str) -> HttpResponse:
    page = selectors.solution_page(code)
    if page is None or (page.is_draft and not request.person.has(Role.LEAD)):
        raise Http404
    context = {
        "page": page,
        "recipe": recipe_html(page.body),
        "may_plan": request.person.has(Role.MANAGER) and not page.is_retired,
        "has_aside": True,
    }
    return render(request, "library/solution.html", context)
