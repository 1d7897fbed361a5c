"""Which solutions have the words of a question, in either language, with slips of the pen forgiven?"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.translation import get_language

from apps.search.counting import Real, Shelf, places_of
from apps.search.shelf import real, whole

MOST_WORDS = 8
# Of a shorter word too many others are alike.
SHORTEST_SLIP = 3
IN_TITLE, ELSEWHERE, AS_TYPED, BY_CODE = 1.5, 0.5, 0.2, 2.0

_LEXEME = re.compile(r"'(?:[^']|'')*'")
# Worked out once: as constants they let the planner use the indexes.
_READ = """
    SELECT plain, websearch_to_tsquery('english', plain)::text, websearch_to_tsquery('french', plain)::text, (
        SELECT json_agg(json_build_array(
            word, plainto_tsquery('english', word)::text, plainto_tsquery('french', word)::text) ORDER BY place
        )::text
        FROM regexp_split_to_table(plain, '\\W+') WITH ORDINALITY AS told(word, place) WHERE word <> ''
    )
    FROM (SELECT core_unaccent(%s) AS plain) given
"""
_HAVING_ALL = """
    SELECT string_agg(int8send(id), ''), string_agg(int8send(
        (search_words @@ %(titled)s::tsquery)::int + 2 * (search_title LIKE %(part)s)::int
        + 4 * (lower(code) = lower(%(text)s))::int
    ), '')
    FROM library_solution
    WHERE (search_words @@ %(stems)s::tsquery OR search_title LIKE %(part)s OR lower(code) = lower(%(text)s))
        AND status = ANY(%(statuses)s)
"""
_HAVING_ONE = """
    SELECT {place}::int, string_agg(int8send(id), ''),
        string_agg(float8send(
            CASE WHEN search_words @@ %(titled{place})s::tsquery THEN {in_title} ELSE {elsewhere} END
        ), '')
    FROM library_solution WHERE search_words @@ %(stems{place})s::tsquery AND status = ANY(%(statuses)s)
"""
_LIKE_ONE = """
    SELECT {place}::int, string_agg(int8send(id), ''),
        string_agg(float8send(word_similarity(%(word{place})s, search_title)), '')
    FROM library_solution
    WHERE (search_title %%> %(word{place})s OR search_title LIKE %(part{place})s) AND status = ANY(%(statuses)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word that says something, without its accents, and the query for its stems in both languages."""

    text: str
    stems: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was typed, the same in plain letters, the query for all of it, and the words that say something.

    `rest` are the words after the first few, which are only looked for together with all others.
    """

    text: str
    plain: str
    stems: str
    each: tuple[Word, ...]
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """How far what was found has the words: the most that any of it has, of how many; and those that none has."""

    most: int = 0
    count: int = 0
    without: tuple[str, ...] = ()


WHOLE = Met()


def read_words(text: str) -> Words:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [text])
        plain, english, french, told = cursor.fetchone()
    skipping = 1 if (get_language() or "").startswith("fr") else 0
    # What the reader's language skips over says nothing.
    each = {
        word: Word(text=word, stems=_either(*stems))
        for word, *stems in json.loads(told or "[]")
        if stems[skipping]
    }
    found = tuple(each.values())
    return Words(
        text=text,
        plain=plain,
        stems=_either(english, french),
        each=found[:MOST_WORDS],
        rest=tuple(word.text for word in found[MOST_WORDS:]),
    )


def met_by(words: Words, has: Sequence[bool], most: int) -> Met:
    """`has` says of each word whether anything that was found has it."""
    without = tuple(word.text for word, is_had in zip(words.each, has, strict=True) if not is_had) + words.rest
    count = len(words.each) + len(words.rest)
    return Met(most=most, count=count, without=without) if most < count else WHOLE


def liken(words: Words, *, statuses: Sequence[str], shelf: Shelf) -> tuple[Real, Met]:
    """How much each solution is like the words, NaN when not at all; at most three queries.

    When no solution has all of them, a word that none has is taken for a slip, and those that have the most
    words are found.
    """
    likeness = np.full(shelf.size, np.nan)
    values: dict[str, Any] = {
        "text": words.text,
        "statuses": list(statuses),
        "stems": words.stems,
        "titled": _titled(words.stems),
        "part": part(words.plain),
    }
    with connection.cursor() as cursor:
        cursor.execute(_HAVING_ALL, values)
        pks, facts = cursor.fetchone()
        if pks:
            places, known = places_of(whole(pks), shelf.pks)
            where = whole(facts)
            worth = np.where(where & 3 > 0, IN_TITLE, ELSEWHERE)
            worth = worth + AS_TYPED * (where >> 1 & 1) + BY_CODE * (where >> 2)
            likeness[places[known]] = worth[known]
            return likeness, WHOLE
        met = _liken_to_most(cursor, words, statuses, shelf, likeness) if words.each else WHOLE
    return likeness, met


def part(plain: str) -> str:
    """A pattern for LIKE that finds these letters anywhere."""
    return "%" + plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _liken_to_most(
    cursor: CursorWrapper, words: Words, statuses: Sequence[str], shelf: Shelf, likeness: Real
) -> Met:
    each = words.each
    had = _each(cursor, _HAVING_ONE, dict(enumerate(each)), statuses)
    unknown = {
        place: word for place, word in enumerate(each) if place not in had and len(word.text) >= SHORTEST_SLIP
    }
    if unknown:
        had |= _each(cursor, _LIKE_ONE, unknown, statuses)
    has, sums = np.zeros((len(each), shelf.size), dtype=bool), np.zeros(shelf.size)
    for word, (pks, worth) in had.items():
        places, known = places_of(whole(pks), shelf.pks)
        has[word, places[known]] = True
        sums[places[known]] += real(worth)[known]
    count = has.sum(axis=0)
    highest = int(count.max(initial=0))
    most = (count > 0) & (count == highest)
    likeness[most] = sums[most] / len(each)
    return met_by(words, [bool(word.any()) for word in has[:, most]], highest)


def _each(
    cursor: CursorWrapper, statement: str, words: Mapping[int, Word], statuses: Sequence[str]
) -> dict[int, tuple[bytes, bytes]]:
    """For each word that any solution has: their keys, and how much each is like it."""
    values: dict[str, Any] = {"statuses": list(statuses)}
    for place, word in words.items():
        values |= {
            f"word{place}": word.text,
            f"part{place}": part(word.text),
            f"stems{place}": word.stems,
            f"titled{place}": _titled(word.stems),
        }
    parts = [statement.format(place=place, in_title=IN_TITLE, elsewhere=ELSEWHERE) for place in words]
    cursor.execute(" UNION ALL ".join(parts), values)
    return {place: (pks, worth) for place, pks, worth in cursor.fetchall() if pks}


def _either(english: str, french: str) -> str:
    return english if english == french else " | ".join(f"({stems})" for stems in (english, french) if stems)


def _titled(stems: str) -> str:
    """The same query for titles alone, which weigh A."""
    return _LEXEME.sub(r"\g<0>:A", stems)
