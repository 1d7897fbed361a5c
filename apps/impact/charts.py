"""Which drawings show effects? Vega-Lite specifications, pure; colours are named by their tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words written inside the drawings, in the reader's language."""

    unit: str
    without: str
    start: str


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
        "axis": {"grid": True, "labelExpr": _signed(sign)},
    }
    colour = {"field": "tone", "type": "nominal", "scale": TONES, "legend": None}
    return {
        "$schema": SCHEMA,
        "autosize": FIT,
        "height": {"step": ROW_HEIGHT},
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


def _signed(sign: int) -> str:
    """Axis labels on the metric's own scale: a plus before gains, nothing before zero."""
    return f"abs(datum.value) < 1e-9 ? '0' : format(datum.value * {sign}, '+~r')"


def _dots(test: str, shape: str, size: int, colour: Spec) -> Spec:
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "point", "filled": True, "shape": shape, "size": size, "opacity": 1, "yOffset": 8},
        "encoding": {"x": {"field": "effect", "type": "quantitative"}, "color": colour},
    }


def with_and_without(series: Mapping[str, Any], *, words: Words) -> Spec:
    """The unit's weeks beside what would have been without the action, and the line where it began."""
    observed = [_pair(series, index, "observed") for index in range(len(series["week"]))]
    band = [
        {"week": week, "value": middle, "low": low, "high": high}
        for week, middle, low, high in zip(
            series["week"], series["counterfactual"], series["low"], series["high"], strict=True
        )
        if middle is not None
    ]
    seen = [point for point in observed if point["value"] is not None]
    x = _weeks()
    y: Spec = {"field": "value", "type": "quantitative", "scale": {"zero": False, "nice": True}}
    ends = [
        {**line[-1], "name": name, "tone": colour}
        for line, name, colour in ((seen, words.unit, "unit"), (band, words.without, "without"))
        if line
    ]
    # The higher end is named above its line and the lower one below, so that the names never meet.
    ends.sort(key=lambda end: -end["value"])
    return {
        "$schema": SCHEMA,
        "autosize": FIT,
        "height": 260,
        "layer": [
            {
                "data": {"values": band},
                "mark": {"type": "area", "color": "@unclear", "opacity": 0.2},
                "encoding": {
                    "x": x,
                    "y": {"field": "low", "type": "quantitative", "scale": {"zero": False, "nice": True}},
                    "y2": {"field": "high"},
                },
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
            *_start(series["start"], words.start),
            *(_name(end, is_above=place == 0) for place, end in enumerate(ends)),
        ],
    }


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


def difference(series: Mapping[str, Any], *, sign: int, words: Words) -> Spec:
    """Unit minus counterfactual, week by week, with the band of chance; up is better."""
    values = differences(series, sign=sign)
    x = _weeks()
    return {
        "$schema": SCHEMA,
        "autosize": FIT,
        "height": 180,
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "area", "color": "@unclear", "opacity": 0.2},
                "encoding": {
                    "x": x,
                    "y": {
                        "field": "low",
                        "type": "quantitative",
                        "axis": {"labelExpr": _signed(sign)},
                    },
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
                "mark": {"type": "line", "color": "@accent", "strokeWidth": 2.25, "point": {"size": 22}},
                "encoding": {"x": x, "y": {"field": "value", "type": "quantitative"}},
            },
            *_start(series["start"], words.start),
        ],
    }


def differences(series: Mapping[str, Any], *, sign: int) -> list[dict[str, Any]]:
    """Week, difference and the band in which it stays when the action does nothing; positive is better."""
    rows = []
    for week, seen, middle, low, high in zip(
        series["week"], series["observed"], series["counterfactual"], series["low"], series["high"], strict=True
    ):
        if seen is None or middle is None or low is None or high is None:
            continue
        edges = sorted((sign * (low - middle), sign * (high - middle)))
        rows.append({"week": week, "value": sign * (seen - middle), "low": edges[0], "high": edges[1]})
    return rows


def _pair(series: Mapping[str, Any], index: int, name: str) -> dict[str, Any]:
    return {"week": series["week"][index], "value": series[name][index]}


def _weeks() -> Spec:
    return {"field": "week", "type": "temporal", "axis": {"format": "%b %Y"}}


def _start(day: str, label: str) -> list[Spec]:
    x = _weeks()
    values = {"values": [{"week": day, "name": label}]}
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
