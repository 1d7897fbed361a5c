"""Which labels of solutions wait to be mapped, and which solution might each of them mean?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db import connection, transaction
from django.db.models import F

from apps.core.languages import localised
from apps.library.models import SolutionAlias, UnmappedSolution

PAGE_ROWS = 20
GUESSES_SHOWN = 3
# Below this a title has hardly a word of the label in it.
LEAST_LIKENESS = 0.35

# Titles in both languages, codes and aliases; each condition is one that an index holds ready.
GUESSES = """
    WITH asked AS MATERIALIZED (
        SELECT id, core_unaccent(translate(label, '-_.', '   ')) AS text
        FROM library_unmappedsolution WHERE id = ANY(%s)
    ), found AS (
        SELECT asked.id AS label, s.id AS solution,
            greatest(similarity(asked.text, core_unaccent(s.title)),
                similarity(asked.text, core_unaccent(s.title_fr)),
                similarity(asked.text, translate(lower(s.code), '-_.', '   ')),
                0.9 * word_similarity(asked.text, s.search_title)) AS likeness
        FROM asked JOIN library_solution s ON s.search_title %%> asked.text
        UNION ALL
        SELECT asked.id, a.solution_id, similarity(asked.text, core_unaccent(a.label))
        FROM asked JOIN library_solutionalias a ON core_unaccent(a.label) %% asked.text
    ), best AS (
        SELECT label, solution, max(likeness) AS likeness FROM found GROUP BY label, solution
    ), ranked AS (
        SELECT best.*, s.code, s.title, s.title_fr,
            row_number() OVER (PARTITION BY label ORDER BY likeness DESC, solution) AS place
        FROM best JOIN library_solution s ON s.id = best.solution AND s.status <> 'retired'
        WHERE likeness >= %s
    )
    SELECT label, code, title, title_fr, likeness FROM ranked WHERE place <= %s ORDER BY label, place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionGuess:
    """What a label may mean; `likeness` is between 0 and 1."""

    code: str
    name: str
    likeness: float

    @property
    def percent(self) -> int:
        return round(100 * self.likeness)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionLabelRow:
    pk: int
    source: str
    label: str
    rejected_count: int
    last_seen_at: datetime
    guesses: tuple[SolutionGuess, ...]

    @property
    def best(self) -> SolutionGuess | None:
        return self.guesses[0] if self.guesses else None


def solution_label_page(*, number: str | None) -> Page[SolutionLabelRow]:
    """One page of the labels that wait, those of most rejected rows first, with guesses."""
    labels = UnmappedSolution.objects.waiting().order_by(F("rejected_count") * -1, "pk")
    page = Paginator(labels, PAGE_ROWS).get_page(number)
    shown = list(page.object_list)
    guesses = solution_guesses([label.pk for label in shown])
    rows = [
        SolutionLabelRow(
            pk=label.pk,
            source=label.source,
            label=label.label,
            rejected_count=label.rejected_count,
            last_seen_at=label.last_seen_at,
            guesses=guesses.get(label.pk, ()),
        )
        for label in shown
    ]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the labels


def solution_aliases(*, number: str | None) -> Page[SolutionAlias]:
    rows = SolutionAlias.objects.select_related("solution").order_by("source", "label", "pk")
    return Paginator(rows, PAGE_ROWS).get_page(number)


def solution_guesses(
    label_ids: Sequence[int], *, limit: int = GUESSES_SHOWN
) -> Mapping[int, tuple[SolutionGuess, ...]]:
    """The likeliest solutions of each label, by title in both languages, code and alias; one query."""
    if not label_ids:
        return {}
    found: dict[int, tuple[SolutionGuess, ...]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(LEAST_LIKENESS)])
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(LEAST_LIKENESS)])
        cursor.execute(GUESSES, [list(label_ids), LEAST_LIKENESS, limit])
        for label, code, title, title_fr, likeness in cursor.fetchall():
            guess = SolutionGuess(code=code, name=localised(title, title_fr), likeness=float(likeness))
            found[label] = (*found.get(label, ()), guess)
    return found
