"""What a person fills in to take a plan to many units, to give each a start, and to draw their order."""

import re
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Scope, Unit
from apps.planning.draws import FEWEST_UNITS, MOST_STEPS, MOST_WEEKS, staggered
from apps.planning.forms import DayField, VersionField, words
from apps.planning.models import Plan
from apps.planning.places import unit_choices
from apps.planning.selectors import plannable_units
from apps.taxonomy.models import Challenge
from apps.taxonomy.term_field import TermField

UNITS_AT_MOST = 1_000
LISTED_AT_ONCE = 200


class UnitsFields(forms.Form):
    """Units ticked, units of a list, or all that the search found."""

    unit_q = forms.CharField(required=False)
    region = forms.CharField(required=False)
    kind = forms.CharField(required=False)
    units = forms.MultipleChoiceField(required=False)
    take_all = forms.BooleanField(label=gettext_lazy("Take all that are found"), required=False)
    listed = forms.CharField(
        label=gettext_lazy("Or paste a list"),
        help_text=gettext_lazy("Codes or names, one a line."),
        widget=words(3),
        required=False,
    )
    focus_reason = forms.CharField(
        label=gettext_lazy("Why one more now?"),
        help_text=gettext_lazy("Few things at a time get done; more of them get in each other's way."),
        widget=words(2),
        required=False,
    )

    def __init__(self, data: Any = None, *, scope: Scope, **options: Any) -> None:
        super().__init__(data, **options)
        self.scope = scope
        ticked = data.getlist("units") if data is not None else []
        units = self.fields["units"]
        assert isinstance(units, forms.MultipleChoiceField)
        units.choices = [(code, code) for code in ticked]

    def chosen(self) -> list[Unit]:
        """The units named in one way or another; call it on a valid form."""
        entered = self.cleaned_data
        units = plannable_units(scope=self.scope)
        found = {unit.pk: unit for unit in units.filter(code__in=entered["units"])[:UNITS_AT_MOST]}
        found |= {unit.pk: unit for unit in self._listed(units)}
        if entered["take_all"]:
            pick = unit_choices(
                scope=self.scope,
                query=entered["unit_q"].strip(),
                region=entered["region"],
                kind=entered["kind"],
                limit=UNITS_AT_MOST,
            )
            found |= {row.unit.pk: row.unit for row in pick.rows}
        return list(found.values())

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            unknown = self._unknown()
            if unknown:
                names = ", ".join(unknown[:5])
                self.add_error("listed", _("No open unit of yours is called %(names)s.") % {"names": names})
            elif not self.chosen():
                self.add_error("units", _("Choose where: at least one unit."))
        return self.cleaned_data

    def _lines(self) -> list[str]:
        lines = re.split(r"[\n;\t]+", self.cleaned_data.get("listed", ""))
        return list(dict.fromkeys(line.strip().lower() for line in lines if line.strip()))[:UNITS_AT_MOST]

    def _listed(self, units: QuerySet[Unit]) -> list[Unit]:
        lines = self._lines()
        if not lines:
            return []
        lowered = units.annotate(low_code=Lower("code"), low_name=Lower("name"), low_fr=Lower("name_fr"))
        return list(lowered.filter(Q(low_code__in=lines) | Q(low_name__in=lines) | Q(low_fr__in=lines)))

    def _unknown(self) -> list[str]:
        known: set[str] = set()
        for unit in self._listed(plannable_units(scope=self.scope)):
            known |= {unit.code.lower(), unit.name.lower(), unit.name_fr.lower()}
        return [line for line in self._lines() if line not in known]


class RolloutForm(UnitsFields):
    challenge = TermField(
        label=gettext_lazy("Which problem do you take on?"),
        help_text=gettext_lazy("A few letters of its name."),
        error_messages={"required": gettext_lazy("Choose a problem.")},
    )

    def clean_challenge(self) -> Challenge:
        challenge: Challenge = self.cleaned_data["challenge"]
        if challenge.metric_id is None:
            raise forms.ValidationError(
                _("This challenge has no outcome yet, so nothing would be known of what a roll-out changes.")
            )
        return challenge


class JoinForm(UnitsFields):
    seen_at = VersionField()
    planned_on = DayField(label=gettext_lazy("Planned start"))


class StartsForm(forms.Form):
    """One start for all, or waves some weeks apart."""

    SCHEMES = (("same", gettext_lazy("All at once")), ("staggered", gettext_lazy("In waves")))

    seen_at = VersionField()
    scheme = forms.ChoiceField(
        label=gettext_lazy("When does each unit start?"), choices=SCHEMES, widget=forms.RadioSelect, initial="same"
    )
    first_on = DayField(label=gettext_lazy("First start"))
    steps = forms.IntegerField(
        label=gettext_lazy("Number of waves"), min_value=2, max_value=52, initial=4, required=False
    )
    gap_weeks = forms.IntegerField(
        label=gettext_lazy("Weeks between two waves"),
        min_value=1,
        max_value=MOST_WEEKS,
        initial=3,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        entered = self.cleaned_data
        if entered.get("scheme") == "staggered":
            for name in ("steps", "gap_weeks"):
                if entered.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Enter a whole number."))
        return entered

    def days(self, count: int) -> list[date]:
        """The starts of so many units in their order; call it on a valid form."""
        entered = self.cleaned_data
        if entered["scheme"] == "same":
            return [entered["first_on"]] * count
        return staggered(
            count, first_on=entered["first_on"], gap_weeks=entered["gap_weeks"], steps=entered["steps"]
        )


class StartForm(forms.Form):
    seen_at = VersionField()
    planned_on = DayField(label=gettext_lazy("Planned start"))


class DrawForm(forms.Form):
    seen_at = VersionField()
    steps = forms.IntegerField(label=gettext_lazy("How many start dates?"), min_value=2, max_value=MOST_STEPS)
    gap_weeks = forms.IntegerField(
        label=gettext_lazy("Weeks between two starts"), min_value=1, max_value=MOST_WEEKS
    )
    first_on = DayField(label=gettext_lazy("First start"))
    reason = forms.CharField(
        label=gettext_lazy("Why draw again?"),
        help_text=gettext_lazy("The first draw is kept and stays visible."),
        widget=words(2),
        required=False,
    )

    def __init__(self, data: Any = None, *, plan: Plan, units: int, first_on: date, is_again: bool) -> None:
        initial = {"steps": min(4, max(2, units // 2)), "gap_weeks": 3, "first_on": first_on}
        super().__init__(data, initial={"seen_at": plan.updated_at.isoformat(), **initial})
        self.is_possible = units >= FEWEST_UNITS
        if not is_again:
            del self.fields["reason"]
