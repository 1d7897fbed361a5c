"""The tree of challenges and the page of one."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.taxonomy import selectors


@require_safe
@require_role(Role.STAFF)
def challenge_list(request: PersonRequest) -> HttpResponse:
    query, under = request.GET.get("q", "").strip(), request.GET.get("under", "")
    branches = selectors.challenge_tree(query=query, under=under)
    context = {"branches": branches, "q": query, "may_edit": request.person.leads_from_the_top}
    is_fragment = bool(request.headers.get("HX-Request"))
    if is_fragment and under:
        unfolded = next((branch for branch in branches if branch.code.lower() == under.lower()), None)
        return render(request, "taxonomy/_leaves.html", {"branch": unfolded})
    return render(request, "taxonomy/_tree.html" if is_fragment else "taxonomy/challenge_list.html", context)


@require_safe
@require_role(Role.STAFF)
def challenge(request: PersonRequest, code: str) -> HttpResponse:
    page = selectors.challenge_page(code)
    if page is None:
        raise Http404
    if page.challenge.merged_into is not None:
        return redirect("taxonomy:challenge", page.challenge.merged_into.code)
    may_plan = request.person.has(Role.MANAGER)
    context = {
        "page": page,
        "may_plan": may_plan,
        "may_edit": request.person.leads_from_the_top,
        "has_aside": True,
    }
    return render(request, "taxonomy/challenge.html", context)
