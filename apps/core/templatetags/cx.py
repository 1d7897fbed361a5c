"""How estimates, verdicts, dates and small drawings are shown: the only way a number reaches a page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from json import dumps
from typing import Any

import lucide
from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core import drawings, formats
from apps.core.formats import Number

register = template.Library()

BETTER, WORSE, UNCLEAR, ATTENTION, PLAIN = "better", "worse", "unclear", "attention", "plain"
SHAPES = {BETTER: "M5 1 9.5 9h-9z", WORSE: "M5 9 .5 1h9z", UNCLEAR: "M5 .5 9.5 5 5 9.5.5 5z"}
TONE_WORDS = {
    BETTER: gettext_lazy("better"),
    WORSE: gettext_lazy("worse"),
    UNCLEAR: gettext_lazy("can’t tell yet"),
}
VERDICTS = {
    "works": (BETTER, gettext_lazy("Works")),
    "likely_works": (BETTER, gettext_lazy("Likely works")),
    "trade_off": (ATTENTION, gettext_lazy("Works with trade-offs")),
    "unknown": (UNCLEAR, gettext_lazy("We can’t tell yet")),
    "unlikely": (UNCLEAR, gettext_lazy("Unlikely to work")),
    "harmful": (WORSE, gettext_lazy("Does harm")),
    "improved": (BETTER, gettext_lazy("Improved")),
    "probably_improved": (BETTER, gettext_lazy("Probably improved")),
    "no_clear_change": (UNCLEAR, gettext_lazy("No clear change")),
    "probably_worse": (WORSE, gettext_lazy("Probably worse")),
    "worse": (WORSE, gettext_lazy("Worse")),
    "too_early": (PLAIN, gettext_lazy("Too early to say")),
    "not_enough_data": (PLAIN, gettext_lazy("Not enough data")),
    "unhealthy": (ATTENTION, gettext_lazy("Comparison unhealthy")),
    "not_estimable": (PLAIN, gettext_lazy("Can’t be measured")),
}
EVIDENCE_WORDS = (
    pgettext_lazy("evidence", "None yet"),
    pgettext_lazy("evidence", "Very limited"),
    pgettext_lazy("evidence", "Limited"),
    pgettext_lazy("evidence", "Moderate"),
    pgettext_lazy("evidence", "Strong"),
    pgettext_lazy("evidence", "Very strong"),
)
COST_WORDS = (
    gettext_lazy("Not stated"),
    pgettext_lazy("cost", "Very low"),
    pgettext_lazy("cost", "Low"),
    pgettext_lazy("cost", "Moderate"),
    pgettext_lazy("cost", "High"),
    pgettext_lazy("cost", "Very high"),
)


def tone_of(low: Number, high: Number) -> str:
    """Better or worse only when the whole interval is on one side of zero."""
    if low > 0:
        return BETTER
    return WORSE if high < 0 else UNCLEAR


# Icons and shapes


@lru_cache(maxsize=512)
def _icon(name: str, size: int) -> SafeString:
    drawn = lucide._render_icon(name, size, **{"class": "cx-icon", "aria-hidden": "true", "focusable": "false"})  # noqa: SLF001
    return mark_safe(drawn)  # noqa: S308 -- the package's own drawing


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """A drawing that says nothing a word beside it doesn't."""
    return _icon(name, size)


@register.simple_tag
def shape(tone: str) -> SafeString:
    """▲ better, ▼ worse, ◆ unclear; nothing for other tones."""
    if tone not in SHAPES:
        return mark_safe("")
    return format_html(
        '<svg class="cx-chip__shape" viewBox="0 0 10 10" aria-hidden="true"><path d="{}"/></svg>', SHAPES[tone]
    )


@register.simple_tag
def direction(low: Number, high: Number, unclear: str = "") -> SafeString:
    """Shape, colour and word for an interval of a signed effect; `unclear` is another word for "can't tell"."""
    tone = tone_of(low, high)
    word = unclear if unclear and tone == UNCLEAR else TONE_WORDS[tone]
    return format_html('<span class="cx-direction cx-direction--{}">{} {}</span>', tone, shape(tone), word)


@register.inclusion_tag("components/verdict_chip.html")
def verdict(code: str) -> dict[str, object]:
    """The chip of a solution's or an action's verdict."""
    tone, word = VERDICTS[code]
    return {"tone": tone, "word": word}


@register.inclusion_tag("components/verdict_chip.html")
def chip(word: object, tone: str = PLAIN) -> dict[str, object]:
    return {"tone": tone, "word": word}


# Numbers


@register.filter
def number(value: Number | None, decimals: int = 0) -> str:
    return "" if value is None else formats.number(value, decimals)


@register.filter
def signed(value: Number | None, decimals: int = 2) -> str:
    return "" if value is None else formats.signed(value, decimals)


@register.filter
def as_said(code: str | None) -> str:
    """A kind or a region standing alone, without the marks of its code."""
    return capfirst(formats.code_as_said(code or ""))


@register.filter
def percent(share: Number | None, decimals: int = 0) -> str:
    """A share between 0 and 1."""
    return "" if share is None else formats.percent(share, decimals)


@register.filter
def chance(share: Number | None) -> str:
    """A probability without false certainty: it never reads 0 % or 100 %."""
    if share is None:
        return ""
    if share > 0.99:
        return _("over %(share)s") % {"share": formats.percent(0.99)}
    return formats.percent(share) if share >= 0.01 else _("under %(share)s") % {"share": formats.percent(0.01)}


@register.filter
def level(value: Number | None, unit: str = "") -> str:
    """A metric's level with its unit, such as 8.24 points."""
    return "" if value is None else formats.level(value, unit)


@register.simple_tag
def figure(value: Number | None, unit: str = "") -> str:
    """A metric's level as a hero: the number large, its unit beside it small."""
    if value is None:
        return ""
    digits = formats.number(value, formats.decimals_of_level(value, unit))
    if unit in ("", "%"):
        return formats.with_unit(digits, unit)
    return format_html('{}<span class="cx-stat__unit">{}{}</span>', digits, formats.NO_BREAK_SPACE, unit)


@register.filter
def counted(count: int | None, noun: str) -> str:
    """The count with its noun, such as 3 weeks."""
    return formats.counted(count or 0, noun)


@register.simple_tag
def estimate(
    value: Number | None,
    low: Number | None,
    high: Number | None,
    unit: str = "",
    *,
    sign: int = 1,
    block: bool = False,
    coloured: bool = False,
) -> SafeString:
    """+0.42 points (likely between +0.21 and +0.63).

    Effects come signed so that positive is better; `sign` is the metric's (−1 when lower is better), so that
    a shorter wait is written as fewer minutes while its colour says better.
    """
    if value is None or low is None or high is None:
        return format_html('<span class="cx-muted">{}</span>', _("Not measured yet"))
    words = EstimateWords.of(value, low, high, unit, sign)
    kinds = (" cx-estimate--block" if block else "") + (f" cx-estimate--{tone_of(low, high)}" if coloured else "")
    return format_html(
        '<span class="cx-estimate{}"><span class="cx-estimate__value">{}</span> '
        '<span class="cx-estimate__interval">({})</span></span>',
        kinds,
        words.value,
        words.interval,
    )


class EstimateWords:
    """The two halves of a written estimate."""

    def __init__(self, value: str, interval: str) -> None:
        self.value = value
        self.interval = interval

    @classmethod
    def of(cls, value: Number, low: Number, high: Number, unit: str, sign: int) -> "EstimateWords":
        first, last = sorted((float(low) * sign, float(high) * sign))
        decimals = formats.decimals_for(first, last)
        return cls(
            formats.with_unit(formats.signed(float(value) * sign, decimals), formats.change_unit(unit)),
            _("likely between %(low)s and %(high)s")
            % {"low": formats.signed(first, decimals), "high": formats.signed(last, decimals)},
        )


# Dates


def _as_date(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


@register.filter
def day(value: date | datetime | None) -> str:
    """The day as people say it, the exact one on hover."""
    if value is None:
        return ""
    moment = _as_date(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        formats.exact_day(moment),
        formats.day_as_said(moment, timezone.localdate()),
    )


@register.filter
def plain_day(value: date | datetime | None) -> str:
    """The day of the calendar, for after "since" or "on"."""
    if value is None:
        return ""
    moment = _as_date(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        formats.exact_day(moment),
        formats.short_day(moment, timezone.localdate()),
    )


@register.filter
def week(value: date | None) -> str:
    """The week by its Monday."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        formats.exact_day(value),
        formats.week_as_said(value, timezone.localdate()),
    )


@register.filter
def moment(value: datetime | None) -> str:
    """Minutes and hours ago, then days; the exact time on hover."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{} {}">{}</time>',
        value.isoformat(),
        formats.exact_day(local.date()),
        local.strftime("%H:%M"),
        formats.moment_as_said(value, timezone.now()),
    )


# Drawings


@register.filter
def json(spec: Any) -> str:
    """A chart's spec for an attribute; the template escapes it."""
    return dumps(spec, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


@register.inclusion_tag("components/interval_bar.html")
def interval_bar(
    value: float | None,
    low: float | None,
    high: float | None,
    unit: str = "",
    *,
    sign: int = 1,
    domain: tuple[float, float] | None = None,
    axis: bool = True,
) -> dict[str, object]:
    """Dot, 95 % line and zero mark; bars of one list share a `domain`. Right is always better."""
    if value is None or low is None or high is None:
        return {"bar": None}
    words = EstimateWords.of(value, low, high, unit, sign)
    bar = drawings.interval_bar(low=low, value=value, high=high, domain=domain)
    decimals = max(0, formats.decimals_for(*(domain or (low, high))) - 1)
    return {
        "bar": bar,
        "tone": tone_of(low, high),
        "label": f"{words.value} ({words.interval})",
        "unit": formats.change_unit(unit),
        "ticks": [(place, formats.signed(tick * sign, _tick_decimals(bar, decimals))) for place, tick in bar.ticks]
        if axis
        else [],
    }


def _tick_decimals(bar: drawings.IntervalBar, least: int) -> int:
    steps = [tick for _place, tick in bar.ticks]
    return next(
        (places for places in range(least, 5) if all(abs(round(tick, places) - tick) < 1e-9 for tick in steps)),
        least,
    )


@register.filter
def domain(rows: Iterable[Any]) -> tuple[float, float] | None:
    """The common domain of rows that have `low` and `high`."""
    edges = [float(edge) for row in rows for edge in (_get(row, "low"), _get(row, "high")) if edge is not None]
    return (min(edges), max(edges)) if edges else None


@register.inclusion_tag("components/sparkline.html")
def sparkline(
    values: Sequence[float | None], label: str = "", *, value: str = "", wide: bool = False, band: Any = None
) -> dict[str, object]:
    """A series with its last value; `label` says in words what it shows, `band` has `low` and `high`."""
    size = {"width": 360.0, "height": 64.0} if wide else {}
    drawing = drawings.sparkline(values, low=_get(band, "low") or (), high=_get(band, "high") or (), **size)
    return {"drawing": drawing, "label": label, "value": value, "wide": wide, **size}


@register.simple_tag
def blocks(filled: int | None, kind: str = "evidence") -> SafeString:
    """Five blocks of which some are filled; the word stands beside them."""
    cells = "".join(
        f'<rect x="{place * 12 + 0.5}" y="0.5" width="9" height="9" rx="2"'
        + (' class="cx-blocks__full"/>' if place < (filled or 0) else "/>")
        for place in range(5)
    )
    return format_html(
        '<svg class="cx-blocks cx-blocks--{}" viewBox="0 0 58 10" aria-hidden="true">{}</svg>',
        kind,
        mark_safe(cells),  # noqa: S308 -- numbers only
    )


# Evidence


@register.inclusion_tag("components/evidence_strip.html")
def evidence_strip(row: Any = None, **given: Any) -> dict[str, object]:
    """Impact, evidence, cost, delay, side effects.

    Reads from `row` (an object or a mapping), or from the arguments, which win: effect, low, high, unit, sign,
    evidence, actions, units, cost, lag_days, side_effects (names), metric_name. Evidence 0 hides the number.
    """

    def read(*names: str) -> Any:
        for name in names:
            value = given.get(name, _get(row, name))
            if value is not None:
                return value
        return None

    grade = int(read("evidence") or 0)
    value, low, high = read("effect"), read("low"), read("high")
    cost, lag_days = read("cost"), read("lag_days")
    sign, unit = read("sign") or 1, str(read("unit", "unit_label") or "")
    is_measured = grade > 0 and value is not None and low is not None and high is not None
    side_effects = read("side_effects") or []
    return {
        "is_measured": is_measured,
        "words": EstimateWords.of(value, low, high, unit, sign) if is_measured else None,
        "tone": tone_of(low, high) if is_measured else UNCLEAR,
        "tone_word": TONE_WORDS[tone_of(low, high)] if is_measured else "",
        "evidence": grade,
        "evidence_word": EVIDENCE_WORDS[grade],
        "actions": read("actions", "action_count") or 0,
        "units": read("units", "unit_count") or 0,
        "cost": cost,
        "cost_word": COST_WORDS[cost or 0],
        "metric": read("metric_name") or "",
        "delay": _delay(lag_days),
        "side_effects": [_name_of(item) for item in side_effects],
    }


def _delay(lag_days: int | None) -> str:
    if not lag_days:
        return _("a few days")
    return _("about %(weeks)s") % {"weeks": formats.counted(formats.weeks_of_days(lag_days), "week")}


def _name_of(item: Any) -> str:
    if isinstance(item, str):
        return item
    return str(_get(item, "label") or _get(item, "name") or _get(item, "metric") or "")


def _get(row: Any, name: str) -> Any:
    if isinstance(row, Mapping):
        return row.get(name)
    return getattr(row, name, None)
