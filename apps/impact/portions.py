"""From what are the weeks around an action drawn when somebody asks for them?

A measurement keeps what its fit needs for it, so that everybody sees the weeks as they were measured,
and draws none that nobody looks at.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Q

from apps.core.periods import WEEK
from apps.impact.models import Effect, Portion, Run
from apps.impact.panel import MetricData
from apps.impact.stats import portion as engine
from apps.impact.stats.arrays import Arrays
from apps.impact.stats.data import Floats, Ints, Settings
from apps.impact.stats.errors import NotEstimable
from apps.impact.stats.fit import MetricFit, State
from apps.impact.stats.results import Series as Drawn
from apps.impact.stats.series import draw

# What one drawing reads, beside what all units share.
PORTION_UNITS = 50
# The chart shows half a year before an action and at most a year after it.
WEEKS_BEFORE, WEEKS_AFTER = 26, 52
DECIMALS = 5

Series = Mapping[str, Any]
# Which part, its number, and its bytes.
_Row = tuple[str, int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What is kept with a portion: which actions are in it, in which unit, and the weeks that matter to them."""

    action: Ints
    unit: Ints
    intervention: Ints
    start: Ints
    counts_from: Ints

    @property
    def arrays(self) -> Arrays:
        return {f"kept.{name}": getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, arrays: Arrays) -> "_Kept":
        return cls(**{name: arrays[f"kept.{name}"] for name in cls.__slots__})


def portion_of(unit: int) -> int:
    """The number of the portion that holds a row of the panel."""
    return unit // PORTION_UNITS


def keep_portions(*, run: Run, data: MetricData, fit: MetricFit | None, settings: Settings) -> None:
    """Put what the run's fit needs for drawing in the place of what the metric's last one needed."""
    Portion.objects.filter(run__metric=run.metric_id).delete()
    if fit is None or fit.state is None:
        return
    statement = "COPY impact_portion (run_id, part, number, body) FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(("int8", "varchar", "int4", "bytea"))
        for part, number, body in _rows(run, data, fit, fit.state, settings):
            copy.write_row((run.pk, part, number, body))


def series_of(effect: Effect) -> Series | None:
    """The weeks around an action with and without it, as they were measured; None where no effect is known."""
    if effect.series or effect.portion is None:
        return effect.series
    wanted = Q(part=Portion.Part.COMMON) | Q(part=Portion.Part.UNITS, number=effect.portion)
    found = dict(_bodies(effect.run_id, wanted))
    try:
        whole, facts = engine.common_from_bytes(found[Portion.Part.COMMON])
        some, arrays = engine.portion_from_bytes(found[Portion.Part.UNITS])
        kept = _Kept.of(arrays)
        at = int(np.flatnonzero(kept.action == effect.action_id)[0])
        unit = int(kept.unit[at])
        [(_, body)] = _bodies(effect.run_id, Q(part=Portion.Part.GROUP, number=int(some.group[unit])))
        [series] = draw(whole, engine.group_from_bytes(body), some, unit, kept.intervention[at : at + 1])
    except (KeyError, IndexError, ValueError, NotEstimable):
        # Measured anew at this moment, or by another version of the method and waiting for it.
        return None
    return week_lists(
        series,
        start=int(kept.start[at]),
        counts_from=int(kept.counts_from[at]),
        sign=int(facts["sign"]),
        first_week=date.fromisoformat(facts["first_week"]),
    )


def week_lists(series: Drawn, *, start: int, counts_from: int, sign: int, first_week: date) -> dict[str, Any]:
    """Weeks around an action on the metric's own scale, as it is read on screen (not turned by its sign).

    It began in week `start` of the panel and is judged from `counts_from`.
    """
    inside = (series.week >= start - WEEKS_BEFORE) & (series.week < start + WEEKS_AFTER)
    low, high = (series.low, series.high) if sign > 0 else (-series.high, -series.low)

    def numbers(values: Floats) -> list[float | None]:
        return [None if not math.isfinite(v) else round(v, DECIMALS) for v in values[inside].tolist()]

    def monday(week: float) -> str:
        return (first_week + int(week) * WEEK).isoformat()

    return {
        "week": [monday(week) for week in series.week[inside]],
        "observed": numbers(sign * series.observed),
        "counterfactual": numbers(sign * series.counterfactual),
        "low": numbers(low),
        "high": numbers(high),
        "fitted": numbers(sign * series.fitted),
        "n": numbers(series.n),
        "start": monday(start),
        "primary_from": monday(counts_from),
    }


def _bodies(run_id: int, wanted: Q) -> list[tuple[str, bytes]]:
    rows = Portion.objects.filter(wanted, run=run_id).values_list("part", "body")
    return [(part, bytes(body)) for part, body in rows]


def _rows(run: Run, data: MetricData, fit: MetricFit, state: State, settings: Settings) -> Iterator[_Row]:
    model, joint = state.model, state.joint
    common = engine.common(model, joint, fit.inflation)
    facts = {"sign": run.metric.sign, "first_week": data.first_week.isoformat()}
    yield Portion.Part.COMMON.value, 0, engine.common_to_bytes(common, **facts)
    for number in range(joint.weeks.shape[0]):
        yield Portion.Part.GROUP.value, number, engine.group_to_bytes(engine.group(joint, number))
    edges = np.append(np.arange(0, data.panel.units, PORTION_UNITS), data.panel.units)
    key = np.array([log.pk for log in data.logs], dtype=np.int64)
    actions = data.actions
    for number, portion in enumerate(engine.portions(model, joint, data.panel, edges)):
        first, last = edges[number], edges[number + 1]
        mine = np.flatnonzero(actions.aimed & (actions.unit >= first) & (actions.unit < last))
        kept = _Kept(
            action=key[mine],
            unit=actions.unit[mine] - first,
            intervention=model.done.of_action[mine],
            start=actions.start[mine],
            counts_from=actions.start[mine] + settings.ramp_weeks + actions.lag[mine],
        )
        yield Portion.Part.UNITS.value, number, engine.portion_to_bytes(portion, kept.arrays)
