"""Pages of what other systems call a challenge: the labels that wait, and the aliases that stand."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.middleware import PersonRequest
from apps.core.errors import CxplanError
from apps.taxonomy import accepting, aliases, editing, inbox, tasks
from apps.taxonomy.choosing import entry_of
from apps.taxonomy.editor_views import require_lead
from apps.taxonomy.forms import AliasForm, LabelsForm, NewAliasForm, refusals
from apps.taxonomy.models import Alias

ALIASES_SHOWN = 50
ACCEPTANCE_SHOWN = timedelta(minutes=10)


@require_http_methods(["GET", "POST"])
@require_lead
def label_list(request: PersonRequest) -> HttpResponse:
    state = request.GET.get("state", inbox.WAITING)
    query = request.GET.get("q", "").strip()
    # Guessing takes a moment in a large vocabulary, so the page asks for it once it is there.
    is_guessed = bool(request.GET.get("guesses"))
    if request.method == "POST":
        form = LabelsForm(request.POST)
        try:
            messages.success(request, _acted(form, request))
        except CxplanError as error:
            messages.error(request, error.message)
        address = urlencode({"state": state, "q": query, "page": request.GET.get("page", "")})
        return redirect(f"{reverse('taxonomy:label-list')}?{address}")
    context = {
        "page": inbox.label_page(
            state=state, query=query, number=request.GET.get("page"), with_guesses=is_guessed
        ),
        "is_guessed": is_guessed or state == inbox.MAPPED,
        "counts": inbox.label_counts(),
        "acceptance": inbox.newest_acceptance(since=timezone.now() - ACCEPTANCE_SHOWN),
        "state": state,
        "q": query,
        "changes": editing.recent_changes(at=timezone.now()),
        "has_aside": True,
    }
    return render(request, "taxonomy/label_list.html", context)


@require_GET
@require_lead
def acceptance(request: PersonRequest) -> HttpResponse:
    """How far the guesses that somebody accepted are mapped; nothing a while after it is done."""
    shown = inbox.newest_acceptance(since=timezone.now() - ACCEPTANCE_SHOWN)
    return render(request, "taxonomy/_acceptance.html", {"acceptance": shown})


def _acted(form: LabelsForm, request: PersonRequest) -> str:
    """Do what was asked for with the chosen labels, and say what became of them."""
    form.require_valid()
    if form.sureness is not None:
        accepting.accept_guesses(least=form.sureness, at=timezone.now(), actor=request.user)
        transaction.on_commit(tasks.accept_guesses.delay, robust=True)
        return _("On it: every guess that is sure enough is being mapped.")
    if form.is_for_setting_aside:
        count = aliases.ignore_labels(
            labels=form.labels(), is_ignored=form.cleaned_data["do"] == "ignore", actor=request.user
        )
        return ngettext("%(count)d label: done.", "%(count)d labels: done.", count) % {"count": count}
    count = aliases.map_labels(meanings=form.meanings(), actor=request.user)
    return ngettext(
        "%(count)d label is mapped. Its responses are coded within a minute; you can undo it for a day.",
        "%(count)d labels are mapped. Their responses are coded within a minute; you can undo it for a day.",
        count,
    ) % {"count": count}


@require_GET
@require_lead
def alias_list(request: PersonRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    rows = Alias.objects.select_related("challenge__merged_into").order_by("source", "label", "pk")
    if query:
        rows = rows.filter(
            Q(label__unaccent__icontains=query)
            | Q(source__icontains=query)
            | Q(challenge__name__unaccent__icontains=query)
            | Q(challenge__name_fr__unaccent__icontains=query)
        )
    page = Paginator(rows, ALIASES_SHOWN).get_page(request.GET.get("page"))
    changes = editing.recent_changes(at=timezone.now())
    context = {"page": page, "q": query, "changes": changes, "has_aside": True}
    return render(request, "taxonomy/alias_list.html", context)


@require_http_methods(["GET", "POST"])
@require_lead
def alias_new(request: PersonRequest) -> HttpResponse:
    form = NewAliasForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            aliases.create_alias(**form.cleaned_data, actor=request.user)
            messages.success(request, _("Saved. Responses that waited for it are coded within a minute."))
            return redirect("taxonomy:alias-list")
    context = {"form": form}
    return render(request, "taxonomy/alias.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@require_lead
def alias(request: PersonRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Alias.objects.select_related("challenge"), pk=pk)
    form = AliasForm(
        request.POST if request.method == "POST" else None, initial={"challenge": entry_of(shown.challenge.code)}
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            aliases.change_alias(alias=shown, challenge=form.cleaned_data["challenge"], actor=request.user)
            messages.success(request, _("Saved. You can undo it for a day."))
            return redirect("taxonomy:alias-list")
    context: dict[str, Any] = {"form": form, "alias": shown}
    return render(request, "taxonomy/alias.html", context, status=422 if form.is_bound else 200)


@require_POST
@require_lead
def alias_remove(request: PersonRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Alias.objects.select_related("challenge"), pk=pk)
    aliases.remove_alias(alias=shown, actor=request.user)
    messages.success(request, _("Removed. You can undo it for a day."))
    return redirect("taxonomy:alias-list")
