"""How do rows leave a command: as a table for people, CSV for sheets, JSON for programs?"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Any, TextIO

FORMATS = ("table", "csv", "json")
# A spreadsheet program would take a text that begins like this for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def write_rows(rows: Sequence[Any], kind: type[Any], form: str, out: TextIO) -> None:
    """Write dataclass rows of `kind` in the order of its fields; a number that does not exist is empty or null."""
    names = [field.name for field in fields(kind)]
    if form == "json":
        write_json([asdict(row) for row in rows], out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[_cell(getattr(row, name)) for name in names] for row in rows])
    else:
        _write_table(names, [[_short(getattr(row, name)) for name in names] for row in rows], out)


def write_sheet(rows: Sequence[Any], kind: type[Any], out: TextIO) -> None:
    """Write dataclass rows of `kind` as CSV that a spreadsheet opens without running anything in it."""
    names = [field.name for field in fields(kind)]
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([[_harmless(getattr(row, name)) for name in names] for row in rows])


def write_json(document: Sequence[Any] | Mapping[str, Any], out: TextIO) -> None:
    """Exactly one document; NaN and infinity are refused rather than written."""
    # In one piece: the output of a management command ends every piece with a line break.
    out.write(json.dumps(document, default=_plain, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return "|".join(str(part) for part in value)
    # repr keeps every digit of a float, so that CSV and JSON carry the same number.
    return repr(value) if isinstance(value, float) else str(value)


def _harmless(value: object) -> str:
    text = _cell(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_SIGNS) else text


def _short(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else _cell(value)


def _write_table(names: Sequence[str], lines: Sequence[Sequence[str]], out: TextIO) -> None:
    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    table = (names, ["-" * width for width in widths], *lines)
    out.writelines(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in table
    )
