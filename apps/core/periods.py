"""ISO weeks as dates: a week is named by its Monday."""

from datetime import date, timedelta

WEEK = timedelta(days=7)


def week_of(day: date) -> date:
    """The Monday of the ISO week that holds `day`."""
    return day - timedelta(days=day.weekday())


def weeks_between(first: date, last: date) -> int:
    """How many weeks lie from the week of `first` to the week of `last` (negative when it is earlier)."""
    return (week_of(last) - week_of(first)).days // 7
