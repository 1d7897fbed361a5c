"""When is it asked how an action goes?"""

from collections.abc import Iterator
from datetime import date, timedelta

# Early enough to help, late enough to see something, and once more when the result is near.
USUAL_WEEKS = (2, 6, 12)
LONGEST_WEEKS = 52
# Later than this nobody remembers; the next one is asked instead.
ASKED_FOR = timedelta(weeks=4)


def check_in_days(effective_on: date, *, every_weeks: int | None = None) -> Iterator[date]:
    """The days on which a check-in falls due, the first one first."""
    weeks = range(every_weeks, LONGEST_WEEKS + 1, every_weeks) if every_weeks else USUAL_WEEKS
    for number in weeks:
        yield effective_on + timedelta(weeks=number)


def usual_windows(as_of: date) -> list[tuple[date, date]]:
    """When an action with the usual rhythm took effect that is asked about on `as_of`, first and last day."""
    spans = [timedelta(weeks=weeks) for weeks in USUAL_WEEKS]
    return [(as_of - ASKED_FOR - span, as_of - span) for span in spans]


def check_in_due(
    effective_on: date, *, every_weeks: int | None = None, last_on: date | None = None, as_of: date
) -> date | None:
    """The newest day that passed without a check-in since; None when nothing is asked."""
    days = [day for day in check_in_days(effective_on, every_weeks=every_weeks) if day <= as_of]
    if not days or days[-1] < as_of - ASKED_FOR or (last_on is not None and last_on >= days[-1]):
        return None
    return days[-1]


def next_check_in(effective_on: date, *, every_weeks: int | None = None, as_of: date) -> date | None:
    return next((day for day in check_in_days(effective_on, every_weeks=every_weeks) if day > as_of), None)
