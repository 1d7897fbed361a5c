"""Pages on which leads decide: review, question, pilot, refusal, merge, promotion, moderation."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.ideas import decisions, moderation, selectors
from apps.ideas.details import IdeaDetail
from apps.ideas.forms import DeclineForm, MergeForm, PilotForm, ReasonForm, RecipeForm, refusals
from apps.ideas.models import Comment
from apps.ideas.promotion import publish_idea, recipe_of, write_recipe
from apps.ideas.states import Step, is_possible
from apps.ideas.views import detail_of, told, unit_of

UNITS_SHOWN = 150


@require_POST
@require_role(Role.LEAD)
def review(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk)
    with told(request):
        decisions.review_idea(idea=detail.idea, at=timezone.now(), actor=request.user)
        messages.success(request, _("In review. The author was told."))
    return redirect("ideas:idea", pk)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def ask(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk, Step.ASK)
    form = ReasonForm(_posted(request), label=_("What do you want to know?"))
    return _decision(
        request,
        "ideas/ask.html",
        detail,
        form,
        decide=lambda entered: decisions.ask_author(
            idea=detail.idea, question=entered["reason"], at=timezone.now(), actor=request.user
        ),
        said=_("Asked. You hear of the answer."),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def pilot(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk, Step.PILOT)
    units = selectors.pilotable_units(request.person)
    shown = list(selectors.pilotable_units(request.person, below=unit_of(request))[:UNITS_SHOWN])
    form = PilotForm(_posted(request), units=units, shown=shown or list(units[:UNITS_SHOWN]))
    return _decision(
        request,
        "ideas/pilot.html",
        detail,
        form,
        decide=lambda entered: decisions.pilot_idea(
            idea=detail.idea,
            units=list(entered["units"]),
            reason=entered["reason"],
            at=timezone.now(),
            actor=request.user,
        ),
        said=_("Asked. The managers and the author were told."),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def decline(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk, Step.DECLINE)
    return _decision(
        request,
        "ideas/decline.html",
        detail,
        DeclineForm(_posted(request)),
        decide=lambda entered: decisions.decline_idea(
            idea=detail.idea, **entered, at=timezone.now(), actor=request.user
        ),
        said=_("Declined. The author was told why."),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def reopen(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk, Step.REOPEN)
    return _decision(
        request,
        "ideas/reopen.html",
        detail,
        ReasonForm(_posted(request), label=_("What has changed?")),
        decide=lambda entered: decisions.reopen_idea(
            idea=detail.idea, reason=entered["reason"], at=timezone.now(), actor=request.user
        ),
        said=_("Taken up again. The author was told."),
    )


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def merge(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk, Step.MERGE)
    query = request.GET.get("q", "").strip()[:200]
    form = MergeForm(_posted(request), others=selectors.readable_ideas(request.person).standing())
    others = selectors.merge_candidates(idea=detail.idea, text=query, person=request.person, at=timezone.now())
    return _decision(
        request,
        "ideas/merge.html",
        detail,
        form,
        decide=lambda entered: decisions.merge_idea(
            idea=detail.idea, into=entered["into"], at=timezone.now(), actor=request.user
        ),
        said=_("Joined. Votes, comments and authors are kept; for a day you can undo it."),
        others=others,
        q=query,
    )


@require_POST
@require_role(Role.LEAD)
def unmerge(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk)
    with told(request):
        decisions.unmerge_idea(idea=detail.idea, at=timezone.now(), actor=request.user)
        messages.success(request, _("Taken back: it stands on its own again."))
    return redirect("ideas:idea", pk)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def promote(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk, Step.PROMOTE)
    idea = detail.idea
    text, french = recipe_of(idea)
    form = RecipeForm(_posted(request), idea=idea, text=text, french=french)
    if form.is_bound and form.is_valid():
        with refusals(form):
            write_recipe(
                idea=idea,
                text=form.text(),
                french=form.french(),
                facts=form.facts(),
                challenges=[form.cleaned_data["challenge"]],
                actor=request.user,
            )
            if request.POST.get("then") != "publish":
                messages.success(request, _("Kept as a draft. Only CX leads see it until it is published."))
                return redirect("ideas:idea", pk)
            publish_idea(idea=idea, at=timezone.now(), actor=request.user)
            messages.success(request, _("In the library. The author and all who voted were told."))
            return redirect("ideas:idea", pk)
    return _form_page(request, "ideas/promote.html", detail, form)


@require_POST
@require_role(Role.LEAD)
def publish(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk)
    with told(request):
        publish_idea(idea=detail.idea, at=timezone.now(), actor=request.user)
        messages.success(request, _("In the library. The author and all who voted were told."))
    return redirect("ideas:idea", pk)


@require_GET
@require_role(Role.LEAD)
def moderate(request: PersonRequest) -> HttpResponse:
    queue = selectors.queue(person=request.person, at=timezone.now())
    return render(request, "ideas/moderation.html", {"queue": queue})


@require_POST
@require_role(Role.LEAD)
def let_in(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk)
    with told(request):
        moderation.let_idea_in(idea=detail.idea, at=timezone.now(), actor=request.user)
        messages.success(request, _("Let in. Everybody sees it now."))
    return redirect("ideas:moderation") if request.POST.get("next") == "queue" else redirect("ideas:idea", pk)


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def hide(request: PersonRequest, pk: int) -> HttpResponse:
    detail = _decided_by(request, pk)
    return _decision(
        request,
        "ideas/hide.html",
        detail,
        ReasonForm(_posted(request), label=_("Why should nobody see it?")),
        decide=lambda entered: moderation.hide_idea(
            idea=detail.idea, reason=entered["reason"], at=timezone.now(), actor=request.user
        ),
        said=_("Out of sight. The author was told why."),
    )


@require_POST
@require_role(Role.LEAD)
def comment_let_in(request: PersonRequest, pk: int) -> HttpResponse:
    comment = _comment(request, pk)
    moderation.let_comment_in(comment=comment, at=timezone.now(), actor=request.user)
    messages.success(request, _("Settled: everybody sees the comment."))
    return redirect("ideas:moderation")


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def comment_hide(request: PersonRequest, pk: int) -> HttpResponse:
    comment = _comment(request, pk)
    form = ReasonForm(_posted(request), label=_("Why should nobody see it?"))
    if form.is_bound and form.is_valid():
        with refusals(form):
            reason = form.cleaned_data["reason"]
            moderation.hide_comment(comment=comment, reason=reason, at=timezone.now(), actor=request.user)
            messages.success(request, _("Out of sight. Who wrote it was told why."))
            return redirect("ideas:moderation")
    context = {"form": form, "comment": comment}
    return render(request, "ideas/comment_hide.html", context, status=422 if form.is_bound else 200)


def _decided_by(request: PersonRequest, pk: int, step: Step | None = None) -> IdeaDetail:
    """The idea, if the person leads where it comes from and the step is possible; else it does not exist."""
    detail = detail_of(request, pk)
    if not detail.is_lead or (step is not None and not is_possible(step, detail.idea.state)):
        raise Http404
    return detail


def _comment(request: PersonRequest, pk: int) -> Comment:
    scope = request.person.scope(Role.LEAD)
    units = Unit.objects.in_scope(scope)
    found: Comment = get_object_or_404(Comment.objects.select_related("idea").filter(idea__unit__in=units), pk=pk)
    return found


def _posted(request: PersonRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _decision(
    request: PersonRequest,
    template: str,
    detail: IdeaDetail,
    form: forms.Form,
    *,
    decide: Callable[[dict[str, Any]], object],
    said: str,
    **more: object,
) -> HttpResponse:
    """The form until it can be decided on, then the idea; `decide` gets what was entered."""
    if form.is_bound and form.is_valid():
        with refusals(form):
            decide(form.cleaned_data)
            messages.success(request, said)
            return redirect("ideas:idea", detail.idea.pk)
    return _form_page(request, template, detail, form, **more)


def _form_page(
    request: PersonRequest, template: str, detail: IdeaDetail, form: forms.Form, **more: object
) -> HttpResponse:
    context = {"detail": detail, "idea": detail.idea, "form": form, **more}
    return render(request, template, context, status=422 if form.is_bound else 200)
