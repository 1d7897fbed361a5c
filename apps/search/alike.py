"""Which challenges or ideas have the words of a question, with slips of the pen forgiven?"""

from collections.abc import Sequence
from functools import reduce
from operator import add, and_, or_
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Case, Exists, FloatField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest

from apps.search.words import SHORTEST_SLIP, Words

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
) -> Rows:
    """`columns` of the rows that have all the words, the likest first; at most five queries.

    When there is none, a word that no row has is taken for a slip, and the rows with the most words are found.
    Rows keep their texts ready in `search_name` and `search_text`; `names` gives
    their other names, each a `plain_label` of a `challenge`.
    """
    texts = [word.text for word in words.each] or [words.plain]
    met = [Q(search_text__contains=text) for text in texts]
    worths = [_worth(Q(search_name__contains=text), Value(IN_NAME), ELSEWHERE) for text in texts]
    called = None if names is None else Q(pk__in=names.filter(plain_label__contains=words.plain).values(OWNER))
    return _having(rows, reduce(and_, met), met, worths, called, then, columns) or _nearly(
        rows, texts, _nearly_called(names, words.plain), then, columns
    )


def _nearly_called(names: QuerySet[Any] | None, plain: str) -> Q | None:
    """Looked up apart: within a condition on rows it would keep the index on their names from being used."""
    found = (
        []
        if names is None
        else list(names.filter(plain_label__trigram_word_similar=plain).values_list(OWNER, flat=True))
    )
    return Q(pk__in=found) if found else None


def _nearly(
    rows: QuerySet[Any], texts: Sequence[str], called: Q | None, then: Sequence[str], columns: Sequence[str]
) -> Rows:
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
    if not met and called is None:
        return []
    return _having(rows, reduce(or_, met, called or NOTHING), met, worths, called, then, columns)


def _having(
    rows: QuerySet[Any],
    wanted: Q,
    met: Sequence[Q],
    worths: Sequence[Case],
    called: Q | None,
    then: Sequence[str],
    columns: Sequence[str],
) -> Rows:
    """Those with the most words of the wanted ones; a whole name counts for all words."""
    all_met, nothing = Value(float(len(met))), Value(0.0)
    number: Combinable = all_met
    if len(met) > 1:
        number = reduce(add, (_worth(one, Value(1.0), 0.0) for one in met))
    likeness: Combinable = reduce(add, worths, nothing) / Value(max(1.0, len(met)))
    if called is not None:
        wanted |= called
        number = _worth(called, all_met, number)
        likeness = Greatest(likeness, _worth(called, Value(BY_ANOTHER_NAME), 0.0))
    found = list(
        rows.filter(wanted)
        .annotate(number_met=number, likeness=likeness)
        .order_by("-likeness", *then)
        .values_list("number_met", *columns)
    )
    most = max((row[0] for row in found), default=0)
    return [row[1:] for row in found if row[0] == most]


def _worth(condition: Q, met: Combinable, otherwise: Any) -> Case:
    return Case(When(condition, then=met), default=otherwise, output_field=FloatField())
