"""How files of touchpoints, metrics, challenges and aliases come in."""

from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.core.fields import Field, Reference, Type
from apps.core.parents import reject_impossible_parents
from apps.core.staging import Column, ImportKind, Outcome, Stage, column_of, merge
from apps.core.trees import refresh_paths
from apps.taxonomy.journal import lock_taxonomy
from apps.taxonomy.models import Metric

# Challenges name these labels themselves, whatever system a file comes from.
ANY_SOURCE = ""
SAME_CODE = "lower(o.code) = lower(t.code)"
CODE = Column(name="code", given="t.code", is_kept=True)

TOUCHPOINT = Reference(
    name="touchpoint",
    label=_("touchpoint"),
    query="SELECT lower(code) AS key, id, journey_id FROM taxonomy_touchpoint",
    remedy=_("Import it with the touchpoints first, or correct the code."),
)
METRIC = Reference(
    name="metric",
    label=_("metric"),
    query="SELECT lower(code) AS key, id FROM taxonomy_metric",
    remedy=_("Import it with the metrics first, or correct the code."),
)
CHALLENGE = Reference(
    name="challenge",
    label=_("challenge"),
    query="SELECT lower(code) AS key, COALESCE(merged_into_id, id) AS id FROM taxonomy_challenge",
    remedy=_("Import it with the challenges first, or correct the code."),
)

# A code; or what any source calls a challenge, as long as that means one challenge only.
CHALLENGE_OR_ALIAS = replace(
    CHALLENGE,
    query="""SELECT lower(code) AS key, COALESCE(merged_into_id, id) AS id FROM taxonomy_challenge
        UNION ALL SELECT lower(a.label), min(COALESCE(c.merged_into_id, c.id))
        FROM taxonomy_alias a JOIN taxonomy_challenge c ON c.id = a.challenge_id
        WHERE NOT EXISTS (SELECT 1 FROM taxonomy_challenge o WHERE lower(o.code) = lower(a.label))
        GROUP BY lower(a.label) HAVING count(DISTINCT COALESCE(c.merged_into_id, c.id)) = 1""",
    remedy=_(
        "Import it with the challenges, or say what it means under “Unmapped labels”. Then import these rows."
    ),
)


def note_rejected_labels(stage: Stage, *, source: str) -> None:
    """Keep the labels that made rows impossible, so that somebody can say what they mean."""
    stage.execute(
        """
        INSERT INTO taxonomy_unmappedlabel AS o
            (source, label, first_seen_at, last_seen_at, response_count, rejected_count, is_ignored)
        SELECT %s, min(value), now(), now(), 0, count(*), false FROM stage_rejects
        WHERE code = 'unknown_challenge' AND value <> '' GROUP BY lower(value)
        ON CONFLICT (lower(source), lower(label)) DO UPDATE
        SET rejected_count = excluded.rejected_count, last_seen_at = excluded.last_seen_at
        """,
        [source],
    )


def _apply_touchpoints(stage: Stage) -> Outcome:
    stage.execute(
        """
        INSERT INTO taxonomy_journey (code, name, name_fr)
        SELECT DISTINCT ON (lower(journey)) journey, journey, '' FROM stage_typed t
        WHERE NOT EXISTS (SELECT 1 FROM taxonomy_journey j WHERE lower(j.code) = lower(t.journey))
        ORDER BY lower(journey), no
        """
    )
    new, changed = merge(
        stage,
        table="taxonomy_touchpoint",
        match=SAME_CODE,
        columns=[
            CODE,
            *(column_of(one) for one in TOUCHPOINTS.fields if one.name in ("name", "name_fr", "position")),
            Column(name="journey_id", given="t.journey_id"),
        ],
        source="(SELECT t.*, j.id AS journey_id FROM stage_typed t JOIN taxonomy_journey j "
        "ON lower(j.code) = lower(t.journey))",
    )
    stage.execute(
        "UPDATE taxonomy_metric m SET journey_id = p.journey_id FROM taxonomy_touchpoint p "
        "WHERE p.id = m.touchpoint_id AND p.id = ANY(%s) AND m.journey_id IS DISTINCT FROM p.journey_id",
        [changed],
    )
    return Outcome(accepted=len(new), corrected=len(changed))


TOUCHPOINTS = ImportKind(
    name="touchpoints",
    fields=(
        Field(name="code", type=Type.CODE, is_required=True),
        Field(name="name", is_required=True),
        Field(name="name_fr"),
        Field(name="journey", type=Type.CODE, is_required=True),
        Field(name="position", type=Type.INTEGER, is_required=True, minimum=Decimal(0), maximum=Decimal(10_000)),
    ),
    key=("code",),
    apply=_apply_touchpoints,
)

# A metric as it will stand, by the row of the file over what is stored.
METRICS_TO_BE = """
    SELECT t.no, o.id,
        COALESCE(t.scoring, o.scoring, 'value') AS scoring,
        CASE WHEN t.threshold_clear THEN NULL ELSE COALESCE(t.threshold, o.threshold) END AS threshold,
        CASE WHEN t.scale_min_clear THEN NULL ELSE COALESCE(t.scale_min, o.scale_min) END AS scale_min,
        CASE WHEN t.scale_max_clear THEN NULL ELSE COALESCE(t.scale_max, o.scale_max) END AS scale_max,
        CASE WHEN t.overall_clear THEN false ELSE COALESCE(t.overall, o.is_overall, false) END AS is_overall,
        COALESCE(p.journey_id, named.id, o.journey_id,
            CASE WHEN t.overall THEN (SELECT min(id) FROM taxonomy_journey HAVING count(*) = 1) END) AS journey_id
    FROM stage_typed t LEFT JOIN taxonomy_metric o ON lower(o.code) = lower(t.code)
    LEFT JOIN taxonomy_touchpoint p ON p.id = COALESCE(t.touchpoint, o.touchpoint_id)
    LEFT JOIN taxonomy_journey named ON lower(named.code) = lower(t.journey)
"""


def _check_metrics(stage: Stage) -> None:
    stage.reject(
        f"SELECT no, 'threshold', 'share_threshold', '', '' FROM ({METRICS_TO_BE}) m "
        "WHERE scoring = 'share' AND threshold IS NULL"
    )
    stage.reject(
        f"SELECT no, 'scale_max', 'empty_scale', scale_max::text, '' FROM ({METRICS_TO_BE}) m "
        "WHERE scale_max <= scale_min"
    )
    stage.reject(
        "SELECT t.no, 'journey', 'unknown_journey', t.journey, '' FROM stage_typed t WHERE t.journey <> '' "
        "AND NOT EXISTS (SELECT 1 FROM taxonomy_journey j WHERE lower(j.code) = lower(t.journey))"
    )
    stage.reject(
        f"SELECT no, 'overall', 'overall_journey', '', '' FROM ({METRICS_TO_BE}) m "
        "WHERE is_overall AND journey_id IS NULL"
    )
    # A journey's outcome may pass from one metric to another in one file; what remains twice is rejected.
    stage.reject(
        f"""
        SELECT m.no, 'overall', 'overall_taken', '', other.code FROM ({METRICS_TO_BE}) m
        JOIN taxonomy_metric other ON other.journey_id = m.journey_id AND other.is_overall
        WHERE m.is_overall AND other.id IS DISTINCT FROM m.id
            AND NOT EXISTS (SELECT 1 FROM ({METRICS_TO_BE}) o WHERE o.id = other.id AND NOT o.is_overall)
        """
    )
    stage.reject(
        f"""
        SELECT no, 'overall', 'overall_taken', '', first FROM (
            SELECT m.no, first_value(t.code) OVER same AS first, row_number() OVER same AS place
            FROM ({METRICS_TO_BE}) m JOIN stage_typed t USING (no) WHERE m.is_overall
            WINDOW same AS (PARTITION BY m.journey_id ORDER BY m.no)
        ) ranked WHERE place > 1
        """
    )


def _apply_metrics(stage: Stage) -> Outcome:
    stage.execute("CREATE TEMP TABLE stage_before AS SELECT id, scoring, better, threshold FROM taxonomy_metric")
    stage.execute(
        f"UPDATE taxonomy_metric o SET is_overall = false FROM ({METRICS_TO_BE}) m "
        "WHERE m.id = o.id AND o.is_overall AND NOT m.is_overall"
    )
    source = f"(SELECT t.*, m.is_overall, m.journey_id FROM stage_typed t JOIN ({METRICS_TO_BE}) m USING (no))"
    plain = ("name", "name_fr", "kind", "scale_min", "scale_max", "threshold", "unit_label", "better")
    nps = "CASE WHEN t.scoring = 'nps' THEN {} END"
    scale = {"scale_min": nps.format(0), "scale_max": nps.format(10)}
    new, changed = merge(
        stage,
        table="taxonomy_metric",
        match=SAME_CODE,
        columns=[
            CODE,
            *(column_of(one, default=scale.get(one.name, "NULL")) for one in METRICS.fields if one.name in plain),
            Column(name="scoring", given="t.scoring", default="'value'", cleared="t.scoring_clear"),
            Column(name="touchpoint_id", given="t.touchpoint", cleared="t.touchpoint_clear"),
            Column(name="journey_id", given="t.journey_id"),
            Column(name="is_overall", given="t.is_overall"),
        ],
        source=source,
    )
    redefined = stage.rows(
        "SELECT m.id FROM taxonomy_metric m JOIN stage_before b USING (id) "
        "WHERE (m.scoring, m.better, m.threshold) IS DISTINCT FROM (b.scoring, b.better, b.threshold) "
        "ORDER BY m.id"
    )
    stage.execute("DROP TABLE stage_before")
    return Outcome(accepted=len(new), corrected=len(changed), changed=tuple(row[0] for row in redefined))


METRICS = ImportKind(
    name="metrics",
    fields=(
        Field(name="code", type=Type.CODE, is_required=True),
        Field(name="name", is_required=True),
        Field(name="name_fr"),
        Field(name="kind", type=Type.CHOICE, choices=tuple(Metric.Kind.values), is_required=True),
        Field(name="touchpoint", type=Type.REFERENCE, reference=TOUCHPOINT),
        Field(name="better", type=Type.CHOICE, choices=tuple(Metric.Better.values), is_required=True),
        Field(name="scoring", type=Type.CHOICE, choices=tuple(Metric.Scoring.values)),
        Field(name="scale_min", type=Type.DECIMAL),
        Field(name="scale_max", type=Type.DECIMAL),
        Field(name="threshold", type=Type.DECIMAL),
        Field(name="unit_label", max_length=40),
        Field(name="overall", type=Type.BOOLEAN),
        Field(name="journey", max_length=64),
    ),
    key=("code",),
    check=_check_metrics,
    apply=_apply_metrics,
    messages={
        "share_threshold": _("A share needs a threshold. Fill in “threshold”, or choose another scoring."),
        "empty_scale": _("The scale ends where it begins or before. Correct “scale_min” or “scale_max”."),
        "unknown_journey": _(
            "No journey is called “%(value)s”. Import its touchpoints first, or correct the code."
        ),
        "overall_journey": _(
            "It is not known of which journey this is the outcome. Name a touchpoint, or the journey."
        ),
        "overall_taken": _(
            "The journey's outcome is already %(detail)s. Set “overall” to false in one of the two."
        ),
    },
)


def _check_challenges(stage: Stage) -> None:
    reject_impossible_parents(
        stage,
        # What stands under a merged challenge stands under the one that took it in.
        parents="SELECT lower(c.code), lower(above.code) FROM taxonomy_challenge c "
        "LEFT JOIN taxonomy_challenge above ON above.id = COALESCE(c.merged_into_id, c.parent_id)",
    )
    stage.reject(
        """
        SELECT no, 'aliases', 'too_long', label, '300'
        FROM stage_typed, unnest(aliases) label WHERE char_length(label) > 300
        """
    )
    stage.reject(
        f"""
        SELECT t.no, 'aliases', 'alias_taken', a.label, c.code
        FROM stage_typed t CROSS JOIN unnest(t.aliases) named (label)
        JOIN taxonomy_alias a ON a.source = '{ANY_SOURCE}' AND lower(a.label) = lower(named.label)
        JOIN taxonomy_challenge c ON c.id = a.challenge_id WHERE lower(c.code) <> lower(t.code)
        """
    )
    stage.reject(
        """
        SELECT no, 'aliases', 'alias_taken', label, first FROM (
            SELECT t.no, label, t.code, first_value(t.code) OVER (PARTITION BY lower(label) ORDER BY t.no) AS first
            FROM stage_typed t CROSS JOIN unnest(t.aliases) label
        ) named WHERE code <> first
        """
    )


def _apply_challenges(stage: Stage) -> Outcome:
    lock_taxonomy()
    new, changed = merge(
        stage,
        table="taxonomy_challenge",
        match=SAME_CODE,
        columns=[
            CODE,
            *(
                column_of(one)
                for one in CHALLENGES.fields
                if one.name in ("name", "name_fr", "description", "description_fr")
            ),
            Column(name="severity", given="t.severity", default="3", cleared="t.severity_clear"),
            Column(name="touchpoint_id", given="t.touchpoint", cleared="t.touchpoint_clear"),
            Column(name="metric_id", given="t.metric", cleared="t.metric_clear"),
            Column(name="path", given="''", is_kept=True),
        ],
    )
    moved = stage.rows(
        """
        UPDATE taxonomy_challenge c SET parent_id = above.id FROM stage_typed t
        LEFT JOIN (SELECT lower(code) AS key, COALESCE(merged_into_id, id) AS id FROM taxonomy_challenge) above
            ON above.key = lower(t.parent)
        WHERE lower(c.code) = lower(t.code) AND (t.parent IS NOT NULL OR t.parent_clear)
            AND c.merged_into_id IS NULL AND c.parent_id IS DISTINCT FROM above.id RETURNING c.id
        """
    )
    refresh_paths(table="taxonomy_challenge", parents="SELECT id, parent_id FROM taxonomy_challenge")
    renamed = stage.rows(
        f"""
        WITH wanted AS (
            SELECT c.id, t.aliases FROM stage_typed t JOIN taxonomy_challenge c ON lower(c.code) = lower(t.code)
            WHERE t.aliases IS NOT NULL
        ), gone AS (
            DELETE FROM taxonomy_alias a USING wanted w WHERE a.challenge_id = w.id AND a.source = '{ANY_SOURCE}'
                AND NOT EXISTS (
                    SELECT 1 FROM unnest(w.aliases) named (label) WHERE lower(named.label) = lower(a.label))
            RETURNING a.challenge_id
        ), added AS (
            INSERT INTO taxonomy_alias (source, label, challenge_id)
            SELECT DISTINCT ON (lower(named.label)) '{ANY_SOURCE}', named.label, w.id
            FROM wanted w CROSS JOIN unnest(w.aliases) named (label)
            WHERE NOT EXISTS (SELECT 1 FROM taxonomy_alias a
                WHERE a.source = '{ANY_SOURCE}' AND lower(a.label) = lower(named.label))
            RETURNING challenge_id
        )
        SELECT challenge_id FROM gone UNION SELECT challenge_id FROM added
        """
    )
    touched = {row[0] for row in moved} | {row[0] for row in renamed} | set(changed)
    return Outcome(accepted=len(new), corrected=len(touched - set(new)))


CHALLENGES = ImportKind(
    name="challenges",
    fields=(
        Field(name="code", type=Type.CODE, is_required=True),
        Field(name="name", is_required=True),
        Field(name="name_fr"),
        Field(name="parent", type=Type.CODE),
        Field(name="touchpoint", type=Type.REFERENCE, reference=TOUCHPOINT),
        Field(name="metric", type=Type.REFERENCE, reference=METRIC),
        Field(name="description", max_length=20_000),
        Field(name="description_fr", max_length=20_000),
        Field(name="severity", type=Type.INTEGER, minimum=Decimal(1), maximum=Decimal(5)),
        Field(name="aliases", type=Type.LIST),
    ),
    key=("code",),
    check=_check_challenges,
    apply=_apply_challenges,
    messages={
        "unknown_parent": _("No challenge is called “%(value)s”. Add it to the file, or correct the parent."),
        "cycle": _("The challenges would contain themselves: %(detail)s. Give one of them another parent."),
        "alias_taken": _("“%(value)s” already stands for %(detail)s. Remove it from one of the two."),
    },
)


def _apply_aliases(stage: Stage) -> Outcome:
    new, changed = merge(
        stage,
        table="taxonomy_alias",
        match="lower(o.source) = lower(t.source) AND lower(o.label) = lower(t.label)",
        columns=[
            Column(name="source", given="t.source", is_kept=True),
            Column(name="label", given="t.label", is_kept=True),
            Column(name="challenge_id", given="t.challenge"),
        ],
    )
    return Outcome(accepted=len(new), corrected=len(changed))


ALIASES = ImportKind(
    name="aliases",
    fields=(
        Field(name="source", type=Type.CODE, is_required=True),
        Field(name="label", is_required=True, max_length=300),
        Field(name="challenge", type=Type.REFERENCE, reference=CHALLENGE, is_required=True),
    ),
    key=("source", "label"),
    apply=_apply_aliases,
    source_field="source",
)
