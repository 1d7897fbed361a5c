"""What people enter while an action runs: tasks, check-ins and proofs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.core.uploads import DOCUMENTS, IMAGES, endings_of
from apps.planning.forms import DayField, VersionField, words
from apps.planning.models import Action, CheckIn, Task
from apps.planning.selectors import possible_owners
from apps.planning.tasklist import TaskChanges


class TaskForm(forms.Form):
    seen_at = VersionField()
    title = forms.CharField(
        label=gettext_lazy("What is to be done?"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say what is to be done.")},
    )
    assignee = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Assigned to"),
        required=False,
        empty_label=gettext_lazy("Nobody yet"),
    )
    due_on = DayField(label=gettext_lazy("Due on"), required=False)

    def __init__(self, data: Any = None, *, action: Action, person: User, task: Task | None = None) -> None:
        initial: dict[str, Any] = {"assignee": action.owner}
        if task is not None:
            initial = {name: getattr(task, name) for name in ("title", "assignee", "due_on")}
            initial["seen_at"] = task.updated_at.isoformat()
        super().__init__(data, initial=initial)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)
        also = task.assignee if task else action.owner
        field.queryset = possible_owners(units=[action.unit], person=person, also=also)

    def entries(self) -> dict[str, Any]:
        """What `add_task` takes besides the action."""
        return {name: self.cleaned_data[name] for name in ("title", "assignee", "due_on")}

    def changes(self) -> TaskChanges:
        entered = self.cleaned_data
        return TaskChanges(title=entered["title"], assignee=entered["assignee"], due_on=entered["due_on"])


class CheckInForm(forms.Form):
    """Three taps, and a note for who has one."""

    happening = forms.ChoiceField(
        label=gettext_lazy("Is it happening?"), choices=CheckIn.Happening.choices, widget=forms.RadioSelect
    )
    working = forms.ChoiceField(
        label=gettext_lazy("Is it working?"), choices=CheckIn.Working.choices, widget=forms.RadioSelect
    )
    obstacle = forms.ChoiceField(
        label=gettext_lazy("What is in the way?"), choices=CheckIn.Obstacle.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=words(2))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name in ("happening", "working", "obstacle"):
            self.fields[name].error_messages["required"] = gettext_lazy("Choose one.")


class ProofForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("A photo or a file that shows it"),
        widget=forms.FileInput(attrs={"accept": endings_of(IMAGES | DOCUMENTS)}),
        error_messages={"required": gettext_lazy("Choose a file.")},
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=1000, required=False)
