"""Which labels wait to be mapped, and what might each of them mean?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from apps.core.languages import localised
from apps.taxonomy.choosing import entries_of
from apps.taxonomy.models import Acceptance, Challenge, UnmappedLabel

PAGE_ROWS = 25
GUESSES_SHOWN = 3
# Below this two texts have hardly three letters in common.
LEAST_LIKENESS = 0.25
# How much of a label must be found in a name, or word by word in a description, to be looked at.
CANDIDATE, IN_TEXT = 0.35, 0.5
NEARNESS = """SELECT set_config('pg_trgm.word_similarity_threshold', %s, true),
    set_config('pg_trgm.strict_word_similarity_threshold', %s, true)"""
# Labels compared in one query.
TOGETHER = 100
WAITING, MAPPED, IGNORED = "waiting", "mapped", "ignored"

# A description says more than the name, so that a likeness with a part of it counts less. Every join is one that
# an index answers: the plain names and texts of challenges, and the plain labels of aliases.
GUESSES = """
    WITH asked AS MATERIALIZED (
        SELECT id, core_unaccent(translate(label, '-_.', '   ')) AS text
        FROM taxonomy_unmappedlabel WHERE id = ANY(%s)
    ), found AS (
        SELECT asked.id AS label, c.id AS term,
            greatest(similarity(asked.text, core_unaccent(c.name)),
                similarity(asked.text, core_unaccent(c.name_fr)),
                similarity(asked.text, translate(lower(c.code), '-_.', '   ')),
                0.9 * word_similarity(asked.text, c.search_name)) AS likeness
        FROM asked JOIN taxonomy_challenge c ON c.search_name %%> asked.text
        UNION ALL
        SELECT asked.id, c.id, greatest(0.7 * word_similarity(asked.text, c.search_text),
            similarity(asked.text, translate(lower(c.code), '-_.', '   ')))
        FROM asked JOIN taxonomy_challenge c ON c.search_text %%>> asked.text
        UNION ALL
        SELECT asked.id, COALESCE(c.merged_into_id, c.id), greatest(similarity(asked.text, core_unaccent(a.label)),
            0.9 * word_similarity(asked.text, core_unaccent(a.label)))
        FROM asked JOIN taxonomy_alias a ON core_unaccent(a.label) %%> asked.text
        JOIN taxonomy_challenge c ON c.id = a.challenge_id
    ), ranked AS (
        SELECT label, term, max(likeness) AS likeness,
            row_number() OVER (PARTITION BY label ORDER BY max(likeness) DESC, term) AS place
        FROM found JOIN taxonomy_challenge c ON c.id = term
        WHERE c.merged_into_id IS NULL AND c.retired_on IS NULL AND likeness >= %s
        GROUP BY label, term
    )
    SELECT label, c.code, c.name, c.name_fr, likeness FROM ranked JOIN taxonomy_challenge c ON c.id = ranked.term
    WHERE place <= %s ORDER BY label, place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a label may mean; `likeness` is between 0 and 1."""

    code: str
    name: str
    likeness: float

    @property
    def percent(self) -> int:
        return round(100 * self.likeness)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    pk: int
    source: str
    label: str
    response_count: int
    rejected_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    guesses: tuple[Guess, ...]
    # What the field beside it holds: the best guess.
    entry: str
    coded_as: str


def labels_in(state: str) -> QuerySet[UnmappedLabel]:
    rows = UnmappedLabel.objects.all()
    return {MAPPED: rows.mapped, IGNORED: rows.ignored}.get(state, rows.waiting)()


def label_page(*, state: str, query: str, number: str | None, with_guesses: bool = True) -> Page[LabelRow]:
    """One page of the labels of a state, those of most responses first, with guesses for those that wait."""
    labels = labels_in(state).select_related("coded_as")
    if query:
        labels = labels.filter(Q(label__unaccent__icontains=query) | Q(source__icontains=query))
    page = Paginator(labels.order_by(F("response_count") * -1, "-rejected_count", "pk"), PAGE_ROWS).get_page(
        number
    )
    shown = list(page.object_list)
    is_guessed = with_guesses and state != MAPPED
    guesses = guesses_for([label.pk for label in shown]) if is_guessed else {}
    entries = _entries([found[0].code for found in guesses.values()])
    rows = [
        LabelRow(
            pk=label.pk,
            source=label.source,
            label=label.label,
            response_count=label.response_count,
            rejected_count=label.rejected_count,
            first_seen_at=label.first_seen_at,
            last_seen_at=label.last_seen_at,
            guesses=guesses.get(label.pk, ()),
            entry=next((entries.get(guess.code, guess.code) for guess in guesses.get(label.pk, ())), ""),
            coded_as=label.coded_as.display_name if label.coded_as else "",
        )
        for label in shown
    ]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the labels


def _entries(codes: Sequence[str]) -> Mapping[str, str]:
    terms = {term.pk: term for term in Challenge.objects.filter(code__in=codes)}
    return {terms[pk].code: entry for pk, entry in entries_of(terms.values()).items()}


def label_counts() -> Mapping[str, int]:
    return {state: labels_in(state).count() for state in (WAITING, MAPPED, IGNORED)}


def guesses_for(label_ids: Sequence[int], *, limit: int = GUESSES_SHOWN) -> Mapping[int, tuple[Guess, ...]]:
    """The likeliest meanings of each label, by names, codes, aliases and descriptions in both languages."""
    found: dict[int, tuple[Guess, ...]] = {}
    for first in range(0, len(label_ids), TOGETHER):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(NEARNESS, [str(CANDIDATE), str(IN_TEXT)])
            cursor.execute(GUESSES, [list(label_ids[first : first + TOGETHER]), LEAST_LIKENESS, limit])
            for label, code, name, name_fr, likeness in cursor.fetchall():
                guess = Guess(code=code, name=localised(name, name_fr), likeness=float(likeness))
                found[label] = (*found.get(label, ()), guess)
    return found


def newest_acceptance(*, since: datetime) -> Acceptance | None:
    """The acceptance that runs, or the last one if it ended after `since`."""
    return Acceptance.objects.filter(Q(finished_at=None) | Q(finished_at__gt=since)).order_by("-pk").first()
