"""Actions as rows to sort."""

from dataclasses import dataclass
from datetime import date

from django.core.paginator import Page
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext as _

from apps.accounts.models import Scope
from apps.planning.action_filters import ActionFilters, filtered_actions
from apps.planning.models import Action
from apps.planning.selectors import actions_of_page, solutions_of

ROWS_A_PAGE = 50
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
    actions = filtered_actions(scope, filters).order_by(*order_of(sort))
    page, found = actions_of_page(actions, number=number, rows=ROWS_A_PAGE)
    rows = [_row(action) for action in found]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # rows stand for the keys


def order_of(sort: str) -> list[OrderBy]:
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
