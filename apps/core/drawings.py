"""The geometry of small drawings in a page: interval bars and sparklines."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BAR_WIDTH = 240.0
BAR_MARGIN = 10.0
ROOM = 0.06
SPARK_WIDTH = 120.0
SPARK_HEIGHT = 32.0
SPARK_MARGIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalBar:
    """Horizontal places in a drawing `BAR_WIDTH` wide; `ticks` are (place, value)."""

    low: str
    dot: str
    high: str
    zero: str
    ticks: tuple[tuple[str, float], ...]


def interval_bar(*, low: float, value: float, high: float, domain: tuple[float, float] | None) -> IntervalBar:
    """Where dot, line and zero mark stand; the domain always takes in zero and the whole line."""
    first, last = domain if domain is not None else (low, high)
    first, last = min(first, low, 0.0), max(last, high, 0.0)
    if first == last:
        first, last = -1.0, 1.0
    room = ROOM * (last - first)
    first, last = first - room, last + room

    def place(x: float) -> str:
        return f"{BAR_MARGIN + (x - first) / (last - first) * (BAR_WIDTH - 2 * BAR_MARGIN):.1f}"

    step = nice_step(last - first, 4)
    ticks = [k * step for k in range(math.ceil(first / step), math.floor(last / step) + 1)]
    return IntervalBar(
        low=place(low),
        dot=place(value),
        high=place(high),
        zero=place(0.0),
        ticks=tuple((place(x), x) for x in ticks),
    )


def nice_step(span: float, parts: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts `span` into at most about `parts`."""
    raw = span / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """SVG paths of the line (with gaps where nothing is known) and of its last point."""

    line: str
    end: str
    band: str


def sparkline(
    values: Sequence[float | None],
    *,
    low: Sequence[float | None] = (),
    high: Sequence[float | None] = (),
    width: float = SPARK_WIDTH,
    height: float = SPARK_HEIGHT,
) -> Sparkline | None:
    """The drawing of a series; None when fewer than two values are known."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    edges = known + [edge for edge in (*low, *high) if edge is not None]
    bottom, top = min(edges), max(edges)
    if bottom == top:
        bottom, top = bottom - 1, top + 1

    def point(index: int, value: float) -> str:
        x = SPARK_MARGIN + index / max(len(values) - 1, 1) * (width - 2 * SPARK_MARGIN)
        y = SPARK_MARGIN + (top - value) / (top - bottom) * (height - 2 * SPARK_MARGIN)
        return f"{x:.1f} {y:.1f}"

    steps: list[str] = []
    is_drawing = False
    for index, value in enumerate(values):
        if value is not None:
            steps.append(("L" if is_drawing else "M") + point(index, value))
        is_drawing = value is not None
    last = max(index for index, value in enumerate(values) if value is not None)
    # A line of no length with round caps is a dot that keeps its shape when the drawing is stretched.
    end = f"M{point(last, known[-1])}h0.01"
    return Sparkline(line="".join(steps), end=end, band=_band(low, high, point))


def _band(low: Sequence[float | None], high: Sequence[float | None], point: Callable[[int, float], str]) -> str:
    upper = [(i, v) for i, v in enumerate(high) if v is not None]
    lower = [(i, v) for i, v in enumerate(low) if v is not None]
    if len(upper) < 2 or len(lower) < 2:
        return ""
    return "M" + "L".join([*(point(i, v) for i, v in upper), *(point(i, v) for i, v in reversed(lower))]) + "Z"
