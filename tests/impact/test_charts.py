"""Drawings as data: what is drawn, on which side, and nothing that JSON does not know."""

import json
from datetime import date

import pytest

from apps.impact import charts, weekly

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
MARKERS = (
    charts.Marker(number=1, day=date(2023, 12, 1), until=date(2024, 1, 10)),
    charts.Marker(number=2, day=date(2024, 1, 9)),
)


def scene(sign=1, **given):
    return charts.Scene(
        weeks=weekly.weeks(SERIES, sign=sign, chance=weekly.Chance(), **given),
        windows=weekly.windows(SERIES),
        markers=MARKERS,
        words=SAID,
        sign=sign,
    )


def test_a_difference_is_signed_so_that_up_is_better():
    read = weekly.weeks(SERIES, sign=-1, chance=weekly.Chance())
    assert [week.difference and week.difference.value for week in read] == [1.0, None, -2.0]
    assert [week.difference and week.difference.high for week in read] == [0.5, None, 1.25]


def test_a_weeks_own_scatter_widens_the_band():
    chance = weekly.Chance.of({"scale": 2.0, "sampling": 40.0, "nu2": 0.0})
    last = weekly.weeks(SERIES, sign=1, chance=chance)[-1]
    assert last.difference.high == pytest.approx((1.25**2 + 1.959964**2 * 10.0 / 12) ** 0.5)


def test_the_sum_begins_with_the_action_and_counts_everyone_who_responded():
    read = weekly.weeks(SERIES, sign=1, chance=weekly.Chance(), divisor=100.0)
    assert [week.total and week.total.value for week in read] == [None, None, pytest.approx(0.24)]
    assert read[-1].total.high == pytest.approx(0.15)


def test_weeks_of_few_keep_their_level_to_themselves():
    read = weekly.weeks(SERIES, sign=1, chance=weekly.Chance(), shown_from=11)
    assert [week.observed for week in read] == [None, None, 12.0]
    assert read[0].difference is None


def test_the_windows_follow_the_start_and_the_lag():
    assert weekly.windows(SERIES).counts_from == date(2024, 1, 29)
    moved = weekly.windows({**SERIES, "primary_from": "2024-02-12"})
    assert (moved.counts_from, moved.counts_until) == (date(2024, 2, 12), date(2024, 5, 6))


def test_a_change_in_the_number_of_responses_is_told_unless_it_came_everywhere():
    series = {
        "week": [f"2024-01-{day:02}" for day in (1, 8, 15, 22)],
        "observed": [8.0] * 4,
        "counterfactual": [8.0] * 4,
        "low": [7.0] * 4,
        "high": [9.0] * 4,
        "n": [60, 60, 20, 20],
        "start": "2024-01-15",
    }
    read = weekly.weeks(series, sign=1, chance=weekly.Chance())
    assert weekly.pace(read, date(2024, 1, 15)).is_unusual
    assert not weekly.pace(read, date(2024, 1, 15), elsewhere=1 / 3).is_unusual


@pytest.mark.parametrize(("low", "high", "tone"), [(0.1, 2, "better"), (-2, -0.1, "worse"), (-1, 1, "unclear")])
def test_the_tone_needs_the_whole_interval(low, high, tone):
    assert charts.tone(low, high) == tone


@pytest.mark.parametrize(
    "spec",
    [
        charts.with_and_without(scene()),
        charts.difference(scene()),
        charts.total(scene(sign=-1)),
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
    spec = charts.with_and_without(scene())
    lines = [layer["data"]["values"] for layer in spec["layer"] if layer.get("mark", {}).get("type") == "line"]
    assert [len(values) for values in lines] == [3, 2]


def test_marks_stay_inside_the_weeks_shown():
    text = json.dumps(charts.with_and_without(scene()))
    assert "2023-12" not in text
    assert '"name": "2"' in text


def test_zero_is_always_inside_a_forest():
    spec = charts.forest([charts.Estimate(label="A", effect=3, low=2, high=4)], sign=1)
    domains = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in spec["layer"]
        if "domain" in layer["encoding"].get("x", {}).get("scale", {})
    ]
    assert domains
    assert all(first < 0 < last for first, last in domains)
