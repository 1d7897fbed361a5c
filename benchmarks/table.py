"""How does a bench tell its figures?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure.

    Attributes
    ----------
    bench, what : str
        Which bench, and what was measured.
    value : float
        The figure.
    unit : str
        Its unit.
    reference : str
        Name of what it is compared with, or of its limit.
    against : float or None
        The reference's figure in the same unit.
    passed : bool or None
        Whether a limit holds; None when there is none.
    """

    bench: str
    what: str
    value: float
    unit: str = ""
    reference: str = ""
    against: float | None = None
    passed: bool | None = None


def cells(row: Row) -> list[str]:
    """A row as text: value, reference, ratio, verdict."""
    ratio = f"{row.value / row.against:.2f}" if row.against else ""
    verdict = {True: "holds", False: "FAILS", None: ""}[row.passed]
    reference = row.reference if row.against is None else f"{row.reference} {row.against:.3g}"
    return [row.bench, row.what, f"{row.value:.3g} {row.unit}".strip(), reference, ratio, verdict]


def show(rows: Sequence[Row]) -> str:
    """All rows as one aligned table."""
    head = ["bench", "what", "figure", "reference", "ratio", ""]
    lines = [head, *(cells(row) for row in rows)]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(text.ljust(width[i]) for i, text in enumerate(line)).rstrip() for line in lines)


def write_figures(page: str, marker: str, rows: Sequence[Row]) -> None:
    """Put rows as a table between `<!-- figures:MARKER -->` and `<!-- /figures -->` of a page under docs/."""
    write_table(page, marker, ["what", "figure", "reference", "ratio", ""], [cells(row)[1:] for row in rows])


def write_table(page: str, marker: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Put any table between the same marks."""
    path = DOCS / page
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- figures:{marker} -->", "<!-- /figures -->"
    at = text.index(begin) + len(begin)
    stop = text.index(end, at)
    table = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    table += ["| " + " | ".join(line) + " |" for line in lines]
    path.write_text(text[:at] + "\n" + "\n".join(table) + "\n" + text[stop:], encoding="utf-8")
