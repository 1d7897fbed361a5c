"""How files of feedback come in: which rows are answers, which repeat, which correct."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.imports import UNIT
from apps.core.blocks import FileRefused
from apps.core.fields import Field, Type
from apps.core.staging import ImportKind, Stage
from apps.feedback.ingestion import apply_feedback
from apps.taxonomy.imports import METRIC
from apps.taxonomy.models import Metric

# What an NPS question allows when the metric does not say.
NPS_SCALE = (Decimal(0), Decimal(10))
A_MONDAY = "date '0001-01-01'"
SCALED_METRIC = replace(
    METRIC,
    query=f"""SELECT lower(code) AS key, id,
        COALESCE(scale_min, CASE WHEN scoring = 'nps' THEN {NPS_SCALE[0]}::numeric END) AS low,
        COALESCE(scale_max, CASE WHEN scoring = 'nps' THEN {NPS_SCALE[1]}::numeric END) AS high
        FROM taxonomy_metric""",
    carries=("low", "high"),
)


def _answer_fields(columns: Sequence[str], _source: str) -> list[Field]:
    """The long form has a metric and a value in each row, the wide form a column for each metric."""
    if "metric" in columns or "value" in columns:
        return [
            Field(name="metric", type=Type.REFERENCE, reference=SCALED_METRIC, is_required=True),
            Field(
                name="value", type=Type.DECIMAL, is_required=True, bounded_by="metric", range_code="out_of_scale"
            ),
        ]
    declared = {one.header for one in FEEDBACK.fields}
    metrics = {metric.code.lower(): metric for metric in Metric.objects.all()}
    fields = [
        _wide_field(metrics[column], column) for column in columns if column in metrics and column not in declared
    ]
    if not fields:
        raise FileRefused(
            _("The file has no answers: there is neither “metric” and “value” nor a column named after a metric."),
            code="missing_column",
            line=1,
            field="metric",
            remedy=_("Add the columns metric and value, or one column for each metric with its code as header."),
        )
    return fields


def _wide_field(metric: Metric, column: str) -> Field:
    low, high = metric.scale_min, metric.scale_max
    if metric.scoring == Metric.Scoring.NPS:
        low, high = NPS_SCALE[0] if low is None else low, NPS_SCALE[1] if high is None else high
    return Field(
        name=f"answer_{metric.pk}",
        type=Type.DECIMAL,
        column=column,
        minimum=low,
        maximum=high,
        range_code="out_of_scale",
    )


def _check_feedback(stage: Stage) -> None:
    if stage.has("challenge"):
        _check_challenges(stage)
    _check_repeats(stage)


def _check_challenges(stage: Stage) -> None:
    """Find each named challenge by its code, or by what the source or anybody calls it; others wait."""
    stage.keep(
        "stage_codings",
        """
        SELECT DISTINCT ON (named.source, named.label) named.source, named.label,
            COALESCE(c.merged_into_id, c.id) AS challenge_id,
            CASE WHEN lower(c.code) = named.label THEN 'given' ELSE 'alias' END AS origin
        FROM (SELECT DISTINCT lower(source) AS source, lower(challenge) AS label
              FROM stage_typed WHERE challenge <> '') named
        LEFT JOIN taxonomy_alias a ON lower(a.label) = named.label AND lower(a.source) IN (named.source, '')
        LEFT JOIN taxonomy_challenge c ON lower(c.code) = named.label OR c.id = a.challenge_id
        ORDER BY named.source, named.label, lower(c.code) = named.label DESC NULLS LAST, a.source = '' NULLS LAST
        """,
    )
    unknown = stage.number("SELECT count(*) FROM stage_codings WHERE challenge_id IS NULL")
    if unknown:
        stage.notes.append(
            ngettext(
                "%(count)d label for a challenge is not known yet. Its responses came in. Say what it means under "
                "“Unmapped labels”, and they are coded.",
                "%(count)d labels for challenges are not known yet. Their responses came in. Say what they mean "
                "under “Unmapped labels”, and they are coded.",
                unknown,
            )
            % {"count": unknown}
        )


def _check_repeats(stage: Stage) -> None:
    """Find rows with the same key, and rows of one response that disagree about where or when it was."""
    is_long = stage.has("metric")
    rows = stage.number("SELECT count(*) FROM stage_typed")
    responses = stage.number(
        "SELECT count(*) FROM (SELECT 1 FROM stage_typed GROUP BY lower(source), external_id) k"
    )
    stage.is_single = rows == responses
    if stage.is_single:
        return
    key = "lower(source), external_id" + (", metric" if is_long else "")
    if is_long:
        same = "(value, unit, occurred_at) IS NOT DISTINCT FROM (first_value, first_unit, first_at)"
        firsts = (
            "first_value(value) OVER same AS first_value, first_value(unit) OVER same AS first_unit, "
            "first_value(occurred_at) OVER same AS first_at"
        )
    else:
        same = "to_jsonb(ranked) - '{no,rid,first,body,place}'::text[] = body"
        firsts = "first_value(to_jsonb(t) - '{no,rid}'::text[]) OVER same AS body"
    stage.execute(
        f"""
        CREATE TEMP TABLE stage_repeats AS SELECT no, first, {same} AS is_same FROM (
            SELECT t.*, first_value(no) OVER same AS first, row_number() OVER same AS place, {firsts}
            FROM stage_typed t WINDOW same AS (PARTITION BY {key} ORDER BY no)
        ) ranked WHERE place > 1
        """
    )
    stage.reject_repeats()
    if is_long:
        stage.reject(
            """
            SELECT t.no, 'external_id', 'duplicate_key', t.external_id, COALESCE(s.line, s.no + 1)::text
            FROM (
                SELECT no, external_id, unit, occurred_at, weight,
                    first_value(no) OVER same AS first, first_value(unit) OVER same AS first_unit,
                    first_value(occurred_at) OVER same AS first_at, first_value(weight) OVER same AS first_weight
                FROM stage_typed WINDOW same AS (PARTITION BY lower(source), external_id ORDER BY no)
            ) t JOIN stage_rows s ON s.no = t.first
            WHERE t.unit <> t.first_unit OR t.occurred_at <> t.first_at OR t.weight <> t.first_weight
            """
        )


FEEDBACK = ImportKind(
    name="feedback",
    fields=(
        Field(name="source", type=Type.CODE, is_required=True),
        Field(name="external_id", is_required=True),
        Field(name="unit", type=Type.REFERENCE, reference=UNIT, is_required=True),
        Field(name="occurred_at", type=Type.INSTANT, is_required=True, zone="r_unit.timezone"),
        Field(name="customer", max_length=500),
        Field(name="segment", max_length=100),
        Field(name="weight", type=Type.DECIMAL, minimum=Decimal("0.000001"), maximum=Decimal(10_000_000)),
        Field(name="channel", max_length=100),
        Field(name="language", max_length=10),
        Field(name="comment", max_length=100_000),
        Field(name="challenge", max_length=300),
    ),
    key=("external_id",),
    is_bulk=True,
    tables=("feedback_response", "feedback_score", "feedback_cell"),
    has_own_repeats=True,
    expand=_answer_fields,
    check=_check_feedback,
    apply=apply_feedback,
    computed={
        # Whole weeks since a Monday: cheaper than date_trunc.
        "week": f"{A_MONDAY} + ((x.occurred_at AT TIME ZONE x.unit_timezone)::date - {A_MONDAY}) / 7 * 7",
        # Every row gets an id of its own; rows of one response later agree on one of theirs.
        "rid": "nextval('feedback_response_id_seq')",
    },
    lock="feedback",
    source_field="source",
)
