"""The curation queue, and two entries of the library side by side."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.core.errors import CxplanError
from apps.curation import queue
from apps.curation.deciding import Outcome, answer_idea, decide_items, dismiss_pair, join_ideas, join_solutions
from apps.curation.forms import QueueForm
from apps.curation.pairs import Pair, pair_of
from apps.curation.queue import Kind
from apps.ideas.models import Idea

REFUSALS_SHOWN = 3


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def queue_list(request: PersonRequest) -> HttpResponse:
    """Everything that waits for the person, and what they decide about it."""
    at, asked = timezone.now(), request.GET.get("kind", "")
    kind = Kind(asked) if asked in set(Kind) else None
    if request.method == "POST":
        _decide(request)
        address = urlencode({"kind": kind or "", "page": request.GET.get("page", "")})
        return redirect(f"{reverse('curation:queue')}?{address}")
    person = request.person
    context = {
        "page": queue.queue_page(person=person, kind=kind or "", number=request.GET.get("page"), at=at),
        "filters": queue.queue_filters(person=person, kind=kind or "", at=at),
        "kind": kind,
        "decisions": queue.DECISIONS[kind] if kind else (),
        "reasons": Idea.Reason.choices,
        "query": urlencode({"kind": kind}) if kind else "",
    }
    return render(request, "curation/queue.html", context)


def _decide(request: PersonRequest) -> None:
    form = QueueForm(request.POST)
    try:
        outcome = decide_items(**form.decision(), person=request.person, at=timezone.now())
    except CxplanError as error:
        messages.error(request, error.message)
        return
    if outcome.done:
        messages.success(request, _done(outcome))
    for refusal in outcome.refused[:REFUSALS_SHOWN]:
        messages.error(request, f"{refusal.title}: {refusal.message}")
    if len(outcome.refused) > REFUSALS_SHOWN:
        more = len(outcome.refused) - REFUSALS_SHOWN
        text = ngettext("%(count)d more could not be decided.", "%(count)d more could not be decided.", more)
        messages.error(request, text % {"count": more})


@require_http_methods(["GET", "POST"])
@require_role(Role.LEAD)
def look_alike(request: PersonRequest, pk: int) -> HttpResponse:
    """Two entries side by side, to say that they are the same or not."""
    rows = queue.look_alikes(request.person).select_related(
        "solution", "other_solution", "idea__unit", "other_idea__unit"
    )
    pair = pair_of(get_object_or_404(rows, pk=pk), scope=request.person.scope(Role.LEAD))
    if request.method == "POST":
        try:
            messages.success(request, _settle(request, pair))
        except CxplanError as error:
            messages.error(request, error.message)
            return redirect("curation:look-alike", pk)
        return redirect(f"{reverse('curation:queue')}?{urlencode({'kind': Kind.ALIKE})}")
    return render(request, "curation/look_alike.html", {"pair": pair})


def _settle(request: PersonRequest, pair: Pair) -> str:
    found, at = pair.found, timezone.now()
    do = request.POST.get("do", "")
    if do == "apart":
        dismiss_pair(pair=found, at=at, actor=request.user)
        return _("Noted: they are not the same, and are not shown together again.")
    if do not in pair.choices:
        raise Http404
    if do == "answered":
        answer_idea(pair=found, text=request.POST.get("text", "")[:2_000], at=at, actor=request.user)
        return _("Settled. The author was told where to find it.")
    if found.kind == found.Kind.SOLUTIONS:
        keep = found.solution if do == "first" else found.other_solution
        assert keep is not None
        join_solutions(pair=found, keep=keep, at=at, actor=request.user)
        return _("Joined. Links and places in playbooks were taken over; uses and evidence stay where they are.")
    kept = found.idea if do == "first" else found.other_idea
    assert kept is not None
    join_ideas(pair=found, keep=kept, at=at, actor=request.user)
    return _("Joined. Votes, comments and authors are kept; for a day you can undo it.")


def _done(outcome: Outcome) -> str:
    return ngettext("%(count)d entry decided.", "%(count)d entries decided.", outcome.done) % {
        "count": outcome.done
    }
