"""Where dots, lines and zero marks stand."""

import pytest

from apps.core import drawings


def test_an_interval_stands_in_order_and_right_of_zero():
    bar = drawings.interval_bar(low=1.0, value=2.0, high=3.0, domain=None)
    assert float(bar.zero) < float(bar.low) < float(bar.dot) < float(bar.high) < drawings.BAR_WIDTH


def test_bars_of_one_domain_share_their_zero():
    first = drawings.interval_bar(low=-1.0, value=0.0, high=1.0, domain=(-2.0, 4.0))
    second = drawings.interval_bar(low=3.0, value=3.5, high=4.0, domain=(-2.0, 4.0))
    assert first.zero == second.zero
    assert first.ticks == second.ticks


def test_an_interval_beyond_the_domain_widens_it():
    bar = drawings.interval_bar(low=-9.0, value=0.0, high=9.0, domain=(-1.0, 1.0))
    assert float(bar.low) >= 0
    assert float(bar.high) <= drawings.BAR_WIDTH


def test_a_point_at_zero_can_be_drawn():
    bar = drawings.interval_bar(low=0.0, value=0.0, high=0.0, domain=None)
    assert bar.low == bar.dot == bar.high == bar.zero


@pytest.mark.parametrize(("span", "step"), [(1.0, 0.5), (8.0, 2.0), (0.09, 0.05), (100.0, 50.0), (4.0, 1.0)])
def test_ticks_are_round_numbers(span, step):
    assert drawings.nice_step(span, 4) == pytest.approx(step)


def test_a_gap_breaks_the_line():
    drawn = drawings.sparkline([1.0, 2.0, None, 3.0, 4.0])
    assert drawn is not None
    assert drawn.line.count("M") == 2


def test_the_last_known_value_is_marked():
    drawn = drawings.sparkline([1.0, 2.0, None])
    whole = drawings.sparkline([1.0, 2.0, 1.5])
    assert drawn is not None
    assert whole is not None
    assert drawn.end != whole.end


@pytest.mark.parametrize("values", [[], [None, None], [1.0], [None, 2.0]])
def test_fewer_than_two_values_are_no_line(values):
    assert drawings.sparkline(values) is None


def test_a_flat_series_runs_through_the_middle():
    drawn = drawings.sparkline([5.0, 5.0])
    assert drawn is not None
    assert f"{drawings.SPARK_HEIGHT / 2:.1f}" in drawn.line
