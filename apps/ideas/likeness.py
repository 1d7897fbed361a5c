"""What is like a few words: challenges, solutions and ideas, in both languages, typos and accents forgiven."""

import re
import unicodedata

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, FloatField, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, Greatest

from apps.ideas.models import Idea
from apps.library.models import Solution
from apps.taxonomy.models import Alias, Challenge

# Of 0 to 1. A title that shares a third of its letter triples with another usually means the same.
ALIKE = 0.3
# One stemmed word in common gives about 0.06, two give 0.1.
WORD_WEIGHT = 4.0
QUERY_MOST = 300
WORDS_MOST = 24


def plain(text: str) -> str:
    """Lower case without accents, as core_unaccent makes it."""
    parts = unicodedata.normalize("NFKD", text[:QUERY_MOST].lower())
    return "".join(part for part in parts if not unicodedata.combining(part))


def like_challenges(text: str) -> QuerySet[Challenge]:
    """Current challenges a text may be about, the likeliest first."""
    alias = Alias.objects.filter(challenge=OuterRef("pk")).annotate(score=_within("label", text))
    words = _words("name", "name_fr", "description", "description_fr", text=text)
    score = Greatest(
        _within("name", text),
        _within("name_fr", text),
        Coalesce(Subquery(alias.order_by("-score").values("score")[:1]), 0.0, output_field=FloatField()),
    )
    return (
        Challenge.objects.current()
        .annotate(likeness=score + words)
        .filter(likeness__gte=ALIKE * 1.3)
        .order_by("-likeness", "pk")
    )


def like_ideas(ideas: QuerySet[Idea], text: str) -> QuerySet[Idea]:
    score = Greatest(_alike("title", text), _within("title", text)) + _words("title", "problem", "text", text=text)
    return ideas.annotate(likeness=score).filter(likeness__gte=ALIKE).order_by("-likeness", "-vote_count", "pk")


def like_solutions(solutions: QuerySet[Solution], text: str) -> QuerySet[Solution]:
    score = Greatest(_alike("title", text), _alike("title_fr", text)) + _words("title", "title_fr", text=text)
    return solutions.annotate(likeness=score).filter(likeness__gte=ALIKE).order_by("-likeness", "pk")


def mentioning(ideas: QuerySet[Idea], text: str) -> QuerySet[Idea]:
    """Ideas that answer a search, the best first."""
    score = _reversed("title", text) + _words("title", "problem", "text", text=text)
    return ideas.annotate(likeness=score).filter(likeness__gte=0.2)


def _plain_field(field: str) -> Func:
    return Func(F(field), function="core_unaccent", output_field=TextField())


def _alike(field: str, text: str) -> Func:
    return Func(_plain_field(field), Value(plain(text)), function="SIMILARITY", output_field=FloatField())


def _within(field: str, text: str) -> Func:
    """How well a short name is found in a longer text."""
    return Func(_plain_field(field), Value(plain(text)), function="WORD_SIMILARITY", output_field=FloatField())


def _reversed(field: str, text: str) -> Func:
    """How well a few words are found in a field, from well on: chance likeness counts nothing."""
    found = Func(Value(plain(text)), _plain_field(field), function="WORD_SIMILARITY", output_field=FloatField())
    return Greatest(found - Value(0.3), Value(0.0), output_field=FloatField())


def _words(*fields: str, text: str) -> Combinable:
    """How many stemmed words are shared, in English or in French."""
    words = list(dict.fromkeys(re.findall(r"\w{3,}", plain(text))))[:WORDS_MOST]
    if not words:
        return Value(0.0, output_field=FloatField())
    joined = Concat(*(part for field in fields for part in (F(field), Value(" "))), output_field=TextField())
    document = Func(joined, function="core_unaccent", output_field=TextField())
    ranks = [
        Func(
            Func(Value(config), document, template="to_tsvector(%(expressions)s)", arg_joiner="::regconfig, "),
            SearchQuery(" or ".join(words), config=config, search_type="websearch"),
            function="ts_rank",
            output_field=FloatField(),
        )
        for config in ("english", "french")
    ]
    return Greatest(*ranks) * Value(WORD_WEIGHT)
