"""What leads enter about the stages of a journey."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from apps.taxonomy.forms import CodeEntry, DayField
from apps.taxonomy.journeys import StageEntry
from apps.taxonomy.models import Journey, Touchpoint

NEW_ROWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The fields of one stage; `touchpoint` is None for one to come."""

    touchpoint: Touchpoint | None
    code: forms.BoundField | None
    position: forms.BoundField
    name: forms.BoundField
    name_fr: forms.BoundField
    is_retired: forms.BoundField | None
    moves_to: forms.BoundField | None


class JourneyForm(forms.Form):
    """A row of fields for each stage, and empty rows for new ones."""

    starts_on = DayField(
        label=gettext_lazy("Holds from"),
        help_text=gettext_lazy("What was measured before that day keeps the stages of before."),
        error_messages={
            "required": gettext_lazy("Enter a date."),
            "invalid": gettext_lazy("Enter a date such as 2026-03-31."),
        },
    )

    def __init__(self, data: QueryDict | None, *, journey: Journey, today: date) -> None:
        super().__init__(data, initial={"starts_on": today})
        self.touchpoints = list(journey.touchpoints.filter(retired_on=None).order_by("position", "pk"))
        others = [("", gettext_lazy("Stay on it")), *((one.code, one.display_name) for one in self.touchpoints)]
        for place, touchpoint in enumerate(self.touchpoints, 1):
            self._add(f"s{touchpoint.pk}", place, touchpoint)
            self.fields[f"s{touchpoint.pk}-retired"] = forms.BooleanField(required=False)
            self.fields[f"s{touchpoint.pk}-to"] = forms.ChoiceField(choices=others, required=False)
            self.fields[f"s{touchpoint.pk}-to"].widget.attrs["class"] = "form-select"
            self.fields[f"s{touchpoint.pk}-retired"].widget.attrs["class"] = "form-check-input"
        for number in range(NEW_ROWS):
            key = f"n{number}"
            self._add(key, len(self.touchpoints) + 1 + number, None)
            self.fields[f"{key}-code"] = CodeEntry(required=False)
            self.fields[f"{key}-code"].widget.attrs["class"] = "form-control"

    def rows(self) -> Iterator[Row]:
        for touchpoint in self.touchpoints:
            key = f"s{touchpoint.pk}"
            yield self._row(key, touchpoint)
        for number in range(NEW_ROWS):
            yield self._row(f"n{number}", None)

    def entries(self) -> list[StageEntry]:
        given = self.cleaned_data
        found = [
            StageEntry(
                code=one.code,
                name=given[f"s{one.pk}-name"],
                name_fr=given[f"s{one.pk}-name_fr"],
                position=given[f"s{one.pk}-position"],
                is_retired=given[f"s{one.pk}-retired"],
                moves_to=given[f"s{one.pk}-to"] if given[f"s{one.pk}-retired"] else "",
            )
            for one in self.touchpoints
        ]
        for key in (f"n{number}" for number in range(NEW_ROWS)):
            if given[f"{key}-code"]:
                found.append(
                    StageEntry(
                        code=given[f"{key}-code"],
                        name=given[f"{key}-name"],
                        name_fr=given[f"{key}-name_fr"],
                        position=given[f"{key}-position"] or len(found) + 1,
                    )
                )
        return found

    def _add(self, key: str, place: int, touchpoint: Touchpoint | None) -> None:
        is_required = touchpoint is not None
        self.fields[f"{key}-position"] = forms.IntegerField(
            min_value=1, max_value=10_000, initial=place, required=is_required
        )
        self.fields[f"{key}-name"] = forms.CharField(
            max_length=200, required=is_required, initial=touchpoint.name if touchpoint else ""
        )
        self.fields[f"{key}-name_fr"] = forms.CharField(
            max_length=200, required=False, initial=touchpoint.name_fr if touchpoint else ""
        )
        for name, css in (("position", "cx-stage__position"), ("name", ""), ("name_fr", "")):
            self.fields[f"{key}-{name}"].widget.attrs["class"] = f"form-control {css}".strip()

    def _row(self, key: str, touchpoint: Touchpoint | None) -> Row:
        is_new = touchpoint is None
        return Row(
            touchpoint=touchpoint,
            code=self[f"{key}-code"] if is_new else None,
            position=self[f"{key}-position"],
            name=self[f"{key}-name"],
            name_fr=self[f"{key}-name_fr"],
            is_retired=None if is_new else self[f"{key}-retired"],
            moves_to=None if is_new else self[f"{key}-to"],
        )
