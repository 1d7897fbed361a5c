"""What a reader of files hands over: blocks of rows, and what it could not read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from apps.core.errors import CxplanError

MEBIBYTE = 1024 * 1024
# What a rejects file adds; such a file, mended, may be imported as it is.
REJECT_COLUMNS = ("line", "field", "code", "message")


class FileRefused(CxplanError):
    """A file of which nothing can be imported; says where it went wrong and what helps."""

    def __init__(
        self, message: str, *, code: str, remedy: str, line: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message, field=field)
        self.code = code
        self.line = line
        self.remedy = remedy

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "line": self.line,
            "field": self.field,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file may be in memory, and how far it may unfold."""

    field_characters: int = 100_000
    file_bytes: int = 20 * 1024**3
    row_bytes: int = 16 * MEBIBYTE
    sheet_bytes: int = 512 * MEBIBYTE
    # Text seldom shrinks below a fortieth; a file made to exhaust a disk shrinks to a thousandth.
    unfolding: int = 250
    unfolding_from: int = 32 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row that can't be read; `value` and `detail` fill the message of `code`."""

    line: int
    code: str
    field: str = ""
    value: str = ""
    detail: str = ""
    cells: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Block:
    """Consecutive rows; `lines[i]` is the line of the file on which row i starts.

    A plain block has `text` instead of `rows`: whole lines whose cells are split at the separator and need
    neither unquoting nor escaping, which is much the quickest way through. `is_tame` says that no cell
    holds a backslash, a tab or a line break. `position` is how many bytes of the file were read.
    """

    lines: Sequence[int]
    rows: list[list[str]] = field(default_factory=list)
    text: str | None = None
    is_tame: bool = False
    faults: list[Fault] = field(default_factory=list)
    position: int = 0

    def cells(self, separator: str) -> list[list[str]]:
        return self.rows if self.text is None else [line.split(separator) for line in self.text_lines()]

    def text_lines(self) -> list[str]:
        return (self.text or "").removesuffix("\n").split("\n")


class Table(Protocol):
    """A header and its rows, read once from the first to the last."""

    columns: list[str]
    separator: str
    row_format: str

    def blocks(self) -> Iterator[Block]: ...
