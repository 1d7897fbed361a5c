"""Brings the rows of a file into the database to be checked all at once, before any of them counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.core.blocks import Block, Fault, FileRefused
from apps.core.fields import CLEAR, Field
from apps.core.loading import SureChecks, copy_pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many rows were new and how many changed something; `changed` are ids for whoever follows up."""

    accepted: int
    corrected: int
    changed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """A kind of file. `expand` turns columns it does not declare into fields; `check` may reject more rows;
    `apply` stores the good ones. Imports of kinds with the same `lock` are stored one after the other.
    `computed` are further columns of the typed rows, by name, as SQL over `x`.
    """

    name: str
    fields: tuple[Field, ...]
    apply: Callable[["Stage"], Outcome]
    key: tuple[str, ...]
    check: Callable[["Stage"], None] | None = None
    expand: Callable[[Sequence[str], str], list[Field]] | None = None
    computed: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str | Promise] = field(default_factory=dict)
    lock: str = "structure"
    # The tables it fills, whose statistics are brought up to date after a large file.
    tables: tuple[str, ...] = ()
    # Whether files have so many rows that each is matched before it goes to the database.
    is_bulk: bool = False
    # Whether `check` itself finds the rows that repeat a key.
    has_own_repeats: bool = False
    # Whether an empty cell of this field is filled with the source named beside the file.
    source_field: str = ""


class Stage:
    """Temporary tables of one import: `stage_rows` as read, `stage_typed` as understood, `stage_rejects`."""

    def __init__(self, *, kind: ImportKind, columns: Sequence[str], source: str, day: date) -> None:
        self.kind = kind
        self.source = source
        self.day = day
        self.row_count = 0
        # What whoever imports should know, though no row was rejected for it.
        self.notes: list[str] = []
        self._kept: list[str] = []
        # Whether no two rows speak of the same thing; kinds whose rows may belong together find out.
        self.is_single = True
        self.columns = {column.strip().lower(): column.strip() for column in columns}
        headers = [column.strip().lower() for column in columns]
        declared = {one.header: one for one in kind.fields}
        others = [header for header in headers if header not in declared and header]
        expanded = kind.expand(headers, source) if kind.expand is not None else []
        self.extra = expanded
        by_header = {**declared, **{one.header: one for one in expanded}}
        self.present = [by_header[header] for header in headers if header in by_header]
        taken = {one.header for one in expanded}
        self.unknown = [self.columns[header] for header in others if header not in taken]
        self._names = [
            by_header[header].name if header in by_header else f"u{i}" for i, header in enumerate(headers)
        ]
        self._check_columns(headers)

    def _check_columns(self, headers: Sequence[str]) -> None:
        for one in self.fields:
            is_given = one.header in headers or (self.source and one.name == self.kind.source_field)
            if one.is_required and not is_given:
                raise FileRefused(
                    _("The column “%(column)s” is missing.") % {"column": one.header},
                    code="missing_column",
                    line=1,
                    field=one.header,
                    remedy=_(
                        "Add it, or name the column that stands for it in a mapping. The file has: %(columns)s."
                    )
                    % {"columns": ", ".join(headers)},
                )

    @property
    def fields(self) -> list[Field]:
        """All fields of the kind, in the file or not, and those its further columns became."""
        return [*self.kind.fields, *self.extra]

    def has(self, name: str) -> bool:
        return any(one.name == name for one in self.present)

    # --- SQL ---------------------------------------------------------------

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> int:
        """Run a statement and return how many rows it touched."""
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return int(cursor.rowcount)

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def number(self, sql: str, parameters: Sequence[Any] | None = None) -> int:
        return int(self.rows(sql, parameters)[0][0] or 0)

    # --- Loading -----------------------------------------------------------

    def create(self) -> None:
        self.drop()
        texts = "".join(f", {name} text" for name in self._names)
        sure = ', sure "char"' if self.kind.is_bulk else ""
        # Rows without a number of their own come in the order of the file, each in the line after the last.
        self.execute("CREATE TEMP SEQUENCE stage_no CACHE 10000")
        self.execute(
            f"CREATE TEMP TABLE stage_rows (no bigint DEFAULT nextval('stage_no'), line bigint{sure}{texts})"
        )
        self.execute(
            "CREATE TEMP TABLE stage_rejects (no bigint PRIMARY KEY, line bigint NOT NULL, field text NOT NULL, "
            "code text NOT NULL, value text NOT NULL, detail text NOT NULL)"
        )

    def keep(self, name: str, query: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Keep the answer of `query` as a temporary table until the stage is dropped."""
        self._kept.append(name)
        self.execute(f"CREATE TEMP TABLE {name} AS {query}", parameters)
        self.execute(f"ANALYZE {name}")

    def drop(self) -> None:
        names = ["stage_rows", "stage_typed", "stage_rejects", "stage_repeats", *self._kept]
        self.execute(f"DROP TABLE IF EXISTS {', '.join(names)}")
        self.execute("DROP SEQUENCE IF EXISTS stage_no")

    def load(self, blocks: Iterator[Block], *, separator: str, on_progress: Callable[[int, int], None]) -> None:
        """Copy every row; `on_progress` hears of the position in the file and the number of rows."""
        checks = SureChecks(self.present, self._names, separator) if self.kind.is_bulk else None
        pieces = copy_pieces(blocks, separator=separator, checks=checks)
        for (mark, _part), group in groupby(pieces, key=lambda piece: (piece.raw_mark, piece.part)):
            fixed = ["no", "line", "sure"] if checks is not None else ["no", "line"]
            columns = self._names if mark else [*fixed, *self._names]
            if mark:
                self.execute(f"ALTER TABLE stage_rows ALTER COLUMN sure SET DEFAULT '{mark}'")
            faults: list[tuple[int, Fault]] = []
            position = 0
            statement = f"COPY stage_rows ({', '.join(columns)}) FROM STDIN WITH (NULL '')"
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                for piece in group:
                    copy.write(piece.text)
                    self.row_count += piece.row_count + len(piece.faults)
                    faults += enumerate(piece.faults, piece.first + piece.row_count)
                    position = piece.position
            self._reject_faults(faults)
            on_progress(position, self.row_count)

    def _reject_faults(self, faults: Sequence[tuple[int, Fault]]) -> None:
        """Reject rows that could not be read, and so are nowhere in the stage."""
        if faults:
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO stage_rejects VALUES (%s, %s, %s, %s, %s, %s)",
                    [
                        (no, fault.line, fault.field.lower(), fault.code, fault.value[:100], fault.detail)
                        for no, fault in faults
                    ],
                )

    # --- Checking ----------------------------------------------------------

    def check(self) -> None:
        """Understand every row, and reject those that can't be."""
        if not self.kind.is_bulk:
            self.execute("ANALYZE stage_rows")
        self._create_typed()
        self._reject_bad()
        self.execute("ANALYZE stage_typed")
        if not self.kind.has_own_repeats:
            self._reject_duplicates()
        if self.kind.check is not None:
            self.kind.check(self)

    def _staged(self) -> str:
        """The staged rows with every field that the file or the source named beside it gives."""
        given = []
        for one in self.present:
            name = one.name
            if name == self.kind.source_field and self.source:
                name = f"COALESCE({name}, {literal(self.source)}) AS {name}"
            given.append(name)
        if self.kind.source_field and not self.has(self.kind.source_field) and self.source:
            given.append(f"{literal(self.source)} AS {self.kind.source_field}")
        fixed = ["no", "line", "sure"] if self.kind.is_bulk else ["no", "line"]
        return f"(SELECT {', '.join([*fixed, *given])} FROM stage_rows) s"

    def _is_given(self, one: Field) -> bool:
        return self.has(one.name) or bool(one.name == self.kind.source_field and self.source)

    def _create_typed(self) -> None:
        given = [one for one in self.fields if self._is_given(one)]
        absent = [one for one in self.fields if not self._is_given(one)]
        inner = ["s.no"]
        for one in given:
            inner.append(f"{one.value(has_sure=self.kind.is_bulk)} AS {one.name}")
            if not one.is_required:
                inner.append(f"{one.raw} AS {one.name}_raw")
            if one.has_clear_column:
                inner.append(f"COALESCE({one.raw} = '{CLEAR}', false) AS {one.name}_clear")
            if one.reference is not None:
                inner.extend(f"r_{one.name}.{name} AS {one.name}_{name}" for name in one.reference.carries)
        outer = ["x.no", *(f"x.{one.name}" for one in given)]
        outer += [f"x.{one.name}_clear" for one in given if one.has_clear_column]
        outer += [f"NULL::{one.sql_type} AS {one.name}" for one in absent]
        outer += [f"false AS {one.name}_clear" for one in absent if one.has_clear_column]
        outer += [f"{sql} AS {name}" for name, sql in self.kind.computed.items()]
        outer.append(f"({' OR '.join(one.is_bad() for one in given) or 'false'}) AS is_bad")
        # OFFSET 0 keeps the planner from working out each value twice.
        joins = " ".join(one.join() for one in given)
        self.execute(
            f"CREATE TEMP TABLE stage_typed AS SELECT {', '.join(outer)} "
            f"FROM (SELECT {', '.join(inner)} FROM {self._staged()} {joins} OFFSET 0) x"
        )

    def _reject_bad(self) -> None:
        if not self.rows("SELECT 1 FROM stage_typed WHERE is_bad LIMIT 1"):
            return
        given = [one for one in self.fields if self._is_given(one)]
        checks = ", ".join(
            f"({i}, {literal(one.header)}, {one.problem()}, {one.raw}, {one.detail()})"
            for i, one in enumerate(given)
        )
        self.execute(
            f"""
            INSERT INTO stage_rejects
            SELECT DISTINCT ON (s.no) s.no, COALESCE(s.line, s.no + 1), c.field, c.code,
                left(COALESCE(c.value, ''), 100), COALESCE(c.detail, '')
            FROM stage_typed t JOIN {self._staged()} USING (no) {" ".join(one.join() for one in given)}
            CROSS JOIN LATERAL (VALUES {checks}) c (place, field, code, value, detail)
            WHERE t.is_bad AND c.code IS NOT NULL
            ORDER BY s.no, c.place
            """
        )
        self.execute("DELETE FROM stage_typed WHERE is_bad")

    def _reject_duplicates(self) -> None:
        """Of rows with one key the first stays; its copies go, what contradicts it is rejected."""
        key = ", ".join(
            f"lower({one.name})" if one.sql_type == "text" else one.name
            for one in self.fields
            if one.name in self.kind.key
        )
        own = ",".join(["no", "_first", "_body", "_place", *self.kind.key])
        self.execute(
            f"""
            CREATE TEMP TABLE stage_repeats AS
            SELECT no, _first AS first, to_jsonb(t) - '{{{own}}}'::text[] = _body AS is_same
            FROM (
                SELECT t.*, first_value(no) OVER same AS _first, row_number() OVER same AS _place,
                    first_value(to_jsonb(t) - '{{{own}}}'::text[]) OVER same AS _body
                FROM stage_typed t WINDOW same AS (PARTITION BY {key} ORDER BY no)
            ) t WHERE _place > 1
            """
        )
        self.reject_repeats()

    def reject_repeats(self) -> None:
        """Take the rows named in `stage_repeats` (no, first, is_same) out of the stage, and drop that table."""
        self.execute("DELETE FROM stage_typed t USING stage_repeats r WHERE r.no = t.no AND r.is_same")
        self.reject(
            """
            SELECT r.no, %s, 'duplicate_key', '', COALESCE(first.line, first.no + 1)::text FROM stage_repeats r
            JOIN stage_rows first ON first.no = r.first WHERE NOT r.is_same
            """,
            [self.kind.key[-1]],
        )
        self.execute("DROP TABLE stage_repeats")

    def reject(self, query: str, parameters: Sequence[Any] | None = None) -> int:
        """Reject what `query` names as (no, field, code, value, detail), and take it out of the typed rows."""
        rejected = self.execute(
            f"""
            INSERT INTO stage_rejects
            SELECT DISTINCT ON (bad.no) bad.no, COALESCE(s.line, s.no + 1), bad.field, bad.code,
                left(COALESCE(bad.value, ''), 100), COALESCE(bad.detail, '')
            FROM ({query}) bad (no, field, code, value, detail) JOIN stage_rows s ON s.no = bad.no
            ORDER BY bad.no ON CONFLICT (no) DO NOTHING
            """,
            parameters,
        )
        if rejected:
            self.execute("DELETE FROM stage_typed t USING stage_rejects r WHERE r.no = t.no")
        return rejected

    @property
    def rejected_count(self) -> int:
        return self.number("SELECT count(*) FROM stage_rejects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a merged table: `given` is its SQL over the typed row `t`, `default` its first value if none
    is given. `cleared` is the SQL of a condition under which it falls back to the default. A column `is_kept`
    when an update leaves it as it is.
    """

    name: str
    given: str
    default: str = "NULL"
    cleared: str = "false"
    is_kept: bool = False


def column_of(one: Field, *, name: str = "", default: str = "NULL") -> Column:
    """The column that takes a field as it is."""
    if one.has_clear_column:
        return Column(name=name or one.name, given=f"t.{one.name}", default=default, cleared=f"t.{one.name}_clear")
    is_text = one.sql_type == "text"
    return Column(name=name or one.name, given=f"t.{one.name}", default="''" if is_text else default)


def merge(
    stage: Stage,
    *,
    table: str,
    match: str,
    columns: Sequence[Column],
    source: str = "stage_typed",
    stamps: bool = False,
) -> tuple[list[int], list[int]]:
    """Update the rows of `table` that `match` (over `o` and `t`), insert the others.

    The ids of new and of changed rows are returned; `stamps` says that the table has created_at and updated_at.
    """
    loose = [one for one in columns if not one.is_kept]
    news = ", ".join(
        f"CASE WHEN {one.cleared} THEN {one.default} ELSE COALESCE({one.given}, o.{one.name}) END AS {one.name}"
        for one in loose
    )
    sets = ", ".join(f"{one.name} = n.{one.name}" for one in loose)
    differs = " OR ".join(f"o.{one.name} IS DISTINCT FROM n.{one.name}" for one in loose)
    changed = stage.rows(
        f"""
        UPDATE {table} o SET {sets}{", updated_at = now()" if stamps else ""}
        FROM (SELECT o.id, {news} FROM {source} t JOIN {table} o ON {match}) n
        WHERE n.id = o.id AND ({differs}) RETURNING o.id
        """
    )
    names = ", ".join(one.name for one in columns)
    firsts = ", ".join(f"COALESCE({one.given}, {one.default})" for one in columns)
    added = stage.rows(
        f"""
        INSERT INTO {table} ({names}{", created_at, updated_at" if stamps else ""})
        SELECT {firsts}{", now(), now()" if stamps else ""} FROM {source} t
        WHERE NOT EXISTS (SELECT 1 FROM {table} o WHERE {match})
        ORDER BY t.no RETURNING id
        """
    )
    return [row[0] for row in added], [row[0] for row in changed]


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
