"""Actions as rows to sort, and as a file for a spreadsheet."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO

import xlsxwriter
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext as _

from apps.accounts.models import Scope
from apps.planning.models import Action
from apps.planning.selectors import ActionFilters, filtered_actions, solutions_of, with_solutions

ROWS_A_PAGE = 50
CHUNK = 1_000
# A spreadsheet program would take a text that begins like this for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
SORTS = {
    "unit": F("unit__name"),
    "challenge": F("challenge__name"),
    "state": F("state"),
    "planned": F("planned_on"),
    "since": F("effective_on"),
    "ended": F("ended_on"),
    "owner": F("owner__name"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    external_id: str
    unit_code: str
    unit: str
    challenge: str
    solutions: str
    state: str
    planned_on: date | None
    effective_on: date | None
    ended_on: date | None
    owner: str
    is_drawn: bool


class _Echo:
    """Gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def columns() -> list[tuple[str, str]]:
    """What can be sorted by, and how it is called."""
    return [
        ("unit", _("Unit")),
        ("challenge", _("Challenge")),
        ("", _("Solutions")),
        ("state", _("State")),
        ("planned", _("Planned for")),
        ("since", _("In effect since")),
        ("ended", _("Ended on")),
        ("owner", _("Who")),
    ]


def table_page(*, scope: Scope, filters: ActionFilters, sort: str, number: str | None) -> Page[TableRow]:
    actions = with_solutions(filtered_actions(scope, filters)).order_by(*_order(sort))
    page = Paginator(actions, ROWS_A_PAGE).get_page(number)
    rows = [_row(action) for action in page.object_list]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the actions


def csv_lines(*, scope: Scope, filters: ActionFilters, sort: str) -> Iterator[str]:
    """The whole table, a line at a time; it opens in a spreadsheet without running anything."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield "\ufeff" + writer.writerow(_heads())
    for row in _rows(_all(scope, filters, sort)):
        yield writer.writerow([_harmless(cell) for cell in row])


def xlsx_bytes(*, scope: Scope, filters: ActionFilters, sort: str) -> bytes:
    out = BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, _heads())
        for place, cells in enumerate(_rows(_all(scope, filters, sort)), start=1):
            for column, cell in enumerate(cells):
                sheet.write_string(place, column, _harmless(cell))
    return out.getvalue()


def _all(scope: Scope, filters: ActionFilters, sort: str) -> QuerySet[Action]:
    return with_solutions(filtered_actions(scope, filters)).order_by(*_order(sort))


def _order(sort: str) -> list[OrderBy]:
    column = SORTS.get(sort.removeprefix("-"), SORTS["since"])
    falls = sort.startswith("-") or sort.removeprefix("-") not in SORTS
    return [column.desc(nulls_last=True) if falls else column.asc(nulls_last=True), F("pk").desc()]


def _row(action: Action) -> TableRow:
    return TableRow(
        external_id=action.external_id,
        unit_code=action.unit.code,
        unit=action.unit.display_name,
        challenge=action.challenge.standing.display_name,
        solutions=" + ".join(solution.display_title for solution in solutions_of(action)),
        state=action.get_state_display(),
        planned_on=action.planned_on,
        effective_on=action.effective_on,
        ended_on=action.ended_on,
        owner=str(action.owner or action.owner_label),
        is_drawn=action.is_randomised,
    )


def _heads() -> list[str]:
    return [
        _("Id"), _("Unit code"), _("Unit"), _("Challenge"), _("Solutions"), _("State"), _("Planned for"),
        _("In effect since"), _("Ended on"), _("Who"), _("Drawn by lot"),
    ]  # fmt: skip


def _rows(actions: QuerySet[Action]) -> Iterator[list[str]]:
    for action in actions.iterator(chunk_size=CHUNK):
        row = _row(action)
        days = [day.isoformat() if day else "" for day in (row.planned_on, row.effective_on, row.ended_on)]
        drawn = _("yes") if row.is_drawn else _("no")
        texts = [row.external_id, row.unit_code, row.unit, row.challenge, row.solutions, row.state]
        yield [*texts, *days, row.owner, drawn]


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell
