"""What the pages of planning share: whom a request is about, and how an entry becomes a change."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django_htmx.http import HttpResponseClientRedirect

from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Scope, Unit
from apps.core.errors import CxplanError
from apps.core.returns import back_to
from apps.planning import selectors
from apps.planning.forms import VersionField, refusals
from apps.planning.models import Action
from apps.planning.states import Step, next_state
from apps.taxonomy.models import Challenge


def decide(
    request: PersonRequest,
    form: forms.BaseForm,
    save: Callable[[], object],
    *,
    template: str,
    context: Mapping[str, Any],
    then: Callable[[], HttpResponse],
    done: str = "",
) -> HttpResponse:
    """Save what was entered and go on; else the page, with the reason beside every field that has one."""
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            save()
            if done:
                messages.success(request, done)
            return then()
    return render(request, template, {"form": form, **context}, status=status_of(request))


def action_in_scope(request: PersonRequest, external_id: str, role: Role) -> Action:
    """The action if it lies where the person holds `role`; else it does not exist for them."""
    actions = Action.objects.in_scope(request.person.scope(role))
    rows = selectors.with_solutions(actions).select_related("challenge__metric", "target_metric")
    found: Action = get_object_or_404(rows, external_id__iexact=external_id)
    return found


def unit_asked_for(request: PersonRequest, scope: Scope) -> Unit | None:
    """The unit named in the address, else the one looked at."""
    code = request.GET.get("unit", "")
    if code:
        return Unit.objects.in_scope(scope).filter(code__iexact=code).first()
    looked_at: Unit | None = request.unit
    return looked_at if looked_at and scope.holds(looked_at.path) else None


def challenge_asked_for(request: PersonRequest) -> Challenge | None:
    code = request.GET.get("challenge", "")
    return Challenge.objects.select_related("metric", "merged_into").filter(code__iexact=code).first()


def challenges_offered(request: PersonRequest) -> selectors.ChallengeChoices:
    """What can be chosen, narrowed by what was typed; what is chosen already stays."""
    chosen = (request.POST or request.GET).get("challenge", "")
    return selectors.challenges_to_choose(query=request.GET.get("challenge_q", "").strip()[:200], chosen=chosen)


def today_in(unit: Unit) -> date:
    """Today where the unit is."""
    return timezone.localdate(timezone=ZoneInfo(unit.timezone))


def today_of(request: PersonRequest) -> date:
    """Today where the unit is that the person looks at."""
    unit: Unit | None = request.unit
    return today_in(unit) if unit else timezone.localdate()


def day_in(text: str | None) -> date | None:
    """The day a part of an address names."""
    try:
        return parse_date(text or "")
    except ValueError:
        return None


def seen_at_of(request: PersonRequest) -> datetime | None:
    """When the person read what a lone button changes."""
    return VersionField().clean(request.POST.get("seen_at", ""))


def entered(request: PersonRequest) -> Any:
    return request.POST if request.method == "POST" else None


def status_of(request: PersonRequest) -> int:
    """A form that comes back was not accepted."""
    return 422 if request.method == "POST" else 200


def to_action(action: Action, request: PersonRequest | None = None) -> HttpResponse:
    """On to the action's page; out of a sheet the whole page is left."""
    address = redirect("planning:action", action.external_id)
    if request is not None and is_fragment(request):
        return HttpResponseClientRedirect(address.url)
    return address


def back(request: PersonRequest, action: Action) -> HttpResponse:
    """To the page of ours that a button stood on, else to the action's."""
    return back_to(request, reverse("planning:action", args=[action.external_id]))


def is_fragment(request: PersonRequest) -> bool:
    """Whether a part of a page is asked for."""
    return bool(request.htmx and not request.htmx.boosted)  # type: ignore[attr-defined]


def refused(request: PersonRequest, action: Action, step: Step) -> HttpResponse:
    """Back to the action, with the reason why it does not allow `step`."""
    with told(request):
        next_state(step, action.state)
    return to_action(action)


@contextmanager
def told(request: PersonRequest) -> Iterator[None]:
    """Say why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        messages.error(request, error.message)
