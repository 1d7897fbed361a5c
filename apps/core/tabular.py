"""Opens a file of rows, whatever its format, without trusting what it claims to be."""

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import IO

from django.utils.translation import gettext as _

from apps.core.blocks import MEBIBYTE, FileRefused, Limits, Table
from apps.core.delimited import DelimitedTable, empty_file
from apps.core.records import RecordTable, SheetTable

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
RECORD_SUFFIXES = (".ndjson", ".jsonl")


def open_table(file: IO[bytes], *, name: str, limits: Limits) -> Table:
    """The table in `file`; a gzip file is known by its first bytes, the rest by `name`.

    Raises FileRefused when nothing of it can be imported, here or while its blocks are read.
    """
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
        if head[:2] != GZIP:
            raise _not_gzip(head)
    if not head:
        raise empty_file()
    suffix = suffixes[-1] if suffixes else ""
    if suffix == ".xlsx" and head == ZIP:
        return SheetTable(file, limits=limits, position=file.tell)
    if head in (ZIP, OLD_EXCEL) or suffix == ".xlsx":
        raise FileRefused(
            _("The file is not what its name says."),
            code="format",
            remedy=_(
                "Import .csv, .csv.gz, .ndjson or .xlsx; take other files out of their archive or save them anew."
            ),
        )

    def open_stream() -> IO[bytes]:
        file.seek(0)
        return io.BufferedReader(Unfolding(file, limits=limits), MEBIBYTE) if head[:2] == GZIP else file

    if suffix in RECORD_SUFFIXES:
        return RecordTable(open_stream, limits=limits, position=file.tell)
    return DelimitedTable(open_stream(), limits=limits, position=file.tell)


class Unfolding(io.RawIOBase):
    """A gzip stream that stops before it fills the memory or the disk."""

    def __init__(self, file: IO[bytes], *, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._stream = gzip.GzipFile(fileobj=file, mode="rb")
        self._unfolded = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        data = self._guarded(lambda: self._stream.read(len(buffer)))
        self._unfolded += len(data)
        self._check()
        buffer[: len(data)] = data
        return len(data)

    def _guarded(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileRefused(
                _("The compressed file is damaged or cut off."),
                code="compression",
                remedy=_("Compress it again with gzip, or import the uncompressed file."),
            ) from error

    def _check(self) -> None:
        folded = max(self._file.tell(), 1)
        is_bomb = self._unfolded > self._limits.unfolding_from and self._unfolded > folded * self._limits.unfolding
        if is_bomb or self._unfolded > self._limits.file_bytes:
            raise FileRefused(
                _("The file unfolds to more than %(size)s MB out of %(folded)s kB, which no table does.")
                % {"size": self._unfolded // MEBIBYTE, "folded": folded // 1024 + 1},
                code="unfolds",
                remedy=_("Import the uncompressed file, in parts if it is very large."),
            )


def _not_gzip(head: bytes) -> FileRefused:
    if head == ZIP:
        message = _("The file is named .gz but is a zip archive.")
    else:
        message = _("The file is named .gz but is not compressed with gzip.")
    return FileRefused(
        message,
        code="compression",
        remedy=_("Take the table out of it and import that, as .csv or compressed with gzip."),
    )
