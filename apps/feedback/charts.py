"""The Vega-Lite spec of a metric's trend and its table twin."""

from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import formats
from apps.feedback.selectors import MetricTrend
from apps.taxonomy.models import Metric


def counted_label(metric: Metric) -> str:
    """What the numbers behind a metric are called."""
    return _("Answers") if metric.kind == Metric.Kind.PERCEPTION else _("Records")


def trend_spec(trend: MetricTrend) -> Mapping[str, object]:
    """The periods as a line, where the mean likely lies as a band, the last value written at its end."""
    metric = trend.metric
    known = [point for point in trend.points if point.level.mean is not None]
    values = [
        {
            "week": point.week.isoformat(),
            "mean": point.level.mean,
            "low": point.level.low,
            "high": point.level.high,
            "n": point.level.n,
            "label": formats.level(point.level.mean, "")
            if point is known[-1] and point.level.mean is not None
            else "",
        }
        for point in trend.points
    ]
    x = {"field": "week", "type": "temporal", "axis": {"format": "%b %Y"}}
    scale = {"zero": False, "nice": True}
    tooltip = [
        {"field": "week", "type": "temporal", "title": _("Four weeks from"), "format": "%d %b %Y"},
        {"field": "mean", "type": "quantitative", "title": metric.display_name, "format": ".2f"},
        {"field": "n", "type": "quantitative", "title": counted_label(metric), "format": ",d"},
    ]
    band = {
        "mark": {"type": "area"},
        "encoding": {
            "x": x,
            "y": {"field": "low", "type": "quantitative", "scale": scale},
            "y2": {"field": "high"},
        },
    }
    return {
        "height": 240,
        "padding": {"left": 0, "right": 4, "top": 8, "bottom": 4},
        "data": {"values": values},
        "layer": [
            *([band] if trend.has_band else []),
            {
                "mark": {"type": "line", "invalid": "break-paths-show-domains"},
                "encoding": {"x": x, "y": {"field": "mean", "type": "quantitative", "scale": scale}},
            },
            {
                "mark": {"type": "point", "invalid": "filter"},
                "encoding": {"x": x, "y": {"field": "mean", "type": "quantitative"}, "tooltip": tooltip},
            },
            {
                "transform": [{"filter": "datum.label !== ''"}],
                "mark": {"type": "text", "align": "left", "dx": 9, "fontWeight": 700, "fontSize": 13},
                "encoding": {"x": x, "y": {"field": "mean", "type": "quantitative"}, "text": {"field": "label"}},
            },
        ],
    }


def trend_table(trend: MetricTrend) -> tuple[list[str], list[list[str]]]:
    """Column labels and rows, the newest first."""
    unit = trend.metric.display_unit
    today = timezone.localdate()
    columns = [_("Four weeks from"), trend.metric.display_name, _("Likely between"), counted_label(trend.metric)]
    rows = []
    for point in reversed(trend.points):
        level = point.level
        mean = formats.level(level.mean, unit) if level.mean is not None else _("too few answers to show")
        between = (
            f"{formats.level(level.low, '')} – {formats.level(level.high, '')}"
            if level.low is not None and level.high is not None
            else ""
        )
        rows.append([formats.short_day(point.week, today), mean, between, formats.number(level.n)])
    return columns, rows
