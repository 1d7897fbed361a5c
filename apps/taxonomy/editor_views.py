"""Pages on which leads of all units keep the tree of challenges."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import AuditEvent, Role, User
from apps.core.errors import CxplanError
from apps.taxonomy import editing, services
from apps.taxonomy.choosing import entry_of, offers
from apps.taxonomy.forms import (
    ChallengeForm,
    MergeForm,
    MoveForm,
    NewChallengeForm,
    PlainForm,
    SplitForm,
    refusals,
)
from apps.taxonomy.models import Challenge

FORMER_SHOWN = 100
require_lead = require_role(Role.LEAD, at_the_top=True)


@require_GET
@require_lead
def editor(request: PersonRequest) -> HttpResponse:
    opened = [code for code in request.GET.get("open", "").split(",") if code]
    marked = request.GET.get("at", "")
    context = {
        "nodes": editing.tree(opened=opened, marked=marked),
        "marked": marked,
        "former": editing.former_terms(limit=FORMER_SHOWN),
        "changes": editing.recent_changes(at=timezone.now()),
        "has_aside": True,
    }
    return render(request, "taxonomy/editor.html", context)


@require_GET
@require_lead
def branch(request: PersonRequest, code: str) -> HttpResponse:
    """What stands under a term, when it is unfolded."""
    level = request.GET.get("level", "")
    nodes = editing.branch(code, level=int(level) if level.isdecimal() and len(level) < 4 else 2)
    if not nodes:
        raise Http404
    return render(request, "taxonomy/_branch.html", {"nodes": nodes})


@require_GET
@require_role(Role.STAFF)
def terms(request: PersonRequest) -> HttpResponse:
    """Challenges like what somebody types, whatever the field is called."""
    query = str(next(iter(request.GET.values()), "")).strip()[:200]
    return render(request, "taxonomy/_term_options.html", {"terms": offers(query)})


@require_http_methods(["GET", "POST"])
@require_lead
def challenge_new(request: PersonRequest) -> HttpResponse:
    form = NewChallengeForm(
        request.POST or None, initial={"parent": entry_of(request.GET.get("parent", "")), "severity": 3}
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            made = services.create_challenge(
                **form.changes(),
                code=form.cleaned_data["code"],
                parent=form.cleaned_data["parent"],
                actor=request.user,
            )
            messages.success(request, _("Created."))
            return redirect(_editor_at(made.code))
    context = {"form": form}
    return render(request, "taxonomy/challenge_new.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@require_lead
def challenge_edit(request: PersonRequest, code: str) -> HttpResponse:
    challenge = _challenge(code)
    form = ChallengeForm(
        request.POST if request.method == "POST" else None,
        initial=ChallengeForm.initial_of(challenge, services.version_of(challenge)),
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            services.change_challenge(
                challenge=challenge,
                changes=form.changes(),
                seen=form.cleaned_data["seen"] or None,
                actor=request.user,
            )
            messages.success(request, _("Saved. You can undo it for a day."))
            return redirect(_editor_at(challenge.code))
    context = {
        "form": form,
        "challenge": challenge,
        "fate": "" if challenge.is_current else editing.fate_of(challenge),
    }
    return render(request, "taxonomy/challenge_edit.html", context, status=422 if form.is_bound else 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that can be done to a term: its form, its service and its words."""

    form: type[forms.Form]
    act: Callable[[Challenge, dict[str, Any], User], object]
    done: Callable[[], str]
    is_for_current: bool = True


STEPS = {
    "move": Step(
        form=MoveForm,
        act=lambda term, given, actor: services.move_challenge(challenge=term, actor=actor, **given),
        done=lambda: _("Moved. You can undo it for a day."),
    ),
    "merge": Step(
        form=MergeForm,
        act=lambda term, given, actor: services.merge_challenge(challenge=term, actor=actor, **given),
        done=lambda: _("Merged. You can undo it for a day."),
    ),
    "split": Step(
        form=SplitForm,
        act=lambda term, given, actor: services.split_challenge(
            challenge=term, on=timezone.localdate(), actor=actor, **given
        ),
        done=lambda: _("Split. You can undo it for a day."),
    ),
    "retire": Step(
        form=PlainForm,
        act=lambda term, given, actor: services.retire_challenge(
            challenge=term, on=timezone.localdate(), actor=actor
        ),
        done=lambda: _("Retired. You can undo it for a day."),
    ),
    "restore": Step(
        form=PlainForm,
        act=lambda term, given, actor: services.restore_challenge(challenge=term, actor=actor),
        done=lambda: _("Restored."),
        is_for_current=False,
    ),
}


@require_http_methods(["GET", "POST"])
@require_lead
def challenge_step(request: PersonRequest, code: str, step: str) -> HttpResponse:
    """Move, merge, split, retire or restore one term."""
    challenge, taken = _challenge(code), STEPS[step]
    form = taken.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            taken.act(challenge, form.cleaned_data, request.user)
            messages.success(request, taken.done())
            return redirect(_editor_at(challenge.code))
    context = {
        "form": form,
        "challenge": challenge,
        "step": step,
    }
    return render(request, "taxonomy/challenge_step.html", context, status=422 if form.is_bound else 200)


@require_POST
@require_lead
def change_undo(request: PersonRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(AuditEvent.objects.filter(event__startswith="taxonomy."), pk=pk)
    back = request.POST.get("back", "")
    try:
        services.undo_change(change=change, at=timezone.now(), actor=request.user)
        messages.success(request, _("Undone: everything is as it was before."))
    except CxplanError as error:
        messages.error(request, error.message)
    with suppress(KeyError):
        return redirect(BACK[back])
    return redirect("taxonomy:editor")


BACK = {
    "labels": "taxonomy:label-list",
    "aliases": "taxonomy:alias-list",
    "journeys": "taxonomy:journey-list",
}


def _challenge(code: str) -> Challenge:
    terms = Challenge.objects.select_related("metric", "touchpoint", "merged_into", "parent")
    return get_object_or_404(terms.prefetch_related("parts"), code__iexact=code)


def _editor_at(code: str) -> str:
    return f"{reverse('taxonomy:editor')}?{urlencode({'at': code})}"
