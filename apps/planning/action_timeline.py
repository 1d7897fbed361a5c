"""What was in effect in which unit when: bars over weeks, a row a unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import Scope, Unit
from apps.core.periods import WEEK
from apps.planning.action_filters import ActionFilters, filtered_actions
from apps.planning.models import Action, Event
from apps.planning.selectors import day, is_overdue, solutions_of, when, with_titles

# The weeks of the drawing are counted from today, so that today lies between two of them.
WEEKS, WEEKS_BEFORE, WEEKS_A_MARK = 24, 16, 4
PLANNED_WEEKS = 3
UNITS_A_PAGE = 20
# More bars of one unit than this say no more; the table has them all.
BARS_A_UNIT = 12
EVENTS_SHOWN = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An action from the line before week `first` to the line before week `last`, both of `0…WEEKS`.

    `look` is how it is drawn; `place` is where its name stands: on the bar, after it or before it.
    """

    external_id: str
    label: str
    state: str
    when: str
    look: str
    first: int
    last: int
    place: str
    begins_before: bool
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An event of the unit, or of all units."""

    name: str
    when: str
    first: int
    last: int
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLane:
    unit: str
    code: str
    bars: tuple[Bar, ...]
    more: int
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A day written above the weeks."""

    day: date
    week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """`today` is the week before which today's line stands, None when it lies outside."""

    start: date
    end: date
    marks: tuple[Mark, ...]
    today: int | None
    everywhere: tuple[Band, ...]
    lanes: Page[UnitLane]

    @property
    def earlier(self) -> date:
        return self.start - WEEKS // 2 * WEEK

    @property
    def later(self) -> date:
        return self.start + WEEKS // 2 * WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    first: date
    as_of: date

    @property
    def last(self) -> date:
        return self.first + WEEKS * WEEK

    def week(self, on: date) -> int:
        """The line between two weeks that is nearest to a day, within the drawing."""
        return min(max(round((on - self.first).days / 7), 0), WEEKS)

    def span(self, since: date, until: date) -> tuple[int, int]:
        """At least one week, so that there is something to see."""
        left = min(self.week(since), WEEKS - 1)
        return left, max(self.week(until), left + 1)


def timeline(
    *, scope: Scope, filters: ActionFilters, start: date | None, number: str | None, as_of: date
) -> Timeline:
    """A window of `WEEKS` weeks, in a constant number of queries."""
    window = _Window(first=_first(start, as_of), as_of=as_of)
    actions = _within(filtered_actions(scope, filters), window)
    units = Unit.objects.filter(Exists(actions.filter(unit=OuterRef("pk")))).order_by("name", "pk")
    page = Paginator(units, UNITS_A_PAGE).get_page(number)
    shown = list(page.object_list)
    by_unit: dict[int, list[Action]] = {}
    for action in with_titles(actions.filter(unit__in=shown)).order_by("effective_on", "planned_on", "pk"):
        by_unit.setdefault(action.unit_id, []).append(action)
    events = list(
        Event.objects.filter(Q(unit__in=shown) | Q(unit=None), starts_on__lt=window.last)
        .filter(Q(ends_on=None) | Q(ends_on__gte=window.first))
        .order_by("starts_on", "pk")[:EVENTS_SHOWN]
    )
    lanes = [_lane(unit, by_unit.get(unit.pk, []), events, window) for unit in shown]
    return Timeline(
        start=window.first,
        end=window.last,
        marks=tuple(Mark(day=window.first + k * WEEK, week=k) for k in range(0, WEEKS, WEEKS_A_MARK)),
        today=window.week(as_of) if window.first <= as_of < window.last else None,
        everywhere=_bands((event for event in events if event.unit_id is None), window),
        lanes=Page(lanes, page.number, page.paginator),  # type: ignore[arg-type]  # lanes stand for the units
    )


def _first(start: date | None, as_of: date) -> date:
    """The first day of the window: a whole number of weeks from today, whatever was asked for."""
    usual = as_of - WEEKS_BEFORE * WEEK
    return usual if start is None else usual + round((start - usual).days / 7) * WEEK


def _within(actions: QuerySet[Action], window: _Window) -> QuerySet[Action]:
    runs = Q(effective_on__lt=window.last) & (Q(ended_on=None) | Q(ended_on__gt=window.first))
    return actions.filter(runs | Q(effective_on=None, planned_on__gte=window.first, planned_on__lt=window.last))


def _lane(unit: Unit, actions: Sequence[Action], events: Iterable[Event], window: _Window) -> UnitLane:
    return UnitLane(
        unit=unit.display_name,
        code=unit.code,
        # The newest are what people ask about.
        bars=tuple(_bar(action, window) for action in actions[-BARS_A_UNIT:]),
        more=max(len(actions) - BARS_A_UNIT, 0),
        bands=_bands((event for event in events if event.unit_id == unit.pk), window),
    )


def _bar(action: Action, window: _Window) -> Bar:
    since = action.effective_on or action.planned_on or window.first
    is_to_come = action.effective_on is None or action.effective_on > window.as_of
    if is_to_come:
        look, until = "planned", since + PLANNED_WEEKS * WEEK
    elif action.ended_on is not None:
        look, until = "ended", action.ended_on
    else:
        look, until = "running", window.as_of
    first, last = window.span(since, until)
    return Bar(
        external_id=action.external_id,
        label=" + ".join(solution.display_title for solution in solutions_of(action)) or str(action),
        state=action.get_state_display(),
        when=when(action, as_of=window.as_of),
        look=look,
        first=first,
        last=last,
        place=_roomiest(first, last),
        begins_before=since < window.first,
        is_late=is_overdue(action, as_of=window.as_of),
    )


def _bands(events: Iterable[Event], window: _Window) -> tuple[Band, ...]:
    bands = []
    for event in events:
        until = event.ends_on + timedelta(days=1) if event.ends_on else window.as_of
        first, last = window.span(event.starts_on, until)
        said = day(event.starts_on, as_of=window.as_of)
        if event.ends_on is None:
            said = _("since %(date)s") % {"date": said}
        elif event.ends_on != event.starts_on:
            said = _("%(since)s to %(until)s") % {
                "since": said,
                "until": day(event.ends_on, as_of=window.as_of),
            }
        bands.append(Band(name=event.name, when=said, first=first, last=last, place=_roomiest(first, last)))
    return tuple(bands)


def _roomiest(first: int, last: int) -> str:
    """Where most of a name can be read; on the bar when that is as good."""
    room = {"on": last - first, "after": WEEKS - last, "before": first}
    return max(room, key=lambda place: room[place])
