"""How files of solutions come in."""

from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.core.fields import Field, Reference, Type
from apps.core.staging import Column, ImportKind, Outcome, Stage, column_of, merge
from apps.library.models import Solution
from apps.library.texts import LENGTH_MAX, LENGTHS, PARTS
from apps.taxonomy.imports import CHALLENGE

SOLUTION = Reference(
    name="solution",
    label=_("solution"),
    query="SELECT lower(code) AS key, id FROM library_solution",
    remedy=_("Import it with the solutions first, or correct the code."),
)

# A code; or what any source calls a solution, as long as that means one solution only.
SOLUTION_OR_ALIAS = replace(
    SOLUTION,
    query="""SELECT lower(code) AS key, id FROM library_solution
        UNION ALL SELECT lower(a.label), min(a.solution_id) FROM library_solutionalias a
        WHERE NOT EXISTS (SELECT 1 FROM library_solution o WHERE lower(o.code) = lower(a.label))
        GROUP BY lower(a.label) HAVING count(DISTINCT a.solution_id) = 1""",
    remedy=_(
        "It waits under “Labels of solutions”: say there what it means, or import it with the solutions. "
        "Then import these rows again."
    ),
)


def note_rejected_solutions(stage: Stage, *, source: str) -> None:
    """Keep the labels that made rows impossible, so that somebody can say which solution they mean."""
    stage.execute(
        f"""
        INSERT INTO library_unmappedsolution AS o
            (source, label, first_seen_at, last_seen_at, rejected_count, is_ignored)
        SELECT %s, min(item), now(), now(), count(DISTINCT no), false
        FROM stage_rejects CROSS JOIN LATERAL (
            SELECT btrim(part) AS item FROM unnest(string_to_array(value, '|')) part
        ) items LEFT JOIN ({SOLUTION_OR_ALIAS.query}) known ON known.key = lower(item)
        WHERE code = 'unknown_solution' AND known.id IS NULL AND item <> '' AND char_length(item) <= 200
        GROUP BY lower(item)
        ON CONFLICT (lower(source), lower(label)) DO UPDATE
        SET rejected_count = excluded.rejected_count, last_seen_at = excluded.last_seen_at
        """,
        [source],
    )


# Name of a part → its field here; "where" would be read as a word of SQL.
PART_FIELDS = {name: "where_done" if name == "where" else name for name in ("summary", *PARTS)}
FRENCH_FIELDS = {name: f"{name}_fr" for name in PART_FIELDS}


def _check_solutions(stage: Stage) -> None:
    stage.reject(
        "SELECT no, 'url', 'bad_url', url, '' FROM stage_typed WHERE url <> '' AND url !~* '^https?://[^\\s]+$'"
    )
    stage.reject(
        """
        SELECT w.no, 'external_ref', 'reference_taken', w.ref, COALESCE(s.code, w.first_code)
        FROM (
            SELECT t.no, t.code, COALESCE(t.source, o.source, '') AS source,
                COALESCE(t.external_ref, o.external_ref, '') AS ref,
                first_value(t.code) OVER (
                    PARTITION BY lower(COALESCE(t.source, o.source, '')),
                        COALESCE(t.external_ref, o.external_ref, '') ORDER BY t.no
                ) AS first_code
            FROM stage_typed t LEFT JOIN library_solution o ON lower(o.code) = lower(t.code)
        ) w
        LEFT JOIN library_solution s ON lower(s.source) = lower(w.source) AND s.external_ref = w.ref
            AND lower(s.code) <> lower(w.code)
        WHERE w.source <> '' AND w.ref <> '' AND (s.id IS NOT NULL OR w.first_code <> w.code)
        """
    )


def _apply_solutions(stage: Stage) -> Outcome:
    plain = (
        *("title", "title_fr", "kind", "cost", "effort_hours", "url", "source", "external_ref"),
        "review_every_months",
    )
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
        UPDATE library_solution s SET summary = v.summary, summary_fr = v.summary_fr
        FROM (
            SELECT DISTINCT ON (o.id) o.id, v.summary, COALESCE(f.summary, '') AS summary_fr
            FROM stage_typed t JOIN library_solution o ON lower(o.code) = lower(t.code)
            JOIN library_solutionversion v ON v.solution_id = o.id
            LEFT JOIN library_versiontranslation f ON f.version_id = v.id AND f.language = 'fr'
            ORDER BY o.id, v.number DESC
        ) v
        WHERE v.id = s.id AND (s.summary, s.summary_fr) IS DISTINCT FROM (v.summary, v.summary_fr)
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
    """A new version for each solution whose text in any language, or delay, is not that of its newest one."""
    names = ", ".join(f'"{name}"' for name in PART_FIELDS)
    main = {name: f"COALESCE(t.{given}, v.\"{name}\", '')" for name, given in PART_FIELDS.items()}
    french = {name: f"COALESCE(t.{given}, f.\"{name}\", '')" for name, given in FRENCH_FIELDS.items()}
    old_main = ", ".join(f'v."{name}"' for name in PART_FIELDS)
    old_french = ", ".join(f"COALESCE(f.\"{name}\", '')" for name in PART_FIELDS)
    # The newest version before this import, and its French text.
    before = """
        stage_typed t JOIN library_solution s ON lower(s.code) = lower(t.code)
        LEFT JOIN LATERAL (
            SELECT * FROM library_solutionversion v WHERE v.solution_id = s.id {older}
            ORDER BY v.number DESC LIMIT 1
        ) v ON true
        LEFT JOIN library_versiontranslation f ON f.version_id = v.id AND f.language = 'fr'
    """
    added = stage.rows(
        f"""
        INSERT INTO library_solutionversion (solution_id, number, title, {names}, lag_days, created_at)
        SELECT s.id, COALESCE(v.number, 0) + 1, s.title, {", ".join(main.values())}, s.lag_days, now()
        FROM {before.format(older="")}
        WHERE v.id IS NULL OR (v.title, v.lag_days, {old_main}) IS DISTINCT FROM
                (s.title, s.lag_days, {", ".join(main.values())})
            OR ({old_french}) IS DISTINCT FROM ({", ".join(french.values())})
            OR f.title <> s.title_fr
        RETURNING solution_id, id
        """
    )
    stage.execute(
        f"""
        INSERT INTO library_versiontranslation (version_id, language, title, {names})
        SELECT n.id, 'fr', s.title_fr, {", ".join(french.values())}
        FROM {before.format(older="AND NOT v.id = ANY(%(added)s)")}
        JOIN library_solutionversion n ON n.solution_id = s.id AND n.id = ANY(%(added)s)
        WHERE concat({", ".join(french.values())}) <> ''
        """,
        {"added": [row[1] for row in added]},
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
        *(
            Field(name=given, column=name, max_length=LENGTHS.get(name, LENGTH_MAX))
            for name, given in PART_FIELDS.items()
        ),
        *(Field(name=given, max_length=LENGTHS.get(name, LENGTH_MAX)) for name, given in FRENCH_FIELDS.items()),
        Field(name="cost", type=Type.INTEGER, minimum=Decimal(1), maximum=Decimal(5)),
        Field(name="effort_hours", type=Type.DECIMAL, minimum=Decimal(0), maximum=Decimal(1_000_000)),
        Field(name="lag_days", type=Type.INTEGER, minimum=Decimal(0), maximum=Decimal(3_650)),
        Field(name="url", max_length=500),
        Field(name="source", max_length=64),
        Field(name="external_ref"),
        Field(name="review_every_months", type=Type.INTEGER, minimum=Decimal(1), maximum=Decimal(60)),
        Field(name="status", type=Type.CHOICE, choices=tuple(Solution.Status.values)),
    ),
    key=("code",),
    check=_check_solutions,
    apply=_apply_solutions,
    messages={
        "bad_url": _("“%(value)s” is no link. Begin it with https://."),
        "reference_taken": _("The solution %(detail)s has this reference already."),
    },
)
