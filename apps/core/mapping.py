"""Turns the table of another system into one of ours, as a mapping in TOML says (docs/imports.md)."""

import re
import string
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from apps.core.blocks import Block, Fault, FileRefused, Table
from apps.core.errors import CxplanError

ORIGINS = ("column", "constant", "text", "ratio")
TIME_DIRECTIVES = ("%H", "%I", "%M", "%S", "%f", "%X", "%c", "%T", "%R")
RATIO_DIGITS = Decimal("0.000001")

Cells = Sequence[str]
Read = Callable[[Cells, int], str]


class MappingInvalid(CxplanError):
    """The mapping itself can't be used; `field` is the place in it."""

    code = "mapping"


class _Unmappable(Exception):
    """A cell that the mapping can't take; caught where its row is rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How one field comes about: one of `column`, `constant`, `text`, `ratio`, then what is done to it."""

    name: str
    column: str = ""
    constant: str | None = None
    text: str = ""
    ratio: tuple[str, str, Decimal] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    dates: tuple[str, ...] = ()
    number: re.Pattern[str] | None = None
    decimal: str = "."
    thousands: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpivot:
    """Columns that become rows: `columns` gives each its name, told in the column `name` beside `value`."""

    columns: Mapping[str, str]
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """A whole mapping, checked."""

    fields: tuple[FieldRule, ...]
    kind: str = ""
    unpivot: Unpivot | None = None
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    skip: Mapping[str, frozenset[str]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    is_distinct: bool = False


def read_mapping(text: str) -> dict[str, Any]:
    """The mapping written in `text`; raises MappingInvalid when it is no TOML or no mapping."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingInvalid(_("The mapping is no valid TOML: %(error)s.") % {"error": error}) from error
    parse_mapping(data)
    return data


def parse_mapping(data: Mapping[str, Any]) -> TableMapping:
    """Check a mapping and make it usable; raises MappingInvalid with the place of the first mistake."""
    _known(data, {"kind", "fields", "unpivot", "only", "skip", "missing", "distinct"}, "")
    fields = data.get("fields")
    if not isinstance(fields, Mapping) or not fields:
        raise MappingInvalid(
            _("A mapping needs a table [fields] that says where each field comes from."), field="fields"
        )
    return TableMapping(
        kind=_text(data.get("kind", ""), "kind"),
        fields=tuple(_rule(str(name), rule) for name, rule in fields.items()),
        unpivot=_unpivot(data["unpivot"]) if "unpivot" in data else None,
        only=_filters(data.get("only", {}), "only"),
        skip=_filters(data.get("skip", {}), "skip"),
        missing=frozenset(_texts(data.get("missing", []), "missing")),
        is_distinct=_flag(data.get("distinct", False), "distinct"),
    )


def _rule(name: str, rule: object) -> FieldRule:
    place = f"fields.{name}"
    if isinstance(rule, str):
        rule = {"column": rule}
    if not isinstance(rule, Mapping):
        raise MappingInvalid(_("A field is a column's name or a table."), field=place)
    _known(rule, {*ORIGINS, "values", "otherwise", "date", "number", "decimal", "thousands", "code"}, place)
    if sum(origin in rule for origin in ORIGINS) != 1:
        raise MappingInvalid(_("Give exactly one of: %(names)s.") % {"names": ", ".join(ORIGINS)}, field=place)
    values = rule.get("values", {})
    if not isinstance(values, Mapping):
        raise MappingInvalid(_("“values” is a table of old and new texts."), field=f"{place}.values")
    dates = rule.get("date", [])
    decimal = _text(rule.get("decimal", "."), f"{place}.decimal")
    if decimal not in (".", ","):
        raise MappingInvalid(_("The decimal sign is a point or a comma."), field=f"{place}.decimal")
    constant = rule.get("constant")
    return FieldRule(
        name=name.lower(),
        column=_text(rule.get("column", ""), f"{place}.column"),
        constant=None if constant is None else _text(constant, f"{place}.constant"),
        text=_text(rule.get("text", ""), f"{place}.text"),
        ratio=_ratio(rule["ratio"], f"{place}.ratio") if "ratio" in rule else None,
        values={str(old): _text(new, f"{place}.values") for old, new in values.items()},
        otherwise=_text(rule["otherwise"], f"{place}.otherwise") if "otherwise" in rule else None,
        dates=tuple(_texts([dates] if isinstance(dates, str) else dates, f"{place}.date")),
        number=_pattern(rule["number"], f"{place}.number") if "number" in rule else None,
        decimal=decimal,
        thousands=_text(rule.get("thousands", ""), f"{place}.thousands"),
        is_code=_flag(rule.get("code", False), f"{place}.code"),
    )


def _ratio(rule: object, place: str) -> tuple[str, str, Decimal]:
    if not isinstance(rule, Mapping) or not {"of", "to"} <= set(rule):
        raise MappingInvalid(_('A ratio names two columns, as in {of = "late", to = "all"}.'), field=place)
    _known(rule, {"of", "to", "times"}, place)
    try:
        times = Decimal(str(rule.get("times", 1)))
    except InvalidOperation as error:
        raise MappingInvalid(_("“times” is a number."), field=f"{place}.times") from error
    return _text(rule["of"], place), _text(rule["to"], place), times


def _unpivot(rule: object) -> Unpivot:
    if not isinstance(rule, Mapping) or not isinstance(rule.get("columns"), Mapping) or not rule["columns"]:
        raise MappingInvalid(_("[unpivot] needs “columns”, each with the name it gets."), field="unpivot.columns")
    _known(rule, {"columns", "name", "value"}, "unpivot")
    columns = {str(column): _text(name, "unpivot.columns") for column, name in rule["columns"].items()}
    return Unpivot(
        columns=columns,
        name=_text(rule.get("name", "name"), "unpivot.name"),
        value=_text(rule.get("value", "value"), "unpivot.value"),
    )


def _filters(rules: object, place: str) -> dict[str, frozenset[str]]:
    if not isinstance(rules, Mapping):
        raise MappingInvalid(_("[%(place)s] is a table of columns and texts.") % {"place": place}, field=place)
    return {
        str(column): frozenset(_texts([texts] if isinstance(texts, str) else texts, f"{place}.{column}"))
        for column, texts in rules.items()
    }


def _pattern(text: object, place: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(_text(text, place))
    except re.error as error:
        raise MappingInvalid(_("The pattern can't be read: %(error)s.") % {"error": error}, field=place) from error
    if pattern.groups != 1:
        raise MappingInvalid(_("The pattern needs one pair of parentheses, around the number."), field=place)
    return pattern


def _known(rule: Mapping[str, Any], allowed: set[str], place: str) -> None:
    for name in rule:
        if name not in allowed:
            raise MappingInvalid(
                _("“%(name)s” means nothing here. Use one of: %(names)s.")
                % {"name": name, "names": ", ".join(sorted(allowed))},
                field=f"{place}.{name}".lstrip("."),
            )


def _text(value: object, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MappingInvalid(_("A text is expected here."), field=place)


def _texts(values: object, place: str) -> list[str]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise MappingInvalid(_("A list of texts is expected here."), field=place)
    return [_text(value, place) for value in values]


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise MappingInvalid(_("Write true or false."), field=place)
    return value


class MappedTable:
    """A table seen through a mapping; each row keeps the line it came from."""

    separator = ","

    def __init__(self, table: Table, mapping: TableMapping) -> None:
        self._table = table
        self._mapping = mapping
        self.row_format = table.row_format
        self.columns = [rule.name for rule in mapping.fields]
        names = [column.lower() for column in table.columns]
        if mapping.unpivot is not None:
            names += [mapping.unpivot.name.lower(), mapping.unpivot.value.lower()]
        self._places = {name: place for place, name in reversed(list(enumerate(names)))}
        self._shown = table.columns
        unpivot = mapping.unpivot.columns if mapping.unpivot is not None else {}
        self._turned = [(name, self._place(column, "unpivot")) for column, name in unpivot.items()]
        self._only = [(self._place(column, "only"), texts) for column, texts in mapping.only.items()]
        self._skip = [(self._place(column, "skip"), texts) for column, texts in mapping.skip.items()]
        self._reads = [(rule.name, self._reader(rule)) for rule in mapping.fields]

    def _place(self, column: str, where: str) -> int:
        place = self._places.get(column.strip().lower())
        if place is None:
            raise FileRefused(
                _("The mapping names the column “%(column)s”, which the file does not have.") % {"column": column},
                code="missing_column",
                line=1,
                field=column,
                remedy=_("Correct [%(where)s] in the mapping. The file has: %(columns)s.")
                % {"where": where, "columns": ", ".join(self._shown)},
            )
        return place

    def blocks(self) -> Iterator[Block]:
        seen: set[tuple[str, ...]] = set()
        for block in self._table.blocks():
            lines: list[int] = []
            rows: list[list[str]] = []
            faults = list(block.faults)
            for line, source in zip(block.lines, block.cells(self._table.separator), strict=True):
                cells = [("" if cell in self._mapping.missing else cell) for cell in source]
                try:
                    made = [self._row(turned, line) for turned in self._turn(cells) if self._is_wanted(turned)]
                except _FieldUnmappable as error:
                    faults.append(
                        Fault(line=line, code="mapping", field=error.field, detail=error.detail, cells=source)
                    )
                    continue
                for row in made:
                    if self._mapping.is_distinct:
                        if tuple(row) in seen:
                            continue
                        seen.add(tuple(row))
                    rows.append(row)
                    lines.append(line)
            yield Block(lines=lines, rows=rows, faults=faults, position=block.position)

    def _turn(self, cells: list[str]) -> list[list[str]]:
        if not self._turned:
            return [cells]
        return [[*cells, name, cells[place]] for name, place in self._turned]

    def _is_wanted(self, cells: Cells) -> bool:
        return all(cells[place] in texts for place, texts in self._only) and not any(
            cells[place] in texts for place, texts in self._skip
        )

    def _row(self, cells: Cells, line: int) -> list[str]:
        row = []
        for name, read in self._reads:
            try:
                row.append(read(cells, line))
            except _Unmappable as error:
                raise _FieldUnmappable(name, str(error)) from error
        return row

    def _reader(self, rule: FieldRule) -> Read:
        origin = self._origin(rule)

        def read(cells: Cells, line: int) -> str:
            text = origin(cells, line)
            if rule.values:
                text = rule.values.get(text, text if rule.otherwise is None else rule.otherwise)
            if not text:
                return ""
            if rule.number is not None or rule.thousands or rule.decimal != ".":
                text = _number(text, rule)
            if rule.dates:
                text = _date(text, rule.dates)
            return as_code(text) if rule.is_code else text

        return read

    def _origin(self, rule: FieldRule) -> Read:
        where = f"fields.{rule.name}"
        if rule.constant is not None:
            constant = rule.constant
            return lambda _cells, _line: constant
        if rule.ratio is not None:
            of, to = self._place(rule.ratio[0], where), self._place(rule.ratio[1], where)
            times = rule.ratio[2]
            return lambda cells, _line: _divided(cells[of], cells[to], times)
        if rule.text:
            return self._template(rule.text, where)
        place = self._place(rule.column, where)
        return lambda cells, _line: cells[place]

    def _template(self, text: str, where: str) -> Read:
        try:
            pieces = [(before, name) for before, name, _format, _conversion in string.Formatter().parse(text)]
        except ValueError as error:
            raise MappingInvalid(
                _("The text can't be read: %(error)s.") % {"error": error}, field=where
            ) from error
        steps: list[tuple[str, int | None]] = [
            (before, None if name is None else -1 if name == "line" else self._place(name, where))
            for before, name in pieces
        ]

        def read(cells: Cells, line: int) -> str:
            return "".join(
                before + ("" if place is None else str(line) if place == -1 else cells[place])
                for before, place in steps
            )

        return read


class _FieldUnmappable(Exception):
    def __init__(self, field_name: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field_name
        self.detail = detail


def as_code(text: str) -> str:
    """A code made of any text: "Earl's Court (North)" becomes "earl-s-court-north"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-._").lower()[:64]


def _number(text: str, rule: FieldRule) -> str:
    if rule.number is not None:
        found = rule.number.search(text)
        if found is None:
            raise _Unmappable(_("“%(text)s” holds no number") % {"text": text[:80]})
        text = found[1]
    if rule.thousands:
        text = text.replace(rule.thousands, "")
    return text.replace(rule.decimal, ".")


@lru_cache(maxsize=10_000)
def _date(text: str, formats: tuple[str, ...]) -> str:
    for one in formats:
        try:
            # Instants without an offset are local to the unit, which only the database knows.
            instant = datetime.strptime(text, one)  # noqa: DTZ007
        except ValueError:
            continue
        has_time = any(directive in one for directive in TIME_DIRECTIVES)
        return instant.isoformat() if has_time else instant.date().isoformat()
    raise _Unmappable(
        _("“%(text)s” is not written as %(formats)s") % {"text": text[:80], "formats": ", ".join(formats)}
    )


def _divided(of: str, to: str, times: Decimal) -> str:
    if not of or not to:
        return ""
    try:
        share = Decimal(of) / Decimal(to) * times
    except (InvalidOperation, ZeroDivisionError) as error:
        raise _Unmappable(_("“%(of)s” can't be divided by “%(to)s”") % {"of": of[:80], "to": to[:80]}) from error
    return f"{share.quantize(RATIO_DIGITS):f}"
