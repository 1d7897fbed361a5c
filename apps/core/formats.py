"""How numbers, dates and counts are written for people, in the active language."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Number = int | float | Decimal

MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"
NARROW_SPACE = "\u202f"


def is_french() -> bool:
    return (translation.get_language() or "").startswith("fr")


def number(value: Number, decimals: int = 0) -> str:
    """The number with a true minus and the language's marks: 1,234.5 or 1 234,5."""
    text = f"{abs(value):,.{decimals}f}"
    if is_french():
        text = text.replace(",", NARROW_SPACE).replace(".", ",")
    is_zero = not any(character in "123456789" for character in text)
    return text if value >= 0 or is_zero else MINUS + text


def signed(value: Number, decimals: int = 0) -> str:
    """The number with its sign written out; nothing is written before a zero."""
    text = number(value, decimals)
    is_zero = not any(character in "123456789" for character in text)
    return text if value < 0 or is_zero else f"+{text}"


def with_unit(text: str, unit: str) -> str:
    """The number and its unit, kept together: 12%, 12 %, 4.2 points."""
    if not unit:
        return text
    if unit == "%":
        return f"{text}{NARROW_SPACE}%" if is_french() else f"{text}%"
    return f"{text}{NO_BREAK_SPACE}{unit}"


# Codes as data name them, such as high_street; whatever has capitals, spaces or accents is a name already.
_CODE = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


def code_as_said(code: str) -> str:
    """A kind or a region as people read it in a sentence: high_street is high street, Île-de-France stays."""
    return code.replace("_", " ").replace("-", " ") if _CODE.fullmatch(code) else code


def percent(share: Number, decimals: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return with_unit(number(float(share) * 100, decimals), "%")


def change_unit(unit: str) -> str:
    """The unit of a difference: two percentages differ by so many in 100."""
    return _("per 100") if unit == "%" else unit


def decimals_for(low: Number, high: Number) -> int:
    """As many decimals as the width of the interval deserves."""
    half = abs(float(high) - float(low)) / 2
    if half >= 2:
        return 0
    if half >= 0.5:
        return 1
    return 2 if half >= 0.015 else 3


HUNDREDTHS = ("%", "NPS")


def decimals_of_level(value: Number, unit: str = "") -> int:
    """Decimals of a metric's level: 8.24, 71.3, 1,204; always one on a scale of a hundred."""
    size = abs(float(value))
    if size >= 1000:
        return 0
    return 1 if size >= 20 or unit in HUNDREDTHS else 2


def level(value: Number, unit: str) -> str:
    """A metric's level with its unit."""
    return with_unit(number(value, decimals_of_level(value, unit)), unit)


def counted(count: int, noun: str) -> str:
    """The count with its noun in the right number."""
    return NOUNS[noun](count).replace("#", number(count))


# "#" stands for the count, which is written in the language's own way.
NOUNS: dict[str, Callable[[int], str]] = {
    "action": lambda n: ngettext("# action", "# actions", n),
    "answer": lambda n: ngettext("# answer", "# answers", n),
    "challenge": lambda n: ngettext("# challenge", "# challenges", n),
    "comment": lambda n: ngettext("# comment", "# comments", n),
    "day": lambda n: ngettext("# day", "# days", n),
    "hour": lambda n: ngettext("# hour", "# hours", n),
    "idea": lambda n: ngettext("# idea", "# ideas", n),
    "measured use": lambda n: ngettext("# measured use", "# measured uses", n),
    "minute": lambda n: ngettext("# minute", "# minutes", n),
    "person": lambda n: ngettext("# person", "# people", n),
    "rejected row": lambda n: ngettext("# rejected row", "# rejected rows", n),
    "response": lambda n: ngettext("# response", "# responses", n),
    "row": lambda n: ngettext("# row", "# rows", n),
    "second": lambda n: ngettext("# second", "# seconds", n),
    "solution": lambda n: ngettext("# solution", "# solutions", n),
    "touchpoint": lambda n: ngettext("# touchpoint", "# touchpoints", n),
    "unit": lambda n: ngettext("# unit", "# units", n),
    "use": lambda n: ngettext("# use", "# uses", n),
    "version": lambda n: ngettext("# version", "# versions", n),
    "vote": lambda n: ngettext("# vote", "# votes", n),
    "week": lambda n: ngettext("# week", "# weeks", n),
}


def exact_day(day: date) -> str:
    """The day in full: Monday 3 March 2025."""
    return date_format(day, "l j F Y")


def short_day(day: date, today: date) -> str:
    """The day and month, with the year when it is another one."""
    text = date_format(day, "j F" if day.year == today.year else "j F Y")
    return "1er" + text[1:] if is_french() and text.startswith("1 ") else text


def day_as_said(day: date, today: date) -> str:
    """The day as people say it: today, 3 days ago, in 2 days, 12 March."""
    distance = (day - today).days
    if distance == 0:
        return _("today")
    if distance == -1:
        return _("yesterday")
    if distance == 1:
        return _("tomorrow")
    if -7 < distance < 0:
        return ngettext("%(days)d day ago", "%(days)d days ago", -distance) % {"days": -distance}
    if 0 < distance < 7:
        return ngettext("in %(days)d day", "in %(days)d days", distance) % {"days": distance}
    return short_day(day, today)


def week_as_said(monday: date, today: date) -> str:
    """A week by its Monday."""
    return _("week of %(day)s") % {"day": short_day(monday, today)}


def weeks_of_days(days: int) -> int:
    """Days as whole weeks, at least one."""
    return max(1, math.floor(days / 7 + 0.5))


def moment_as_said(moment: datetime, now: datetime) -> str:
    """A moment as people say it: minutes and hours when it is near, else the day."""
    seconds = (now - moment).total_seconds()
    if 0 <= seconds < 60:
        return _("just now")
    if 0 <= seconds < 3600:
        minutes = int(seconds // 60)
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    if 0 <= seconds < 6 * 3600:
        hours = int(seconds // 3600)
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    if -3600 < seconds < 0:
        minutes = math.ceil(-seconds / 60)
        return ngettext("in %(count)d minute", "in %(count)d minutes", minutes) % {"count": minutes}
    if -6 * 3600 <= seconds <= -3600:
        hours = int(-seconds // 3600)
        return ngettext("in %(count)d hour", "in %(count)d hours", hours) % {"count": hours}
    return day_as_said(timezone.localtime(moment).date(), timezone.localtime(now).date())
