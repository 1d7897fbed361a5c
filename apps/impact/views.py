"""Pages and fragments that show what was measured."""

from typing import TextIO, cast

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.accounts.person import Person
from apps.impact import calibration as calibrating
from apps.impact import checking, evidence, output, plots, rankings, reference, results, selectors
from apps.impact import focus as focusing
from apps.impact.models import Effect
from apps.library.models import Solution
from apps.planning.models import Action
from apps.planning.selectors import with_solutions
from apps.taxonomy.models import Challenge


@require_safe
@require_role(Role.STAFF)
def challenge_ranking(request: PersonRequest, code: str) -> HttpResponse:
    challenge = get_object_or_404(
        Challenge.objects.select_related("metric", "merged_into__metric"), code__iexact=code
    ).standing
    unit = _unit_asked(request)
    order = request.GET.get("order", rankings.BY_EFFECT)
    ranking = rankings.challenge_ranking(
        challenge=challenge,
        unit=unit,
        order=order if order in rankings.ORDERS else rankings.BY_EFFECT,
        is_of_all_kinds=request.GET.get("kind") == rankings.ALL_KINDS,
        may_plan=request.person.has(Role.MANAGER),
        is_rest="rest" in request.GET,
    )
    return _page_or_fragment(request, "challenge_ranking", {"ranking": ranking})


@require_safe
@require_role(Role.STAFF)
def solution_evidence(request: PersonRequest, code: str) -> HttpResponse:
    solution = get_object_or_404(Solution, code__iexact=code)
    found = evidence.solution_evidence(solution=solution, person=request.person)
    return _page_or_fragment(request, "solution_evidence", {"evidence": found})


@require_safe
@require_role(Role.STAFF)
def action_effect(request: PersonRequest, external_id: str) -> HttpResponse:
    mine = Action.objects.in_scope(request.person.scope(Role.STAFF))
    actions = with_solutions(mine).select_related("challenge__metric", "target_metric")
    action = get_object_or_404(actions, external_id__iexact=external_id)
    result = results.action_effect(action=action, as_of=timezone.localdate())
    return _page_or_fragment(request, "action_effect", {"result": result, "action": action})


@require_safe
@require_role(Role.STAFF)
def action_weeks(request: PersonRequest, external_id: str) -> HttpResponse:
    effects = Effect.objects.on_target().in_scope(request.person.scope(Role.STAFF)).select_related("metric", "run")
    effect = get_object_or_404(effects, action__external_id__iexact=external_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{external_id}-weeks.csv"'
    response.write("\ufeff")
    output.write_sheet(plots.week_rows(effect), plots.WeekRow, cast(TextIO, response))
    return response


@require_safe
@require_role(Role.STAFF)
def methods(request: PersonRequest) -> HttpResponse:
    return render(request, "impact/methods.html")


@require_safe
@require_role(Role.STAFF)
def methods_reference(request: PersonRequest) -> HttpResponse:
    found = reference.read_reference(settings.METHODS_PAGE)
    return render(request, "impact/methods_reference.html", {"reference": found})


@require_safe
@require_role(Role.STAFF)
def focus(request: PersonRequest) -> HttpResponse:
    unit = request.unit
    as_of = selectors.last_measured_on() or timezone.localdate()
    rows = focusing.focus_rows(unit=unit, as_of=as_of) if unit else []
    costly = [row for row in rows if row.share >= focusing.WORTH_SHOWING]
    others = [row for row in rows if row.share < focusing.WORTH_SHOWING]
    return render(request, "impact/focus.html", {"costly": costly, "others": others, "as_of": as_of})


@require_safe
@require_role(Role.LEAD)
def learn(request: PersonRequest) -> HttpResponse:
    progress = selectors.measurement_progress(as_of=timezone.now().date())
    if request.headers.get("HX-Request"):
        return render(request, "impact/_progress.html", {"progress": progress})
    return render(
        request, "impact/learn.html", {"progress": progress, "groups": focusing.works_by_verdict(limit=8)}
    )


@require_safe
@require_role(Role.LEAD)
def checks(request: PersonRequest) -> HttpResponse:
    return render(request, "impact/checks.html", {"metrics": checking.metric_checks()})


@require_safe
@require_role(Role.LEAD)
def calibration(request: PersonRequest) -> HttpResponse:
    found = calibrating.calibration(
        scope=request.person.scope(Role.LEAD),
        as_of=selectors.last_measured_on() or timezone.localdate(),
        metric_code=request.GET.get("metric", ""),
    )
    return render(request, "impact/calibration.html", {"calibration": found})


def _page_or_fragment(request: PersonRequest, name: str, context: dict[str, object]) -> HttpResponse:
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(request, f"impact/_{name}.html" if is_fragment else f"impact/{name}.html", context)


def _unit_asked(request: PersonRequest) -> Unit | None:
    """The unit named in the address, within the person's scope, else the one they look at."""
    code = request.GET.get("unit")
    if not code:
        # The middleware's lazy object is not None even where it stands for None.
        return request.unit or None
    return _unit_in_scope(request.person, code)


def _unit_in_scope(person: Person, code: str) -> Unit:
    unit = Unit.objects.in_scope(person.scope(Role.STAFF)).filter(code__iexact=code).first()
    if unit is None:
        raise Http404
    return unit
