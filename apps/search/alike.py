"""Which challenges or ideas have the words of a question, with slips of the pen forgiven?"""

from collections.abc import Sequence
from functools import reduce
from operator import add, and_, or_
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Case, Exists, FloatField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest

from apps.search.words import SHORTEST_SLIP, WHOLE, Met, Words, met_by

IN_NAME, ELSEWHERE, BY_ANOTHER_NAME = 1.0, 0.4, 0.9
OWNER = "challenge"
NOTHING = Q(pk__in=[])
Rows = list[tuple[Any, ...]]


def alike(
    rows: QuerySet[Any],
    words: Words,
    *columns: str,
    then: Sequence[str],
    names: QuerySet[Any] | None = None,
) -> tuple[Rows, Met]:
    """`columns` of the rows that have all the words, the likest first; at most five queries.

    When there is none, a word that no row has is taken for a slip, and the rows with the most words are found.
    Rows keep their texts ready in `search_name` and `search_text`; `names` gives
    their other names, each a `plain_label` of a `challenge`.
    """
    texts = [word.text for word in words.each] or [words.plain]
    met = [Q(search_text__contains=text) for text in texts]
    worths = [_worth(Q(search_name__contains=text), Value(IN_NAME), ELSEWHERE) for text in texts]
    called = None if names is None else Q(pk__in=names.filter(plain_label__contains=words.plain).values(OWNER))
    found, most, has = _having(rows, reduce(and_, met), met, worths, called, then, columns)
    if found:
        return found, met_by(words, has, most) if words.each else WHOLE
    return _nearly(rows, words, texts, _nearly_called(names, words.plain), then, columns)


def _nearly_called(names: QuerySet[Any] | None, plain: str) -> Q | None:
    """Looked up apart: within a condition on rows it would keep the index on their names from being used."""
    found = (
        []
        if names is None
        else list(names.filter(plain_label__trigram_word_similar=plain).values_list(OWNER, flat=True))
    )
    return Q(pk__in=found) if found else None


def _nearly(
    rows: QuerySet[Any],
    words: Words,
    texts: Sequence[str],
    called: Q | None,
    then: Sequence[str],
    columns: Sequence[str],
) -> tuple[Rows, Met]:
    known = {f"has_{place}": Exists(rows.filter(search_text__contains=text)) for place, text in enumerate(texts)}
    flags = next(iter(rows.order_by().annotate(**known).values_list(*known)[:1]), ())
    met, worths = [], []
    for text, is_known in zip(texts, flags, strict=False):
        if is_known:
            met.append(Q(search_text__contains=text))
            worths.append(_worth(Q(search_name__contains=text), Value(IN_NAME), ELSEWHERE))
        elif len(text) >= SHORTEST_SLIP:
            near = Q(search_name__trigram_word_similar=text)
            met.append(near)
            worths.append(_worth(near, TrigramWordSimilarity(text, "search_name"), 0.0))
        else:
            met.append(NOTHING)
    if called is None and all(one == NOTHING for one in met):
        return [], WHOLE
    found, most, has = _having(rows, reduce(or_, met, called or NOTHING), met, worths, called, then, columns)
    if not found or not words.each:
        return found, WHOLE
    return found, met_by(words, has, most)


def _having(
    rows: QuerySet[Any],
    wanted: Q,
    met: Sequence[Q],
    worths: Sequence[Case],
    called: Q | None,
    then: Sequence[str],
    columns: Sequence[str],
) -> tuple[Rows, int, list[bool]]:
    """Those with the most words of the wanted ones, how many they have, and of each word whether any has it.

    A whole name counts for all words.
    """
    likeness: Combinable = reduce(add, worths, Value(0.0)) / Value(max(1.0, len(met)))
    if called is not None:
        wanted |= called
        likeness = Greatest(likeness, _worth(called, Value(BY_ANOTHER_NAME), 0.0))
    has = {
        f"met_{place}": _worth(one if called is None else one | called, Value(1.0), 0.0)
        for place, one in enumerate(met)
    }
    found = list(
        rows.filter(wanted)
        .annotate(**has, likeness=likeness)
        .order_by("-likeness", *then)
        .values_list(*has, *columns)
    )
    most = max((sum(row[: len(met)]) for row in found), default=0)
    kept = [row for row in found if sum(row[: len(met)]) == most]
    return (
        [row[len(met) :] for row in kept],
        int(most),
        [any(row[place] for row in kept) for place in range(len(met))],
    )


def _worth(condition: Q, met: Combinable, otherwise: Any) -> Case:
    return Case(When(condition, then=met), default=otherwise, output_field=FloatField())
