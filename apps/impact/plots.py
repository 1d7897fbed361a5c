"""What is drawn of one action: its three plots with their tables, and what else went on in the unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.periods import WEEK
from apps.core.trees import path_prefixes
from apps.impact import charts, weekly
from apps.impact.models import Effect
from apps.impact.portions import Series, series_of
from apps.planning.models import Action, ActionSolution, Event
from apps.taxonomy.models import Metric

SHARE_POINTS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something else of note in the unit, as numbered in the drawings."""

    number: int
    text: str
    url: str
    marker: charts.Marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing with its words and its table twin."""

    chart_id: str
    title: str
    subtitle: str
    spec: charts.Spec
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def weeks_of(effect: Effect, series: Series | None) -> tuple[weekly.Week, ...]:
    """The weeks around an action as they may be shown; none where no effect is known."""
    if not series:
        return ()
    metric = effect.metric
    return weekly.weeks(
        series,
        sign=metric.sign,
        chance=weekly.Chance.of(effect.run.noise),
        shown_from=settings.MINIMUM_CUSTOMERS_SHOWN if metric.kind == Metric.Kind.PERCEPTION else 0,
        divisor=SHARE_POINTS if metric.scoring == Metric.Scoring.SHARE else 1.0,
    )


def notes_of(action: Action, read: Sequence[weekly.Week]) -> tuple[Note, ...]:
    """Events and other actions of the unit in the weeks shown, by date."""
    first, last = read[0].monday, read[-1].monday + WEEK
    events = Event.objects.filter(
        Q(unit=None) | Q(unit__path__in=path_prefixes(action.unit.path)), starts_on__lt=last
    ).filter(Q(ends_on=None) | Q(ends_on__gte=first))
    used = ActionSolution.objects.select_related("version__solution")
    actions = (
        Action.objects.took_effect()
        .filter(unit=action.unit_id, effective_on__gte=first, effective_on__lt=last)
        .exclude(pk=action.pk)
        .prefetch_related(Prefetch("solutions", queryset=used))
    )
    found: list[tuple[date, date | None, str, str]] = [
        (event.starts_on, event.ends_on + timedelta(days=1) if event.ends_on else last, event.name, "")
        for event in events
    ]
    for other in actions:
        titles = " + ".join(row.version.solution.display_title for row in other.solutions.all())
        begun = other.effective_on or first
        found.append((begun, None, titles, reverse("planning:action", args=[other.external_id])))
    found.sort(key=lambda item: (item[0], item[2]))
    return tuple(
        Note(
            number=number,
            text=_note(day, until, name, last),
            url=url,
            marker=charts.Marker(number=number, day=day, until=until),
        )
        for number, (day, until, name, url) in enumerate(found, start=1)
    )


def _note(day: date, until: date | None, name: str, today: date) -> str:
    if until is None:
        return _("%(name)s, since %(day)s") % {"name": name, "day": formats.short_day(day, today)}
    ended = until - timedelta(days=1)
    if ended <= day:
        return _("%(name)s, %(day)s") % {"name": name, "day": formats.short_day(day, today)}
    return _("%(name)s, %(first)s to %(last)s") % {
        "name": name,
        "first": formats.short_day(day, today),
        "last": formats.short_day(ended, today),
    }


def plots_of(
    metric: Metric, read: Sequence[weekly.Week], windows: weekly.Windows, notes: Sequence[Note]
) -> tuple[Plot, ...]:
    """Level, difference and sum."""
    scene = charts.Scene(
        weeks=read,
        windows=windows,
        markers=[note.marker for note in notes],
        words=charts.Words(unit=_("This unit"), without=_("Without the action"), start=_("in effect")),
        sign=metric.sign,
    )
    unit = metric.display_unit
    week, likely = _("Week"), _("Likely by chance alone")
    is_share = metric.scoring == Metric.Scoring.SHARE
    summed = _("customers") if is_share else formats.change_unit(unit)
    return (
        Plot(
            chart_id="effect-weeks",
            title=_("%(metric)s, %(unit)s: this unit, and without the action")
            % {"metric": metric.display_name, "unit": unit},
            subtitle=_("The band holds what would likely have been without it. Shaded: the weeks that count."),
            spec=charts.with_and_without(scene),
            columns=(week, _("This unit"), _("Without the action"), _("Likely range without it"), _("Answers")),
            rows=tuple(_level_row(each, unit, read[-1].monday) for each in read),
        ),
        Plot(
            chart_id="effect-difference",
            title=_("The difference, %(unit)s") % {"unit": formats.change_unit(unit)},
            subtitle=_("Inside the band it could be chance. Up is better for the customer."),
            spec=charts.difference(scene),
            columns=(week, _("Difference"), likely),
            rows=tuple(
                _band_row(each.monday, each.difference, metric, read[-1].monday)
                for each in read
                if each.difference
            ),
        ),
        Plot(
            chart_id="effect-total",
            title=(
                _("Added up since the start: customers more or less satisfied than without it")
                if is_share
                else _("Added up since the start over all who answered, %(unit)s") % {"unit": summed}
            ),
            subtitle=_("Inside the band it could be chance. It only counts customers who answered."),
            spec=charts.total(scene),
            columns=(week, _("Added up, %(unit)s") % {"unit": summed}, likely),
            rows=tuple(_band_row(each.monday, each.total, metric, read[-1].monday) for each in read if each.total),
        ),
    )


def _level_row(week: weekly.Week, unit: str, today: date) -> tuple[str, ...]:
    known = week.low is not None and week.high is not None
    return (
        formats.week_as_said(week.monday, today),
        "" if week.observed is None else formats.level(week.observed, unit),
        "" if week.without is None else formats.level(week.without, unit),
        f"{formats.level(week.low or 0, '')} – {formats.level(week.high or 0, '')}" if known else "",
        formats.number(week.n),
    )


def _band_row(monday: date, band: weekly.Band | None, metric: Metric, today: date) -> tuple[str, ...]:
    if band is None:
        return (formats.week_as_said(monday, today), "", "")
    decimals = formats.decimals_for(band.low, band.high)
    return (
        formats.week_as_said(monday, today),
        formats.signed(metric.sign * band.value, decimals),
        f"{formats.signed(band.low, decimals)} – {formats.signed(band.high, decimals)}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    """A week of an action as a file has it: levels on the metric's own scale, differences positive when better.

    A difference between `chance_low` and `chance_high` could be chance; the same holds for the sum.
    """

    week: date
    observed: float | None
    without: float | None
    without_low: float | None
    without_high: float | None
    n: float
    difference: float | None
    chance_low: float | None
    chance_high: float | None
    total: float | None
    total_chance_low: float | None
    total_chance_high: float | None


def week_rows(effect: Effect) -> list[WeekRow]:
    """The weeks around an action, as they may be shown, for files and programs."""
    return [
        WeekRow(
            week=week.monday,
            observed=week.observed,
            without=week.without,
            without_low=week.low,
            without_high=week.high,
            n=week.n,
            difference=week.difference.value if week.difference else None,
            chance_low=week.difference.low if week.difference else None,
            chance_high=week.difference.high if week.difference else None,
            total=week.total.value if week.total else None,
            total_chance_low=week.total.low if week.total else None,
            total_chance_high=week.total.high if week.total else None,
        )
        for week in weeks_of(effect, series_of(effect))
    ]
