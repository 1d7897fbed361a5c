"""The page of what other systems call a solution: labels that wait, and aliases that stand."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.library.edit_views import told
from apps.library.forms import MeaningForm
from apps.library.models import SolutionAlias, UnmappedSolution
from apps.library.solution_aliases import create_solution_alias, ignore_solution_labels, remove_solution_alias
from apps.library.solution_labels import solution_aliases, solution_label_page

require_lead = require_role(Role.LEAD, at_the_top=True)


@require_http_methods(["GET", "POST"])
@require_lead
def solution_label_list(request: PersonRequest) -> HttpResponse:
    if request.method == "POST":
        label = get_object_or_404(UnmappedSolution, pk=_pk(request.POST.get("label", "")))
        with told(request):
            if request.POST.get("do") == "ignore":
                ignore_solution_labels(labels=[label], actor=request.user)
                messages.success(request, _("Set aside."))
            else:
                form = MeaningForm(request.POST)
                create_solution_alias(
                    source=label.source, label=label.label, solution=form.solution(), actor=request.user
                )
                messages.success(request, _("Mapped. Import the file again, and its rows come in."))
        return redirect("library:solution-label-list")
    context = {
        "page": solution_label_page(number=request.GET.get("page")),
        "aliases": solution_aliases(number=request.GET.get("aliases")),
    }
    return render(request, "library/solution_label_list.html", context)


@require_POST
@require_lead
def solution_alias_remove(request: PersonRequest, pk: int) -> HttpResponse:
    alias = get_object_or_404(SolutionAlias.objects.select_related("solution"), pk=pk)
    remove_solution_alias(alias=alias, actor=request.user)
    messages.success(request, _("Removed."))
    return redirect("library:solution-label-list")


def _pk(text: str) -> int:
    """0, which nothing has, for what is no key."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
