"""What templates make of numbers: estimates, verdicts, evidence, drawings."""

import re
from datetime import date
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import timezone, translation


def render(source: str, **context: object) -> str:
    """The result with every run of white space as one space, no-break ones too."""
    return " ".join(Template("{% load cx %}" + source).render(Context(context)).split())


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_an_estimate_has_its_unit_and_its_interval():
    html = render("{% estimate 0.42 0.21 0.63 'points' %}")
    assert text_of(html) == "+0.42 points (likely between +0.21 and +0.63)"


def test_an_estimate_in_french_has_a_comma():
    with translation.override("fr"):
        html = render("{% estimate 0.42 0.21 0.63 'points' %}")
    assert "+0,42" in html
    assert "+0,21" in html


def test_an_estimate_of_a_share_is_told_in_hundredths():
    assert "+6 per 100" in render("{% estimate 6.2 2.1 9.4 '%' %}")


def test_less_waiting_is_written_as_fewer_minutes_and_coloured_as_better():
    html = render("{% estimate 1.9 1.5 2.3 'minutes' sign=-1 coloured=True %}")
    assert text_of(html) == "−1.90 minutes (likely between −2.30 and −1.50)"
    assert "cx-estimate--better" in html


def test_an_estimate_without_interval_is_no_number():
    assert text_of(render("{% estimate 0.42 low high 'points' %}", low=None, high=0.6)) == "Not measured yet"


@pytest.mark.parametrize(
    ("low", "high", "tone", "word"),
    [(0.1, 0.5, "better", "better"), (-0.5, -0.1, "worse", "worse"), (-0.1, 0.4, "unclear", "can’t tell yet")],
)
def test_a_direction_has_shape_word_and_colour(low, high, tone, word):
    html = render("{% direction low high %}", low=low, high=high)
    assert f"cx-direction--{tone}" in html
    assert word in html
    assert "<svg" in html


def test_a_verdict_is_a_chip_with_its_word():
    assert "Does harm" in render("{% verdict 'harmful' %}")
    assert "cx-chip--worse" in render("{% verdict 'harmful' %}")


def test_an_unknown_verdict_is_an_error():
    with pytest.raises(KeyError):
        render("{% verdict 'splendid' %}")


STRIP = {
    "effect": 0.42,
    "low": 0.21,
    "high": 0.63,
    "unit": "points",
    "evidence": 3,
    "actions": 7,
    "units": 5,
    "cost": 2,
    "lag_days": 42,
    "side_effects": (),
}


def test_the_strip_says_impact_evidence_cost_delay_and_side_effects_in_this_order():
    said = text_of(render("{% evidence_strip row %}", row=STRIP))
    parts = ["Impact", "+0.42 points", "Evidence", "Moderate", "7 measured uses in 5 units", "Cost", "Low"]
    parts += ["Shows after", "about 6 weeks", "Side effects", "none seen"]
    places = [said.index(part) for part in parts]
    assert places == sorted(places)


def test_the_strip_reads_objects_too_and_arguments_win():
    said = text_of(render("{% evidence_strip row cost=5 %}", row=SimpleNamespace(**STRIP)))
    assert "Very high" in said
    assert "Moderate" in said


def test_evidence_zero_hides_the_number_whatever_it_is():
    said = text_of(render("{% evidence_strip row %}", row={**STRIP, "evidence": 0}))
    assert "0.42" not in said
    assert "Not measured yet" in said
    assert "not known yet" in said


def test_a_side_effect_is_named_with_its_shape():
    html = render("{% evidence_strip row %}", row={**STRIP, "side_effects": ("Clarity of fees",)})
    assert "Clarity of fees" in html
    assert "none seen" not in html


def test_an_interval_bar_says_in_words_what_it_draws():
    html = render("{% interval_bar 0.42 0.21 0.63 'points' %}")
    assert 'role="img"' in html
    assert "likely between +0.21 and +0.63" in html
    assert "style=" not in html


def test_ticks_of_a_metric_that_should_fall_carry_its_own_sign():
    assert "−2" in render("{% interval_bar 1.9 0.5 3.3 'minutes' sign=-1 %}")


def test_a_missing_estimate_is_no_bar():
    assert "<svg" not in render("{% interval_bar value low high %}", value=None, low=None, high=None)


def test_rows_share_a_domain():
    html = render(
        "{% with d=rows|domain %}{{ d.0 }} {{ d.1 }}{% endwith %}", rows=[STRIP, {"low": -1.0, "high": 0.2}]
    )
    assert html == "-1.0 0.63"


def test_a_sparkline_without_words_is_hidden_from_readers():
    assert 'aria-hidden="true"' in render("{% sparkline values %}", values=[1.0, 2.0])
    assert 'aria-label="Score over time"' in render("{% sparkline values 'Score over time' %}", values=[1.0, 2.0])


def test_a_spec_stands_safely_in_an_attribute():
    html = render('<i data-chart="{{ spec|json }}"></i>', spec={"title": '"><script>'})
    assert "<script>" not in html


def test_a_day_carries_the_exact_one():
    html = render("{{ value|day }}", value=timezone.localdate())
    assert ">today<" in html
    assert timezone.localdate().isoformat() in html


def test_no_date_is_nothing():
    assert render("{{ value|day }}{{ value|week }}{{ value|moment }}", value=None) == ""


def test_a_week_is_told_by_its_monday():
    assert ">week of 6 January 2020<" in render("{{ value|week }}", value=date(2020, 1, 6))


def test_a_figure_keeps_its_unit_small():
    assert render("{% figure 7.091 'points' %}") == '7.09<span class="cx-stat__unit"> points</span>'
    assert render("{% figure 71.3 '%' %}") == "71.3%"


def test_an_icon_is_silent():
    assert 'aria-hidden="true"' in render("{% icon 'house' %}")
