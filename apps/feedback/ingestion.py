"""Stores checked feedback: new responses, corrections of old ones, and the cells of both."""

from dataclasses import dataclass

from apps.core.staging import Outcome, Stage
from apps.feedback.coding import keep_labels
from apps.feedback.customers import digest_keys, digest_sql
from apps.feedback.services import add_to_cells, lock_cells, sums

# Optional texts of a response; NULL in a typed row means "not given".
TEXTS = ("segment", "channel", "language", "comment")
GIVEN = ("customer", *TEXTS, "challenge")
STORED_ANSWERS = """(
    SELECT r.unit_id, s.metric_id, r.week, r.weight, s.value FROM stage_touched t
    JOIN feedback_response r ON r.id = t.rid JOIN feedback_score s ON s.response_id = t.rid
)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What the file says, as SQL relations.

    `responses` has one row for each response, with the id `rid` it has or will have; `scores` one for each answer,
    with a NULL value when it is to be cleared.
    """

    responses: str
    scores: str
    is_long: bool

    @property
    def new_answers(self) -> str:
        return (
            "(SELECT unit AS unit_id, metric_id, week, COALESCE(weight, 1) AS weight, value "
            f"FROM {self.scores} s WHERE is_new)"
        )


def apply_feedback(stage: Stage) -> Outcome:
    lock_cells()
    is_known = _find_sources(stage)
    file = _read_file(stage, is_known=is_known)
    if is_known:
        return _apply_over_known(stage, file)
    _insert_new(stage, file)
    if stage.has("challenge"):
        keep_labels(stage, file.responses)
    add_to_cells(sums(file.new_answers, has_weights=stage.has("weight")))
    return Outcome(accepted=stage.number("SELECT count(*) FROM stage_typed"), corrected=0)


def _find_sources(stage: Stage) -> bool:
    """Name the sources of the file; whether any of them has responses already."""
    stage.keep("stage_named", "SELECT DISTINCT source FROM stage_typed")
    stage.execute(
        """
        INSERT INTO feedback_source (code) SELECT min(source) FROM stage_named t
        WHERE NOT EXISTS (SELECT 1 FROM feedback_source s WHERE lower(s.code) = lower(t.source))
        GROUP BY lower(source)
        """
    )
    stage.keep(
        "stage_sources",
        "SELECT lower(code) AS key, id FROM feedback_source "
        "WHERE lower(code) IN (SELECT lower(source) FROM stage_named)",
    )
    return bool(
        stage.rows("SELECT 1 FROM feedback_response WHERE source_id IN (SELECT id FROM stage_sources) LIMIT 1")
    )


def _source_join(stage: Stage) -> str:
    """How typed rows `t` find their source; where there is only one, nothing is compared."""
    is_one = stage.number("SELECT count(*) FROM stage_sources") == 1
    return "CROSS JOIN stage_sources src" if is_one else "JOIN stage_sources src ON src.key = lower(t.source)"


def _read_file(stage: Stage, *, is_known: bool) -> _File:
    source = _source_join(stage)
    metrics = [int(one.name.removeprefix("answer_")) for one in stage.extra if one.name.startswith("answer_")]
    responses = _responses(stage, source, is_known=is_known)
    if stage.is_single and not is_known:
        # Each row is a new response of its own: nothing has to be matched, so nothing needs to be kept.
        scores = _scores(metrics, response="", is_new="true", rid="t.rid", of="t")
        return _File(responses=f"({responses})", scores=f"({scores})", is_long=not metrics)
    stage.keep("stage_responses", responses)
    same = "r.no = t.no" if stage.is_single else "r.source_id = src.id AND r.external_id = t.external_id"
    join = f"{'' if stage.is_single else source} JOIN stage_responses r ON {same}"
    stage.keep("stage_scores", _scores(metrics, response=join, is_new="r.is_new", rid="r.rid", of="r"))
    return _File(responses="stage_responses", scores="stage_scores", is_long=not metrics)


def _responses(stage: Stage, source: str, *, is_known: bool) -> str:
    if stage.is_single:
        texts = ", ".join(f"t.{name}" for name in GIVEN)
        incoming = f"""
            SELECT t.no, t.rid, src.id AS source_id, t.external_id, t.unit, t.occurred_at, t.week,
                t.weight, t.weight_clear, {texts} FROM stage_typed t {source}
        """
    else:
        # Rows of one response may each give a part of it; the first that gives something counts.
        texts = ", ".join(
            f"(array_agg(t.{name} ORDER BY t.no) FILTER (WHERE t.{name} IS NOT NULL))[1] AS {name}"
            if stage.has(name)
            else f"NULL::text AS {name}"
            for name in GIVEN
        )
        incoming = f"""
            SELECT min(t.no) AS no, min(t.rid) AS rid, src.id AS source_id, t.external_id, min(t.unit) AS unit,
                min(t.occurred_at) AS occurred_at, min(t.week) AS week, min(t.weight) AS weight,
                bool_or(t.weight_clear) AS weight_clear, {texts}
            FROM stage_typed t {source} GROUP BY src.id, t.external_id
        """
    columns = ["no", "source_id", "external_id", "unit", "occurred_at", "week", "weight", "weight_clear", *GIVEN]
    identity, join = "n.rid, true AS is_new", ""
    if is_known:
        identity = "COALESCE(e.id, n.rid) AS rid, e.id IS NULL AS is_new"
        join = "LEFT JOIN feedback_response e ON e.source_id = n.source_id AND e.external_id = n.external_id"
    return f"SELECT {identity}, {', '.join(f'n.{name}' for name in columns)} FROM ({incoming}) n {join}"


def _scores(metrics: list[int], *, response: str, is_new: str, rid: str, of: str) -> str:
    shared = f"t.no, {rid} AS rid, {is_new} AS is_new, {of}.unit, {of}.week, {of}.weight"
    if not metrics:
        return f"SELECT {shared}, t.metric AS metric_id, t.value FROM stage_typed t {response}"
    values = ", ".join(f"({metric}, t.answer_{metric}, t.answer_{metric}_clear)" for metric in metrics)
    return f"""
        SELECT {shared}, a.metric_id::bigint, a.value FROM stage_typed t {response}
        CROSS JOIN LATERAL (VALUES {values}) a (metric_id, value, is_cleared)
        WHERE a.value IS NOT NULL OR (a.is_cleared AND NOT {is_new})
    """


def _insert_new(stage: Stage, file: _File) -> None:
    inner, outer = digest_keys()
    # What the file never gives is the same constant in every row.
    texts = ", ".join(f"COALESCE({name}, '')" if stage.has(name) else "''" for name in TEXTS)
    weight = "COALESCE(weight, 1)" if stage.has("weight") else "1"
    digest = digest_sql("COALESCE(customer, '')") if stage.has("customer") else "''"
    stage.execute(
        f"""
        INSERT INTO feedback_response (id, source_id, external_id, unit_id, occurred_at, week, customer_digest,
            weight, {", ".join(TEXTS)})
        SELECT rid, source_id, external_id, unit, occurred_at, week, {digest}, {weight}, {texts}
        FROM {file.responses} r WHERE is_new
        """,
        {"inner": inner, "outer": outer},
    )
    stage.execute(
        "INSERT INTO feedback_score (response_id, metric_id, value) "
        f"SELECT rid, metric_id, value FROM {file.scores} s WHERE is_new"
    )
    if stage.has("challenge"):
        _code(stage, file, "r.is_new")


def _code(stage: Stage, file: _File, condition: str) -> None:
    """Code the responses with the challenge that their row names."""
    stage.execute(
        f"""
        INSERT INTO feedback_responsechallenge (response_id, challenge_id, origin)
        SELECT r.rid, c.challenge_id, c.origin FROM {file.responses} r
        JOIN stage_sources src ON src.id = r.source_id
        JOIN stage_codings c ON c.source = src.key AND c.label = lower(r.challenge)
        WHERE {condition} AND c.challenge_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM feedback_responsechallenge o JOIN taxonomy_challenge old ON old.id = o.challenge_id
            WHERE o.response_id = r.rid AND old.merged_into_id = c.challenge_id)
        ON CONFLICT (response_id, challenge_id) DO NOTHING
        """
    )


def _apply_over_known(stage: Stage, file: _File) -> Outcome:
    """Store what is new and correct what differs; untouched responses cost no write."""
    inner, outer = digest_keys()
    weight = "CASE WHEN r.weight_clear THEN 1 ELSE COALESCE(r.weight, e.weight) END"
    news = {
        "unit_id": "r.unit",
        "occurred_at": "r.occurred_at",
        "week": "r.week",
        "weight": weight,
        "customer_digest": f"COALESCE({digest_sql('r.customer')}, e.customer_digest)",
        **{name: f"COALESCE(r.{name}, e.{name})" for name in TEXTS},
    }
    stage.keep(
        "stage_edits",
        f"""
        SELECT r.rid, {", ".join(f"{sql} AS {name}" for name, sql in news.items())},
            (e.unit_id, e.week, e.weight) IS DISTINCT FROM (r.unit, r.week, {weight}) AS is_moved
        FROM stage_responses r JOIN feedback_response e ON e.id = r.rid WHERE NOT r.is_new
            AND ({" OR ".join(f"e.{name} IS DISTINCT FROM {sql}" for name, sql in news.items())})
        """,
        {"inner": inner, "outer": outer},
    )
    stage.keep(
        "stage_score_edits",
        """
        SELECT s.no, s.rid, s.metric_id, s.value, o.value AS old FROM stage_scores s
        LEFT JOIN feedback_score o ON o.response_id = s.rid AND o.metric_id = s.metric_id
        WHERE NOT s.is_new AND o.value IS DISTINCT FROM s.value
        """,
    )
    stage.keep(
        "stage_touched", "SELECT rid FROM stage_edits WHERE is_moved UNION SELECT rid FROM stage_score_edits"
    )
    # The sums as they were are worked out before anything changes, the sums as they are after.
    stage.keep("stage_old", sums(STORED_ANSWERS, sign=-1))
    stage.execute(
        f"UPDATE feedback_response e SET {', '.join(f'{name} = n.{name}' for name in news)} "
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
    recoded = _recode(stage, file) if stage.has("challenge") else []
    _insert_new(stage, file)
    if stage.has("challenge"):
        recoded += keep_labels(stage, file.responses)
    add_to_cells("SELECT * FROM stage_old", sums(STORED_ANSWERS), sums(file.new_answers))
    return _counted(stage, file, recoded)


def _recode(stage: Stage, file: _File) -> list[int]:
    """Replace the codings of known responses that name another challenge now; the ids of those responses."""
    wanted = """
        SELECT r.rid, c.challenge_id FROM stage_responses r JOIN stage_sources src ON src.id = r.source_id
        LEFT JOIN stage_codings c ON c.source = src.key AND c.label = lower(r.challenge)
        WHERE NOT r.is_new AND r.challenge IS NOT NULL
    """
    # A coding with a challenge that was merged since stays where it was made.
    same = "w.challenge_id IN (old.id, old.merged_into_id)"
    gone = stage.rows(
        f"""
        DELETE FROM feedback_responsechallenge o USING ({wanted}) w, taxonomy_challenge old
        WHERE o.response_id = w.rid AND old.id = o.challenge_id AND ({same}) IS NOT TRUE RETURNING o.response_id
        """
    )
    missing = stage.rows(
        f"""
        SELECT w.rid FROM ({wanted}) w WHERE w.challenge_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM feedback_responsechallenge o JOIN taxonomy_challenge old ON old.id = o.challenge_id
            WHERE o.response_id = w.rid AND {same})
        """
    )
    _code(stage, file, "NOT r.is_new")
    return [row[0] for row in [*gone, *missing]]


def _counted(stage: Stage, file: _File, recoded: list[int]) -> Outcome:
    changed = "(SELECT rid FROM stage_edits UNION SELECT unnest(%s::bigint[]))"
    if file.is_long:
        # The key of the long form is the answer: another metric of a known response is new.
        query = f"""
            SELECT count(*) FILTER (WHERE s.is_new OR e.old IS NULL AND e.no IS NOT NULL),
                count(*) FILTER (WHERE NOT s.is_new AND (e.old IS NOT NULL OR e.no IS NULL AND c.rid IS NOT NULL))
            FROM stage_scores s LEFT JOIN stage_score_edits e ON e.no = s.no LEFT JOIN {changed} c ON c.rid = s.rid
        """
    else:
        query = f"""
            SELECT count(*) FILTER (WHERE r.is_new), count(*) FILTER (WHERE NOT r.is_new AND
                (c.rid IS NOT NULL OR r.rid IN (SELECT rid FROM stage_score_edits)))
            FROM stage_responses r LEFT JOIN {changed} c ON c.rid = r.rid
        """
    accepted, corrected = stage.rows(query, [recoded])[0]
    return Outcome(accepted=accepted, corrected=corrected)
