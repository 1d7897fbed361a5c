"""Gives rejected rows back in the columns they came in, with what was wrong."""

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xlsxwriter
from django.db import connection

from apps.core.blocks import REJECT_COLUMNS, Block, Table
from apps.core.rejection import Rejection, explain
from apps.core.staging import Stage

CHUNK = 2_000
# A spreadsheet program would take a text that begins like this for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@")
Writer = Callable[[Sequence[str]], None]


def rejections(
    stage: Stage, *, limit: int | None = None, headings: Mapping[str, str] | None = None
) -> Iterator[Rejection]:
    """Why rows were rejected, one rejection for each line of the file, in order.

    `headings` are what the reader calls fields, by the name of each.
    """
    headings = headings or {}
    query = "SELECT DISTINCT ON (line) line, field, code, value, detail FROM stage_rejects ORDER BY line, no"
    with connection.chunked_cursor() as cursor:
        cursor.execute(query if limit is None else f"{query} LIMIT {int(limit)}")
        while rows := cursor.fetchmany(CHUNK):
            for line, field, code, value, detail in rows:
                yield explain(
                    line=line,
                    field=field,
                    code=code,
                    value=value,
                    detail=detail,
                    fields=stage.fields,
                    messages=stage.kind.messages,
                    heading=headings.get(field, ""),
                )


def write_rejects(*, table: Table, stage: Stage, path: Path) -> None:
    """Read the file once more and write its rejected rows to `path`; nothing is held but one block."""
    waiting = rejections(stage)
    with _writer(path, row_format=table.row_format, separator=table.separator) as write:
        write([*table.columns, *REJECT_COLUMNS])
        rejection = next(waiting, None)
        for block in table.blocks():
            if rejection is None:
                return
            last = _last_line(block)
            if rejection.line > last:
                continue
            cells = _cells_by_line(block, table.separator)
            while rejection is not None and rejection.line <= last:
                row = list(cells.get(rejection.line, ()))
                row += [""] * (len(table.columns) - len(row))
                write([*row, str(rejection.line), rejection.field, rejection.code, rejection.message])
                rejection = next(waiting, None)


def _last_line(block: Block) -> int:
    lines = [fault.line for fault in block.faults]
    if block.lines:
        lines.append(block.lines[-1])
    return max(lines, default=0)


def _cells_by_line(block: Block, separator: str) -> dict[int, Sequence[str]]:
    cells: dict[int, Sequence[str]] = dict(zip(block.lines, block.cells(separator), strict=True))
    cells.update({fault.line: fault.cells for fault in block.faults})
    return cells


@contextmanager
def _writer(path: Path, *, row_format: str, separator: str) -> Iterator[Writer]:
    if row_format == "xlsx":
        with _sheet_writer(path) as write:
            yield write
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield csv.writer(file, delimiter=separator, lineterminator="\n").writerow


@contextmanager
def _sheet_writer(path: Path) -> Iterator[Writer]:
    options: dict[str, Any] = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "tmpdir": tempfile.gettempdir(),
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        place = 0

        def write(row: Sequence[str]) -> None:
            nonlocal place
            for column, cell in enumerate(row):
                sheet.write_string(place, column, _harmless(cell))
            place += 1

        yield write


def _harmless(cell: str) -> str:
    if not cell.startswith(FORMULA_SIGNS):
        return cell
    return cell if cell[1:].replace(".", "", 1).isdigit() else f"'{cell}"
