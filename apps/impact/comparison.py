"""Would enough units be left to compare with, in every week that judges the actions of a plan?"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Max, Q
from django.db.models.functions import Coalesce

from apps.core.periods import WEEK, week_of, weeks_between
from apps.feedback.models import Cell
from apps.impact.panel import lag_weeks
from apps.impact.stats.data import DEFAULTS
from apps.planning.draws import staggered
from apps.planning.models import Action, Plan
from apps.planning.states import OPEN
from apps.taxonomy.models import Metric

# Who answered in half of the last weeks is taken to answer in the weeks to come.
LOOKED_AT, USUALLY = 8, 4
MOST_WEEKS_LATER = 26
# Ways to begin in waves, the soonest done first: (waves, weeks between two).
WAVES = tuple(
    sorted(
        ((steps, gap) for steps in (2, 3, 4) for gap in (3, 4, 6, 8, 10, 12, 15)),
        key=lambda way: (way[0] - 1) * way[1],
    )
)

# A region by its name; None stands for all units, where a region is too small to be compared within.
Group = str | None
# A unit and the half-open weeks in which it is no comparison, counted from any Monday.
Window = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinnest:
    """The fewest units free in a week, in which week and among which units."""

    units: int
    week: date
    group: Group

    @property
    def is_enough(self) -> bool:
        return self.units >= DEFAULTS.comparison_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Who answers, by region; and who is busy with something of the same aim, week by week from `first`."""

    groups: Mapping[int, Group]
    totals: Mapping[Group, int]
    busy: Mapping[tuple[Group, int], frozenset[int]]
    first: date
    length: int

    def thinnest(self, starts: Mapping[int, date]) -> Thinnest:
        """With a start in each of the units given by their ids."""
        windows = [
            (unit, begin := weeks_between(self.first, week_of(day)), begin + self.length)
            for unit, day in starts.items()
        ]
        own = _busy(windows, self.groups)
        weeks = {(self.group_of(unit), week) for unit, begin, end in windows for week in range(begin, end)}
        none: frozenset[int] = frozenset()
        free = {
            (group, week): self.totals.get(group, 0)
            - len(self.busy.get((group, week), none) | own.get((group, week), none))
            for group, week in weeks
        }
        (group, week), units = min(free.items(), key=lambda item: (item[1], item[0][1]))
        return Thinnest(units=units, week=self.first + week * WEEK, group=group)

    def group_of(self, unit: int) -> Group:
        return self.groups.get(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How it stands with the starts as planned, and what would make it enough: a later day, or waves."""

    thinnest: Thinnest
    later_on: date | None = None
    waves: tuple[int, int] | None = None


def comparison(
    *, plan: Plan | None, metric: Metric, starts: Mapping[int, date], lag_days: int, as_of: date
) -> Comparison:
    """In a constant number of queries, however many units and starts there are."""
    ground = ground_of(plan=plan, metric=metric, starts=starts, lag_days=lag_days, as_of=as_of)
    thinnest = ground.thinnest(starts)
    if thinnest.is_enough:
        return Comparison(thinnest=thinnest)
    first_on = min(starts.values())
    if len(starts) == 1:
        days = (first_on + weeks * WEEK for weeks in range(1, MOST_WEEKS_LATER + 1))
        later = (day for day in days if ground.thinnest(dict.fromkeys(starts, day)).is_enough)
        return Comparison(thinnest=thinnest, later_on=next(later, None))
    ways = ((steps, gap) for steps, gap in WAVES if steps <= len(starts))
    enough = (way for way in ways if ground.thinnest(in_waves(starts, first_on, way)).is_enough)
    return Comparison(thinnest=thinnest, waves=next(enough, None))


def in_waves(units: Iterable[int], first_on: date, way: tuple[int, int]) -> dict[int, date]:
    """Starts of the units in waves, in the order given."""
    ids = list(units)
    return dict(zip(ids, staggered(len(ids), first_on=first_on, steps=way[0], gap_weeks=way[1]), strict=True))


def ground_of(
    *, plan: Plan | None, metric: Metric, starts: Mapping[int, date], lag_days: int, as_of: date
) -> Ground:
    first = week_of(min(starts.values()))
    length = DEFAULTS.primary_end + lag_weeks(lag_days)
    regions = _answering(metric, as_of)
    sizes = Counter(regions.values())
    big = {region for region, count in sizes.items() if count >= DEFAULTS.region_units_min}
    if len(sizes) < 2:
        big = set()
    groups: dict[int, Group] = {unit: region if region in big else None for unit, region in regions.items()}
    # A small region is compared with everybody, those of large regions included.
    totals: dict[Group, int] = {region: sizes[region] for region in big} | {None: len(regions)}
    return Ground(
        groups=groups,
        totals=totals,
        busy=_busy(_windows(plan, metric, first), groups),
        first=first,
        length=length,
    )


def _answering(metric: Metric, as_of: date) -> dict[int, str]:
    """The region of each unit from which answers usually come."""
    cells = Cell.objects.filter(metric=metric, week__lte=as_of)
    newest = cells.filter(week__gte=as_of - DEFAULTS.baseline_window * WEEK).aggregate(week=Max("week"))["week"]
    if newest is None:
        return {}
    lately = cells.filter(week__gt=newest - LOOKED_AT * WEEK).values("unit", "unit__region")
    found = lately.annotate(weeks=Count("week")).filter(weeks__gte=USUALLY, unit__closed_on=None)
    return dict(found.values_list("unit", "unit__region"))


def _windows(plan: Plan | None, metric: Metric, first: date) -> Iterator[Window]:
    """Of everything else with the same aim that is in place or has a day."""
    reach = timedelta(weeks=2 * DEFAULTS.primary_end)
    rows = (
        Action.objects.annotate(
            aimed_at=Coalesce("target_metric_id", "challenge__metric_id"),
            start=Coalesce("effective_on", "planned_on"),
            lag=Coalesce(Max("solutions__version__lag_days"), Max("plan__solutions__lag_days")),
        )
        .filter(Q(state__in=OPEN, planned_on__gte=first - WEEK) | ~Q(state__in=OPEN), aimed_at=metric.pk)
        .filter(start__gte=first - reach)
        .filter(Q(ended_on=None) | Q(ended_on__gt=first))
    )
    if plan is not None:
        # What waits has the starts it is asked about; where the plan has begun, the unit is busy as any other.
        rows = rows.exclude(plan=plan, state__in=OPEN)
    for unit, start, ended_on, lag in rows.values_list("unit", "start", "ended_on", "lag"):
        begin = weeks_between(first, week_of(start))
        end = begin + DEFAULTS.primary_end + lag_weeks(lag or 0)
        if ended_on is not None:
            end = min(end, weeks_between(first, week_of(ended_on + timedelta(days=6))))
        yield unit, begin, end


def _busy(windows: Iterable[Window], groups: Mapping[int, Group]) -> dict[tuple[Group, int], frozenset[int]]:
    """The answering units inside a window, by week: among all units, and among those of their region."""
    found: dict[tuple[Group, int], set[int]] = defaultdict(set)
    for unit, begin, end in windows:
        if unit not in groups:
            continue
        for week in range(begin, end):
            for group in {None, groups[unit]}:
                found[group, week].add(unit)
    return {key: frozenset(units) for key, units in found.items()}
