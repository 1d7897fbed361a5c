"""How did the number of one action come about, in plain words?"""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from apps.core import formats
from apps.impact import words
from apps.impact.models import Effect
from apps.impact.stats.data import DEFAULTS
from apps.impact.weekly import NORMAL_REACH, Windows
from apps.planning.models import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step from the plain comparison to the result; without an interval it proves nothing by itself."""

    label: str
    note: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    compared: tuple[str, ...]
    steps: tuple[Step, ...]
    drawn_by_lot: str
    domain: tuple[float, float] | None


def story(action: Action, effect: Effect, windows: Windows | None) -> Story:
    """What was compared, and the way from before and after to what we believe."""
    steps = _steps(effect)
    edges = [edge for step in steps for edge in (step.low, step.high) if edge is not None]
    lot = _(
        "The order in which units began was drawn by lot. So nobody chose to begin here after a bad spell: this "
        "is the fairest comparison there is."
    )
    return Story(
        compared=_compared(action, effect, windows),
        steps=steps,
        drawn_by_lot=lot if action.is_randomised or "randomised" in effect.flags else "",
        domain=(min(0.0, *edges), max(0.0, *edges)) if edges else None,
    )


def _compared(action: Action, effect: Effect, windows: Windows | None) -> tuple[str, ...]:
    said = []
    if windows is not None:
        said.append(
            _(
                "The weeks from %(first)s to %(last)s count (%(weeks)s with %(answers)s). The %(ramp)s before are "
                "left out: it takes a while until something new takes hold and customers notice."
            )
            % {
                "first": formats.short_day(windows.counts_from, effect.as_of),
                "last": formats.short_day(windows.counts_until - timedelta(days=1), effect.as_of),
                "weeks": formats.counted(effect.weeks_after, "week"),
                "answers": formats.counted(effect.n_after, "answer"),
                "ramp": formats.counted((windows.counts_from - windows.start).days // 7, "week"),
            }
        )
    said.append(
        _(
            "The weeks that count are compared with how the same weeks would likely have gone without the "
            "action. We know that from this unit’s own past (%(weeks_before)s with %(n_before)s) and from "
            "%(units)s that answered the same question over %(weeks)s, those of its region first (%(region)s)."
        )
        % {
            "weeks_before": formats.counted(effect.weeks_before, "week"),
            "n_before": formats.counted(effect.n_before, "answer"),
            "units": formats.counted(effect.run.unit_count, "unit"),
            "weeks": formats.counted(effect.run.week_count, "week"),
            "region": formats.code_as_said(action.unit.region) or _("no region given"),
        }
    )
    return tuple(said)


def _steps(effect: Effect) -> tuple[Step, ...]:
    """From what before and after would have claimed to what we believe."""
    if effect.effect is None or effect.raw_effect is None or effect.raw_se is None or effect.naive_change is None:
        return ()
    metric = effect.metric
    reach = NORMAL_REACH * effect.raw_se
    anyway = effect.naive_change - effect.raw_effect

    def step(label: str, note: str, value: float, low: float | None = None, high: float | None = None) -> Step:
        said = words.change(value, metric.display_unit, metric.sign)
        return Step(label=label, note=note, value=value, text=said, low=low, high=high)

    return (
        step(
            _("Plain before and after would have said"),
            _("The mean of %(after)s weeks since the start minus that of the %(before)s weeks before.")
            % {"after": DEFAULTS.naive_after, "before": DEFAULTS.naive_before},
            effect.naive_change,
        ),
        step(_("Without the action it would have moved by"), _anyway(anyway, effect.naive_change), anyway),
        step(
            _("What this unit alone shows of the action"),
            _("One unit alone can rarely be sure, so the likely range is wide."),
            effect.raw_effect,
            effect.raw_effect - reach,
            effect.raw_effect + reach,
        ),
        step(
            _("What we believe the action added"),
            _("This unit together with all other uses of the same solutions."),
            effect.effect,
            effect.low,
            effect.high,
        ),
    )


def _anyway(anyway: float, naive: float) -> str:
    """Where the difference between the plain and the fair comparison comes from."""
    if anyway > 0:
        return _(
            "The season, and the end of a bad spell: units act after bad weeks, and bad weeks end by themselves."
        )
    if naive >= 0:
        return _("The season, or a good spell that ended. Before and after hides a part of what the action did.")
    return _("The season, or a good spell that ended by itself: it would have gone down anyway.")
