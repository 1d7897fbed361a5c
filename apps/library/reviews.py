"""When a solution is to be looked at again."""

from calendar import monthrange
from datetime import date


def due_on(*, since: date | None, every_months: int | None) -> date | None:
    """The day of the next review, so many months after the last one; a short month ends earlier."""
    if since is None or not every_months:
        return None
    month = since.month - 1 + every_months
    year, month = since.year + month // 12, month % 12 + 1
    return date(year, month, min(since.day, monthrange(year, month)[1]))
