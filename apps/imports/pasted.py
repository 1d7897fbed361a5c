"""Notes many past actions at once from a pasted table or a small file, within what a person manages."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import Scope, Unit, User
from apps.accounts.services import record
from apps.core import formats
from apps.core.blocks import FileRefused, Limits
from apps.core.staging import Stage, literal
from apps.core.tabular import open_table
from apps.imports import pasted_words
from apps.imports.rejects import rejections
from apps.imports.services import KIND_LOCK, KIND_LOCKS
from apps.library.models import Solution
from apps.planning.imports import ACTIONS
from apps.taxonomy.models import Challenge

ROWS_AT_MOST = 500
KEY = "external_id"
MESSAGES = {
    "not_yours": gettext_lazy("You do not manage “%(value)s”. Leave the row to whoever does."),
    "id_elsewhere": gettext_lazy("The id “%(value)s” stands for an action in a unit you do not manage."),
    # Who pastes a table imports nothing and writes no mapping.
    "unknown_unit": gettext_lazy(
        "No unit of yours is called “%(detail)s”. Write its name or code as it stands here."
    ),
    "unknown_challenge": gettext_lazy("No challenge is called “%(detail)s”. Look its name up under Library."),
    "unknown_solution": gettext_lazy("No solution is called “%(detail)s”. Look its name up under Library."),
    "not_date": gettext_lazy("“%(value)s” is no day that can be told for sure. Write it as 2026-03-31."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that came back; `place` is its heading as written, and in brackets the column it was read as."""

    line: int
    cells: tuple[str, ...]
    place: str
    message: str

    @property
    def told(self) -> str:
        if not self.place:
            return self.message
        return _("%(place)s: %(message)s") % {"place": self.place, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What became, or would become, of the rows; those refused come back with the reason.

    `overlooked` are the headings that name nothing known.
    """

    columns: tuple[str, ...]
    overlooked: tuple[str, ...]
    row_count: int
    accepted: int
    corrected: int
    refused: tuple[RefusedRow, ...]

    @property
    def unchanged(self) -> int:
        return self.row_count - self.accepted - self.corrected - len(self.refused)

    @property
    def refused_text(self) -> str:
        """The refused rows as a table to correct and paste again."""
        return _written([self.columns, *(row.cells for row in self.refused)]) if self.refused else ""

    @property
    def refused_file(self) -> str:
        """The address of a file of the refused rows, each with its line and the reason."""
        rows = [[*row.cells, str(row.line), row.told] for row in self.refused]
        return f"data:text/csv;charset=utf-8,{quote(_written([[*self.columns, 'line', 'message'], *rows]))}"


def note_actions(
    *, file: IO[bytes], name: str, scope: Scope, day: date, is_preview: bool, actor: User | None
) -> Noted:
    """The good rows land together; a preview stores nothing. Raises FileRefused."""
    columns, rows = _read(file, name)
    heads, said = pasted_words.read(columns, rows, names=_names(scope), is_day_first=formats.is_french())
    _check_columns(columns, heads)
    headings = {head.strip().lower(): column for head, column in zip(heads, columns, strict=True)}
    keyed = _with_ids(heads, said)
    limits = _limits()
    table = open_table(io.BytesIO(_written(keyed).encode()), name="pasted.csv", limits=limits)
    kind = replace(ACTIONS, check=lambda stage: _check(stage, scope), messages={**ACTIONS.messages, **MESSAGES})
    stage = Stage(kind=kind, columns=table.columns, source="", day=day)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [KIND_LOCK, KIND_LOCKS[kind.lock]])
        stage.create()
        stage.load(table.blocks(), separator=table.separator, on_progress=lambda _position, _rows: None)
        stage.check()
        refused = tuple(
            RefusedRow(
                line=one.line,
                cells=tuple(rows[one.line - 2]),
                place=_place(one.field, headings),
                message=one.message,
            )
            for one in rejections(stage, headings=headings)
        )
        outcome = kind.apply(stage)
        stage.drop()
        noted = Noted(
            columns=tuple(columns),
            overlooked=tuple(stage.unknown),
            row_count=len(rows),
            accepted=outcome.accepted,
            corrected=outcome.corrected,
            refused=refused,
        )
        if is_preview:
            transaction.set_rollback(True)
        elif actor is not None:
            data = {"rows": len(rows), "accepted": noted.accepted, "corrected": noted.corrected}
            record(event="imports.table.noted", actor=actor, subject=actor, data=data)
    return noted


def table_of(text: str) -> bytes:
    """A pasted table as a file: spreadsheets paste their cells with tabs between them."""
    text = text.strip("\r\n")
    if "\t" in text.partition("\n")[0]:
        rows = list(csv.reader(text.splitlines(), delimiter="\t"))
        # Empty cells at the end of a row may have been cut off on the way.
        text = _written([row + [""] * (len(rows[0]) - len(row)) for row in rows])
    return text.encode()


def _read(file: IO[bytes], name: str) -> tuple[list[str], list[list[str]]]:
    table = open_table(file, name=name, limits=_limits())
    rows: list[list[str]] = []
    for block in table.blocks():
        if block.faults:
            raise FileRefused(
                _("Line %(line)s can't be read.") % {"line": block.faults[0].line},
                code="columns",
                line=block.faults[0].line,
                remedy=_("Every row has as many cells as the header. Correct it and try again."),
            )
        rows += [list(cells) for cells in block.cells(table.separator)]
        if len(rows) > ROWS_AT_MOST:
            raise FileRefused(
                _("More than %(most)s rows at once are too many here.") % {"most": ROWS_AT_MOST},
                code="too_many_rows",
                remedy=_("Note them in parts, or ask your CX lead to import the file."),
            )
    if not rows:
        raise FileRefused(
            _("There is a header and no row under it."), code="no_rows", remedy=_("Add a row for each action.")
        )
    return list(table.columns), rows


def _names(scope: Scope) -> dict[str, dict[str, str]]:
    """Codes by name in both languages, of what a table names; a name that two share stands for neither."""
    named = {
        "unit": Unit.objects.in_scope(scope).values_list("code", "name", "name_fr"),
        "challenge": Challenge.objects.current().values_list("code", "name", "name_fr"),
        "solutions": Solution.objects.published().values_list("code", "title", "title_fr"),
    }
    found: dict[str, dict[str, str]] = {}
    for column, rows in named.items():
        codes: dict[str, set[str]] = {}
        for code, *names in rows:
            for name in filter(None, names):
                codes.setdefault(pasted_words.plain(name), set()).add(code)
        found[column] = {name: of_name.pop() for name, of_name in codes.items() if len(of_name) == 1}
    return found


def _check_columns(columns: Sequence[str], heads: Sequence[str]) -> None:
    """Refused in the words of the table, before the import refuses it in its own."""
    known = {head.strip().lower() for head in heads}
    missing = [one.header for one in ACTIONS.fields if one.is_required and one.header not in {*known, KEY}]
    if missing:
        message = ngettext(
            "No column is %(missing)s. Your table has: %(headings)s.",
            "No columns are %(missing)s. Your table has: %(headings)s.",
            len(missing),
        )
        raise FileRefused(
            message
            % {
                "missing": ", ".join(_("“%(text)s”") % {"text": column} for column in missing),
                "headings": ", ".join(filter(None, columns)),
            },
            code="missing_column",
            line=1,
            field=missing[0],
            remedy=_("Rename the heading that stands for it, or add the column."),
        )


def _place(field: str, headings: Mapping[str, str]) -> str:
    heading = headings.get(field, "")
    if not heading or heading.strip().lower() == field:
        return field
    return f"{heading} ({field})"


def _with_ids(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Rows without an id get one of what they say, so that the same table twice notes nothing twice."""
    lowered = [column.strip().lower() for column in columns]
    place = lowered.index(KEY) if KEY in lowered else None
    named = [
        at for at, column in enumerate(lowered) if column in {"unit", "challenge", "solutions", "effective_on"}
    ]

    def made(row: Sequence[str]) -> str:
        said = "|".join(row[at].strip().lower() for at in named)
        return f"N-{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    if place is None:
        return [[KEY, *columns], *([made(row), *row] for row in rows)]
    filled = [[*row[:place], row[place].strip() or made(row), *row[place + 1 :]] for row in rows]
    return [columns, *filled]


def _check(stage: Stage, scope: Scope) -> None:
    if ACTIONS.check is not None:
        ACTIONS.check(stage)
    inside = " OR ".join(f"u.path LIKE {literal(path + '%')}" for path in scope.paths) or "false"
    stage.reject(
        f"SELECT t.no, 'unit', 'not_yours', u.code, '' FROM stage_typed t "
        f"JOIN accounts_unit u ON u.id = t.unit WHERE NOT ({inside})"
    )
    stage.reject(
        f"SELECT t.no, 'external_id', 'id_elsewhere', t.external_id, '' FROM stage_typed t "
        "JOIN planning_action a ON lower(a.external_id) = lower(t.external_id) "
        f"JOIN accounts_unit u ON u.id = a.unit_id WHERE NOT ({inside})"
    )


def _written(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _limits() -> Limits:
    return Limits(field_characters=settings.IMPORT_MAX_FIELD_CHARACTERS, file_bytes=5 * 1024 * 1024)
