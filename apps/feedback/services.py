"""Keeps the weekly cells equal to the scores they stand for."""

from django.db import connection, transaction

from apps.accounts.models import User
from apps.accounts.services import record
from apps.taxonomy.models import Metric

# One import of feedback, or one rebuild, at a time: the old value of a score is read before it is replaced.
LOCK = 7_301_001


def lock_cells() -> None:
    """Wait until nobody else changes scores and cells; lasts to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def scored(value: str, metric: str) -> str:
    """The SQL of the number whose mean is the metric, from the value of an answer."""
    return f"""(CASE {metric}.scoring
        WHEN 'value' THEN {value}
        WHEN 'share' THEN CASE WHEN CASE {metric}.better WHEN 'higher' THEN {value} >= {metric}.threshold
            ELSE {value} <= {metric}.threshold END THEN 100 ELSE 0 END
        ELSE CASE WHEN {value} >= 9 THEN 100 WHEN {value} >= 7 THEN 0 ELSE -100 END END)"""


def sums(relation: str, *, sign: int = 1, has_weights: bool = True) -> str:
    """A query of weekly sums (as in Cell) over `relation`, which gives unit_id, metric_id, week, weight, value.

    Without weights all of them are 1, whatever the column says, and half the arithmetic is saved.
    """
    answer = scored("a.value", "m")
    weight = "sum(weight)" if has_weights else "count(*)::numeric"
    squares = "sum(weight * weight)" if has_weights else "count(*)::numeric"
    times = "weight * " if has_weights else ""
    return f"""
        SELECT unit_id, metric_id, week, {sign} * n AS n, {sign} * weight AS weight,
            {sign} * weight_squares AS weight_squares, {sign} * total AS total, {sign} * squares AS squares
        FROM (
            SELECT unit_id, metric_id, week, count(*) AS n, {weight} AS weight, {squares} AS weight_squares,
                sum({times}answer) AS total, sum({times}answer * answer) AS squares
            FROM (
                SELECT a.unit_id, a.metric_id, a.week, a.weight, {answer}::numeric AS answer
                FROM {relation} a JOIN taxonomy_metric m ON m.id = a.metric_id
            ) answers
            GROUP BY unit_id, metric_id, week
        ) weeks
    """


def add_to_cells(*queries: str) -> None:
    """Add the sums of all `queries` (each as from `sums`) to the cells, and tell whoever measures.

    The caller holds `lock_cells`. Series are locked in the order of metric and unit.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS cell_changes")
        cursor.execute(
            f"""
            CREATE TEMP TABLE cell_changes AS
            SELECT unit_id, metric_id, week, sum(n)::bigint AS n, sum(weight) AS weight,
                sum(weight_squares) AS weight_squares, sum(total) AS total, sum(squares) AS squares
            FROM ({" UNION ALL ".join(queries)}) parts
            GROUP BY unit_id, metric_id, week
            HAVING (sum(n), sum(weight), sum(weight_squares), sum(total), sum(squares)) <> (0, 0, 0, 0, 0)
            """
        )
        cursor.execute("ANALYZE cell_changes")
        cursor.execute(
            """
            INSERT INTO feedback_series (unit_id, metric_id, revision)
            SELECT DISTINCT unit_id, metric_id, 0 FROM cell_changes ORDER BY metric_id, unit_id
            ON CONFLICT (unit_id, metric_id) DO NOTHING
            """
        )
        cursor.execute(
            """
            SELECT 1 FROM feedback_series s
            WHERE EXISTS (SELECT 1 FROM cell_changes c WHERE c.unit_id = s.unit_id AND c.metric_id = s.metric_id)
            ORDER BY s.metric_id, s.unit_id FOR UPDATE
            """
        )
        cursor.execute(
            """
            UPDATE feedback_series s SET revision = revision + 1
            FROM (SELECT DISTINCT unit_id, metric_id FROM cell_changes) c
            WHERE c.unit_id = s.unit_id AND c.metric_id = s.metric_id
            """
        )
        same = "c.metric_id = o.metric_id AND c.unit_id = o.unit_id AND c.week = o.week"
        cursor.execute(f"DELETE FROM feedback_cell o USING cell_changes c WHERE {same} AND o.n + c.n = 0")
        sums_of = "n, weight, weight_squares, total, squares"
        added = ", ".join(f"{name} = o.{name} + {{0}}.{name}" for name in sums_of.split(", "))
        # What only takes away finds its cell there; what adds may be the first of its week.
        cursor.execute(
            f"UPDATE feedback_cell o SET {added.format('c')} FROM cell_changes c "
            f"WHERE {same} AND (c.n <= 0 OR c.weight <= 0)"
        )
        cursor.execute(
            f"""
            INSERT INTO feedback_cell AS o (unit_id, metric_id, week, {sums_of})
            SELECT unit_id, metric_id, week, {sums_of} FROM cell_changes WHERE n > 0 AND weight > 0
            ON CONFLICT (metric_id, unit_id, week) DO UPDATE SET {added.format("excluded")}
            """
        )
        cursor.execute("DROP TABLE cell_changes")


@transaction.atomic
def rebuild_cells(*, metric: Metric, actor: User | None) -> None:
    """Compute every cell of `metric` from its scores, as after a change of how answers are scored."""
    lock_cells()
    add_to_cells(
        sums(
            f"""(SELECT r.unit_id, s.metric_id, r.week, r.weight, s.value FROM feedback_score s
                JOIN feedback_response r ON r.id = s.response_id WHERE s.metric_id = {int(metric.pk)})"""
        ),
        f"""
        SELECT unit_id, metric_id, week, -n::bigint, -weight, -weight_squares, -total, -squares
        FROM feedback_cell WHERE metric_id = {int(metric.pk)}
        """,
    )
    record(event="feedback.cells.rebuilt", actor=actor, subject=metric)
