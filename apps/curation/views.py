"""Solution packs: those that are shipped, one to bring in, one to take along."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core import formats
from apps.curation import selectors
from apps.curation.forms import ExportForm, PackForm
from apps.curation.packs import write_pack
from apps.curation.services import PackOutcome, import_pack
from apps.curation.shipped import shipped_packs
from apps.library.models import Solution, Status


@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.LEAD)
def pack_list(request: PersonRequest) -> HttpResponse:
    """The packs that come with cxplan, and a form for others; a lead of everything brings them in."""
    may_import = request.person.leads_from_the_top
    form = PackForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not may_import:
            raise Http404
        if form.is_valid():
            status = Status.DRAFT if form.cleaned_data["as_drafts"] else Status.PUBLISHED
            outcome = import_pack(pack=form.cleaned_data["file"], status=status, actor=request.person.user)
            messages.success(request, _told(outcome))
            return redirect("curation:pack-list")
    context = {
        "packs": selectors.view_packs(list(shipped_packs().values())),
        "form": form,
        "may_import": may_import,
    }
    return render(request, "curation/pack_list.html", context, status=422 if form.is_bound else 200)


@require_safe
@require_role(Role.LEAD)
def pack(request: PersonRequest, code: str) -> HttpResponse:
    shipped = shipped_packs().get(code)
    if shipped is None:
        raise Http404
    context = {
        "pack": selectors.view_packs([shipped])[0],
        "may_import": request.person.leads_from_the_top,
    }
    return render(request, "curation/pack.html", context)


@require_POST
@require_role(Role.LEAD)
def pack_import(request: PersonRequest, code: str) -> HttpResponse:
    shipped = shipped_packs().get(code)
    if shipped is None or not request.person.leads_from_the_top:
        raise Http404
    messages.success(request, _told(import_pack(pack=shipped, actor=request.person.user)))
    return redirect("curation:pack", code)


@require_http_methods(["GET", "HEAD", "POST"])
@require_role(Role.LEAD)
def pack_export(request: PersonRequest) -> HttpResponse:
    form = ExportForm(request.POST or None)
    if form.is_valid():
        made = selectors.pack_of(
            code=form.cleaned_data["code"],
            title=form.cleaned_data["title"],
            challenges=[challenge.code for challenge in form.cleaned_data["challenges"]],
            with_evidence=form.cleaned_data["with_evidence"],
        )
        text = json.dumps(write_pack(made), ensure_ascii=False, indent=1) + "\n"
        return HttpResponse(
            text,
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{made.code}.json"'},
        )
    return render(request, "curation/pack_export.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@require_role(Role.STAFF)
def outside_evidence(request: PersonRequest, code: str) -> HttpResponse:
    """What packs say of a solution; a fragment of its page, empty when they say nothing."""
    solutions = Solution.objects.all() if request.person.has(Role.LEAD) else Solution.objects.published()
    solution = get_object_or_404(solutions, code__iexact=code)
    return render(request, "curation/_outside.html", {"rows": selectors.outside_evidence(solution)})


def _told(outcome: PackOutcome) -> str:
    if not outcome.solutions + outcome.challenges + outcome.playbooks + outcome.links:
        return _("Everything in this pack was in the library already; nothing was changed.")
    return _("%(solutions)s and %(challenges)s came in; what was there already stayed as it was.") % {
        "solutions": formats.counted(outcome.solutions, "solution"),
        "challenges": formats.counted(outcome.challenges, "challenge"),
    }
