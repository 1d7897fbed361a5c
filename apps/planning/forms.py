"""What people enter about plans, actions and events, and the words when something is wrong."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Scope, Unit, User
from apps.core.errors import CxplanError
from apps.library.models import Solution
from apps.planning.corrections import ActionChanges
from apps.planning.freezing import AppliedSolution
from apps.planning.holding import ActionChanged
from apps.planning.models import Action, Event
from apps.planning.plans import PlanChanges
from apps.planning.selectors import (
    plannable_units,
    possible_owners,
    solutions_of,
    usable_solutions,
    used_solutions,
)
from apps.taxonomy.models import Challenge

# Memory of dates fades; older ones come in by file, with a lead's eye on them.
BACKDATED_DAYS = 90
UNITS_SHOWN = 150
SOLUTIONS_SHOWN = 40


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

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        challenge: Challenge,
        units: QuerySet[Unit],
        shown: Sequence[Unit],
        person: User,
        also: Sequence[str],
        as_of: date,
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial=initial)
        self.as_of = as_of
        self.is_in_place = data is not None and data.get("then") == "apply"
        self.field("units").queryset = units
        self.fields["units"].widget.choices = [(unit.code, unit.display_name) for unit in shown]
        chosen = list(units.filter(code__in=data.getlist("units"))) if data is not None else []
        self._settle(challenge=challenge, units=[*shown[:1], *chosen], person=person, also=also)

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


class AppliedForm(forms.Form):
    """How one solution was put in place."""

    solution = forms.CharField(widget=forms.HiddenInput)
    is_used = forms.BooleanField(required=False)
    dose = forms.CharField(
        label=gettext_lazy("How much"),
        help_text=gettext_lazy("For example: 8 people trained, 2 machines."),
        max_length=200,
        required=False,
    )
    fidelity = forms.IntegerField(
        label=gettext_lazy("Done as described, in %"),
        help_text=gettext_lazy("100 is exactly as described. Leave it empty if you don't know."),
        min_value=0,
        max_value=100,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "step": "5"}),
    )
    adaptation = forms.CharField(label=gettext_lazy("What you did differently"), required=False, widget=words(2))

    def __init__(self, *args: Any, offered: dict[str, Solution], **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered = offered

    @property
    def shown(self) -> Solution | None:
        """The solution the row is about."""
        return self.offered.get(str(self["solution"].value()))

    @property
    def is_told(self) -> bool:
        """Whether there is more to show than how well it was done."""
        names = ("dose", "adaptation")
        return any(self[name].value() or self[name].errors for name in names)

    def clean_solution(self) -> Solution:
        solution = self.offered.get(self.cleaned_data["solution"])
        if solution is None:
            raise forms.ValidationError(_("This solution is not offered here. Open the page again."))
        return solution


AppliedFormSet = forms.formset_factory(AppliedForm, extra=0, max_num=SOLUTIONS_SHOWN * 2)


class ApplyForm(forms.Form):
    """What was done, since when; one row for each solution that may have been used."""

    seen_at = VersionField()
    effective_on = DayField(
        label=gettext_lazy("In place since"),
        help_text=gettext_lazy("A day to come is fine: it counts from that day on."),
    )
    cost = money()
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=words(2))

    def __init__(
        self, data: Any = None, *, action: Action, as_of: date, may_backdate: bool, initial: dict[str, Any]
    ) -> None:
        super().__init__(data, initial={"seen_at": action.updated_at.isoformat(), **initial})
        self.as_of, self.may_backdate = as_of, may_backdate
        used = used_solutions(action)
        offered = {row.solution.code: row.solution for row in used}
        more = list(usable_solutions(challenge=action.challenge).exclude(code__in=offered)[:SOLUTIONS_SHOWN])
        self.used_count = len(used)
        self.solutions = AppliedFormSet(
            data,
            prefix="used",
            form_kwargs={"offered": offered | {solution.code: solution for solution in more}},
            initial=[
                *(
                    {
                        "solution": row.solution.code,
                        "is_used": True,
                        "dose": row.dose,
                        "fidelity": row.fidelity,
                        "adaptation": row.adaptation,
                    }
                    for row in used
                ),
                *({"solution": solution.code, "is_used": False} for solution in more),
            ],
        )

    @property
    def used_rows(self) -> list[Any]:
        return list(self.solutions.forms[: self.used_count])

    @property
    def more_rows(self) -> list[Any]:
        return list(self.solutions.forms[self.used_count :])

    @property
    def is_more_open(self) -> bool:
        """Whether a further solution was ticked, or has an error to show."""
        return any(row["is_used"].value() or row.errors for row in self.more_rows)

    def is_valid(self) -> bool:
        # Both are asked, so that all messages come at once.
        return all([super().is_valid(), self.solutions.is_valid()])

    def clean_effective_on(self) -> date:
        day: date = self.cleaned_data["effective_on"]
        is_free = self.may_backdate or "effective_on" not in self.changed_data
        if not is_free and day < self.as_of - timedelta(days=BACKDATED_DAYS):
            raise forms.ValidationError(
                _("This is more than %(days)s days ago. Ask your CX lead to bring it in as a file.")
                % {"days": BACKDATED_DAYS}
            )
        return day

    def applied(self) -> list[AppliedSolution]:
        return [
            AppliedSolution(
                solution=row["solution"], dose=row["dose"], fidelity=row["fidelity"], adaptation=row["adaptation"]
            )
            for row in self.solutions.cleaned_data
            if row["is_used"]
        ]


class CorrectForm(ApplyForm):
    """What was recorded, set right with a reason."""

    ended_on = DayField(
        label=gettext_lazy("Ended on"),
        help_text=gettext_lazy("The first day without it. Empty it to put the action back in place."),
        required=False,
    )
    challenge = forms.ModelChoiceField(
        Challenge.objects.none(), to_field_name="code", label=gettext_lazy("Challenge"), empty_label=None
    )
    owner = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Owner"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Why do you correct this?"),
        help_text=gettext_lazy("Kept with the old and the new; the result is measured again."),
        widget=words(2),
        error_messages={"required": gettext_lazy("Say why in a few words, so that others can learn from it.")},
    )

    def __init__(self, data: Any = None, *, action: Action, person: User, **options: Any) -> None:
        initial = {
            "effective_on": action.effective_on,
            "ended_on": action.ended_on,
            "challenge": action.challenge.code,
            "owner": action.owner,
            "cost": action.cost,
            "note": action.note,
        }
        super().__init__(data, action=action, initial=initial, **options)
        challenges, owners = self.fields["challenge"], self.fields["owner"]
        assert isinstance(challenges, forms.ModelChoiceField)
        assert isinstance(owners, forms.ModelChoiceField)
        now = Challenge.objects.current() | Challenge.objects.filter(pk=action.challenge.pk)
        challenges.queryset = now.order_by("name", "pk")
        owners.queryset = possible_owners(units=[action.unit], person=person, also=action.owner)
        if action.ended_on is None:
            del self.fields["ended_on"]

    def changes(self) -> ActionChanges:
        changes: ActionChanges = {
            "effective_on": self.cleaned_data["effective_on"],
            "challenge": self.cleaned_data["challenge"],
            "owner": self.cleaned_data["owner"],
            "cost": self.cleaned_data["cost"],
            "note": self.cleaned_data["note"],
            "solutions": self.applied(),
        }
        if "ended_on" in self.fields:
            changes["ended_on"] = self.cleaned_data["ended_on"]
        return changes


class StopForm(forms.Form):
    seen_at = VersionField()
    ended_on = DayField(label=gettext_lazy("Ended on"), help_text=gettext_lazy("The first day without it."))
    reason = forms.CharField(
        label=gettext_lazy("Why do you stop it?"),
        widget=words(3),
        error_messages={"required": gettext_lazy("Say why in a few words, so that others can learn from it.")},
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why is it not going to happen?"),
        widget=words(2),
        error_messages={"required": gettext_lazy("Say why in a few words, so that others can learn from it.")},
    )


class EventForm(forms.Form):
    """`everywhere` is offered to those who answer for the whole organisation."""

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
        return {**fields, "unit": event.unit.code if event.unit else ""}


@contextmanager
def refusals(form: forms.BaseForm) -> Iterator[None]:
    """Put into the form why a change was refused; what follows inside the block is skipped."""
    try:
        yield
    except CxplanError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        if isinstance(error, ActionChanged):
            # Saving again is then a decision made in knowledge of the other person's change.
            entries = cast(QueryDict, form.data).copy()
            entries["seen_at"] = error.changed_at.isoformat()
            form.data = entries


def shown_units(*, scope: Scope, below: Unit | None) -> list[Unit]:
    """The units to choose from: those below the unit looked at, or all when it holds none."""
    units = list(plannable_units(scope=scope, below=below)[:UNITS_SHOWN]) if below is not None else []
    return units or list(plannable_units(scope=scope)[:UNITS_SHOWN])
