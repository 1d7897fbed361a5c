"""Stores checked feedback: new responses, corrections of old ones, and the cells of both."""

from apps.core.staging import Outcome, Stage
from apps.feedback.customers import digest_keys, digest_sql
from apps.feedback.services import add_to_cells, lock_cells, sums

# Optional texts of a response; NULL in a typed row means "not given".
TEXTS = ("segment", "channel", "language", "comment")
SOURCE = "JOIN stage_sources src ON src.key = lower(t.source)"


def apply_feedback(stage: Stage) -> Outcome:
    lock_cells()
    is_known = _find_sources(stage)
    answers = [int(one.name.removeprefix("answer_")) for one in stage.extra if one.name.startswith("answer_")]
    _create_responses(stage, is_known=is_known)
    _create_scores(stage, answers)
    if not is_known:
        _insert_new(stage)
        add_to_cells(sums(NEW_ANSWERS))
        return Outcome(accepted=stage.number("SELECT count(*) FROM stage_typed"), corrected=0)
    return _apply_over_known(stage, is_long=not answers)


NEW_ANSWERS = """(
    SELECT r.unit AS unit_id, s.metric_id, r.week, COALESCE(r.weight, 1) AS weight, s.value
    FROM stage_scores s JOIN stage_responses r USING (rid) WHERE r.is_new
)"""
STORED_ANSWERS = """(
    SELECT r.unit_id, s.metric_id, r.week, r.weight, s.value FROM feedback_score s
    JOIN feedback_response r ON r.id = s.response_id WHERE r.id IN (SELECT rid FROM stage_touched)
)"""


def _find_sources(stage: Stage) -> bool:
    """Name the sources of the file; whether any of them has responses already."""
    stage.execute(
        """
        INSERT INTO feedback_source (code) SELECT DISTINCT ON (lower(source)) source FROM stage_typed t
        WHERE NOT EXISTS (SELECT 1 FROM feedback_source s WHERE lower(s.code) = lower(t.source))
        ORDER BY lower(source)
        """
    )
    stage.execute(
        "DROP TABLE IF EXISTS stage_sources, stage_responses, stage_scores, "
        "stage_changed, stage_edits, stage_score_edits, stage_touched, stage_old"
    )
    stage.execute(
        """
        CREATE TEMP TABLE stage_sources AS SELECT lower(code) AS key, id FROM feedback_source
        WHERE lower(code) IN (SELECT DISTINCT lower(source) FROM stage_typed)
        """
    )
    return bool(
        stage.rows("SELECT 1 FROM feedback_response WHERE source_id IN (SELECT id FROM stage_sources) LIMIT 1")
    )


def _create_responses(stage: Stage, *, is_known: bool) -> None:
    """One row for each response of the file, with the id it has or will have."""
    optional = ["customer", *TEXTS, "challenge"]
    if stage.is_single:
        texts = ", ".join(f"t.{name}" for name in optional)
        incoming = f"""
            SELECT t.no, t.rid, src.id AS source_id, t.external_id, t.unit, t.occurred_at, t.week,
                t.weight, t.weight_clear, {texts} FROM stage_typed t {SOURCE}
        """
    else:
        texts = ", ".join(
            f"(array_agg(t.{name} ORDER BY t.no) FILTER (WHERE t.{name} IS NOT NULL))[1] AS {name}"
            if stage.has(name)
            else f"NULL::text AS {name}"
            for name in optional
        )
        incoming = f"""
            SELECT min(t.no) AS no, min(t.rid) AS rid, src.id AS source_id, t.external_id, min(t.unit) AS unit,
                min(t.occurred_at) AS occurred_at, min(t.week) AS week, min(t.weight) AS weight,
                bool_or(t.weight_clear) AS weight_clear, {texts}
            FROM stage_typed t {SOURCE} GROUP BY src.id, t.external_id
        """
    columns = (
        "n.no, n.source_id, n.external_id, n.unit, n.occurred_at, n.week, n.weight, n.weight_clear, "
        + ", ".join(f"n.{name}" for name in optional)
    )
    if is_known:
        joined = "LEFT JOIN feedback_response e ON e.source_id = n.source_id AND e.external_id = n.external_id"
        identity = "COALESCE(e.id, n.rid) AS rid, e.id IS NULL AS is_new"
    else:
        joined, identity = "", "n.rid, true AS is_new"
    stage.execute(
        f"CREATE TEMP TABLE stage_responses AS SELECT {identity}, {columns} FROM ({incoming}) n {joined}"
    )
    stage.execute("ANALYZE stage_responses")


def _create_scores(stage: Stage, answers: list[int]) -> None:
    """One row for each answer; a NULL value is one that is to be cleared."""
    same = "r.no = t.no" if stage.is_single else "r.source_id = src.id AND r.external_id = t.external_id"
    response = f"{'' if stage.is_single else SOURCE} JOIN stage_responses r ON {same}"
    if answers:
        values = ", ".join(f"({metric}, t.answer_{metric}, t.answer_{metric}_clear)" for metric in answers)
        query = f"""
            SELECT t.no, r.rid, r.is_new, a.metric_id::bigint, a.value FROM stage_typed t {response}
            CROSS JOIN LATERAL (VALUES {values}) a (metric_id, value, is_cleared)
            WHERE a.value IS NOT NULL OR (a.is_cleared AND NOT r.is_new)
        """
    else:
        query = f"SELECT t.no, r.rid, r.is_new, t.metric AS metric_id, t.value FROM stage_typed t {response}"
    stage.execute(f"CREATE TEMP TABLE stage_scores AS {query}")
    stage.execute("ANALYZE stage_scores")


def _insert_new(stage: Stage) -> None:
    inner, outer = digest_keys()
    texts = ", ".join(f"COALESCE({name}, '')" for name in TEXTS)
    digest = digest_sql("COALESCE(customer, '')") if stage.has("customer") else "''"
    stage.execute(
        f"""
        INSERT INTO feedback_response (id, source_id, external_id, unit_id, occurred_at, week, customer_digest,
            weight, {", ".join(TEXTS)})
        SELECT rid, source_id, external_id, unit, occurred_at, week, {digest}, COALESCE(weight, 1), {texts}
        FROM stage_responses WHERE is_new
        """,
        {"inner": inner, "outer": outer},
    )
    stage.execute(
        "INSERT INTO feedback_score (response_id, metric_id, value) "
        "SELECT rid, metric_id, value FROM stage_scores WHERE is_new"
    )
    if stage.has("challenge"):
        _code(stage, "r.is_new")


def _code(stage: Stage, condition: str) -> int:
    """Code the responses with the challenge their row names; how many codings that added."""
    return stage.execute(
        f"""
        INSERT INTO feedback_responsechallenge (response_id, challenge_id, origin)
        SELECT r.rid, c.challenge_id, c.origin FROM stage_responses r
        JOIN stage_sources src ON src.id = r.source_id
        JOIN stage_codings c ON c.source = src.key AND c.label = lower(r.challenge)
        WHERE {condition} ON CONFLICT (response_id, challenge_id) DO NOTHING
        """
    )


def _apply_over_known(stage: Stage, *, is_long: bool) -> Outcome:
    """Store what is new and correct what differs; untouched responses cost no write."""
    stage.execute("CREATE TEMP TABLE stage_changed (rid bigint PRIMARY KEY)")
    inner, outer = digest_keys()
    digest = digest_sql("r.customer")
    texts = [(name, f"COALESCE(r.{name}, e.{name})") for name in TEXTS]
    news = [
        ("unit_id", "r.unit"),
        ("occurred_at", "r.occurred_at"),
        ("week", "r.week"),
        ("weight", "CASE WHEN r.weight_clear THEN 1 ELSE COALESCE(r.weight, e.weight) END"),
        ("customer_digest", f"COALESCE({digest}, e.customer_digest)"),
        *texts,
    ]
    stage.execute(
        f"""
        CREATE TEMP TABLE stage_edits AS
        SELECT r.rid, {", ".join(f"{sql} AS {name}" for name, sql in news)},
            (e.unit_id, e.week, e.weight) IS DISTINCT FROM (r.unit, r.week, {news[3][1]}) AS is_moved
        FROM stage_responses r JOIN feedback_response e ON e.id = r.rid WHERE NOT r.is_new
            AND ({" OR ".join(f"e.{name} IS DISTINCT FROM {sql}" for name, sql in news)})
        """,
        {"inner": inner, "outer": outer},
    )
    stage.execute(
        """
        CREATE TEMP TABLE stage_score_edits AS
        SELECT s.no, s.rid, s.metric_id, s.value, o.value AS old FROM stage_scores s
        LEFT JOIN feedback_score o ON o.response_id = s.rid AND o.metric_id = s.metric_id
        WHERE NOT s.is_new AND o.value IS DISTINCT FROM s.value
        """
    )
    stage.execute("ANALYZE stage_edits")
    stage.execute("ANALYZE stage_score_edits")
    stage.execute(
        "CREATE TEMP TABLE stage_touched AS SELECT rid FROM stage_edits WHERE is_moved "
        "UNION SELECT rid FROM stage_score_edits"
    )
    stage.execute("ANALYZE stage_touched")
    # The sums as they were are worked out before anything changes, the sums as they are after.
    stage.execute(f"CREATE TEMP TABLE stage_old AS {sums(STORED_ANSWERS, sign=-1)}")
    stage.execute(
        f"UPDATE feedback_response e SET {', '.join(f'{name} = n.{name}' for name, _sql in news)} "
        "FROM stage_edits n WHERE n.rid = e.id"
    )
    stage.execute(
        "DELETE FROM feedback_score o USING stage_score_edits n "
        "WHERE o.response_id = n.rid AND o.metric_id = n.metric_id AND n.value IS NULL"
    )
    stage.execute(
        """
        INSERT INTO feedback_score (response_id, metric_id, value)
        SELECT rid, metric_id, value FROM stage_score_edits WHERE value IS NOT NULL
        ON CONFLICT (response_id, metric_id) DO UPDATE SET value = excluded.value
        """
    )
    recoded = _recode(stage) if stage.has("challenge") else []
    _insert_new(stage)
    add_to_cells("SELECT * FROM stage_old", sums(STORED_ANSWERS), sums(NEW_ANSWERS))
    return _counted(stage, is_long=is_long, recoded=recoded)


def _recode(stage: Stage) -> list[int]:
    """Replace the codings of known responses that name another challenge now; the ids of those responses."""
    wanted = """
        SELECT r.rid, c.challenge_id FROM stage_responses r JOIN stage_sources src ON src.id = r.source_id
        LEFT JOIN stage_codings c ON c.source = src.key AND c.label = lower(r.challenge)
        WHERE NOT r.is_new AND r.challenge IS NOT NULL
    """
    gone = stage.rows(
        f"""
        DELETE FROM feedback_responsechallenge o USING ({wanted}) w
        WHERE o.response_id = w.rid AND o.challenge_id IS DISTINCT FROM w.challenge_id RETURNING o.response_id
        """
    )
    missing = stage.rows(
        f"""
        SELECT w.rid FROM ({wanted}) w WHERE w.challenge_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM feedback_responsechallenge o
            WHERE o.response_id = w.rid AND o.challenge_id = w.challenge_id)
        """
    )
    _code(stage, "NOT r.is_new")
    return [row[0] for row in [*gone, *missing]]


def _counted(stage: Stage, *, is_long: bool, recoded: list[int]) -> Outcome:
    stage.execute("INSERT INTO stage_changed SELECT rid FROM stage_edits")
    stage.execute("INSERT INTO stage_changed SELECT unnest(%s::bigint[]) ON CONFLICT DO NOTHING", [recoded])
    if is_long:
        # The key of the long form is the answer: another metric of a known response is new.
        accepted = "s.is_new OR e.old IS NULL AND e.no IS NOT NULL"
        corrected = "NOT s.is_new AND (e.old IS NOT NULL OR e.no IS NULL AND c.rid IS NOT NULL)"
        query = f"""
            SELECT count(*) FILTER (WHERE {accepted}), count(*) FILTER (WHERE {corrected}) FROM stage_scores s
            LEFT JOIN stage_score_edits e ON e.no = s.no LEFT JOIN stage_changed c ON c.rid = s.rid
        """
    else:
        query = """
            SELECT count(*) FILTER (WHERE r.is_new), count(*) FILTER (WHERE NOT r.is_new AND
                (c.rid IS NOT NULL OR r.rid IN (SELECT rid FROM stage_score_edits))) FROM stage_responses r
            LEFT JOIN stage_changed c ON c.rid = r.rid
        """
    accepted_count, corrected_count = stage.rows(query)[0]
    return Outcome(accepted=accepted_count, corrected=corrected_count)
