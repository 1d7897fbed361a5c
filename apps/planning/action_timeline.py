"""What was in effect in which unit when: bars over weeks, a row a unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Scope, Unit
from apps.core.periods import WEEK, week_of
from apps.planning.models import Action, Event
from apps.planning.selectors import ActionFilters, filtered_actions, solutions_of, when, with_solutions

WEEKS, WEEKS_BEFORE, WEEKS_A_MARK = 24, 16, 4
UNITS_A_PAGE = 20
EVENTS_SHOWN = 200
ROW, GAP = 14, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Where an action lies in the drawing, `WEEKS` units wide; `is_open` has not begun."""

    external_id: str
    label: str
    state: str
    when: str
    x: str
    width: str
    y: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An event in the background."""

    name: str
    x: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLane:
    unit: str
    bars: tuple[Bar, ...]
    bands: tuple[Band, ...]
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    start: date
    marks: tuple[date, ...]
    today: str
    lanes: Page[UnitLane]

    @property
    def earlier(self) -> date:
        return self.start - WEEKS // 2 * WEEK

    @property
    def later(self) -> date:
        return self.start + WEEKS // 2 * WEEK


def timeline(
    *, scope: Scope, filters: ActionFilters, start: date | None, number: str | None, as_of: date
) -> Timeline:
    """A window of `WEEKS` weeks, in a constant number of queries."""
    first = week_of(start) if start else week_of(as_of) - WEEKS_BEFORE * WEEK
    last = first + WEEKS * WEEK
    actions = _within(filtered_actions(scope, filters), first, last)
    units = Unit.objects.filter(Exists(actions.filter(unit=OuterRef("pk")))).order_by("name", "pk")
    page = Paginator(units, UNITS_A_PAGE).get_page(number)
    shown = list(page.object_list)
    by_unit: dict[int, list[Action]] = {}
    for action in with_solutions(actions.filter(unit__in=shown)).order_by("effective_on", "planned_on", "pk"):
        by_unit.setdefault(action.unit_id, []).append(action)
    events = list(
        Event.objects.filter(Q(unit__in=shown) | Q(unit=None), starts_on__lt=last)
        .filter(Q(ends_on=None) | Q(ends_on__gte=first))
        .order_by("starts_on", "pk")[:EVENTS_SHOWN]
    )
    lanes = [_lane(unit, by_unit.get(unit.pk, []), events, first, last, as_of) for unit in shown]
    return Timeline(
        start=first,
        marks=tuple(first + k * WEEK for k in range(0, WEEKS, WEEKS_A_MARK)),
        today=_place(as_of, first) if first <= as_of < last else "",
        lanes=Page(lanes, page.number, page.paginator),  # type: ignore[arg-type]  # lanes stand for the units
    )


def _within(actions: QuerySet[Action], first: date, last: date) -> QuerySet[Action]:
    runs = Q(effective_on__lt=last) & (Q(ended_on=None) | Q(ended_on__gt=first))
    return actions.filter(runs | Q(effective_on=None, planned_on__gte=first, planned_on__lt=last))


def _lane(
    unit: Unit, actions: Sequence[Action], events: Iterable[Event], first: date, last: date, as_of: date
) -> UnitLane:
    ends: list[date] = []
    bars = []
    for action in actions:
        since = action.effective_on or action.planned_on or first
        until = action.ended_on or (last if action.effective_on else since + 2 * WEEK)
        level = next((k for k, end in enumerate(ends) if end <= since), len(ends))
        ends[level : level + 1] = [until]
        left, right = max(since, first), min(until, last)
        bars.append(
            Bar(
                external_id=action.external_id,
                label=" + ".join(solution.display_title for solution in solutions_of(action)),
                state=action.get_state_display(),
                when=when(action, as_of=as_of),
                x=_place(left, first),
                width=_span(left, right),
                y=level * (ROW + GAP) + GAP,
                is_open=action.effective_on is None,
            )
        )
    bands = [
        Band(
            name=event.name,
            x=_place(max(event.starts_on, first), first),
            width=_span(max(event.starts_on, first), min((event.ends_on or last) + timedelta(days=1), last)),
        )
        for event in events
        if event.unit_id in (None, unit.pk)
    ]
    height = max(len(ends), 1) * (ROW + GAP) + GAP
    return UnitLane(unit=unit.display_name, bars=tuple(bars), bands=tuple(bands), height=height)


def _place(day: date, first: date) -> str:
    return f"{(day - first).days / 7:.2f}"


def _span(left: date, right: date) -> str:
    return f"{max((right - left).days / 7, 0.15):.2f}"
