"""How files of solutions come in."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.core.fields import Field, Reference, Type
from apps.core.staging import Column, ImportKind, Outcome, Stage, column_of, merge
from apps.library.models import Solution
from apps.taxonomy.imports import CHALLENGE

SOLUTION = Reference(
    name="solution",
    label=_("solution"),
    query="SELECT lower(code) AS key, id FROM library_solution",
    remedy=_("Import it with the solutions first, or correct the code."),
)


def _check_solutions(stage: Stage) -> None:
    stage.reject(
        "SELECT no, 'url', 'bad_url', url, '' FROM stage_typed WHERE url <> '' AND url !~* '^https?://[^\\s]+$'"
    )


def _apply_solutions(stage: Stage) -> Outcome:
    plain = ("title", "title_fr", "kind", "cost", "effort_hours", "url", "external_ref")
    new, changed = merge(
        stage,
        table="library_solution",
        match="lower(o.code) = lower(t.code)",
        columns=[
            Column(name="code", given="t.code", is_kept=True),
            *(column_of(one) for one in SOLUTIONS.fields if one.name in plain),
            Column(name="lag_days", given="t.lag_days", default="0", cleared="t.lag_days_clear"),
            Column(name="status", given="t.status", default="'published'", cleared="t.status_clear"),
            Column(name="origin", given="'company'", is_kept=True),
        ],
        stamps=True,
    )
    reworded = _add_versions(stage)
    stage.execute(
        """
        UPDATE library_solution s SET summary = v.summary
        FROM stage_typed t, LATERAL (
            SELECT v.summary FROM library_solutionversion v JOIN library_solution o ON o.id = v.solution_id
            WHERE lower(o.code) = lower(t.code) ORDER BY v.number DESC LIMIT 1
        ) v
        WHERE lower(s.code) = lower(t.code) AND s.summary <> v.summary
        """
    )
    relinked = stage.rows(
        """
        WITH wanted AS (
            SELECT s.id, t.challenges FROM stage_typed t JOIN library_solution s ON lower(s.code) = lower(t.code)
        ), gone AS (
            DELETE FROM library_solutionlink l USING wanted w
            JOIN taxonomy_challenge c ON true
            WHERE l.solution_id = w.id AND c.id = l.challenge_id AND NOT l.is_seen_in_use
                AND NOT COALESCE(c.merged_into_id, c.id) = ANY(w.challenges)
            RETURNING l.solution_id
        ), added AS (
            INSERT INTO library_solutionlink (challenge_id, solution_id, rationale, is_seen_in_use)
            SELECT DISTINCT challenge, w.id, '', false FROM wanted w CROSS JOIN unnest(w.challenges) challenge
            WHERE NOT EXISTS (
                SELECT 1 FROM library_solutionlink l JOIN taxonomy_challenge c ON c.id = l.challenge_id
                WHERE l.solution_id = w.id AND c.merged_into_id = challenge)
            ON CONFLICT (challenge_id, solution_id) DO NOTHING RETURNING solution_id
        )
        SELECT solution_id FROM gone UNION SELECT solution_id FROM added
        """
    )
    touched = set(changed) | set(reworded) | {row[0] for row in relinked}
    return Outcome(accepted=len(new), corrected=len(touched - set(new)))


def _add_versions(stage: Stage) -> list[int]:
    """A new version for each solution whose text or delay is not that of its newest one."""
    added = stage.rows(
        """
        INSERT INTO library_solutionversion (solution_id, number, title, summary, body, lag_days, created_at)
        SELECT s.id, COALESCE(v.number, 0) + 1, s.title, COALESCE(t.summary, v.summary, ''),
            COALESCE(t.body, v.body, ''), s.lag_days, now()
        FROM stage_typed t JOIN library_solution s ON lower(s.code) = lower(t.code)
        LEFT JOIN LATERAL (
            SELECT * FROM library_solutionversion v WHERE v.solution_id = s.id ORDER BY v.number DESC LIMIT 1
        ) v ON true
        WHERE v.id IS NULL OR (v.title, v.summary, v.body, v.lag_days) IS DISTINCT FROM
            (s.title, COALESCE(t.summary, v.summary), COALESCE(t.body, v.body), s.lag_days)
        RETURNING solution_id
        """
    )
    return [row[0] for row in added]


SOLUTIONS = ImportKind(
    name="solutions",
    fields=(
        Field(name="code", type=Type.CODE, is_required=True),
        Field(name="title", is_required=True),
        Field(name="title_fr"),
        Field(name="kind", type=Type.CHOICE, choices=tuple(Solution.Kind.values), is_required=True),
        Field(name="challenges", type=Type.REFERENCES, reference=CHALLENGE, is_required=True),
        Field(name="summary", max_length=20_000),
        Field(name="body", max_length=100_000),
        Field(name="cost", type=Type.INTEGER, minimum=Decimal(1), maximum=Decimal(5)),
        Field(name="effort_hours", type=Type.DECIMAL, minimum=Decimal(0), maximum=Decimal(1_000_000)),
        Field(name="lag_days", type=Type.INTEGER, minimum=Decimal(0), maximum=Decimal(3_650)),
        Field(name="url", max_length=500),
        Field(name="external_ref"),
        Field(name="status", type=Type.CHOICE, choices=tuple(Solution.Status.values)),
    ),
    key=("code",),
    check=_check_solutions,
    apply=_apply_solutions,
    messages={"bad_url": _("“%(value)s” is no link. Begin it with https://.")},
)
