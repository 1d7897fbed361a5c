"""What people write into a table of past actions, as the format of files names it: columns, days, names."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

# Headings without accents and case; those of the product's own table in both languages, and what is close to them.
COLUMNS = {
    "external_id": ("id", "identifiant"),
    "unit": ("unite", "unit code", "code d'unite", "code de l'unite", "code unite", "ou", "where"),
    "challenge": ("defi", "probleme", "problem"),
    "solutions": ("solution",),
    "effective_on": (
        "date", "since", "in effect since", "in place since", "depuis", "en place depuis", "en vigueur depuis",
        "date d'effet", "debut",
    ),
    "ended_on": ("until", "ended on", "ended", "end", "fin", "termine le", "terminee le", "jusqu'au"),
    "fidelity": ("fidelite",),
    "cost": ("cout", "cout reel", "actual cost"),
    "note": ("notes", "comment", "commentaire", "remarque"),
}  # fmt: skip
MONTHS = (
    ("january", "janvier", "jan", "janv"), ("february", "fevrier", "feb", "fevr", "fev"), ("march", "mars", "mar"),
    ("april", "avril", "apr", "avr"), ("may", "mai"), ("june", "juin", "jun"), ("july", "juillet", "jul", "juil"),
    ("august", "aout", "aug"), ("september", "septembre", "sep", "sept"), ("october", "octobre", "oct"),
    ("november", "novembre", "nov"), ("december", "decembre", "dec"),
)  # fmt: skip
DAYS = ("effective_on", "ended_on", "planned_on")
_ACCENTS = str.maketrans("àâäçéèêëîïôöùûü’", "aaaceeeeiioouuu'")
_COLUMN = {said: column for column, all_said in COLUMNS.items() for said in (column, *all_said)}
_MONTH = {said: number for number, all_said in enumerate(MONTHS, start=1) for said in all_said}
_NUMBERS = re.compile(r"(\d{1,2})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:er|st|nd|rd|th|\.)?\s+([a-z]+)\.?,?\s+(\d{4})")
_MONTH_FIRST = re.compile(r"([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")


def plain(text: str) -> str:
    """Without accents, case and spare spaces."""
    return " ".join(text.lower().translate(_ACCENTS).split())


def column_of(heading: str) -> str:
    """The column of the format that a heading means; another heading as it is."""
    return _COLUMN.get(plain(heading), heading)


def day_of(text: str, *, is_day_first: bool) -> str:
    """A day as 2026-03-14; what can't be read, or could be two days, as it is."""
    said = plain(text)
    if match := _NUMBERS.fullmatch(said):
        first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
        # With dots the day always comes first; a number above twelve is no month.
        if mark == "." or is_day_first or first > 12:
            return _iso(year, second, first) or text
        return _iso(year, first, second) if second > 12 and _iso(year, first, second) else text
    if (match := _DAY_FIRST.fullmatch(said)) and match[2] in _MONTH:
        return _iso(int(match[3]), _MONTH[match[2]], int(match[1])) or text
    if (match := _MONTH_FIRST.fullmatch(said)) and match[1] in _MONTH:
        return _iso(int(match[3]), _MONTH[match[1]], int(match[2])) or text
    return text


def codes_of(text: str, names: Mapping[str, str], *, is_list: bool = False) -> str:
    """Names in place of codes are looked up; what is no known name stays."""
    if not is_list:
        return names.get(plain(text), text)
    parts = [part.strip() for part in re.split(r"\s*[|;]\s*|\s+\+\s+", text) if part.strip()]
    return "|".join(names.get(plain(part), part) for part in parts)


def read(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    names: Mapping[str, Mapping[str, str]],
    is_day_first: bool,
) -> tuple[list[str], list[list[str]]]:
    """The same table in the words of the format; `names` are the codes by plain name, of each column of codes."""
    heads = [column_of(heading) for heading in columns]
    # A second column of the same meaning keeps its own heading, which is refused or overlooked by the import.
    heads = [said if heads.index(said) == at else columns[at] for at, said in enumerate(heads)]

    def cell(head: str, text: str) -> str:
        if head in DAYS:
            return day_of(text, is_day_first=is_day_first)
        return codes_of(text, names[head], is_list=head == "solutions") if head in names else text

    return heads, [[cell(head, text) for head, text in zip(heads, row, strict=True)] for row in rows]


def _iso(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""
