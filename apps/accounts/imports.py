"""How files of units and of people come in."""

from collections.abc import Sequence
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User
from apps.accounts.services import refresh_unit_paths
from apps.core.fields import Field, Reference, Type
from apps.core.parents import reject_impossible_parents
from apps.core.staging import Column, ImportKind, Outcome, Stage, column_of, literal, merge

# Units whose opening is not known stood where they stand since before any answer.
LONG_AGO = "1900-01-01"
EMAIL_PATTERN = r"^[^@\s|]+@[^@\s|]+\.[^@\s|]+$"

UNIT = Reference(
    name="unit",
    label=_("unit"),
    query="SELECT lower(code) AS key, id, timezone FROM accounts_unit",
    remedy=_("Import it with the units first, or correct the code."),
    carries=("timezone",),
)


def _attribute_fields(columns: Sequence[str], _source: str) -> list[Field]:
    declared = {one.header for one in UNITS.fields}
    others = [column for column in columns if column and column not in declared]
    return [Field(name=f"attribute_{i}", column=column, max_length=2_000) for i, column in enumerate(others)]


def _check_units(stage: Stage) -> None:
    zones = [row[0] for row in stage.rows("SELECT DISTINCT timezone FROM stage_typed WHERE timezone <> ''")]
    served = {row[0] for row in stage.rows("SELECT name FROM pg_timezone_names")} if zones else set()
    known = available_timezones()
    wrong = [zone for zone in zones if zone not in known or zone not in served]
    if wrong:
        stage.reject(
            "SELECT no, 'timezone', 'unknown_timezone', timezone, '' FROM stage_typed WHERE timezone = ANY(%s)",
            [wrong],
        )
    stage.reject(
        """
        SELECT t.no, 'closed_on', 'closed_before_opened', '', '' FROM stage_typed t
        LEFT JOIN accounts_unit o ON lower(o.code) = lower(t.code)
        WHERE CASE WHEN t.closed_on_clear THEN NULL ELSE COALESCE(t.closed_on, o.closed_on) END
           <= CASE WHEN t.opened_on_clear THEN NULL ELSE COALESCE(t.opened_on, o.opened_on) END
        """
    )
    parents = f"""
        SELECT lower(unit.code), lower(above.code) FROM accounts_unit unit
        LEFT JOIN accounts_unitplacement p
            ON p.unit_id = unit.id AND p.valid @> {literal(stage.day.isoformat())}::date
        LEFT JOIN accounts_unit above ON above.id = p.parent_id
    """
    reject_impossible_parents(stage, parents=parents)


def _apply_units(stage: Stage) -> Outcome:
    pairs = "".join(
        f", {literal(stage.columns[one.header])}, NULLIF(NULLIF(s.{one.name}, ''), '\\N')" for one in stage.extra
    )
    cleared = [
        f"CASE WHEN s.{one.name} = '\\N' THEN {literal(stage.columns[one.header])} END" for one in stage.extra
    ]
    removed = f"array_remove(ARRAY[{', '.join(cleared)}]::text[], NULL)"
    given = f"jsonb_strip_nulls(jsonb_build_object({pairs.removeprefix(', ')}))"
    source = f"""
        (SELECT t.*, (COALESCE(old.attributes, '{{}}') || {given}) - {removed} AS new_attributes
         FROM stage_typed t JOIN stage_rows s USING (no)
         LEFT JOIN accounts_unit old ON lower(old.code) = lower(t.code))
    """
    new, changed = merge(
        stage,
        table="accounts_unit",
        match="lower(o.code) = lower(t.code)",
        columns=[
            Column(name="code", given="t.code", is_kept=True),
            *(column_of(one) for one in UNITS.fields if one.name in ("name", "name_fr", "kind", "region")),
            Column(name="timezone", given="NULLIF(t.timezone, '')", default="'UTC'", cleared="t.timezone = ''"),
            *(column_of(one) for one in UNITS.fields if one.name in ("opened_on", "closed_on")),
            Column(name="attributes", given="t.new_attributes"),
            Column(name="path", given="''", is_kept=True),
        ],
        source=source,
        stamps=True,
    )
    moved = _place(stage)
    return Outcome(accepted=len(new), corrected=len(set(changed) | (set(moved) - set(new))))


def _place(stage: Stage) -> list[int]:
    """Bring the placements in line with the parents of the file; ids of the units that got another."""
    day = f"{literal(stage.day.isoformat())}::date"
    stage.execute(
        f"""
        CREATE TEMP TABLE stage_moves AS
        SELECT unit.id AS unit_id, above.id AS parent_id,
            NOT EXISTS (SELECT 1 FROM accounts_unitplacement p WHERE p.unit_id = unit.id) AS is_first,
            LEAST(COALESCE(unit.opened_on, '{LONG_AGO}'), {day}) AS first_day
        FROM stage_typed t JOIN accounts_unit unit ON lower(unit.code) = lower(t.code)
        LEFT JOIN accounts_unit above ON lower(above.code) = lower(t.parent)
        LEFT JOIN accounts_unitplacement now ON now.unit_id = unit.id AND now.valid @> {day}
        WHERE now.id IS NULL
            OR ((t.parent IS NOT NULL OR t.parent_clear) AND now.parent_id IS DISTINCT FROM above.id)
        """
    )
    stage.execute(
        "DELETE FROM accounts_unitplacement p USING stage_moves m "
        f"WHERE p.unit_id = m.unit_id AND lower(p.valid) >= {day}"
    )
    stage.execute(
        f"UPDATE accounts_unitplacement p SET valid = daterange(lower(p.valid), {day}) "
        f"FROM stage_moves m WHERE p.unit_id = m.unit_id AND p.valid @> {day}"
    )
    moved = stage.rows(
        f"""
        INSERT INTO accounts_unitplacement (unit_id, parent_id, valid)
        SELECT unit_id, parent_id, daterange(CASE WHEN is_first THEN first_day ELSE {day} END, NULL)
        FROM stage_moves RETURNING unit_id
        """
    )
    stage.execute("DROP TABLE stage_moves")
    refresh_unit_paths(as_of=stage.day)
    return [row[0] for row in moved]


UNITS = ImportKind(
    name="units",
    fields=(
        Field(name="code", type=Type.CODE, is_required=True),
        Field(name="name", is_required=True),
        Field(name="name_fr"),
        Field(name="kind", max_length=64),
        Field(name="parent", type=Type.CODE),
        Field(name="region", max_length=100),
        Field(name="timezone", max_length=64),
        Field(name="opened_on", type=Type.DATE),
        Field(name="closed_on", type=Type.DATE),
    ),
    key=("code",),
    expand=_attribute_fields,
    check=_check_units,
    apply=_apply_units,
    messages={
        "unknown_timezone": _("“%(value)s” is no time zone. Write it as Europe/Paris."),
        "closed_before_opened": _("The unit would close before it opened. Correct one of the two dates."),
        "unknown_parent": _("No unit is called “%(value)s”. Add it to the file, or correct the parent."),
        "cycle": _("The units would contain themselves: %(detail)s. Give one of them another parent."),
    },
)


def _check_people(stage: Stage) -> None:
    stage.reject(
        f"SELECT no, 'email', 'bad_email', email, '' FROM stage_typed WHERE email !~ {literal(EMAIL_PATTERN)}"
    )


def _apply_people(stage: Stage) -> Outcome:
    # One person may stand in several rows, one for each unit; the last name and language given count.
    people = """
        (SELECT lower(email) AS email, min(no) AS no,
            (array_agg(name ORDER BY no DESC) FILTER (WHERE name IS NOT NULL))[1] AS name,
            (array_agg(language ORDER BY no DESC) FILTER (WHERE language IS NOT NULL))[1] AS language
         FROM stage_typed GROUP BY lower(email))
    """
    unusable = User(email="")
    unusable.set_unusable_password()
    _new_users, changed_users = merge(
        stage,
        table="accounts_user",
        match="lower(o.email) = t.email",
        columns=[
            Column(name="email", given="t.email", is_kept=True),
            Column(name="name", given="t.name", default="''"),
            Column(name="language", given="t.language", default="'en'"),
            Column(name="password", given=literal(unusable.password), is_kept=True),
            Column(name="is_active", given="true", is_kept=True),
            Column(name="is_staff", given="false", is_kept=True),
            Column(name="is_superuser", given="false", is_kept=True),
            Column(name="created_at", given="now()", is_kept=True),
        ],
        source=people,
    )
    new, changed = merge(
        stage,
        table="accounts_membership",
        match="o.user_id = t.user_id AND o.unit_id = t.unit",
        columns=[
            Column(name="user_id", given="t.user_id"),
            Column(name="unit_id", given="t.unit"),
            Column(name="role", given="t.role"),
        ],
        source="(SELECT t.*, u.id AS user_id FROM stage_typed t "
        "JOIN accounts_user u ON lower(u.email) = lower(t.email))",
    )
    also_changed = stage.number(
        """
        SELECT count(*) FROM accounts_membership m JOIN stage_typed t ON t.unit = m.unit_id
        JOIN accounts_user u ON u.id = m.user_id AND lower(u.email) = lower(t.email)
        WHERE u.id = ANY(%s) AND NOT m.id = ANY(%s)
        """,
        [changed_users, new + changed],
    )
    return Outcome(accepted=len(new), corrected=len(changed) + also_changed)


PEOPLE = ImportKind(
    name="people",
    fields=(
        Field(name="email", is_required=True, max_length=254),
        Field(name="unit", type=Type.REFERENCE, reference=UNIT, is_required=True),
        Field(name="role", type=Type.CHOICE, choices=tuple(Role.values), is_required=True),
        Field(name="name"),
        Field(name="language", type=Type.CHOICE, choices=tuple(User.Language.values)),
    ),
    key=("email", "unit"),
    check=_check_people,
    apply=_apply_people,
    messages={"bad_email": _("“%(value)s” is no e-mail address. Correct it.")},
)
