"""The board of actions by state: the first cards of each, and what can be done with a card where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.paginator import Page
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import Scope
from apps.core.formats import short_day
from apps.planning.action_filters import ActionFilters, filtered_actions
from apps.planning.ageing import aged_action, new_day
from apps.planning.focuses import planning_rules
from apps.planning.models import Action, PlanningRules
from apps.planning.selectors import (
    PAGE_ROWS,
    STATE_HEADINGS,
    ActionRow,
    action_row,
    actions_of_page,
    in_order,
    with_titles,
)
from apps.planning.states import Step, is_possible

BOARD_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMove:
    """A step that a card can take where it stands; one that asks nothing is done by a button."""

    label: str
    url: str
    is_button: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An action, when it was read, and its steps; no steps where the reader does not manage its unit."""

    row: ActionRow
    seen_at: datetime
    moves: tuple[CardMove, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The actions of one state: how many there are, and the first few."""

    state: str
    heading: str
    count: int
    cards: tuple[Card, ...]

    @property
    def has_more(self) -> bool:
        return self.count > len(self.cards)


def action_board(*, scope: Scope, filters: ActionFilters, as_of: date, managed: Scope) -> list[Column]:
    """The actions in `scope` by state, the first few of each, in a constant number of queries."""
    counts, first = _first_of_each_state(filtered_actions(scope, filters), is_narrow=filters.is_narrow)
    actions = with_titles(Action.objects.filter(pk__in=first)).order_by(*in_order(""))
    cards: dict[str, list[Card]] = {}
    for card in _cards(list(actions), as_of=as_of, managed=managed):
        cards.setdefault(card.row.state, []).append(card)
    return [
        Column(
            state=state, heading=str(heading), count=counts.get(state, 0), cards=tuple(cards.get(state, ()))
        )
        for state, heading in STATE_HEADINGS.items()
        if counts.get(state) or state != Action.State.DRAFT
    ]  # fmt: skip


def card_page(
    *, scope: Scope, filters: ActionFilters, number: str | None, as_of: date, managed: Scope
) -> Page[Card]:
    """One page of the actions in `scope`, what is due first."""
    actions = filtered_actions(scope, filters).order_by(*in_order(filters.state))
    page, found = actions_of_page(actions, number=number, rows=PAGE_ROWS)
    shown = _cards(found, as_of=as_of, managed=managed)
    return Page(shown, page.number, page.paginator)  # type: ignore[arg-type]  # cards stand for the keys


def _cards(actions: Sequence[Action], *, as_of: date, managed: Scope) -> list[Card]:
    rules = planning_rules()
    return [
        Card(
            row=action_row(action, as_of=as_of),
            seen_at=action.updated_at,
            moves=card_moves(action, rules=rules, as_of=as_of) if managed.holds(action.unit.path) else (),
        )
        for action in actions
    ]


def card_moves(action: Action, *, rules: PlanningRules, as_of: date) -> tuple[CardMove, ...]:
    """What leads on from the action's state, puts its start off, or takes it off the board."""
    began = action.effective_on is not None and action.effective_on <= as_of
    is_aged = aged_action(action, rules=rules, as_of=as_of) is not None
    later = new_day(as_of)
    is_sooner = action.planned_on is not None and action.planned_on < later
    start = _("Start on %(day)s") % {"day": short_day(later, as_of)}
    found = [
        (Step.APPLY, "apply", _("Apply"), True, False),
        (Step.CHANGE, "put-off", start, is_sooner or is_aged, True),
        (Step.WITHDRAW, "let-go", _("Let it go"), is_aged, True),
        (Step.WITHDRAW, "withdraw", _("Withdraw"), not is_aged, False),
        (Step.SUSTAIN, "sustain", _("Keep as standard"), began, True),
        (Step.STOP, "stop", _("Stop"), began, False),
    ]
    return tuple(
        CardMove(
            label=label, url=reverse(f"planning:action-{name}", args=[action.external_id]), is_button=is_button
        )
        for step, name, label, is_timely, is_button in found
        if is_timely and is_possible(step, action.state)
    )


def _first_of_each_state(actions: QuerySet[Action], *, is_narrow: bool) -> tuple[Mapping[str, int], Sequence[int]]:
    """How many there are of each state, and the keys of the first of them."""
    if is_narrow:
        # What filters cost is paid once.
        state = F("state")
        numbered = actions.order_by().annotate(
            place=Window(RowNumber(), partition_by=state, order_by=in_order("")),
            total=Window(Count("pk"), partition_by=state),
        )
        found = list(numbered.filter(place__lte=BOARD_ROWS).values_list("pk", "state", "total"))
        return {state: total for _pk, state, total in found}, [pk for pk, _state, _total in found]
    # An index has the first of each state in order.
    counts = dict(actions.order_by().values_list("state").annotate(count=Count("pk")))
    first = [
        actions.filter(state=state).order_by(*in_order(state)).values_list("pk", flat=True)[:BOARD_ROWS]
        for state in STATE_HEADINGS
    ]
    return counts, list(first[0].union(*first[1:], all=True))
