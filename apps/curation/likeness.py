"""Finds entries of the library that look alike, a batch at a time, until all of them were compared."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.ideas.models import OPEN_STATES

AT_ONCE = 200
# Titles that share less than this are not looked at; the index answers with those that share it.
CANDIDATE = 0.45
# How much of an idea's title must be found in a solution's.
WITHIN = 0.6
# Titles say more than what stands below them.
TITLE_WEIGHT, TEXT_WEIGHT = 0.7, 0.3
ALIKE = 0.55

SOLUTION_DIGEST = "md5(concat_ws(chr(10), s.search_title, s.summary, s.summary_fr))"
IDEA_DIGEST = "md5(concat_ws(chr(10), i.title, i.problem, i.text))"
STANDING_SOLUTION = "{0}.status <> 'retired'"
STANDING_IDEA = "{0}.state = ANY(%(open)s) AND {0}.hidden_at IS NULL AND {0}.merged_into_id IS NULL"

# A text that one of the two lacks says nothing for or against.
SCORE = """CASE WHEN {a} = '' OR {b} = '' THEN {title}
    ELSE {title_weight} * ({title}) + {text_weight} * similarity({a}, {b}) END"""


def _score(title: str, a: str, b: str) -> str:
    return SCORE.format(
        title=title,
        a=f"core_unaccent({a})",
        b=f"core_unaccent({b})",
        title_weight=TITLE_WEIGHT,
        text_weight=TEXT_WEIGHT,
    )


OF_SOLUTIONS = f"""
    SELECT 'solutions' AS kind, least(s.id, o.id) AS solution, greatest(s.id, o.id) AS other_solution,
        NULL::bigint AS idea, NULL::bigint AS other_idea,
        {_score("similarity(s.search_title, o.search_title)", "s.summary", "o.summary")} AS likeness
    FROM library_solution s JOIN library_solution o ON o.search_title %% s.search_title
    WHERE s.id = ANY(%(solutions)s) AND o.id <> s.id
        AND {STANDING_SOLUTION.format("s")} AND {STANDING_SOLUTION.format("o")}
"""
OF_IDEAS = f"""
    SELECT 'ideas', NULL::bigint, NULL::bigint, least(i.id, o.id), greatest(i.id, o.id),
        {_score("similarity(core_unaccent(i.title), core_unaccent(o.title))", "i.text", "o.text")}
    FROM ideas_idea i JOIN ideas_idea o ON core_unaccent(o.title) %% core_unaccent(i.title)
    WHERE i.id = ANY(%(ideas)s) AND o.id <> i.id
        AND {STANDING_IDEA.format("i")} AND {STANDING_IDEA.format("o")}
"""
MIXED = f"""
    SELECT 'mixed', s.id, NULL::bigint, i.id, NULL::bigint,
        {_score("word_similarity(core_unaccent(i.title), s.search_title)", "i.text", "s.summary")}
    FROM ideas_idea i JOIN library_solution s ON s.search_title %%> core_unaccent(i.title)
    WHERE (i.id = ANY(%(ideas)s) OR s.id = ANY(%(solutions)s)) AND {STANDING_IDEA.format("i")}
        AND {STANDING_SOLUTION.format("s")} AND i.solution_id IS DISTINCT FROM s.id
"""
# What was decided stays decided; what is still open follows the words of today.
KEEP = f"""
    WITH found AS (
        SELECT kind, solution, other_solution, idea, other_idea, max(least(likeness, 1)) AS likeness
        FROM ({OF_SOLUTIONS} UNION ALL {OF_IDEAS} UNION ALL {MIXED}) pairs
        WHERE likeness >= {ALIKE} GROUP BY 1, 2, 3, 4, 5
    ), known AS (
        SELECT l.id, f.likeness, f.kind, f.solution, f.other_solution, f.idea, f.other_idea
        FROM found f LEFT JOIN curation_lookalike l ON l.kind = f.kind
            AND l.solution_id IS NOT DISTINCT FROM f.solution
            AND l.other_solution_id IS NOT DISTINCT FROM f.other_solution
            AND l.idea_id IS NOT DISTINCT FROM f.idea AND l.other_idea_id IS NOT DISTINCT FROM f.other_idea
    ), gone AS (
        DELETE FROM curation_lookalike l WHERE l.state = 'open'
            AND (l.solution_id = ANY(%(solutions)s) OR l.other_solution_id = ANY(%(solutions)s)
                OR l.idea_id = ANY(%(ideas)s) OR l.other_idea_id = ANY(%(ideas)s))
            AND NOT EXISTS (SELECT 1 FROM known WHERE known.id = l.id)
    ), nearer AS (
        UPDATE curation_lookalike l SET likeness = known.likeness FROM known
        WHERE known.id = l.id AND l.state = 'open' AND l.likeness <> known.likeness
    ), added AS (
        INSERT INTO curation_lookalike
            (kind, solution_id, other_solution_id, idea_id, other_idea_id, likeness, state, found_at)
        SELECT kind, solution, other_solution, idea, other_idea, likeness, 'open', %(at)s
        FROM known WHERE id IS NULL ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
NEXT_SOLUTIONS = f"""
    SELECT s.id, {SOLUTION_DIGEST} FROM library_solution s
    LEFT JOIN curation_compared c ON c.solution_id = s.id
    WHERE {STANDING_SOLUTION.format("s")} AND c.digest IS DISTINCT FROM {SOLUTION_DIGEST}
    ORDER BY s.id LIMIT %(most)s
"""
NEXT_IDEAS = f"""
    SELECT i.id, {IDEA_DIGEST} FROM ideas_idea i LEFT JOIN curation_compared c ON c.idea_id = i.id
    WHERE {STANDING_IDEA.format("i")} AND c.digest IS DISTINCT FROM {IDEA_DIGEST}
    ORDER BY i.id LIMIT %(most)s
"""
# One process compares at a time; another one that is asked meanwhile has nothing to do.
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('curation.likeness'))"


def compare_all(*, at: datetime, most_batches: int = 50) -> int:
    """Compare what is new or was reworded since, a batch a transaction; how many entries were compared."""
    compared = 0
    for _batch in range(most_batches):
        count = compare_batch(at=at)
        compared += count
        if not count:
            break
    return compared


@transaction.atomic
def compare_batch(*, at: datetime, most: int = AT_ONCE) -> int:
    """Compare the next entries with all others and keep the pairs; how many there were, 0 when all are done."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        if not cursor.fetchone()[0]:
            return 0
        given: dict[str, Any] = {"most": most, "open": [str(state) for state in OPEN_STATES], "at": at}
        cursor.execute(NEXT_SOLUTIONS, given)
        solutions: Sequence[tuple[int, str]] = cursor.fetchall()
        cursor.execute(NEXT_IDEAS, given)
        ideas: Sequence[tuple[int, str]] = cursor.fetchall()
        if not solutions and not ideas:
            return 0
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(CANDIDATE)])
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(WITHIN)])
        asked = {"solutions": [pk for pk, _d in solutions], "ideas": [pk for pk, _d in ideas]}
        cursor.execute(KEEP, {**given, **asked})
        for column, rows in (("solution_id", solutions), ("idea_id", ideas)):
            cursor.executemany(
                f"INSERT INTO curation_compared ({column}, digest) VALUES (%s, %s) "
                f"ON CONFLICT ({column}) DO UPDATE SET digest = excluded.digest",
                rows,
            )
    return len(solutions) + len(ideas)
