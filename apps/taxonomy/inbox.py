"""Which labels wait to be mapped, and what might each of them mean?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import F, Q, QuerySet

from apps.core.languages import localised
from apps.taxonomy.models import UnmappedLabel

PAGE_ROWS = 25
GUESSES_SHOWN = 3
# Below this two texts have hardly three letters in common.
LEAST_LIKENESS = 0.25
# Labels compared in one query: taking the terms apart costs more than comparing.
TOGETHER = 300
WAITING, MAPPED, IGNORED = "waiting", "mapped", "ignored"

# A description says more than the name, so that a likeness with a part of it counts less.
GUESSES = """
    WITH texts AS MATERIALIZED (
        SELECT id AS term, lower(unaccent(name)) AS text, false AS is_long FROM current
        UNION ALL SELECT id, lower(unaccent(name_fr)), false FROM current WHERE name_fr <> ''
        UNION ALL SELECT id, translate(lower(code), '-_.', '   '), false FROM current
        UNION ALL SELECT id, lower(unaccent(description)), true FROM current WHERE description <> ''
        UNION ALL SELECT id, lower(unaccent(description_fr)), true FROM current WHERE description_fr <> ''
        UNION ALL SELECT current.id, lower(unaccent(a.label)), false FROM taxonomy_alias a
            JOIN taxonomy_challenge c ON c.id = a.challenge_id
            JOIN current ON current.id = COALESCE(c.merged_into_id, c.id)
    ), apart AS MATERIALIZED (
        SELECT term, is_long, row_number() OVER () AS text_no, show_trgm(text) AS grams FROM texts
    ), grams AS MATERIALIZED (
        SELECT term, is_long, text_no, cardinality(grams) AS size, gram FROM apart CROSS JOIN unnest(grams) gram
    ), asked AS MATERIALIZED (
        SELECT id, show_trgm(translate(lower(unaccent(label)), '-_.', '   ')) AS grams
        FROM taxonomy_unmappedlabel WHERE id = ANY(%s)
    ), labels AS MATERIALIZED (
        SELECT id AS label, cardinality(grams) AS size, gram FROM asked CROSS JOIN unnest(grams) gram
    ), shared AS (
        SELECT label, term, is_long, labels.size AS size, grams.size AS other, count(*) AS n
        FROM labels JOIN grams USING (gram) GROUP BY label, term, is_long, labels.size, grams.size, text_no
    ), likenesses AS (
        SELECT label, term, max(CASE WHEN is_long THEN 0.7 * n / size
            ELSE greatest(n::float / (size + other - n), 0.9 * n / size) END) AS likeness
        FROM shared GROUP BY label, term
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY label ORDER BY likeness DESC, term) AS place
        FROM likenesses WHERE likeness >= %s
    )
    SELECT label, c.code, c.name, c.name_fr, likeness FROM ranked JOIN current c ON c.id = ranked.term
    WHERE place <= %s ORDER BY label, place
"""
CURRENT = """WITH current AS MATERIALIZED (
    SELECT * FROM taxonomy_challenge WHERE merged_into_id IS NULL AND retired_on IS NULL
), """


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
    coded_as: str

    @property
    def best(self) -> Guess | None:
        return self.guesses[0] if self.guesses else None


def labels_in(state: str) -> QuerySet[UnmappedLabel]:
    rows = UnmappedLabel.objects.all()
    return {MAPPED: rows.mapped, IGNORED: rows.ignored}.get(state, rows.waiting)()


def label_page(*, state: str, query: str, number: str | None) -> Page[LabelRow]:
    """One page of the labels of a state, those of most responses first, with guesses for those that wait."""
    labels = labels_in(state).select_related("coded_as")
    if query:
        labels = labels.filter(Q(label__unaccent__icontains=query) | Q(source__icontains=query))
    page = Paginator(labels.order_by(F("response_count") * -1, "-rejected_count", "pk"), PAGE_ROWS).get_page(
        number
    )
    shown = list(page.object_list)
    guesses = {} if state == MAPPED else guesses_for([label.pk for label in shown])
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
            coded_as=label.coded_as.display_name if label.coded_as else "",
        )
        for label in shown
    ]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the labels


def label_counts() -> Mapping[str, int]:
    return {state: labels_in(state).count() for state in (WAITING, MAPPED, IGNORED)}


def guesses_for(label_ids: Sequence[int], *, limit: int = GUESSES_SHOWN) -> Mapping[int, tuple[Guess, ...]]:
    """The likeliest meanings of each label, by names, codes, aliases and descriptions in both languages."""
    found: dict[int, tuple[Guess, ...]] = {}
    statement = CURRENT + GUESSES.strip().removeprefix("WITH ")
    for first in range(0, len(label_ids), TOGETHER):
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(label_ids[first : first + TOGETHER]), LEAST_LIKENESS, limit])
            for label, code, name, name_fr, likeness in cursor.fetchall():
                guess = Guess(code=code, name=localised(name, name_fr), likeness=float(likeness))
                found[label] = (*found.get(label, ()), guess)
    return found


def sure_meanings(*, least: float, most: int) -> Mapping[int, str]:
    """For waiting labels whose best guess is at least that likely, the code of it."""
    labels = labels_in(WAITING).order_by(F("response_count") * -1, "pk").values_list("pk", flat=True)[:most]
    best = guesses_for(list(labels), limit=1)
    return {pk: guesses[0].code for pk, guesses in best.items() if guesses[0].likeness >= least}
