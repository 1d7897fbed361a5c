"""How do a metric's rows become the arrays that the engine reads?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, cast

import numpy as np
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import Avg, Max, Q
from django.db.models.functions import Coalesce
from psycopg import sql

from apps.accounts.models import Unit
from apps.core.periods import WEEK, week_of, weeks_between
from apps.core.trees import path_prefixes
from apps.impact.stats.data import DEFAULTS, Actions, Bools, Floats, Ints, Panel, Settings
from apps.library.models import SolutionLink
from apps.planning.models import Action, Event
from apps.taxonomy.models import Challenge, Metric

# Older weeks neither carry a baseline nor an effect that anybody asks about.
WEEKS_MAX = 520
_EPOCH = date(2000, 1, 3)  # a Monday
DROPPED = (Event.Kind.CLOSURE, Event.Kind.OUTAGE)

# What is read of cells, one number after the other as PostgreSQL sends them, big-endian.
_CELL = {"unit": ">i8", "week": ">i8", "n": ">f8", "effective": ">f8", "mean": ">f8", "m2": ">f8"}
_HEADER_BYTES = 19


class Log(NamedTuple):
    """One logged action as measurement sees it: its solutions and the lag of the slowest of them."""

    pk: int
    unit_id: int
    metric_id: int
    effective_on: date
    ended_on: date | None
    is_randomised: bool
    solution_ids: tuple[int, ...]
    lag_days: int
    fidelity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricData:
    """A metric's arrays, and what their rows and columns stand for.

    `logs[j]` is row j of `actions`; the engine itself joins logs that are close together. Week t of the panel
    begins at `first_week` + t weeks.
    """

    panel: Panel
    actions: Actions
    unit_ids: tuple[int, ...]
    kinds: tuple[str, ...]
    regions: tuple[str, ...]
    solution_ids: tuple[int, ...]
    logs: tuple[Log, ...]
    first_week: date

    def monday(self, week: float) -> date:
        return self.first_week + int(week) * WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    unit: Ints
    week: Ints
    n: Floats
    effective: Floats
    mean: Floats
    m2: Floats


def journey_of(metric: Metric) -> int | None:
    if metric.journey_id is not None:
        return metric.journey_id
    return metric.touchpoint.journey_id if metric.touchpoint is not None else None


def feeds(source: Metric, metric: Metric) -> bool:
    """Whether an action aimed at `source` can have a side effect on `metric`.

    It can on metrics of the same journey at its own and later touchpoints, and on the overall outcome.
    """
    if source.pk == metric.pk or journey_of(metric) is None or journey_of(source) != journey_of(metric):
        return False
    if metric.is_overall:
        return True
    if source.touchpoint is None or metric.touchpoint is None:
        return False
    return metric.touchpoint.position >= source.touchpoint.position


def side_sources(metric: Metric, metrics: Iterable[Metric]) -> tuple[int, ...]:
    """The metrics whose actions can have side effects on `metric`."""
    return tuple(sorted(source.pk for source in metrics if feeds(source, metric)))


def read_metric(*, metric: Metric, as_of: date, settings: Settings = DEFAULTS) -> MetricData:
    """Everything known about `metric` up to the week of `as_of`, in a constant number of queries."""
    last = week_of(as_of)
    cells = _read_cells(metric=metric, first=last - (WEEKS_MAX - 1) * WEEK, last=last)
    sources = side_sources(metric, Metric.objects.select_related("touchpoint"))
    logs = _read_logs([metric.pk, *sources])
    seen = set(np.unique(cells.unit).tolist()) | {log.unit_id for log in logs if log.metric_id == metric.pk}
    named = Unit.objects.filter(pk__in=seen).values_list("pk", "kind", "region", "path", named=True)
    units = list(named.order_by("pk"))
    row = {unit.pk: index for index, unit in enumerate(units)}
    first = _EPOCH + int(cells.week.min()) * WEEK if cells.week.size else last
    weeks = weeks_between(first, last) + 1
    kinds, kind = _labels([unit.kind for unit in units])
    regions, region = _labels([unit.region for unit in units])
    y, n, within = _grid(cells, row, first, weeks, metric.sign)
    usable, event_unit, event_start, event_end = _read_events([unit.path for unit in units], first, weeks)
    logs = [log for log in logs if log.unit_id in row]
    actions, solution_ids = _actions(logs, metric, row, first, weeks, settings)
    return MetricData(
        panel=Panel(
            y=y,
            n=n,
            within_variance=within,
            region=region,
            kind=kind,
            usable=usable,
            event_unit=event_unit,
            event_start=event_start,
            event_end=event_end,
        ),
        actions=actions,
        unit_ids=tuple(unit.pk for unit in units),
        kinds=kinds,
        regions=regions,
        solution_ids=solution_ids,
        logs=tuple(logs),
        first_week=first,
    )


def _read_cells(*, metric: Metric, first: date, last: date) -> _Cells:
    # A row for a thousand units, not for each cell: a row costs the same however much is in it.
    statement = sql.SQL(
        """
        COPY (
            SELECT string_agg(int8send(unit_id), ''),
                   string_agg(int8send((week - DATE '2000-01-03') / 7), ''),
                   string_agg(float8send(n), ''),
                   string_agg(float8send(
                       CASE WHEN weight = n AND weight_squares = n THEN n
                       ELSE (weight * weight / weight_squares)::float8 END), ''),
                   string_agg(float8send(mean), ''),
                   string_agg(float8send(m2), '')
            FROM feedback_cell
            WHERE metric_id = {} AND week BETWEEN {} AND {}
            GROUP BY unit_id / 1000
        ) TO STDOUT (FORMAT binary)
        """
    ).format(metric.pk, first, last)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        found = list(_fields(b"".join(copy)))
    return _Cells(
        **{
            name: np.frombuffer(b"".join(found[place :: len(_CELL)]), dtype=kind).astype(kind[1:])
            for place, (name, kind) in enumerate(_CELL.items())
        }
    )


def _fields(data: bytes) -> Iterator[memoryview]:
    """PostgreSQL's binary COPY: after a header each row's count of fields, and of every field length and bytes."""
    body, at = memoryview(data), _HEADER_BYTES
    while (count := int.from_bytes(body[at : at + 2], "big", signed=True)) > 0:
        at += 2
        for _ in range(count):
            begin = at + 4
            at = begin + int.from_bytes(body[at:begin], "big")
            yield body[begin:at]


def _grid(
    cells: _Cells, row: Mapping[int, int], first: date, weeks: int, sign: int
) -> tuple[Floats, Floats, float | None]:
    y = np.full((len(row), weeks), np.nan)
    n = np.zeros((len(row), weeks))
    if cells.unit.size == 0:
        return y, n, None
    known = np.fromiter(row, dtype=np.int64, count=len(row))
    unit = np.searchsorted(known, cells.unit)
    week = cells.week - weeks_between(_EPOCH, first)
    y[unit, week] = sign * cells.mean
    n[unit, week] = cells.effective
    # Summed in the order of units and weeks, not of rows in the table: the same cells give the same bits.
    m2 = np.zeros_like(y)
    m2[unit, week] = cells.m2
    freedom = float((cells.n - 1).sum())
    within = float(m2.sum()) / freedom if freedom > 0 else 0.0
    return y, n, within if within > 0 else None


def _labels(values: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    names = tuple(sorted(set(values)))
    index = {name: position for position, name in enumerate(names)}
    return names, np.array([index[value] for value in values], dtype=np.int64)


def _read_events(paths: Sequence[str], first: date, weeks: int) -> tuple[Bools | None, Ints, Ints, Ints]:
    """Weeks to drop, and the other disturbances as (unit row, first week, week after the last)."""
    inside: dict[str, list[int]] = {}
    for index, unit_path in enumerate(paths):
        for prefix in path_prefixes(unit_path):
            inside.setdefault(prefix, []).append(index)
    usable = np.ones((len(paths), weeks), dtype=bool)
    shifts: list[tuple[int, int, int]] = []
    for kind, path, starts_on, ends_on in Event.objects.order_by("pk").values_list(
        "kind", "unit__path", "starts_on", "ends_on"
    ):
        start = max(0, weeks_between(first, starts_on))
        end = min(weeks, weeks_between(first, ends_on) + 1) if ends_on else weeks
        if end <= start:
            continue
        rows = list(range(len(paths))) if path is None else inside.get(path, [])
        if kind in DROPPED:
            usable[rows, start:end] = False
        elif path is not None:
            # What happens everywhere at once is part of the time effects already.
            shifts += [(index, start, end) for index in rows]
    table = np.array(sorted(set(shifts)), dtype=np.int64).reshape(-1, 3)
    return (None if usable.all() else usable), table[:, 0], table[:, 1], table[:, 2]


def _read_logs(metric_ids: Sequence[int]) -> list[Log]:
    rows = (
        Action.objects.took_effect()
        .annotate(aimed_at=Coalesce("target_metric_id", "challenge__metric_id"))
        .filter(aimed_at__in=metric_ids)
        .annotate(
            used=ArrayAgg(
                "solutions__version__solution_id",
                distinct=True,
                filter=Q(solutions__isnull=False),
                default=[],
            ),
            lag=Max("solutions__version__lag_days"),
            fidelity=Avg("solutions__fidelity"),
        )
        .order_by("pk")
        .values_list(
            "pk", "unit_id", "aimed_at", "effective_on", "ended_on", "is_randomised", "used", "lag", "fidelity"
        )
    )
    return [
        Log(
            pk,
            unit_id,
            aimed_at,
            cast(date, effective_on),
            ended_on,
            is_randomised,
            tuple(sorted(used)),
            lag or 0,
            float(fidelity) if fidelity is not None else None,
        )
        for pk, unit_id, aimed_at, effective_on, ended_on, is_randomised, used, lag, fidelity in rows
    ]


def lag_weeks(lag_days: int, settings: Settings = DEFAULTS) -> int:
    """Weeks by which the window that judges an action moves; a lag within the ramp moves nothing."""
    return max(0, -(-lag_days // 7) - settings.ramp_weeks)


def _actions(
    logs: Sequence[Log],
    metric: Metric,
    row: Mapping[int, int],
    first: date,
    weeks: int,
    settings: Settings,
) -> tuple[Actions, tuple[int, ...]]:
    links = SolutionLink.objects.filter(challenge__in=Challenge.objects.measured_by(metric))
    pairs = links.annotate(standing=Coalesce("challenge__merged_into", "challenge")).order_by("standing", "pk")
    home: dict[int, int] = {}
    for solution_id, challenge_id in pairs.values_list("solution_id", "standing"):
        home.setdefault(solution_id, challenge_id)
    solution_ids = tuple(sorted({pk for log in logs for pk in log.solution_ids} | set(home)))
    column = {pk: index for index, pk in enumerate(solution_ids)}

    def ints(values: Iterable[int]) -> Ints:
        return np.array(list(values), dtype=np.int64)

    used: Bools = np.zeros((len(logs), len(solution_ids)), dtype=bool)
    many = np.repeat(np.arange(len(logs)), ints(len(log.solution_ids) for log in logs))
    used[many, ints(column[pk] for log in logs for pk in log.solution_ids)] = True
    monday, ever = first.toordinal(), first.toordinal() + 7 * (weeks + WEEKS_MAX)
    ended = ints(log.ended_on.toordinal() + 6 if log.ended_on else ever for log in logs)
    actions = Actions(
        unit=ints(row[log.unit_id] for log in logs),
        start=(ints(log.effective_on.toordinal() for log in logs) - monday) // 7,
        # The first week in which the action no longer runs.
        end=(ended - monday) // 7,
        aimed=ints(log.metric_id for log in logs) == metric.pk,
        solutions=used,
        lag=ints(lag_weeks(log.lag_days, settings) for log in logs),
        randomised=np.array([log.is_randomised for log in logs], dtype=bool),
        fidelity=np.array([np.nan if log.fidelity is None else log.fidelity for log in logs], dtype=np.float64),
        challenge=ints(home.get(pk, -1) for pk in solution_ids),
    )
    return actions, solution_ids
