"""What is like a few words: challenges, solutions and ideas, in both languages, typos and accents forgiven."""

import re
import unicodedata

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import F, FloatField, Func, Model, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from apps.ideas.models import Idea
from apps.library.models import Solution
from apps.taxonomy.models import Alias, Challenge

# Of 0 to 1. A title that shares a third of its letter triples with another usually means the same.
ALIKE = 0.3
# One stemmed word in common gives about 0.06, two give 0.1.
WORD_WEIGHT = 4.0
# What a word counts that stands in a part of weight D, C, B and A: titles are A, what is below them B.
ANYWHERE, IN_TITLES = [0.1, 0.1, 0.1, 0.1], [0.0, 0.0, 0.0, 0.1]
QUERY_MOST = 300
WORDS_MOST = 24
# So many rows are looked at closely: those that share most words, and those whose titles are spelt most alike.
CLOSELY = 60

# Both halves are answered by an index; what they find is weighed row by row afterwards.
NEAR = """
    SELECT id FROM (
        SELECT c.id FROM unnest(%s::text[]) AS asked(word) JOIN {table} c ON {spelt} %%> asked.word
        GROUP BY c.id ORDER BY count(*) DESC, c.id LIMIT {most}
    ) near
    UNION
    SELECT id FROM (
        SELECT c.id FROM {table} c, (SELECT {query} AS asked) q WHERE c.search_words @@ q.asked
        ORDER BY ts_rank(%s::real[], c.search_words, q.asked) DESC, c.id LIMIT {most}
    ) told
"""
QUERY = "websearch_to_tsquery('english', %s) || websearch_to_tsquery('french', %s)"
CALLED = """
    SELECT a.challenge_id FROM unnest(%s::text[]) AS asked(word)
    JOIN taxonomy_alias a ON core_unaccent(a.label) %%> asked.word
    GROUP BY a.challenge_id ORDER BY count(*) DESC, a.challenge_id LIMIT {most}
"""


def plain(text: str) -> str:
    """Lower case without accents, as core_unaccent makes it."""
    parts = unicodedata.normalize("NFKD", text[:QUERY_MOST].lower())
    return "".join(part for part in parts if not unicodedata.combining(part))


def like_challenges(text: str) -> QuerySet[Challenge]:
    """Current challenges a text may be about, the likeliest first."""
    alias = Alias.objects.filter(challenge=OuterRef("pk")).annotate(score=_within("label", text))
    score = Greatest(
        _within("name", text),
        _within("name_fr", text),
        Coalesce(Subquery(alias.order_by("-score").values("score")[:1]), 0.0, output_field=FloatField()),
    )
    near = {*_near(Challenge, "c.search_name", text, ANYWHERE), *_called(text)}
    return (
        Challenge.objects.current()
        .filter(pk__in=near)
        .annotate(likeness=score + _words(text, ANYWHERE))
        .filter(likeness__gte=ALIKE * 1.3)
        .order_by("-likeness", "pk")
    )


def like_ideas(ideas: QuerySet[Idea], text: str) -> QuerySet[Idea]:
    score = Greatest(_alike("title", text), _within("title", text)) + _words(text, ANYWHERE)
    return (
        ideas.filter(pk__in=_near(Idea, "c.search_name", text, ANYWHERE))
        .annotate(likeness=score)
        .filter(likeness__gte=ALIKE)
        .order_by("-likeness", "-vote_count", "pk")
    )


def like_solutions(solutions: QuerySet[Solution], text: str) -> QuerySet[Solution]:
    score = Greatest(_alike("title", text), _alike("title_fr", text)) + _words(text, IN_TITLES)
    return (
        solutions.filter(pk__in=_near(Solution, "c.search_title", text, IN_TITLES))
        .annotate(likeness=score)
        .filter(likeness__gte=ALIKE)
        .order_by("-likeness", "pk")
    )


def mentioning(ideas: QuerySet[Idea], text: str) -> QuerySet[Idea]:
    """Ideas that answer a search, the best first."""
    spelt = _reversed("title", text)
    found = ideas.annotate(spelt=spelt).filter(Q(spelt__gt=0) | Q(search_words=_asked(text)))
    return found.annotate(likeness=F("spelt") + _words(text, ANYWHERE)).filter(likeness__gte=0.2)


def _near(model: type[Model], spelt: str, text: str, weights: list[float]) -> list[int]:
    """Rows of a table whose title has words spelt like these, or whose texts share most of them."""
    words = _words_of(text)
    if not words:
        return []
    query, table = " or ".join(words), model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            NEAR.format(table=table, spelt=spelt, query=QUERY, most=CLOSELY), [words, query, query, weights]
        )
        return [pk for (pk,) in cursor.fetchall()]


def _called(text: str) -> list[int]:
    """Challenges that other systems call by words spelt like these."""
    with connection.cursor() as cursor:
        cursor.execute(CALLED.format(most=CLOSELY), [_words_of(text)])
        return [pk for (pk,) in cursor.fetchall()]


def _words_of(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\w{3,}", plain(text))))[:WORDS_MOST]


def _asked(text: str) -> SearchQuery:
    """Any of the words, stemmed by the rules of either language."""
    words = " or ".join(_words_of(text)) or "-"
    english = SearchQuery(words, config="english", search_type="websearch")
    return english | SearchQuery(words, config="french", search_type="websearch")


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


def _words(text: str, weights: list[float]) -> Combinable:
    """How many stemmed words are shared, in English or in French."""
    return SearchRank(F("search_words"), _asked(text), weights=weights) * Value(WORD_WEIGHT)
