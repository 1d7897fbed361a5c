"""The fields of an import: which texts each takes, as SQL over staged rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from django.utils.functional import Promise

CLEAR = "\\N"
CODE_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
NUMBER_PATTERN = r"^[+-]?(\d{1,12}(\.\d*)?|\.\d+)$"
INTEGER_PATTERN = r"^[+-]?\d{1,9}$"
DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
INSTANT_PATTERN = r"^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?)?$"


# What Python has matched against these needs no second look in the database, where patterns cost ten times as
# much. They leave out what is merely unusual (the 29th of February): that is looked at there.
_DAY = (
    r"(?:19|20)\d\d-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
)
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
SURE_INSTANTS = {"z": rf"{_DAY}{_TIME}(?:Z|[+-](?:0\d|1[0-4]):?[0-5]\d)", "l": rf"{_DAY}(?:{_TIME})?"}


class Type(Enum):
    TEXT = auto()
    CODE = auto()
    INTEGER = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    CHOICE = auto()
    DATE = auto()
    INSTANT = auto()
    LIST = auto()
    REFERENCE = auto()
    REFERENCES = auto()


# The column type of each field's value in the table of typed rows.
SQL_TYPES = {
    Type.TEXT: "text",
    Type.CODE: "text",
    Type.INTEGER: "integer",
    Type.DECIMAL: "numeric(18,6)",
    Type.BOOLEAN: "boolean",
    Type.CHOICE: "text",
    Type.DATE: "date",
    Type.INSTANT: "timestamptz",
    Type.LIST: "text[]",
    Type.REFERENCE: "bigint",
    Type.REFERENCES: "bigint[]",
}
# These say by an empty value that they are to be cleared; the others have a column `<name>_clear`.
CLEARED_BY_VALUE = {Type.TEXT: "''", Type.LIST: "'{}'", Type.REFERENCES: "'{}'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a field points to: `query` gives (key, id) with lower-case keys; `carries` names further columns."""

    name: str
    label: str | Promise
    query: str
    remedy: str | Promise
    carries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field; `column` is its name in the file, `zone` the SQL of the time zone of a local instant."""

    name: str
    type: Type = Type.TEXT
    column: str = ""
    is_required: bool = False
    max_length: int = 200
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    # The reference field whose row carries the bounds instead, as `low` and `high`.
    bounded_by: str = ""
    range_code: str = "out_of_range"
    reference: Reference | None = None
    zone: str = "'UTC'"

    @property
    def header(self) -> str:
        return self.column or self.name

    @property
    def raw(self) -> str:
        return f"s.{self.name}"

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.type]

    @property
    def has_clear_column(self) -> bool:
        return not self.is_required and self.type not in CLEARED_BY_VALUE

    def join(self) -> str:
        """The join by which a reference finds its row."""
        if self.type is not Type.REFERENCE or self.reference is None:
            return ""
        return f"LEFT JOIN ({self.reference.query}) r_{self.name} ON r_{self.name}.key = lower({self.raw})"

    def sure_pattern(self, instants: str) -> str:
        """The Python pattern of cells that need no check in SQL; `instants` is the pattern of instants."""
        match self.type:
            case Type.CODE:
                pattern = CODE_PATTERN.strip("^$")
            case Type.DECIMAL:
                pattern = r"-?\d{1,12}(?:\.\d{1,6})?"
            case Type.INSTANT:
                pattern = instants
            case _:
                return ""
        return pattern if self.is_required else f"(?:{pattern})?"

    def value(self, *, has_sure: bool = False) -> str:
        """The typed value, NULL when the text is missing, asks to clear, or can't be taken.

        With `has_sure` the column `sure` of a row tells that its cells match the sure patterns, and of which
        kind its instants are.
        """
        if not has_sure or self.type not in (Type.CODE, Type.DECIMAL, Type.INSTANT):
            return self._careful_value()
        if self.type is Type.INSTANT:
            return (
                f"CASE WHEN s.sure = 'z' THEN {self.raw}::timestamptz "
                f"WHEN s.sure = 'l' THEN {self.raw}::timestamp AT TIME ZONE {self.zone} "
                f"WHEN {self._fits()} THEN {self._cast()} END"
            )
        return (
            f"CASE WHEN s.sure <> '' THEN {self.raw}::{self.sql_type} WHEN {self._fits()} THEN {self._cast()} END"
        )

    def _careful_value(self) -> str:
        raw, kind = self.raw, self.type
        if kind is Type.TEXT:
            cleared = raw if self.is_required else f"CASE WHEN {raw} = '{CLEAR}' THEN '' ELSE {raw} END"
            return f"CASE WHEN {self._fits()} THEN {cleared} END"
        if kind is Type.REFERENCE:
            return f"r_{self.name}.id"
        cleared = ""
        if kind in CLEARED_BY_VALUE and not self.is_required:
            cleared = f"WHEN {raw} = '{CLEAR}' THEN '{{}}'::{self.sql_type} "
        return f"CASE {cleared}WHEN {self._fits()} THEN {self._cast()} END"

    def _fits(self) -> str:
        raw = self.raw
        match self.type:
            case Type.TEXT:
                return f"char_length({raw}) <= {self.max_length}" + (
                    f" AND {raw} <> '{CLEAR}'" if self.is_required else ""
                )
            case Type.CODE:
                return f"{raw} ~ '{CODE_PATTERN}'"
            case Type.INTEGER:
                return f"{raw} ~ '{INTEGER_PATTERN}'"
            case Type.DECIMAL:
                return f"{raw} ~ '{NUMBER_PATTERN}'"
            case Type.BOOLEAN:
                return f"lower({raw}) IN ('true', 'false', 'yes', 'no', '1', '0')"
            case Type.CHOICE:
                return f"lower({raw}) IN ({_quoted(self.choices)})"
            case Type.DATE:
                return f"({raw} ~ '{DATE_PATTERN}' AND core_is_timestamp({raw}))"
            case Type.INSTANT:
                return f"({raw} ~ '{INSTANT_PATTERN}' AND core_is_timestamp({raw}))"
            case Type.REFERENCES:
                return f"(btrim({raw}, ' |') <> '' AND NOT EXISTS (SELECT {self._unknown_items()}))"
            case _:
                return f"{raw} IS NOT NULL"

    def _bounds(self, carried: str) -> tuple[str, str]:
        """The bounds as SQL, empty where there is none; `carried` leads to the columns of the reference."""
        if self.bounded_by:
            return f"{carried}low", f"{carried}high"
        return (
            "" if self.minimum is None else str(self.minimum),
            "" if self.maximum is None else str(self.maximum),
        )

    def _is_out(self, value: str, low: str, high: str) -> str:
        sides = ([f"{value} < {low}"] if low else []) + ([f"{value} > {high}"] if high else [])
        return " OR ".join(sides)

    def _cast(self) -> str:
        raw = self.raw
        match self.type:
            case Type.BOOLEAN:
                return f"lower({raw}) IN ('true', 'yes', '1')"
            case Type.CHOICE:
                return f"lower({raw})"
            case Type.INSTANT:
                # A local time has no sign and no Z behind its date.
                return (
                    f"CASE WHEN translate(substr({raw}, 11), 'Zz+-', '') <> substr({raw}, 11) "
                    f"THEN {raw}::timestamptz ELSE {raw}::timestamp AT TIME ZONE {self.zone} END"
                )
            case Type.LIST:
                return f"ARRAY(SELECT DISTINCT item FROM {self._items()} WHERE item <> '')"
            case Type.REFERENCES:
                assert self.reference is not None
                return (
                    f"ARRAY(SELECT DISTINCT known.id FROM {self._items()} "
                    f"JOIN ({self.reference.query}) known ON known.key = lower(item))"
                )
            case _:
                return f"{raw}::{self.sql_type}"

    def _items(self) -> str:
        return f"(SELECT btrim(part) AS item FROM unnest(string_to_array({self.raw}, '|')) part) items"

    def _unknown_items(self) -> str:
        assert self.reference is not None
        return (
            f"item FROM {self._items()} LEFT JOIN ({self.reference.query}) known ON known.key = lower(item) "
            "WHERE known.id IS NULL AND item <> ''"
        )

    def problem(self) -> str:
        """The code of what is wrong with the text, NULL when nothing is."""
        raw = self.raw
        missing = "'required'" if self.is_required else "NULL"
        cases = [f"WHEN {raw} IS NULL OR {raw} = '{CLEAR}' THEN {missing}"]
        match self.type:
            case Type.TEXT:
                cases.append(f"WHEN char_length({raw}) > {self.max_length} THEN 'too_long'")
            case Type.CODE:
                cases.append(f"WHEN {raw} !~ '{CODE_PATTERN}' THEN 'bad_code'")
            case Type.INTEGER:
                cases.append(f"WHEN {raw} !~ '{INTEGER_PATTERN}' THEN 'not_integer'")
                cases.append(self._range_case("integer"))
            case Type.DECIMAL:
                cases.append(f"WHEN {raw} !~ '{NUMBER_PATTERN}' THEN 'not_number'")
                cases.append(self._range_case("numeric"))
            case Type.BOOLEAN:
                cases.append(f"WHEN NOT {self._fits()} THEN 'not_boolean'")
            case Type.CHOICE:
                cases.append(f"WHEN NOT {self._fits()} THEN 'not_choice'")
            case Type.DATE:
                cases.append(f"WHEN {raw} !~ '{DATE_PATTERN}' THEN 'not_date'")
                cases.append(f"WHEN NOT core_is_timestamp({raw}) THEN 'impossible_date'")
            case Type.INSTANT:
                cases.append(f"WHEN {raw} !~ '{INSTANT_PATTERN}' THEN 'not_instant'")
                cases.append(f"WHEN NOT core_is_timestamp({raw}) THEN 'impossible_date'")
            case Type.REFERENCE:
                assert self.reference is not None
                cases.append(f"WHEN r_{self.name}.id IS NULL THEN 'unknown_{self.reference.name}'")
            case Type.REFERENCES:
                assert self.reference is not None
                cases.append(f"WHEN btrim({raw}, ' |') = '' THEN 'required'")
                cases.append(f"WHEN NOT {self._fits()} THEN 'unknown_{self.reference.name}'")
            case Type.LIST:
                pass
        return f"CASE {' '.join(cases)} END"

    def _range_case(self, sql_type: str) -> str:
        out = self._is_out(f"{self.raw}::{sql_type}", *self._bounds(f"r_{self.bounded_by}."))
        return f"WHEN {out} THEN '{self.range_code}'" if out else ""

    def detail(self) -> str:
        """What the message of a problem needs to know besides the text."""
        if self.type is Type.CHOICE:
            return _literal(", ".join(self.choices))
        if self.type is Type.TEXT:
            return f"'{self.max_length}'"
        if self.type is Type.REFERENCES:
            return f"(SELECT string_agg(item, ', ') FROM (SELECT {self._unknown_items()}) unknown)"
        if self.bounded_by:
            return f"concat(trim_scale(r_{self.bounded_by}.low), '…', trim_scale(r_{self.bounded_by}.high))"
        if self.minimum is not None or self.maximum is not None:
            return _literal(f"{plain(self.minimum)}…{plain(self.maximum)}")
        return "''"

    def is_bad(self) -> str:
        """Whether the row can't be used, over columns `<name>` and `<name>_raw` of `x`."""
        value = f"x.{self.name}"
        if self.is_required:
            bad = f"{value} IS NULL"
        else:
            bad = f"({value} IS NULL AND {value}_raw IS NOT NULL AND {value}_raw <> '{CLEAR}')"
        out = self._is_out(value, *self._bounds(f"x.{self.bounded_by}_"))
        # A missing bound gives NULL, which says nothing against the row.
        return f"{bad} OR COALESCE({out}, false)" if out else bad


def plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(_literal(text) for text in texts)
