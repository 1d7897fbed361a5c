"""Pages on which leads write solutions, link them to challenges and keep them current."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.errors import CxplanError
from apps.core.uploads import DOCUMENTS, IMAGES, endings_of
from apps.library.care import mark_reviewed, tell_watchers
from apps.library.files import add_file, delete_file
from apps.library.forms import LearningForm, LearningStateForm, SolutionForm, UseForm, refusals
from apps.library.learnings import add_learning, attach_use, set_learning_state
from apps.library.models import Learning, Solution, SolutionFile, Status
from apps.library.pages import answered
from apps.library.selectors import linkable_challenges
from apps.library.services import (
    create_solution,
    link_solution,
    newest_version,
    publish_solution,
    restore_version,
    retire_solution,
    revise_solution,
    set_web_links,
    unlink_solution,
)
from apps.library.views import solution_in_reach
from apps.taxonomy.models import Challenge


@contextmanager
def told(request: PersonRequest) -> Iterator[None]:
    """Say why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        messages.error(request, error.message)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def solution_new(request: PersonRequest) -> HttpResponse:
    form = SolutionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals(form), transaction.atomic():
            made = create_solution(
                text=form.text(),
                translations={one: text for one, text in form.translations().items() if not text.is_empty},
                facts=form.facts(),
                as_of=timezone.now().date(),
                actor=request.user,
            )
            set_web_links(solution=made, links=form.cleaned_data["links"], actor=request.user)
            messages.success(request, _("Written down as a draft. Link it to its challenges, then publish it."))
            return redirect("library:solution-links", made.code)
    return render(request, "library/solution_form.html", {"form": form}, status=_status(request))


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def solution_edit(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    form = SolutionForm(
        request.POST if request.method == "POST" else None, solution=shown, version=newest_version(shown)
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form), transaction.atomic():
            revised = revise_solution(
                solution=shown,
                text=form.text(),
                translations=form.translations(),
                # The first of the links is kept with the others from now on.
                facts={**form.facts(), "url": ""},
                note=form.cleaned_data["note"],
                actor=request.user,
                seen_at=form.cleaned_data["seen_at"],
            )
            set_web_links(solution=revised, links=form.cleaned_data["links"], actor=request.user)
            if revised.updated_at != shown.updated_at:
                tell_watchers(solution=revised, what="revised", at=timezone.now(), actor=request.user)
            messages.success(request, _("Saved. Earlier versions stay readable."))
            return redirect("library:solution", revised.code)
    newest = newest_version(shown)
    context = {"form": form, "solution": shown, "newest": newest}
    return render(request, "library/solution_form.html", context, status=_status(request))


@require_POST
@require_role(Role.LEAD)
def solution_status(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    with told(request), transaction.atomic():
        if request.POST.get("status") == Status.PUBLISHED:
            publish_solution(solution=shown, actor=request.user)
            tell_watchers(solution=shown, what="published", at=timezone.now(), actor=request.user)
            messages.success(request, _("Published: everybody sees it and managers can plan it."))
        elif request.POST.get("status") == Status.RETIRED:
            retire_solution(solution=shown, reason=request.POST.get("reason", "")[:1_000], actor=request.user)
            tell_watchers(solution=shown, what="retired", at=timezone.now(), actor=request.user)
            messages.success(request, _("Retired. What was learnt from its uses stays."))
    return redirect("library:solution", shown.code)


@require_POST
@require_role(Role.LEAD)
def solution_reviewed(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    mark_reviewed(solution=shown, on=timezone.now().date(), actor=request.user)
    messages.success(request, _("Noted as reviewed today."))
    return redirect("library:solution", shown.code)


@require_POST
@require_role(Role.LEAD)
def version_restore(request: PersonRequest, code: str, number: int) -> HttpResponse:
    shown = solution_in_reach(request, code)
    get_object_or_404(shown.versions, number=number)
    restore_version(solution=shown, number=number, actor=request.user)
    tell_watchers(solution=shown, what="revised", at=timezone.now(), actor=request.user)
    messages.success(request, _("Version %(number)s is the newest again.") % {"number": number})
    return redirect("library:solution", shown.code)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def solution_links(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    if request.method == "POST":
        challenge = get_object_or_404(Challenge, code__iexact=request.POST.get("challenge", ""))
        if "unlink" in request.POST:
            unlink_solution(solution=shown, challenge=challenge, actor=request.user)
        else:
            rationale = request.POST.get("rationale", "")[:2_000]
            link_solution(solution=shown, challenge=challenge, rationale=rationale, actor=request.user)
        return redirect("library:solution-links", shown.code)
    query = request.GET.get("q", "").strip()[:200]
    context = {
        "solution": shown,
        "links": answered(shown),
        "query": query,
        "found": linkable_challenges(shown, query=query),
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(request, "library/_linkable.html" if is_fragment else "library/links.html", context)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def solution_files(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    if request.method == "POST":
        with told(request):
            if "file" not in request.FILES:
                messages.error(request, _("Choose a file first."))
            for file in request.FILES.getlist("file"):
                kept = add_file(solution=shown, file=file, actor=request.user)
                messages.success(request, _("%(name)s was added.") % {"name": kept.name})
        return redirect("library:solution-files", shown.code)
    context = {
        "solution": shown,
        "files": list(shown.files.select_related("author").order_by("name", "pk")),
        "endings": endings_of(IMAGES | DOCUMENTS),
    }
    return render(request, "library/files.html", context)


@require_POST
@require_role(Role.LEAD)
def file_delete(request: PersonRequest, pk: int) -> HttpResponse:
    kept = get_object_or_404(SolutionFile.objects.select_related("solution"), pk=pk)
    delete_file(file=kept, actor=request.user)
    messages.success(request, _("%(name)s was deleted.") % {"name": kept.name})
    return redirect("library:solution-files", kept.solution.code)


@require_POST
@require_role(Role.LEAD)
def learning_new(request: PersonRequest, code: str) -> HttpResponse:
    shown = solution_in_reach(request, code)
    form = LearningForm(request.POST)
    if form.is_valid():
        add_learning(solution=shown, **form.cleaned_data, actor=request.user)
        messages.success(request, _("Added. Attach the uses that show it."))
    else:
        messages.error(request, _("Say in a sentence what was learnt."))
    return redirect("library:solution", shown.code)


@require_POST
@require_role(Role.LEAD)
def learning(request: PersonRequest, pk: int) -> HttpResponse:
    """Judge a learning, or attach a use to it."""
    solutions = Solution.objects.seen_by(is_lead=True)
    shown = get_object_or_404(Learning.objects.select_related("solution"), pk=pk, solution__in=solutions)
    state, use = LearningStateForm(request.POST), UseForm(request.POST)
    with told(request):
        if state.is_valid():
            set_learning_state(learning=shown, **state.cleaned_data, actor=request.user)
        elif use.is_valid():
            attach_use(learning=shown, **use.cleaned_data, actor=request.user)
        else:
            messages.error(request, _("This is no id of an action."))
    return redirect("library:solution", shown.solution.code)


def _status(request: PersonRequest) -> int:
    """A form that comes back was not accepted."""
    return 422 if request.method == "POST" else 200
