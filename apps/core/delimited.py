"""Reads text tables with a separator (RFC 4180) block by block, however broken a row may be."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from django.utils.translation import gettext as _

from apps.core.blocks import MEBIBYTE, REJECT_COLUMNS, Block, Fault, FileRefused, Limits

SEPARATORS = ",;\t"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The csv module's own limit would end a row in its middle and take the rest for rows.
csv.field_size_limit(2**31 - 1)


class DelimitedTable:
    """A .csv file as blocks of rows; `position` tells how many bytes of the file were read."""

    row_format = "csv"

    def __init__(self, stream: IO[bytes], *, limits: Limits, position: Callable[[], int]) -> None:
        self._stream = stream
        self._limits = limits
        self._position = position
        head = self._read_head()
        # Files of old Macs end their lines with a carriage return alone.
        self._is_old_mac = b"\n" not in head and b"\r" in head
        if self._is_old_mac:
            head = head.replace(b"\r", b"\n")
        header, self._pending = _split_header(head)
        self.separator, self.columns = _read_header(header)
        self._line = header.count(b"\n") + 1
        self._width = self._kept = len(self.columns)
        if self._width > len(REJECT_COLUMNS) and tuple(self.columns[-len(REJECT_COLUMNS) :]) == REJECT_COLUMNS:
            self._kept -= len(REJECT_COLUMNS)
            self.columns = self.columns[: self._kept]
        check_columns(self.columns)

    def _read_head(self) -> bytes:
        head = self._stream.read(MEBIBYTE)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or 3 * head[:300].count(b"\0") > len(head[:300]):
            raise FileRefused(
                _("The file is written in UTF-16."),
                code="encoding",
                line=1,
                remedy=_("Save it as “CSV UTF-8” and import it again."),
            )
        head = head.removeprefix(BYTE_ORDER_MARK)
        if not head.strip(b"\r\n\t ,;"):
            raise empty_file()
        return head

    def _read(self) -> bytes:
        chunk = self._stream.read(MEBIBYTE)
        return chunk.replace(b"\r", b"\n") if self._is_old_mac else chunk

    def blocks(self) -> Iterator[Block]:
        pending = self._pending
        carried = ""  # the text of a row whose quotation mark is still open
        is_last = False
        while not is_last:
            chunk = self._read()
            is_last = not chunk
            pending += chunk
            cut = len(pending) if is_last else pending.rfind(b"\n") + 1
            raw, pending = pending[:cut], pending[cut:]
            if raw:
                block, carried = self._block(raw, carried, is_last=is_last)
                yield block
            if len(carried) + len(pending) > self._limits.row_bytes:
                block, pending = self._give_up(carried, pending)
                carried = ""
                yield block
        if carried:
            yield from self._unclosed(carried)

    def _block(self, raw: bytes, carried: str, *, is_last: bool) -> tuple[Block, str]:
        text, is_clean = _decode(raw)
        if carried:
            if '"' not in text and not is_last:
                return Block(lines=[], position=self._position()), carried + text
            return self._parse(carried + text, is_clean=False)
        plain = self._plain(text) if is_clean else None
        return (plain, "") if plain is not None else self._parse(text, is_clean=is_clean)

    def _plain(self, text: str) -> Block | None:
        """The block when its lines can be split at the separator, else None."""
        separator = self.separator
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        if self._kept != self._width or self._width < 2:
            return None
        odd = ['"', "\\", "\r", f" {separator}", f"{separator} ", " \n", "\n "]
        if separator != "\t":
            odd.append("\t")
        if text.startswith(" ") or any(sign in text for sign in odd):
            return None
        lines = text.removesuffix("\n").split("\n")
        if {line.count(separator) for line in lines} != {self._width - 1}:
            return None
        if max(map(len, lines)) > self._limits.field_characters or separator * (self._width - 1) in lines:
            return None
        first, self._line = self._line, self._line + len(lines)
        whole = text if text.endswith("\n") else text + "\n"
        return Block(lines=range(first, self._line), text=whole, is_tame=True, position=self._position())

    def _parse(self, text: str, *, is_clean: bool) -> tuple[Block, str]:
        """The rows of `text`, and what is left of it when its last row is not closed."""
        reader = csv.reader(
            io.StringIO(text, newline="\n"), delimiter=self.separator, strict=True, skipinitialspace=True
        )
        rows: list[list[str]] = []
        lines: list[int] = []
        faults: list[Fault] = []
        first = self._line
        before = 0
        carried = ""
        while True:
            try:
                for row in reader:
                    rows.append(row)
                    lines.append(first + before)
                    before = reader.line_num
                break
            except csv.Error as error:
                if str(error) == "unexpected end of data":
                    carried = text[_offset_of_line(text, before) :]
                    break
                faults.append(Fault(line=first + before, code="quote", cells=[_line_at(text, before)[:1000]]))
                before = reader.line_num
        self._line = first + before
        is_tame = (
            before == len(rows)
            and "\\" not in text
            and "\t" not in text
            and text.count("\r") == text.count("\r\n")
        )
        block = Block(lines=lines, rows=rows, faults=faults, is_tame=is_tame, position=self._position())
        self._check(
            block, is_clean=is_clean, is_short=max(map(len, text.split("\n"))) <= self._limits.field_characters
        )
        return block, carried

    def _check(self, block: Block, *, is_clean: bool, is_short: bool) -> None:
        """Strip cells, and take the rows that can't be used out of the block."""
        kept = self._kept
        rows = [[cell.strip() for cell in row] for row in block.rows]
        is_whole = is_clean and is_short and block.is_tame
        if is_whole and all(len(row) == self._width and any(row) for row in rows):
            block.rows = rows if kept == self._width else [row[:kept] for row in rows]
            return
        good_rows, good_lines = [], []
        for line, row in zip(block.lines, rows, strict=True):
            if not any(row):
                continue
            fault = self._fault(line, row)
            if fault is None:
                good_rows.append(row[:kept])
                good_lines.append(line)
            else:
                block.faults.append(fault)
        block.rows, block.lines = good_rows, good_lines
        block.faults.sort(key=lambda fault: fault.line)

    def _fault(self, line: int, row: list[str]) -> Fault | None:
        if len(row) != self._width:
            return Fault(
                line=line, code="columns", value=str(len(row)), detail=str(self._width), cells=self._fitted(row)
            )
        return cell_fault(line, self.columns, row, self._limits)

    def _fitted(self, row: list[str]) -> list[str]:
        """As many cells as there are columns; what is too many goes into the last one."""
        kept = self._kept
        if len(row) > kept:
            row = [*row[: kept - 1], self.separator.join(row[kept - 1 :])]
        return shortened(row)

    def _give_up(self, carried: str, pending: bytes) -> tuple[Block, bytes]:
        """Skip a row that is too long to hold; it ends where its quotation marks are even in number."""
        begun = carried + pending[:1000].decode("utf-8", "replace")
        fault = Fault(
            line=self._line,
            code="row_too_long",
            detail=str(self._limits.row_bytes // MEBIBYTE),
            cells=shortened([begun]),
        )
        marks, lines = carried.count('"'), carried.count("\n")
        while pending:
            start = 0
            while (end := pending.find(b"\n", start)) >= 0:
                marks += pending.count(b'"', start, end)
                lines += 1
                start = end + 1
                if marks % 2 == 0:
                    self._line += lines
                    return Block(lines=[], faults=[fault], position=self._position()), pending[start:]
            marks += pending.count(b'"', start)
            pending = self._read()
        self._line += lines
        return Block(lines=[], faults=[fault], position=self._position()), b""

    def _unclosed(self, carried: str) -> Iterator[Block]:
        """Refuse the row that opened the quotation mark and read on in its next line."""
        for _attempt in range(100):
            opened, _newline, carried = carried.partition("\n")
            fault = Fault(line=self._line, code="quote", cells=shortened([opened]))
            yield Block(lines=[], faults=[fault], position=self._position())
            self._line += 1
            if not carried:
                return
            block, carried = self._parse(carried, is_clean=False)
            yield block
            if not carried:
                return


def empty_file() -> FileRefused:
    return FileRefused(
        _("The file is empty."),
        code="empty_file",
        line=1,
        remedy=_("Export it again: it needs a header row and rows of data under it."),
    )


def check_columns(columns: Sequence[str]) -> None:
    seen: set[str] = set()
    for column in columns:
        lowered = column.lower()
        if lowered and lowered in seen:
            raise FileRefused(
                _("The header names the column “%(column)s” twice.") % {"column": column},
                code="duplicate_column",
                line=1,
                field=column,
                remedy=_("Keep one of the two and import the file again."),
            )
        seen.add(lowered)


def cell_fault(line: int, columns: Sequence[str], row: Sequence[str], limits: Limits) -> Fault | None:
    """What makes a cell of the row unusable, if anything does."""
    for column, cell in zip(columns, row, strict=False):
        if len(cell) > limits.field_characters:
            return Fault(
                line=line,
                code="too_long",
                field=column,
                value=str(len(cell)),
                detail=str(limits.field_characters),
                cells=shortened(row),
            )
        if "\0" in cell:
            return Fault(line=line, code="nul", field=column, cells=shortened(row))
        if not _is_encodable(cell):
            return Fault(line=line, code="encoding", field=column, cells=shortened(row))
    return None


def shortened(row: Sequence[str]) -> list[str]:
    """Cells fit to be shown and written: no lost bytes, no NUL, no more than a page each."""
    return [
        cell[:1000].encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "�")
        + ("…" if len(cell) > 1000 else "")
        for cell in row
    ]


def _is_encodable(cell: str) -> bool:
    if cell.isascii():
        return True
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(raw: bytes) -> tuple[str, bool]:
    """The text and whether it is faultless; bytes that are not UTF-8 survive as lone surrogates."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape"), False
    return text, "\0" not in text


def _split_header(head: bytes) -> tuple[bytes, bytes]:
    start = marks = 0
    has_text = False
    while (end := head.find(b"\n", start)) >= 0:
        marks += head.count(b'"', start, end)
        has_text = has_text or bool(head[start:end].strip())
        start = end + 1
        if marks % 2 == 0 and has_text:
            return head[:start], head[start:]
    return head, b""


def _read_header(header: bytes) -> tuple[str, list[str]]:
    try:
        text = header.decode().strip("\r\n")
    except UnicodeDecodeError as error:
        raise FileRefused(
            _("The header row holds bytes that are not UTF-8."),
            code="encoding",
            line=1,
            remedy=_("Save the file as “CSV UTF-8” and import it again."),
        ) from error
    if len(text) > MEBIBYTE // 2 or "\0" in text:
        raise FileRefused(
            _("The first line is no header row."),
            code="header",
            line=1,
            remedy=_("The first line has to name the columns, separated by commas or semicolons."),
        )
    candidates = {separator: _header_cells(text, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda sign: len(candidates[sign]))
    return separator, candidates[separator]


def _header_cells(text: str, separator: str) -> list[str]:
    row = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True), [])
    return [cell.strip() for cell in row]


def _offset_of_line(text: str, index: int) -> int:
    offset = 0
    for _step in range(index):
        offset = text.index("\n", offset) + 1
    return offset


def _line_at(text: str, index: int) -> str:
    offset = _offset_of_line(text, index)
    return text[offset:].partition("\n")[0]
