"""Responses whose label for a challenge nobody knew when they came in: kept, and coded once somebody does."""

from dataclasses import dataclass

from django.db import connection, transaction

from apps.accounts.models import User
from apps.accounts.services import record
from apps.core.staging import Stage
from apps.taxonomy.models import Challenge, UnmappedLabel

# Responses coded in one transaction.
BATCH = 5_000
# What each label means today: a challenge of that code, else what its source, else what anybody calls it.
MEANING = """
    SELECT l.id AS label_id, l.coded_as_id, COALESCE(
        (SELECT c.id FROM taxonomy_challenge c WHERE lower(c.code) = lower(l.label)),
        (SELECT a.challenge_id FROM taxonomy_alias a WHERE lower(a.label) = lower(l.label)
            AND lower(a.source) IN (lower(l.source), '') ORDER BY a.source = '' LIMIT 1)
    ) AS challenge_id
    FROM taxonomy_unmappedlabel l
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """How far the coding of one label has come."""

    label: str
    challenge: str
    response_count: int
    is_done: bool


def keep_labels(stage: Stage, responses: str) -> list[int]:
    """Keep which responses of a file wait for a label to be mapped; the known responses for which that is new.

    `responses` is a relation with `rid`, `is_new`, `source_id` and `challenge`; `stage_codings` tells which
    labels are known.
    """
    # A label that stays the same keeps what it has become; another one takes its place.
    left = stage.rows(
        f"""
        DELETE FROM feedback_responselabel o USING ({responses_of(responses)}) r, taxonomy_unmappedlabel l
        WHERE o.response_id = r.rid AND l.id = o.label_id AND lower(l.label) <> r.label
        RETURNING o.response_id, o.label_id
        """
    )
    waiting = f"""
        SELECT r.rid, r.is_new, r.challenge, r.label, src.id AS source_id, source.code AS source
        FROM ({responses_of(responses)}) r JOIN stage_sources src ON src.id = r.source_id
        JOIN feedback_source source ON source.id = src.id
        JOIN stage_codings c ON c.source = src.key AND c.label = r.label WHERE c.challenge_id IS NULL
    """
    stage.keep("stage_waiting", waiting)
    stage.execute(
        """
        INSERT INTO taxonomy_unmappedlabel AS o
            (source, label, first_seen_at, last_seen_at, response_count, rejected_count, is_ignored)
        SELECT min(source), min(challenge), now(), now(), 0, 0, false
        FROM stage_waiting GROUP BY lower(source), label
        ON CONFLICT (lower(source), lower(label)) DO UPDATE
        SET last_seen_at = excluded.last_seen_at, coded_as_id = NULL
        """
    )
    kept = stage.rows(
        """
        INSERT INTO feedback_responselabel AS o (response_id, label_id, coded_as_id)
        SELECT w.rid, l.id, NULL FROM stage_waiting w
        JOIN taxonomy_unmappedlabel l ON lower(l.source) = lower(w.source) AND lower(l.label) = w.label
        ON CONFLICT (response_id) DO NOTHING RETURNING response_id, label_id
        """
    )
    _count({row[1] for row in [*left, *kept]})
    known = {row[0] for row in stage.rows("SELECT rid FROM stage_waiting WHERE NOT is_new")}
    return sorted({row[0] for row in kept} & known)


def responses_of(responses: str) -> str:
    return f"SELECT r.*, lower(r.challenge) AS label FROM {responses} r WHERE r.challenge IS NOT NULL"


def labels_to_code() -> list[int]:
    """Labels whose responses are not coded as the label is understood today."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT label_id FROM ({MEANING}) m WHERE coded_as_id IS DISTINCT FROM challenge_id ORDER BY label_id"
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def code_label(*, label_id: int, actor: User | None) -> Coded | None:
    """Code the next responses of a label with what it means today, or take a coding back that holds no more.

    Safe to repeat and to interrupt: what is done is done, what is left is found again.
    """
    label = UnmappedLabel.objects.select_for_update(skip_locked=True).filter(pk=label_id).first()
    if label is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT challenge_id FROM ({MEANING} WHERE l.id = %s) m", [label_id])
        challenge_id: int | None = cursor.fetchone()[0]
        cursor.execute(
            """
            WITH due AS (
                SELECT response_id, coded_as_id FROM feedback_responselabel
                WHERE label_id = %(label)s AND coded_as_id IS DISTINCT FROM %(challenge)s::bigint
                ORDER BY response_id LIMIT %(most)s FOR UPDATE
            ), gone AS (
                DELETE FROM feedback_responsechallenge o USING due
                WHERE o.response_id = due.response_id AND o.challenge_id = due.coded_as_id AND o.origin = 'alias'
            ), added AS (
                INSERT INTO feedback_responsechallenge (response_id, challenge_id, origin)
                SELECT response_id, %(challenge)s::bigint, 'alias' FROM due WHERE %(challenge)s::bigint IS NOT NULL
                ON CONFLICT (response_id, challenge_id) DO NOTHING
            )
            UPDATE feedback_responselabel l SET coded_as_id = %(challenge)s::bigint FROM due
            WHERE l.response_id = due.response_id
            """,
            {"label": label_id, "challenge": challenge_id, "most": BATCH},
        )
        count: int = cursor.rowcount
    is_done = count < BATCH
    if is_done and label.coded_as_id != challenge_id:
        label.coded_as_id = challenge_id
        label.save(update_fields=["coded_as"])
    challenge = Challenge.objects.filter(pk=challenge_id).first() if challenge_id is not None else None
    code = challenge.code if challenge is not None else ""
    if count:
        record(
            event="feedback.label.coded", actor=actor, subject=label, data={"challenge": code, "responses": count}
        )
    return Coded(label=label.label, challenge=code, response_count=count, is_done=is_done)


def _count(label_ids: set[int]) -> None:
    """Bring the counts of these labels in line with the responses that carry them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE taxonomy_unmappedlabel l SET response_count = (
                SELECT count(*) FROM feedback_responselabel r WHERE r.label_id = l.id
            ) WHERE l.id = ANY(%s)
            """,
            [sorted(label_ids)],
        )
