"""What do the weeks around an action say: level, difference and sum, for drawings, tables and files?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.core.periods import WEEK
from apps.impact.stats.data import DEFAULTS

NORMAL_REACH = 1.959964  # 97.5 % quantile of the normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How far a week's mean strays by itself, in squared metric units: per response, and beyond responses."""

    per_response: float = 0.0
    per_week: float = 0.0

    @classmethod
    def of(cls, noise: Mapping[str, Any] | None) -> "Chance":
        """From the noise that a measurement kept."""
        scale = (noise or {}).get("scale")
        if not noise or not scale:
            return cls()
        return cls(per_response=(noise["sampling"] or 0.0) / scale**2, per_week=(noise["nu2"] or 0.0) / scale**2)

    def variance(self, n: float) -> float:
        return self.per_week + (self.per_response / n if n > 0 else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A value, and where it would likely lie if the action did nothing; positive is better."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week: levels on the metric's own scale; `observed` is None where too few answered to show it."""

    monday: date
    observed: float | None
    without: float | None
    low: float | None
    high: float | None
    n: float
    difference: Band | None
    total: Band | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When it took effect, from when it counts, and the first Monday after the weeks that count."""

    start: date
    counts_from: date
    counts_until: date


def windows(series: Mapping[str, Any]) -> Windows:
    start = date.fromisoformat(series["start"])
    ramp = DEFAULTS.ramp_weeks * WEEK
    counts_from = date.fromisoformat(series["primary_from"]) if series.get("primary_from") else start + ramp
    length = (DEFAULTS.primary_end - DEFAULTS.ramp_weeks) * WEEK
    return Windows(start=start, counts_from=counts_from, counts_until=counts_from + length)


def weeks(
    series: Mapping[str, Any], *, sign: int, chance: Chance, shown_from: int = 0, divisor: float = 1.0
) -> tuple[Week, ...]:
    """The weekly series read for people.

    Weeks with fewer than `shown_from` responses keep their number to themselves. `total` adds up the differences
    of everyone who responded since the start, over `divisor` (100 turns points of a share into customers). Its
    band takes the error of the comparison to be the same in all weeks, which is the widest it can be.
    """
    start = date.fromisoformat(series["start"])
    summed = along = apart = 0.0
    read = []
    columns = (series[name] for name in ("week", "observed", "counterfactual", "low", "high", "n"))
    for day, seen, middle, low, high, n in zip(*columns, strict=True):
        monday, count = date.fromisoformat(day), n or 0.0
        observed = seen if count >= shown_from else None
        difference = total = None
        if observed is not None and None not in (middle, low, high):
            half = (high - low) / 2
            reach = math.hypot(half, NORMAL_REACH * math.sqrt(chance.variance(count)))
            difference = Band(value=sign * (observed - middle), low=-reach, high=reach)
            if monday >= start:
                summed += count * difference.value / divisor
                along += count * half / divisor
                apart += chance.variance(count) * (count / divisor) ** 2
                width = math.hypot(along, NORMAL_REACH * math.sqrt(apart))
                total = Band(value=summed, low=-width, high=width)
        read.append(
            Week(
                monday=monday,
                observed=observed,
                without=middle,
                low=low,
                high=high,
                n=count,
                difference=difference,
                total=total,
            )
        )
    return tuple(read)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Responses a week before and after; `elsewhere` is the ratio of after to before in units nearby."""

    before: float
    after: float
    elsewhere: float
    is_unusual: bool

    @property
    def ratio(self) -> float:
        """How many respond for each that would if the unit had gone as those nearby."""
        return self.after / self.before / self.elsewhere


# A smaller change of the number of responses is nothing to warn of, nor one that chance explains (p < .001).
PACE_CHANGE, PACE_Z = 0.30, 3.29


def pace(read: Sequence[Week], start: date, elsewhere: float = 1.0) -> Pace | None:
    """Whether as many respond as before, told from the weeks on either side of the start."""
    before = [week.n for week in read if start - DEFAULTS.baseline_window * WEEK <= week.monday < start]
    after = [week.n for week in read if week.monday >= start]
    if not before or not after or sum(before) == 0 or sum(after) == 0 or elsewhere <= 0:
        return None
    first, last = sum(before) / len(before), sum(after) / len(after)
    ratio = last / first / elsewhere
    z = abs(math.log(ratio)) / math.sqrt(1 / sum(before) + 1 / sum(after))
    is_unusual = abs(ratio - 1) >= PACE_CHANGE and z >= PACE_Z
    return Pace(before=first, after=last, elsewhere=elsewhere, is_unusual=is_unusual)
