"""What is offered to somebody who chooses a challenge by typing, and what is entered for the one they choose?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Q, Value

from apps.core.searching import Searchable
from apps.taxonomy.models import Challenge
from apps.taxonomy.selectors import matching

OFFERED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`entry` is what the field takes: the name, or the code where several have this name."""

    entry: str
    place: str


def offers(query: str, *, limit: int = OFFERED) -> list[Offer]:
    """The challenges in use that a few letters may mean, the likeliest first; without any the top of the tree."""
    terms: Any = Challenge.objects.current().order_by("path")
    if query:
        words: Any = Searchable(Value(query))  # the stubs know only of texts
        likeness = TrigramWordSimilarity(words, "search_name")
        terms = matching(query).annotate(likeness=likeness).order_by("-likeness", "path")
    found: list[Challenge] = list(terms.only("code", "name", "name_fr", "path")[:limit])
    above = Challenge.objects.filter(pk__in={pk for term in found for pk in term.ancestor_ids})
    names = {term.pk: term.display_name for term in above}
    entries = entries_of(found)
    return [
        Offer(
            entry=entries[term.pk],
            place=" › ".join([*(names[pk] for pk in term.ancestor_ids if pk in names), term.display_name]),
        )
        for term in found
    ]


def entries_of(terms: Iterable[Challenge]) -> dict[int, str]:
    """What is entered for each term; one query."""
    shown = {term.pk: (term.display_name, term.code) for term in terms}
    names = {name for name, _code in shown.values()}
    same = Challenge.objects.current().filter(Q(name__in=names) | Q(name_fr__in=names))
    counts = Counter(name for pair in same.values_list("name", "name_fr") for name in set(pair))
    return {pk: name if counts[name] == 1 else code for pk, (name, code) in shown.items()}


def entry_of(code: str) -> str:
    """What is entered for the challenge with this code; empty when none in use has it."""
    term = Challenge.objects.current().filter(code__iexact=code).first()
    return entries_of([term])[term.pk] if term else ""


def kept_entry(term: Challenge | None) -> str:
    """What stands in a form for the challenge chosen before, in use or not."""
    if term is None:
        return ""
    return entry_of(term.code) or term.display_name
