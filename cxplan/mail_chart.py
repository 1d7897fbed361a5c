"""The score's trend as a picture for mails.

Call it in a worker only: the drawing library hangs in a process forked from one that used it.
"""

from collections.abc import Mapping
from importlib import import_module

from django.utils.translation import get_language

from apps.feedback.selectors import MetricTrend

WIDTH, HEIGHT, SCALE = 310, 110, 3
# Pictures in mails can't follow the reader's theme: colours that hold on white and on dark paper alike, on white.
PAPER, LINE, BAND, TEXT, GRID = "#ffffff", "#0f5c6e", "#c9dfe4", "#5b6873", "#e3e1db"


def trend_picture(trend: MetricTrend) -> bytes:
    """A PNG three times as sharp as it is wide."""
    # Imported late: loading it takes a tenth of a second and a hundred megabytes.
    library = import_module("vl_convert")
    locale = "fr-FR" if (get_language() or "").startswith("fr") else "en-US"
    picture: bytes = library.vegalite_to_png(
        trend_spec(trend), scale=SCALE, format_locale=locale, time_format_locale=locale
    )
    return picture


def trend_spec(trend: MetricTrend) -> Mapping[str, object]:
    values = [
        {
            "week": point.week.isoformat(),
            "mean": point.level.mean,
            "low": point.level.low,
            "high": point.level.high,
        }
        for point in trend.points
    ]
    x = {"field": "week", "type": "temporal", "axis": {"format": "%-d %b", "title": None, "tickCount": 4}}
    y = {"type": "quantitative", "scale": {"zero": False, "nice": True}, "axis": {"tickCount": 3, "title": None}}
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "background": PAPER,
        "padding": 8,
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "area", "color": BAND, "invalid": "break-paths-show-domains"},
                "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}},
            },
            {
                "mark": {
                    "type": "line",
                    "color": LINE,
                    "strokeWidth": 2.5,
                    "invalid": "break-paths-show-domains",
                },
                "encoding": {"x": x, "y": {"field": "mean", **y}},
            },
        ],
        "config": {
            "font": "Arial, Helvetica, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": TEXT,
                "labelFontSize": 13,
                "gridColor": GRID,
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
            },
            "axisX": {"grid": False},
        },
    }
