"""How healthy is the comparison behind one action's result, and what would make it better?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.core import formats
from apps.impact import caveats
from apps.impact.models import Effect
from apps.impact.stats.data import DEFAULTS
from apps.impact.weekly import Pace
from apps.impact.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `words.remedy` says what to do where it is not well."""

    code: str
    is_well: bool
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    findings: tuple[Finding, ...]

    @property
    def troubles(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_well)

    @property
    def well(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_well)


def health(effect: Effect, pace: Pace | None) -> Health:
    """Everything that could spoil the comparison, those that do first."""
    shares = _shares(effect.quality_parts)
    findings = [
        _comparison(effect, shares),
        _baseline(effect),
        _after(effect),
        _overlap(effect, shares),
        *_placebo(effect),
        *_pace(pace),
        _fidelity(shares),
    ]
    return Health(findings=tuple(sorted(findings, key=lambda finding: finding.is_well)))


def free_units(parts: Iterable[Mapping[str, Any]]) -> int | None:
    """Units free to compare with in the thinnest week, as the sheet counts them: none beyond what is enough."""
    share = _shares(parts).get("comparison")
    return None if share is None else round(share * DEFAULTS.comparison_units)


def _shares(parts: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    return {part["code"]: part["got"] / part["of"] for part in parts if part.get("of") and part["got"] is not None}


def _finding(code: str, is_well: bool, title: str, text: str, remedy: str = "") -> Finding:
    return Finding(code=code, is_well=is_well, words=Words(title=title, text=text, remedy=remedy))


def _comparison(effect: Effect, shares: Mapping[str, float]) -> Finding:
    if (
        effect.reason != "no_comparison"
        and "no_comparison" not in effect.flags
        and shares.get("comparison", 1) >= 1
    ):
        return _finding(
            "comparison",
            True,
            _("Enough others to compare with"),
            _("In each week at least %(units)s did nothing about it.")
            % {"units": formats.counted(DEFAULTS.comparison_units, "unit")},
        )
    return _finding(
        "comparison",
        False,
        _("Too few others to compare with"),
        _("In some weeks only %(units)s of the region did nothing about it.")
        % {"units": formats.counted(free_units(effect.quality_parts) or 0, "unit")},
        _("Start in some units next time, and let the others follow eight weeks later, in an order drawn by lot."),
    )


def _baseline(effect: Effect) -> Finding:
    is_well = effect.weeks_before >= DEFAULTS.baseline_weeks and effect.reason != "no_baseline"
    seen = _("%(weeks)s with %(answers)s before the start.") % {
        "weeks": formats.counted(effect.weeks_before, "week"),
        "answers": formats.counted(effect.n_before, "answer"),
    }
    if is_well:
        return _finding("baseline", True, _("Enough known of before"), seen)
    return _finding(
        "baseline",
        False,
        _("Short time before"),
        seen,
        _("Import older answers of this unit if you have them; eight weeks would do."),
    )


def _after(effect: Effect) -> Finding:
    is_well = effect.weeks_after >= DEFAULTS.after_weeks and (
        effect.n_after >= DEFAULTS.after_answers or effect.n_after == effect.weeks_after
    )
    seen = _("%(weeks)s with %(answers)s among the weeks that count.") % {
        "weeks": formats.counted(effect.weeks_after, "week"),
        "answers": formats.counted(effect.n_after, "answer"),
    }
    if is_well:
        return _finding("after", True, _("Enough known of after"), seen)
    return _finding(
        "after",
        False,
        _("Few answers since"),
        seen,
        _("Ask more customers, or wait: the result can still move until eight of the twelve weeks have answers."),
    )


def _overlap(effect: Effect, shares: Mapping[str, float]) -> Finding:
    codes = [code for code in ("shared_window", "merged", "event") if code in effect.flags]
    if effect.reason == "shared_window":
        codes.append("shared_window")
    if not codes and shares.get("clean_window", 1) >= 1:
        return _finding(
            "overlap", True, _("Nothing else going on"), _("No other action and no event in the weeks that count.")
        )
    text = " ".join(dict.fromkeys(caveats.flag(code).text for code in codes)) or _(
        "Another action ran here during a part of the weeks that count."
    )
    return _finding(
        "overlap",
        False,
        _("Something else at the same time"),
        text,
        _("Leave about three months between actions in one unit."),
    )


def _placebo(effect: Effect) -> list[Finding]:
    checks = [check for check in effect.run.checks or [] if check["code"] in caveats.TOLD_TO_ALL]
    if not checks:
        return []
    failed = [check for check in checks if caveats.worries(check)]
    if failed:
        said = caveats.check(failed[0]["code"], failed[0]["value"])
        return [
            _finding(
                "placebo",
                False,
                said.title,
                said.text,
                _("Wait for more weeks of answers before you act on small effects."),
            )
        ]
    if any(check["value"] is None for check in checks):
        return [
            _finding(
                "placebo",
                False,
                _("Pretend actions could not be tried"),
                _("There are too few units that did nothing to try the comparison on them."),
                _("More units or more weeks of answers will make it possible."),
            )
        ]
    text = _("Where nothing began the comparison finds nothing, as it should.")
    if effect.placebo_p is not None:
        text += " " + _("Of 100 pretend actions about %(count)s show a change as large as this unit’s.") % {
            "count": formats.number(100 * effect.placebo_p)
        }
    return [_finding("placebo", True, _("Pretend actions show nothing"), text)]


def _pace(pace: Pace | None) -> list[Finding]:
    if pace is None:
        return []
    seen = _("%(before)s answers a week before, %(after)s since; other units of the region: %(elsewhere)s.") % {
        "before": formats.number(pace.before, 0 if pace.before >= 10 else 1),
        "after": formats.number(pace.after, 0 if pace.after >= 10 else 1),
        "elsewhere": formats.with_unit(formats.signed(100 * (pace.elsewhere - 1)), "%"),
    }
    if not pace.is_unusual:
        return [_finding("pace", True, _("As many answers as to be expected"), seen)]
    return [
        _finding(
            "pace",
            False,
            _("Far fewer answers than to be expected")
            if pace.ratio < 1
            else _("Far more answers than to be expected"),
            seen,
            _(
                "Check whether others are asked now, or in another way: then before and after are different "
                "people."
            ),
        )
    ]


def _fidelity(shares: Mapping[str, float]) -> Finding:
    got = shares.get("fidelity", 0.0)
    if got >= 1:
        return _finding("fidelity", True, _("Carried out in full"), _("At least 80 % of the recipe, as recorded."))
    if got > 0:
        return _finding(
            "fidelity",
            False,
            _("Carried out in part"),
            _("Less than 80 % of the recipe was carried out, as recorded."),
            _("A weak result may be one of the half recipe only. Note what was left out."),
        )
    return _finding(
        "fidelity",
        False,
        _("Not recorded how fully it was done"),
        _("“It does not work” and “it was not done” look the same in the numbers."),
        _("Record how much of the recipe is carried out."),
    )
