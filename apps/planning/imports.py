"""How files of actions and of events come in."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.accounts.imports import UNIT
from apps.core.fields import Field, Reference, Type
from apps.core.staging import Column, ImportKind, Outcome, Stage, column_of, literal, merge
from apps.library.imports import SOLUTION_OR_ALIAS, note_rejected_solutions
from apps.planning.models import Event
from apps.taxonomy.imports import CHALLENGE_OR_ALIAS, note_rejected_labels

EVERYWHERE = "*"
UNIT_OR_ALL = Reference(
    name="unit",
    label=_("unit"),
    # An event of the whole organisation names no unit; 0 stands for that while the file is checked.
    query=f"SELECT lower(code) AS key, id FROM accounts_unit UNION ALL SELECT '{EVERYWHERE}', 0",
    remedy=_("Import it with the units first, correct the code, or write * for all units."),
)


def _check_actions(stage: Stage) -> None:
    stage.reject(
        """
        SELECT t.no, 'ended_on', 'ends_before_start', COALESCE(t.ended_on, o.ended_on)::text, '' FROM stage_typed t
        LEFT JOIN planning_action o ON lower(o.external_id) = lower(t.external_id)
        WHERE NOT t.ended_on_clear AND COALESCE(t.ended_on, o.ended_on) <= t.effective_on
        """
    )


def _apply_actions(stage: Stage) -> Outcome:
    note_rejected_labels(stage, source=stage.source or ACTIONS.name)
    note_rejected_solutions(stage, source=stage.source or ACTIONS.name)
    day = f"{literal(stage.day.isoformat())}::date"
    # The target metric is frozen when the action takes effect; another challenge is another target.
    source = f"""
        (SELECT a.*, CASE WHEN a.final_end <= {day} THEN 'stopped'
                WHEN a.standing IN ('applied', 'sustained') THEN a.standing
                ELSE 'applied' END AS new_state,
            CASE WHEN a.target IS NULL OR a.old_challenge <> a.challenge THEN c.metric_id
                ELSE a.target END AS new_target
         FROM (SELECT t.*, old.state AS standing, old.target_metric_id AS target,
                old.challenge_id AS old_challenge,
                CASE WHEN t.ended_on_clear THEN NULL ELSE COALESCE(t.ended_on, old.ended_on) END AS final_end,
                u.id AS owner_id,
                CASE WHEN u.id IS NULL THEN t.owner WHEN t.owner IS NOT NULL THEN '' END AS owner_label
             FROM stage_typed t LEFT JOIN planning_action old ON lower(old.external_id) = lower(t.external_id)
             LEFT JOIN accounts_user u ON lower(u.email) = lower(t.owner)) a
         JOIN taxonomy_challenge c ON c.id = a.challenge)
    """
    new, changed = merge(
        stage,
        table="planning_action",
        match="lower(o.external_id) = lower(t.external_id)",
        columns=[
            Column(name="external_id", given="t.external_id", is_kept=True),
            Column(name="unit_id", given="t.unit"),
            Column(name="challenge_id", given="t.challenge"),
            Column(name="target_metric_id", given="t.new_target", cleared="t.new_target IS NULL"),
            Column(name="state", given="t.new_state"),
            *(column_of(one) for one in ACTIONS.fields if one.name in ("planned_on", "effective_on", "ended_on")),
            Column(name="owner_id", given="t.owner_id", cleared="t.owner IS NOT NULL AND t.owner_id IS NULL"),
            Column(name="owner_label", given="t.owner_label", default="''"),
            Column(name="cost", given="round(t.cost, 2)", cleared="t.cost_clear"),
            Column(name="note", given="t.note", default="''"),
            Column(name="is_randomised", given="t.randomised", default="false", cleared="t.randomised_clear"),
            Column(name="stop_reason", given="''", is_kept=True),
        ],
        source=source,
        stamps=True,
    )
    touched = set(changed) | set(_apply_solutions(stage))
    stage.execute(
        """
        INSERT INTO library_solutionlink (challenge_id, solution_id, rationale, is_seen_in_use)
        SELECT DISTINCT t.challenge, solution, '', true FROM stage_typed t CROSS JOIN unnest(t.solutions) solution
        ON CONFLICT (challenge_id, solution_id) DO NOTHING
        """
    )
    return Outcome(accepted=len(new), corrected=len(touched - set(new)))


def _apply_solutions(stage: Stage) -> list[int]:
    """Give each action the solutions of its row; a version once applied stays. Ids of the actions that changed."""
    rows = stage.rows(
        """
        WITH wanted AS (
            SELECT a.id, t.solutions, t.fidelity, t.fidelity_clear FROM stage_typed t
            JOIN planning_action a ON lower(a.external_id) = lower(t.external_id)
        ), gone AS (
            DELETE FROM planning_actionsolution s USING wanted w, library_solutionversion v
            WHERE s.action_id = w.id AND v.id = s.version_id AND NOT v.solution_id = ANY(w.solutions)
            RETURNING s.action_id
        ), graded AS (
            UPDATE planning_actionsolution s SET fidelity = w.fidelity FROM wanted w, library_solutionversion v
            WHERE s.action_id = w.id AND v.id = s.version_id AND v.solution_id = ANY(w.solutions)
                AND (w.fidelity IS NOT NULL OR w.fidelity_clear) AND s.fidelity IS DISTINCT FROM w.fidelity
            RETURNING s.action_id
        ), added AS (
            INSERT INTO planning_actionsolution (action_id, version_id, dose, fidelity, adaptation)
            SELECT w.id, v.id, '', w.fidelity, '' FROM wanted w CROSS JOIN unnest(w.solutions) solution
            CROSS JOIN LATERAL (
                SELECT id FROM library_solutionversion WHERE solution_id = solution ORDER BY number DESC LIMIT 1
            ) v
            WHERE NOT EXISTS (
                SELECT 1 FROM planning_actionsolution s
                JOIN library_solutionversion applied ON applied.id = s.version_id
                WHERE s.action_id = w.id AND applied.solution_id = solution
            )
            RETURNING action_id
        )
        SELECT action_id FROM gone UNION SELECT action_id FROM graded UNION SELECT action_id FROM added
        """
    )
    return [row[0] for row in rows]


ACTIONS = ImportKind(
    name="actions",
    fields=(
        Field(name="external_id", type=Type.CODE, is_required=True),
        Field(name="unit", type=Type.REFERENCE, reference=UNIT, is_required=True),
        Field(name="challenge", type=Type.REFERENCE, reference=CHALLENGE_OR_ALIAS, is_required=True),
        Field(name="solutions", type=Type.REFERENCES, reference=SOLUTION_OR_ALIAS, is_required=True),
        Field(name="effective_on", type=Type.DATE, is_required=True),
        Field(name="ended_on", type=Type.DATE),
        Field(name="fidelity", type=Type.INTEGER, minimum=Decimal(0), maximum=Decimal(100)),
        Field(name="planned_on", type=Type.DATE),
        Field(name="owner"),
        Field(name="cost", type=Type.DECIMAL, minimum=Decimal(0)),
        Field(name="note", max_length=20_000),
        Field(name="randomised", type=Type.BOOLEAN),
    ),
    key=("external_id",),
    check=_check_actions,
    apply=_apply_actions,
    messages={"ends_before_start": _("The action would end before it took effect. Correct one of the two dates.")},
)


def _check_events(stage: Stage) -> None:
    stage.reject(
        "SELECT no, 'ends_on', 'ends_before_start', ends_on::text, '' FROM stage_typed WHERE ends_on < starts_on"
    )


def _apply_events(stage: Stage) -> Outcome:
    new, changed = merge(
        stage,
        table="planning_event",
        match="o.unit_id IS NOT DISTINCT FROM NULLIF(t.unit, 0) AND o.starts_on = t.starts_on AND o.name = t.name",
        columns=[
            Column(name="unit_id", given="NULLIF(t.unit, 0)", is_kept=True),
            Column(name="starts_on", given="t.starts_on", is_kept=True),
            Column(name="name", given="t.name", is_kept=True),
            Column(name="ends_on", given="t.ends_on", cleared="t.ends_on_clear"),
            Column(name="kind", given="t.kind", default="'other'", cleared="t.kind_clear"),
        ],
    )
    return Outcome(accepted=len(new), corrected=len(changed))


EVENTS = ImportKind(
    name="events",
    fields=(
        Field(name="unit", type=Type.REFERENCE, reference=UNIT_OR_ALL, is_required=True),
        Field(name="starts_on", type=Type.DATE, is_required=True),
        Field(name="name", is_required=True),
        Field(name="ends_on", type=Type.DATE),
        Field(name="kind", type=Type.CHOICE, choices=tuple(Event.Kind.values)),
    ),
    key=("unit", "starts_on", "name"),
    check=_check_events,
    apply=_apply_events,
    messages={"ends_before_start": _("The event would end before it starts. Correct one of the two dates.")},
)
