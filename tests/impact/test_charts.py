"""Drawings as data: what is drawn, on which side, and nothing that JSON does not know."""

import json

import pytest

from apps.impact import charts

SERIES = {
    "week": ["2024-01-01", "2024-01-08", "2024-01-15"],
    "observed": [8.0, None, 12.0],
    "counterfactual": [9.0, 9.0, 10.0],
    "low": [8.5, 8.5, 9.0],
    "high": [9.5, 9.5, 11.5],
    "n": [10, 0, 12],
    "start": "2024-01-08",
}
SAID = charts.Words(unit="This unit", without="Without", start="in effect")


def test_a_difference_is_signed_so_that_up_is_better():
    rows = charts.differences(SERIES, sign=-1)
    assert [(row["week"], row["value"]) for row in rows] == [("2024-01-01", 1.0), ("2024-01-15", -2.0)]
    assert [(row["low"], row["high"]) for row in rows] == [(-0.5, 0.5), (-1.5, 1.0)]


@pytest.mark.parametrize(("low", "high", "tone"), [(0.1, 2, "better"), (-2, -0.1, "worse"), (-1, 1, "unclear")])
def test_the_tone_needs_the_whole_interval(low, high, tone):
    assert charts.tone(low, high) == tone


@pytest.mark.parametrize(
    "spec",
    [
        charts.with_and_without(SERIES, words=SAID),
        charts.difference(SERIES, sign=1, words=SAID),
        charts.forest(
            [
                charts.Estimate(label="A", effect=1, low=0.5, high=1.5, alone=2, alone_low=-1, alone_high=5),
                charts.Estimate(label="All", effect=1, low=0.8, high=1.2, is_pooled=True),
            ],
            sign=1,
        ),
    ],
)
def test_specs_are_plain_json_with_colours_by_token(spec):
    text = json.dumps(spec, allow_nan=False)
    assert "#" not in text
    assert "@accent" in text or "@better" in text


def test_a_gap_in_the_answers_is_a_gap_in_the_line():
    spec = charts.with_and_without(SERIES, words=SAID)
    lines = [layer["data"]["values"] for layer in spec["layer"] if layer.get("mark", {}).get("type") == "line"]
    assert [len(values) for values in lines] == [3, 2]


def test_zero_is_always_inside_a_forest():
    spec = charts.forest([charts.Estimate(label="A", effect=3, low=2, high=4)], sign=1)
    domains = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in spec["layer"]
        if "domain" in layer["encoding"].get("x", {}).get("scale", {})
    ]
    assert domains
    assert all(first < 0 < last for first, last in domains)
