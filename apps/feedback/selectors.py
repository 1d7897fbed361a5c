"""How a unit does on its metrics: levels, trends with their uncertainty, and what customers wrote."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, cast

from django.core.cache import cache
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import RawSQL

from apps.accounts.models import Unit
from apps.core.periods import WEEK
from apps.feedback.models import Cell, Response, Series
from apps.taxonomy.models import Metric

YEAR_WEEKS = 52
LEVEL_WEEKS = 12
# Trends are drawn in periods of four weeks: steadier than weeks, and thirteen make a year.
PERIOD_WEEKS = 4
WEEKS_SHOWN = 104
HALF_A_YEAR_WEEKS = 26
Z95 = 1.959964
KEPT_SECONDS = 3600

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A mean over some weeks in the metric's unit, with its 95 % interval when it can be had.

    `mean` is None when there are no answers, or too few to be shown.
    """

    n: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A level of one period, named by the Monday of its first week."""

    week: date
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTrend:
    """A metric in a unit: the last twelve weeks, the same weeks a year before, the points, oldest first."""

    metric: Metric
    now: Level
    year_ago: Level
    points: tuple[Point, ...]

    @property
    def means(self) -> tuple[float | None, ...]:
        return tuple(point.level.mean for point in self.points)

    @property
    def has_band(self) -> bool:
        """Whether any point has an interval: sums of one record have none."""
        return any(point.level.low is not None for point in self.points)

    @property
    def band(self) -> Mapping[str, Sequence[float | None]]:
        return {
            "low": tuple(point.level.low for point in self.points),
            "high": tuple(point.level.high for point in self.points),
        }

    @property
    def change(self) -> "Change | None":
        return change_between(self.year_ago, self.now, sign=self.metric.sign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How far a level moved, positive is better, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTrends:
    """`last_week` is the newest week with any answer; None when there are none at all."""

    last_week: date | None
    trends: tuple[MetricTrend, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A customer's words; `unit` is the place they are about."""

    text: str
    on: date
    unit: str
    segment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Cells added up; `cells` counts them."""

    n: int
    weight: float
    weight_squares: float
    total: float
    m2: float
    cells: int

    def level(self, *, minimum: int) -> Level:
        if self.n < max(minimum, 1):
            return Level(n=self.n, mean=None, low=None, high=None)
        mean = self.total / self.weight
        freedom = self.n - self.cells
        if freedom < 1:
            return Level(n=self.n, mean=mean, low=None, high=None)
        half = Z95 * math.sqrt(self.m2 / freedom * self.weight_squares) / self.weight
        return Level(n=self.n, mean=mean, low=mean - half, high=mean + half)


NOTHING = Sums(n=0, weight=0.0, weight_squares=0.0, total=0.0, m2=0.0, cells=0)


def change_between(before: Level, after: Level, *, sign: int) -> Change | None:
    """The difference of two levels, when both have an interval."""
    if None in (before.mean, before.low, after.mean, after.low):
        return None
    assert before.mean is not None and before.low is not None  # noqa: PT018
    assert after.mean is not None and after.low is not None  # noqa: PT018
    value = sign * (after.mean - before.mean)
    half = math.hypot(before.mean - before.low, after.mean - after.low)
    return Change(value=value, low=value - half, high=value + half)


def while_unchanged(unit: Unit, key: Sequence[object], compute: Callable[[], Answer]) -> Answer:
    """What `compute` says of the cells in the unit and below it, kept until one of them changes.

    A change of a cell raises the revision of its series in the same transaction, so their sum tells.
    """
    state = Series.objects.filter(unit__in=Unit.objects.below(unit).values("pk")).aggregate(
        Count("pk"), Sum("revision")
    )
    parts = repr((unit.path, sorted(state.items()), *key))
    name = hashlib.sha256(parts.encode()).hexdigest()
    # The cache knows no types; what comes out is what `compute` put in.
    return cast(Answer, cache.get_or_set(f"cells-{name}", compute, KEPT_SECONDS))


def last_week_of(unit: Unit) -> date | None:
    """The newest week with an answer in the unit or below it."""
    newest = Cell.objects.filter(unit=OuterRef("pk")).order_by("-week").values("week")[:1]
    weeks = Unit.objects.below(unit).annotate(newest=Subquery(newest)).values_list("newest", flat=True)
    return max((week for week in weeks if week is not None), default=None)


def unit_trends(
    *,
    unit: Unit,
    minimum: int,
    metrics: QuerySet[Metric] | None = None,
    weeks: int = WEEKS_SHOWN,
    period_weeks: int = PERIOD_WEEKS,
) -> UnitTrends:
    """The trends of a unit and everything below it; five queries at most, whatever the number of metrics.

    Perception results of fewer than `minimum` answers are left out.
    """
    last_week = last_week_of(unit)
    if last_week is None:
        return UnitTrends(last_week=None, trends=())
    asked = Metric.objects.all() if metrics is None else metrics
    wanted = list(asked.select_related("touchpoint").order_by("-is_overall", "kind", "touchpoint__position", "pk"))
    shown = weeks // period_weeks
    ids = [metric.pk for metric in wanted]
    sums = while_unchanged(
        unit,
        ("sums", ids, last_week, weeks, period_weeks),
        lambda: _sums(unit, ids, last_week, weeks, period_weeks),
    )
    at_level, a_year = LEVEL_WEEKS // period_weeks, YEAR_WEEKS // period_weeks
    trends = []
    for metric in wanted:
        mine = sums.get(metric.pk)
        if mine is None:
            continue
        fewest = minimum if metric.kind == Metric.Kind.PERCEPTION else 1
        trends.append(
            MetricTrend(
                metric=metric,
                now=_joined(mine, range(at_level)).level(minimum=fewest),
                year_ago=_joined(mine, range(a_year, a_year + at_level)).level(minimum=fewest),
                points=tuple(
                    Point(
                        week=last_week - ((ago + 1) * period_weeks - 1) * WEEK,
                        level=mine.get(ago, NOTHING).level(minimum=fewest),
                    )
                    for ago in reversed(range(min(shown, _periods_known(mine))))
                ),
            )
        )
    return UnitTrends(last_week=last_week, trends=tuple(trends))


def recent_quotes(*, unit: Unit, last_week: date, limit: int = 6, weeks: int = 8) -> list[Quote]:
    """The newest comments of a unit and everything below it."""
    responses = (
        Response.objects.filter(unit__path__startswith=unit.path, week__gt=last_week - weeks * WEEK)
        .exclude(comment="")
        .select_related("unit")
        .only("comment", "occurred_at", "segment", "unit__name", "unit__name_fr")
        .order_by("-occurred_at", "-pk")[:limit]
    )
    return [
        Quote(
            text=response.comment,
            on=response.occurred_at.date(),
            unit=response.unit.display_name,
            segment=response.segment,
        )
        for response in responses
    ]


def _sums(
    unit: Unit, metrics: Sequence[int], last_week: date, weeks: int, period_weeks: int
) -> dict[int, dict[int, Sums]]:
    """Per metric and number of periods ago, the cells added up by the database."""

    def weeks_ago(first: int, last: int) -> Q:
        return Q(week__gt=last_week - last * WEEK, week__lte=last_week - first * WEEK)

    # The weeks between what is drawn and the same weeks of last year are not read.
    wanted = weeks_ago(0, weeks) | weeks_ago(YEAR_WEEKS, YEAR_WEEKS + LEVEL_WEEKS)
    cells = (
        Cell.objects.filter(wanted, unit__in=Unit.objects.below(unit).values("pk"), metric__in=metrics)
        .annotate(ago=RawSQL("(%s::date - week) / %s", (last_week, period_weeks * 7), output_field=IntegerField()))
        .values("metric_id", "ago")
        .annotate(
            answers=Sum("n"),
            weights=Sum("weight"),
            squares=Sum("weight_squares"),
            sums=Sum("total"),
            spread=Sum("m2"),
            cells=Count("pk"),
        )
        .order_by()
        .values_list("metric_id", "ago", "answers", "weights", "squares", "sums", "spread", "cells")
    )
    found: dict[int, dict[int, Sums]] = {}
    for metric, ago, n, weight, squares, total, m2, count in cells:
        found.setdefault(metric, {})[ago] = Sums(
            n=n,
            weight=float(weight),
            weight_squares=float(squares),
            total=float(total),
            m2=m2,
            cells=count,
        )
    return found


def _joined(periods: Mapping[int, Sums], wanted: range) -> Sums:
    chosen = [periods[ago] for ago in wanted if ago in periods]
    return Sums(
        n=sum(one.n for one in chosen),
        weight=sum(one.weight for one in chosen),
        weight_squares=sum(one.weight_squares for one in chosen),
        total=sum(one.total for one in chosen),
        m2=sum(one.m2 for one in chosen),
        cells=sum(one.cells for one in chosen),
    )


def _periods_known(periods: Mapping[int, Sums]) -> int:
    """From the oldest known period to now, so that a short history is not drawn in a corner."""
    return max(periods) + 1
