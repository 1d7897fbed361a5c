"""Numbers, counts and dates as people write them in English and in French."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from apps.core import formats

NARROW = "\u202f"
TODAY = date(2025, 3, 12)


@pytest.mark.parametrize(
    ("value", "decimals", "english", "french"),
    [
        (1234.5, 1, "1,234.5", f"1{NARROW}234,5"),
        (-0.42, 2, "−0.42", "−0,42"),
        (-0.001, 2, "0.00", "0,00"),
        (0, 0, "0", "0"),
        (31539, 0, "31,539", f"31{NARROW}539"),
    ],
)
def test_a_number_has_the_marks_of_its_language(value, decimals, english, french):
    with translation.override("en"):
        assert formats.number(value, decimals) == english
    with translation.override("fr"):
        assert formats.number(value, decimals) == french


@pytest.mark.parametrize(("value", "text"), [(0.42, "+0.42"), (-0.3, "−0.30"), (0.001, "0.00"), (-0.001, "0.00")])
def test_a_signed_number_shows_its_sign_unless_it_rounds_to_zero(value, text):
    assert formats.signed(value, 2) == text


def test_percent_stands_close_in_english_and_apart_in_french():
    assert formats.percent(0.123) == "12%"
    with translation.override("fr"):
        assert formats.percent(0.123, 1) == f"12,3{NARROW}%"


def test_a_unit_never_leaves_its_number():
    assert formats.with_unit("4.2", "minutes") == "4.2\u00a0minutes"
    assert formats.with_unit("4.2", "") == "4.2"


@pytest.mark.parametrize(
    ("low", "high", "decimals"), [(2, 9, 0), (0.1, 1.4, 1), (0.21, 0.63, 2), (0.001, 0.004, 3), (-0.63, -0.21, 2)]
)
def test_decimals_follow_the_width_of_the_interval(low, high, decimals):
    assert formats.decimals_for(low, high) == decimals


@pytest.mark.parametrize(
    ("value", "text"), [(8.2371, "8.24"), (71.34, "71.3"), (1204.4, "1,204"), (-1.97, "−1.97")]
)
def test_a_level_has_as_many_decimals_as_it_deserves(value, text):
    assert formats.level(value, "") == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 weeks"), (1, "1 week"), (1200, "1,200 weeks")])
def test_a_count_agrees_with_its_noun(count, text):
    assert formats.counted(count, "week") == text


def test_an_unknown_noun_is_an_error():
    with pytest.raises(KeyError):
        formats.counted(2, "unicorn")


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "today"),
        (-1, "yesterday"),
        (1, "tomorrow"),
        (-3, "3 days ago"),
        (6, "in 6 days"),
        (-7, "5 March"),
        (-80, "22 December 2024"),
    ],
)
def test_a_day_is_written_as_people_say_it(days, text):
    assert formats.day_as_said(TODAY + timedelta(days=days), TODAY) == text


def test_the_first_of_a_month_is_an_ordinal_in_french():
    with translation.override("fr"):
        assert formats.short_day(date(2025, 2, 1), TODAY) == "1er février"
        assert formats.short_day(date(2025, 2, 11), TODAY) == "11 février"


def test_a_week_is_named_by_its_monday():
    assert formats.week_as_said(date(2025, 3, 3), TODAY) == "week of 3 March"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(seconds=-61), "in 2 minutes"),
        (timedelta(minutes=-59, seconds=-30), "in 60 minutes"),
        (timedelta(hours=-2.5), "in 2 hours"),
        (timedelta(hours=-24), "tomorrow"),
    ],
)
def test_a_moment_is_told_by_minutes_then_hours_then_days(ago, text):
    now = datetime(2025, 3, 12, 18, 0, tzinfo=UTC)
    assert formats.moment_as_said(now - ago, now) == text


@pytest.mark.parametrize(("days", "weeks"), [(1, 1), (7, 1), (10, 1), (11, 2), (42, 6)])
def test_days_become_whole_weeks_and_never_none(days, weeks):
    assert formats.weeks_of_days(days) == weeks


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("high_street", "high street"),
        ("airport", "airport"),
        ("shop-in-shop", "shop in shop"),
        ("Île-de-France", "Île-de-France"),
        ("Nord-Est", "Nord-Est"),
        ("", ""),
    ],
)
def test_codes_are_read_as_words_and_names_stay(code, said):
    assert formats.code_as_said(code) == said
