"""Turns blocks of rows into text for COPY, doing as little as possible for rows that are as they should be."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.core.blocks import Block, Fault
from apps.core.fields import SURE_INSTANTS, Field

COPY_BYTES = 16 * 1024 * 1024
FAULT_BYTES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text for COPY. A `raw_mark` says that its rows come without numbers and all have this mark.

    Pieces of one `part` go into one COPY, `first` is the number of the first row or fault, `position` how much of
    the file was read.
    """

    text: str
    raw_mark: str
    part: int
    first: int
    row_count: int
    faults: list[Fault]
    position: int


class SureChecks:
    """Tells which rows have cells that the database can take without another look."""

    def __init__(self, fields: Sequence[Field], names: Sequence[str], separator: str) -> None:
        by_name = {one.name: one for one in fields}
        self._styles = list(SURE_INSTANTS)
        self._texts = {}
        self._cells = {}
        other = f"[^{re.escape(separator)}\\n]*"
        for style, instants in SURE_INSTANTS.items():
            patterns = [by_name[name].sure_pattern(instants) if name in by_name else "" for name in names]
            line = re.escape(separator).join(one or other for one in patterns)
            # Atomic, so that a block of many lines leaves no place in each of them to come back to.
            self._texts[style] = re.compile(rf"(?>{line}\n)*+").fullmatch
            self._cells[style] = [(i, re.compile(one).fullmatch) for i, one in enumerate(patterns) if one]

    def mark(self, block: Block) -> str:
        """The mark of all rows of the block, empty when they differ or some are not sure."""
        for style in self._styles:
            if self._are_all(block, style):
                # Files keep to one style: it is tried first from now on.
                self._styles.sort(key=lambda other: other != style)
                return style
        return ""

    def _are_all(self, block: Block, style: str) -> bool:
        if block.text is not None:
            return self._texts[style](block.text) is not None
        return all(all(map(match, [row[i] for row in block.rows])) for i, match in self._cells[style])

    def marks(self, rows: list[list[str]]) -> list[str]:
        """A mark for each row, empty for "not sure"."""
        return [
            next((s for s in self._styles if all(match(row[i]) for i, match in self._cells[s])), "")
            for row in rows
        ]


def copy_pieces(blocks: Iterator[Block], *, separator: str, checks: SureChecks | None) -> Iterator[Piece]:
    """The text of every block; the columns are no, line, sure (with `checks`) and the file's own."""
    row_count = written = 0
    # Rows that are sure and stand in the lines after the header are numbered by the database.
    may_be_raw = checks is not None
    for block in blocks:
        count = len(block.lines)
        mark = checks.mark(block) if checks is not None and count else ""
        may_be_raw = may_be_raw and not block.faults and _is_raw(block, mark, row_count)
        if may_be_raw and block.text is not None:
            text = block.text if separator == "\t" else block.text.replace(separator, "\t")
        else:
            text = _numbered(block, separator, first=row_count + 1, mark=mark, checks=checks)
        yield Piece(
            text=text,
            raw_mark=mark if may_be_raw else "",
            part=written // COPY_BYTES,
            first=row_count + 1,
            row_count=count,
            faults=block.faults,
            position=block.position,
        )
        row_count += count + len(block.faults)
        written += len(text) + FAULT_BYTES * len(block.faults)


def _is_raw(block: Block, mark: str, row_count: int) -> bool:
    return not block.lines or (mark != "" and block.text is not None and block.lines[0] == row_count + 2)


def _numbered(block: Block, separator: str, *, first: int, mark: str, checks: SureChecks | None) -> str:
    if not block.lines:
        return ""
    if block.text is not None:
        whole = block.text if separator == "\t" else block.text.replace(separator, "\t")
        cells = whole.removesuffix("\n").split("\n")
    else:
        cells = list(map("\t".join, block.rows if block.is_tame else map(_escaped, block.rows)))
    numbered = enumerate(zip(block.lines, cells, strict=True), first)
    if checks is None:
        return "\n".join([f"{no}\t{line}\t{row}" for no, (line, row) in numbered]) + "\n"
    if mark:
        return "\n".join([f"{no}\t{line}\t{mark}\t{row}" for no, (line, row) in numbered]) + "\n"
    marks = checks.marks(block.cells(separator))
    return (
        "\n".join([f"{no}\t{line}\t{one}\t{row}" for one, (no, (line, row)) in zip(marks, numbered, strict=True)])
        + "\n"
    )


def _escaped(row: list[str]) -> list[str]:
    return [
        cell.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r") for cell in row
    ]
