"""Pages of playbooks."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.library import selectors
from apps.library.forms import PlaybookForm, refusals, steps_of
from apps.library.models import Playbook, Status
from apps.library.playbooks import create_playbook, revise_playbook, set_playbook_status


@require_safe
@require_role(Role.STAFF)
def playbook_list(request: PersonRequest) -> HttpResponse:
    is_lead = request.person.has(Role.LEAD)
    context = {
        "page": selectors.playbook_list(is_lead=is_lead, page=request.GET.get("page")),
        "is_lead": is_lead,
    }
    return render(request, "library/playbook_list.html", context)


@require_safe
@require_role(Role.STAFF)
def playbook(request: PersonRequest, code: str) -> HttpResponse:
    shown = _playbook(request, code)
    is_lead = request.person.has(Role.LEAD)
    page = selectors.playbook_page(shown, is_lead=is_lead)
    context = {
        "page": page,
        "is_lead": is_lead,
        "may_plan": request.person.has(Role.MANAGER) and shown.status == Status.PUBLISHED and page.plannable,
        "has_aside": True,
    }
    return render(request, "library/playbook.html", context)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def playbook_new(request: PersonRequest) -> HttpResponse:
    return _edited(request, None)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def playbook_edit(request: PersonRequest, code: str) -> HttpResponse:
    return _edited(request, _playbook(request, code))


@require_POST
@require_role(Role.LEAD)
def playbook_status(request: PersonRequest, code: str) -> HttpResponse:
    shown = _playbook(request, code)
    if request.POST.get("status") in Status.values:
        set_playbook_status(playbook=shown, status=Status(request.POST["status"]), actor=request.user)
        messages.success(request, _("Saved."))
    return redirect("library:playbook", shown.code)


def _edited(request: PersonRequest, shown: Playbook | None) -> HttpResponse:
    form = PlaybookForm(request.POST if request.method == "POST" else None, playbook=shown)
    entered = steps_of(request.POST) if request.method == "POST" else selectors.steps_entered(shown)
    steps = selectors.resolved_steps(entered)
    is_saved = "save" in request.POST
    if is_saved and form.is_valid():
        with refusals(form):
            words = form.words()
            if shown is None:
                shown = create_playbook(words=words, steps=steps, actor=request.user)
            else:
                seen_at = form.cleaned_data["seen_at"]
                revise_playbook(playbook=shown, words=words, steps=steps, actor=request.user, seen_at=seen_at)
            messages.success(request, _("Saved."))
            return redirect("library:playbook", shown.code)
    query = request.POST.get("q", "").strip()[:200]
    context = {
        "form": form,
        "playbook": shown,
        "steps": steps,
        "query": query,
        "found": selectors.matching(query, limit=8) if query else [],
        "is_lead": True,
    }
    return render(request, "library/playbook_form.html", context, status=422 if is_saved else 200)


def _playbook(request: PersonRequest, code: str) -> Playbook:
    playbooks = Playbook.objects.seen_by(is_lead=request.person.has(Role.LEAD))
    return get_object_or_404(playbooks, code__iexact=code)
