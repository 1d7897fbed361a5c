"""Pages on which leads change the tree of units."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit, UnitPlacement
from apps.accounts.regrouping import successors_of
from apps.accounts.selectors import units_to_choose
from apps.accounts.unit_forms import FORMS, ChangeForm, forms_for
from apps.core.errors import CxplanError

PLACES_SHOWN = 30


@require_GET
@require_role(Role.LEAD)
def unit_list(request: PersonRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    choices = units_to_choose(scope=request.person.scope(Role.LEAD), query=query)
    return render(request, "accounts/units.html", {"choices": choices, "q": query})


@require_GET
@require_role(Role.LEAD)
def unit(request: PersonRequest, code: str) -> HttpResponse:
    return _page(request, _unit(request, code))


@require_POST
@require_role(Role.LEAD)
def unit_change(request: PersonRequest, code: str, change: str) -> HttpResponse:
    shown = _unit(request, code)
    if change not in FORMS:
        raise Http404
    scope = request.person.scope(Role.LEAD)
    form = FORMS[change](request.POST, unit=shown, scope=scope, as_of=timezone.localdate())
    if form.is_valid():
        try:
            form.save(request.user)
        except CxplanError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved. What happened before stays as it was."))
            return redirect("accounts:unit", shown.code)
    return _page(request, shown, change=change, bound=form)


def _page(
    request: PersonRequest, shown: Unit, *, change: str = "", bound: ChangeForm | None = None
) -> HttpResponse:
    scope, today = request.person.scope(Role.LEAD), timezone.localdate()
    offered = forms_for(shown, scope=scope, as_of=today)
    if bound is not None:
        offered[change] = bound
    placements = UnitPlacement.objects.filter(unit=shown).select_related("parent").order_by("-valid")
    context = {
        "shown": shown,
        "offered": offered,
        "placements": list(placements[:PLACES_SHOWN]),
        "successors": successors_of(shown) if shown.closed_on else [],
    }
    return render(request, "accounts/unit.html", context, status=422 if bound is not None else 200)


def _unit(request: PersonRequest, code: str) -> Unit:
    units = Unit.objects.in_scope(request.person.scope(Role.LEAD)).select_related("successor", "split_from")
    found: Unit = get_object_or_404(units, code__iexact=code)
    return found
