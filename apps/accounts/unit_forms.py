"""What a lead fills in to change the tree of units."""

from datetime import date
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Scope, Unit, User
from apps.accounts.regrouping import (
    Part,
    close_unit,
    merge_units,
    move_unit,
    rename_unit,
    reopen_unit,
    split_unit,
)


class ChangeForm(forms.Form):
    """One change of one unit; `save` makes it."""

    title: str | Promise = ""
    verb: str | Promise = ""

    def __init__(self, data: Any = None, *, unit: Unit, scope: Scope, as_of: date) -> None:
        super().__init__(data, prefix=None, initial={"on": as_of, "name": unit.name, "name_fr": unit.name_fr})
        self.unit, self.scope, self.as_of = unit, scope, as_of
        self.auto_id = f"{type(self).__name__.lower()}-%s"

    def save(self, actor: User) -> None:
        raise NotImplementedError

    def other(self, name: str) -> Unit:
        """The unit a code names, within the scope."""
        code = self.cleaned_data[name].strip()
        return Unit.objects.in_scope(self.scope).get(code__iexact=code)

    def clean(self) -> dict[str, Any]:
        for name in {"parent", "into"} & self.cleaned_data.keys():
            code = self.cleaned_data[name].strip()
            if not Unit.objects.in_scope(self.scope).filter(code__iexact=code).exists():
                self.add_error(name, _("No unit of yours has the code %(code)s.") % {"code": code})
        return self.cleaned_data


class DayInput(forms.DateField):
    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("From"),
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
        )


class RenameForm(ChangeForm):
    title, verb = gettext_lazy("Another name"), gettext_lazy("Rename")

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    name_fr = forms.CharField(label=gettext_lazy("Name in French"), max_length=200, required=False)

    def save(self, actor: User) -> None:
        rename_unit(unit=self.unit, **self.cleaned_data, actor=actor)


class MoveForm(ChangeForm):
    title, verb = gettext_lazy("Under another unit"), gettext_lazy("Move")

    parent = forms.CharField(label=gettext_lazy("Code of the unit above"), max_length=64)
    on = DayInput()

    def save(self, actor: User) -> None:
        day = self.cleaned_data["on"]
        move_unit(unit=self.unit, parent=self.other("parent"), on=day, as_of=self.as_of, actor=actor)


class MergeForm(ChangeForm):
    title, verb = gettext_lazy("Into another unit"), gettext_lazy("Merge")

    into = forms.CharField(label=gettext_lazy("Code of the unit that takes over"), max_length=64)
    on = DayInput()

    def save(self, actor: User) -> None:
        day = self.cleaned_data["on"]
        merge_units(units=[self.unit], into=self.other("into"), on=day, as_of=self.as_of, actor=actor)


class SplitForm(ChangeForm):
    title, verb = gettext_lazy("Into several units"), gettext_lazy("Split")

    parts = forms.CharField(
        label=gettext_lazy("New units"),
        help_text=gettext_lazy("One a line: code, then name."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    on = DayInput()

    def save(self, actor: User) -> None:
        lines = [line.split(None, 1) for line in self.cleaned_data["parts"].splitlines() if line.strip()]
        parts = [Part(code=line[0].strip(",;"), name=line[1] if len(line) > 1 else "") for line in lines]
        split_unit(unit=self.unit, parts=parts, on=self.cleaned_data["on"], as_of=self.as_of, actor=actor)


class CloseForm(ChangeForm):
    title, verb = gettext_lazy("Closed for good"), gettext_lazy("Close the unit")

    on = DayInput()

    def save(self, actor: User) -> None:
        close_unit(unit=self.unit, on=self.cleaned_data["on"], as_of=self.as_of, actor=actor)


class ReopenForm(ChangeForm):
    title, verb = gettext_lazy("Open again"), gettext_lazy("Reopen")

    def save(self, actor: User) -> None:
        reopen_unit(unit=self.unit, actor=actor)


FORMS: dict[str, type[ChangeForm]] = {
    "rename": RenameForm,
    "move": MoveForm,
    "merge": MergeForm,
    "split": SplitForm,
    "close": CloseForm,
    "reopen": ReopenForm,
}


def forms_for(unit: Unit, *, scope: Scope, as_of: date) -> dict[str, ChangeForm]:
    """The changes the unit allows."""
    names = ["rename", "reopen"] if unit.closed_on else ["rename", "move", "merge", "split", "close"]
    return {name: FORMS[name](unit=unit, scope=scope, as_of=as_of) for name in names}
