"""What a week brings one person, by role: the words of the weekly digest, for the mail and for its preview."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Role, Unit
from apps.accounts.person import Person
from apps.core import formats
from apps.core.templatetags.cx import VERDICTS, EstimateWords
from apps.feedback.selectors import MetricTrend
from apps.impact.focus import HELPING, FocusRow, Result, Working, focus_rows, results_ready, what_works
from apps.impact.models import RankedSolution
from apps.impact.selectors import last_measured_on
from apps.notifications.models import Notification
from apps.notifications.selectors import mail_counts, news_for_digest, wishes_of
from apps.notifications.topics import Delivery
from cxplan.duties import Duty, duties_of
from cxplan.home import CHALLENGES_SHOWN, overall_trend
from cxplan.nudges import Nudge, UnitFacts

LISTED = 4
RESULTS_LOOKED_AT = 12
LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    title: str
    text: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The overall outcome of the unit in words; `trend` is what the picture is drawn from."""

    metric: str
    level: str
    note: str
    trend: MetricTrend


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    unit: Unit
    score: Score | None
    facts: UnitFacts
    sections: tuple[Section, ...]
    nudge: Nudge | None = None

    @property
    def has_news(self) -> bool:
        return self.nudge is not None or bool(self.sections)


def digest_of(*, person: Person, unit: Unit, now: datetime) -> Digest:
    """In the active language and a constant number of queries."""
    today = timezone.localdate(now, ZoneInfo(unit.timezone))
    overall = overall_trend(unit)
    rows = focus_rows(unit=unit, as_of=last_measured_on() or today) if person.has(Role.MANAGER) else []
    challenges = tuple(row for row in rows if row.share > 0)[:CHALLENGES_SHOWN]
    results = tuple(results_ready(person=person, unit=unit, limit=RESULTS_LOOKED_AT))
    fresh = [result for result in results if result.ready_on > today - LATELY]
    sections = [_section(_("Results that became ready"), map(_of_result, fresh[:LISTED]))]
    if person.has(Role.LEAD):
        sections += _of_lead(person)
    elif person.has(Role.MANAGER):
        duties = duties_of(person=person, unit=unit, today=today)
        sections += [
            _section(_("On your list"), map(_of_duty, duties[:LISTED])),
            _section(_("Where you can gain most"), map(_of_challenge, challenges)),
        ]
    weekly = wishes_of(user=person.user).topics_in(Delivery.WEEKLY)
    news = news_for_digest(user=person.user, topics=weekly, since=now - LATELY, limit=LISTED * 2)
    sections.append(_section(_("What else happened"), map(_of_news, news)))
    return Digest(
        unit=unit,
        score=_score(overall),
        facts=UnitFacts(answers=overall.now.n if overall else 0, challenges=challenges, results=results),
        sections=tuple(section for section in sections if section.lines),
    )


def _section(title: str, lines: Iterable[Line]) -> Section:
    return Section(title=title, lines=tuple(lines))


def _score(trend: MetricTrend | None) -> Score | None:
    if trend is None or trend.now.mean is None:
        return None
    unit = trend.metric.display_unit
    note = ""
    if trend.now.low is not None and trend.now.high is not None:
        note = _("likely between %(low)s and %(high)s, from %(answers)s in 12 weeks") % {
            "low": formats.level(trend.now.low, ""),
            "high": formats.level(trend.now.high, ""),
            "answers": formats.counted(trend.now.n, "answer"),
        }
    return Score(
        metric=trend.metric.display_name, level=formats.level(trend.now.mean, unit), note=note, trend=trend
    )


def _estimate(row: Result | Working) -> str:
    if row.effect is None or row.low is None or row.high is None:
        return ""
    words = EstimateWords.of(row.effect, row.low, row.high, row.unit, row.sign)
    return f"{words.value} ({words.interval})"


def _verdict(code: str) -> str:
    return str(VERDICTS[code][1]) if code in VERDICTS else ""


def _of_result(result: Result) -> Line:
    parts = (_verdict(result.verdict), _estimate(result))
    return Line(
        title=" + ".join(result.solutions) or result.challenge,
        text=f"{result.unit_name} · {result.challenge}\n" + ": ".join(part for part in parts if part),
        path=reverse("planning:action", args=[result.external_id]),
    )


def _of_working(row: Working) -> Line:
    parts = (_verdict(row.verdict), _estimate(row))
    return Line(
        title=row.title,
        text=f"{row.challenge}\n" + ": ".join(part for part in parts if part),
        path=reverse("library:solution", args=[row.code]),
    )


def _of_duty(duty: Duty) -> Line:
    return Line(title=duty.title, text=f"{duty.text}\n{duty.when}", path=duty.url)


def _of_challenge(row: FocusRow) -> Line:
    return Line(title=row.name, text=f"{row.gain}\n{row.gain_note}".strip(), path=row.url)


def _of_news(notification: Notification) -> Line:
    return Line(
        title=notification.title,
        text=notification.body,
        path=reverse("notifications:notification", args=[notification.pk]),
    )


def _of_lead(person: Person) -> list[Section]:
    proven = what_works(limit=LISTED, verdicts=HELPING)
    harmful = what_works(limit=LISTED, verdicts=[RankedSolution.Verdict.HARMFUL])
    failed = mail_counts().unsent if person.leads_from_the_top else 0
    owed = []
    if failed:
        count = ngettext("%(count)d mail could not be sent", "%(count)d mails could not be sent", failed)
        owed.append(
            Line(
                title=count % {"count": failed},
                text=_("See what the mail server said, and try again."),
                path=reverse("notifications:mail-list"),
            )
        )
    return [
        _section(_("These do harm: consider stopping them"), map(_of_working, harmful)),
        _section(_("What works now"), map(_of_working, proven)),
        _section(_("Waiting for you"), owed),
    ]
