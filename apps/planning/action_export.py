"""The table of actions as a file for a spreadsheet, a share of the rows at a time."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any

import xlsxwriter
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, Unit
from apps.core.languages import localised
from apps.library.models import Solution
from apps.planning.action_filters import ActionFilters, filtered_actions
from apps.planning.action_table import order_of
from apps.planning.models import Action, ActionSolution, Plan
from apps.planning.states import FROZEN
from apps.taxonomy.models import Challenge

CHUNK = 2_000
# A spreadsheet program would take a text that begins like this for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
FIELDS = (
    "pk", "external_id", "unit_id", "challenge_id", "plan_id", "state", "planned_on", "effective_on", "ended_on",
    "owner__name", "owner__email", "owner_label", "is_randomised",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the keys of an action stand for, in the active language; read once for all rows."""

    units: Mapping[int, tuple[str, str]]
    challenges: Mapping[int, str]
    solutions: Mapping[int, str]
    states: Mapping[str, str]
    yes: str
    no: str


class _Echo:
    """Gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(*, scope: Scope, filters: ActionFilters, sort: str) -> Iterator[str]:
    """The whole table, some lines at a time; it opens in a spreadsheet without running anything."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    # The language of whoever asks: the lines are written when the request is over.
    heads, names = _heads(), _names(scope)

    def written() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(heads)
        for rows in _chunks(scope, filters, sort, names):
            yield "".join(writer.writerow([_harmless(cell) for cell in row]) for row in rows)

    return written()


def xlsx_file(*, scope: Scope, filters: ActionFilters, sort: str) -> IO[bytes]:
    """The whole table in a temporary file, read from its beginning."""
    out = TemporaryFile()  # noqa: SIM115 -- whoever sends it closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, _heads())
        place = 0
        for rows in _chunks(scope, filters, sort, _names(scope)):
            for cells in rows:
                place += 1
                for column, cell in enumerate(cells):
                    sheet.write_string(place, column, _harmless(cell))
    out.seek(0)
    return out


def _heads() -> list[str]:
    return [
        _("Id"), _("Unit code"), _("Unit"), _("Challenge"), _("Solutions"), _("State"), _("Planned for"),
        _("In effect since"), _("Ended on"), _("Who"), _("Drawn by lot"),
    ]  # fmt: skip


def _names(scope: Scope) -> _Names:
    challenges = {
        pk: (merged_into, localised(name, name_fr))
        for pk, merged_into, name, name_fr in Challenge.objects.values_list("pk", "merged_into", "name", "name_fr")
    }
    return _Names(
        units={
            pk: (code, localised(name, name_fr))
            for pk, code, name, name_fr in Unit.objects.in_scope(scope).values_list(
                "pk", "code", "name", "name_fr"
            )
        },
        challenges={pk: challenges[merged_into or pk][1] for pk, (merged_into, _name) in challenges.items()},
        solutions={
            pk: localised(title, title_fr)
            for pk, title, title_fr in Solution.objects.values_list("pk", "title", "title_fr")
        },
        states={value: str(label) for value, label in Action.State.choices},
        yes=_("yes"),
        no=_("no"),
    )


def _chunks(scope: Scope, filters: ActionFilters, sort: str, names: _Names) -> Iterator[list[list[str]]]:
    """Rows of text; two queries a share, whatever it holds."""
    rows = filtered_actions(scope, filters).order_by(*order_of(sort)).values_list(*FIELDS).iterator(CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        used = _used(chunk)
        yield [_cells(row, used.get(row[0], ()), names) for row in chunk]


def _used(chunk: Sequence[tuple[Any, ...]]) -> Mapping[int, list[int]]:
    """The solutions of each action: as applied, or before that as planned."""
    frozen = {pk for pk, _id, _unit, _challenge, plan, state, *_rest in chunk if state in FROZEN or plan is None}
    plans = {row[4] for row in chunk if row[0] not in frozen}
    applied = ActionSolution.objects.filter(action__in=frozen).values_list("action", "version__solution")
    planned: dict[int, list[int]] = _grouped(
        Plan.solutions.through.objects.filter(plan__in=plans).values_list("plan", "solution")
    )
    found = _grouped(applied)
    return found | {row[0]: planned.get(row[4], []) for row in chunk if row[0] not in frozen}


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _cells(row: tuple[Any, ...], used: Sequence[int], names: _Names) -> list[str]:
    _pk, external_id, unit_id, challenge_id, _plan, state, planned_on, effective_on, ended_on = row[:9]
    owner_name, owner_email, owner_label, is_drawn = row[9:]
    code, unit = names.units[unit_id]
    titles = sorted((names.solutions[pk] for pk in used), key=str.casefold)
    return [
        external_id,
        code,
        unit,
        names.challenges[challenge_id],
        " + ".join(titles),
        names.states[state],
        *map(_day, (planned_on, effective_on, ended_on)),
        owner_name or owner_email or owner_label,
        names.yes if is_drawn else names.no,
    ]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell
