"""Why is there no result of an action yet, and when will there be one?"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Max
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.periods import WEEK, week_of
from apps.feedback.models import Cell
from apps.impact.models import Run
from apps.impact.panel import lag_weeks
from apps.impact.stats.data import DEFAULTS
from apps.impact.words import Figures, Words, refusal
from apps.planning.guide import lag_of
from apps.planning.models import Action
from apps.planning.selectors import solutions_of
from apps.planning.states import OPEN
from apps.taxonomy.models import Metric

MEASURING = "measuring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What is waited for: `code` names it, `first_on` is the day of a first answer, `verdict` a chip or empty."""

    code: str
    words: Words
    verdict: str = ""
    first_on: date | None = None


def waiting(action: Action, *, as_of: date) -> Wait:
    """For an action without an effect on what it aims at."""
    metric = action.target_metric or action.challenge.metric
    if metric is None:
        return Wait(code="no_metric", words=refusal("no_metric"), verdict="not_estimable")
    run = Run.objects.filter(metric=metric).order_by("-pk").first()
    if run is not None and run.state == Run.State.FINISHED and run.reason not in ("", "nothing_logged"):
        figures = Figures(units=run.unit_count, weeks=run.week_count)
        return Wait(code="refused", words=refusal(run.reason, figures), verdict="not_enough_data")
    start = action.planned_on if action.state in OPEN else action.effective_on
    if start is None:
        return Wait(code="no_start", words=_no_start())
    first_on, full_on = _known(action, start)
    dates = {
        "day": formats.exact_day(start),
        "first": formats.exact_day(first_on),
        "full": formats.exact_day(full_on),
    }
    if action.state in OPEN:
        return Wait(code="planned", words=_planned(dates, start >= as_of), first_on=first_on)
    if start > as_of:
        return Wait(code="to_come", words=_to_come(dates), verdict="too_early", first_on=first_on)
    if as_of < first_on:
        return Wait(code="too_early", words=_too_early(dates), verdict="too_early", first_on=first_on)
    if run is not None and run.state == Run.State.RUNNING:
        return Wait(code=MEASURING, words=_measuring())
    newest = Cell.objects.filter(unit=action.unit_id, metric=metric).aggregate(week=Max("week"))["week"]
    if newest is None or newest < week_of(start):
        return Wait(code="no_answers", words=_no_answers(action, metric, newest), verdict="not_enough_data")
    if run is not None and run.state == Run.State.FAILED:
        return Wait(code="failed", words=_failed())
    return Wait(code="soon", words=_soon())


def is_measuring(metric: Metric) -> bool:
    """Whether the numbers shown are about to be replaced."""
    return Run.objects.filter(metric=metric, state=Run.State.RUNNING).exists()


def _known(action: Action, start: date) -> tuple[date, date]:
    """When a first answer can be given, and the one that counts."""
    frozen = max((used.version.lag_days for used in action.solutions.all()), default=0)
    lag = lag_weeks(lag_of(solutions_of(action)) if action.state in OPEN else frozen)
    return week_of(start) + (DEFAULTS.ramp_weeks + lag + DEFAULTS.after_weeks_min + 1) * WEEK, start + (
        DEFAULTS.primary_end + lag
    ) * WEEK


def _no_start() -> Words:
    return Words(
        title=_("Planned, without a day"),
        text=_("It is measured from the day on which it takes effect."),
        remedy=_("Choose a day, and you will see when the result is known."),
    )


def _planned(dates: dict[str, str], is_to_come: bool) -> Words:
    if not is_to_come:
        return Words(
            title=_("Planned, not in place yet"),
            text=_("Its start was planned for %(day)s.") % dates,
            remedy=_("Apply it when it is in place: it is measured from that day on."),
        )
    return Words(
        title=_("Planned, not in place yet"),
        text=_("It is planned for %(day)s.") % dates,
        remedy=_("If it starts then, a first answer comes around %(first)s and the full result around %(full)s.")
        % dates,
    )


def _to_come(dates: dict[str, str]) -> Words:
    return Words(
        title=_("Not begun yet"),
        text=_("It takes effect on %(day)s.") % dates,
        remedy=_("A first answer comes around %(first)s, the full result around %(full)s.") % dates,
    )


def _too_early(dates: dict[str, str]) -> Words:
    return Words(
        title=_("Too early to say"),
        text=_("In effect since %(day)s. A change needs time to take hold, and customers to notice it.") % dates,
        remedy=_("A first answer comes around %(first)s, the full result around %(full)s.") % dates,
    )


def _measuring() -> Words:
    return Words(
        title=_("Being measured right now"),
        text=_("The result is here in a few minutes; the page shows it by itself."),
    )


def _no_answers(action: Action, metric: Metric, newest: date | None) -> Words:
    names = {"metric": metric.display_name, "unit": action.unit.display_name}
    text = _("No answers about “%(metric)s” from %(unit)s are in.") % names
    if newest is not None:
        names["day"] = formats.exact_day(newest)
        text = _("The newest answers about “%(metric)s” from %(unit)s are of the week of %(day)s.") % names
    return Words(
        title=_("No answers since the start"),
        text=text,
        remedy=_("Import newer ones: the measurement then runs by itself within minutes."),
    )


def _failed() -> Words:
    return Words(
        title=_("The last measurement failed"),
        text=_("It is tried again by itself. Your CX lead sees under Learn what went wrong."),
    )


def _soon() -> Words:
    return Words(
        title=_("Not measured yet"),
        text=_("The answers are in. The measurement runs by itself within a few minutes."),
    )
