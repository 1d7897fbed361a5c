"""What people enter about plans, actions and events, and the words when something is wrong."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Scope, Unit, User
from apps.core.errors import CxplanError
from apps.library.models import Solution
from apps.planning.holding import EditConflict
from apps.planning.models import Action, Event
from apps.planning.plans import PlanChanges
from apps.planning.selectors import (
    plannable_units,
    possible_owners,
    solutions_of,
    usable_solutions,
)
from apps.taxonomy.models import Challenge

UNITS_SHOWN = 50


class DayField(forms.DateField):
    """A date, entered with the browser's own calendar."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
            error_messages={
                "required": gettext_lazy("Enter a date."),
                "invalid": gettext_lazy("Enter a date such as 2026-03-31."),
            },
            **options,
        )


class VersionField(forms.CharField):
    """When the person read the action; a save on top of somebody else's is noticed by it."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput, required=False)

    def clean(self, value: Any) -> datetime | None:
        try:
            return datetime.fromisoformat(super().clean(value))
        except ValueError:
            return None


def words(rows: int, placeholder: str = "") -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "placeholder": placeholder})


def money() -> forms.DecimalField:
    return forms.DecimalField(
        label=gettext_lazy("Actual cost"),
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        localize=True,
    )


class PlanFields(forms.Form):
    """What a plan says, whether it is new or changed."""

    solutions = forms.ModelMultipleChoiceField(
        Solution.objects.none(),
        to_field_name="code",
        label=gettext_lazy("What will you do?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one solution.")},
    )
    intention = forms.CharField(
        label=gettext_lazy("When, where and how exactly?"),
        help_text=gettext_lazy("Plans that say this are kept far more often."),
        widget=words(3, gettext_lazy("On Mondays before opening, at the counter, with the early shift")),  # type: ignore[arg-type]
        required=False,
    )
    planned_on = DayField(label=gettext_lazy("Planned start"), required=False)
    owner = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Who sees to it?"), empty_label=None
    )  # fmt: skip
    intended_effect = forms.DecimalField(
        label=gettext_lazy("Effect worth having"), required=False, max_digits=12, decimal_places=4, localize=True
    )

    def _settle(
        self,
        *,
        challenge: Challenge,
        units: Sequence[Unit],
        person: User,
        also: Sequence[str],
        owner: User | None = None,
    ) -> None:
        """Offer what fits this challenge, these units and this person."""
        self.field("solutions").queryset = usable_solutions(challenge=challenge, also=also)
        self.field("owner").queryset = possible_owners(units=units, person=person, also=owner)
        if challenge.metric is not None:
            self.fields["intended_effect"].help_text = _(
                "In %(unit)s of “%(metric)s”. Leave it empty if you are not sure."
            ) % {
                "unit": challenge.metric.display_unit or _("the measure"),
                "metric": challenge.metric.display_name,
            }

    def field(self, name: str) -> "forms.ModelChoiceField[Any]":
        found = self.fields[name]
        assert isinstance(found, forms.ModelChoiceField)
        return found


class PlanForm(PlanFields):
    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(),
        to_field_name="code",
        label=gettext_lazy("Where?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose where: at least one unit.")},
    )
    focus_reason = forms.CharField(
        label=gettext_lazy("Why one more now?"),
        help_text=gettext_lazy("Few things at a time get done; more of them get in each other's way."),
        widget=words(2),
        required=False,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        challenge: Challenge,
        units: QuerySet[Unit],
        first: Unit,
        person: User,
        also: Sequence[str],
        as_of: date,
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial=initial)
        self.as_of = as_of
        self.is_in_place = data is not None and data.get("then") == "apply"
        self.field("units").queryset = units
        chosen = list(units.filter(code__in=data.getlist("units"))) if data is not None else []
        self._settle(challenge=challenge, units=[first, *chosen], person=person, also=also)

    def clean(self) -> None:
        day = self.cleaned_data.get("planned_on")
        if self.is_in_place:
            # The date that counts is asked for next, on the sheet that applies it.
            self.cleaned_data["planned_on"] = None
            self.errors.pop("planned_on", None)
        elif day is None and "planned_on" not in self.errors:
            self.add_error("planned_on", _("Choose a day, so that it does not slip."))
        elif day is not None and day < self.as_of:
            self.add_error(
                "planned_on", _("This day is over. Choose a day to come, or choose “It is already in place”.")
            )


class ChangeForm(PlanFields):
    """What is planned, changed before it is applied."""

    seen_at = VersionField()

    def __init__(self, data: Any = None, *, action: Action, person: User) -> None:
        plan = action.plan
        current = [solution.code for solution in solutions_of(action)]
        initial = {
            "seen_at": action.updated_at.isoformat(),
            "planned_on": action.planned_on,
            "owner": action.owner,
            "solutions": current,
            "intention": plan.intention if plan else "",
            "intended_effect": plan.intended_effect if plan else None,
        }
        super().__init__(data, initial=initial)
        self._settle(
            challenge=action.challenge, units=[action.unit], person=person, also=current, owner=action.owner
        )

    def changes(self) -> PlanChanges:
        changes: PlanChanges = {
            "solutions": list(self.cleaned_data["solutions"]),
            "planned_on": self.cleaned_data["planned_on"],
            "owner": self.cleaned_data["owner"],
        }
        if "intention" in self.fields:
            changes["intention"] = self.cleaned_data["intention"]
            changes["intended_effect"] = self.cleaned_data["intended_effect"]
        return changes


class EventForm(forms.Form):
    """`everywhere` is offered to those who answer for the whole organisation."""

    seen_at = VersionField()
    name = forms.CharField(label=gettext_lazy("What happens?"), max_length=200)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Event.Kind.choices,
        initial=Event.Kind.OTHER,
        help_text=gettext_lazy("Weeks of a closure or an outage are left out of measurement."),
    )
    unit = forms.ModelChoiceField(Unit.objects.none(), to_field_name="code", label=gettext_lazy("Where?"))
    starts_on = DayField(label=gettext_lazy("First day"))
    ends_on = DayField(
        label=gettext_lazy("Last day"), help_text=gettext_lazy("Leave it empty while it lasts."), required=False
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        units: QuerySet[Unit],
        shown: Sequence[Unit],
        everywhere: bool,
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial=initial)
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ModelChoiceField)
        unit.queryset, unit.required = units, not everywhere
        unit.widget.choices = [
            *([("", _("Everywhere"))] if everywhere else []),
            *((one.code, one.display_name) for one in shown),
        ]

    @staticmethod
    def initial_of(event: Event | None) -> dict[str, Any]:
        if event is None:
            return {}
        fields = {name: getattr(event, name) for name in ("name", "kind", "starts_on", "ends_on")}
        return {**fields, "unit": event.unit.code if event.unit else "", "seen_at": event.updated_at.isoformat()}

    def entries(self) -> dict[str, Any]:
        """What the event is from now on."""
        return {name: self.cleaned_data[name] for name in ("name", "kind", "unit", "starts_on", "ends_on")}


@contextmanager
def refusals(form: forms.BaseForm) -> Iterator[None]:
    """Put into the form why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        if isinstance(error, EditConflict):
            # Saving again is then a decision made in knowledge of the other person's change.
            entries = cast(QueryDict, form.data).copy()
            entries["seen_at"] = error.version
            form.data = entries


def shown_units(*, scope: Scope, below: Unit | None) -> list[Unit]:
    """The units to choose from: those below the unit looked at, or all when it holds none."""
    units = list(plannable_units(scope=scope, below=below)[:UNITS_SHOWN]) if below is not None else []
    return units or list(plannable_units(scope=scope)[:UNITS_SHOWN])
