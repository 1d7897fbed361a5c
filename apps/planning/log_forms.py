"""What people enter about something that was done already."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from apps.accounts.models import Unit
from apps.library.models import Solution
from apps.planning.action_forms import long_ago
from apps.planning.forms import DayField, words
from apps.planning.freezing import AppliedSolution
from apps.planning.rules import BACKDATED_DAYS
from apps.planning.selectors import usable_solutions
from apps.taxonomy.models import Challenge


class LogForm(forms.Form):
    solutions = forms.ModelMultipleChoiceField(
        Solution.objects.none(),
        to_field_name="code",
        label=gettext_lazy("What was done?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one solution.")},
    )
    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        to_field_name="code",
        label=gettext_lazy("Where?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose where: at least one unit.")},
    )
    effective_on = DayField(label=gettext_lazy("In place since"))
    is_sure = forms.BooleanField(required=False)
    ended_on = DayField(
        label=gettext_lazy("Ended on"),
        help_text=gettext_lazy("The first day without it. Leave it empty if it is still in place."),
        required=False,
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=words(2))

    def __init__(
        self,
        data: Any = None,
        *,
        challenge: Challenge,
        units: QuerySet[Unit],
        also: Sequence[str],
        since: date | None = None,
        as_of: date,
    ) -> None:
        super().__init__(data, initial={"solutions": list(also), "effective_on": since})
        self.as_of = as_of
        solutions, places = self.fields["solutions"], self.fields["units"]
        assert isinstance(solutions, forms.ModelMultipleChoiceField)
        assert isinstance(places, forms.ModelMultipleChoiceField)
        solutions.queryset = usable_solutions(challenge=challenge, also=also)
        places.queryset = units

    @property
    def asks_if_sure(self) -> bool:
        return self.has_error("effective_on", "long_ago") or bool(self["is_sure"].value())

    def clean(self) -> None:
        day = self.cleaned_data.get("effective_on")
        is_old = day is not None and day < self.as_of - timedelta(days=BACKDATED_DAYS)
        if is_old and not self.cleaned_data.get("is_sure"):
            self.add_error("effective_on", long_ago())

    def logged(self) -> dict[str, Any]:
        """What `log_actions` takes."""
        entered = self.cleaned_data
        return {
            "units": list(entered["units"]),
            "solutions": [AppliedSolution(solution=solution) for solution in entered["solutions"]],
            **{name: entered[name] for name in ("effective_on", "ended_on", "note")},
        }
