"""Reads .ndjson and .xlsx files as tables."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import IO, Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from apps.core.blocks import MEBIBYTE, REJECT_COLUMNS, Block, Fault, FileRefused, Limits
from apps.core.delimited import cell_fault, check_columns, empty_file, shortened

BLOCK_ROWS = 5_000


class RecordTable:
    """One JSON object a line; its columns are all keys that occur, so the file is read twice."""

    row_format = "csv"
    separator = ","

    def __init__(
        self, open_stream: Callable[[], IO[bytes]], *, limits: Limits, position: Callable[[], int]
    ) -> None:
        self._limits = limits
        self._position = position
        self._open = open_stream
        keys: dict[str, None] = {}
        is_empty = True
        for _line, raw in _lines(open_stream(), limits):
            is_empty = is_empty and not (raw or b"x").strip()
            record = _record(raw)
            if isinstance(record, dict):
                keys.update(dict.fromkeys(record))
        if is_empty:
            raise empty_file()
        if not keys:
            raise FileRefused(
                _("No line of the file is a JSON object."),
                code="json",
                line=1,
                remedy=_('Write one object a line, such as {"code": "paris", "name": "Paris"}.'),
            )
        self.columns = list(keys)
        if len(keys) > len(REJECT_COLUMNS) and tuple(self.columns[-len(REJECT_COLUMNS) :]) == REJECT_COLUMNS:
            self.columns = self.columns[: -len(REJECT_COLUMNS)]
        check_columns(self.columns)

    def blocks(self) -> Iterator[Block]:
        block = Block(lines=[])
        lines: list[int] = []
        for number, raw in _lines(self._open(), self._limits):
            if raw is not None and not raw.strip():
                continue
            row, fault = self._row(number, raw)
            if fault is not None:
                block.faults.append(fault)
            elif row is not None:
                lines.append(number)
                block.rows.append(row)
            if len(block.rows) >= BLOCK_ROWS:
                block.lines, block.position = lines, self._position()
                yield block
                block, lines = Block(lines=[]), []
        block.lines, block.position = lines, self._position()
        yield block

    def _row(self, number: int, raw: bytes | None) -> tuple[list[str] | None, Fault | None]:
        if raw is None:
            return None, Fault(line=number, code="row_too_long", detail=str(self._limits.row_bytes // MEBIBYTE))
        record = _record(raw)
        if not isinstance(record, dict):
            is_text = _is_utf8(raw)
            shown = shortened([raw.decode("utf-8", "replace")])
            return None, Fault(line=number, code="json" if is_text else "encoding", cells=shown)
        row = []
        for column in self.columns:
            cell = _json_cell(record.get(column))
            if cell is None:
                return None, Fault(line=number, code="nested", field=column)
            row.append(cell.strip())
        return row, cell_fault(number, self.columns, row, self._limits)


class SheetTable:
    """The first sheet of an .xlsx workbook."""

    row_format = "xlsx"
    separator = ","

    def __init__(self, stream: IO[bytes], *, limits: Limits, position: Callable[[], int]) -> None:
        self._limits = limits
        self._position = position
        _check_archive(stream, limits)
        try:
            sheet = CalamineWorkbook.from_filelike(stream).get_sheet_by_index(0)
        except (CalamineError, IndexError, OSError, ValueError) as error:
            raise _unreadable_workbook() from error
        start = sheet.start
        if start is None:
            raise empty_file()
        self._first = start[0] + 1
        self._rows = iter(sheet.to_python(skip_empty_area=True))
        self.columns = [_sheet_cell(cell).strip() for cell in next(self._rows, [])]
        while self.columns and not self.columns[-1]:
            self.columns.pop()
        self._kept = len(self.columns)
        if self._kept > len(REJECT_COLUMNS) and tuple(self.columns[-len(REJECT_COLUMNS) :]) == REJECT_COLUMNS:
            self._kept -= len(REJECT_COLUMNS)
            self.columns = self.columns[: self._kept]
        if not self.columns:
            raise empty_file()
        check_columns(self.columns)

    def blocks(self) -> Iterator[Block]:
        block = Block(lines=[])
        lines: list[int] = []
        for number, cells in enumerate(self._rows, self._first + 1):
            row = [_sheet_cell(cell).strip() for cell in cells[: self._kept]]
            if not any(row):
                continue
            row += [""] * (self._kept - len(row))
            fault = cell_fault(number, self.columns, row, self._limits)
            if fault is not None:
                block.faults.append(fault)
                continue
            lines.append(number)
            block.rows.append(row)
            if len(lines) >= BLOCK_ROWS:
                block.lines, block.position = lines, self._position()
                yield block
                block, lines = Block(lines=[]), []
        block.lines, block.position = lines, self._position()
        yield block


def _lines(stream: IO[bytes], limits: Limits) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one that is too long to hold."""
    number = 0
    while line := stream.readline(limits.row_bytes):
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.endswith(b"\n") and len(line) >= limits.row_bytes:
            while (rest := stream.readline(MEBIBYTE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, line


def _record(raw: bytes | None) -> object:
    if raw is None:
        return None
    try:
        return json.loads(raw.decode(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _json_cell(value: object) -> str | None:
    """The cell as it would stand in a .csv file, or None for what can't stand in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [_json_cell(item) for item in value]
        return None if any(part is None for part in parts) else "|".join(part for part in parts if part)
    return None


def _sheet_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep="T")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value)


def _check_archive(stream: IO[bytes], limits: Limits) -> None:
    """Look at what the workbook would unfold to before anything unfolds it."""
    try:
        with zipfile.ZipFile(stream) as archive:
            unfolded = sum(member.file_size for member in archive.infolist())
            folded = sum(member.compress_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _unreadable_workbook() from error
    is_bomb = unfolded > limits.unfolding_from and unfolded > folded * limits.unfolding
    if unfolded > limits.sheet_bytes or is_bomb:
        raise FileRefused(
            _("The workbook unfolds to %(size)s MB.") % {"size": unfolded // MEBIBYTE},
            code="unfolds",
            remedy=_("Save the sheet as CSV UTF-8 and import that file."),
        )
    stream.seek(0)


def _unreadable_workbook() -> FileRefused:
    return FileRefused(
        _("The file is no readable .xlsx workbook."),
        code="workbook",
        remedy=_("Open it in a spreadsheet program, save it as .xlsx without a password, and import it again."),
    )
