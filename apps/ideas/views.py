"""Pages of ideas: the list, one idea, proposing, voting and talking."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit
from apps.core.errors import CxplanError
from apps.core.returns import back_to
from apps.core.uploads import send_upload
from apps.ideas import selectors
from apps.ideas.details import IdeaDetail, idea_detail
from apps.ideas.forms import CommentForm, EditForm, IdeaForm, ReasonForm, refusals
from apps.ideas.models import Call, Comment, Idea
from apps.ideas.moderation import report_comment
from apps.ideas.services import add_comment, create_idea, edit_idea, vote, withdraw_vote
from apps.taxonomy.choosing import entry_of

HOME_ROWS = 3


@require_GET
@require_role(Role.STAFF)
def idea_list(request: PersonRequest) -> HttpResponse:
    filters = filters_of(request)
    now = timezone.now()
    page = selectors.idea_page(person=request.person, filters=filters, number=request.GET.get("page"), at=now)
    context = {
        "filters": filters,
        "page": page,
        "challenges": selectors.challenges_of_ideas(),
        "states": Idea.State.choices,
        "calls": open_calls(request),
        "is_lead": request.person.has(Role.LEAD),
        "moderating": selectors.moderating_count(request.person) if request.person.has(Role.LEAD) else 0,
    }
    return render(request, "ideas/_ideas.html" if is_fragment(request) else "ideas/idea_list.html", context)


@require_GET
@require_role(Role.LEAD)
def board(request: PersonRequest) -> HttpResponse:
    filters = filters_of(request, show="decide")
    columns = selectors.idea_board(person=request.person, filters=filters, at=timezone.now())
    context = {"filters": filters, "board": columns, "is_empty": not any(column.count for column in columns)}
    return render(request, "ideas/board.html", context)


@require_GET
@require_role(Role.STAFF)
def home_block(request: PersonRequest) -> HttpResponse:
    """What became of the person's ideas and what colleagues ask for, for the page everybody starts from."""
    home = selectors.ideas_home(person=request.person, at=timezone.now(), limit=HOME_ROWS)
    return render(request, "ideas/_home.html", {"home": home, "calls": open_calls(request)})


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def idea_new(request: PersonRequest) -> HttpResponse:
    unit = unit_of(request)
    asked = _number(request.GET.get("call"))
    call = Call.objects.select_related("challenge").filter(pk=asked).first() if asked is not None else None
    challenge = request.GET.get("challenge", "") or (call.challenge.code if call else "")
    form = IdeaForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        units=Unit.objects.in_scope(request.person.scope()).filter(closed_on=None).order_by("name", "pk"),
        initial={"listed": entry_of(challenge), "tried_unit": unit, "text": request.GET.get("text", "")},
    )
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            return _proposed(request, form, unit, call)
    context = {"form": form, "unit": unit, "call": call}
    return render(request, "ideas/idea_new.html", context, status=422 if form.is_bound else 200)


def _proposed(request: PersonRequest, form: IdeaForm, unit: Unit, call: Call | None) -> HttpResponse:
    entered = form.cleaned_data
    idea = create_idea(
        text=entered["text"],
        problem=entered["problem"],
        challenge=form.chosen,
        call=call,
        unit=unit,
        trial=form.trial,
        photo=entered["photo"],
        is_anonymous=entered["is_anonymous"],
        at=timezone.now(),
        actor=request.user,
    )
    if idea.is_held:
        messages.success(request, _("Thank you. Your CX lead lets it in, then everybody sees it."))
    else:
        messages.success(request, _("Thank you. Everybody sees your idea now."))
    return redirect("ideas:idea", idea.pk)


@require_GET
@require_role(Role.STAFF)
def guesses(request: PersonRequest) -> HttpResponse:
    """The challenges that the words of a problem may be about, to choose from."""
    found = selectors.guess_challenges(request.GET.get("problem", ""))
    return render(request, "ideas/_guesses.html", {"guesses": found, "chosen": request.GET.get("challenge", "")})


@require_GET
@require_role(Role.STAFF)
def similar(request: PersonRequest) -> HttpResponse:
    """What exists already and is like what somebody writes."""
    text = request.GET.get("text", "")
    found = selectors.similar(text=text, person=request.person, at=timezone.now())
    context = {"similar": found, "may_plan": request.person.has(Role.MANAGER)}
    return render(request, "ideas/_similar.html", context)


@require_GET
@require_role(Role.STAFF)
def idea(request: PersonRequest, pk: int) -> HttpResponse:
    return _page(request, detail_of(request, pk), CommentForm())


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def idea_edit(request: PersonRequest, pk: int) -> HttpResponse:
    detail = detail_of(request, pk)
    if not detail.may_edit:
        raise Http404
    form = EditForm(request.POST if request.method == "POST" else None, idea=detail.idea)
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            edit_idea(
                idea=detail.idea,
                changes=form.changes(),
                at=timezone.now(),
                actor=request.user,
                seen_at=form.cleaned_data["seen_at"],
            )
            messages.success(request, _("Saved."))
            return redirect("ideas:idea", pk)
    context = {"form": form, "detail": detail, "idea": detail.idea}
    return render(request, "ideas/edit.html", context, status=422 if form.is_bound else 200)


@require_POST
@require_role(Role.STAFF)
def idea_vote(request: PersonRequest, pk: int) -> HttpResponse:
    """Vote, or with `withdraw` take one's vote back; htmx gets the button, others go back where they were."""
    found = idea_of(request, pk)
    change = withdraw_vote if request.POST.get("withdraw") else vote
    with told(request):
        found = change(idea=found, actor=request.user)
    if is_fragment(request):
        is_voted = change is vote and found.is_public
        row = {"pk": found.pk, "votes": found.vote_count, "is_voted": is_voted, "may_vote": found.is_public}
        template = "ideas/_similar_vote.html" if request.GET.get("in") == "similar" else "ideas/_vote.html"
        return render(request, template, {"row": row, "is_fresh": True})
    return back_to(request, reverse("ideas:idea", args=[found.pk]))


@require_POST
@require_role(Role.STAFF)
def idea_comment(request: PersonRequest, pk: int) -> HttpResponse:
    detail = detail_of(request, pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        kind = Comment.Kind.EXPERIENCE if form.cleaned_data["is_experience"] else Comment.Kind.REMARK
        with refusals(form):
            comment = add_comment(
                idea=detail.idea,
                text=form.cleaned_data["text"],
                kind=kind,
                at=timezone.now(),
                actor=request.user,
            )
            if comment.let_in_at is None:
                messages.success(request, _("Thank you. Your comment appears once the CX lead lets it in."))
            return HttpResponseRedirect(f"{reverse('ideas:idea', args=[comment.idea_id])}#comments")
    return _page(request, detail, form, status=422)


@require_GET
@require_role(Role.STAFF)
def idea_photo(request: PersonRequest, pk: int) -> HttpResponseBase:
    found = idea_of(request, pk)
    if not found.photo:
        raise Http404
    ending = found.photo_type.partition("/")[2]
    return send_upload(found.photo, name=f"idea-{pk}.{ending}", content_type=found.photo_type, is_shown=True)


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def comment_report(request: PersonRequest, pk: int) -> HttpResponse:
    readable = selectors.readable_ideas(request.person)
    comment = get_object_or_404(Comment.objects.public().select_related("idea").filter(idea__in=readable), pk=pk)
    form = ReasonForm(request.POST if request.method == "POST" else None, label=_("What is wrong with it?"))
    if request.method == "POST" and form.is_valid():
        with refusals(form):
            reason = form.cleaned_data["reason"]
            report_comment(comment=comment, reason=reason, at=timezone.now(), actor=request.user)
            messages.success(request, _("Thank you. A CX lead looks at it."))
            return redirect("ideas:idea", comment.idea_id)
    context = {"form": form, "comment": comment}
    return render(request, "ideas/report.html", context, status=422 if form.is_bound else 200)


def filters_of(request: PersonRequest, *, show: str = "open") -> selectors.IdeaFilters:
    """What the address asks for; a choice that does not exist is left out."""
    asked = request.GET
    is_lead = request.person.has(Role.LEAD)
    shows = [one for one in selectors.SHOWS if one != "decide" or is_lead]
    shown = asked.get("show", "") if asked.get("show") in shows else show
    state = asked.get("state", "") if asked.get("state") in Idea.State.values else ""
    code = asked.get("unit", "")
    return selectors.IdeaFilters(
        show="all" if state and shown == "open" else shown,
        state=state,
        challenge=asked.get("challenge", ""),
        call=_number(asked.get("call")),
        unit=Unit.objects.filter(code__iexact=code).first() if code else None,
        q=asked.get("q", "").strip()[:200],
        sort=asked.get("sort", "") if asked.get("sort") in selectors.SORTS else _usual_sort(shown),
    )


def _usual_sort(show: str) -> str:
    return {"decide": "due", "mine": "newest"}.get(show, "need")


def open_calls(request: PersonRequest) -> list[Call]:
    """Calls that ask the person's unit now, those that end soonest first."""
    if not request.unit:
        return []
    calls = Call.objects.open_on(timezone.localdate()).asking(request.unit)
    return list(calls.order_by("closes_on", "pk")[:HOME_ROWS])


def detail_of(request: PersonRequest, pk: int) -> IdeaDetail:
    detail = idea_detail(pk=pk, person=request.person, at=timezone.now())
    if detail is None:
        raise Http404
    return detail


def idea_of(request: PersonRequest, pk: int) -> Idea:
    found: Idea = get_object_or_404(selectors.readable_ideas(request.person), pk=pk)
    return found


def unit_of(request: PersonRequest) -> Unit:
    if not request.unit:
        raise Http404
    unit: Unit = request.unit
    return unit


def is_fragment(request: PersonRequest) -> bool:
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted


@contextmanager
def told(request: PersonRequest) -> Iterator[None]:
    """Say why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        messages.error(request, error.message)


def _page(request: PersonRequest, detail: IdeaDetail, form: CommentForm, *, status: int = 200) -> HttpResponse:
    context = {"detail": detail, "idea": detail.idea, "form": form}
    return render(request, "ideas/idea.html", context, status=status)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
