"""The page on which leads set the rules of planning."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.planning.focuses import planning_rules
from apps.planning.guide import ready_items
from apps.planning.models import ReadyItem
from apps.planning.pages import decide, entered
from apps.planning.rule_changes import add_ready_item, retire_ready_item, set_planning_rules
from apps.planning.rule_forms import ReadyItemForm, RulesForm


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def rules(request: PersonRequest) -> HttpResponse:
    _require_all(request)
    form = RulesForm(entered(request), rules=planning_rules())
    return decide(
        request,
        form,
        lambda: set_planning_rules(**form.cleaned_data, actor=request.user),
        template="planning/rules.html",
        context={"items": ready_items(), "item_form": ReadyItemForm()},
        done=_("Saved."),
        then=lambda: redirect("planning:rules"),
    )


@require_POST
@require_role(Role.LEAD)
def ready_item_add(request: PersonRequest) -> HttpResponse:
    _require_all(request)
    form = ReadyItemForm(request.POST)
    if form.is_valid():
        add_ready_item(**form.cleaned_data, actor=request.user)
        messages.success(request, _("Every plan is asked this from now on."))
        return redirect("planning:rules")
    context = {"form": RulesForm(rules=planning_rules()), "items": ready_items(), "item_form": form}
    return render(request, "planning/rules.html", context, status=422)


@require_POST
@require_role(Role.LEAD)
def ready_item_retire(request: PersonRequest, pk: int) -> HttpResponse:
    _require_all(request)
    retire_ready_item(item=get_object_or_404(ReadyItem, pk=pk), at=timezone.now(), actor=request.user)
    messages.success(request, _("It is asked no more."))
    return redirect("planning:rules")


def _require_all(request: PersonRequest) -> None:
    """The rules hold for everybody, so they are for those who lead from the top."""
    if not request.person.leads_from_the_top and not request.user.is_superuser:
        raise Http404
