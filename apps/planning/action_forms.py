"""What people enter when an action is applied, corrected, stopped or withdrawn."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import User
from apps.core.uploads import DOCUMENTS, IMAGES, endings_of
from apps.library.models import Solution
from apps.planning.corrections import ActionChanges
from apps.planning.events import NotedEvent
from apps.planning.forms import DayField, VersionField, money, words
from apps.planning.freezing import AppliedSolution
from apps.planning.guide import procedure_lines
from apps.planning.models import Action, Event
from apps.planning.rules import BACKDATED_DAYS
from apps.planning.selectors import (
    Nearby,
    events_of_unit,
    nearby,
    possible_owners,
    usable_solutions,
    used_solutions,
)
from apps.taxonomy.choosing import kept_entry
from apps.taxonomy.term_field import TermField, keep_term

SOLUTIONS_SHOWN = 40


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

    proof = forms.FileField(
        label=gettext_lazy("A photo or a file that shows it"),
        required=False,
        widget=forms.FileInput(attrs={"accept": endings_of(IMAGES | DOCUMENTS)}),
    )
    steps = forms.MultipleChoiceField(required=False)
    is_sure = forms.BooleanField(required=False)
    events = forms.ModelMultipleChoiceField(Event.objects.none(), required=False)
    event_name = forms.CharField(label=gettext_lazy("What else happened?"), max_length=200, required=False)
    event_kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=Event.Kind.choices, initial=Event.Kind.OTHER, required=False
    )
    event_starts_on = DayField(label=gettext_lazy("First day"), required=False)
    event_ends_on = DayField(
        label=gettext_lazy("Last day"), help_text=gettext_lazy("Leave it empty while it lasts."), required=False
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, action: Action, as_of: date, initial: dict[str, Any]
    ) -> None:
        picked = [event.pk for event in action.events.all()]
        super().__init__(
            data, files, initial={"seen_at": action.updated_at.isoformat(), "events": picked, **initial}
        )
        self.action, self.as_of = action, as_of
        self.lines = procedure_lines([row.solution for row in used_solutions(action)])
        steps, events = self.fields["steps"], self.fields["events"]
        assert isinstance(steps, forms.MultipleChoiceField)
        steps.choices = [(line, line) for line in self.lines]
        assert isinstance(events, forms.ModelMultipleChoiceField)
        events.queryset = events_of_unit(action.unit)
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

    @property
    def nearby(self) -> Nearby:
        """What else happens around the day that is entered, or else around today."""
        on = (
            getattr(self, "cleaned_data", {}).get("effective_on") or self.initial.get("effective_on") or self.as_of
        )
        return nearby(units=[self.action.unit], challenge=self.action.challenge, on=on, without=self.action)

    @property
    def picked(self) -> set[str]:
        return {str(value) for value in self["events"].value() or ()}

    @property
    def asks_if_sure(self) -> bool:
        """Whether the day lies so far back that it has to be confirmed."""
        return self.has_error("effective_on", "long_ago") or bool(self["is_sure"].value())

    def clean(self) -> None:
        day = self.cleaned_data.get("effective_on")
        is_new = "effective_on" in self.changed_data
        earliest = self.as_of - timedelta(days=BACKDATED_DAYS)
        if day is not None and is_new and day < earliest and not self.cleaned_data.get("is_sure"):
            self.add_error("effective_on", long_ago())
        if self.cleaned_data.get("event_name") and not self.cleaned_data.get("event_starts_on"):
            self.add_error("event_starts_on", _("Enter a date."))

    def noted(self) -> NotedEvent | None:
        """An event that was not in the log yet."""
        entered = self.cleaned_data
        if not entered["event_name"]:
            return None
        return NotedEvent(
            name=entered["event_name"],
            kind=entered["event_kind"] or Event.Kind.OTHER,
            starts_on=entered["event_starts_on"],
            ends_on=entered["event_ends_on"],
        )

    @property
    def ticked(self) -> list[str]:
        return list(self["steps"].value() or ())

    def done_steps(self) -> list[dict[str, object]]:
        """Every step of the recipe with whether it was done; none when nobody ticked any."""
        ticked = set(self.cleaned_data["steps"])
        return [{"text": line, "is_done": line in ticked} for line in self.lines] if ticked else []

    def application(self) -> dict[str, Any]:
        """What `apply_action` takes."""
        names = ("effective_on", "note", "cost", "seen_at", "events")
        return {
            "solutions": self.applied(),
            "noted": self.noted(),
            "proof": self.cleaned_data["proof"],
            "steps": self.done_steps(),
            **{name: self.cleaned_data[name] for name in names},
        }

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
    challenge = TermField(
        label=gettext_lazy("Challenge"),
        help_text=gettext_lazy("A few letters of its name."),
        error_messages={"required": gettext_lazy("Choose a problem.")},
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
            "challenge": kept_entry(action.challenge),
            "owner": action.owner,
            "cost": action.cost,
            "note": action.note,
        }
        super().__init__(data, action=action, initial=initial, **options)
        keep_term(self, "challenge", action.challenge)
        owners = self.fields["owner"]
        assert isinstance(owners, forms.ModelChoiceField)
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
            "events": list(self.cleaned_data["events"]),
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
    seen_at = VersionField()
    reason = forms.CharField(
        label=gettext_lazy("Why is it not going to happen?"),
        widget=words(2),
        error_messages={"required": gettext_lazy("Say why in a few words, so that others can learn from it.")},
    )


def long_ago() -> forms.ValidationError:
    message = ngettext(
        "This is more than %(days)s day ago. Check the year; if it is right, say so below and save again.",
        "This is more than %(days)s days ago. Check the year; if it is right, say so below and save again.",
        BACKDATED_DAYS,
    )
    return forms.ValidationError(message % {"days": BACKDATED_DAYS}, code="long_ago")
