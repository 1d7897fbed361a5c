"""Which drawings show effects? Vega-Lite specifications, pure; colours are named by their tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.core.periods import WEEK
from apps.impact.weekly import Band, Week, Windows

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
TONES = {"domain": ["better", "worse", "unclear"], "range": ["@better", "@worse", "@unclear"]}
ROW_HEIGHT, LABEL_WIDTH = 36, 270
FIT = {"type": "fit-x", "contains": "padding"}

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One row of a forest plot, positive is better; a pooled row is drawn as a diamond.

    `alone_low` and `alone_high` are what the row's own data would say without the others.
    """

    label: str
    effect: float
    low: float
    high: float
    is_pooled: bool = False
    alone: float | None = None
    alone_low: float | None = None
    alone_high: float | None = None


def tone(low: float, high: float) -> str:
    if low > 0:
        return "better"
    return "worse" if high < 0 else "unclear"


def forest(rows: Sequence[Estimate], *, sign: int) -> Spec:
    """Each estimate with its interval under its own name, right is better, zero named."""
    values = [
        {
            "row": index,
            "label": row.label,
            "effect": row.effect,
            "low": row.low,
            "high": row.high,
            "tone": tone(row.low, row.high),
            "pooled": row.is_pooled,
            "alone": row.alone,
            "alone_low": row.alone_low,
            "alone_high": row.alone_high,
        }
        for index, row in enumerate(rows)
    ]
    y: Spec = {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0.1}}
    edges = [
        edge for row in rows for edge in (row.low, row.high, row.alone_low, row.alone_high) if edge is not None
    ]
    first, last = min(0.0, *edges), max(0.0, *edges)
    margin = 0.04 * (last - first)
    x: Spec = {
        "field": "low",
        "type": "quantitative",
        "scale": {"domain": [first - margin, last + margin], "nice": False, "zero": False},
        "axis": {"grid": True, "labelExpr": signed_labels(sign)},
    }
    colour = {"field": "tone", "type": "nominal", "scale": TONES, "legend": None}
    return {
        "$schema": SCHEMA,
        "autosize": FIT,
        "height": ROW_HEIGHT * len(values),
        "data": {"values": values},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "rule", "color": "@ink", "strokeWidth": 1, "opacity": 0.55},
                "data": {"values": [{"zero": 0}]},
                "encoding": {"x": {"field": "zero", "type": "quantitative"}, "y": None},
            },
            {
                "transform": [{"filter": "isValid(datum.alone)"}],
                "mark": {"type": "rule", "strokeWidth": 1, "color": "@unclear", "yOffset": 8},
                "encoding": {"x": {**x, "field": "alone_low"}, "x2": {"field": "alone_high"}},
            },
            {
                "transform": [{"filter": "isValid(datum.alone)"}],
                "mark": {"type": "tick", "thickness": 1.5, "size": 9, "color": "@unclear", "yOffset": 8},
                "encoding": {"x": {"field": "alone", "type": "quantitative"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round", "yOffset": 8},
                "encoding": {"x": x, "x2": {"field": "high"}, "color": colour},
            },
            _dots("datum.pooled == false", "circle", 90, colour),
            _dots("datum.pooled == true", "diamond", 260, colour),
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "middle",
                    "yOffset": -9,
                    "limit": LABEL_WIDTH,
                    "color": "@ink",
                },
                "encoding": {
                    "x": {"value": 0},
                    "text": {"field": "label"},
                },
            },
        ],
    }


def signed_labels(sign: int) -> str:
    """Axis labels on the metric's own scale: a plus before gains, nothing before zero."""
    return f"abs(datum.value) < 1e-9 ? '0' : format(datum.value * {sign}, '+~r')"


def _dots(test: str, shape: str, size: int, colour: Spec) -> Spec:
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "point", "filled": True, "shape": shape, "size": size, "opacity": 1, "yOffset": 8},
        "encoding": {"x": {"field": "effect", "type": "quantitative"}, "color": colour},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words written inside the drawings, in the reader's language."""

    unit: str
    without: str
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something else of note in the unit, numbered; an event lasts `until`, another action begins."""

    number: int
    day: date
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the three drawings of an action share; `sign` is the metric's."""

    weeks: Sequence[Week]
    windows: Windows
    markers: Sequence[Marker]
    words: Words
    sign: int

    def framed(self, layers: Sequence[Spec], height: int) -> Spec:
        """The layers between the shaded windows and the marks."""
        return {
            "$schema": SCHEMA,
            "autosize": FIT,
            "height": height,
            "layer": [
                *self._shades(),
                *layers,
                *self._marks(height),
                *_start(self.windows.start, self.words.start),
            ],
        }

    def _shades(self) -> list[Spec]:
        """Pale where it takes hold, stronger where it counts."""
        last = self.weeks[-1].monday + WEEK
        edges = (
            (self.windows.start, self.windows.counts_from, "@unclear", 0.08),
            (self.windows.counts_from, self.windows.counts_until, "@accent", 0.09),
        )
        return [
            _span(first, min(until, last), colour, opacity)
            for first, until, colour, opacity in edges
            if first < last
        ]

    def _marks(self, height: int) -> list[Spec]:
        first, last = self.weeks[0].monday, self.weeks[-1].monday + WEEK
        layers = []
        for marker in self.markers:
            day = max(marker.day, first)
            if marker.until is not None:
                layers.append(_span(day, min(marker.until, last), "@attention", 0.1))
            else:
                layers.append(_line(day, [2, 3]))
        values = {
            "values": [{"week": _day(max(each.day, first)), "name": str(each.number)} for each in self.markers]
        }
        place = {"x": _weeks(), "y": {"value": height - 11}}
        badge = {"type": "point", "shape": "circle", "filled": True, "size": 230, "opacity": 1}
        if self.markers:
            layers += [
                {"data": values, "mark": {**badge, "color": "@attention"}, "encoding": place},
                {
                    "data": values,
                    "mark": {"type": "text", "color": "@surface", "fontWeight": 700, "fontSize": 11},
                    "encoding": {**place, "text": {"field": "name"}},
                },
            ]
        return layers


def with_and_without(scene: Scene) -> Spec:
    """The unit's weeks beside what would have been without the action, and the line where it began."""
    band = [
        {"week": _day(week.monday), "value": week.without, "low": week.low, "high": week.high}
        for week in scene.weeks
        if week.without is not None
    ]
    seen = [
        {"week": _day(week.monday), "value": week.observed} for week in scene.weeks if week.observed is not None
    ]
    x, y = _weeks(), _level("value")
    said = scene.words
    ends: list[dict[str, Any]] = [
        {**line[-1], "name": name, "tone": colour}
        for line, name, colour in ((seen, said.unit, "unit"), (band, said.without, "without"))
        if line
    ]
    # The higher end is named above its line and the lower one below, so that the names never meet.
    ends.sort(key=lambda end: -end["value"])
    layers: list[Spec] = [
        {
            "data": {"values": band},
            "mark": {"type": "area", "color": "@unclear", "opacity": 0.2},
            "encoding": {"x": x, "y": _level("low"), "y2": {"field": "high"}},
        },
        {
            "data": {"values": band},
            "mark": {"type": "line", "color": "@muted", "strokeDash": [5, 4], "strokeWidth": 1.75},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": seen},
            "mark": {"type": "line", "color": "@accent", "strokeWidth": 2.25, "point": {"size": 22}},
            "encoding": {"x": x, "y": y},
        },
        *(_name(end, is_above=place == 0) for place, end in enumerate(ends)),
    ]
    return scene.framed(layers, 270)


def _name(end: Mapping[str, Any], *, is_above: bool) -> Spec:
    """A line's name at its end, on a halo of paper so that it stays readable over the lines."""
    text = {
        "type": "text",
        "align": "right",
        "baseline": "bottom" if is_above else "top",
        "dy": -9 if is_above else 9,
        "fontWeight": 700,
    }
    encoding = {"x": _weeks(), "y": {"field": "value", "type": "quantitative"}, "text": {"field": "name"}}
    return {
        "data": {"values": [end]},
        "encoding": encoding,
        "layer": [
            {"mark": {**text, "color": "@surface", "stroke": "@surface", "strokeWidth": 5, "strokeJoin": "round"}},
            {"mark": {**text, "color": "@accent" if end["tone"] == "unit" else "@muted"}},
        ],
    }


def difference(scene: Scene) -> Spec:
    """Unit minus counterfactual, week by week, with the band of chance; up is better."""
    return _banded(scene, [(week.monday, week.difference) for week in scene.weeks], dots=22)


def total(scene: Scene) -> Spec:
    """The differences added up since the start, with the band of chance; up is better."""
    return _banded(scene, [(week.monday, week.total) for week in scene.weeks], dots=0)


def _banded(scene: Scene, rows: Sequence[tuple[date, Band | None]], *, dots: int) -> Spec:
    values = [
        {"week": _day(monday), "value": band.value, "low": band.low, "high": band.high}
        for monday, band in rows
        if band is not None
    ]
    x = _weeks()
    axis = {"labelExpr": signed_labels(scene.sign)}
    line: Spec = {"type": "line", "color": "@accent", "strokeWidth": 2.25}
    if dots:
        line["point"] = {"size": dots}
    layers: list[Spec] = [
        {
            "data": {"values": values},
            "mark": {"type": "area", "color": "@unclear", "opacity": 0.2},
            "encoding": {
                "x": x,
                "y": {"field": "low", "type": "quantitative", "axis": axis},
                "y2": {"field": "high"},
            },
        },
        {
            "data": {"values": [{"zero": 0}]},
            "mark": {"type": "rule", "color": "@ink", "opacity": 0.55},
            "encoding": {"y": {"field": "zero", "type": "quantitative"}},
        },
        {
            "data": {"values": values},
            "mark": line,
            "encoding": {"x": x, "y": {"field": "value", "type": "quantitative"}},
        },
    ]
    return scene.framed(layers, 190)


def _day(day: date) -> str:
    return day.isoformat()


def _weeks() -> Spec:
    return {"field": "week", "type": "temporal", "axis": {"format": "%b %Y"}}


def _level(field: str) -> Spec:
    return {"field": field, "type": "quantitative", "scale": {"zero": False, "nice": True}}


def _span(first: date, until: date, colour: str, opacity: float) -> Spec:
    return {
        "data": {"values": [{"week": _day(first), "until": _day(until)}]},
        "mark": {"type": "rect", "color": colour, "opacity": opacity},
        "encoding": {"x": _weeks(), "x2": {"field": "until"}},
    }


def _line(day: date, dash: Sequence[int]) -> Spec:
    return {
        "data": {"values": [{"week": _day(day)}]},
        "mark": {"type": "rule", "color": "@attention", "strokeWidth": 1.25, "strokeDash": list(dash)},
        "encoding": {"x": _weeks()},
    }


def _start(day: date, label: str) -> list[Spec]:
    x = _weeks()
    values = {"values": [{"week": _day(day), "name": label}]}
    return [
        {
            "data": values,
            "mark": {"type": "rule", "color": "@ink", "strokeWidth": 1.25},
            "encoding": {"x": x},
        },
        {
            "data": values,
            "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 5, "color": "@ink", "fontSize": 12},
            "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "name"}},
        },
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One action by both comparisons, positive is better."""

    label: str
    plain: float
    fair: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The names of both comparisons and of the line on which they agree."""

    plain: str
    fair: str
    same: str


def naive_and_fair(dots: Sequence[Dot], *, sign: int, words: Axes) -> Spec:
    """What plain before and after claims across, what the fair comparison says upwards."""
    values = [
        {"label": dot.label, "plain": dot.plain, "fair": dot.fair, "tone": tone(dot.low, dot.high)} for dot in dots
    ]
    every = [edge for dot in dots for edge in (dot.plain, dot.fair)]
    low, high = min(0.0, *every), max(0.0, *every)
    axis = {"labelExpr": signed_labels(sign), "grid": True}
    scale = {"domain": [low, high], "nice": True, "zero": True}
    x = {"field": "plain", "type": "quantitative", "scale": scale, "axis": {**axis, "title": words.plain}}
    y = {"field": "fair", "type": "quantitative", "scale": scale, "axis": {**axis, "title": words.fair}}
    ends = [{"plain": low, "fair": low}, {"plain": high, "fair": high}]
    return {
        "$schema": SCHEMA,
        "autosize": FIT,
        "height": 340,
        "layer": [
            {
                "data": {"values": ends},
                "mark": {"type": "line", "color": "@ink", "strokeWidth": 1, "strokeDash": [4, 4], "opacity": 0.6},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": [{**ends[1], "name": words.same}]},
                "mark": {"type": "text", "align": "right", "baseline": "bottom", "dx": -14, "color": "@muted"},
                "encoding": {"x": x, "y": y, "text": {"field": "name"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "size": 46, "opacity": 0.8},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {"field": "tone", "type": "nominal", "scale": TONES, "legend": None},
                },
            },
        ],
    }
