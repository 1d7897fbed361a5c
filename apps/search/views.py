"""One search over challenges, solutions, ideas and units, as a list or as bubbles."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role
from apps.accounts.selectors import units_to_choose
from apps.search import selectors
from apps.search.choices import ORDERS, WHATS
from apps.search.comparison import MOST_BUBBLES, bubbles_spec, compare
from apps.search.forms import question_of
from apps.search.question import BUBBLES, SOLUTIONS, TABLE

UNITS_SHOWN = 5


@require_safe
@require_role(Role.STAFF)
def search(request: PersonRequest) -> HttpResponse:
    question = question_of(request.GET)
    found = selectors.find(question, person=request.person)
    is_of_solutions = question.kinds_of_hits == (SOLUTIONS,)
    comparison = None
    if is_of_solutions and question.view == BUBBLES:
        comparison = compare(question, pks=found.solutions[:MOST_BUBBLES])
    units = None
    if question.q and not question.what and not question.is_narrowed:
        units = units_to_choose(scope=request.person.scope(), query=question.q, limit=UNITS_SHOWN).units
    context = {
        "question": question,
        "found": found,
        "units": units,
        "is_of_solutions": is_of_solutions,
        "is_bubbles": question.view == BUBBLES,
        "comparison": comparison,
        "spec": bubbles_spec(comparison) if comparison else None,
        "orders": ORDERS,
        "tabs": [("", question.address(what="", view=""), len(question.kinds_of_hits) > 1)]
        + [
            (label, question.address(what=what, view=""), question.kinds_of_hits == (what,))
            for what, label in WHATS
        ],
        "views": {view: question.address(what=SOLUTIONS, view=view) for view in (TABLE, BUBBLES)},
        "query": question.address()[1:],
        "without_facets": question.address(
            challenge="", touchpoint="", kind="", evidence=None, verdict="", cost=None, unit_kind="", language="",
            status="", state="",
        ),
    }  # fmt: skip
    fragment = bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
    return render(request, "search/_found.html" if fragment else "search/search.html", context)
