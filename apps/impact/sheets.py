"""How was a rating reached, part by part, and what would raise it?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import formats
from apps.impact.words import Figures, Text, values_of

QUALITY: Mapping[str, Text] = {
    "comparison": gettext_lazy("Enough other units to compare with"),
    "baseline": gettext_lazy("Enough known of before"),
    "after": gettext_lazy("Enough known of after"),
    "precision": gettext_lazy("Scores steady enough to see a change"),
    "clean_window": gettext_lazy("Nothing else going on at the time"),
    "fidelity": gettext_lazy("How fully it was carried out is recorded"),
}
EVIDENCE: Mapping[str, Text] = {
    "measured": gettext_lazy("Measured at least once"),
    "information_20": gettext_lazy("The uses begin to tell something"),
    "several_units": gettext_lazy("At least 4 measured uses in 3 units, and they tell enough"),
    "many_units": gettext_lazy("At least 8 measured uses in 5 units, and they tell half of what there is to know"),
    "robust": gettext_lazy(
        "At least 15 measured uses in 8 units of 2 regions, and it holds whichever is left out"
    ),
    "old": gettext_lazy("The newest use is older than two years"),
    "one_region": gettext_lazy("Nearly all uses come from one region"),
    "uneven": gettext_lazy("Uses differ more than the effect is large"),
}
RAISES: Mapping[str, Text] = {
    "measured": gettext_lazy("A first measured use."),
    "information_20": gettext_lazy("One or two more uses."),
    "several_units": gettext_lazy("More uses, in at least three units."),
    "many_units": gettext_lazy("More uses, in at least five units."),
    "robust": gettext_lazy("More uses, in a second region too."),
    "old": gettext_lazy("One new use."),
    "one_region": gettext_lazy("Uses in another region."),
    "uneven": gettext_lazy("More uses, and a note of what was done differently where it did not help."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a score sheet."""

    label: str
    got: float | None
    of: float | None
    note: str = ""
    is_reached: bool = True

    @property
    def points(self) -> str:
        """What was got of what could be got; a deduction has nothing to get."""
        if self.got is None:
            return ""
        if not self.of:
            return formats.signed(self.got)
        return f"{formats.number(self.got)} / {formats.number(self.of)}"


def quality_sheet(parts: Iterable[Mapping[str, object]], figures: Figures) -> tuple[Line, ...]:
    """The points of an action's quality, with the figures behind them."""
    notes = {
        "baseline": _("%(weeks_before)s, %(n_before)s"),
        "after": _("%(weeks_after)s, %(n_after)s"),
    }
    values = values_of(figures)
    return tuple(
        Line(
            label=label,
            got=got,
            of=of,
            note=notes[code] % values if code in notes else "",
            is_reached=got is not None and of is not None and got >= of,
        )
        for code, label, got, of in _lines(parts, QUALITY)
    )


def evidence_sheet(parts: Iterable[Mapping[str, object]]) -> tuple[Line, ...]:
    """The steps of the evidence level and what was taken off; a line not reached says what would reach it."""
    return tuple(
        Line(
            label=label,
            got=got,
            of=of,
            note="" if got is not None and got > 0 else str(RAISES.get(code, "")),
            is_reached=got is not None and got > 0,
        )
        for code, label, got, of in _lines(parts, EVIDENCE)
    )


def _lines(
    parts: Iterable[Mapping[str, object]], labels: Mapping[str, Text]
) -> list[tuple[str, str, float | None, float | None]]:
    return [
        (
            str(part.get("code", "")),
            str(labels.get(str(part.get("code", "")), str(part.get("code", "")).replace("_", " ").capitalize())),
            _number(part.get("got")),
            _number(part.get("of")),
        )
        for part in parts
    ]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
